// The engine as a process of its own, started by the command line out of the built bundle: elected
// once, found again, gone when told to.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { ENGINE_BUNDLE } from '../support/processes/realProcesses.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the engine as a process', () => {
  let folder: string;
  let home: string;
  const engines = new Set<number>();

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-'));
    home = path.join(folder, 'home');
  });
  afterEach(() => {
    for (const id of engines) if (isAlive(id)) process.kill(id, 'SIGKILL');
    engines.clear();
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const shoal = async (
    words: readonly string[],
    { bundle = ENGINE_BUNDLE, env = {} }: { bundle?: string; env?: Record<string, string> } = {},
  ): Promise<Ran> => {
    const child = spawn(process.execPath, [bundle, ...words], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SHOAL_HOME: home, ...env },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    note();
    return { code, stdout, stderr };
  };
  /** Remembers the engine of the home, to end it by its id. */
  const note = (): number | undefined => {
    try {
      const { processId } = JSON.parse(fs.readFileSync(path.join(home, 'engine.json'), 'utf8')) as {
        processId: number;
      };
      engines.add(processId);
      return processId;
    } catch {
      return undefined; // none runs
    }
  };
  /** Any verb that needs the engine; without an account it is refused, but by the engine. */
  const touch = async (options?: Parameters<typeof shoal>[1]): Promise<void> => {
    const { code, stderr } = await shoal(['list_groups'], options);
    assert.deepEqual([code, stderr], [3, 'shoal: you are not signed in; use login first\n']);
  };
  /** Resolves when nobody answers in the home any more. */
  const silent = async (): Promise<void> => {
    for (let answers = true; answers;) {
      const socket = net.connect(path.join(home, 'engine.sock'));
      answers = await new Promise((resolve) =>
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
      );
      socket.destroy();
    }
  };
  /**
   * Resolves when an engine has taken its address back. (Its process may go on to be a zombie,
   * which is not its doing.)
   */
  const left = async (): Promise<void> => {
    while (fs.existsSync(path.join(home, 'engine.json'))) await new Promise(setImmediate);
  };

  it('is started by the first command, and is the same for the next', async () => {
    await touch();
    const first = note();
    await touch();
    assert.equal(note(), first);
    const { stdout } = await shoal(['status', '--json']);
    assert.equal((JSON.parse(stdout) as { overview: { processId: number } }).overview.processId, first);
  });

  it('is one, however many commands start it at once', async () => {
    await Promise.all(Array.from({ length: 4 }, () => touch()));
    const id = note();
    const started = fs
      .readFileSync(path.join(home, 'engine.log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"engine started"'));
    assert.equal(started.length, 1);
    assert.ok(started[0]?.includes(`"pid":${id}`));
  });

  it('is replaced after kill -9, under the same identity', async () => {
    await touch();
    const first = note() ?? 0;
    const identity = fs.readFileSync(path.join(home, 'identity.json'), 'utf8');
    process.kill(first, 'SIGKILL');
    await silent();
    await touch();
    assert.notEqual(note(), first);
    assert.equal(fs.readFileSync(path.join(home, 'identity.json'), 'utf8'), identity);
  });

  it('leaves nothing behind when it is stopped, or asked to end by the system', async () => {
    for (const end of [() => shoal(['stop']), (id: number) => process.kill(id, 'SIGTERM')]) {
      await touch();
      const id = note() ?? 0;
      await end(id);
      await left();
      assert.deepEqual(
        fs.readdirSync(home).filter((name) => /sock|engine\.json/.test(name)),
        [],
      );
    }
    assert.equal((await shoal(['stop'])).stdout, 'No engine is running.\n');
  });

  it('runs from a copy in the home, wherever the bundle was, with nothing else beside it', async () => {
    const elsewhere = path.join(folder, 'elsewhere');
    fs.mkdirSync(elsewhere);
    fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"commonjs"}'); // what npm's bin folders are in
    const bundle = path.join(elsewhere, 'engine.js');
    fs.copyFileSync(ENGINE_BUNDLE, bundle);
    await touch({ bundle });
    const id = note() ?? 0;
    fs.rmSync(elsewhere, { recursive: true });
    const [version] = fs.readdirSync(path.join(home, 'bin'));
    assert.match(version ?? '', /^\d+\.\d+\.\d+-[0-9a-f]{8}$/);
    if (process.platform === 'linux') {
      assert.ok(
        fs.readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(path.join(home, 'bin', version ?? '', 'engine.js')),
      );
      assert.equal(fs.readlinkSync(`/proc/${id}/cwd`), '/');
    }
    await touch();
  });

  it('gets no secrets and no settings of Node from who starts it', async function () {
    if (process.platform !== 'linux') this.skip(); // only there can the environment of another process be read
    await touch({ env: { SHOAL_PASSWORD: 'correct horse', NODE_OPTIONS: '--no-warnings', VSCODE_PID: '1' } });
    const names = fs
      .readFileSync(`/proc/${note()}/environ`, 'utf8')
      .split('\0')
      .map((entry) => entry.split('=')[0]);
    assert.ok(names.includes('PATH'));
    assert.deepEqual(
      names.filter((name) => /SHOAL|NODE|VSCODE|npm/i.test(name ?? '')),
      [],
    );
  });

  it('keeps its files to its owner', async function () {
    if (process.platform === 'win32') this.skip(); // there a profile's folders are
    await touch();
    const open = fs
      .readdirSync(home)
      .filter((name) => !/^engine\.(sock|lock)$/.test(name) && (fs.statSync(path.join(home, name)).mode & 0o077) !== 0);
    assert.deepEqual(open, []);
    assert.equal(fs.statSync(home).mode & 0o777, 0o700);
  });

  it('says why it cannot start, in the words of the error', async () => {
    fs.mkdirSync(home, { recursive: true });
    fs.writeFileSync(path.join(home, 'account.json'), '{"format":99}');
    const newer = await shoal(['list_groups']);
    assert.deepEqual(
      [newer.code, newer.stderr],
      [1, `shoal: ${path.join(home, 'account.json')} was written by a newer Shoal (format 99); update this one\n`],
    );
    fs.writeFileSync(path.join(home, 'account.json'), 'not json');
    const damaged = await shoal(['list_groups']);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stderr, /account\.json is damaged .*; it was kept as it is/);
    assert.equal(fs.readFileSync(path.join(home, 'account.json'), 'utf8'), 'not json');
  });

  it('says when the home cannot be used', async () => {
    fs.writeFileSync(home, 'a file');
    for (const verb of ['list_groups', 'status', 'stop']) {
      const { code, stderr } = await shoal([verb]);
      assert.deepEqual([code, stderr], [1, `shoal: the folder ${home} cannot be used (ENOTDIR)\n`]);
    }
  });
});

function isAlive(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}
