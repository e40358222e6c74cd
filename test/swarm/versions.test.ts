// What is on a machine already is not fetched again: other versions of a file, and the same bytes
// elsewhere.
import assert from 'node:assert';
import type { Simulation } from '../support/simulation/simulatedWorld.ts';
import { simulate } from '../support/simulation/simulatedWorld.ts';
import type { Person } from './town.ts';
import { GROUP, NO_CALL, Town } from './town.ts';

const PIECE = 512 * 1024;

/** Bytes with some of their pieces changed. */
function changed(sim: Simulation, bytes: Buffer, ...pieces: readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const piece of pieces) sim.chance.bytes(1000).copy(copy, piece * PIECE + 77);
  return copy;
}

describe('a new version', () => {
  const story = (title: string, tell: (sim: Simulation, alice: Person, bob: Person) => Promise<void>): void => {
    for (const seed of [1, 2, 3]) {
      it(`${title} (seed ${seed})`, () =>
        simulate(seed, async (sim) => {
          const town = await Town.build(sim);
          const [alice, bob] = [await town.person('alice'), await town.person('bob')];
          await town.group(alice, bob);
          await tell(sim, alice, bob);
        }));
    }
  };
  const fetched = async (bob: Person, transfer: number): Promise<number> =>
    [...(await bob.sources(transfer)).values()].reduce((sum, pieces) => sum + pieces, 0);
  const again = async (bob: Person, folder: string): Promise<number> => {
    const { transfer } = await bob.engine.handlers.download(
      { group: GROUP, name: 'file', path: folder, asFile: false, rename: false, mode: 'rarest', only: [] },
      NO_CALL,
    );
    return transfer;
  };

  story('costs only the pieces that have changed', async (sim, alice, bob) => {
    const before = sim.chance.bytes(40 * PIECE + 5);
    await alice.write('/file', before);
    await alice.share('/file');
    await bob.whole(await again(bob, '/one'));
    const after = changed(sim, before, 17);
    await alice.write('/file', after);
    await alice.share('/file');
    const second = await again(bob, '/two');
    const { path, ownPieces, version } = await bob.whole(second);
    assert.ok(after.equals(await bob.read(path)));
    assert.ok(before.equals(await bob.read('/one/file')), 'the old one stays as it is');
    assert.deepEqual([await fetched(bob, second), ownPieces, version], [1, 40, 2]);
  });

  story('is fetched whole where the old one was spoiled meanwhile', async (sim, alice, bob) => {
    const before = sim.chance.bytes(6 * PIECE);
    await alice.write('/file', before);
    await alice.share('/file');
    await bob.whole(await again(bob, '/one'));
    const after = changed(sim, before, 3);
    await alice.write('/file', after);
    await alice.share('/file');
    await bob.write('/one/file', changed(sim, before, 1));
    const second = await again(bob, '/two');
    const { path } = await bob.whole(second);
    assert.ok(after.equals(await bob.read(path)));
    assert.equal(await fetched(bob, second), 6);
  });

  story('takes pieces from anywhere in any file, and one that occurs twice only once', async (sim, alice, bob) => {
    const [a, b] = [sim.chance.bytes(PIECE), sim.chance.bytes(PIECE)];
    await alice.write('/file', Buffer.concat([a, b]));
    await alice.share('/file');
    await bob.whole(await again(bob, '/one'));
    await alice.write('/other', Buffer.concat([b, b, sim.chance.bytes(PIECE), a, b]));
    await alice.share('/other');
    const second = await bob.download('other');
    await bob.whole(second);
    assert.equal(await fetched(bob, second), 1);
  });

  story('is fetched once for two places', async (sim, alice, bob) => {
    const bytes = sim.chance.bytes(5 * PIECE);
    await alice.write('/file', bytes);
    await alice.share('/file');
    const two = [await again(bob, '/one'), await again(bob, '/two')];
    for (const transfer of two) assert.ok(bytes.equals(await bob.read((await bob.whole(transfer)).path)));
    assert.deepEqual((await Promise.all(two.map((transfer) => fetched(bob, transfer)))).sort(), [0, 5]);
  });
});
