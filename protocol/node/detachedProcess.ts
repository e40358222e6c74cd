// Starting a program of ours that outlives who started it, an engine or a tracker: from a copy of
// its bundle, so that an update or a removed checkout does not pull the file away from under it;
// with a neutral folder, a clean environment, and its output in a log.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { IS_BUNDLE, VERSION } from './version.ts';

/** A log is put aside when it has grown beyond this many bytes. */
const LOG_BYTES_MAX = 8 * 1024 * 1024;

/**
 * What of the environment is passed on: what finds folders and programs, nothing that changes Node
 * or holds a secret.
 */
const INHERITED_VARIABLES = new RegExp(
  '^(path|home|user|logname|lang|lc_\\w+|tz|tmpdir|temp|tmp|xdg_\\w+|' +
    'userprofile|homedrive|homepath|appdata|localappdata|programdata|systemroot|windir|comspec|pathext|' +
    'shoal_log)$',
  'i',
);

/**
 * @param words  the file to run and its arguments
 * @param output  descriptor of the file that takes what it prints
 */
export function spawnDetached(words: readonly string[], output: number): ChildProcess {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => INHERITED_VARIABLES.test(name)),
  );
  const child = spawn(process.execPath, words, {
    cwd: path.parse(process.execPath).root,
    env: { ...environment, ...nodeInElectron() },
    stdio: ['ignore', output, output],
    detached: true,
    windowsHide: true,
  });
  child.unref();
  return child;
}

/**
 * What makes VS Code's own program behave as the Node in it; nothing where this process is a plain
 * Node.
 */
export const nodeInElectron = (): Readonly<Record<string, string>> =>
  process.versions['electron'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' };

/**
 * The file to run, kept in `binFolder` where it is a bundle. It is named by its content: whoever
 * has it running keeps it, and two builds of one version do not mix.
 */
export function keepBundle(binFolder: string, from: string): string {
  if (!IS_BUNDLE) return from;
  const bytes = fs.readFileSync(from);
  const folder = path.join(binFolder, `${VERSION}-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}`);
  const entry = path.join(folder, path.basename(from));
  if (fs.existsSync(entry)) return entry;
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"commonjs"}\n'); // a package.json above may say "module"
  const part = `${entry}.${process.pid}`;
  fs.writeFileSync(part, bytes);
  fs.renameSync(part, entry);
  return entry;
}

/**
 * Removes bundles that nobody runs from any more: those older than `running`. Only for whoever was
 * elected in this home.
 */
export function removeOldBundles(binFolder: string, running: string): void {
  const own = path.dirname(running);
  if (path.dirname(own) !== binFolder) return;
  const madeMs = fs.statSync(own).mtimeMs; // one that is younger may be about to be started
  for (const name of fs.readdirSync(binFolder)) {
    const other = path.join(binFolder, name);
    if (fs.statSync(other).mtimeMs < madeMs) fs.rmSync(other, { recursive: true, force: true });
  }
}

/** Opens a log to append to. `startsAt`: its size, in bytes, before anything is added. */
export function openLog(file: string): { readonly output: number; readonly startsAt: number } {
  if ((fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) fs.renameSync(file, `${file}.old`);
  const output = fs.openSync(file, 'a', 0o600);
  return { output, startsAt: fs.fstatSync(output).size };
}

/** What was added to a log since; '' when it cannot be read. */
export function logSince(file: string, startsAt: number): string {
  try {
    return fs.readFileSync(file).subarray(startsAt).toString('utf8');
  } catch {
    return '';
  }
}
