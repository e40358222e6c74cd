// Trackers, engines and commands as the processes that people run: the built bundles, on loopback,
// in a temporary folder, each child remembered by its id and ended at the end. Used by the
// demonstration, the whole-process tests and the benchmarks.
import assert from 'node:assert';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { homeAt } from '../../../protocol/home/homeLayout.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import { findEngine } from '../../../protocol/home/connectEngine.ts';
import { ENGINE_FLAGS } from '../../../protocol/home/startProcess.ts';
import { VERSION } from '../../../protocol/node/version.ts';
import type { engineLink, Overview, Transfer } from '../../../protocol/messages/engineLink.ts';
import type { Connection } from '../../../protocol/wire/connection.ts';
import type { BodyOf } from '../../../protocol/wire/table.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import { createNodeWorld } from '../../../protocol/node/nodeWorld.ts';
import { silentLog } from '../../../protocol/base/world.ts';

const DIST = fileURLToPath(new URL('../../../dist/', import.meta.url));
export const TRACKER_BUNDLE = path.join(DIST, 'tracker.js');
export const ENGINE_BUNDLE = path.join(DIST, 'engine.js');

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Settings = BodyOf<typeof engineLink, 'configure'>;
const AS_BEFORE: Settings = {
  downLimitBytesPerS: undefined,
  upLimitBytesPerS: undefined,
  listenHost: undefined,
  listenPort: undefined,
  keepSharing: undefined,
  activeDownloads: undefined,
};

/** Everything started here ends here: `close` in a `finally` or an `after`. */
export class RealProcesses {
  /** Those that are not closed: what a signal has to end. */
  static readonly #open = new Set<RealProcesses>();
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-'));
  /** Added to the environment of every process started here. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #children = new Set<ChildProcess>();
  readonly #engines: RealEngine[] = [];

  constructor(environment: Readonly<Record<string, string>> = {}) {
    this.environment = environment;
    RealProcesses.#open.add(this);
  }

  /** Whoever is stopped by a signal leaves nothing behind. */
  static endWithThisProcess(): void {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      process.once(signal, () => {
        for (const processes of RealProcesses.#open) processes.killAll();
        process.exit(code);
      });
    }
  }

  /** A fresh folder inside the temporary one. */
  makeFolder(...names: readonly string[]): string {
    const folder = path.join(this.folder, ...names);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Runs a bundle until it ends. */
  async run(
    bundle: string,
    args: readonly string[],
    { env = {}, input = '' }: { env?: Record<string, string>; input?: string } = {},
  ): Promise<Ran> {
    const child = spawn(process.execPath, [bundle, ...args], {
      env: { ...process.env, ...this.environment, ...env },
      stdio: 'pipe',
      cwd: this.folder,
    });
    this.#children.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on('error', () => {}).end(input);
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    this.#children.delete(child);
    return { code: code ?? (signal === null ? -1 : 128), stdout, stderr };
  }

  /** Starts a bundle that stays; resolves when a line of its output fits, with that line. */
  async start(
    bundle: string,
    args: readonly string[],
    ready: RegExp,
  ): Promise<{ readonly child: ChildProcess; readonly line: string }> {
    const child = spawn(process.execPath, [bundle, ...args], {
      env: { ...process.env, ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.folder,
    });
    this.#children.add(child);
    let output = '';
    const line = await new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        const found = output.split('\n').find((text) => ready.test(text));
        if (found !== undefined) resolve(found);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', (code) =>
        reject(new Error(`${path.basename(bundle)} ${args.join(' ')} ended with ${String(code)}:\n${output}`)),
      );
    });
    return { child, line };
  }

  /** A realm with two trackers, both running. */
  async startPair(): Promise<RealPair> {
    const ports = await freePorts(2);
    const folder = path.join(this.folder, 'realm');
    const trackers = ports.flatMap((port) => ['--tracker', `127.0.0.1:${port}`]);
    const made = await this.run(TRACKER_BUNDLE, ['init', folder, ...trackers]);
    assert.equal(made.code, 0, made.stderr);
    const url = /shoal:\/\/\S+/.exec(made.stdout)?.[0];
    assert.ok(url, `no URL in: ${made.stdout}`);
    const pair = new RealPair(this, folder, url);
    await Promise.all([pair.start(1), pair.start(2)]);
    return pair;
  }

  /** A running engine with a home of its own. */
  async startEngine(name: string, url: string): Promise<RealEngine> {
    const engine = new RealEngine(this, name, homeAt(this.makeFolder('homes', name)), url);
    this.#engines.push(engine);
    await engine.start();
    return engine;
  }

  /** Alice and Bob, in the group `team` of a new realm. */
  async startTeam(): Promise<readonly [RealEngine, RealEngine]> {
    const pair = await this.startPair();
    const [alice, bob] = await Promise.all([this.startEngine('alice', pair.url), this.startEngine('bob', pair.url)]);
    await Promise.all([alice.signUp(), bob.signUp()]);
    await alice.does('create_group', 'team');
    await bob.does('join_group', 'team');
    await alice.does('accept_request', 'team', 'bob');
    return [alice, bob];
  }

  /** Remembers a child so that it ends with the others. */
  adopt(child: ChildProcess): void {
    this.#children.add(child);
  }

  /** Ends a child at once, as kill -9 does, and waits until it is gone. */
  async kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Ends all children and removes the folder. */
  async close(): Promise<void> {
    RealProcesses.#open.delete(this);
    for (const engine of this.#engines) engine.disconnect();
    await Promise.all([...this.#children].map((child) => this.kill(child)));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** The same without waiting, for signal handlers. */
  killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class RealPair {
  readonly url: string;
  readonly folder: string;
  readonly #processes: RealProcesses;
  readonly #children = new Map<number, ChildProcess>();

  constructor(processes: RealProcesses, folder: string, url: string) {
    this.#processes = processes;
    this.folder = folder;
    this.url = url;
  }

  async start(number: 1 | 2): Promise<void> {
    const { child } = await this.#processes.start(
      TRACKER_BUNDLE,
      ['serve', path.join(this.folder, `tracker-${number}`)],
      /serves shoal:\/\//,
    );
    this.#children.set(number, child);
  }

  async kill(number: 1 | 2, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#children.get(number);
    assert.ok(child, `tracker ${number} does not run`);
    this.#children.delete(number);
    await this.#processes.kill(child, signal);
  }

  processId(number: 1 | 2): number {
    return this.#children.get(number)?.pid ?? 0;
  }

  async status(number: 1 | 2): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await this.#processes.run(TRACKER_BUNDLE, [
      'status',
      path.join(this.folder, `tracker-${number}`),
      '--json',
    ]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  }
}

/** One person's engine, driven by its command line and watched over its local socket. */
export class RealEngine {
  readonly name: string;
  readonly home: Home;
  readonly url: string;
  overview: Overview | undefined;
  readonly transfers = new Map<number, Transfer>();
  readonly #processes: RealProcesses;
  readonly #watchers = new Set<() => void>();
  #child: ChildProcess | undefined;
  #connection: Connection<typeof engineLink, 'frontend'> | undefined;

  constructor(processes: RealProcesses, name: string, home: Home, url: string) {
    this.#processes = processes;
    this.name = name;
    this.home = home;
    this.url = url;
  }

  get processId(): number {
    return this.#child?.pid ?? 0;
  }
  get connection(): Connection<typeof engineLink, 'frontend'> {
    assert.ok(this.#connection, `${this.name}'s engine is not connected`);
    return this.#connection;
  }

  async start(): Promise<void> {
    this.#child = spawn(process.execPath, [...ENGINE_FLAGS, ENGINE_BUNDLE, '--home', this.home.folder, 'engine'], {
      env: { ...process.env, ...this.#processes.environment },
      stdio: 'ignore',
    });
    this.#processes.adopt(this.#child);
    const world = createNodeWorld({ identity: createIdentity(), log: silentLog });
    const handlers = {
      overviewChanged: (overview: Overview) => this.#changed(() => (this.overview = overview)),
      transfersChanged: ({ changed, gone }: { changed: readonly Transfer[]; gone: readonly number[] }) =>
        this.#changed(() => {
          for (const transfer of changed) this.transfers.set(transfer.id, transfer);
          for (const id of gone) this.transfers.delete(id);
        }),
      presenceChanged: () => {},
      swarmChanged: () => {},
      event: () => {},
    };
    for (;;) {
      const found = await findEngine({ home: this.home, world, version: VERSION, handlers });
      if (found) {
        this.#connection = found.connection;
        break;
      }
      if (this.#child.exitCode !== null) {
        throw new Error(`${this.name}'s engine ended:\n${readFileSync(this.home.logFile, 'utf8')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { overview, transfers } = await this.connection.call('watch', {});
    this.overview = overview;
    this.transfers.clear();
    for (const transfer of transfers) this.transfers.set(transfer.id, transfer);
  }

  /** Ends the engine as kill -9 does. */
  async kill(): Promise<void> {
    this.disconnect();
    if (this.#child) await this.#processes.kill(this.#child);
  }

  disconnect(): void {
    this.#connection?.destroy();
  }

  /** Runs a verb of the command line. */
  cli(...args: readonly string[]): Promise<Ran> {
    return this.#processes.run(ENGINE_BUNDLE, ['--home', this.home.folder, ...args], {
      env: { SHOAL_PASSWORD: `password of ${this.name}` },
    });
  }

  /** Runs a verb that must succeed. */
  async does(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli(...args);
    assert.equal(code, 0, `shoal ${args.join(' ')} (${this.name}): ${stderr}${stdout}`);
    return stdout;
  }

  /** Changes some settings; the others stay. */
  async configure(changes: Partial<Settings>): Promise<void> {
    await this.connection.call('configure', { ...AS_BEFORE, ...changes });
  }

  /** An account of this name, signed in. */
  async signUp(): Promise<void> {
    await this.does('--tracker', this.url, 'create_user', this.name);
    await this.does('login', this.name);
  }

  /** Resolves when what the engine tells fits; rejects when its link is lost first. */
  until<T>(found: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          const value = found();
          if (value === undefined || value === false) return;
          this.#watchers.delete(look);
          resolve(value);
        } catch (error) {
          this.#watchers.delete(look);
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.#watchers.add(look);
      void this.connection.whenEnded.then(
        () => this.#watchers.delete(look) && reject(new Error(`${this.name}'s engine is gone`)),
      );
      look();
    });
  }

  /** Resolves when a file is whole here: shared, or downloaded and published. */
  whole(name: string): Promise<Transfer> {
    return this.until(() => {
      const transfer = [...this.transfers.values()].find((one) => one.name === name);
      if (transfer?.state === 'failed' || transfer?.state === 'gone') {
        throw new Error(`${this.name}: ${name} is ${transfer.state}: ${transfer.error?.text ?? ''}`);
      }
      return transfer?.state === 'seeding' && transfer;
    });
  }

  #changed(apply: () => void): void {
    apply();
    for (const look of [...this.#watchers]) look();
  }
}

/** Ports that nobody used a moment ago. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer().listen({ host: '127.0.0.1', port: 0 });
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
