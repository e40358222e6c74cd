// Files that are read without being downloaded: the product's own engines on simulated machines.
// What is asked for comes first and in order, verified, from whoever has it; nothing of it stays.
import assert from 'node:assert';
import { PREVIEW_IDLE_MS, PREVIEWS_BYTES_MAX } from '../../extension/engine/previews/previewLimits.ts';
import type { FileRow } from '../../protocol/messages/trackerLink.ts';
import type { Disk } from '../../protocol/base/world.ts';
import { left, limit, MIB, PIECE, read, readAll, rowOf, shared, story } from './reads.ts';
import { GROUP, NO_CALL } from './town.ts';

/** Calls at a time. */
const READS = 16;

describe('a file that is read without being downloaded', function () {
  this.timeout(120_000);

  story('comes as it is, whole and in parts, and is in no list', async (sim, _, alice, bob) => {
    const { content, row } = await shared(sim, alice, 5 * MIB + 123);
    const part = await read(bob, row, 3 * MIB - 10, 1000);
    assert.ok(part.equals(content.subarray(3 * MIB - 10, 3 * MIB + 990)));
    assert.ok((await readAll(bob, row)).equals(content));
    assert.deepEqual(
      [(await read(bob, row, content.length - 5)).length, (await read(bob, row, content.length + 5)).length],
      [5, 0],
      'the end is the end',
    );
    assert.deepEqual(bob.engine.transfers(), []);
    assert.equal((await left(bob)).length, 1);
    assert.ok((await readAll(alice, row)).equals(content), 'who shares it reads it from the disk');
    assert.deepEqual(await left(alice), []);
    const { seeders } = await rowOf(bob, 'dump.sql');
    assert.equal(seeders, 1, 'who reads it does not count as one who has it');
  });

  story('costs what is read of it, and its first bytes come first', async (sim, _, alice, bob) => {
    const { content, row } = await shared(sim, alice, 40 * MIB);
    limit(bob, { down: 2 * MIB });
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: READS }, async (_, n) => {
        assert.ok((await read(bob, row, n * PIECE)).equals(content.subarray(n * PIECE, (n + 1) * PIECE)));
        order.push(n);
      }),
    );
    assert.equal(order[0], 0);
    for (const [place, n] of order.entries()) {
      assert.ok(Math.abs(place - n) <= 4, `what is under way at once may overtake, nothing else: ${order.join(' ')}`);
    }
    await sim.advance(20_000);
    const came = alice.engine.transfers()[0]?.uploadedBytes ?? 0;
    assert.ok(came >= READS * PIECE && came <= (READS + 1) * PIECE, `${came} bytes were sent`);
  });

  story('comes out of turn from a download that is under way', async (sim, _, alice, bob) => {
    const { content, row } = await shared(sim, alice, 30 * MIB);
    limit(bob, { down: 2 * MIB });
    const download = await bob.download('dump.sql');
    await sim.until(() => (bob.engine.transfer(download)?.heldPieces ?? 0) > 2);
    assert.ok((await read(bob, row, 28 * MIB)).equals(content.subarray(28 * MIB, 28 * MIB + PIECE)));
    assert.ok((bob.engine.transfer(download)?.heldPieces ?? 99) < 30, 'before most of the rest');
    assert.deepEqual(await left(bob), [], 'it lies where the download lies');
    await bob.whole(download);
    assert.ok((await bob.read('/downloads/dump.sql')).equals(content));
  });

  story('comes while its download is paused, which goes on with what was read', async (sim, _, alice, bob) => {
    const { content, row } = await shared(sim, alice, 20 * MIB);
    limit(bob, { down: 2 * MIB });
    const download = await bob.download('dump.sql');
    await sim.until(() => (bob.engine.transfer(download)?.heldPieces ?? 0) > 2);
    await bob.engine.handlers.pause({ transfer: download }, NO_CALL);
    await bob.engine.close();
    await bob.start();
    await sim.until(() => bob.engine.transfer(download)?.state === 'paused');
    await sim.until(() => bob.engine.overview().groups.length > 0);
    const held = bob.engine.transfer(download)?.heldPieces;
    assert.ok((await read(bob, row, 0, PIECE)).equals(content.subarray(0, PIECE)));
    assert.ok((await read(bob, row, 18 * MIB, PIECE)).equals(content.subarray(18 * MIB, 18 * MIB + PIECE)));
    assert.equal(bob.engine.transfer(download)?.heldPieces, held);
    limit(bob, { down: 0 });
    await bob.engine.handlers.resume({ transfer: download }, NO_CALL);
    const whole = await bob.whole(download);
    assert.ok((await bob.read('/downloads/dump.sql')).equals(content));
    assert.ok(whole.ownPieces >= 1, 'the piece that was read was not fetched twice');
  });

  story('is not fetched twice when it is downloaded then, and is read on meanwhile', async (sim, _, alice, bob) => {
    const { content, row } = await shared(sim, alice, 12 * MIB);
    assert.ok(
      (await Promise.all([0, 1, 2, 3].map((n) => read(bob, row, n * PIECE)))).every((part, n) =>
        part.equals(content.subarray(n * PIECE, (n + 1) * PIECE)),
      ),
    );
    limit(bob, { down: 1 * MIB });
    const reading = read(bob, row, 10 * MIB);
    const download = await bob.download('dump.sql');
    assert.ok((await reading).equals(content.subarray(10 * MIB, 10 * MIB + PIECE)));
    const { ownPieces } = await bob.whole(download);
    assert.ok(ownPieces >= 4, `${ownPieces} pieces were taken over`);
    assert.ok((await bob.read('/downloads/dump.sql')).equals(content));
    assert.deepEqual(await left(bob), []);
  });

  story('comes right in spite of a peer that sends what is wrong', async (sim, town, alice, bob) => {
    const { content, row } = await shared(sim, alice, 4 * MIB);
    const mallory = await town.person('mallory');
    await town.letIn(alice, mallory);
    let lies = false;
    const { world, identity } = mallory.machine;
    const disk: Disk = Object.assign(Object.create(world.disk) as Disk, {
      open: async (path: string, how: 'read' | 'write' | 'create') => {
        const file = await world.disk.open(path, how);
        const reads = async (into: Uint8Array, at: number): Promise<number> => {
          const count = await file.read(into, at);
          if (lies) into[0] = (into[0] ?? 0) ^ 1;
          return count;
        };
        return Object.assign(Object.create(file) as typeof file, { read: reads });
      },
    });
    await mallory.engine.close();
    await mallory.start({ world: { ...world, disk }, identity });
    await sim.until(() => mallory.engine.overview().groups.length > 0);
    await world.disk.makeFolder('/work');
    await mallory.write('/work/dump.sql', content);
    await mallory.share('/work/dump.sql');
    lies = true;
    assert.ok((await readAll(bob, row)).equals(content));
  });

  story(
    'comes from others when who sent it leaves, and nobody gives it when all have',
    async (sim, town, alice, bob) => {
      const { content, row } = await shared(sim, alice, 10 * MIB);
      const carol = await town.person('carol');
      await town.letIn(alice, carol);
      await carol.whole(await carol.download('dump.sql'));
      limit(bob, { down: 2 * MIB });
      const reading = readAll(bob, row);
      await sim.advance(1_500);
      alice.machine.kill();
      assert.ok((await reading).equals(content));
      carol.machine.kill();
      await sim.advance(PREVIEW_IDLE_MS * 3);
      const begin = sim.nowMs;
      await assert.rejects(read(bob, row, 0), { code: 'nobodyServes' });
      assert.ok(sim.nowMs - begin < 15_000, 'soon');
    },
  );

  story('is read by two windows at once, of which one closes', async (sim, _, alice, bob) => {
    const { content, row } = await shared(sim, alice, 8 * MIB);
    limit(bob, { down: 2 * MIB });
    const closes = new AbortController();
    const gone = assert.rejects(read(bob, row, 0, PIECE, { signal: closes.signal }), { code: 'cancelled' });
    const other = readAll(bob, row);
    closes.abort();
    await gone;
    assert.ok((await other).equals(content));
    assert.equal((await left(bob)).length, 1, 'once on the disk');
  });

  story('is fetched no further when nobody waits for it any more', async (sim, _, alice, bob) => {
    const { row } = await shared(sim, alice, 20 * MIB);
    limit(alice, { up: 100_000 });
    const closes = new AbortController();
    const reading = Promise.allSettled(
      [0, 1, 2, 3].map((n) => read(bob, row, n * PIECE, PIECE, { signal: closes.signal })),
    );
    await sim.advance(3_000);
    closes.abort();
    assert.ok((await reading).every(({ status }) => status === 'rejected'));
    await sim.advance(5_000);
    const sent = alice.engine.transfers()[0]?.uploadedBytes;
    await sim.advance(30_000);
    assert.equal(alice.engine.transfers()[0]?.uploadedBytes, sent);
  });

  story('in a shared folder comes with its list, and little more', async (sim, _, alice, bob) => {
    const large = sim.chance.bytes(6 * MIB + 7);
    const files = new Map([
      ['README.md', Buffer.from('# read me')],
      ['data/large.bin', large],
      ['data/empty', Buffer.alloc(0)],
      ['z.bin', sim.chance.bytes(9 * MIB)],
    ]);
    for (const [name, bytes] of files) {
      if (name.includes('/')) await alice.machine.world.disk.makeFolder('/work/set/data');
      else await alice.machine.world.disk.makeFolder('/work/set');
      await alice.write(`/work/set/${name}`, bytes);
    }
    await alice.share('/work/set');
    const row = await rowOf(bob, 'set');
    const listed = await bob.engine.handlers.listShared(
      { group: GROUP, name: 'set', root: row.root, after: '' },
      NO_CALL,
    );
    assert.deepEqual(
      listed.files.map(({ path, sizeBytes }) => [path, sizeBytes]),
      [...files].map(([path, { length }]) => [path, length]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    );
    for (const [path, bytes] of files) {
      if (path !== 'z.bin') assert.ok((await readAll(bob, row, path)).equals(bytes), path);
    }
    assert.ok((alice.engine.transfers()[0]?.uploadedBytes ?? 99 * MIB) < 8 * MIB);
    await assert.rejects(read(bob, row, 0, 10, { path: 'data/none' }), { code: 'unknownFile' });
    await assert.rejects(read(bob, row, 0, 10), { code: 'usage' });
    // Of a folder of which one file was downloaded, another one can be read, and the first one is
    // served again afterwards.
    const { transfer } = await bob.engine.handlers.download(
      {
        group: GROUP,
        name: 'set',
        path: '/downloads',
        asFile: false,
        rename: false,
        mode: 'rarest',
        only: ['README.md'],
      },
      NO_CALL,
    );
    await bob.whole(transfer);
    assert.ok((await readAll(bob, row, 'z.bin')).equals(files.get('z.bin') ?? Buffer.of()));
    await sim.advance(PREVIEW_IDLE_MS * 3);
    assert.deepEqual(await left(bob), []);
    alice.machine.kill();
    assert.equal((await readAll(bob, row, 'README.md')).toString(), '# read me');
  });

  story(
    'is gone some time after it was last read, at the next start, and when one signs out',
    async (sim, _, alice, bob) => {
      const { content, row } = await shared(sim, alice, 2 * MIB);
      await readAll(bob, row);
      await sim.advance(PREVIEW_IDLE_MS - 1_000);
      await read(bob, row, 0);
      await sim.advance(PREVIEW_IDLE_MS - 1_000);
      assert.equal((await left(bob)).length, 1, 'it was read meanwhile');
      await sim.advance(PREVIEW_IDLE_MS + 2_000);
      assert.deepEqual(await left(bob), []);
      assert.equal((await rowOf(alice, 'dump.sql')).leechers, 0);

      await readAll(bob, row);
      bob.machine.kill();
      bob.machine.start();
      assert.equal((await left(bob)).length, 1);
      await bob.start();
      assert.deepEqual(await left(bob), []);
      await sim.until(() => bob.engine.overview().groups.length > 0);
      assert.ok((await readAll(bob, row)).equals(content));

      limit(bob, { down: 100_000 });
      await shared(sim, alice, 2 * MIB, 'other.sql');
      const cut = assert.rejects(read(bob, await rowOf(bob, 'other.sql'), 0), { code: 'notSignedIn' });
      await sim.advance(500);
      await bob.engine.handlers.signOut({}, NO_CALL);
      await cut;
      assert.deepEqual(await left(bob), []);
      await assert.rejects(read(bob, row, 0), { code: 'notSignedIn' });
    },
  );

  story(
    'takes no more room than previews may',
    async (sim, _, alice, bob) => {
      const half = PREVIEWS_BYTES_MAX / 2;
      const sizes = [half - 4 * MIB, half - 4 * MIB, 16 * MIB];
      const rows: FileRow[] = [];
      for (const [n, size] of sizes.entries()) {
        await alice.write(`/work/${n}`, Buffer.alloc(size, n));
        await alice.share(`/work/${n}`);
        rows.push(await rowOf(alice, String(n)));
      }
      for (const row of rows) assert.equal((await readAll(bob, row)).length, row.sizeBytes);
      assert.equal((await left(bob)).length, 2, 'the oldest has gone');
      const sent = (): number => alice.engine.transfers().reduce((sum, { uploadedBytes }) => sum + uploadedBytes, 0);
      const before = sent();
      await read(bob, rows[1] as FileRow, 0);
      assert.equal(sent(), before, 'and not one that was read later');
    },
    [1],
  );

  story(
    'that is larger than that is read to its end',
    async (sim, _, alice, bob) => {
      const content = Buffer.alloc(PREVIEWS_BYTES_MAX + 8 * MIB, 'abcdefg');
      await alice.write('/work/giant', content);
      await alice.share('/work/giant');
      assert.ok((await readAll(bob, await rowOf(bob, 'giant'))).equals(content));
      assert.equal((await left(bob)).length, 1);
    },
    [1],
  );

  story('is refused to who may not have it', async (sim, town, alice, bob) => {
    const { row } = await shared(sim, alice, 2 * MIB);
    const carol = await town.person('carol');
    await assert.rejects(read(carol, row, 0), { code: 'notMember' });
    await assert.rejects(read(bob, row, 0, PIECE + 1), { code: 'tooMuchAtOnce' });
    await assert.rejects(read(bob, { ...row, name: 'none' }, 0), { code: 'unknownFile' });
    await assert.rejects(
      async () => bob.engine.handlers.listShared({ group: GROUP, name: row.name, root: row.root, after: '' }, NO_CALL),
      { code: 'usage' },
    );
    await shared(sim, alice, 3 * MIB);
    await assert.rejects(read(bob, row, 0), { code: 'newerVersion' });

    limit(bob, { down: 100_000 });
    const cut = assert.rejects(read(bob, await rowOf(bob, 'dump.sql'), 0), { code: 'notMember' });
    await sim.advance(500);
    await alice.engine.handlers.removeMember({ group: GROUP, user: 'bob' }, NO_CALL);
    await cut;
    assert.deepEqual(await left(bob), []);
  });
});
