// Checkpoints as bytes: what was written is read, and nothing else is.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeCheckpoint, encodeCheckpoint } from '../../../../extension/engine/storage/checkpointFormat.ts';
import type { CheckpointSubject } from '../../../../extension/engine/storage/checkpointFormat.ts';
import { shapeOf } from '../../../../extension/engine/hashing/merkleTree.ts';
import { Bitfield } from '../../../../protocol/messages/bitfield.ts';
import type { Root } from '../../../../protocol/base/ids.ts';

const PIECE_BYTES = 512 * 1024;
const subject: CheckpointSubject = {
  nonce: '0123456789abcdef',
  root: 'ab'.repeat(32) as Root,
  shape: shapeOf(21 * PIECE_BYTES - 5, PIECE_BYTES),
};

function holding(...pieces: number[]): Uint8Array {
  const held = new Bitfield(subject.shape.pieces);
  for (const piece of pieces) held.add(piece);
  return held.bytes();
}

describe('a checkpoint', () => {
  it('is read as it was written', () =>
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 0, max: 500 }),
        fc.maxSafeNat(),
        fc.infiniteStream(fc.boolean()),
        (nonce, root, pieces, generation, bits) => {
          const any: CheckpointSubject = {
            nonce: Buffer.from(nonce).toString('hex'),
            root: Buffer.from(root).toString('hex') as Root,
            shape: shapeOf(pieces * PIECE_BYTES, PIECE_BYTES),
          };
          const held = new Bitfield(pieces);
          for (let piece = 0; piece < pieces; piece++) if (bits.next().value === true) held.add(piece);
          const read = decodeCheckpoint(encodeCheckpoint(any, generation, held.bytes()), any);
          assert.ok(read);
          assert.equal(read.generation, generation);
          assert.deepEqual(read.held.bytes(), held.bytes());
        },
      ),
    ));

  const written = encodeCheckpoint(subject, 7, holding(0, 3, 20));

  it('does not count when any bit of it is another', () => {
    for (let bit = 0; bit < written.length * 8; bit++) {
      const flipped = Buffer.from(written);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(decodeCheckpoint(flipped, subject), undefined, `bit ${bit}`);
    }
  });

  it('does not count when it was cut off, or more follows', () => {
    for (let bytes = 0; bytes < written.length; bytes++) {
      assert.equal(decodeCheckpoint(written.subarray(0, bytes), subject), undefined, `${bytes} bytes`);
    }
    assert.equal(decodeCheckpoint(Buffer.concat([written, Buffer.alloc(1)]), subject), undefined);
  });

  const others: Record<string, CheckpointSubject> = {
    'another part file': { ...subject, nonce: '0123456789abcdee' },
    'another file': { ...subject, root: 'ac'.repeat(32) as Root },
    'a file of another size': { ...subject, shape: shapeOf(subject.shape.sizeBytes + 1, PIECE_BYTES) },
    'pieces of another length': { ...subject, shape: { ...subject.shape, pieceBytes: PIECE_BYTES * 2 } },
  };
  for (const [what, other] of Object.entries(others)) {
    it(`says nothing about ${what}`, () => assert.equal(decodeCheckpoint(written, other), undefined));
  }
});
