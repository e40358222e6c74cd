// The worker threads that hash, against the same done on the spot: small files in one thread, large
// ones in two.
import assert from 'node:assert';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inlineHasher } from '../../../../extension/engine/hashing/hasher.ts';
import { threadedHasher } from '../../../../extension/engine/hashing/hashThreadPool.ts';
import { PIECE_BYTES_DEFAULT } from '../../../../protocol/base/limits.ts';
import { createNodeDisk } from '../../../../protocol/node/nodeDisk.ts';
import { nodeClock } from '../../../../protocol/node/nodeWorld.ts';

const MIB = 1024 * 1024;

describe('hashing in worker threads', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-hashing-'));
  const workers = threadedHasher({ disk: createNodeDisk(), clock: nodeClock });
  const inline = inlineHasher(createNodeDisk());
  const fileOf = (bytes: number): string => {
    const file = path.join(folder, String(bytes));
    writeFileSync(file, randomBytes(bytes));
    return file;
  };

  after(async () => {
    await workers.close();
    rmSync(folder, { recursive: true });
  });

  for (const bytes of [0, 1, PIECE_BYTES_DEFAULT, MIB + 1, 32 * MIB, 41 * MIB + 777]) {
    it(`comes to the same for ${bytes} bytes`, async () => {
      const file = fileOf(bytes);
      const [expected, found] = [
        await inline.hashFile(file, PIECE_BYTES_DEFAULT),
        await workers.hashFile(file, PIECE_BYTES_DEFAULT),
      ];
      assert.deepEqual([found.root, found.sha256, found.shape], [expected.root, expected.sha256, expected.shape]);
      assert.ok(Buffer.from(expected.pieceHashes).equals(found.pieceHashes));
    });
  }

  it('hashes several large files at once', async () => {
    const files = [33, 34, 35].map((mib) => fileOf(mib * MIB));
    const sums = await Promise.all(
      files.map(async (file) => (await workers.hashFile(file, PIECE_BYTES_DEFAULT)).sha256),
    );
    assert.deepEqual(
      sums,
      await Promise.all(files.map(async (file) => (await inline.hashFile(file, PIECE_BYTES_DEFAULT)).sha256)),
    );
  });

  it('stops when it is cancelled, and goes on with the next file', async () => {
    const file = fileOf(64 * MIB);
    const stop = new AbortController();
    await assert.rejects(
      workers.hashFile(file, PIECE_BYTES_DEFAULT, { signal: stop.signal, progress: () => stop.abort() }),
      { code: 'cancelled' },
    );
    assert.equal((await workers.hashFile(file, PIECE_BYTES_DEFAULT)).shape.pieces, 128);
  });

  for (const mib of [1, 256]) {
    it(`does not wait for what was cut off meanwhile, at ${mib} MiB`, async () => {
      const file = path.join(folder, 'cut');
      writeFileSync(file, '');
      truncateSync(file, 512 * MIB);
      await assert.rejects(
        workers.hashFile(file, PIECE_BYTES_DEFAULT, { progress: () => truncateSync(file, mib * MIB) }),
        { code: 'fileChanged' },
      );
      assert.equal((await workers.hashFile(file, PIECE_BYTES_DEFAULT)).shape.sizeBytes, mib * MIB);
    });
  }

  /** Hashes a file that takes seconds until `then` has come to its end: it was not waited for. */
  const beside = async (then: () => Promise<unknown>): Promise<void> => {
    const endless = path.join(folder, 'endless');
    writeFileSync(endless, '');
    truncateSync(endless, 8 * 1024 * MIB);
    const stop = new AbortController();
    let other: Promise<unknown> | undefined;
    await assert.rejects(
      workers.hashFile(endless, PIECE_BYTES_DEFAULT, {
        signal: stop.signal,
        progress: () => void (other ??= then().finally(() => stop.abort())),
      }),
      { code: 'cancelled' },
    );
    await other;
  };

  it('hashes a small file beside a large one', () =>
    beside(async () => {
      const file = fileOf(3 * MIB);
      assert.equal(
        (await workers.hashFile(file, PIECE_BYTES_DEFAULT)).sha256,
        (await inline.hashFile(file, PIECE_BYTES_DEFAULT)).sha256,
      );
    }));

  it('does not keep a large file waiting that is cancelled before its turn', () =>
    beside(async () => {
      const file = fileOf(32 * MIB);
      const [first, second] = [new AbortController(), new AbortController()];
      const waiting = workers.hashFile(file, PIECE_BYTES_DEFAULT, { signal: first.signal });
      const alsoWaiting = workers.hashFile(file, PIECE_BYTES_DEFAULT, { signal: second.signal });
      first.abort(); // before it has even been looked at
      await assert.rejects(waiting, { code: 'cancelled' });
      setImmediate(() => second.abort());
      await assert.rejects(alsoWaiting, { code: 'cancelled' });
    }));

  it('says that it is closed to those it was hashing for, and to those that wait', async () => {
    const own = threadedHasher({ disk: createNodeDisk(), clock: nodeClock });
    const file = path.join(folder, 'endless');
    writeFileSync(file, '');
    truncateSync(file, 8 * 1024 * MIB);
    let isBegun = (): void => {};
    const begun = new Promise<void>((resolve) => (isBegun = resolve));
    const both = [
      own.hashFile(file, PIECE_BYTES_DEFAULT, { progress: () => isBegun() }),
      own.hashFile(file, PIECE_BYTES_DEFAULT),
    ];
    const ended = Promise.all(both.map((one) => assert.rejects(one, { code: 'cancelled' })));
    await begun;
    await own.close();
    await ended;
  });

  it('says that a large file is gone', () =>
    assert.rejects(workers.hashFile(path.join(folder, 'nothing'), PIECE_BYTES_DEFAULT), { code: 'fileMissing' }));
});
