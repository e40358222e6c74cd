// Downloads of engines that are killed, for real. test/long has two hundred kills.
import { killAndResume } from '../support/scenarios/resumes.ts';
import { SeededChance } from '../support/simulation/seededChance.ts';

const KILLS = 20;
/** Another one every time; KILLS_SEED repeats one, as far as real processes can be repeated. */
const SEED = process.env['KILLS_SEED'] ?? String(Date.now() % 1_000_000);

describe('a download of an engine that is killed', function () {
  this.timeout(180_000);

  it(`goes on after each of ${KILLS} kills with all that was here, and is right in the end (KILLS_SEED=${SEED})`, async () => {
    process.stdout.write(`      ${await killAndResume(KILLS, new SeededChance(SEED))}\n`);
  });
});
