// One tracker: listens, finds out who has dialled, and gives each link the handlers of its kind. Brings log, ledger, partner, swarms and
// sessions together; decides nothing about any of them.
import { Connection } from '../protocol/connection.ts';
import { asShoalError, isShoalError, ShoalError } from '../protocol/errors.ts';
import { FrameLink } from '../protocol/frame.ts';
import { greet } from '../protocol/greeting.ts';
import { HEARTBEAT_MS } from '../protocol/limits.ts';
import type { Address } from '../protocol/nouns.ts';
import { operatorLink } from '../protocol/partnerLink.ts';
import { addressText, realmUrlText } from '../protocol/realm.ts';
import { trackerLink } from '../protocol/trackerLink.ts';
import type { ByteStream, Listener, ListenAt, World } from '../protocol/world.ts';
import type { TrackerConfig } from './config.ts';
import { stateHash } from './fold/state.ts';
import { handlersFor } from './handlers.ts';
import { Ledger } from './ledger.ts';
import type { OpLog } from './opLog.ts';
import { Partner } from './partner.ts';
import { Sessions } from './sessions.ts';
import { Swarms } from './swarms.ts';
import { isLoopback, Tries } from './tries.ts';

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
  readonly #tries: { readonly passwords: Tries; readonly accounts: Tries };
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
      partner: other && { pin: other.pin, address: other.address, dial: config.number > other.number },
    });
    this.ledger = new Ledger({
      log: opLog, realm: config.realm, clock, logger: log, onBoth: (origin, seq) => this.#partner.onBoth(origin, seq),
      committed: () => this.#partner.committed(), broken: options.broken,
    });
    this.#swarms = new Swarms(clock, chance);
    this.#sessions = new Sessions(() => this.ledger.state, this.#swarms, config.signer, config.realm);
    // Ten tries at a password, then one every six seconds; sixty new accounts from one address, then one a minute.
    this.#tries = { passwords: new Tries(clock, 10, 10), accounts: new Tries(clock, 60, 1) };
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
    const { config, version, world } = this.#options;
    const { state, log } = this.ledger;
    let files = 0;
    for (const group of state.groups.values()) files += group.files.size;
    return {
      number: config.number, version, realm: config.realm, origin: log.origin, upMs: Math.round(world.clock.monotonicMs() - this.#startedMs), links: this.#sessions.count,
      accounts: state.accounts.size, groups: state.groupNames.size, files, presences: this.#swarms.presences, operations: log.count,
      partner: this.#partner.state, partnerLagOperations: this.#partner.lag, stateHash: stateHash(state),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#listener?.close();
    this.#partner.close();
    for (const link of this.#links) link.close();
    this.#options.opLog.close();
  }

  async #accept(stream: ByteStream): Promise<void> {
    const { clock, chance, log } = this.#options.world;
    const { pin } = stream;
    const { host } = stream.remote;
    const fromHere = this.#linksByHost.get(host) ?? 0;
    if (this.#closed || pin === undefined || (!isLoopback(host) && (fromHere >= LINKS_PER_HOST_MAX || this.#links.size >= LINKS_MAX))) return stream.destroy();
    this.#linksByHost.set(host, fromHere + 1);
    const gone = (): void => {
      const left = (this.#linksByHost.get(host) ?? 1) - 1;
      if (left > 0) this.#linksByHost.set(host, left);
      else this.#linksByHost.delete(host);
    };
    try {
      const link = new FrameLink(stream);
      const { role, program } = await greet(link, { role: 'tracker', accepts: ['engine', 'tracker', 'operator'], program: this.#program, clock, chance });
      if (this.#closed) throw new ShoalError('linkClosed');
      log.debug('a link is up', { role, program, host });
      if (role === 'tracker') {
        gone();
        // Only the other tracker of this realm: its key stands in the descriptor.
        if (pin !== this.#partner.pin) throw new ShoalError('wrongRealm', { address: host, ours: this.#options.config.realm.slice(0, 8), theirs: '?' });
        return this.#partner.accept(link);
      }
      if (role === 'operator') {
        if (pin !== this.#options.config.identity.pin) throw new ShoalError('badProof');
        this.#serve(new Connection(link, {
          table: operatorLink, side: 'tracker', handlers: { status: () => this.status() }, heartbeatMs: HEARTBEAT_MS.tracker, clock, log,
        }), gone);
        return;
      }
      this.#serveEngine(link, stream, gone);
    } catch (error) {
      log.debug('a link was refused', { host, why: asShoalError(error).message });
      if (!isShoalError(error, 'linkClosed')) gone();
      stream.destroy();
    }
  }

  #serveEngine(link: FrameLink, stream: ByteStream, gone: () => void): void {
    const { world: { clock, log }, config } = this.#options;
    const { pin } = stream;
    if (pin === undefined) return stream.destroy();
    // The handlers need the session and the session the connection; messages that have come already are handled in its constructor.
    const session = this.#sessions.add(pin, stream.remote.host);
    const handlers = handlersFor(session, {
      clock, ledger: this.ledger, sessions: this.#sessions, swarms: this.#swarms, signer: config.signer, descriptor: config.signedDescriptor, tries: this.#tries,
    });
    const connection = new Connection(link, { table: trackerLink, side: 'tracker', handlers, heartbeatMs: HEARTBEAT_MS.tracker, clock, log });
    session.connect(connection);
    this.#serve(connection, () => {
      gone();
      this.#sessions.remove(session);
    });
  }

  #serve(connection: Connection<typeof trackerLink, 'tracker'> | Connection<typeof operatorLink, 'tracker'>, gone: () => void): void {
    this.#links.add(connection);
    void connection.whenEnded.then(() => {
      this.#links.delete(connection);
      gone();
    });
  }
}
