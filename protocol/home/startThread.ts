// Starting the engine in a worker thread of the program that needs it: where no process can be
// started. It ends with that program.
import { Worker } from 'node:worker_threads';
import { ShoalError } from '../base/errors.ts';
import type { Home } from './homeLayout.ts';
import type { EngineProcess, EngineProgram } from './startProcess.ts';
import { engineArguments } from './startProcess.ts';

const MARK = 'shoal engine';

/** How a thread is told what to run; another thread of the same bundle hashes. */
interface ThreadData {
  readonly is: typeof MARK;
  readonly args: readonly string[];
}

/** The command line of the thread that runs this, if it was started here. */
export function threadArguments(data: unknown): readonly string[] | undefined {
  const { is, args } = (typeof data === 'object' && data !== null ? data : {}) as Partial<ThreadData>;
  return is === MARK ? args : undefined;
}

export function startEngineThread(home: Home, program: EngineProgram): EngineProcess {
  const data: ThreadData = { is: MARK, args: engineArguments(home, program) };
  const worker = new Worker(program.entry, { workerData: data, stdout: true, stderr: true });
  let said = '';
  worker.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
  worker.stdout.resume();
  const state = { processId: process.pid, ended: false, hasNeverRun: false };
  const whenFailed = new Promise<ShoalError>((resolve) => {
    const failed = (why: string): void =>
      resolve(new ShoalError('engineUnreachable', { home: home.folder, why, log: home.logFile }));
    worker.once('error', (error: Error) => failed(error.message));
    worker.once('exit', (code) => {
      state.ended = true;
      if (code !== 0) failed(said.trim() || `its thread ended with code ${code}`);
    });
  });
  return Object.assign(state, { whenFailed, discard: () => void worker.terminate() });
}
