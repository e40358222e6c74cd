// The runner of jobs: a job may be slow, as long as its tests end one after the other; one in which
// nothing ends is stuck.
// Covers: test/run/jobs.ts, test/run/reporter.ts
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runJobs } from './jobs.ts';
import type { Job, Outcome } from './jobs.ts';

const SILENT_MS_MAX = 4_000;

/** A child that reports so many tests, so many ms apart, and then waits for ever or ends. */
const child = (report: string, tests: number, apartMs: number, ends: boolean): string => `
  const { appendFileSync } = require('node:fs');
  const write = (event) => appendFileSync(${JSON.stringify(report)}, JSON.stringify(event) + '\\n');
  let n = 0;
  const timer = setInterval(() => {
    if (n++ < ${tests}) return write({ is: 'begin', title: 'test ' + n }), write({ is: 'pass', title: 'test ' + n });
    ${ends ? "clearInterval(timer); write({ is: 'end' });" : 'if (n === ' + (tests + 1) + ") write({ is: 'begin', title: 'the next one' });"}
  }, ${apartMs});
`;

describe('the runner of jobs', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-jobs-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const job = (name: string, tests: number, apartMs: number, ends: boolean): Job => {
    const report = path.join(folder, `${name}.jsonl`);
    const log = path.join(folder, `${name}.log`);
    return { name, args: ['-e', child(report, tests, apartMs, ends)], log, report, silentMsMax: SILENT_MS_MAX };
  };

  it('stops a job in which nothing ends, says during what, and leaves alone one that is only slow', async () => {
    const jobs = [job('slow', 12, SILENT_MS_MAX / 8, true), job('stuck', 2, 10, false), job('silent', 0, 10, false)];
    const outcomes = await runJobs(jobs, 3);
    const of = (name: string): Outcome => outcomes.find((one) => one.name === name) ?? assert.fail(name);
    assert.deepEqual([of('slow').passed, of('slow').failures], [12, []]);
    assert.ok(of('slow').tookMs > SILENT_MS_MAX, 'the slow one was not slow');
    assert.equal(of('stuck').passed, 2);
    assert.match(of('stuck').failures.join(), /^broke off: stuck: nothing ended for .*, during: the next one/);
    assert.match(of('silent').failures.join(), /^broke off: stuck: nothing ended for/);
  });

  it('counts a check that ends well as one test, and shows what one that fails has printed', async () => {
    const check = (name: string, code: string): Job => ({
      name,
      args: ['-e', code],
      log: path.join(folder, `${name}.log`),
      silentMsMax: SILENT_MS_MAX,
    });
    const [good, bad] = await runJobs(
      [check('good', ''), check('bad', "console.log('what is wrong'); process.exit(3)")],
      1,
    );
    assert.deepEqual([good?.passed, good?.failures], [1, []]);
    assert.deepEqual([bad?.passed, bad?.failures], [0, ['exit code 3\n\nwhat is wrong']]);
  });
});
