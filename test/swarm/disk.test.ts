// What a download does when its disk refuses: it says so, keeps what is verified, and goes on by
// itself where it can.
import assert from 'node:assert/strict';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import type { ErrorCode } from '../../protocol/base/errors.ts';
import { simulate } from '../support/simulation/simulatedWorld.ts';
import type { Simulation } from '../support/simulation/simulatedWorld.ts';
import type { Person } from './town.ts';
import { Town } from './town.ts';

const PIECE = 512 * 1024;
const PIECES = 9;
const SEEDS = [1, 2, 3];
const NO_CALL = { signal: new AbortController().signal };

interface Scene {
  readonly sim: Simulation;
  readonly bob: Person;
  readonly id: number;
  readonly view: () => Transfer;
  /** Resolves when it shows this error. */
  readonly says: (code: ErrorCode) => Promise<void>;
  /** Resolves when all is here, and right. */
  readonly isWhole: () => Promise<void>;
}

/** Bob has some pieces of a file that Alice shares, and is getting the others slowly. */
async function underWay(sim: Simulation): Promise<Scene> {
  const town = await Town.build(sim);
  const [alice, bob] = [await town.person('alice'), await town.person('bob')];
  await town.group(alice, bob);
  const bytes = sim.chance.bytes((PIECES - 1) * PIECE + 5);
  await alice.write('/file', bytes);
  await alice.share('/file');
  await bob.engine.handlers.configure(
    {
      downLimitBytesPerS: PIECE,
      upLimitBytesPerS: undefined,
      listenHost: undefined,
      listenPort: undefined,
      keepSharing: undefined,
      activeDownloads: undefined,
    },
    NO_CALL,
  );
  const id = await bob.download('file');
  const view = (): Transfer => {
    const found = bob.engine.transfer(id);
    assert.ok(found);
    return found;
  };
  await sim.until(() => view().heldPieces > 2);
  return {
    sim,
    bob,
    id,
    view,
    says: (code) => sim.until(() => view().error?.code === code),
    isWhole: async () => {
      const { path } = await bob.whole(id);
      assert.ok(bytes.equals(await bob.read(path)));
    },
  };
}

function story(title: string, tell: (scene: Scene) => Promise<void>): void {
  for (const seed of SEEDS) {
    it(`${title} (seed ${seed})`, () => simulate(seed, async (sim) => tell(await underWay(sim))));
  }
}

describe('a download whose disk', function () {
  this.timeout(60_000);

  story(
    'is full waits, and goes on within ten seconds of room being there',
    async ({ sim, bob, view, says, isWhole }) => {
      bob.machine.disk.capacityBytes = 3 * PIECE;
      await says('diskFull');
      const held = view().heldPieces;
      await sim.advance(60_000);
      assert.deepEqual([view().error?.code, view().heldPieces >= held], ['diskFull', true]);
      bob.machine.disk.capacityBytes = Infinity;
      await sim.until(() => view().error === undefined, 10_000);
      await isWhole();
    },
  );

  story(
    'is full, and whose person pauses it, stays paused when there is room',
    async ({ sim, bob, id, view, says, isWhole }) => {
      bob.machine.disk.capacityBytes = 3 * PIECE;
      await says('diskFull');
      await bob.engine.handlers.pause({ transfer: id }, NO_CALL);
      bob.machine.disk.capacityBytes = Infinity;
      await sim.advance(60_000);
      assert.equal(view().state, 'paused');
      await bob.engine.handlers.resume({ transfer: id }, NO_CALL);
      await isWhole();
    },
  );

  story('refuses ends with the reason, and tries again after a minute', async ({ sim, bob, view, says, isWhole }) => {
    bob.machine.disk.fault = (call, name) => (call === 'write' && name.endsWith('.part') ? 'EROFS' : undefined);
    await says('destinationUnwritable');
    assert.equal(view().state, 'failed');
    bob.machine.disk.fault = undefined;
    await sim.until(() => view().resumedPieces > 2, 61_000);
    await isWhole();
  });

  story('fails to sync ends, and goes on only when a person says so', async ({ sim, bob, id, view, says, isWhole }) => {
    bob.machine.disk.fault = (call, name) => (call === 'sync' && name.endsWith('.part') ? 'EIO' : undefined);
    await says('syncFailed');
    bob.machine.disk.fault = undefined;
    await sim.advance(300_000);
    assert.deepEqual([view().state, view().error?.code], ['failed', 'syncFailed']);
    await bob.engine.handlers.resume({ transfer: id }, NO_CALL);
    await isWhole();
  });

  story(
    'is taken out says so, and goes on with what it had when it is back',
    async ({ sim, bob, view, says, isWhole }) => {
      bob.machine.kill();
      await bob.machine.start().disk.rename('/downloads', '/taken-out');
      await bob.start();
      await says('placeGone');
      await sim.advance(300_000);
      assert.deepEqual([view().state, view().error?.code], ['failed', 'placeGone']);
      await bob.machine.world.disk.rename('/taken-out', '/downloads');
      await sim.until(() => view().error === undefined, 10_000);
      await sim.until(() => view().resumedPieces > 2);
      await isWhole();
    },
  );

  story('has changed what was whole repairs it with what others have', async ({ sim, bob, id, view, isWhole }) => {
    await isWhole();
    const { disk } = bob.machine.world;
    const file = await disk.open('/downloads/file', 'write');
    await file.write(Buffer.from('damage'), 4 * PIECE + 7);
    await file.close();
    await assert.rejects(async () => bob.engine.handlers.verify({ transfer: id, repair: false }, NO_CALL), {
      code: 'integrity',
    });
    const stop = new AbortController();
    const given = bob.engine.handlers.verify({ transfer: id, repair: true }, { signal: stop.signal });
    stop.abort();
    await assert.rejects(async () => given, { code: 'cancelled' });
    assert.equal(view().state, 'seeding', 'a check that was given up repairs nothing');
    assert.equal((await bob.engine.handlers.verify({ transfer: id, repair: true }, NO_CALL)).repairing, true);
    await sim.until(() => view().state === 'seeding');
    assert.equal(view().resumedPieces, PIECES - 1);
    await isWhole();
  });
});
