// One run of a command: its terminal, its global options, its connection to the engine, and how it
// prints.
import path from 'node:path';
import { printable, ShoalError } from '../../../protocol/base/errors.ts';
import type { BodyOf, ReplyOf } from '../../../protocol/wire/table.ts';
import type { EngineCalls, engineLink } from '../../../protocol/messages/engineLink.ts';
import type { Clock } from '../../../protocol/base/world.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import type { EngineConnection, FrontendHandlers } from '../../../protocol/home/connectEngine.ts';
import { EngineMirror } from '../../../protocol/frontend/engineMirror.ts';
import { READ_MS_MAX } from '../../../protocol/frontend/readAhead.ts';
import { parseListen, parseRate, parseSwitch, readTracker } from './arguments.ts';
import { jsonLine } from './table.ts';
import { ProgressBar } from './progressBar.ts';
import type { Terminal } from './terminal.ts';

/** Options that every verb takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly tracker?: string;
  readonly listen?: string;
  readonly limitDown?: string;
  readonly limitUp?: string;
  readonly keepSharing?: string;
}

/** How a session gets its engine; tests hand in one without a process. */
export interface EngineConnector {
  connect(home: Home, handlers: FrontendHandlers): Promise<EngineConnection>;
  /** Undefined when none runs. */
  find(home: Home, handlers: FrontendHandlers): Promise<Omit<EngineConnection, 'started'> | undefined>;
}

/** The global options as the engine takes them. */
interface SessionSettings {
  readonly tracker: string | undefined;
  readonly engine: BodyOf<typeof engineLink, 'configure'>;
}

/**
 * How long an answer may take that needs a tracker, in ms: the engine may try both before it says
 * that it cannot.
 */
const CALL_MS_MAX = 60_000;
/** How long a call may take that reads whole files, in ms: a day. */
export const LONG_CALL_MS_MAX = 86_400_000;

export class Session {
  readonly terminal: Terminal;
  readonly home: Home;
  readonly clock: Clock;
  readonly globals: GlobalOptions;
  readonly mirror = new EngineMirror();
  readonly progress: ProgressBar;
  readonly #engines: EngineConnector;
  #engine: EngineConnection | undefined;
  #startingMirror: Promise<void> | undefined;
  readonly #handlers: FrontendHandlers = {
    ...this.mirror.handlers,
    presenceChanged: () => {}, // no command shows it as it changes
    swarmChanged: () => {}, // nor that
  };

  constructor({
    terminal,
    home,
    clock,
    globals,
    engines,
  }: {
    terminal: Terminal;
    home: Home;
    clock: Clock;
    globals: GlobalOptions;
    engines: EngineConnector;
  }) {
    this.terminal = terminal;
    this.home = home;
    this.clock = clock;
    this.globals = globals;
    this.#engines = engines;
    this.progress = new ProgressBar(terminal, clock, this.json);
  }

  get json(): boolean {
    return this.globals.json === true;
  }

  /** Whether an option changes what the engine is told before the verb. */
  get #configures(): boolean {
    const { tracker, listen, limitDown, limitUp, keepSharing } = this.globals;
    return [tracker, listen, limitDown, limitUp, keepSharing].some((option) => option !== undefined);
  }

  /** The engine, started if needed, after it was told what the global options say. */
  async engine(): Promise<EngineConnection> {
    if (this.#engine) return this.#engine;
    const settings = this.#settings(); // what is wrong with them is said before anything starts
    this.#engine = await this.#engines.connect(this.home, this.#handlers);
    await this.#configure(settings);
    return this.#engine;
  }

  /** The engine if it runs; it is not started, unless options are to be set. */
  async runningEngine(): Promise<EngineConnection | undefined> {
    if (this.#configures) return this.engine();
    const found = this.#engine ?? (await this.#engines.find(this.home, this.#handlers));
    return (this.#engine ??= found && { ...found, started: false });
  }

  /** Lets go of the engine's link; the next call makes a new one. */
  release(): void {
    this.#engine?.connection.close();
    this.#engine = undefined;
    this.#startingMirror = undefined;
  }

  /** Asks the engine. @throws ShoalError */
  async call<K extends EngineCalls>(
    name: K,
    body: BodyOf<typeof engineLink, K>,
    deadlineMs = CALL_MS_MAX,
  ): Promise<ReplyOf<typeof engineLink, K>> {
    const { connection } = await this.engine();
    return this.#named(connection, () => connection.call(name, body, { deadlineMs }));
  }

  /** Bytes of a shared file, into memory; how many there were. @throws ShoalError */
  async read(body: BodyOf<typeof engineLink, 'read'>, into: Uint8Array, signal: AbortSignal): Promise<number> {
    const { connection } = await this.engine();
    const { rawBytes } = await this.#named(connection, () =>
      connection.call('read', body, { into, signal, deadlineMs: READ_MS_MAX }),
    );
    return rawBytes;
  }

  /** Begins to watch, once. */
  async watch(): Promise<EngineMirror> {
    const engine = await this.engine();
    await this.#named(engine.connection, () => (this.#startingMirror ??= this.#startMirror(engine)));
    return this.mirror;
  }

  async #startMirror({ connection }: EngineConnection): Promise<void> {
    const hasMore = await this.mirror.start(connection);
    // What did not fit comes behind the answer to `watch`, so before this one.
    if (hasMore) await connection.call('status', {});
  }

  /** Waits for something in the watched state. */
  async until<T>(find: () => T | undefined, signal?: AbortSignal): Promise<T> {
    await this.watch();
    const { connection } = await this.engine();
    return this.#named(connection, () => this.mirror.until(connection, find, signal));
  }

  /** A link that ended here is the engine's end, not a tracker's. */
  async #named<T>(connection: EngineConnection['connection'], run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (connection.isOpen) throw error;
      const { clean } = await connection.whenEnded;
      throw new ShoalError(
        'engineUnreachable',
        {
          home: this.home.folder,
          log: this.home.logFile,
          why: `it ${clean ? 'was stopped' : 'broke'} meanwhile, and what is unfinished goes on at its next start`,
        },
        { cause: error },
      );
    }
  }

  /** A result: lines for people, or one JSON value. */
  print(lines: string | readonly string[], json: unknown): void {
    this.progress.clear();
    if (this.json) this.terminal.out(jsonLine(json));
    else for (const line of typeof lines === 'string' ? [lines] : lines) this.terminal.out(`${line}\n`);
  }

  /** Something worth knowing that is no result. Not for programs. */
  note(sentence: string): void {
    this.progress.clear();
    if (!this.json) this.terminal.err(`${sentence}\n`);
  }

  /** An absolute path out of one as the person wrote it. */
  path(text: string): string {
    return path.resolve(this.terminal.workFolder, text);
  }

  #settings(): SessionSettings {
    const { tracker, listen, limitDown, limitUp, keepSharing } = this.globals;
    const at = listen === undefined ? undefined : parseListen(listen);
    return {
      tracker: tracker === undefined ? undefined : readTracker(tracker, this.terminal.workFolder),
      engine: {
        downLimitBytesPerS: limitDown === undefined ? undefined : parseRate(limitDown),
        upLimitBytesPerS: limitUp === undefined ? undefined : parseRate(limitUp),
        listenHost: at?.host,
        listenPort: at?.port,
        keepSharing: keepSharing === undefined ? undefined : parseSwitch('--keep-sharing', keepSharing),
        activeDownloads: undefined,
      },
    };
  }

  async #configure({ tracker, engine }: SessionSettings): Promise<void> {
    if (Object.values(engine).some((value) => value !== undefined)) await this.call('configure', engine);
    if (tracker === undefined) return;
    const { url, firstUse } = await this.call('setTracker', { url: tracker, confirm: false });
    if (firstUse) {
      this.note(
        'first use of this tracker; from now on this home expects exactly its realm:\n' +
          `  ${printable(url)}\n` +
          "Compare it with what the tracker's operator sees, or give --tracker this whole URL.",
      );
    }
  }
}
