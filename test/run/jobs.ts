// Runs jobs (each one Node process in a process group of its own), a few at a time, and tells how
// each is going. Knows nothing of what they test.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { readReport } from './reporter.ts';

/** A job is a check, which counts as one test, or a run of mocha, which has a report. */
export interface Job {
  readonly name: string;
  readonly args: readonly string[];
  /** Where its output goes. */
  readonly log: string;
  /** Where a run of mocha reports. */
  readonly report?: string;
  /** No test is also a result: the person asked for some titles only. */
  readonly mayBeEmpty?: boolean;
  /**
   * A job in which no test ends for so long is stuck, in ms: it is killed and has failed. It may take
   * any time in all: a machine may be slow. A check, which reports nothing, has this long in all.
   */
  readonly silentMsMax: number;
}

export interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly skipped: number;
  readonly failures: readonly string[];
  readonly tookMs: number;
}

/** A child that was asked to stop by SIGINT has this long for its clean-up. */
const CLEANUP_MS = 5_000;
const HEARTBEAT_MS = 30_000;
/** How often it is checked whether a job gets on, at least, in ms. */
const LOOK_MS_MAX = 5_000;

interface Running {
  readonly job: Job;
  readonly child: ChildProcess;
  readonly since: number;
}
const running = new Set<Running>();
const isLive = process.stdout.isTTY;
let paintedLines = 0;
let isStopping = false;

/** Runs all jobs, `atOnce` at a time, in their order. */
export async function runJobs(jobs: readonly Job[], atOnce: number): Promise<Outcome[]> {
  const waiting = [...jobs];
  const outcomes: Outcome[] = [];
  const ticker = setInterval(isLive ? paint : sayWhatRuns, isLive ? 500 : HEARTBEAT_MS);
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const outcome = await runJob(job);
      if (isStopping) return new Promise<never>(() => {}); // half a result is none: stopOnSignals ends this process
      outcomes.push(outcome);
      const { passed, skipped, failures, tookMs } = outcome;
      print(`${failures.length ? '✗' : '✓'} ${line(job, { passed, failed: failures.length, skipped }, tookMs)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  clearInterval(ticker);
  return outcomes;
}

/** Stops what runs, gently first, and ends this process. */
export function stopOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      isStopping = true;
      print('stopping …');
      for (const { child } of running) kill(child, 'SIGINT');
      const code = 128 + constants.signals[signal];
      const leave = () => {
        for (const { child } of running) kill(child, 'SIGKILL');
        process.exit(code);
      };
      setTimeout(leave, CLEANUP_MS);
      setInterval(() => {
        if (running.size === 0) leave();
      }, 50);
    });
  }
}

async function runJob(job: Job): Promise<Outcome> {
  const since = Date.now();
  const log = openSync(job.log, 'w');
  const child = spawn(process.execPath, job.args, {
    stdio: ['ignore', log, log],
    detached: process.platform !== 'win32',
    env: plainEnvironment(),
  });
  closeSync(log);
  const entry = { job, child, since };
  running.add(entry);
  paint();

  let isStuck = false;
  const watch = watchForSilence(job, () => {
    isStuck = true;
    kill(child, 'SIGKILL');
  });
  const end = await new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(signal ?? (code ? `exit code ${code}` : '')));
  });
  clearInterval(watch);
  kill(child, 'SIGKILL'); // what it left behind in its group
  running.delete(entry);

  const trouble = isStuck ? `stuck: nothing ended for ${job.silentMsMax / 60_000} minutes` : end;
  return { name: job.name, tookMs: Date.now() - since, ...judge(job, trouble) };
}

/** Calls once when nothing in a job has ended for too long. */
function watchForSilence({ report, silentMsMax }: Job, onSilent: () => void): NodeJS.Timeout {
  let ended = 0;
  let endedMs = Date.now();
  const timer = setInterval(
    () => {
      const { passed, failed, skipped } = report ? readReport(report) : { passed: 0, failed: 0, skipped: 0 };
      if (passed + failed + skipped > ended) endedMs = Date.now();
      ended = passed + failed + skipped;
      if (Date.now() - endedMs < silentMsMax) return;
      clearInterval(timer);
      onSilent();
    },
    Math.min(LOOK_MS_MAX, silentMsMax / 10),
  );
  return timer;
}

function judge(job: Job, trouble: string): Pick<Outcome, 'passed' | 'skipped' | 'failures'> {
  const log = () => readFileSync(job.log, 'utf8').trim();
  if (!job.report) {
    return trouble
      ? { passed: 0, skipped: 0, failures: [`${trouble}\n\n${log()}`] }
      : { passed: 1, skipped: 0, failures: [] };
  }

  const { passed, skipped, failures, isComplete, running } = readReport(job.report);
  const problem = !isComplete
    ? `broke off: ${trouble || 'no report'}${running ? `, during: ${running}` : ''}`
    : trouble && failures.length === 0
      ? `all its tests passed, but then: ${trouble}`
      : passed + skipped + failures.length === 0 && !job.mayBeEmpty
        ? 'has no tests'
        : undefined;
  return { passed, skipped, failures: problem ? [...failures, `${problem}\n\n${log()}`] : failures };
}

/** The whole group: a job's children, too. */
function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform !== 'win32') process.kill(-child.pid, signal);
    else if (child.exitCode === null) spawn('taskkill', ['/pid', String(child.pid), '/t', '/f'], { stdio: 'ignore' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // nobody is left
  }
}

/** Its output goes to a file: no colours. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...rest } = process.env;
  return { ...rest, NO_COLOR: '1' };
}

function print(text: string): void {
  erase();
  process.stdout.write(`${text}\n`);
  paint();
}

/** On a terminal, what runs stands below what is done, and moves. */
function paint(): void {
  if (!isLive) return;
  erase();
  for (const entry of running) process.stdout.write(`${`… ${describe(entry)}`.slice(0, process.stdout.columns - 1)}\n`);
  paintedLines = running.size;
}

function erase(): void {
  if (paintedLines) process.stdout.write(`\x1b[${paintedLines}A\x1b[0J`);
  paintedLines = 0;
}

function sayWhatRuns(): void {
  for (const entry of running) process.stdout.write(`… ${describe(entry)}\n`);
}

function describe({ job, since }: Running): string {
  const report = job.report ? readReport(job.report) : undefined;
  const { passed = 0, failed = 0, skipped = 0 } = report ?? {};
  return `${line(job, { passed, failed, skipped }, Date.now() - since)}${report?.running ? `   ${report.running}` : ''}`;
}

function line(job: Job, count: { passed: number; failed: number; skipped: number }, tookMs: number): string {
  const counts = Object.entries(count)
    .filter(([, n]) => n > 0)
    .map(([word, n]) => `${n} ${word}`)
    .join(', ');
  return `${job.name.padEnd(28)} ${`${(tookMs / 1000).toFixed(1)} s`.padStart(8)}   ${job.report ? counts : ''}`.trimEnd();
}
