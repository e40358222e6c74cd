// Starting the engine as a process of its own, which outlives who started it, and why it ended if
// it did.
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { keepBundle, logSince, openLog, spawnDetached } from '../node/detachedProcess.ts';
import { isShoalError, ShoalError, systemCode } from '../base/errors.ts';
import type { WireError } from '../base/fields.ts';
import { fromWire } from '../wire/wireErrors.ts';
import type { Home } from './homeLayout.ts';

export interface EngineProcess {
  readonly processId: number | undefined;
  /** Whether it is over. */
  readonly ended: boolean;
  /** Whether the system refused to start it at all: another way of running the engine may work. */
  readonly hasNeverRun: boolean;
  /**
   * Resolves when it ended because it could not be the engine. Stays pending otherwise, also when
   * another was elected.
   */
  readonly whenFailed: Promise<ShoalError>;
  /** Another was elected: ends it, in case it has not noticed yet. */
  discard(): void;
}

/** What is started. */
export interface EngineProgram {
  /** The file to run: the bundle, or main.ts where the sources are run as they are. */
  readonly entry: string;
  /**
   * The folder of the extension that starts it, if one does: the engine leaves when it was
   * uninstalled.
   */
  readonly extensionFolder?: string;
}

/**
 * For Node.js: an engine makes much that lives shortly, and would take 50 MiB for that by default;
 * with 4 it is as fast.
 */
export const ENGINE_FLAGS: readonly string[] = ['--max-semi-space-size=4'];

/** @throws ShoalError homeUnusable */
export function startEngineProcess(home: Home, program: EngineProgram): EngineProcess {
  try {
    fs.mkdirSync(home.folder, { recursive: true, mode: 0o700 });
    const { output, startsAt } = openLog(home.logFile);
    try {
      return run(
        home,
        [...ENGINE_FLAGS, keepBundle(home.binFolder, program.entry), ...engineArguments(home, program)],
        output,
        startsAt,
      );
    } finally {
      fs.closeSync(output);
    }
  } catch (error) {
    if (isShoalError(error)) throw error;
    throw new ShoalError(
      'homeUnusable',
      { path: home.folder, why: systemCode(error) ?? String(error) },
      { cause: error },
    );
  }
}

/** The command line of an engine, behind the file to run. */
export function engineArguments(home: Home, { extensionFolder }: EngineProgram): readonly string[] {
  return ['engine', '--home', home.folder, ...(extensionFolder === undefined ? [] : ['--extension', extensionFolder])];
}

function run(home: Home, words: readonly string[], output: number, startsAt: number): EngineProcess {
  let child: ChildProcess;
  try {
    child = spawnDetached(words, output);
  } catch (error) {
    // Node throws what a system's policy says (EPERM, UNKNOWN), and tells of other refusals by an
    // event.
    const failure = new ShoalError(
      'engineUnreachable',
      {
        home: home.folder,
        why: `${process.execPath} cannot be started: ${(error as Error).message}`,
        log: home.logFile,
      },
      { cause: error },
    );
    return { processId: undefined, ended: true, hasNeverRun: true, whenFailed: Promise.resolve(failure), discard() {} };
  }
  const state = { processId: child.pid, ended: false, hasNeverRun: false };
  const whenFailed = new Promise<ShoalError>((resolve) => {
    const failed = (why: string): void =>
      resolve(new ShoalError('engineUnreachable', { home: home.folder, why, log: home.logFile }));
    child.once('error', (error) => {
      state.ended = true;
      state.hasNeverRun = child.pid === undefined;
      failed(`${process.execPath} cannot be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      state.ended = true;
      if (code === 0 || child.killed) return; // another was elected, or it was told to stop
      const said = lastLogLines(logSince(home.logFile, startsAt), child.pid);
      if (isShoalError(said)) resolve(said);
      else failed(`it ended with ${signal ?? `code ${code}`}${said && `: ${said}`}`);
    });
  });
  return Object.assign(state, { whenFailed, discard: () => void (state.ended || child.kill('SIGKILL')) });
}

/**
 * Why an engine ended, out of what it logged: the error it noted itself (`failure`, written by
 * main.ts), else the message of a crash, else its last line. '' when it said nothing.
 *
 * @param log  what all processes have written since it started; lines of others have another pid
 */
export function lastLogLines(log: string, processId: number | undefined): ShoalError | string {
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
    return line.startsWith('{') ? (JSON.parse(line) as { pid?: number }) : undefined;
  } catch {
    return undefined;
  }
}
