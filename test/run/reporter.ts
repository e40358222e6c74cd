// A mocha reporter for the runner: each event is one JSON line of a file, written at once, so that
// a suite that crashes has already told which tests passed and which one was running.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { AssertionError } from 'node:assert';
import { relative } from 'node:path';
import { inspect } from 'node:util';
import type Mocha from 'mocha';

type TestEvent =
  | { readonly is: 'begin' | 'pass' | 'pending'; readonly title: string }
  | { readonly is: 'fail'; readonly title: string; readonly file: string; readonly error: string }
  | { readonly is: 'end' };

export interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Each failed test in words: its suite and title, its file, the error with its stack. */
  readonly failures: readonly string[];
  readonly isComplete: boolean;
  /** The title of the test that began and did not end. */
  readonly running: string | undefined;
}

export default class JsonLines {
  constructor(runner: Mocha.Runner, options: { reporterOptions: { output: string } }) {
    const { output } = options.reporterOptions;
    const write = (event: TestEvent) => appendFileSync(output, `${JSON.stringify(event)}\n`);

    writeFileSync(output, '');
    runner.on('test', (test) => write({ is: 'begin', title: fullTitle(test) }));
    runner.on('pass', (test) => write({ is: 'pass', title: fullTitle(test) }));
    runner.on('pending', (test) => write({ is: 'pending', title: fullTitle(test) }));
    runner.on('fail', (test, error) =>
      write({
        is: 'fail',
        title: fullTitle(test),
        file: test.file ? relative('', test.file) : '',
        error: inWords(error),
      }),
    );
    runner.on('end', () => write({ is: 'end' }));
  }
}

/**
 * What a run of mocha has told so far; nothing at all if it did not get as far as its first line.
 */
export function readReport(path: string): Report {
  // behind the last newline is nothing, or a line that is being written
  const lines = tryRead(path).split('\n').slice(0, -1);
  const events = lines.map((line) => JSON.parse(line) as TestEvent);
  const last = events.at(-1);
  const count = (is: TestEvent['is']) => events.filter((event) => event.is === is).length;
  return {
    passed: count('pass'),
    failed: count('fail'),
    skipped: count('pending'),
    failures: events.flatMap((event) =>
      event.is === 'fail' ? `${event.title}   (${event.file})\n\n${event.error}` : [],
    ),
    isComplete: last?.is === 'end',
    running: last?.is === 'begin' ? last.title : undefined,
  };
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function fullTitle(test: Mocha.Runnable): string {
  return test.titlePath().join(' › ');
}

/**
 * An assertion's message has its difference in it already; of any other error the fields and causes
 * matter, too.
 */
function inWords(error: unknown): string {
  if (error instanceof AssertionError) return error.stack ?? error.message;
  return inspect(error, { depth: 5, breakLength: 140 });
}
