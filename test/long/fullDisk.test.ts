// The same as in test/process/fullDisk.test.ts at fifty moments: five disks, ten times each.
import { fillAgainAndAgain } from '../support/scenarios/fullDisks.ts';
import { SeededChance } from '../support/simulation/seededChance.ts';
import { whyNoSmallDisk } from '../support/processes/smallDisk.ts';

const DISKS = 5;
const POINTS = 10;
const SEED = process.env['DISKS_SEED'] ?? String(Date.now() % 1_000_000);

describe('a download onto a disk that is full, for long', function () {
  this.timeout(30 * 60_000);

  before(function () {
    const why = whyNoSmallDisk();
    if (why === undefined) return;
    process.stdout.write(`      skipped: ${why}\n`);
    this.skip();
  });

  it(`goes on after each of ${DISKS * POINTS} times, and is right in the end (DISKS_SEED=${SEED})`, async () => {
    process.stdout.write(`      ${await fillAgainAndAgain(DISKS, POINTS, new SeededChance(SEED))}\n`);
  });
});
