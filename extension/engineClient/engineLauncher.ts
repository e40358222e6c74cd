// How this window gets its engine: found, started, an older one retired; as a process of its own,
// or in a thread of this window where no process can be started. Knows the home; knows nothing of
// what the engine does.
import path from 'node:path';
import { isShoalError } from '../../protocol/base/errors.ts';
import { homeOf } from '../../protocol/home/homePath.ts';
import { readSmallFile, textField } from '../../protocol/home/homeLayout.ts';
import type { Home } from '../../protocol/home/homeLayout.ts';
import type { EngineConnection, FrontendHandlers } from '../../protocol/home/connectEngine.ts';
import { connectEngine, findEngine, retire } from '../../protocol/home/connectEngine.ts';
import type { EngineProcess, EngineProgram } from '../../protocol/home/startProcess.ts';
import { startEngineProcess } from '../../protocol/home/startProcess.ts';
import { startEngineThread } from '../../protocol/home/startThread.ts';
import { createIdentity } from '../../protocol/node/identity.ts';
import { createNodeDisk } from '../../protocol/node/nodeDisk.ts';
import { createNodeWorld } from '../../protocol/node/nodeWorld.ts';
import { VERSION } from '../../protocol/node/version.ts';
import type { Log, World } from '../../protocol/base/world.ts';

/** Where the engine works: as the setting says, or because nothing else was possible. */
export type EnginePlace = 'process' | 'window';

export interface LauncherOptions {
  /** Of this extension. */
  readonly extensionFolder: string;
  /** What the setting `shoal.home` says, '' for the usual place. */
  readonly home: string;
  readonly place: EnginePlace;
  readonly log: Log;
}

/** What the home tells without an engine. */
export interface HomeSummary {
  readonly isSignedIn: boolean;
  readonly knowsTracker: boolean;
}

export class EngineLauncher {
  readonly home: Home;
  /** May change from process to window, never back. */
  place: EnginePlace;
  readonly #program: EngineProgram;
  readonly #log: Log;
  #world: World | undefined;
  #thread: { readonly engine: EngineProcess; readonly connection: EngineConnection['connection'] } | undefined;

  constructor({ extensionFolder, home, place, log }: LauncherOptions) {
    this.home = homeOf(home === '' ? process.env['SHOAL_HOME'] : home);
    this.place = place;
    this.#log = log;
    this.#program = { entry: path.join(extensionFolder, 'dist', 'engine.js'), extensionFolder };
  }

  /** @throws ShoalError as connectEngine does */
  async connect(handlers: FrontendHandlers): Promise<EngineConnection> {
    const options = { home: this.home, world: this.#worldHere, version: VERSION, handlers };
    let child: EngineProcess | undefined;
    const startProcess = (home: Home): EngineProcess =>
      (child =
        this.place === 'window' ? startEngineThread(home, this.#program) : startEngineProcess(home, this.#program));
    let connected: EngineConnection;
    try {
      connected = await connectEngine({ ...options, startProcess });
    } catch (error) {
      if (this.place === 'window' || child?.hasNeverRun !== true) throw error;
      this.#log.warn('cannot start a process; running the engine in this window', { error });
      this.place = 'window';
      connected = await connectEngine({ ...options, startProcess });
    }
    if (child && this.place === 'window' && connected.started) {
      this.#thread = { engine: child, connection: connected.connection };
    }
    return connected;
  }

  /** The engine if it runs, without starting one. */
  async find(handlers: FrontendHandlers): Promise<EngineConnection | undefined> {
    const found = await findEngine({ home: this.home, world: this.#worldHere, version: VERSION, handlers });
    return found && { ...found, started: false };
  }

  /** Whether the engine works in this window. */
  get isEngineHere(): boolean {
    return this.#thread !== undefined && !this.#thread.engine.ended;
  }

  /**
   * Who was signed in here when the last engine left, or is now. Never throws: a home that cannot
   * be read is one nobody used.
   */
  async homeSummary(): Promise<HomeSummary> {
    const disk = createNodeDisk();
    const read = async (file: string, field: string): Promise<string> => {
      try {
        return (await readSmallFile(disk, file, (fields) => textField(fields, field))) ?? '';
      } catch (error) {
        if (!isShoalError(error, 'newerFormat')) this.#log.warn('cannot read a file of the home', { error });
        return '';
      }
    };
    const [account, url] = await Promise.all([
      read(this.home.accountFile, 'account'),
      read(this.home.trackerFile, 'url'),
    ]);
    return { isSignedIn: account !== '', knowsTracker: url !== '' };
  }

  /** This window ends. An engine in its thread is told, so that it ends cleanly. */
  async close(): Promise<void> {
    if (!this.isEngineHere || !this.#thread?.connection.isOpen) return;
    try {
      await retire(this.#thread);
    } catch (error) {
      this.#log.warn('engine did not stop cleanly', { error });
    }
  }

  get #worldHere(): World {
    // An identity is shown to nobody here: the local socket has none. It is made when it is first
    // needed, not at activation.
    return (this.#world ??= createNodeWorld({ identity: createIdentity(), log: this.#log }));
  }
}
