// `npm run vscode -- --browser` itself: what it prints is true, its windows show two people in a
// group, and nothing of it stays.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { RealProcesses } from '../support/processes/realProcesses.ts';
import { closeBrowser, newPerson } from './driver/browser.ts';
import { CodeWindow } from './pages/codeWindow.ts';

const SCRIPT = path.join(import.meta.dirname, '../run/vscode.ts');

describe('npm run vscode', function () {
  this.timeout(240_000);
  const processes = new RealProcesses();
  const temporary = processes.makeFolder('t'); // short: sockets go into it
  after(async () => {
    await closeBrowser();
    await processes.close();
  });

  function run(...args: readonly string[]): {
    readonly child: ChildProcess;
    readonly stdout: () => string;
    readonly output: () => string;
  } {
    const child = spawn(process.execPath, [SCRIPT, ...args], {
      env: { ...process.env, TMPDIR: temporary, TEMP: temporary, SHOAL_VSCODE: undefined },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    processes.adopt(child);
    let stdout = '';
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => ((output += chunk.toString()), (stdout += chunk.toString())));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return { child, stdout: () => stdout, output: () => output };
  }
  const ended = async ({ child }: { readonly child: ChildProcess }): Promise<number | null> =>
    child.exitCode ?? ((await once(child, 'close')) as [number | null])[0];

  /**
   * Processes that have to do with the temporary folder: by their words, or by their environment,
   * as extension hosts do. None where the system does not tell.
   */
  function runningIn(folder: string): readonly string[] {
    if (!existsSync('/proc/self/cmdline')) return [];
    return readdirSync('/proc')
      .filter((id) => /^\d+$/.test(id) && Number(id) !== process.pid)
      .flatMap((id) => {
        try {
          const [words, variables] = ['cmdline', 'environ'].map((name) =>
            readFileSync(`/proc/${id}/${name}`, 'utf8'),
          ) as [string, string];
          return words.includes(folder) || variables.includes(folder) ? [`${id} ${words.replaceAll('\0', ' ')}`] : [];
        } catch {
          return []; // it ended while we looked
        }
      });
  }

  /** On a Mac, where paths of temporary folders are long, VS Code's sockets stay beside it. */
  const foldersLeft = (): readonly string[] => readdirSync(temporary).filter((name) => name.startsWith('shoal'));

  it('opens two windows of two people in one group, and ends without a trace', async () => {
    const started = run('--browser');
    const urls = await new Promise<ReadonlyMap<string, string>>((resolve, reject) => {
      started.child.stdout?.on('data', () => {
        const found = new Map(
          [...started.stdout().matchAll(/^ +(alice|bob) +(http:\S+)$/gm)].map(([, name = '', url = '']) => [name, url]),
        );
        if (/Ctrl-C/.test(started.stdout())) resolve(found);
      });
      started.child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${started.output()}`)));
    });
    assert.deepEqual([...urls.keys()], ['alice', 'bob'], started.output());

    const context = await newPerson(); // one browser for both, as people do it
    const windows = await Promise.all([...urls].map(([name, url]) => CodeWindow.openAt(context, name, url)));
    for (const window of windows) {
      await window.until('the account in the status bar', () => window.statusBarItem(`Shoal: ${window.name}`));
      assert.ok(
        (await window.explorerRows()).some(
          ({ label }) => label === (window.name === 'alice' ? 'dataset.bin' : 'notes.md'),
        ),
      );
      await window.openView('Shoal');
      await window.row('Groups', 'harbour');
      assert.match(
        (await window.until('the welcome text of Files', () => window.welcome('Files'))).text,
        /^Nothing is shared in your groups yet/,
      );
      await window.screenshot(`try-out-${window.name}`);
      await window.reload(); // the address bar has lost the token by now
      await window.until('the account in the status bar again', () => window.statusBarItem(`Shoal: ${window.name}`));
    }
    const inside = runningIn(temporary);
    if (process.platform === 'linux') {
      assert.ok(
        ['tracker.js', 'server-main.js', 'engine.js', 'extensionHost'].every((word) =>
          inside.some((line) => line.includes(word)),
        ),
        inside.join('\n'),
      );
    }

    const gate = new URL(urls.get('alice') ?? '');
    assert.equal((await fetch(gate.origin)).status, 403, 'who does not have the token stays outside');

    started.child.kill('SIGINT');
    assert.equal(await ended(started), 0, started.output());
    assert.match(started.output(), /Nothing is left behind\.\n$/);
    assert.deepEqual(runningIn(temporary), []);
    assert.deepEqual(foldersLeft(), []);
    await context.close();
  });

  it('ends as well when it is interrupted on the way', async () => {
    const started = run('--browser');
    await new Promise<void>((resolve, reject) => {
      started.child.stdout?.on('data', () => /two VS Code servers/.test(started.stdout()) && resolve());
      started.child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${started.output()}`)));
    });
    started.child.kill('SIGTERM');
    assert.equal(await ended(started), 0, started.output());
    assert.doesNotMatch(started.output(), /http:/);
    assert.deepEqual(runningIn(temporary), []);
    assert.deepEqual(foldersLeft(), []);
  });

  it('explains itself, and refuses words that it does not know', async () => {
    const help = run('--help');
    assert.equal(await ended(help), 0);
    assert.match(help.stdout(), /usage: npm run vscode/);
    const wrong = run('--brwoser');
    assert.equal(await ended(wrong), 2);
    assert.match(wrong.output(), /'--brwoser'[^]*usage: npm run vscode/);
    assert.equal(wrong.stdout(), '');
  });
});
