// The engine: brings account, trackers, peers and transfers together. Holds no rules of its own
// beyond who must be told of what; requestHandlers.ts turns a frontend's words into calls of it,
// createEngine.ts shows it to its host.
import type { Overview } from '../../protocol/messages/engineLink.ts';
import { asShoalError, isShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import type { Address } from '../../protocol/base/fields.ts';
import type { OperationBody, OperationName } from '../../protocol/messages/operations.ts';
import type { SwarmView } from '../../protocol/messages/swarmView.ts';
import type { Conflict, GroupView, Receipt } from '../../protocol/messages/trackerLink.ts';
import type { World } from '../../protocol/base/world.ts';
import { loadAccount, saveAccount } from './account.ts';
import type { Account } from './account.ts';
import { InterruptedUploads } from './interruptedUploads.ts';
import { diffGroup, isMember } from './trackers/groupDiff.ts';
import { ChangeEmitter } from './changeEmitter.ts';
import { createParts } from './engineParts.ts';
import type { EngineOptions, EngineParts } from './engineParts.ts';
import type { OperationSender } from './trackers/operationSender.ts';
import { Ticker } from './ticker.ts';
import type { SharedFileReader } from './previews/sharedFileReader.ts';
import { loadSettings, saveSettings, SETTINGS_DEFAULT } from './settings.ts';
import type { Settings } from './settings.ts';
import { swarmViewOf } from './transfers/swarmView.ts';
import type { GroupGone, TrackerSession } from './trackers/trackerSession.ts';
import { SeenConflicts } from './trackers/seenConflicts.ts';
import type { TrackerClient } from './trackers/trackerClient.ts';
import type { Transfer } from './transfers/transfer.ts';
import type { Transfers } from './transfers/transfers.ts';

/** How long after a tracker that does not know us it is asked again, in ms. */
const RECHECK_SESSION_MS = 1_000;

export class Engine {
  readonly world: World;
  readonly notify = new ChangeEmitter();
  account: Account | undefined;
  settings = SETTINGS_DEFAULT;
  readonly #options: EngineOptions;
  readonly #parts: EngineParts;
  readonly #seenConflicts: SeenConflicts;
  readonly #interruptedUploads: InterruptedUploads;
  readonly #ticker: Ticker;
  #closed = false;

  constructor(options: EngineOptions) {
    const { world, home } = options;
    this.#options = options;
    this.world = world;
    this.#seenConflicts = new SeenConflicts(world.disk, home);
    this.#interruptedUploads = new InterruptedUploads(world.disk, home, world.log);
    this.#parts = createParts(options, {
      notify: this.notify,
      settings: () => this.settings,
      listening: () => this.listening(),
      submit: (name, body) => this.submit(name, body),
      checkMember: (group, name) => this.#checkMember(group, name),
      onSession: (session, account) => this.#onSession(session, account),
      onGroupChanged: (session, group, before) => this.#onGroupChanged(session, group, before),
      onGroupGone: (gone) => this.#onGroupGone(gone),
      onRevoked: (bytes, from) => this.#onRevoked(bytes, from),
      onConflicts: (conflicts) => this.#notifyConflicts(conflicts),
      onSignedOutElsewhere: () => void this.#onSignedOutElsewhere(),
    });
    this.#ticker = new Ticker(world.clock, { onWake: () => this.trackers.retryNow(), onTick: () => this.#tick() });
  }

  get trackers(): TrackerClient {
    return this.#parts.trackers;
  }
  get operations(): OperationSender {
    return this.#parts.operations;
  }
  get transfers(): Transfers {
    return this.#parts.transfers;
  }
  get reader(): SharedFileReader {
    return this.#parts.reader;
  }

  /** Goes on where the last run ended. @throws ShoalError damagedFile, newerFormat */
  async start(): Promise<void> {
    const { home, world } = this.#options;
    this.settings = await loadSettings(world.disk, home);
    this.#parts.downloadLimiter.set(this.settings.downLimitBytesPerS);
    this.#parts.uploadLimiter.set(this.settings.upLimitBytesPerS);
    await this.#parts.previews.clear();
    await this.operations.load();
    await this.#seenConflicts.load();
    this.account = await loadAccount(world.disk, home);
    if (this.account) await this.#resumeAccount();
    await this.trackers.start();
    this.#ticker.start();
  }

  async close({ isUnheld = false } = {}): Promise<void> {
    if (isUnheld && this.account) {
      await this.#interruptedUploads.save(this.account.account, this.#parts.activeUploads.list());
    }
    this.#closed = true;
    this.#ticker.stop();
    this.#parts.renewal.stop();
    await this.#parts.peerConnections.stop();
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
    this.#parts.downloadLimiter.set(this.settings.downLimitBytesPerS);
    this.#parts.uploadLimiter.set(this.settings.upLimitBytesPerS);
    if ('activeDownloads' in changes) this.transfers.schedule();
    await saveSettings(this.world.disk, this.#options.home, this.settings);
    this.notify.overview();
  }

  /** Where others may reach us. */
  listening(): readonly Address[] {
    return this.#parts.peerConnections.addresses(this.settings.listenHost);
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
      served: this.#parts.activeUploads.list(),
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
      isUnreachable: (pin) => this.#parts.peerConnections.isUnreachable(pin),
    });
  }

  #saveAccount(): Promise<void> {
    return saveAccount(this.world.disk, this.#options.home, this.account);
  }

  async #renewTickets(): Promise<void> {
    if (this.account && !this.#closed) await this.#parts.renewal.renew();
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
      await this.#parts.peerConnections.start({
        ...(listenHost !== undefined && { host: listenHost }),
        port: firm ? listenPort : chosenPort,
        portIsFirm: firm,
      });
      if (!firm && this.#parts.peerConnections.port !== chosenPort) {
        await this.configure({ chosenPort: this.#parts.peerConnections.port });
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
    this.#parts.renewal.stop();
    await this.#saveAccount();
    await this.configure({ isHeld: false });
    const ids = this.transfers.all.map(({ id }) => id);
    await this.#parts.peerConnections.stop();
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

  #onGroupGone({ group, name, why }: GroupGone): void {
    if (why === 'rejected' || why === 'removed') this.notify.event(why, name, '');
    void this.#leaveGroup(group, name);
    this.notify.overview();
  }

  async #leaveGroup(group: GroupView['group'], name: string): Promise<void> {
    this.#parts.previews.leaveGroup(group);
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
    for (const swarm of this.#parts.registry.swarms) swarm.dropUntrusted();
    for (const connection of this.#parts.peerConnections.connections) {
      if (connection !== from) connection.sendRevocation(bytes);
    }
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
    if (this.trackers.inUse) this.#parts.tickets.heard();
    this.#parts.peerConnections.sweep();
    if (this.trackers.inUse) this.operations.resend();
    const moved = this.transfers.takeMoving();
    if (moved.length > 0) this.notify.transfers(moved, true);
    else if (this.#parts.activeUploads.refresh()) this.notify.overview();
  }
}
