// The same as in test/process/kills.test.ts, ten times as long.
import { killAgainAndAgain } from '../support/kills.ts';
import { SeededChance } from '../support/seededChance.ts';

const KILLS = 200;
const SEED = process.env['KILLS_SEED'] ?? String(Date.now() % 1_000_000);

describe('a pair of trackers under load, for long', function () {
  this.timeout(60 * 60_000);

  it(`loses nothing that was acknowledged in ${KILLS} kills (KILLS_SEED=${SEED})`, async () => {
    process.stdout.write(`      ${await killAgainAndAgain(KILLS, new SeededChance(SEED))}\n`);
  });
});
