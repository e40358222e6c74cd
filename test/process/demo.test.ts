// `npm start` itself: it must end with the truth, and leave nothing behind, however it ends.
import assert from 'node:assert';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { RealProcesses } from '../support/processes/realProcesses.ts';

const DEMO = fileURLToPath(new URL('../run/demo.ts', import.meta.url));

describe('npm start', function () {
  this.timeout(120_000);
  let processes: RealProcesses;
  beforeEach(() => (processes = new RealProcesses()));
  afterEach(() => processes.close());

  function start(args: readonly string[]): {
    child: ReturnType<typeof spawn>;
    output: () => string;
    temporary: string;
  } {
    const temporary = processes.makeFolder('tmp');
    const env = { ...process.env, TMPDIR: temporary, SHOAL_DEMO_SECONDS: '3', INIT_CWD: processes.folder };
    const child = spawn(process.execPath, [DEMO, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    processes.adopt(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return { child, output: () => output, temporary };
  }

  /**
   * Processes that still run on anything in a folder; where the system does not tell (no /proc),
   * none.
   */
  function leftIn(folder: string): readonly string[] {
    if (!existsSync('/proc/self/cmdline')) return [];
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((id) => {
        try {
          const line = readFileSync(`/proc/${id}/cmdline`, 'utf8');
          return line.includes(folder) ? [line.replaceAll('\0', ' ')] : [];
        } catch {
          return []; // it ended while we looked
        }
      });
  }

  it('carries a file of mine to three people while a tracker dies, and leaves nothing behind', async () => {
    writeFileSync(path.join(processes.folder, 'my file.bin'), randomBytes(9 * 512 * 1024 + 1));
    const { child, output, temporary } = start(['my file.bin']);
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 0, output());
    assert.match(output(), /tracker 1 was killed/);
    assert.equal(output().match(/the same$/gm)?.length, 3, output());
    assert.deepEqual(leftIn(temporary), []);
    assert.deepEqual(readdirSync(temporary), []);
  });

  it('says so when there is no such file', async () => {
    const { child, output } = start(['nowhere']);
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 2);
    assert.match(output(), /nowhere is not a file/);
  });

  it('leaves no process behind when it is interrupted', async () => {
    writeFileSync(path.join(processes.folder, 'file'), randomBytes(4 * 1024 * 1024));
    const { child, output, temporary } = start(['file']);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', () => output().includes('download it at the same time') && resolve());
      child.once('exit', () => reject(new Error(output())));
    });
    assert.notDeepEqual(leftIn(temporary), []);
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 130);
    // killed; the system takes a moment
    while (leftIn(temporary).length > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(existsSync(temporary) && readdirSync(temporary).length, 0);
  });
});
