// Downloads under everything that can happen to a disk (support/scenarios/powerCut.ts): thousands
// of seeds, and every rule broken on purpose, which must be noticed. `npm run sim -- downloads`
// runs as many as one likes.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { broken } from '../../../support/scenarios/breakages.ts';
import { DOWNLOAD_BREAKAGES, DOWNLOADS } from '../../../support/scenarios/downloadBreakages.ts';
import { powerCut } from '../../../support/scenarios/powerCut.ts';
import type { Tally } from '../../../support/scenarios/powerCut.ts';

const SEEDS = 20_000;
const RESULTS = fileURLToPath(new URL('../../../../test-results/', import.meta.url));

describe('a download', function () {
  this.timeout(300_000);

  it(`survives kills, power cuts and people: ${SEEDS} seeds`, async () => {
    const sum: Record<keyof Tally, number> = {
      kills: 0,
      cuts: 0,
      wrong: 0,
      checkpoints: 0,
      believed: 0,
      found: 0,
      failedSyncs: 0,
      deleted: 0,
      inTheWay: 0,
      withoutLinks: 0,
      repairs: 0,
    };
    for (let seed = 1; seed <= SEEDS; seed++) {
      for (const [name, value] of Object.entries(await powerCut(seed)) as [keyof Tally, number][]) sum[name] += value;
    }
    // A nemesis that does nothing proves nothing.
    for (const [name, value] of Object.entries(sum)) {
      assert.ok(value > SEEDS / 50, `${name}: ${value} in ${SEEDS} seeds`);
    }
  });

  describe('is noticed when it', () => {
    let folder: string;
    before(() => {
      mkdirSync(RESULTS, { recursive: true });
      folder = mkdtempSync(path.join(RESULTS, 'breakages-'));
    });
    after(() => rmSync(folder, { recursive: true }));

    for (const [n, breakage] of DOWNLOAD_BREAKAGES.entries()) {
      it(`${breakage.what} (seed ${breakage.seed})`, async () => {
        const simulation = await broken(breakage, folder, n, DOWNLOADS);
        await assert.rejects(simulation(breakage.seed));
      });
    }
  });
});
