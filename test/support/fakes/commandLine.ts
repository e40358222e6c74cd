// A command line under test, in a home of its own: its real words, host and socket around an engine
// that only pretends. Holds what a test looks at or changes, made anew before each test and gone
// after it; knows nothing of what any verb does.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runCli } from '../../../extension/engine/cli.ts';
import type { EngineConnector } from '../../../extension/engine/cli/session.ts';
import type { LocalServer } from '../../../extension/engine/daemon/localServer.ts';
import { homeAt } from '../../../protocol/home/homeLayout.ts';
import type { EngineConnection } from '../../../protocol/home/connectEngine.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import { createNodeWorld } from '../../../protocol/node/nodeWorld.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import { FakeEngine } from './fakeEngine.ts';
import { enginesOf } from './fakeEngines.ts';
import { FakeTerminal } from './fakeTerminal.ts';
import { ManualClock } from '../simulation/manualClock.ts';

const world = createNodeWorld({ identity: createIdentity(), log: silentLog });

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class CommandLine {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-'));
  readonly terminal = new FakeTerminal({
    workFolder: this.folder,
    environment: { SHOAL_HOME: path.join(this.folder, 'home') },
  });
  readonly clock = new ManualClock();
  /** What a command starts; a test may put another one here first. */
  engine = new FakeEngine();
  /** The host that a command has started. */
  host: LocalServer | undefined;
  readonly #engines: EngineConnector = enginesOf(
    world,
    () => this.engine,
    (started) => (this.host = started),
  );

  /** Runs a command. Returns all that the terminal shows when it is done. */
  async run(...words: string[]): Promise<Ran> {
    const exit = await runCli(words, {
      terminal: this.terminal,
      engines: this.#engines,
      world: { ...world, clock: this.clock },
    });
    return { exit, stdout: this.terminal.stdout, stderr: this.terminal.stderr };
  }

  /** Has the engine run before any command does. */
  start(): Promise<EngineConnection> {
    return this.#engines.connect(homeAt(path.join(this.folder, 'home')), {
      overviewChanged() {},
      transfersChanged() {},
      presenceChanged() {},
      swarmChanged() {},
      event() {},
    });
  }

  async end(): Promise<void> {
    await this.host?.leave();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
