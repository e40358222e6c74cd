// One tracker: listens, finds out who has dialled, and gives each link the handlers of its kind. Brings log, ledger, partner, swarms and
// sessions together; decides nothing about any of them.
import { Connection } from '../protocol/connection.ts';
import { asShoalError, ShoalError } from '../protocol/errors.ts';
import { FrameLink } from '../protocol/frame.ts';
import { bye, greet } from '../protocol/greeting.ts';
import type { GroupId, Pin } from '../protocol/ids.ts';
import { HEARTBEAT_MS } from '../protocol/limits.ts';
import type { Address } from '../protocol/nouns.ts';
import { operatorLink } from '../protocol/partnerLink.ts';
import { addressText, isLoopback, realmUrlText } from '../protocol/realm.ts';
import { encode } from '../protocol/schema.ts';
import { trackerLink } from '../protocol/trackerLink.ts';
import { toWire } from '../protocol/wireErrors.ts';
import type { ByteStream, Listener, ListenAt, World } from '../protocol/world.ts';
import type { TrackerConfig } from './config.ts';
import { conflictsIn } from './conflicts.ts';
import { stateHash } from './fold/state.ts';
import { handlersFor } from './handlers.ts';
import { Ledger } from './ledger.ts';
import type { OpLog } from './opLog.ts';
import { Partner } from './partner.ts';
import { COST_DEFAULT, Passwords } from './passwords.ts';
import type { Cost } from './passwords.ts';
import { PresenceNews } from './presenceNews.ts';
import { Sessions } from './sessions.ts';
import { Swarms } from './swarms.ts';
import { ACCOUNTS_PER_HOST, PASSWORDS_PER_HOST, PASSWORDS_PER_USER, Tries } from './tries.ts';

/** Links at one time, and from one address: an office of 200 people behind one address fits twice. This machine itself is exempt. */
const LINKS_MAX = 10_000;
const LINKS_PER_HOST_MAX = 1_000;

export interface TrackerOptions {
  readonly world: World;
  readonly config: TrackerConfig;
  readonly opLog: OpLog;
  readonly version: string;
  /** Default: all addresses, at the port that the realm lists. */
  readonly listen?: ListenAt;
  /** Where the partner is reached, if not where the realm lists it. */
  readonly partnerAt?: Address;
  /** This tracker had a log once and begins with an empty one: it serves nobody before the partner has given back what it had. */
  readonly lostLog?: boolean;
  /** It has. */
  readonly logIsBack?: () => void;
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
  readonly #partner: Partner;
  readonly #swarms: Swarms;
  readonly #sessions: Sessions;
  readonly #presenceNews: PresenceNews;
  readonly #passwords: Passwords;
  readonly #tries: { readonly perUser: Tries; readonly perHost: Tries; readonly accounts: Tries };
  readonly #startedMs: number;
  readonly #links = new Set<Connection<typeof trackerLink, 'tracker'> | Connection<typeof operatorLink, 'tracker'>>();
  readonly #linksByHost = new Map<string, number>();
  #listener: Listener | undefined;
  #closed = false;

  constructor(options: TrackerOptions) {
    const { world, config, opLog } = options;
    const { clock, chance, log } = world;
    this.#options = options;
    this.#startedMs = clock.monotonicMs();
    const other = config.descriptor.trackers.find(({ number }) => number !== config.number);
    this.#partner = new Partner({
      world, realm: config.realm, program: this.#program, ledger: () => this.ledger,
      partner: other && { pin: other.pin, address: options.partnerAt ?? other.address, dial: config.number > other.number }, lostLog: options.lostLog ?? false,
      logIsBack: () => options.logIsBack?.(),
    });
    this.ledger = new Ledger({
      log: opLog, realm: config.realm, clock, logger: log, onBoth: (origin, seq) => this.#partner.onBoth(origin, seq),
      committed: () => this.#partner.committed(),
      broken: (error) => this.#closed || options.broken(error),
    });
    this.#presenceNews = new PresenceNews(clock, (group) => this.#sessions.tellPresence(group));
    const presenceChanged = (group: GroupId): void => this.#presenceNews.changed(group);
    this.#swarms = new Swarms(clock, chance, presenceChanged);
    this.#sessions = new Sessions(() => this.ledger.state, this.#swarms, config.signer, config.realm, presenceChanged);
    this.#passwords = new Passwords(chance, options.passwordCost ?? COST_DEFAULT);
    this.#tries = { perUser: new Tries(clock, PASSWORDS_PER_USER), perHost: new Tries(clock, PASSWORDS_PER_HOST), accounts: new Tries(clock, ACCOUNTS_PER_HOST) };
    this.ledger.onChange((changes) => this.#sessions.tell(changes));
  }

  get #program(): string {
    return `shoal-tracker ${this.#options.version}`;
  }
  get url(): string {
    const { realm, descriptor } = this.#options.config;
    return realmUrlText({ realm, addresses: descriptor.trackers.map(({ address }) => address) });
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
    this.#listener = await world.network.listen(listen ?? { port: own?.address.port ?? 0 }, (stream) => void this.#accept(stream));
    this.#partner.start();
    world.log.info('tracker serves', { number: config.number, address: addressText(this.address), operations: this.ledger.log.count });
  }

  status() {
    const { config, version, world, processId = 0 } = this.#options;
    const { state, log } = this.ledger;
    let files = 0;
    for (const group of state.groups.values()) files += group.files.size;
    return {
      number: config.number, version, realm: config.realm, origin: log.origin, upMs: Math.round(world.clock.monotonicMs() - this.#startedMs), links: this.#sessions.count,
      accounts: state.accounts.size, groups: state.groupNames.size, files, presences: this.#swarms.presences, operations: log.count,
      partner: this.#partner.state, partnerLagOperations: this.#partner.lag, stateHash: stateHash(state), processId,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#listener?.close();
    this.#partner.close();
    this.#presenceNews.stop();
    for (const link of this.#links) link.close();
    this.#options.opLog.close();
  }

  async #accept(stream: ByteStream): Promise<void> {
    const { pin } = stream;
    const { host } = stream.remote;
    const fromHere = this.#linksByHost.get(host) ?? 0;
    const isFull = !isLoopback(host) && (fromHere >= LINKS_PER_HOST_MAX || this.#links.size >= LINKS_MAX);
    if (this.#closed || pin === undefined || isFull) return stream.destroy();
    this.#linksByHost.set(host, fromHere + 1);
    const link = new FrameLink(stream);
    try {
      await this.#serve(link, pin);
    } catch (error) {
      this.#refuse(link, asShoalError(error));
    } finally {
      const left = (this.#linksByHost.get(host) ?? 1) - 1;
      if (left > 0) this.#linksByHost.set(host, left);
      else this.#linksByHost.delete(host);
    }
  }

  /** Finds out who it is and serves it; resolves when the link has ended. */
  async #serve(link: FrameLink, pin: Pin): Promise<void> {
    const { world: { clock, chance, log }, config } = this.#options;
    const { host } = link.stream.remote;
    const { role, program } = await greet(link, { role: 'tracker', accepts: ['engine', 'tracker', 'operator'], program: this.#program, clock, chance });
    if (this.#closed) throw new ShoalError('linkClosed');
    log.debug('a link is up', { role, program, host });
    if (role === 'tracker') {
      // Only the other tracker of this realm: its key stands in the descriptor.
      if (pin !== this.#partner.pin) throw new ShoalError('pinMismatch', { address: host });
      await this.#partner.accept(link);
    } else if (role === 'operator') {
      if (pin !== config.identity.pin) throw new ShoalError('pinMismatch', { address: host });
      const stop = this.#options.stop ?? ((): void => void this.close());
      const handlers = {
        status: () => this.status(),
        conflicts: ({ from }: { readonly from: number }) => conflictsIn(this.ledger, from),
        stop: () => {
          clock.after(0, stop); // the answer goes out before the goodbye
          return {};
        },
      };
      await this.#untilEnded(new Connection(link, { table: operatorLink, side: 'tracker', handlers, heartbeatMs: HEARTBEAT_MS.tracker, clock, log }));
    } else {
      if (this.#partner.state === 'joining') throw new ShoalError('unavailable', { why: 'it lost its log and waits for its partner to give it back' });
      await this.#serveEngine(link, pin);
    }
  }

  async #serveEngine(link: FrameLink, pin: Pin): Promise<void> {
    const { world: { clock, log }, config } = this.#options;
    // The handlers need the session and the session the connection; messages that have come already are handled in its constructor.
    const session = this.#sessions.add(pin, link.stream.remote.host);
    const handlers = handlersFor(session, {
      clock, ledger: this.ledger, sessions: this.#sessions, swarms: this.#swarms, signer: config.signer, keys: new Map(config.descriptor.trackers.map((tracker) => [tracker.pin, tracker.ticketKey])), descriptor: config.signedDescriptor,
      passwords: this.#passwords, tries: this.#tries,
    });
    const connection = new Connection(link, { table: trackerLink, side: 'tracker', handlers, heartbeatMs: HEARTBEAT_MS.tracker, clock, log });
    session.connect(connection);
    await this.#untilEnded(connection);
    this.#sessions.remove(session);
  }

  async #untilEnded(connection: Connection<typeof trackerLink, 'tracker'> | Connection<typeof operatorLink, 'tracker'>): Promise<void> {
    this.#links.add(connection);
    await connection.whenEnded;
    this.#links.delete(connection);
  }

  /** Says why, if the other side still listens, and hangs up. */
  #refuse(link: FrameLink, error: ShoalError): void {
    const { clock, log } = this.#options.world;
    log.debug('a link was refused', { host: link.stream.remote.host, why: error.message });
    link.send({ type: 'bye', kind: 'notice', call: 0 }, encode(bye, { error: toWire(error) }));
    link.finish(clock);
  }
}
