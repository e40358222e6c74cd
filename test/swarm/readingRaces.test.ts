// Reading without downloading while something else happens: a download of the same bytes, a
// sign-out, a group that is left, a disk that refuses, an engine that ends. The product's own
// engines on simulated machines.
import assert from 'node:assert/strict';
import { PREVIEW_IDLE_MS, PREVIEWS_MAX } from '../../extension/engine/previews/previewLimits.ts';
import { isShoalError } from '../../protocol/base/errors.ts';
import type { FileRow } from '../../protocol/messages/trackerLink.ts';
import type { Simulation } from '../support/simulation/simulatedWorld.ts';
import type { Person } from './town.ts';
import { GROUP, NO_CALL } from './town.ts';
import { left, limit, MIB, PIECE, read, readAll, rowOf, shared, story } from './reads.ts';

/** Shares a folder of two files, some pieces each. Returns the first. */
async function shareFolder(sim: Simulation, person: Person): Promise<Buffer> {
  const a = sim.chance.bytes(8 * MIB);
  await person.machine.world.disk.makeFolder('/work/set');
  await person.write('/work/set/a.bin', a);
  await person.write('/work/set/b.bin', sim.chance.bytes(8 * MIB));
  await person.share('/work/set');
  return a;
}

/** Begins to download that one. */
async function downloadA(person: Person): Promise<number> {
  return (
    await person.engine.handlers.download(
      { group: GROUP, name: 'set', path: '/downloads', asFile: false, rename: false, mode: 'rarest', only: ['a.bin'] },
      NO_CALL,
    )
  ).transfer;
}

describe('reading a file while something else happens', function () {
  this.timeout(120_000);

  story('keeps no download of a part of a folder from its end, when it was in vain', async (sim, town, alice, bob) => {
    const carol = await town.person('carol');
    await town.letIn(alice, carol);
    const a = await shareFolder(sim, alice);
    const row = await rowOf(bob, 'set');
    await carol.whole(await downloadA(carol));
    limit(bob, { down: 2 * MIB });
    const download = await downloadA(bob);
    await sim.until(() => (bob.engine.transfer(download)?.heldPieces ?? 0) > 4);
    alice.machine.kill();
    await assert.rejects(read(bob, row, 0, PIECE, { path: 'b.bin' }), { code: 'nobodyServes' });
    await bob.whole(download);
    assert.ok((await bob.read('/downloads/set/a.bin')).equals(a));
  });

  story('comes from others when what was here has changed', async (sim, _, alice, bob) => {
    const { content, row } = await shared(sim, alice, 3 * MIB);
    await bob.whole(await bob.download('dump.sql'));
    await alice.write('/work/dump.sql', Buffer.concat([content, Buffer.from('more')]));
    await sim.advance(1_000);
    assert.ok((await readAll(alice, row)).equals(content));
  });

  story('leaves a download its place in the swarm when the disk refuses', async (sim, town, alice, bob) => {
    const carol = await town.person('carol');
    await town.letIn(alice, carol);
    await shareFolder(sim, alice);
    const row = await rowOf(bob, 'set');
    await bob.whole(await downloadA(bob));
    const { disk } = bob.machine;
    disk.fault = (call, path) => (call === 'open' && path.startsWith('/home/previews/') ? 'EACCES' : undefined);
    await assert.rejects(read(bob, row, 0, PIECE, { path: 'b.bin' }), { code: 'destinationUnwritable' });
    disk.fault = (call, path) => (call === 'write' && path.startsWith('/home/previews/') ? 'ENOSPC' : undefined);
    await assert.rejects(read(bob, row, 0, PIECE, { path: 'b.bin' }), { code: 'diskFull' });
    disk.fault = undefined;
    assert.equal((await read(bob, row, 0, PIECE, { path: 'b.bin' })).length, PIECE);
    disk.fault = (call, path) => (call === 'open' && path.startsWith('/home/previews/') ? 'EACCES' : undefined);
    await sim.advance(PREVIEW_IDLE_MS * 3);
    await assert.rejects(read(bob, row, MIB, PIECE, { path: 'b.bin' }), { code: 'destinationUnwritable' });
    alice.machine.kill();
    await carol.whole(await downloadA(carol));
  });

  story('ends with the engine, and leaves nothing behind', async (sim, _, alice, bob) => {
    const { row } = await shared(sim, alice, 4 * MIB);
    limit(bob, { down: 50_000 });
    const reading = assert.rejects(readAll(bob, row), { code: 'linkClosed' });
    await sim.advance(2_000);
    assert.equal((await left(bob)).length, 1);
    await bob.engine.close();
    await reading;
    await sim.advance(1_000);
    assert.deepEqual(await left(bob), []);
  });

  story(
    'is refused when the group was left while it was begun',
    async (sim, _, alice, bob) => {
      const rows: FileRow[] = [];
      for (let n = 0; n < 24; n++) rows.push((await shared(sim, alice, PIECE, `${n}.bin`)).row);
      limit(bob, { down: 50_000 });
      const removed = alice.engine.handlers.removeMember({ group: GROUP, user: 'bob' }, NO_CALL);
      const ends: string[] = [];
      await Promise.all([
        removed,
        ...rows.map(async (row, n) => {
          await sim.advance(n * 1.2); // some are told by the tracker, some are being opened, some are read by then
          await read(bob, row, 0).catch((error: unknown) =>
            ends.push(isShoalError(error) ? error.code : String(error)),
          );
        }),
      ]);
      assert.deepEqual(
        [...new Set(ends)].filter((code) => code !== 'notMember'),
        [],
        'after nobody could be asked any more',
      );
      await sim.advance(1_000);
      assert.deepEqual(await left(bob), []);
    },
    [2, 8],
  );

  story(
    'holds no more files open than it may, however many are looked at',
    async (sim, _, alice, bob) => {
      const rows: FileRow[] = [];
      for (let n = 0; n < PREVIEWS_MAX + 5; n++) rows.push((await shared(sim, alice, 1000, `${n}.txt`)).row);
      for (const row of rows) assert.equal((await readAll(bob, row)).length, 1000);
      assert.equal((await left(bob)).length, PREVIEWS_MAX);
    },
    [1],
  );

  story(
    'starts although what an earlier run has left cannot be removed',
    async (sim, _, alice, bob) => {
      const { row } = await shared(sim, alice, MIB);
      await read(bob, row, 0);
      bob.machine.kill();
      bob.machine.start();
      bob.machine.disk.fault = (call) => (call === 'removeFolder' ? 'EBUSY' : undefined);
      await bob.start();
      bob.machine.disk.fault = undefined;
      await sim.until(() => bob.engine.overview().groups.length > 0);
      assert.equal((await read(bob, row, 0)).length, PIECE);
    },
    [1],
  );

  story('is told soon that nobody has it, although the rest of its download comes', async (sim, town, alice, bob) => {
    const carol = await town.person('carol');
    await town.letIn(alice, carol);
    const { row } = await shared(sim, alice, 40 * MIB);
    limit(carol, { down: 4 * MIB, up: 100_000 });
    const half = await carol.download('dump.sql');
    await sim.until(() => (carol.engine.transfer(half)?.heldPieces ?? 0) > 40);
    alice.machine.kill();
    const cells = carol.engine.swarm(half)?.cells ?? assert.fail('no transfer');
    const download = await bob.download('dump.sql');
    await sim.until(() => (bob.engine.transfer(download)?.heldPieces ?? 0) > 0);
    const begin = sim.nowMs;
    await assert.rejects(read(bob, row, cells.held.indexOf(0) * PIECE), { code: 'nobodyServes' });
    assert.ok(sim.nowMs - begin < 30_000, `after ${sim.nowMs - begin} ms`);
    assert.ok((bob.engine.transfer(download)?.downBytesPerS ?? 0) > 0);
  });

  story('takes nobody out of the swarm whose download begins at that moment', async (sim, _, alice, bob) => {
    for (let n = 0; n < 8; n++) {
      const { content, row } = await shared(sim, alice, 4 * PIECE, `${n}.bin`);
      limit(bob, { down: PIECE });
      const reading = read(bob, row, 0);
      await sim.advance(n);
      const download = await bob.download(row.name);
      assert.ok((await reading).equals(content.subarray(0, PIECE)));
      await sim.until(() => (bob.engine.transfer(download)?.heldPieces ?? 0) >= 2);
      assert.deepEqual(
        alice.engine
          .overview()
          .served.filter(({ name }) => name === row.name)
          .map(({ user }) => user),
        ['bob'],
        `whoever sends to bob knows that he takes part (${n} ms)`,
      );
      limit(bob, { down: 0 });
      await bob.whole(download);
    }
  });
});
