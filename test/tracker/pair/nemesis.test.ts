// The pair under everything that can happen to machines (support/scenarios/nemesis.ts): as many
// seeds as the time allows, and every rule broken on purpose, which must be noticed.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BREAKAGES, broken } from '../../support/scenarios/breakages.ts';
import { nemesis } from '../../support/scenarios/nemesis.ts';
import type { Tally } from '../../support/scenarios/nemesis.ts';

/** For how long new seeds are tried, in ms of real time; at least so many. */
const TRY_MS = 90_000;
const SEEDS_MIN = 100;
const RESULTS = fileURLToPath(new URL('../../../test-results/', import.meta.url));

/** Seeds that have failed once. */
const KEPT = [178, 100_967, 300_856];

describe('the pair under a nemesis', function () {
  this.timeout(300_000);

  for (const seed of KEPT) it(`no longer fails as it did under seed ${seed}`, () => nemesis(seed));

  it('loses nothing that was acknowledged, and agrees in the end, whatever happens', async () => {
    const sum: Record<keyof Tally, number> = {
      both: 0,
      one: 0,
      refused: 0,
      kills: 0,
      cuts: 0,
      wipes: 0,
      restored: 0,
      conflicts: 0,
      snapshots: 0,
      final: 0,
    };
    const began = performance.now();
    let seeds = 0;
    for (; seeds < SEEDS_MIN || performance.now() - began < TRY_MS; seeds++) {
      for (const [name, value] of Object.entries(await nemesis(seeds + 1)) as [keyof Tally, number][]) {
        sum[name] += value;
      }
    }
    // A nemesis that does nothing proves nothing.
    for (const [name, value] of Object.entries(sum)) {
      assert.ok(value > seeds / 5, `${name}: ${value} in ${seeds} seeds`);
    }
  });

  describe('notices a tracker that', () => {
    let folder: string;
    before(() => (folder = mkdtempSync(path.join(RESULTS, 'breakages-'))));
    after(() => rmSync(folder, { recursive: true }));

    for (const [n, breakage] of BREAKAGES.entries()) {
      it(`${breakage.what} (seed ${breakage.seed})`, async () => {
        const simulation = await broken(breakage, folder, n);
        await assert.rejects(simulation(breakage.seed));
      });
    }
  });
});
