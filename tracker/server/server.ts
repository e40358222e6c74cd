// One tracker: listens, finds out who has dialled, and gives each link the handlers of its kind.
// Brings log, ledger, partner, swarms and sessions together; decides nothing about any of them.
import type { Connection } from '../../protocol/wire/connection.ts';
import { asShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { GreetedLink } from '../../protocol/wire/openConnection.ts';
import { openLink } from '../../protocol/wire/openConnection.ts';
import type { AccountId, GroupId, OperationId, Pin } from '../../protocol/base/ids.ts';
import { ID_BYTES } from '../../protocol/base/ids.ts';
import { HEARTBEAT_MS } from '../../protocol/base/limits.ts';
import { nameKey } from '../../protocol/base/names.ts';
import type { Address, SignedOperation } from '../../protocol/base/fields.ts';
import type { Operation, OperationBody, OperationName } from '../../protocol/messages/operations.ts';
import { NOBODY, signOperation } from '../../protocol/messages/operations.ts';
import { operatorLink } from '../../protocol/messages/partnerLink.ts';
import type { SignedDescriptor } from '../../protocol/messages/realm.ts';
import { addressText, isLoopback } from '../../protocol/base/address.ts';
import { realmUrlText } from '../../protocol/messages/realm.ts';
import type { BodyOf, HandlersOf } from '../../protocol/wire/table.ts';
import { trackerLink } from '../../protocol/messages/trackerLink.ts';
import type { ByteStream, Listener, ListenAt, Timer, World } from '../../protocol/base/world.ts';
import type { TrackerConfig } from '../admin/config.ts';
import { Conflicts } from '../pair/conflicts.ts';
import { ReadYourWrites } from '../pair/readYourWrites.ts';
import type { Changes } from '../fold/state.ts';
import { stateHash } from '../fold/state.ts';
import { requestHandlersFor } from './requestHandlers.ts';
import { Ledger } from '../log/ledger.ts';
import type { OpLog } from '../log/opLog.ts';
import type { PartnerState } from '../pair/partner.ts';
import { Partner } from '../pair/partner.ts';
import { COST_DEFAULT, Passwords } from './passwords.ts';
import type { Cost } from './passwords.ts';
import { PresenceNotifier } from './presenceNotifier.ts';
import { TrackerList } from '../pair/trackerList.ts';
import { Sessions } from './sessions.ts';
import type { Keep } from '../log/snapshots.ts';
import { compact, KEEP_DEFAULT } from '../log/snapshots.ts';
import { Swarms } from './swarms.ts';
import { ACCOUNTS_PER_HOST, PASSWORDS_PER_HOST, PASSWORDS_PER_USER, AttemptLimiter } from './attemptLimiter.ts';

/**
 * Links at one time, and from one address: an office of 200 people behind one address fits twice.
 * This machine itself is exempt.
 */
const CONNECTIONS_MAX = 10_000;
const CONNECTIONS_PER_HOST_MAX = 1_000;
/** How long a tracker that ends waits for its partner to have everything, in ms. */
const DRAIN_MS_MAX = 5_000;

export interface TrackerOptions {
  readonly world: World;
  readonly config: TrackerConfig;
  readonly opLog: OpLog;
  readonly version: string;
  /** Default: all addresses, at the port that the realm lists. */
  readonly listen?: ListenAt;
  /** Where the partner is reached, if not where the realm lists it. */
  readonly partnerAt?: Address;
  /** Keeps a new list of trackers on the disk. */
  readonly keepList?: (list: SignedDescriptor) => Promise<void>;
  /** Which operations are kept one by one; the others only as what they came to. */
  readonly keep?: Keep;
  /**
   * This tracker had a log once and begins with an empty one: it serves nobody before the partner
   * has given back what it had.
   */
  readonly lostLog?: boolean;
  /** It has. */
  readonly logIsBack?: () => void;
  /** Checks signatures of operations; default: in this thread. */
  readonly signatureFits?: (device: Pin, signed: SignedOperation) => boolean | Promise<boolean>;
  /** What a password's hash costs; tests take a cheap one. */
  readonly passwordCost?: Cost;
  /** The process it runs in, for the operator. */
  readonly processId?: number;
  /** What ends it when the operator asks; default: it closes. */
  readonly stop?: () => void;
  /** The log cannot be written any more: this process must end. */
  readonly broken: (error: Error) => void;
}

export interface Tracker {
  readonly url: string;
  readonly address: Address;
  readonly ledger: Ledger;
  status(): TrackerStatus;
  /** Ends every link cleanly and closes the log. */
  close(): Promise<void>;
}

export type TrackerStatus = ReturnType<Server['status']>;

/** @throws ShoalError listenFailed */
export async function startTracker(options: TrackerOptions): Promise<Tracker> {
  const server = new Server(options);
  await server.listen();
  return server;
}

class Server implements Tracker {
  readonly ledger: Ledger;
  readonly #options: TrackerOptions;
  readonly #trackerList: TrackerList;
  readonly #conflicts: Conflicts;
  readonly #readYourWrites: ReadYourWrites;
  readonly #partner: Partner;
  readonly #swarms: Swarms;
  readonly #sessions: Sessions;
  readonly #presenceNotifier: PresenceNotifier;
  readonly #passwords: Passwords;
  readonly #attempts: {
    readonly perUser: AttemptLimiter;
    readonly perHost: AttemptLimiter;
    readonly accounts: AttemptLimiter;
  };
  readonly #startedMs: number;
  readonly #links = new Set<Connection<typeof trackerLink, 'tracker'> | Connection<typeof operatorLink, 'tracker'>>();
  readonly #engineLinks = new Set<Connection<typeof trackerLink, 'tracker'>>();
  readonly #linksByHost = new Map<string, number>();
  #listener: Listener | undefined;
  #compactTimer: Timer | undefined;
  #isUpgrading = false;
  /** Ends: no new links, and what was asked is still answered. */
  #draining = false;
  #drained: (() => void) | undefined;
  #closed = false;

  constructor(options: TrackerOptions) {
    const { world, config, opLog } = options;
    const { clock, chance, log } = world;
    this.#options = options;
    this.#startedMs = clock.monotonicMs();
    this.#trackerList = new TrackerList(config, options.keepList ?? (() => Promise.resolve()), () =>
      this.#onListChanged(),
    );
    this.#partner = new Partner({
      world,
      realm: config.realm,
      number: config.number,
      program: this.#program,
      ledger: () => this.ledger,
      lostLog: options.lostLog ?? false,
      partner: () => {
        const { partner } = this.#trackerList;
        return partner && { ...partner, address: options.partnerAt ?? partner.address };
      },
      list: () => this.#trackerList.signed,
      shown: (list) => this.#trackerList.shown(list),
      logIsBack: () => options.logIsBack?.(),
      changed: () => this.#onPairChanged(),
    });
    this.ledger = new Ledger({
      log: opLog,
      realm: config.realm,
      clock,
      logger: log,
      onBoth: (origin, seq) => this.#partner.onBoth(origin, seq),
      isTracker: (pin) => this.#trackerList.isTracker(pin),
      ...(options.signatureFits && { signatureFits: options.signatureFits }),
      committed: () => this.#partner.committed(),
      broken: (error) => this.#closed || options.broken(error),
    });
    this.#presenceNotifier = new PresenceNotifier(clock, (group) => this.#sessions.sendPresence(group));
    const presenceChanged = (group: GroupId): void => this.#presenceNotifier.onChange(group);
    this.#swarms = new Swarms(clock, chance, presenceChanged);
    this.#sessions = new Sessions(() => this.ledger.state, this.#swarms, config.signer, config.realm, presenceChanged);
    this.#passwords = new Passwords(chance, options.passwordCost ?? COST_DEFAULT);
    this.#attempts = {
      perUser: new AttemptLimiter(clock, PASSWORDS_PER_USER),
      perHost: new AttemptLimiter(clock, PASSWORDS_PER_HOST),
      accounts: new AttemptLimiter(clock, ACCOUNTS_PER_HOST),
    };
    this.#readYourWrites = new ReadYourWrites(this.ledger, clock);
    this.#conflicts = new Conflicts(this.ledger);
    this.ledger.onChange((changes) => {
      this.#sessions.notify(changes);
      this.#sendConflicts(changes);
      this.#readYourWrites.recheck();
    });
  }

  get #program(): string {
    return `shoal-tracker ${this.#options.version}`;
  }
  get url(): string {
    return realmUrlText({
      realm: this.#options.config.realm,
      addresses: this.#trackerList.trackers.map(({ address }) => address),
    });
  }
  get address(): Address {
    const { config, listen } = this.#options;
    const own = config.descriptor.trackers.find(({ number }) => number === config.number);
    const host = listen && 'host' in listen ? listen.host : undefined;
    return { host: host ?? own?.address.host ?? '', port: this.#listener?.port ?? 0 };
  }

  async listen(): Promise<void> {
    const { world, config, listen } = this.#options;
    const own = config.descriptor.trackers.find(({ number }) => number === config.number);
    this.#listener = await world.network.listen(
      listen ?? { port: own?.address.port ?? 0 },
      (stream) => void this.#accept(stream),
    );
    this.#partner.start();
    this.#partner.committed();
    this.#compact();
    world.log.info('tracker serves', {
      number: config.number,
      address: addressText(this.address),
      operations: this.ledger.log.count,
    });
  }

  status() {
    const { config, version, world, processId = 0 } = this.#options;
    const { state, log, frontier, unsettled, aheadMs } = this.ledger;
    const offsetMs = Math.round(this.#partner.clockOffsetMs);
    let files = 0;
    for (const group of state.groups.values()) files += group.files.size;
    return {
      number: config.number,
      version,
      realm: config.realm,
      origin: log.origin,
      upMs: Math.round(world.clock.monotonicMs() - this.#startedMs),
      links: this.#sessions.count,
      accounts: state.accounts.size,
      groups: state.groupNames.size,
      files,
      presences: this.#swarms.presences,
      operations: log.count,
      partner: this.#state,
      partnerLagOperations: this.#partner.lag,
      stateHash: stateHash(state),
      processId,
      unsettledOperations: unsettled,
      frontierMs: frontier?.ms ?? 0,
      conflicts: this.#conflicts.count,
      clockAheadMs: Math.max(0, offsetMs),
      clockBehindMs: Math.max(0, -offsetMs),
      logAheadMs: Math.round(aheadMs),
      durability: this.#durability,
      listVersion: this.#trackerList.version,
      memoryBytes: process.memoryUsage().rss,
    };
  }

  get #state(): PartnerState | 'retired' | 'draining' {
    if (this.#trackerList.isRetired) return 'retired';
    return this.#draining ? 'draining' : this.#partner.state;
  }
  /** What an answer to a new operation would say. */
  get #durability(): 'both' | 'one' | 'none' {
    const state = this.#state;
    if (state === 'retired' || state === 'joining' || state === 'draining') return 'none';
    return state === 'solo' || state === 'skew' ? 'one' : 'both';
  }

  /**
   * Lets what was asked be answered and the partner have everything, then ends every link cleanly
   * and closes the log.
   */
  async close(): Promise<void> {
    const { world, opLog } = this.#options;
    this.#draining = true;
    await this.#listener?.close();
    await this.#whenDrained();
    this.#closed = true;
    this.#compactTimer?.cancel();
    this.#partner.close();
    this.#presenceNotifier.stop();
    for (const link of this.#links) link.close();
    opLog.close();
    world.log.info('tracker has stopped', { number: this.#options.config.number });
  }

  /** What was asked is answered, and the partner has it; or that takes too long. */
  #whenDrained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#drained = undefined;
        resolve();
      };
      const timer = this.#options.world.clock.after(DRAIN_MS_MAX, done);
      void Promise.all([...this.#engineLinks].map((link) => link.idle())).then(() => {
        this.#drained = () => this.#partner.state !== 'catchUp' && done();
        this.#drained();
      });
    });
  }

  #sendConflicts(changes: Changes): void {
    this.#conflicts.changed(changes);
    if (changes.outcomes.size === 0) return;
    for (const [account, conflicts] of this.#conflicts.concerning(changes.outcomes)) {
      this.#sessions.sendConflicts(account, conflicts);
    }
  }

  get #pairStatus(): BodyOf<typeof trackerLink, 'pairChanged'>['pair'] {
    if (this.#state === 'none') return 'alone';
    return this.#durability === 'both' ? 'whole' : 'apart';
  }

  #onPairChanged(): void {
    this.#drained?.();
    this.#sessions.sendPairState(this.#pairStatus);
    const { partner } = this.#trackerList;
    const { state } = this.ledger;
    // One of them says so; the other has it by the log.
    const isFirst = !partner || (this.#partner.state === 'paired' && this.#options.config.number < partner.number);
    if (isFirst && this.#partner.foldVersion > state.foldVersion && !this.#isUpgrading && !this.#closed) {
      void this.#upgrade(this.#partner.foldVersion);
    }
  }

  async #upgrade(version: number): Promise<void> {
    const { log } = this.#options.world;
    this.#isUpgrading = true;
    try {
      await this.#author('setFoldVersion', { version });
      log.info('newer rules count from here on', { version });
    } catch (error) {
      log.warn('newer rules cannot count yet', { why: asShoalError(error).message });
    } finally {
      this.#isUpgrading = false;
    }
  }

  #onListChanged(): void {
    const {
      world: { log },
      config,
    } = this.#options;
    log.info('the list of trackers is another one', {
      version: this.#trackerList.version,
      trackers: this.#trackerList.trackers.map(({ address }) => addressText(address)).join(' '),
      isRetired: this.#trackerList.isRetired,
      number: config.number,
    });
    this.#partner.listChanged();
    // They ask for the list when they come back, at once or at the other tracker.
    for (const link of this.#engineLinks) link.close();
  }

  /** Again and again replaces operations that need not be kept by what they came to. */
  #compact(): void {
    const {
      world: { clock, log },
      opLog,
      keep = KEEP_DEFAULT,
    } = this.#options;
    this.#compactTimer = clock.after(keep.everyMs, () => {
      compact(opLog, clock, log, keep)
        .catch((error: unknown) =>
          log.warn('final operations could not be replaced', { why: asShoalError(error).message }),
        )
        .finally(() => this.#closed || this.#compact());
    });
  }

  /** Takes in an operation of this tracker itself. @throws ShoalError why its rule refuses it */
  async #author<N extends OperationName>(
    name: N,
    body: OperationBody<N>,
    added?: Uint8Array,
  ): Promise<{ readonly durability: 'both' | 'one' }> {
    const {
      world: { clock, chance },
      config: { realm, identity },
    } = this.#options;
    if (this.#trackerList.isRetired) throw new ShoalError('retired');
    if (this.#durability === 'none') throw new ShoalError('unavailable', { why: `it is ${this.#state}` });
    const id = chance.bytes(ID_BYTES).toString('hex') as OperationId;
    const signed = signOperation(
      { realm, id, account: NOBODY, createdAtMs: clock.now(), name, body } as Operation,
      identity,
    );
    return this.ledger.ingest(signed, this.ledger.read(signed), added);
  }

  async #accept(stream: ByteStream): Promise<void> {
    const { pin } = stream;
    const { host } = stream.remote;
    const fromHere = this.#linksByHost.get(host) ?? 0;
    const isFull = !isLoopback(host) && (fromHere >= CONNECTIONS_PER_HOST_MAX || this.#links.size >= CONNECTIONS_MAX);
    if (this.#closed || pin === undefined || isFull) return stream.destroy();
    this.#linksByHost.set(host, fromHere + 1);
    const { world } = this.#options;
    let link: GreetedLink | undefined;
    try {
      link = await openLink(stream, {
        world,
        role: 'tracker',
        accepts: ['engine', 'tracker', 'operator'],
        program: this.#program,
      });
      await this.#serve(link, pin);
    } catch (error) {
      const why = asShoalError(error);
      world.log.debug('a link was refused', { host, why: why.message });
      link?.refuse(why);
    } finally {
      const left = (this.#linksByHost.get(host) ?? 1) - 1;
      if (left > 0) this.#linksByHost.set(host, left);
      else this.#linksByHost.delete(host);
    }
  }

  /** Serves who has greeted; resolves when the link has ended. */
  async #serve(link: GreetedLink, pin: Pin): Promise<void> {
    const { world, config } = this.#options;
    const { role, program, stream } = link;
    const { host } = stream.remote;
    if (this.#closed) throw new ShoalError('linkClosed');
    world.log.debug('a link is up', { role, program, host });
    if (role === 'tracker') {
      // Which of the realm's it is, or will be by a newer list, shows when the two compare.
      if (this.#trackerList.isRetired) throw new ShoalError('retired');
      await this.#partner.accept(link);
    } else if (role === 'operator') {
      if (pin !== config.identity.pin) throw new ShoalError('pinMismatch', { address: host });
      await this.#whenEnded(
        link.connect({
          table: operatorLink,
          side: 'tracker',
          handlers: this.#operatorHandlers,
          heartbeatMs: HEARTBEAT_MS.tracker,
        }),
      );
    } else {
      if (this.#draining) throw new ShoalError('unavailable', { why: 'it is stopping' });
      if (this.#partner.state === 'joining') {
        throw new ShoalError('unavailable', { why: 'it lost its log and waits for its partner to give it back' });
      }
      await this.#serveEngine(link, pin);
    }
  }

  readonly #operatorHandlers: HandlersOf<typeof operatorLink, 'tracker'> = {
    status: () => this.status(),
    conflicts: ({ from }) => this.#conflicts.page(from),
    setList: async (list) => {
      await this.#trackerList.shown(list);
      return { version: this.#trackerList.version };
    },
    resetPassword: async ({ user, password }) => {
      const account = this.#accountNamed(user);
      return this.#author('resetPassword', { account }, Buffer.from(await this.#passwords.hash(password)));
    },
    setOwner: ({ group: name, user }) => {
      const group = this.ledger.state.groupNames.get(nameKey(name));
      if (group === undefined) throw new ShoalError('unknownGroup', { group: name });
      return this.#author('setOwner', { group, account: this.#accountNamed(user) });
    },
    stop: () => {
      const stop = this.#options.stop ?? ((): void => void this.close());
      this.#options.world.clock.after(0, stop); // the answer goes out before the goodbye
      return {};
    },
  };

  /** @throws ShoalError unknownUser */
  #accountNamed(user: string): AccountId {
    const account = this.ledger.state.userNames.get(nameKey(user));
    if (account === undefined) throw new ShoalError('unknownUser', { user });
    return account;
  }

  async #serveEngine(link: GreetedLink, pin: Pin): Promise<void> {
    const {
      world: { clock },
      config,
    } = this.#options;
    // The handlers need the session and the session the connection; messages that have come already
    // are handled in its constructor.
    const session = this.#sessions.add(pin, link.stream.remote.host);
    const handlers = requestHandlersFor(session, {
      clock,
      ledger: this.ledger,
      sessions: this.#sessions,
      swarms: this.#swarms,
      signer: config.signer,
      list: this.#trackerList,
      isStopping: () => this.#draining,
      pair: () => this.#pairStatus,
      conflicts: this.#conflicts,
      readYourWrites: this.#readYourWrites,
      passwords: this.#passwords,
      attempts: this.#attempts,
    });
    const connection = link.connect({
      table: trackerLink,
      side: 'tracker',
      handlers,
      heartbeatMs: HEARTBEAT_MS.tracker,
    });
    session.connect(connection);
    this.#engineLinks.add(connection);
    await this.#whenEnded(connection);
    this.#engineLinks.delete(connection);
    this.#sessions.remove(session);
  }

  async #whenEnded(
    connection: Connection<typeof trackerLink, 'tracker'> | Connection<typeof operatorLink, 'tracker'>,
  ): Promise<void> {
    this.#links.add(connection);
    await connection.whenEnded;
    this.#links.delete(connection);
  }
}
