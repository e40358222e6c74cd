// What is served: a piece that the disk no longer holds as it was is given to nobody, even if the
// file looks untouched.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PieceStore } from '../../../../extension/engine/storage/pieceStore.ts';
import { identityOf } from '../../../../extension/engine/hashing/fileIdentity.ts';
import { inlineHasher } from '../../../../extension/engine/hashing/hasher.ts';
import { FilePool } from '../../../../extension/engine/storage/filePool.ts';
import { createNodeDisk } from '../../../../protocol/node/nodeDisk.ts';
import { ManualClock } from '../../../support/simulation/manualClock.ts';

const PIECE = 64 * 1024;

describe('a copy that is served', () => {
  let folder: string;
  let file: string;
  const disk = createNodeDisk();
  const clock = new ManualClock();
  const hasher = inlineHasher(disk);

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-copy-'));
    file = path.join(folder, 'file');
    write(randomBytes(4 * PIECE));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Writes without a trace in the file's times, as a disk does that loses something. */
  function write(bytes: Buffer): void {
    writeFileSync(file, bytes);
    utimesSync(file, 1_000_000, 1_000_000);
  }
  function spoil(piece: number): void {
    const bytes = readFileSync(file);
    bytes[piece * PIECE + 99]! ^= 1;
    write(bytes);
  }
  async function served(): Promise<PieceStore> {
    const { root, shape, pieceHashes, stat } = await hasher.hashFile(file, PIECE);
    return PieceStore.forFile(
      { disk, clock, hasher, filePool: new FilePool(disk, clock) },
      root,
      shape,
      pieceHashes,
      file,
      identityOf(stat),
    );
  }

  it('gives no piece that is not what it was, whole or in spans', async () => {
    const store = await served();
    spoil(2);
    await store.read(1, 0, Buffer.alloc(PIECE));
    await assert.rejects(store.read(2, 0, Buffer.alloc(PIECE)), { code: 'fileChanged' });
    await assert.rejects(store.read(2, 1000, Buffer.alloc(10)), { code: 'fileChanged' });
    await store.close();
  });

  it('looks at the file again after a quarter of a second', async () => {
    const store = await served();
    await store.read(0, 0, Buffer.alloc(PIECE));
    utimesSync(file, 2_000_000, 2_000_000);
    await clock.advance(250);
    await assert.rejects(store.read(0, 0, Buffer.alloc(PIECE)), { code: 'fileChanged' });
    await store.close();
  });

  it('gives the right bytes of a span that is read first', async () => {
    const store = await served();
    const span = Buffer.alloc(1000);
    await store.read(3, 5000, span);
    assert.ok(span.equals(readFileSync(file).subarray(3 * PIECE + 5000, 3 * PIECE + 6000)));
    await store.close();
    await assert.rejects(store.read(3, 5000, span), { code: 'pieceNotHeld' });
  });
});
