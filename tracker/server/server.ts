// One tracker: brings log, ledger, partner, swarms, sessions and links together, and gives each
// link the handlers of its kind. Decides nothing about any of them.
import type { Connection } from '../../protocol/wire/connection.ts';
import { asShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { GreetedLink } from '../../protocol/wire/openConnection.ts';
import type { GroupId, OperationId, Pin } from '../../protocol/base/ids.ts';
import { ID_BYTES } from '../../protocol/base/ids.ts';
import { HEARTBEAT_MS } from '../../protocol/base/limits.ts';
import type { Address, SignedOperation } from '../../protocol/base/fields.ts';
import type { Operation, OperationBody, OperationName } from '../../protocol/messages/operations.ts';
import { NOBODY, signOperation } from '../../protocol/messages/operations.ts';
import { operatorLink } from '../../protocol/messages/partnerLink.ts';
import type { SignedDescriptor } from '../../protocol/messages/realm.ts';
import { addressText } from '../../protocol/base/address.ts';
import { realmUrlText } from '../../protocol/messages/realm.ts';
import type { BodyOf } from '../../protocol/wire/table.ts';
import { trackerLink } from '../../protocol/messages/trackerLink.ts';
import type { Listener, ListenAt, World } from '../../protocol/base/world.ts';
import type { TrackerConfig } from '../admin/config.ts';
import { Conflicts } from '../pair/conflicts.ts';
import { ReadYourWrites } from '../pair/readYourWrites.ts';
import type { Changes } from '../fold/state.ts';
import type { HandlerContext } from './requestHandlers.ts';
import { requestHandlersFor } from './requestHandlers.ts';
import { Ledger } from '../log/ledger.ts';
import type { OpLog } from '../log/opLog.ts';
import { Partner } from '../pair/partner.ts';
import { COST_DEFAULT, Passwords } from './passwords.ts';
import type { Cost } from './passwords.ts';
import { PresenceNotifier } from './presenceNotifier.ts';
import { TrackerList } from '../pair/trackerList.ts';
import { Sessions } from './sessions.ts';
import type { Retention } from '../log/snapshots.ts';
import { compactRegularly } from '../log/snapshots.ts';
import { Swarms } from './swarms.ts';
import { Links } from './links.ts';
import type { Durability, OperatorContext, TrackerState, TrackerStatus } from './operatorHandlers.ts';
import { operatorHandlersFor, trackerStatus } from './operatorHandlers.ts';
import { ACCOUNTS_PER_HOST, PASSWORDS_PER_HOST, PASSWORDS_PER_USER, AttemptLimiter } from './attemptLimiter.ts';

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
  /** Writes a new list of trackers to the disk. */
  readonly saveList?: (list: SignedDescriptor) => Promise<void>;
  /** Which operations are kept one by one; the others only as what they came to. */
  readonly retention?: Retention;
  /**
   * This tracker had a log once and begins with an empty one: it serves nobody before the partner
   * has given back what it had.
   */
  readonly lostLog?: boolean;
  /** The partner has given back the log. */
  readonly onLogRestored?: () => void;
  /** Checks signatures of operations; default: in this thread. */
  readonly signatureFits?: (device: Pin, signed: SignedOperation) => boolean | Promise<boolean>;
  /** What a password's hash costs; tests take a cheap one. */
  readonly passwordCost?: Cost;
  /** The process it runs in, for the operator. */
  readonly processId?: number;
  /** What ends it when the operator asks; default: it closes. */
  readonly stop?: () => void;
  /** The log cannot be written any more: this process must end. */
  readonly onLogFailed: (error: Error) => void;
}

export interface Tracker {
  readonly url: string;
  readonly address: Address;
  readonly ledger: Ledger;
  status(): TrackerStatus;
  /** Ends every link cleanly and closes the log. */
  close(): Promise<void>;
}

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
  readonly #partner: Partner;
  readonly #swarms: Swarms;
  readonly #sessions: Sessions;
  readonly #presenceNotifier: PresenceNotifier;
  readonly #engineContext: HandlerContext;
  readonly #operatorContext: OperatorContext;
  readonly #links: Links;
  readonly #engineLinks = new Set<Connection<typeof trackerLink, 'tracker'>>();
  #listener: Listener | undefined;
  #stopCompacting: () => void = () => {};
  #isUpgrading = false;
  /** Ends: no new links, and what was asked is still answered. */
  #draining = false;
  #drained: (() => void) | undefined;
  #closed = false;

  constructor(options: TrackerOptions) {
    const { world, config, opLog } = options;
    const { clock, chance, log } = world;
    const startedMs = clock.monotonicMs();
    this.#options = options;
    this.#trackerList = new TrackerList(config, options.saveList ?? (() => Promise.resolve()), () =>
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
      adoptList: (list) => this.#trackerList.adopt(list),
      onLogRestored: () => options.onLogRestored?.(),
      onChange: () => this.#onPairChanged(),
    });
    this.ledger = new Ledger({
      log: opLog,
      realm: config.realm,
      clock,
      logger: log,
      whenOnBoth: (origin, seq) => this.#partner.whenOnBoth(origin, seq),
      isTracker: (pin) => this.#trackerList.isTracker(pin),
      ...(options.signatureFits && { signatureFits: options.signatureFits }),
      onCommitted: () => this.#partner.onCommitted(),
      onLogFailed: (error) => this.#closed || options.onLogFailed(error),
    });
    this.#presenceNotifier = new PresenceNotifier(clock, (group) => this.#sessions.sendPresence(group));
    const presenceChanged = (group: GroupId): void => this.#presenceNotifier.onChange(group);
    this.#swarms = new Swarms(clock, chance, presenceChanged);
    this.#sessions = new Sessions(() => this.ledger.state, this.#swarms, config.signer, config.realm, presenceChanged);
    const passwords = new Passwords(chance, options.passwordCost ?? COST_DEFAULT);
    const readYourWrites = new ReadYourWrites(this.ledger, clock);
    this.#conflicts = new Conflicts(this.ledger);
    this.#engineContext = {
      clock,
      ledger: this.ledger,
      sessions: this.#sessions,
      swarms: this.#swarms,
      signer: config.signer,
      list: this.#trackerList,
      isStopping: () => this.#draining,
      pair: () => this.#pairStatus,
      conflicts: this.#conflicts,
      readYourWrites,
      passwords,
      attempts: {
        perUser: new AttemptLimiter(clock, PASSWORDS_PER_USER),
        perHost: new AttemptLimiter(clock, PASSWORDS_PER_HOST),
        accounts: new AttemptLimiter(clock, ACCOUNTS_PER_HOST),
      },
    };
    this.#operatorContext = {
      clock,
      config,
      version: options.version,
      processId: options.processId ?? 0,
      startedMs,
      ledger: this.ledger,
      partner: this.#partner,
      trackerList: this.#trackerList,
      conflicts: this.#conflicts,
      sessions: this.#sessions,
      swarms: this.#swarms,
      passwords,
      state: () => this.#state,
      durability: () => this.#durability,
      author: (name, body, added) => this.#author(name, body, added),
      stop: options.stop ?? ((): void => void this.close()),
    };
    this.#links = new Links({ world, program: this.#program, serve: (link, pin) => this.#serve(link, pin) });
    this.ledger.onChange((changes) => {
      this.#sessions.notify(changes);
      this.#sendConflicts(changes);
      readYourWrites.recheck();
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
    const { world, config, opLog, listen, retention } = this.#options;
    const own = config.descriptor.trackers.find(({ number }) => number === config.number);
    this.#listener = await world.network.listen(
      listen ?? { port: own?.address.port ?? 0 },
      (stream) => void this.#links.accept(stream),
    );
    this.#partner.start();
    this.#partner.onCommitted();
    this.#stopCompacting = compactRegularly(opLog, world.clock, world.log, retention);
    world.log.info('tracker started', {
      number: config.number,
      address: addressText(this.address),
      operations: this.ledger.log.count,
    });
  }

  status(): TrackerStatus {
    return trackerStatus(this.#operatorContext);
  }

  get #state(): TrackerState {
    if (this.#trackerList.isRetired) return 'retired';
    return this.#draining ? 'draining' : this.#partner.state;
  }
  get #durability(): Durability {
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
    this.#stopCompacting();
    this.#partner.close();
    this.#presenceNotifier.stop();
    this.#links.close();
    opLog.close();
    world.log.info('tracker stopped', { number: this.#options.config.number });
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
    this.#conflicts.onChange(changes);
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
      log.info('fold rules upgraded', { version });
    } catch (error) {
      log.warn('fold rules not upgraded', { why: asShoalError(error).message });
    } finally {
      this.#isUpgrading = false;
    }
  }

  #onListChanged(): void {
    const {
      world: { log },
      config,
    } = this.#options;
    log.info('tracker list changed', {
      version: this.#trackerList.version,
      trackers: this.#trackerList.trackers.map(({ address }) => addressText(address)).join(' '),
      isRetired: this.#trackerList.isRetired,
      number: config.number,
    });
    this.#partner.onListChanged();
    // They ask for the list when they come back, at once or at the other tracker.
    for (const link of this.#engineLinks) link.close();
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

  /** Serves who has greeted; resolves when the link has ended. */
  async #serve(link: GreetedLink, pin: Pin): Promise<void> {
    const { world, config } = this.#options;
    const { role, program, stream } = link;
    const { host } = stream.remote;
    if (this.#closed) throw new ShoalError('linkClosed');
    world.log.debug('link opened', { role, program, host });
    if (role === 'tracker') {
      // Which of the realm's it is, or will be by a newer list, shows when the two compare.
      if (this.#trackerList.isRetired) throw new ShoalError('retired');
      await this.#partner.accept(link);
    } else if (role === 'operator') {
      if (pin !== config.identity.pin) throw new ShoalError('pinMismatch', { address: host });
      const handlers = operatorHandlersFor(this.#operatorContext);
      const heartbeatMs = HEARTBEAT_MS.tracker;
      await this.#links.hold(link.connect({ table: operatorLink, side: 'tracker', handlers, heartbeatMs }));
    } else {
      if (this.#draining) throw new ShoalError('unavailable', { why: 'it is stopping' });
      if (this.#partner.state === 'joining') {
        throw new ShoalError('unavailable', { why: 'it lost its log and waits for its partner to give it back' });
      }
      await this.#serveEngine(link, pin);
    }
  }

  async #serveEngine(link: GreetedLink, pin: Pin): Promise<void> {
    // The handlers need the session and the session the connection; messages that have come already
    // are handled in its constructor.
    const session = this.#sessions.add(pin, link.stream.remote.host);
    const handlers = requestHandlersFor(session, this.#engineContext);
    const connection = link.connect({
      table: trackerLink,
      side: 'tracker',
      handlers,
      heartbeatMs: HEARTBEAT_MS.tracker,
    });
    session.connect(connection);
    this.#engineLinks.add(connection);
    await this.#links.hold(connection);
    this.#engineLinks.delete(connection);
    this.#sessions.remove(session);
  }
}
