// Whole swarms under ten times as many seeds as in `npm test` (test/swarm/crowd.test.ts), all of
// them others.
import { STORIES, tell } from '../swarm/crowdStories.ts';

const BLOCK = 1_000;

describe('a crowd, for long', function () {
  this.timeout(30 * 60_000);

  for (let first = 10_001; first < 30_000; first += BLOCK) {
    it(`of 8 gets its file, whatever happens (seeds ${first} to ${first + BLOCK - 1})`, async () => {
      for (let seed = first; seed < first + BLOCK; seed++) await tell(seed, { peers: 8, pieces: 16 });
    });
  }

  const told = STORIES.filter((name) => name !== 'someAreSilent');
  for (let first = 10_001; first < 11_000; first += 100) {
    it(`of 50 gets its file, whatever happens (seeds ${first} to ${first + 99})`, async () => {
      for (let seed = first; seed < first + 100; seed++) {
        await tell(seed, { peers: 50, pieces: 8 }, told[seed % told.length]);
      }
    });
  }
});
