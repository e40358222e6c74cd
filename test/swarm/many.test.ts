// One engine with a thousand shares and two hundred downloads: it must not open, ask for or tick
// through everything at once.
import assert from 'node:assert';
import type { Disk, World } from '../../protocol/base/world.ts';
import { simulate } from '../support/simulation/simulatedWorld.ts';
import { GROUP, NO_CALL, Town } from './town.ts';
import type { Person } from './town.ts';

const SHARES = 1000;
const DOWNLOADS = 200;
const ACTIVE = 5;

/** A world whose disk counts what is open at one time. */
class CountedWorld {
  open = 0;
  openMax = 0;
  readonly world: World;

  constructor(world: World) {
    const disk: Disk = {
      ...world.disk,
      open: async (path, how) => {
        const file = await world.disk.open(path, how);
        this.openMax = Math.max(this.openMax, ++this.open);
        return new Proxy(file, {
          get: (target, name) => {
            const found: unknown = Reflect.get(target, name);
            if (name === 'close') return () => (this.open--, target.close());
            return typeof found === 'function' ? (found.bind(target) as unknown) : found;
          },
        });
      },
    };
    this.world = { ...world, disk };
  }
}

/** Starts a person's engine anew, counted. */
async function restarted(person: Person): Promise<CountedWorld> {
  await person.engine.close();
  const counted = new CountedWorld(person.machine.world);
  await person.start({ world: counted.world, identity: person.machine.identity });
  return counted;
}

const states = ({ engine }: Person): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const { kind, state } of engine.transfers()) {
    counts.set(`${kind} ${state}`, (counts.get(`${kind} ${state}`) ?? 0) + 1);
  }
  return counts;
};

describe('an engine with very much to do', function () {
  this.timeout(300_000);

  it(`has ${SHARES} shares and ${DOWNLOADS} downloads, a few at a time, and after a restart too`, () =>
    simulate(
      1,
      async (sim) => {
        const town = await Town.build(sim);
        const [alice, bob] = [await town.person('alice'), await town.person('bob')];
        await town.group(alice, bob);
        const bytesOf = (n: number): Buffer => Buffer.from(`this is file ${n}, `.repeat((n % 40) + 1));
        await alice.engine.handlers.configure(
          {
            downLimitBytesPerS: undefined,
            upLimitBytesPerS: undefined,
            listenHost: undefined,
            listenPort: undefined,
            keepSharing: undefined,
            activeDownloads: ACTIVE,
          },
          NO_CALL,
        );
        for (let n = 0; n < DOWNLOADS; n++) {
          await bob.write(`/b${n}`, bytesOf(n));
          await bob.engine.handlers.share({ group: GROUP, path: `/b${n}`, name: undefined, replace: false }, NO_CALL);
        }
        for (let n = 0; n < SHARES; n++) {
          await alice.write(`/a${n}`, bytesOf(n + DOWNLOADS));
          await alice.engine.handlers.share({ group: GROUP, path: `/a${n}`, name: undefined, replace: false }, NO_CALL);
        }
        await sim.until(
          () => states(bob).get('share seeding') === DOWNLOADS && states(alice).get('share seeding') === SHARES,
          3_600_000,
        );

        const counted = await restarted(alice);
        await sim.until(() => states(alice).get('share seeding') === SHARES, 600_000);
        assert.ok(counted.openMax <= 16, `a start opens ${counted.openMax} files at once`);
        await sim.until(() => alice.engine.overview().groups.length === 1, 600_000);
        await sim.advance(15_000);
        assert.equal(counted.open, 0, 'idle shares hold no file');

        let activeMax = 0;
        alice.engine.onChange(
          () =>
            (activeMax = Math.max(
              activeMax,
              alice.engine.transfers().filter(({ state }) => state === 'downloading').length,
            )),
        );
        for (let n = 0; n < DOWNLOADS; n++) await alice.download(`b${n}`);
        await sim.until(() => (states(alice).get('download seeding') ?? 0) >= DOWNLOADS / 4, 3_600_000);
        const again = await restarted(alice);
        await sim.until(() => states(alice).get('download seeding') === DOWNLOADS, 3_600_000);
        assert.ok(activeMax > 0 && activeMax <= ACTIVE, `${activeMax} downloads at once`);
        assert.ok(again.openMax <= 100, `${again.openMax} files open`);
        assert.ok(sim.network.openStreams <= 20, `${sim.network.openStreams} links`);
        for (const n of [0, 99, DOWNLOADS - 1]) assert.ok(bytesOf(n).equals(await alice.read(`/downloads/b${n}`)));
        await sim.advance(25_000);
        assert.equal(again.open, 0, 'finished downloads hold no file');
      },
      { eventsMax: 50_000_000 },
    ));
});
