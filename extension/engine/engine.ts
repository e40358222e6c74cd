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
import { InterruptedUploads } from './interruptedUploads.ts';
import { diffGroup, isMember } from './trackers/groupDiff.ts';
import { MovingTransfers } from './transfers/moving.ts';
import { ChangeEmitter } from './changeEmitter.ts';
import { FilePool } from './storage/filePool.ts';
import { OperationSender } from './trackers/operationSender.ts';
import type { PeerConnection } from './peers/peerConnection.ts';
import { PeerConnections } from './peers/peerConnections.ts';
import { BufferPool } from './peers/bufferPool.ts';
import { Ticker } from './ticker.ts';
import { SharedFileReader } from './previews/sharedFileReader.ts';
import { ActiveUploads } from './peers/activeUploads.ts';
import { loadSettings, saveSettings, SETTINGS_DEFAULT } from './settings.ts';
import type { Settings } from './settings.ts';
import type { Swarm, SwarmContext } from './swarm/swarm.ts';
import { swarmViewOf } from './transfers/swarmView.ts';
import { SwarmRegistry } from './swarm/swarmRegistry.ts';
import { RateLimiter } from './peers/rateLimiter.ts';
import { TicketRenewal } from './trackers/ticketRenewal.ts';
import { Tickets } from './trackers/tickets.ts';
import type { TrackerSession } from './trackers/trackerSession.ts';
import { SeenConflicts } from './trackers/seenConflicts.ts';
import { TrackerClient } from './trackers/trackerClient.ts';
import type { Transfer } from './transfers/transfer.ts';
import { Transfers } from './transfers/transfers.ts';
import { UploadQueue } from './peers/uploadQueue.ts';

/** How long after a tracker that does not know us it is asked again, in ms. */
const RECHECK_SESSION_MS = 1_000;

export interface EngineOptions {
  readonly home: Home;
  readonly world: World;
  readonly identity: Identity;
  readonly version: string;
  readonly hasher: Hasher;
}

export class Engine {
  readonly world: World;
  readonly trackers: TrackerClient;
  readonly operations: OperationSender;
  readonly transfers: Transfers;
  readonly reader: SharedFileReader;
  readonly down: RateLimiter;
  readonly up: RateLimiter;
  readonly notify = new ChangeEmitter();
  account: Account | undefined;
  settings = SETTINGS_DEFAULT;
  readonly #options: EngineOptions;
  readonly #tickets: Tickets;
  readonly #peerConnections: PeerConnections;
  readonly #swarms: SwarmRegistry;
  readonly #renewal: TicketRenewal;
  readonly #seenConflicts: SeenConflicts;
  readonly #interruptedUploads: InterruptedUploads;
  readonly #activeUploads: ActiveUploads;
  readonly #ticker: Ticker;
  readonly #movingTransfers = new MovingTransfers();
  #closed = false;

  constructor(options: EngineOptions) {
    const { world, home, identity, hasher } = options;
    const program = `shoal ${options.version}`;
    this.#options = options;
    this.world = world;
    this.down = new RateLimiter(world.clock);
    this.up = new RateLimiter(world.clock);
    this.#tickets = new Tickets(world.clock);
    this.#renewal = new TicketRenewal(
      world,
      identity.pin,
      this.#tickets,
      () => this.trackers,
      () => {
        for (const connection of this.#peerConnections.connections) connection.showRenewedTickets();
      },
    );
    this.#seenConflicts = new SeenConflicts(world.disk, home);
    this.#interruptedUploads = new InterruptedUploads(world.disk, home, world.log);
    this.#activeUploads = new ActiveUploads(world.clock);
    this.#peerConnections = new PeerConnections({
      world,
      device: identity.pin,
      program,
      tickets: this.#tickets,
      uploadQueue: new UploadQueue({
        clock: world.clock,
        uploadLimiter: this.up,
        buffers: new BufferPool(RAW_HEAD_ROOM_BYTES),
      }),
      swarm: (group, root) => this.#swarms.of(group, root),
      onRevoked: (bytes, from) => this.#onRevoked(bytes, from),
      onSent: (swarm, bytes, to) => this.#onSent(swarm, bytes, to),
      askDial: (pin, group) => void this.trackers.call('askDial', { pin, group }).catch(() => undefined),
      onConnected: () => {
        for (const swarm of this.#swarms.all) swarm.connect();
      },
    });
    const swarmContext: SwarmContext = {
      clock: world.clock,
      chance: world.chance,
      log: world.log,
      buffers: new BufferPool(),
      downloadLimiter: this.down,
      connectTo: (peer, swarm) => this.#peerConnections.connectTo(peer, swarm),
      isUnreachable: (pin) => this.#peerConnections.isUnreachable(pin),
      isConnected: (pin) => this.#peerConnections.isConnected(pin),
      connectionsIn: (group) => this.#peerConnections.connections.filter((connection) => connection.trusts(group)),
    };
    const filePool = new FilePool(world.disk, world.clock);
    this.reader = new SharedFileReader({
      ...world,
      home,
      hasher,
      openFiles: filePool,
      swarmHost: swarmContext,
      transfers: () => this.transfers,
      onPresenceChanged: () => this.trackers.announceSoon(),
      checkMember: ({ key, groupName }) => this.#checkMember(key.group, groupName),
    });
    this.transfers = new Transfers({
      world,
      home,
      hasher,
      filePool,
      swarmContext,
      previews: this.reader.previews,
      activeDownloads: () => this.settings.activeDownloads,
      announceShare: async ({ group, name, root, sizeBytes, pieceBytes, sha256, replace, content }) => {
        if (root === '' || sha256 === '') throw new Error('not hashed yet');
        await this.submit('shareFile', { group, name, root, sizeBytes, pieceBytes, sha256, replace, content });
      },
      onChange: ({ id }) => this.notify.transfers([id]),
      onPresenceChanged: () => this.trackers.announceSoon(),
      onFinished: ({ record }) => this.notify.event('downloaded', record.groupName, record.name),
      // Of a share whoever shares it learns by the share; of a group that one is no longer in, by
      // that; what is here already has not failed.
      onFailed: ({ record, error, isComplete }) => {
        if (record.kind === 'download' && !isComplete && !isShoalError(error, 'notMember')) {
          this.notify.event('failed', record.groupName, record.name);
        }
      },
    });
    this.#swarms = new SwarmRegistry(this.transfers, this.reader.previews);
    this.trackers = new TrackerClient(
      {
        world,
        program,
        listening: () => this.listening(),
        presence: () => this.#swarms.presence(),
        realm: (pin, keys) => this.#tickets.setRealm(pin, keys),
        changed: () => this.notify.overview(),
        onSession: (session, { account, nowMs }) => {
          this.#tickets.setTime(nowMs);
          this.#onSession(session, account);
        },
        onSwarms: (swarms) => {
          for (const { group, root, peers } of swarms) this.#swarms.of(group, root)?.addCandidates(peers);
        },
        onSwarmChanged: ({ group, root, joined, left }) => {
          const swarm = this.#swarms.of(group, root);
          swarm?.removeCandidates(left);
          swarm?.addCandidates(joined);
        },
        onGroupChanged: (session, group, before) => this.#onGroupChanged(session, group, before),
        onPresenceChanged: (session, groups) => {
          if (session === this.trackers.inUse) this.notify.presence(groups);
        },
        onGroupGone: (session, gone) => {
          if (session !== this.trackers.inUse) return;
          if (gone.why === 'rejected' || gone.why === 'removed') this.notify.event(gone.why, gone.name, '');
          void this.#leaveGroup(gone.group, gone.name);
          this.notify.overview();
        },
        onRevoked: (bytes) => {
          if (this.#tickets.revoke(bytes)) this.#onRevoked(bytes);
        },
        onDialRequest: ({ peer, group }) => this.#peerConnections.onDialRequest(peer, group),
        onConflicts: (conflicts) => {
          this.#notifyConflicts(conflicts).catch((error: unknown) =>
            world.log.error('a conflict cannot be told', { why: asShoalError(error).message }),
          );
        },
        onSignedOut: (session) => {
          if (session === this.trackers.inUse) void this.#onSignedOutElsewhere();
        },
      },
      world.disk,
      home,
    );
    this.operations = new OperationSender({
      world,
      home,
      identity,
      trackers: this.trackers,
      now: () => this.#tickets.now(),
      onOutboxChanged: () => this.notify.overview(),
    });
    this.#ticker = new Ticker(world.clock, { onWake: () => this.trackers.retryNow(), onTick: () => this.#tick() });
  }

  /** Goes on where the last run ended. @throws ShoalError damagedFile, newerFormat */
  async start(): Promise<void> {
    const { home, world } = this.#options;
    this.settings = await loadSettings(world.disk, home);
    this.down.set(this.settings.downLimitBytesPerS);
    this.up.set(this.settings.upLimitBytesPerS);
    await this.reader.previews.clear();
    await this.operations.load();
    await this.#seenConflicts.load();
    this.account = await loadAccount(world.disk, home);
    if (this.account) await this.#resumeAccount();
    await this.trackers.start();
    this.#ticker.start();
  }

  async close({ isUnheld = false } = {}): Promise<void> {
    if (isUnheld && this.account) await this.#interruptedUploads.save(this.account.account, this.#activeUploads.list());
    this.#closed = true;
    this.#ticker.stop();
    this.#renewal.stop();
    await this.#peerConnections.stop();
    await this.reader.close();
    await this.transfers.unload();
    this.trackers.stop();
    await this.#options.hasher.close();
  }

  /**
   * Signs and sends an operation of the account's. @throws ShoalError notSignedIn, what the tracker
   * says
   */
  async submit<N extends OperationName>(name: N, body: OperationBody<N>): Promise<Receipt> {
    return this.operations.submit(name, body, this.#requireAccount().account);
  }

  /** The account is signed in on the trackers: become a peer. `hold`: stay without a frontend. */
  async signedIn(account: Account, hold: boolean): Promise<void> {
    this.account = account;
    await this.#saveAccount();
    await this.configure({ isHeld: hold });
    await Promise.all(this.trackers.sessions.map((session) => session.refresh().catch(() => undefined)));
    await this.#resumeAccount();
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
    const { account } = this.#requireAccount();
    const signed = this.operations.sign('signOut', { account, device: this.#options.identity.pin }, account);
    await this.#suspendAccount();
    await this.operations.sendEventually(signed);
  }

  async configure(changes: Partial<Settings>): Promise<void> {
    this.settings = { ...this.settings, ...changes };
    this.down.set(this.settings.downLimitBytesPerS);
    this.up.set(this.settings.upLimitBytesPerS);
    if ('activeDownloads' in changes) this.transfers.schedule();
    await saveSettings(this.world.disk, this.#options.home, this.settings);
    this.notify.overview();
  }

  /** Where others may reach us. */
  listening(): readonly Address[] {
    return this.#peerConnections.addresses(this.settings.listenHost);
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
      downBytesPerS: sum(({ stats }) => stats.downBytesPerS),
      upBytesPerS: sum(({ stats }) => stats.upBytesPerS),
      downLimitBytesPerS: this.settings.downLimitBytesPerS,
      upLimitBytesPerS: this.settings.upLimitBytesPerS,
      outbox: this.operations.waitingCount,
      keepSharing: this.settings.keepSharing,
      activeDownloads: this.settings.activeDownloads,
      served: this.#activeUploads.list(),
    };
  }

  /** Who was cut off when an engine of this account last left; told once. */
  takeInterruptedUploads(): ReturnType<InterruptedUploads['take']> {
    return this.#interruptedUploads.take(this.#requireAccount().account);
  }

  /** How it stands in the swarm of a transfer. */
  swarm(transfer: Transfer): SwarmView {
    return swarmViewOf(transfer, {
      clock: this.world.clock,
      isUnreachable: (pin) => this.#peerConnections.isUnreachable(pin),
    });
  }

  #saveAccount(): Promise<void> {
    return saveAccount(this.world.disk, this.#options.home, this.account);
  }

  async #renewTickets(): Promise<void> {
    if (this.account && !this.#closed) await this.#renewal.renew();
  }

  #requireAccount(): Account {
    if (!this.account) throw new ShoalError('notSignedIn');
    return this.account;
  }

  /** Starts to listen and brings back everything this account shares and downloads. */
  async #resumeAccount(): Promise<void> {
    const { listenHost, listenPort, chosenPort } = this.settings;
    const firm = listenPort !== 0;
    try {
      await this.#peerConnections.start({
        ...(listenHost !== undefined && { host: listenHost }),
        port: firm ? listenPort : chosenPort,
        portIsFirm: firm,
      });
      if (!firm && this.#peerConnections.port !== chosenPort) {
        await this.configure({ chosenPort: this.#peerConnections.port });
      }
    } catch (error) {
      // Without a listener we can still dial; whoever cannot be reached is dialled by us through
      // the tracker.
      this.world.log.error('cannot listen', { why: asShoalError(error).message });
    }
    await this.transfers.load(this.#requireAccount().account);
  }

  /** Stops listening, serving and downloading. The records stay. */
  async #suspendAccount(): Promise<void> {
    this.account = undefined;
    this.#renewal.stop();
    await this.#saveAccount();
    await this.configure({ isHeld: false });
    const ids = this.transfers.all.map(({ id }) => id);
    await this.#peerConnections.stop();
    await this.reader.close();
    await this.transfers.unload();
    this.notify.gone(ids);
  }

  async #onSignedOutElsewhere(): Promise<void> {
    if (!this.account) return;
    await this.#suspendAccount();
    this.notify.event('signedOut', '', '');
  }

  async #notifyConflicts(conflicts: readonly Conflict[]): Promise<void> {
    for (const conflict of await this.#seenConflicts.unseen(conflicts)) {
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
  #onSession(session: TrackerSession, account: Account | undefined): void {
    if (account && this.account?.account === account.account) {
      if (account.user !== this.account.user) {
        this.account = account; // a conflict gave us another name
        void this.#saveAccount();
      }
      void this.#renewTickets();
    } else if (this.account && !account) {
      // It may not have heard of our sign-in yet. Only when no tracker knows us any more have we
      // been signed out.
      this.world.clock.after(RECHECK_SESSION_MS, () => {
        if (!this.account || !session.isUp || session.account) return;
        if (this.trackers.sessions.some((other) => other.isUp && other.account)) {
          void session.refresh().catch(() => undefined);
        } else if (this.trackers.sessions.every((other) => other.isUp)) void this.#onSignedOutElsewhere();
        else void session.refresh().catch(() => undefined);
      });
    }
    this.notify.overview();
  }

  #onGroupChanged(session: TrackerSession, group: GroupView, before: GroupView | undefined): void {
    if (session !== this.trackers.inUse) return;
    const { applicants, isNewMember, isAccepted } = diffGroup(group, before);
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
    this.reader.previews.leaveGroup(group);
    for (const transfer of this.transfers.all) {
      if (transfer.record.group === group) await transfer.fail(new ShoalError('notMember', { group: name }));
    }
    await this.#renewTickets();
  }

  /**
   * A new revocation: who it concerns is served nothing from this moment, and other peers hear of
   * it.
   */
  #onRevoked(bytes: Uint8Array, from?: object): void {
    for (const swarm of this.#swarms.all) swarm.dropUntrusted();
    for (const connection of this.#peerConnections.connections) {
      if (connection !== from) connection.sendRevocation(bytes);
    }
  }

  #onSent(swarm: Swarm, bytes: number, to: PeerConnection): void {
    const transfer = this.transfers.ofSwarm(swarm.key.group, swarm.key.root);
    if (!transfer) return;
    transfer.stats.onSent(bytes);
    this.#activeUploads.onSent(to, swarm, { group: transfer.record.groupName, name: transfer.record.name }, bytes);
  }

  /**
   * As for a download: while no tracker can be reached, tickets say who is in the swarm. @throws
   * ShoalError notSignedIn, notMember
   */
  #checkMember(group: GroupId, name: string): void {
    if (this.#closed) throw new ShoalError('linkClosed');
    this.#requireAccount();
    const { inUse } = this.trackers;
    if (inUse && !isMember(inUse.groups.get(group))) throw new ShoalError('notMember', { group: name });
  }

  /** Called at every beat of the pulse. */
  #tick(): void {
    if (this.trackers.inUse) this.#tickets.heard();
    this.#peerConnections.sweep();
    if (this.trackers.inUse) this.operations.resend();
    const moved = this.#movingTransfers.update(this.transfers.all);
    if (moved.length > 0) this.notify.transfers(moved, true);
    else if (this.#activeUploads.refresh()) this.notify.overview();
  }
}
