// The process that is the engine of a home: elected by a lock, it opens the engine and serves its
// verbs and changes to frontends over a local socket, for as long as somebody holds it. Owns lock,
// socket and frontends; knows nothing of groups, files or trackers.
import { engineLink } from '../../../protocol/messages/engineLink.ts';
import { asShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { GreetedLink } from '../../../protocol/wire/openConnection.ts';
import { openLink } from '../../../protocol/wire/openConnection.ts';
import { HEARTBEAT_MS } from '../../../protocol/base/limits.ts';
import type { CallContext, HandlersOf } from '../../../protocol/wire/table.ts';
import type { ByteStream, Listener, Log, Timer, World } from '../../../protocol/base/world.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import { loadSecret, makeHome } from './homeFiles.ts';
import type { EngineAddress } from '../../../protocol/home/homeLayout.ts';
import { clearSocket, currentEnvironment, removeAddress, socketPaths, writeAddress } from './socketPath.ts';
import { elect } from '../../../protocol/node/lockFile.ts';
import type { Lock } from '../../../protocol/node/lockFile.ts';
import { ClientFeed, fittingPrefix } from './clientFeed.ts';
import type { EngineApi, RequestHandlers } from '../engineApi.ts';
import { programName } from '../../../protocol/node/version.ts';

/**
 * How long an engine stays that nobody holds, in ms: a window that reloads, or the next command,
 * finds it running.
 */
export const LINGER_MS = 60_000;

/**
 * How often an engine that nobody watches looks whether its extension is still installed, in ms.
 */
const ORPHAN_MS = 30_000;

/**
 * Keys of `claim` that are remembered: whoever asks for an older one comes too late to be the
 * second.
 */
const CLAIMS_MAX = 1000;

/**
 * How long a frontend that has just come has for its first call before an engine that is about to
 * leave goes, in ms.
 */
const NEW_CLIENT_GRACE_MS = 5_000;

export interface LocalServerOptions {
  readonly home: Home;
  readonly world: World;
  /** Opens the engine. Called only in the process that was elected. */
  readonly createEngine: () => Promise<EngineApi>;
  /**
   * Whether the extension that started this engine was uninstalled: then it does not stay for its
   * downloads, nor to go on sharing.
   */
  readonly isOrphan?: () => boolean;
  readonly version: string;
  /** Default LINGER_MS. */
  readonly lingerMs?: number;
  readonly log: Log;
}

export interface LocalServer {
  readonly address: EngineAddress;
  /** Leaves now, whoever holds the engine. Everything continues at its next start. */
  leave(): Promise<void>;
  /** When it has left: everything is written, the lock is free. */
  readonly whenLeft: Promise<void>;
}

/**
 * Becomes the engine of a home; undefined when it has one.
 *
 * @throws ShoalError homeUnusable, newerFormat, damagedFile, and what `createEngine` throws
 */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer | undefined> {
  const { home, world } = options;
  await makeHome(home, world.disk);
  const lock = elect(home.lockFile);
  if (!lock) return undefined;
  let api: EngineApi | undefined;
  try {
    const secret = await loadSecret(home, world.disk, world.chance);
    api = await options.createEngine();
    const server = new EngineServer(options, lock, secret, api);
    await server.listen();
    return server;
  } catch (error) {
    await api?.close();
    lock.release();
    throw error;
  }
}

class EngineServer implements LocalServer {
  readonly whenLeft: Promise<void>;
  address: EngineAddress = { socket: '', processId: process.pid };
  readonly #options: LocalServerOptions;
  readonly #lock: Lock;
  readonly #secret: Uint8Array;
  readonly #api: EngineApi;
  readonly #frontends = new Set<ClientFeed>();
  readonly #stopListening: (() => void)[];
  #listener: Listener | undefined;
  #callsUnderWay = 0;
  readonly #claims = new Set<string>();
  #events = 0;
  #orphanTimer: Timer | undefined;
  #linger: Timer | undefined;
  #lingered = false;
  #leaving = false;
  /** Whether it leaves because nobody holds it, and not because it was told to. */
  #isUnheld = false;
  #hasLeft: () => void = () => {};

  constructor(options: LocalServerOptions, lock: Lock, secret: Uint8Array, api: EngineApi) {
    this.#options = options;
    this.#lock = lock;
    this.#secret = secret;
    this.#api = api;
    this.whenLeft = new Promise((resolve) => (this.#hasLeft = resolve));
    this.#stopListening = [
      api.onChange((change) => {
        for (const feed of this.#frontends) feed.change(change);
        this.#reconsiderLeaving();
      }),
      api.onEvent((event) => {
        const id = ++this.#events;
        for (const feed of this.#frontends) feed.event({ ...event, id });
      }),
    ];
  }

  /**
   * Takes the best place for a socket that works, and tells frontends. @throws ShoalError
   * homeUnusable, listenFailed
   */
  async listen(): Promise<void> {
    const { home, world, version, log } = this.#options;
    const place = currentEnvironment();
    let failure = new ShoalError('homeUnusable', { path: home.folder, why: 'no path for its socket is short enough' });
    for (const socket of socketPaths(home.folder, place)) {
      try {
        clearSocket(socket, home, place.user);
        this.address = { socket, processId: process.pid };
        // first, so that whoever gets through reads who answers there
        await writeAddress(home, world.disk, this.address);
        this.#listener = await world.network.listen({ path: socket }, (stream) => void this.#accept(stream));
        log.info('engine started', { version, processId: process.pid, socket });
        return this.#reconsiderLeaving();
      } catch (error) {
        failure = asShoalError(error); // some file systems hold no sockets; the next place is another one
      }
    }
    throw failure;
  }

  leave(): Promise<void> {
    if (!this.#leaving) {
      this.#leaving = true;
      void this.#endLater();
    }
    return this.whenLeft;
  }

  async #accept(stream: ByteStream): Promise<void> {
    const { version, world, log } = this.#options;
    if (this.#leaving) return stream.destroy();
    let link: GreetedLink;
    try {
      link = await openLink(stream, {
        world: { ...world, log },
        role: 'engine',
        accepts: ['frontend'],
        program: programName(version),
        secret: this.#secret,
      });
      log.debug('frontend came', { program: link.program });
    } catch (error) {
      return log.warn('a frontend was refused', { why: (error as Error).message });
    }
    if (this.#leaving) return stream.destroy();
    this.#serve(link);
  }

  #serve(link: GreetedLink): void {
    const {
      world: { clock },
      log,
    } = this.#options;
    const feed = new ClientFeed(this.#api, clock, log);
    this.#frontends.add(feed); // before the connection hands out what has arrived already
    const connection = link.connect({
      table: engineLink,
      side: 'engine',
      handlers: this.#handlers(feed),
      heartbeatMs: HEARTBEAT_MS.engine,
    });
    feed.connect(connection);
    void connection.whenEnded.then(() => {
      this.#frontends.delete(feed);
      this.#reconsiderLeaving();
    });
  }

  #handlers(feed: ClientFeed): HandlersOf<typeof engineLink, 'engine'> {
    const api = this.#api;
    return {
      ...this.#countCalls(),
      watch: () => {
        const answer = feed.watch();
        this.#reconsiderLeaving();
        return answer;
      },
      watchSwarm: ({ transfer, on }) => {
        feed.swarms.set(transfer, on);
        return {};
      },
      status: () => {
        const { first, rest } = fittingPrefix(api.transfers());
        return { overview: api.overview(), transfers: first, more: rest.length > 0 };
      },
      claim: ({ key }) => ({ mine: this.#claim(key) }),
      stop: () => {
        queueMicrotask(() => void this.leave()); // behind the answer
        return {};
      },
    };
  }

  /** The engine's verbs; one that is under way keeps the engine. */
  #countCalls(): RequestHandlers {
    type AnyVerb = (body: unknown, call: CallContext) => unknown;
    const counted =
      (verb: AnyVerb): AnyVerb =>
      async (body, call) => {
        if (this.#leaving) throw new ShoalError('linkClosed');
        this.#callsUnderWay++;
        this.#reconsiderLeaving();
        try {
          return await verb(body, call);
        } finally {
          this.#callsUnderWay--;
          this.#reconsiderLeaving();
        }
      };
    const verbs = Object.entries(this.#api.handlers as unknown as Record<string, AnyVerb>);
    return Object.fromEntries(verbs.map(([name, verb]) => [name, counted(verb)])) as unknown as RequestHandlers;
  }

  #claim(key: string): boolean {
    if (this.#claims.has(key)) return false;
    this.#claims.add(key);
    for (const oldest of this.#claims) {
      if (this.#claims.size <= CLAIMS_MAX) break;
      this.#claims.delete(oldest);
    }
    return true;
  }

  get #isHeld(): boolean {
    const { isHeld, keepsSharing } = this.#api;
    return (
      isHeld ||
      this.#callsUnderWay > 0 ||
      [...this.#frontends].some((feed) => feed.isWatched) ||
      (keepsSharing && !this.#isOrphan)
    );
  }

  get #isOrphan(): boolean {
    return this.#options.isOrphan?.() === true;
  }

  /** Whether to stay: asked again whenever a reason may have come or gone. */
  #reconsiderLeaving(): void {
    if (this.#leaving || !this.#listener) return;
    const {
      world: { clock },
      lingerMs = LINGER_MS,
      log,
    } = this.#options;
    const lingerFor = (ms: number): void => {
      this.#linger ??= clock.after(ms, () => {
        this.#linger = undefined;
        this.#lingered = true;
        this.#reconsiderLeaving();
      });
    };
    if (this.#options.isOrphan) this.#checkOrphaned();
    if (this.#isHeld) {
      this.#linger?.cancel();
      this.#linger = undefined;
      this.#lingered = false;
    } else if (!this.#lingered) {
      lingerFor(lingerMs);
    } else if (!this.#api.isBusy || this.#isOrphan) {
      // while it is, the change that ends it brings us back here
      const fresh = [...this.#frontends].some(({ sinceMs }) => clock.monotonicMs() - sinceMs < NEW_CLIENT_GRACE_MS);
      if (fresh) return lingerFor(NEW_CLIENT_GRACE_MS);
      log.info('nobody holds the engine any more');
      this.#isUnheld = true;
      void this.leave();
    }
  }

  /** Nobody tells an engine that its extension was removed. */
  #checkOrphaned(): void {
    this.#orphanTimer ??= this.#options.world.clock.after(ORPHAN_MS, () => {
      this.#orphanTimer = undefined;
      this.#reconsiderLeaving();
    });
  }

  async #endLater(): Promise<void> {
    const { home, world, log } = this.#options;
    this.#linger?.cancel();
    this.#orphanTimer?.cancel();
    for (const stop of this.#stopListening) stop();
    const step = async (what: string, run: () => unknown): Promise<void> => {
      try {
        await run();
      } catch (error) {
        log.error('could not leave cleanly', { what, error });
      }
    };
    await step('listener', () => this.#listener?.close());
    await step('socket', () => removeAddress(home, world.disk, this.address));
    await step('engine', () => this.#api.close({ isUnheld: this.#isUnheld }));
    await step('lock', () => this.#lock.release());
    // Last, so that who sees its link end knows that the home is free.
    for (const feed of [...this.#frontends]) feed.close();
    log.info('engine left');
    this.#hasLeft();
  }
}
