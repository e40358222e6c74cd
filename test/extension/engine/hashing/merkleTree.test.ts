import assert from 'node:assert';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  isRange,
  leavesPerPiece,
  levelsOf,
  lengthOf,
  pieceBytesFor,
  pieceHash,
  provesRange,
  rangeOf,
  rootOf,
  shapeOf,
} from '../../../../extension/engine/hashing/merkleTree.ts';
import type { Root } from '../../../../protocol/base/ids.ts';
import { LEAF_BYTES, PIECES_MAX } from '../../../../protocol/base/limits.ts';

const PIECE = 4 * LEAF_BYTES;

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** BEP 52 word for word, without pieces: leaves, zero hashes up to a power of two, halves. */
function plainRoot(bytes: Buffer): string {
  let level: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += LEAF_BYTES) level.push(sha256(bytes.subarray(at, at + LEAF_BYTES)));
  while (level.length & (level.length - 1)) level.push(Buffer.alloc(32));
  while (level.length > 1) {
    level = level.flatMap((hash, n) =>
      n % 2 === 0 ? [sha256(Buffer.concat([hash, level[n + 1] ?? Buffer.alloc(0)]))] : [],
    );
  }
  return (level[0] ?? Buffer.alloc(32)).toString('hex');
}

function bytesOf(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let n = 0; n < size; n += 997) bytes[n] = n * 31;
  return bytes;
}

function layerOf(bytes: Buffer, pieceBytes: number): { layer: Buffer; shape: ReturnType<typeof shapeOf> } {
  const shape = shapeOf(bytes.length, pieceBytes);
  const hashes = Array.from({ length: shape.pieces }, (_, piece) =>
    pieceHash(bytes.subarray(piece * pieceBytes, piece * pieceBytes + lengthOf(shape, piece)), leavesPerPiece(shape)),
  );
  return { layer: Buffer.concat(hashes), shape };
}

describe('the hash tree', () => {
  for (const size of [
    1,
    LEAF_BYTES - 1,
    LEAF_BYTES,
    LEAF_BYTES + 1,
    3 * LEAF_BYTES,
    PIECE - 1,
    PIECE,
    PIECE + 1,
    2 * PIECE,
    3 * PIECE + 5,
    9 * PIECE,
  ]) {
    it(`gives a file of ${size} bytes the root of BEP 52`, () => {
      const { layer: pieceHashes, shape } = layerOf(bytesOf(size), PIECE);
      assert.equal(rootOf(pieceHashes, shape), plainRoot(bytesOf(size)));
    });
  }

  it('gives an empty file the zero hash', () =>
    assert.equal(rootOf(new Uint8Array(0), shapeOf(0, PIECE)), '00'.repeat(32)));

  it('proves every range of every layer, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 40 }),
        fc.nat(5),
        fc.nat(63),
        fc.nat(1_000_000),
        (pieces, log, place, spoil) => {
          const { layer: pieceHashes, shape } = layerOf(bytesOf(pieces * LEAF_BYTES), LEAF_BYTES);
          const root = rootOf(pieceHashes, shape);
          const count = 2 ** log;
          const first = place * count;
          fc.pre(isRange(shape, first, count));
          const range = rangeOf(levelsOf(pieceHashes, shape), shape, first, count);
          assert.ok(provesRange(range, shape, root, first, count));
          const all = Buffer.concat([range.hashes, range.proof]);
          all[spoil % all.length] = (all[spoil % all.length] ?? 0) ^ 1;
          const spoilt = { hashes: all.subarray(0, range.hashes.length), proof: all.subarray(range.hashes.length) };
          assert.ok(!provesRange(spoilt, shape, root, first, count), 'a changed bit is noticed');
          assert.ok(!provesRange(range, shape, 'ab'.repeat(32) as Root, first, count), 'another root is noticed');
          assert.ok(
            !provesRange({ ...range, proof: range.proof.subarray(0, -1) }, shape, root, first, count) ||
              range.proof.length === 0,
            'a short proof is noticed',
          );
        },
      ),
    );
  });

  it('refuses ranges that are none', () => {
    const shape = shapeOf(10 * LEAF_BYTES, LEAF_BYTES);
    for (const [first, count] of [
      [0, 0],
      [0, 3],
      [1, 2],
      [10, 1],
      [16, 16],
      [0, 32],
      [-2, 2],
    ] as const) {
      assert.ok(!isRange(shape, first, count), `${first}+${count}`);
    }
  });

  it('keeps the number of pieces countable, whatever the size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 44 }), (size) => {
        const pieceBytes = pieceBytesFor(size);
        assert.ok(
          Math.ceil(size / pieceBytes) <= PIECES_MAX &&
            pieceBytes >= LEAF_BYTES &&
            Number.isInteger(Math.log2(pieceBytes)),
        );
      }),
    );
  });
});
