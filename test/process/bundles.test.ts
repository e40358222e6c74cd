// The bundles as somebody gets them: one file each, anywhere, also under a Node that is too old.
import assert from 'node:assert';
import { copyFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ENGINE_BUNDLE, RealProcesses, TRACKER_BUNDLE } from '../support/processes/realProcesses.ts';

describe('the bundles', function () {
  this.timeout(60_000);
  let processes: RealProcesses;
  beforeEach(() => (processes = new RealProcesses()));
  afterEach(() => processes.close());

  for (const bundle of [ENGINE_BUNDLE, TRACKER_BUNDLE]) {
    const name = path.basename(bundle);

    it(`${name} runs alone, copied into an empty folder`, async () => {
      const copy = path.join(processes.makeFolder('alone'), name);
      copyFileSync(bundle, copy);
      const { code, stdout, stderr } = await processes.run(copy, ['--help']);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /Usage: shoal/);
    });

    it(`${name} is a program: run bit and first line`, async () => {
      if (process.platform !== 'win32') assert.ok((statSync(bundle).mode & 0o111) !== 0);
      const { stdout } = await processes.run(bundle, [bundle === ENGINE_BUNDLE ? '--version' : '-V']);
      assert.match(stdout, /^(shoal )?\d+\.\d+\.\d+/);
    });

    it(`${name} says in one sentence that a Node is too old`, async () => {
      // What an old Node says of itself, said by this one: the check must come before anything that
      // the old one lacks.
      const pretend = path.join(processes.folder, 'old.cjs');
      writeFileSync(
        pretend,
        `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } }); process.argv.splice(1, 1); require(${JSON.stringify(bundle)});`,
      );
      const { code, stdout, stderr } = await processes.run(pretend, [bundle, '--help']);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^shoal(-tracker)? needs Node 22\.13 or newer, and this is Node 18\.20\.4[^\n]*\n$/);
    });
  }
});
