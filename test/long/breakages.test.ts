// Rules of the pair that are broken on purpose: for each, seeds are tried until one notices. npm
// test replays the stored ones (test/tracker/pair/nemesis.test.ts).
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BREAKAGES, broken, firstSeed } from '../support/scenarios/breakages.ts';

const SEEDS_MAX = 3_000;
const RESULTS = fileURLToPath(new URL('../../test-results/', import.meta.url));

describe('some seed notices a tracker that', function () {
  this.timeout(30 * 60_000);
  let folder: string;
  before(() => {
    mkdirSync(RESULTS, { recursive: true });
    folder = mkdtempSync(path.join(RESULTS, 'breakages-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [n, breakage] of BREAKAGES.entries()) {
    it(breakage.what, async () => {
      assert.ok(await firstSeed(await broken(breakage, folder, n), SEEDS_MAX), `not noticed in ${SEEDS_MAX} seeds`);
    });
  }
});
