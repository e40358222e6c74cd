// Starting the engine as a process of its own, which outlives who started it: a copy of the bundle in the home, so that an update or a
// removed checkout does not pull the file away from under it, with a neutral folder, a clean environment, and its log in the home.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { isShoalError, ShoalError, systemCode } from '../errors.ts';
import type { WireError } from '../nouns.ts';
import { fromWire } from '../wireErrors.ts';
import type { Home } from './home.ts';
import { IS_BUNDLE, VERSION } from '../version.ts';

export interface EngineProcess {
  readonly processId: number | undefined;
  /** Whether it is over. */
  readonly ended: boolean;
  /** Whether the system refused to start it at all: another way of running the engine may work. */
  readonly neverRan: boolean;
  /** Resolves when it ended because it could not be the engine. Stays pending otherwise, also when another was elected. */
  readonly whenFailed: Promise<ShoalError>;
  /** Another was elected: ends it, in case it has not noticed yet. */
  discard(): void;
}

/** What is started. */
export interface EngineProgram {
  /** The file to run: the bundle, or main.ts where the sources are run as they are. */
  readonly entry: string;
  /** The folder of the extension that starts it, if one does: the engine leaves when it was uninstalled. */
  readonly extensionFolder?: string;
}

/** The log of an engine is put aside when it has grown beyond this many bytes. */
const LOG_BYTES_MAX = 8 * 1024 * 1024;

/** What of the environment an engine gets: what finds folders and programs, nothing that changes Node or holds a secret. */
const PASSED_ON = /^(path|home|user|logname|lang|lc_\w+|tz|tmpdir|temp|tmp|xdg_\w+|userprofile|homedrive|homepath|appdata|localappdata|programdata|systemroot|windir|comspec|pathext|shoal_log)$/i;

/** @throws ShoalError homeUnusable */
export function startEngineProcess(home: Home, program: EngineProgram): EngineProcess {
  try {
    fs.mkdirSync(home.folder, { recursive: true, mode: 0o700 });
    const { output, startsAt } = openLog(home.logFile);
    try {
      return run(home, [IS_BUNDLE ? installBundle(home, program.entry) : program.entry, ...engineWords(home, program)], output, startsAt);
    } finally {
      fs.closeSync(output);
    }
  } catch (error) {
    if (isShoalError(error)) throw error;
    throw new ShoalError('homeUnusable', { path: home.folder, why: systemCode(error) ?? String(error) }, { cause: error });
  }
}

/** The command line of an engine, behind the file to run. */
export function engineWords(home: Home, { extensionFolder }: EngineProgram): readonly string[] {
  return ['engine', '--home', home.folder, ...(extensionFolder === undefined ? [] : ['--extension', extensionFolder])];
}

function run(home: Home, words: readonly string[], output: number, startsAt: number): EngineProcess {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name)));
  const child = spawn(process.execPath, words, {
    cwd: path.parse(home.folder).root,
    env: { ...environment, ...(process.versions['electron'] !== undefined && { ELECTRON_RUN_AS_NODE: '1' }) },
    stdio: ['ignore', output, output], detached: true, windowsHide: true,
  });
  child.unref();
  const state = { processId: child.pid, ended: false, neverRan: false };
  const whenFailed = new Promise<ShoalError>((resolve) => {
    const failed = (why: string): void => resolve(new ShoalError('engineUnreachable', { home: home.folder, why, log: home.logFile }));
    child.once('error', (error) => {
      state.ended = true;
      state.neverRan = child.pid === undefined;
      failed(`${process.execPath} cannot be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      state.ended = true;
      if (code === 0 || child.killed) return; // another was elected, or it was told to stop
      const said = lastWords(logSince(home.logFile, startsAt), child.pid);
      if (isShoalError(said)) resolve(said);
      else failed(`it ended with ${signal ?? `code ${code}`}${said && `: ${said}`}`);
    });
  });
  return Object.assign(state, { whenFailed, discard: () => void (state.ended || child.kill('SIGKILL')) });
}

/** The file named by its content: whoever has it running keeps it, and two builds of one version do not mix. */
function installBundle(home: Home, from: string): string {
  const bytes = fs.readFileSync(from);
  const folder = path.join(home.binFolder, `${VERSION}-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}`);
  const entry = path.join(folder, 'engine.js');
  if (fs.existsSync(entry)) return entry;
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"commonjs"}\n'); // a package.json above may say "module"
  const part = `${entry}.${process.pid}`;
  fs.writeFileSync(part, bytes);
  fs.renameSync(part, entry);
  return entry;
}

function openLog(file: string): { readonly output: number; readonly startsAt: number } {
  if ((fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) fs.renameSync(file, `${file}.old`);
  const output = fs.openSync(file, 'a', 0o600);
  return { output, startsAt: fs.fstatSync(output).size };
}

function logSince(file: string, startsAt: number): string {
  try {
    return fs.readFileSync(file).subarray(startsAt).toString('utf8');
  } catch {
    return '';
  }
}

/**
 * Why an engine ended, out of what it logged: the error it noted itself (`failure`, written by main.ts), else the message of a crash, else its
 * last line. '' when it said nothing.
 *
 * @param log  what all processes have written since it started; lines of others have another pid
 */
export function lastWords(log: string, processId: number | undefined): ShoalError | string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const plain: string[] = [];
  for (const line of lines.toReversed()) {
    const record = jsonOf(line);
    if (!record) plain.push(line.trim());
    else if (record.pid === processId && record.failure) return fromWire(record.failure);
  }
  return plain.find((line) => /^(\w*Error|FATAL ERROR)\b/.test(line)) ?? plain[0] ?? '';
}

function jsonOf(line: string): { readonly pid?: number; readonly failure?: WireError } | undefined {
  try {
    return line.startsWith('{') ? JSON.parse(line) as { pid?: number } : undefined;
  } catch {
    return undefined;
  }
}
