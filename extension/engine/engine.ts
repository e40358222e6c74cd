// The engine: brings account, trackers, peers and transfers together. Holds no rules of its own
// beyond who must be told of what; requestHandlers.ts turns a frontend's words into calls of it,
// createEngine.ts shows it to its host.
import type { Overview } from '../../protocol/messages/engineLink.ts';
import { asShoalError, isShoalError, ShoalError } from '../../protocol/base/errors.ts';
import { RAW_HEAD_ROOM_BYTES } from '../../protocol/wire/frame.ts';
import type { Identity } from '../../protocol/node/identity.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import type { Address } from '../../protocol/base/fields.ts';
import type { OperationBody, OperationName } from '../../protocol/messages/operations.ts';
import type { SwarmView } from '../../protocol/messages/swarmView.ts';
import type { Conflict, GroupView, Receipt } from '../../protocol/messages/trackerLink.ts';
import type { World } from '../../protocol/base/world.ts';
import type { Hasher } from './hashing/hasher.ts';
import type { Home } from '../../protocol/home/homeLayout.ts';
import { loadAccount, saveAccount } from './account.ts';
import type { Account } from './account.ts';
import { CutOff } from './interruptedUploads.ts';
import { groupNews, isMember } from './trackers/groupDiff.ts';
import { Moving } from './transfers/moving.ts';
import { Notifier } from './changeEmitter.ts';
import { OpenFiles } from './storage/filePool.ts';
import { OwnOperations } from './trackers/operationSender.ts';
import type { PeerLink } from './peers/peerConnection.ts';
import { Peers } from './peers/peerConnections.ts';
import { PieceBuffers } from './peers/bufferPool.ts';
import { Pulse } from './ticker.ts';
import { Reading } from './previews/sharedFileReader.ts';
import { Served } from './peers/activeUploads.ts';
import { loadSettings, saveSettings, SETTINGS_DEFAULT } from './settings.ts';
import type { Settings } from './settings.ts';
import type { Swarm, SwarmHost } from './swarm/swarm.ts';
import { swarmViewOf } from './transfers/swarmView.ts';
import { Swarms } from './swarm/swarmRegistry.ts';
import { Throttle } from './peers/rateLimiter.ts';
import { TicketRenewal } from './trackers/ticketRenewal.ts';
import { Tickets } from './trackers/tickets.ts';
import type { TrackerSession } from './trackers/trackerSession.ts';
import { ToldConflicts } from './trackers/seenConflicts.ts';
import { Trackers } from './trackers/trackerClient.ts';
import type { Transfer } from './transfers/transfer.ts';
import { Transfers } from './transfers/transfers.ts';
import { Uploads } from './peers/uploadQueue.ts';

/** How long after a tracker that does not know us it is asked again, in ms. */
const ASK_AGAIN_MS = 1_000;

export interface EngineOptions {
  readonly home: Home;
  readonly world: World;
  readonly identity: Identity;
  readonly version: string;
  readonly hasher: Hasher;
}

export class Engine {
  readonly world: World;
  readonly trackers: Trackers;
  readonly operations: OwnOperations;
  readonly transfers: Transfers;
  readonly reading: Reading;
  readonly down: Throttle;
  readonly up: Throttle;
  readonly notify = new Notifier();
  account: Account | undefined;
  settings = SETTINGS_DEFAULT;
  readonly #options: EngineOptions;
  readonly #tickets: Tickets;
  readonly #peers: Peers;
  readonly #swarms: Swarms;
  readonly #renewal: TicketRenewal;
  readonly #toldConflicts: ToldConflicts;
  readonly #cutOff: CutOff;
  readonly #served: Served;
  readonly #pulse: Pulse;
  readonly #moving = new Moving();
  #closed = false;

  constructor(options: EngineOptions) {
    const { world, home, identity, hasher } = options;
    const program = `shoal ${options.version}`;
    this.#options = options;
    this.world = world;
    this.down = new Throttle(world.clock);
    this.up = new Throttle(world.clock);
    this.#tickets = new Tickets(world.clock);
    this.#renewal = new TicketRenewal(
      world,
      identity.pin,
      this.#tickets,
      () => this.trackers,
      () => {
        for (const link of this.#peers.links) link.showRenewed();
      },
    );
    this.#toldConflicts = new ToldConflicts(world.disk, home);
    this.#cutOff = new CutOff(world.disk, home, world.log);
    this.#served = new Served(world.clock);
    this.#peers = new Peers({
      world,
      device: identity.pin,
      program,
      tickets: this.#tickets,
      uploads: new Uploads({ clock: world.clock, up: this.up, buffers: new PieceBuffers(RAW_HEAD_ROOM_BYTES) }),
      swarm: (group, root) => this.#swarms.of(group, root),
      revoked: (bytes, from) => this.#revoked(bytes, from),
      sent: (swarm, bytes, to) => this.#sent(swarm, bytes, to),
      askDial: (pin, group) => void this.trackers.call('askDial', { pin, group }).catch(() => undefined),
      linkUp: () => {
        for (const swarm of this.#swarms.all) swarm.connect();
      },
    });
    const swarmHost: SwarmHost = {
      clock: world.clock,
      chance: world.chance,
      log: world.log,
      buffers: new PieceBuffers(),
      down: this.down,
      reach: (peer, swarm) => this.#peers.reach(peer, swarm),
      isUnreachable: (pin) => this.#peers.isUnreachable(pin),
      isLinked: (pin) => this.#peers.isLinked(pin),
      linksIn: (group) => this.#peers.links.filter((link) => link.trusts(group)),
    };
    const openFiles = new OpenFiles(world.disk, world.clock);
    this.reading = new Reading({
      ...world,
      home,
      hasher,
      openFiles,
      swarmHost,
      transfers: () => this.transfers,
      presenceChanged: () => this.trackers.announceSoon(),
      check: ({ key, groupName }) => this.#checkMember(key.group, groupName),
    });
    this.transfers = new Transfers({
      world,
      home,
      hasher,
      openFiles,
      swarmHost,
      previews: this.reading.previews,
      activeDownloads: () => this.settings.activeDownloads,
      tellShare: async ({ group, name, root, sizeBytes, pieceBytes, sha256, replace, content }) => {
        if (root === '' || sha256 === '') throw new Error('not hashed yet');
        await this.submit('shareFile', { group, name, root, sizeBytes, pieceBytes, sha256, replace, content });
      },
      changed: ({ id }) => this.notify.transfers([id]),
      presenceChanged: () => this.trackers.announceSoon(),
      finished: ({ record }) => this.notify.event('downloaded', record.groupName, record.name),
      // Of a share whoever shares it learns by the share; of a group that one is no longer in, by
      // that; what is here already has not failed.
      failed: ({ record, error, isWhole }) => {
        if (record.kind === 'download' && !isWhole && !isShoalError(error, 'notMember')) {
          this.notify.event('failed', record.groupName, record.name);
        }
      },
    });
    this.#swarms = new Swarms(this.transfers, this.reading.previews);
    this.trackers = new Trackers(
      {
        world,
        program,
        listening: () => this.listening(),
        presence: () => this.#swarms.presence(),
        realm: (pin, keys) => this.#tickets.setRealm(pin, keys),
        changed: () => this.notify.overview(),
        session: (session, { account, nowMs }) => {
          this.#tickets.setTime(nowMs);
          this.#session(session, account);
        },
        swarms: (swarms) => {
          for (const { group, root, peers } of swarms) this.#swarms.of(group, root)?.addCandidates(peers);
        },
        swarmChanged: ({ group, root, joined, left }) => {
          const swarm = this.#swarms.of(group, root);
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
          this.#tellConflicts(conflicts).catch((error: unknown) =>
            world.log.error('a conflict cannot be told', { why: asShoalError(error).message }),
          );
        },
        signedOut: (session) => {
          if (session === this.trackers.inUse) void this.#signedOutElsewhere();
        },
      },
      world.disk,
      home,
    );
    this.operations = new OwnOperations({
      world,
      home,
      identity,
      trackers: this.trackers,
      now: () => this.#tickets.now(),
      kept: () => this.notify.overview(),
    });
    this.#pulse = new Pulse(world.clock, { slept: () => this.trackers.retryNow(), beat: () => this.#lookAfter() });
  }

  /** Goes on where the last run ended. @throws ShoalError damagedFile, newerFormat */
  async start(): Promise<void> {
    const { home, world } = this.#options;
    this.settings = await loadSettings(world.disk, home);
    this.down.set(this.settings.downLimitBytesPerS);
    this.up.set(this.settings.upLimitBytesPerS);
    await this.reading.previews.clear();
    await this.operations.load();
    await this.#toldConflicts.load();
    this.account = await loadAccount(world.disk, home);
    if (this.account) await this.#openUp();
    await this.trackers.start();
    this.#pulse.start();
  }

  async close({ isUnheld = false } = {}): Promise<void> {
    if (isUnheld && this.account) await this.#cutOff.keep(this.account.account, this.#served.list());
    this.#closed = true;
    this.#pulse.stop();
    this.#renewal.stop();
    await this.#peers.stop();
    await this.reading.close();
    await this.transfers.unload();
    this.trackers.stop();
    await this.#options.hasher.close();
  }

  /**
   * Signs and sends an operation of the account's. @throws ShoalError notSignedIn, what the tracker
   * says
   */
  async submit<N extends OperationName>(name: N, body: OperationBody<N>): Promise<Receipt> {
    return this.operations.submit(name, body, this.#me().account);
  }

  /** The account is signed in on the trackers: become a peer. `hold`: stay without a frontend. */
  async signedIn(account: Account, hold: boolean): Promise<void> {
    this.account = account;
    await this.#saveAccount();
    await this.configure({ isHeld: hold });
    await Promise.all(this.trackers.sessions.map((session) => session.refresh().catch(() => undefined)));
    await this.#openUp();
    for (const session of this.trackers.sessions) {
      if (session.isUp) await session.call('listening', { addresses: this.listening() }).catch(() => undefined);
    }
    await this.#renewTickets();
    this.notify.overview();
  }

  /**
   * Ends the sign-in: stops serving at once, then tells the trackers, now or when they can be
   * reached.
   */
  async signOut(): Promise<void> {
    const { account } = this.#me();
    const signed = this.operations.sign('signOut', { account, device: this.#options.identity.pin }, account);
    await this.#closeDown();
    await this.operations.sendSometime(signed);
  }

  async configure(changes: Partial<Settings>): Promise<void> {
    this.settings = { ...this.settings, ...changes };
    this.down.set(this.settings.downLimitBytesPerS);
    this.up.set(this.settings.upLimitBytesPerS);
    if ('activeDownloads' in changes) this.transfers.giveTurns();
    await saveSettings(this.world.disk, this.#options.home, this.settings);
    this.notify.overview();
  }

  /** Where others may reach us. */
  listening(): readonly Address[] {
    return this.#peers.addresses(this.settings.listenHost);
  }

  overview(): Overview {
    const groups = [...(this.trackers.inUse?.groups.values() ?? [])];
    const sum = (of: (transfer: Transfer) => number): number =>
      this.transfers.all.reduce((all, transfer) => all + of(transfer), 0);
    return {
      program: `shoal ${this.#options.version}`,
      processId: process.pid,
      trackerUrl: this.trackers.url,
      trackers: this.trackers.states,
      account: this.account,
      listening: this.listening(),
      groups: this.account ? groups : [],
      downBytesPerS: sum(({ figures }) => figures.downBytesPerS),
      upBytesPerS: sum(({ figures }) => figures.upBytesPerS),
      downLimitBytesPerS: this.settings.downLimitBytesPerS,
      upLimitBytesPerS: this.settings.upLimitBytesPerS,
      outbox: this.operations.waitingCount,
      keepSharing: this.settings.keepSharing,
      activeDownloads: this.settings.activeDownloads,
      served: this.#served.list(),
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

  #saveAccount(): Promise<void> {
    return saveAccount(this.world.disk, this.#options.home, this.account);
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
      await this.#peers.start({
        ...(listenHost !== undefined && { host: listenHost }),
        port: firm ? listenPort : chosenPort,
        portIsFirm: firm,
      });
      if (!firm && this.#peers.port !== chosenPort) await this.configure({ chosenPort: this.#peers.port });
    } catch (error) {
      // Without a listener we can still dial; whoever cannot be reached is dialled by us through
      // the tracker.
      this.world.log.error('cannot listen', { why: asShoalError(error).message });
    }
    await this.transfers.load(this.#me().account);
  }

  /** Stops listening, serving and downloading. The records stay. */
  async #closeDown(): Promise<void> {
    this.account = undefined;
    this.#renewal.stop();
    await this.#saveAccount();
    await this.configure({ isHeld: false });
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
      this.notify.event(
        conflict.result === 'renamed' ? 'renamed' : 'conflict',
        conflict.group,
        conflict.name,
        conflict.user,
        conflict,
      );
    }
  }

  /** A tracker has said who we are. */
  #session(session: TrackerSession, account: Account | undefined): void {
    if (account && this.account?.account === account.account) {
      if (account.user !== this.account.user) {
        this.account = account; // a conflict gave us another name
        void this.#saveAccount();
      }
      void this.#renewTickets();
    } else if (this.account && !account) {
      // It may not have heard of our sign-in yet. Only when no tracker knows us any more have we
      // been signed out.
      this.world.clock.after(ASK_AGAIN_MS, () => {
        if (!this.account || !session.isUp || session.account) return;
        if (this.trackers.sessions.some((other) => other.isUp && other.account)) {
          void session.refresh().catch(() => undefined);
        } else if (this.trackers.sessions.every((other) => other.isUp)) void this.#signedOutElsewhere();
        else void session.refresh().catch(() => undefined);
      });
    }
    this.notify.overview();
  }

  #groupChanged(session: TrackerSession, group: GroupView, before: GroupView | undefined): void {
    if (session !== this.trackers.inUse) return;
    const { applicants, isNewMember, isAccepted } = groupNews(group, before);
    for (const user of applicants) this.notify.event('requestReceived', group.name, '', user);
    if (isNewMember) {
      if (isAccepted) this.notify.event('accepted', group.name, '');
      void this.#renewTickets();
      for (const transfer of this.transfers.all) {
        if (transfer.record.group === group.group && isShoalError(transfer.error, 'notMember')) void transfer.start();
      }
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

  /**
   * A new revocation: who it concerns is served nothing from this moment, and other peers hear of
   * it.
   */
  #revoked(bytes: Uint8Array, from?: object): void {
    for (const swarm of this.#swarms.all) swarm.dropUntrusted();
    for (const link of this.#peers.links) if (link !== from) link.tellRevocation(bytes);
  }

  #sent(swarm: Swarm, bytes: number, to: PeerLink): void {
    const transfer = this.transfers.ofSwarm(swarm.key.group, swarm.key.root);
    if (!transfer) return;
    transfer.figures.sent(bytes);
    this.#served.sent(to, swarm, { group: transfer.record.groupName, name: transfer.record.name }, bytes);
  }

  /**
   * As for a download: while no tracker can be reached, tickets say who is in the swarm. @throws
   * ShoalError notSignedIn, notMember
   */
  #checkMember(group: GroupId, name: string): void {
    if (this.#closed) throw new ShoalError('linkClosed');
    this.#me();
    const { inUse } = this.trackers;
    if (inUse && !isMember(inUse.groups.get(group))) throw new ShoalError('notMember', { group: name });
  }

  /** Called at every beat of the pulse. */
  #lookAfter(): void {
    if (this.trackers.inUse) this.#tickets.heard();
    this.#peers.sweep();
    if (this.trackers.inUse) this.operations.sendAgain();
    const moved = this.#moving.look(this.transfers.all);
    if (moved.length > 0) this.notify.transfers(moved, true);
    else if (this.#served.look()) this.notify.overview();
  }
}
