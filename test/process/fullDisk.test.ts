// Downloads onto disks that are full, for real. test/long has fifty times of it.
import { fillAgainAndAgain } from '../support/scenarios/fullDisks.ts';
import { SeededChance } from '../support/simulation/seededChance.ts';
import { whyNoSmallDisk } from '../support/processes/smallDisk.ts';

const DISKS = 3;
/** Another one every time; DISKS_SEED repeats one, as far as real processes can be repeated. */
const SEED = process.env['DISKS_SEED'] ?? String(Date.now() % 1_000_000);

describe('a download onto a disk that is full', function () {
  this.timeout(180_000);

  before(function () {
    const why = whyNoSmallDisk();
    if (why === undefined) return;
    process.stdout.write(`      skipped: ${why}\n`);
    this.skip();
  });

  it(`says so, holds up no others, and goes on once there is room (${DISKS} disks, DISKS_SEED=${SEED})`, async () => {
    process.stdout.write(`      ${await fillAgainAndAgain(DISKS, 1, new SeededChance(SEED))}\n`);
  });
});
