// The files that make `shoal` a command of a terminal, run by the shell of this system.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { shims } from '../../../extension/contributions/commandShims.ts';

describe('the command of a terminal', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'sh-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Writes the shim for an engine at a place; resolves to the shim's own. */
  const shimFor = (entry: string): string => {
    const [shim] = shims(process.execPath, entry, false);
    assert.ok(shim);
    const file = path.join(folder, shim.name);
    writeFileSync(file, shim.text, { mode: shim.mode });
    return file;
  };

  it('runs the engine with its words as they are, wherever it lies', function () {
    if (process.platform === 'win32') this.skip();
    const strange = path.join(folder, `it's a $HOME "folder" %PATH%`);
    mkdirSync(strange);
    const entry = path.join(strange, 'engine.cjs');
    writeFileSync(
      entry,
      'console.log(JSON.stringify([process.argv.slice(2), process.env.ELECTRON_RUN_AS_NODE])); process.exitCode = 3;',
    );
    const { stdout, status } = spawnSync(shimFor(entry), ['get', 'team', `a b'c".txt`, '$HOME', '']);
    assert.deepEqual([JSON.parse(stdout.toString()), status], [[['get', 'team', `a b'c".txt`, '$HOME', ''], '1'], 3]);
  });

  it('says what to do when the extension is no longer there', function () {
    if (process.platform === 'win32') this.skip();
    assert.throws(
      () => execFileSync(shimFor(path.join(folder, 'gone.js')), { stdio: 'pipe' }),
      /reload the window of VS Code/,
    );
  });

  it('has a file for cmd.exe on Windows, in which no part of a path is a variable', () => {
    const [, cmd] = shims('C:\\Program Files\\100%\\Code.exe', 'C:\\x\\engine.js', true);
    assert.equal(
      cmd?.text,
      '@echo off\r\nsetlocal\r\nset ELECTRON_RUN_AS_NODE=1\r\n"C:\\Program Files\\100%%\\Code.exe" "C:\\x\\engine.js" %*\r\n',
    );
    assert.equal(shims('node', 'engine.js', false).length, 1);
  });
});
