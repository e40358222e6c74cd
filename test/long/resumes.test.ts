// The same as in test/process/resumes.test.ts, ten times as long: two hundred kills in eight
// downloads.
import { killAndResume } from '../support/scenarios/resumes.ts';
import { SeededChance } from '../support/simulation/seededChance.ts';

const DOWNLOADS = 8;
const KILLS = 25;
const SEED = process.env['KILLS_SEED'] ?? String(Date.now() % 1_000_000);

describe('a download of an engine that is killed, for long', function () {
  this.timeout(30 * 60_000);

  for (let download = 1; download <= DOWNLOADS; download++) {
    it(`goes on after each of ${KILLS} kills, and is right in the end (download ${download}, KILLS_SEED=${SEED})`, async () => {
      process.stdout.write(`      ${await killAndResume(KILLS, new SeededChance(`${SEED} ${download}`))}\n`);
    });
  }
});
