// The same as in test/process/kills.test.ts, ten times as long: two hundred kills, by four pairs,
// because a tracker reads its whole log at every start and the log grows all the while.
import { killAgainAndAgain } from '../support/scenarios/kills.ts';
import { SeededChance } from '../support/simulation/seededChance.ts';

const PAIRS = 4;
const KILLS = 50;
const SEED = process.env['KILLS_SEED'] ?? String(Date.now() % 1_000_000);

describe('a pair of trackers under load, for long', function () {
  this.timeout(30 * 60_000);

  for (let pair = 1; pair <= PAIRS; pair++) {
    it(`loses nothing that was acknowledged in ${KILLS} kills (pair ${pair}, KILLS_SEED=${SEED})`, async () => {
      process.stdout.write(`      ${await killAgainAndAgain(KILLS, new SeededChance(`${SEED} ${pair}`))}\n`);
    });
  }
});
