// The engine: brings account, trackers, peers and transfers together. Holds no rules of its own beyond who must be told of what;
// verbs.ts turns a frontend's words into calls of it.
import type { EngineApi } from './state.ts';
import type { Overview } from '../../protocol/engineLink.ts';
import { asShoalError, isShoalError, ShoalError } from '../../protocol/errors.ts';
import { RAW_HEAD_ROOM_BYTES } from '../../protocol/frame.ts';
import type { Identity } from '../../protocol/identity.ts';
import type { AccountId, GroupId, OperationId, Root, SwarmKey } from '../../protocol/ids.ts';
import { swarmKeyText } from '../../protocol/ids.ts';
import { ADDRESSES_PER_PEER_MAX } from '../../protocol/limits.ts';
import type { Address } from '../../protocol/nouns.ts';
import type { OperationBody, OperationName } from '../../protocol/operations.ts';
import { signOperation } from '../../protocol/operations.ts';
import type { Operation } from '../../protocol/operations.ts';
import type { SwarmView } from '../../protocol/swarmView.ts';
import type { Conflict, GroupView, Receipt } from '../../protocol/trackerLink.ts';
import type { Timer, World } from '../../protocol/world.ts';
import type { Hasher } from './hashing.ts';
import { workerHasher } from './hashing.ts';
import { hashWorkerEntry } from './hashWorker.ts';
import type { Home } from '../../protocol/home/home.ts';
import { readSmallFile, textField, writeSmallFile } from '../../protocol/home/home.ts';
import { CutOff } from './cutOff.ts';
import { Notifier } from './notifier.ts';
import { OpenFiles } from './openFiles.ts';
import { Outbox, SAYS_NOTHING } from './outbox.ts';
import type { PeerLink } from './peer.ts';
import { Peers } from './peers.ts';
import { PieceBuffers } from './pieceBuffers.ts';
import { Reading } from './reading.ts';
import { Served } from './served.ts';
import { loadSettings, saveSettings, SETTINGS_DEFAULT } from './settings.ts';
import type { Settings } from './settings.ts';
import type { Swarm, SwarmHost } from './swarm.ts';
import { swarmViewOf } from './swarmReport.ts';
import { Throttle } from './throttle.ts';
import { TicketRenewal } from './ticketRenewal.ts';
import { Tickets } from './tickets.ts';
import type { TrackerSession } from './trackerSession.ts';
import { ToldConflicts } from './toldConflicts.ts';
import { Trackers } from './trackers.ts';
import type { Transfer } from './transfer.ts';
import { Transfers } from './transfers.ts';
import { Uploads } from './uploads.ts';
import { verbsOf } from './verbs.ts';

/** How often the engine looks after itself, in ms. */
const TICK_MS = 1_000;
/** A gap between two looks that means the machine has slept, in ms. */
const SLEPT_MS = 15_000;
/** How often operations that are not on both disks are sent again, in ms. */
const OUTBOX_MS = 5_000;

export interface Account {
  readonly account: AccountId;
  readonly user: string;
}

export interface EngineOptions {
  readonly home: Home;
  readonly world: World;
  readonly identity: Identity;
  readonly version: string;
  readonly hasher: Hasher;
}

/**
 * An engine for a home, going on where its last run ended.
 *
 * @throws ShoalError damagedFile, newerFormat
 */
export async function openEngine({ hasher = workerHasher(hashWorkerEntry), ...options }: Omit<EngineOptions, 'hasher'> & { readonly hasher?: Hasher }): Promise<EngineApi> {
  const engine = new Engine({ ...options, hasher });
  await engine.start();
  return {
    verbs: verbsOf(engine),
    overview: () => engine.overview(),
    transfers: () => engine.transfers.all.map((transfer) => transfer.toView()),
    transfer: (id) => engine.transfers.get(id)?.toView(),
    swarm: (id) => {
      const transfer = engine.transfers.get(id);
      return transfer && engine.swarm(transfer);
    },
    onChange: (listener) => engine.notify.onChange(listener),
    onEvent: (listener) => engine.notify.onEvent(listener),
    get isBusy() {
      return engine.transfers.all.some((transfer) => transfer.isActive && transfer.state !== 'waiting');
    },
    get isHeld() {
      return engine.isHeld;
    },
    get keepsSharing() {
      return engine.settings.keepSharing && engine.account !== undefined;
    },
    close: (options) => engine.close(options),
  };
}

export class Engine {
  readonly world: World;
  readonly trackers: Trackers;
  readonly transfers: Transfers;
  readonly reading: Reading;
  readonly down: Throttle;
  readonly up: Throttle;
  readonly notify = new Notifier();
  account: Account | undefined;
  /** Whether a person signed in on the command line holds this engine. */
  isHeld = false;
  settings = SETTINGS_DEFAULT;
  readonly #options: EngineOptions;
  readonly #tickets: Tickets;
  readonly #peers: Peers;
  readonly #outbox: Outbox;
  readonly #renewal: TicketRenewal;
  readonly #toldConflicts: ToldConflicts;
  readonly #cutOff: CutOff;
  readonly #served: Served;
  #timer: Timer | undefined;
  #lastTickMs: number;
  #lastOutboxMs = 0;
  /** Transfers that were moving bytes at the last look. */
  #moving: ReadonlySet<number> = new Set();
  #closed = false;

  constructor(options: EngineOptions) {
    const { world, home, identity, hasher } = options;
    const program = `shoal ${options.version}`;
    this.#options = options;
    this.world = world;
    this.#lastTickMs = world.clock.monotonicMs();
    this.down = new Throttle(world.clock);
    this.up = new Throttle(world.clock);
    this.#tickets = new Tickets(world.clock);
    this.#renewal = new TicketRenewal(world, identity.pin, this.#tickets, () => this.trackers, () => {
      for (const link of this.#peers.links) link.showRenewed();
    });
    this.#outbox = new Outbox(world.disk, home, world.log);
    this.#toldConflicts = new ToldConflicts(world.disk, home);
    this.#cutOff = new CutOff(world.disk, home);
    this.#served = new Served(world.clock);
    this.#peers = new Peers({
      world, device: identity.pin, program, tickets: this.#tickets, uploads: new Uploads({ clock: world.clock, up: this.up, buffers: new PieceBuffers(RAW_HEAD_ROOM_BYTES) }),
      swarm: (group, root) => this.#swarmOf(group, root),
      revoked: (bytes, from) => this.#revoked(bytes, from),
      sent: (swarm, bytes, to) => this.#sent(swarm, bytes, to),
      askDial: (pin, group) => void this.trackers.call('askDial', { pin, group }).catch(() => undefined),
      linkUp: () => {
        for (const swarm of this.#swarms) swarm.connect();
      },
    });
    const swarmHost: SwarmHost = {
      clock: world.clock, chance: world.chance, log: world.log, buffers: new PieceBuffers(), down: this.down, reach: (peer, swarm) => this.#peers.reach(peer, swarm), linksIn: (group) => this.#peers.links.filter((link) => link.trusts(group)),
    };
    const openFiles = new OpenFiles(world.disk, world.clock);
    this.reading = new Reading({
      ...world, home, hasher, openFiles, swarmHost,
      transfers: () => this.transfers,
      presenceChanged: () => this.trackers.announceSoon(),
      check: ({ key, groupName }) => this.#checkMember(key.group, groupName),
    });
    this.transfers = new Transfers({
      world, home, hasher, openFiles, swarmHost, previews: this.reading.previews, activeDownloads: () => this.settings.activeDownloads,
      tellShare: async ({ group, name, root, sizeBytes, pieceBytes, sha256, replace, content }) => {
        if (root === '' || sha256 === '') throw new Error('not hashed yet');
        await this.submit('shareFile', { group, name, root, sizeBytes, pieceBytes, sha256, replace, content });
      },
      changed: ({ id }) => this.notify.transfers([id]),
      presenceChanged: () => this.trackers.announceSoon(),
      finished: ({ record }) => this.notify.event('downloaded', record.groupName, record.name),
      // Of a share whoever shares it learns by the share; of a group that one is no longer in, by that; what is here already has not failed.
      failed: ({ record, error, isWhole }) => {
        if (record.kind === 'download' && !isWhole && !isShoalError(error, 'notMember')) this.notify.event('failed', record.groupName, record.name);
      },
    });
    this.trackers = new Trackers({
      world, program,
      listening: () => this.listening(),
      presence: () => this.#presence(),
      realm: (pin, keys) => this.#tickets.setRealm(pin, keys),
      changed: () => this.notify.overview(),
      session: (session, { account, nowMs }) => {
        this.#tickets.setTime(nowMs);
        this.#session(session, account);
      },
      swarms: (swarms) => {
        for (const { group, root, peers } of swarms) this.#swarmOf(group, root)?.addCandidates(peers);
      },
      swarmChanged: ({ group, root, joined, left }) => {
        const swarm = this.#swarmOf(group, root);
        swarm?.removeCandidates(left);
        swarm?.addCandidates(joined);
      },
      groupChanged: (session, group, before) => this.#groupChanged(session, group, before),
      presenceChanged: (session, groups) => {
        if (session === this.trackers.inUse) this.notify.presence(groups);
      },
      groupGone: (session, gone) => {
        if (session !== this.trackers.inUse) return;
        if (gone.why === 'rejected' || gone.why === 'removed') this.notify.event(gone.why, gone.name, '');
        void this.#leaveGroup(gone.group, gone.name);
        this.notify.overview();
      },
      revoked: (bytes) => {
        if (this.#tickets.revoke(bytes)) this.#revoked(bytes);
      },
      dialRequest: ({ peer, group }) => this.#peers.dialRequest(peer, group),
      conflicted: (conflicts) => {
        this.#tellConflicts(conflicts).catch((error: unknown) => world.log.error('a conflict cannot be told', { why: asShoalError(error).message }));
      },
      signedOut: (session) => {
        if (session === this.trackers.inUse) void this.#signedOutElsewhere();
      },
    }, world.disk, home);
  }

  /** Goes on where the last run ended. @throws ShoalError damagedFile, newerFormat */
  async start(): Promise<void> {
    const { home, world } = this.#options;
    this.settings = await loadSettings(world.disk, home);
    this.down.set(this.settings.downLimitBytesPerS);
    this.up.set(this.settings.upLimitBytesPerS);
    this.isHeld = this.settings.isHeld;
    await this.reading.previews.clear();
    await this.#outbox.load();
    await this.#toldConflicts.load();
    const kept = await readSmallFile(world.disk, home.accountFile, (fields) => ({ account: textField(fields, 'account') as AccountId, user: textField(fields, 'user') }));
    if (kept && kept.account !== '') {
      this.account = kept;
      await this.#openUp();
    }
    await this.trackers.start();
    this.#tick();
  }

  async close({ isUnheld = false } = {}): Promise<void> {
    if (isUnheld && this.account) await this.#cutOff.keep(this.account.account, this.#served.list());
    this.#closed = true;
    this.#timer?.cancel();
    this.#renewal.stop();
    await this.#peers.stop();
    await this.reading.close();
    await this.transfers.unload();
    this.trackers.stop();
    await this.#options.hasher.close();
  }

  /** Signs and sends an operation of ours. @throws ShoalError what the tracker says */
  async submit<N extends OperationName>(name: N, body: OperationBody<N>): Promise<Receipt> {
    const signed = this.sign(name, body, this.#me().account);
    const receipt = await this.trackers.call('submit', { signed });
    return this.received(signed, receipt);
  }

  /** An operation in its bytes, signed by this device. */
  sign<N extends OperationName>(name: N, body: OperationBody<N>, account: AccountId): ReturnType<typeof signOperation> {
    const { realm } = this.trackers;
    if (realm === undefined) throw new ShoalError('trackerUnknown');
    const id = this.world.chance.bytes(16).toString('hex') as OperationId;
    return signOperation({ realm, id, account, createdAtMs: this.#tickets.now(), name, body } as Operation, this.#options.identity);
  }

  /** Keeps what only one tracker has. */
  async received(signed: ReturnType<typeof signOperation>, receipt: Receipt): Promise<Receipt> {
    this.trackers.sawEffectOf(receipt.at);
    if (receipt.durability !== 'both') {
      await this.#outbox.keep(signed, receipt, this.world.clock.now());
      this.notify.overview();
    }
    return receipt;
  }

  /** The account is signed in on the trackers: become a peer. */
  async signedIn(account: Account, hold: boolean): Promise<void> {
    this.account = account;
    await this.saveAccount();
    await this.hold(hold);
    await Promise.all(this.trackers.sessions.map((session) => session.refresh().catch(() => undefined)));
    await this.#openUp();
    for (const session of this.trackers.sessions) if (session.isUp) await session.call('listening', { addresses: this.listening() }).catch(() => undefined);
    await this.#renewTickets();
    this.notify.overview();
  }

  /** Ends the sign-in: stops serving at once, then tells the trackers, now or when they can be reached. */
  async signOut(): Promise<void> {
    const { account } = this.#me();
    const signed = this.sign('signOut', { account, device: this.#options.identity.pin }, account);
    await this.#closeDown();
    try {
      await this.received(signed, await this.trackers.call('submit', { signed }));
    } catch (error) {
      const { code, retry } = asShoalError(error);
      if (retry === 'never' && !SAYS_NOTHING.includes(code)) throw error;
      await this.#outbox.keep(signed, {}, this.world.clock.now());
    }
  }

  /** Whether the engine stays without a frontend. */
  async hold(isHeld: boolean): Promise<void> {
    this.isHeld = isHeld;
    await this.configure({ isHeld });
  }

  async configure(changes: Partial<Settings>): Promise<void> {
    this.settings = { ...this.settings, ...changes };
    this.down.set(this.settings.downLimitBytesPerS);
    this.up.set(this.settings.upLimitBytesPerS);
    if ('activeDownloads' in changes) this.transfers.giveTurns();
    await saveSettings(this.world.disk, this.#options.home, this.settings);
    this.notify.overview();
  }

  /** Where others may reach us: this machine's addresses with our port, loopback last (trackers give it only to their own machine). */
  listening(): readonly Address[] {
    const { port } = this.#peers;
    if (port === 0) return [];
    const { listenHost } = this.settings;
    const hosts = listenHost === undefined ? [...this.world.network.hosts().slice(0, ADDRESSES_PER_PEER_MAX - 1), '127.0.0.1'] : [listenHost];
    return hosts.map((host) => ({ host, port }));
  }

  overview(): Overview {
    const groups = [...(this.trackers.inUse?.groups.values() ?? [])];
    const sum = (of: (transfer: Transfer) => number): number => this.transfers.all.reduce((all, transfer) => all + of(transfer), 0);
    return {
      program: `shoal ${this.#options.version}`, processId: process.pid, trackerUrl: this.trackers.url, trackers: this.trackers.states,
      account: this.account, listening: this.listening(), groups: this.account ? groups : [],
      downBytesPerS: sum(({ figures }) => figures.downBytesPerS), upBytesPerS: sum(({ figures }) => figures.upBytesPerS),
      downLimitBytesPerS: this.settings.downLimitBytesPerS, upLimitBytesPerS: this.settings.upLimitBytesPerS, outbox: this.#outbox.size,
      keepSharing: this.settings.keepSharing, activeDownloads: this.settings.activeDownloads, served: this.#served.list(),
    };
  }

  /** Who was cut off when an engine of this account last left; told once. */
  takeCutOff(): ReturnType<CutOff['take']> {
    return this.#cutOff.take(this.#me().account);
  }

  /** How it stands in the swarm of a transfer. */
  swarm(transfer: Transfer): SwarmView {
    return swarmViewOf(transfer, { clock: this.world.clock, isUnreachable: (pin) => this.#peers.isUnreachable(pin) });
  }

  async saveAccount(): Promise<void> {
    const { account = '', user = '' } = this.account ?? {};
    await writeSmallFile(this.world.disk, this.#options.home.accountFile, { account, user });
  }

  async #renewTickets(): Promise<void> {
    if (this.account && !this.#closed) await this.#renewal.renew();
  }

  #me(): Account {
    if (!this.account) throw new ShoalError('notSignedIn');
    return this.account;
  }

  /** Starts to listen and brings back everything this account shares and downloads. */
  async #openUp(): Promise<void> {
    const { listenHost, listenPort, chosenPort } = this.settings;
    const firm = listenPort !== 0;
    try {
      await this.#peers.start({ ...(listenHost !== undefined && { host: listenHost }), port: firm ? listenPort : chosenPort, portIsFirm: firm });
      if (!firm && this.#peers.port !== chosenPort) await this.configure({ chosenPort: this.#peers.port });
    } catch (error) {
      // Without a listener we can still dial; whoever cannot be reached is dialled by us through the tracker.
      this.world.log.error('cannot listen', { why: asShoalError(error).message });
    }
    await this.transfers.load(this.#me().account);
  }

  /** Stops listening, serving and downloading. The records stay. */
  async #closeDown(): Promise<void> {
    this.account = undefined;
    this.#renewal.stop();
    await this.saveAccount();
    await this.hold(false);
    const ids = this.transfers.all.map(({ id }) => id);
    await this.#peers.stop();
    await this.reading.close();
    await this.transfers.unload();
    this.notify.gone(ids);
  }

  async #signedOutElsewhere(): Promise<void> {
    if (!this.account) return;
    await this.#closeDown();
    this.notify.event('signedOut', '', '');
  }

  async #tellConflicts(conflicts: readonly Conflict[]): Promise<void> {
    for (const conflict of await this.#toldConflicts.fresh(conflicts)) {
      this.notify.event(conflict.result === 'renamed' ? 'renamed' : 'conflict', conflict.group, conflict.name, conflict.user, conflict);
    }
  }

  /** A tracker has said who we are. */
  #session(session: TrackerSession, account: Account | undefined): void {
    if (account && this.account?.account === account.account) {
      if (account.user !== this.account.user) {
        this.account = account; // a conflict gave us another name
        void this.saveAccount();
      }
      void this.#renewTickets();
    } else if (this.account && !account) {
      // It may not have heard of our sign-in yet. Only when no tracker knows us any more have we been signed out.
      this.world.clock.after(TICK_MS, () => {
        if (!this.account || !session.isUp || session.account) return;
        if (this.trackers.sessions.some((other) => other.isUp && other.account)) void session.refresh().catch(() => undefined);
        else if (this.trackers.sessions.every((other) => other.isUp)) void this.#signedOutElsewhere();
        else void session.refresh().catch(() => undefined);
      });
    }
    this.notify.overview();
  }

  #groupChanged(session: TrackerSession, group: GroupView, before: GroupView | undefined): void {
    if (session !== this.trackers.inUse) return;
    const known = new Set(before?.requests.map(({ request }) => request));
    if (group.role === 'owner') for (const { request, user } of group.requests) if (!known.has(request)) this.notify.event('requestReceived', group.name, '', user);
    const isMember = group.role === 'member' || group.role === 'owner';
    const wasMember = before?.role === 'member' || before?.role === 'owner';
    if (isMember && !wasMember) {
      if (before?.role === 'applicant') this.notify.event('accepted', group.name, '');
      void this.#renewTickets();
      for (const transfer of this.transfers.all) if (transfer.record.group === group.group && isShoalError(transfer.error, 'notMember')) void transfer.start();
      this.trackers.announceSoon();
    }
    this.notify.overview();
  }

  async #leaveGroup(group: GroupView['group'], name: string): Promise<void> {
    this.reading.previews.leave(group);
    for (const transfer of this.transfers.all) {
      if (transfer.record.group === group) await transfer.fail(new ShoalError('notMember', { group: name }));
    }
    await this.#renewTickets();
  }

  /** A new revocation: who it concerns is served nothing from this moment, and other peers hear of it. */
  #revoked(bytes: Uint8Array, from?: object): void {
    for (const swarm of this.#swarms) swarm.dropUntrusted();
    for (const link of this.#peers.links) if (link !== from) link.tellRevocation(bytes);
  }

  #sent(swarm: Swarm, bytes: number, to: PeerLink): void {
    const transfer = this.transfers.ofSwarm(swarm.key.group, swarm.key.root);
    if (!transfer) return;
    transfer.figures.sent(bytes);
    this.#served.sent(to, swarm, { group: transfer.record.groupName, name: transfer.record.name }, bytes);
  }

  /** Every swarm this engine takes part in. */
  get #swarms(): readonly Swarm[] {
    return [...this.transfers.all, ...this.reading.previews.all].flatMap(({ swarm }) => swarm ?? []);
  }
  #swarmOf(group: GroupId, root: Root): Swarm | undefined {
    return this.transfers.ofSwarm(group, root)?.swarm ?? this.reading.previews.get({ group, root })?.swarm;
  }

  /** As for a download: while no tracker can be reached, tickets say who is in the swarm. @throws ShoalError notSignedIn, notMember */
  #checkMember(group: GroupId, name: string): void {
    this.#me();
    const { inUse } = this.trackers;
    const role = inUse?.groups.get(group)?.role;
    if (inUse && role !== 'member' && role !== 'owner') throw new ShoalError('notMember', { group: name });
  }

  #presence(): ReadonlyMap<string, { readonly key: SwarmKey; readonly leftBytes: number }> {
    const presence = new Map<string, { key: SwarmKey; leftBytes: number }>();
    for (const { key, leftBytes, record } of this.transfers.all) {
      // A share is announced when the group knows of it; what it is announced for must be in the catalogue.
      if (key && leftBytes !== undefined && record.told) presence.set(swarmKeyText(key), { key, leftBytes });
    }
    for (const { file: { key }, leftBytes } of this.reading.previews.all) if (!presence.has(swarmKeyText(key))) presence.set(swarmKeyText(key), { key, leftBytes });
    return presence;
  }

  #tick(): void {
    this.#timer = this.world.clock.after(TICK_MS, () => {
      const now = this.world.clock.monotonicMs();
      if (now - this.#lastTickMs > SLEPT_MS) this.trackers.retryNow();
      this.#lastTickMs = now;
      if (this.trackers.inUse) this.#tickets.heard();
      this.#peers.sweep();
      if (now - this.#lastOutboxMs > OUTBOX_MS && this.trackers.inUse) {
        this.#lastOutboxMs = now;
        this.#outbox.flush(({ signed, acknowledged }) => (acknowledged ? this.trackers.call('restore', acknowledged) : this.trackers.call('submit', { signed })), this.world.clock.now())
          .catch((error: unknown) => this.world.log.error('what only one tracker has cannot be written down', { why: asShoalError(error).message }));
      }
      const moving = new Set(this.transfers.all.filter(({ figures }) => figures.downBytesPerS > 0 || figures.upBytesPerS > 0).map(({ id }) => id));
      // Once more when it stops: nobody shall go on showing its last rate.
      if (moving.size + this.#moving.size > 0) this.notify.transfers([...moving, ...this.#moving], true);
      else if (this.#served.look()) this.notify.overview();
      this.#moving = moving;
      if (!this.#closed) this.#tick();
    });
  }
}
