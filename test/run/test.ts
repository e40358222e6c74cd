// What `npm test` does, and CI: the checks, the suites, and at the end every failure in full and
// one line of counts.
//
//   npm test                      everything
//   npm test -- protocol lint     only suites whose path contains one of these words, and checks of that name
//   npm test -- --grep TEXT       only tests whose title matches it (mocha's --grep)
//   npm run test:long             only the long runs, test/long/
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runJobs, stopOnSignals, type Job, type Outcome } from './jobs.ts';

const JOBS_AT_ONCE = 2; // a small CI machine has two cores, and a whole-process suite is several processes
const MINUTE_MS = 60_000;
const RESULTS = 'test-results';
const TIMES = join(RESULTS, 'times.json');

const CHECKS: Record<string, string[]> = {
  format: ['node_modules/prettier/bin/prettier.cjs', '--check', '.'],
  lint: ['node_modules/eslint/bin/eslint.js', '.', '--max-warnings=0'],
  types: ['node_modules/typescript/bin/tsc', '--pretty', 'false'],
  'types of the page': ['node_modules/typescript/bin/tsc', '--pretty', 'false', '-p', 'extension/webview'],
  unused: ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'],
};

const { values: options, positionals: words } = readArguments();
const wantsAll = words.length === 0 && options.grep === undefined && !options.long;
const results = ownFolder();
stopOnSignals();
await main();

async function main(): Promise<void> {
  // First and alone: whole-process suites start the bundles, and must not start old ones.
  const build = await runJobs([check('build', ['esbuild.mjs', '--if-stale'])], 1);
  const isBuilt = build.every((outcome) => outcome.failures.length === 0);

  const jobs = [...checks(), ...suites(isBuilt)];
  const outcomes = [...build, ...(await runJobs(longestFirst(jobs), JOBS_AT_ONCE))];
  const count = (what: (outcome: Outcome) => number) => outcomes.reduce((sum, outcome) => sum + what(outcome), 0);
  const passed = count((outcome) => outcome.passed) - (isBuilt ? 1 : 0); // the build is not a test, unless it fails
  const skipped = count((outcome) => outcome.skipped);

  const failures = outcomes.flatMap((outcome) => outcome.failures.map((text) => `${outcome.name}: ${text}`));
  if (passed + skipped + failures.length === 0) failures.push(`no test fits: ${process.argv.slice(2).join(' ')}`);
  showFailures(failures);
  rememberTimes(outcomes);
  process.exitCode = failures.length ? 1 : 0;
  console.log(`${passed} passed, ${failures.length} failed, ${skipped} skipped`);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { grep: { type: 'string', short: 'g' }, long: { type: 'boolean', default: false } },
    });
  } catch (error) {
    console.error(`${(error as Error).message}\nusage: npm test -- [WORD…] [--grep TEXT]`);
    process.exit(2);
  }
}

/**
 * Every run keeps its reports apart, so that two at the same time do not mix; those of runs that
 * are over go.
 */
function ownFolder(): string {
  mkdirSync(RESULTS, { recursive: true });
  for (const name of readdirSync(RESULTS)) {
    const pid = Number(/^run-(\d+)$/.exec(name)?.[1]);
    if (pid && !isAlive(pid)) rmSync(join(RESULTS, name), { recursive: true, force: true });
  }
  const own = join(RESULTS, `run-${process.pid}`);
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own);
  return own;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function checks(): Job[] {
  return Object.entries(CHECKS)
    .filter(([name]) => wantsAll || words.includes(name))
    .map(([name, args]) => check(name, args));
}

function check(name: string, args: string[]): Job {
  return { name, args, log: join(results, `${name}.log`), silentMsMax: 60 * MINUTE_MS };
}

/**
 * One run of mocha for each folder of quick suites, and one for each suite that starts whole
 * processes: those mostly wait, so that two at a time go well together, and what one of them breaks
 * is its own. Those with a VS Code are such suites, too.
 */
function suites(isBuilt: boolean): Job[] {
  const groups = new Map<string, string[]>();
  for (const file of globSync('test/**/*.test.ts')
    .map((path) => path.replaceAll('\\', '/'))
    .sort()) {
    const [, folder = '', rest = ''] = /^test\/(?:(extension\/engine|[^/]+)\/)?(.*)\.test\.ts$/.exec(file) ?? [];
    if ((folder === 'long') !== options.long) continue;
    if (words.length && !words.some((word) => file.includes(word))) continue;
    const isWhole = folder === 'process' || folder === 'vscode' || folder === 'long';
    if (isWhole && !isBuilt) continue;
    const group = isWhole ? `${folder}/${rest}` : folder || 'test';
    groups.set(group, [...(groups.get(group) ?? []), file]);
  }
  return [...groups].map(([name, files]) => {
    const path = join(results, name.replaceAll('/', '-'));
    const grep = options.grep === undefined ? [] : ['--grep', options.grep];
    return {
      name,
      args: [
        'node_modules/mocha/bin/mocha.js',
        '--reporter',
        'test/run/reporter.ts',
        '--reporter-option',
        `output=${path}.jsonl`,
        ...grep,
        ...files,
      ],
      log: `${path}.log`,
      report: `${path}.jsonl`,
      mayBeEmpty: options.grep !== undefined,
      silentMsMax: (options.long ? 180 : 20) * MINUTE_MS,
    };
  });
}

/**
 * By what they took the last time, so that the longest does not start when all others are done. New
 * ones come first.
 */
function longestFirst(jobs: Job[]): Job[] {
  const times = lastTimes();
  const time = ({ name }: Job) => times[name] ?? Infinity;
  return jobs.toSorted((a, b) => (time(b) === time(a) ? 0 : time(b) - time(a)));
}

function rememberTimes(outcomes: Outcome[]): void {
  const times = Object.fromEntries(outcomes.map(({ name, tookMs }) => [name, tookMs]));
  if (options.grep === undefined) writeFileSync(TIMES, JSON.stringify({ ...lastTimes(), ...times }, undefined, 2));
}

function lastTimes(): Record<string, number> {
  try {
    return JSON.parse(readFileSync(TIMES, 'utf8')) as Record<string, number>;
  } catch {
    return {}; // the first run, or one that was cut off: only the order depends on it
  }
}

function showFailures(failures: string[]): void {
  failures.forEach((text, i) => console.log(`\n──── failure ${i + 1} of ${failures.length} ────\n${text}`));
  console.log(failures.length ? `\nOutput and reports: ${results}/\n` : '');
}
