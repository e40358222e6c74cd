// Whole swarms under thousands of seeds (crowdStories.ts): whatever happens to them, everybody gets
// the file, and nothing is left over.
import { simulate } from '../support/simulation/simulatedWorld.ts';
import { Crowd } from './crowd.ts';
import { STORIES, tell } from './crowdStories.ts';

/** Seeds that have failed once. */
const KEPT: readonly { readonly seed: number; readonly peers: number; readonly story: string }[] = [];
const BLOCK = 100;
/**
 * By when everybody has a file of one seeder whom nobody can dial, in ms: those who are dialled at
 * once and in vain, 5 s each, are no reason to wait for long.
 */
const FIREWALLED_MS = 30_000;

describe('a crowd', function () {
  this.timeout(300_000);

  for (const { seed, peers, story } of KEPT) {
    it(`no longer fails as it did under seed ${seed}`, () => tell(seed, { peers, pieces: 16 }, story));
  }

  for (let block = 0; block < 20; block++) {
    const first = block * BLOCK + 1;
    it(`of 8 gets its file, whatever happens (seeds ${first} to ${first + BLOCK - 1})`, async () => {
      for (let seed = first; seed < first + BLOCK; seed++) {
        await tell(seed, { peers: 8, pieces: STORIES[seed % STORIES.length] === 'someAreSilent' ? 16 : 10 });
      }
    });
  }

  for (const firewall of ['refuses', 'drops'] as const) {
    it(`gets its file from one seeder that nobody can dial, whose firewall ${firewall}`, async () => {
      for (let seed = 1; seed <= 5; seed++) {
        await simulate(seed, async (sim) => {
          const crowd = new Crowd(sim, 8);
          const seeder = await crowd.add({ seeds: true });
          seeder.machine.site.firewall = firewall;
          for (let count = 0; count < 24; count++) await crowd.add({ seeds: false });
          await sim.until(() => crowd.isDone, FIREWALLED_MS);
          await crowd.check();
        });
      }
    });
  }

  // With so many, a fifth of all pieces would go to silent ones before anybody can know of them, so
  // that story is not told of fifty.
  const told = STORIES.filter((name) => name !== 'someAreSilent');
  for (let block = 0; block < 10; block++) {
    const first = block * 10 + 1;
    it(`of 50 gets its file, whatever happens (seeds ${first} to ${first + 9})`, async () => {
      for (let seed = first; seed < first + 10; seed++) {
        await tell(seed, { peers: 50, pieces: 8 }, told[seed % told.length]);
      }
    });
  }
});
