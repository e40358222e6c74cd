// Bitfields against a Set of numbers that does the same, and every wrong length or spare bit
// refused.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Bitfield } from '../../../protocol/messages/bitfield.ts';
import { PIECES_MAX } from '../../../protocol/base/limits.ts';

describe('a bitfield', () => {
  it('does what a set of numbers does', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 70 }),
        fc.array(fc.record({ add: fc.boolean(), piece: fc.integer({ min: -3, max: 75 }) }), { maxLength: 60 }),
        (size, steps) => {
          const field = new Bitfield(size);
          const model = new Set<number>();
          for (const { add, piece } of steps) {
            const isNew = !model.has(piece);
            if (add) {
              const fits = piece >= 0 && piece < size;
              if (fits) model.add(piece);
              assert.equal(field.add(piece), fits && isNew);
            } else {
              assert.equal(field.delete(piece), model.delete(piece));
            }
            assert.deepEqual([field.count, field.isFull], [model.size, model.size === size]);
          }
          for (let piece = -3; piece < size + 10; piece++) assert.equal(field.has(piece), model.has(piece));
          const back = Bitfield.from(field.bytes(), size);
          assert.deepEqual([back?.count, back?.bytes()], [field.count, field.bytes()]);
        },
      ),
      { numRuns: 200 },
    ));

  it('has its first piece in the highest bit of the first byte', () => {
    const field = new Bitfield(10);
    for (const piece of [0, 7, 8]) field.add(piece);
    assert.equal(Buffer.from(field.bytes()).toString('hex'), '8180');
  });

  const rows: readonly [hex: string, size: number, count: number | undefined][] = [
    ['', 0, 0],
    ['00', 0, undefined],
    ['80', 1, 1],
    ['40', 1, undefined],
    ['ff', 1, undefined],
    ['ff', 8, 8],
    ['ff', 7, undefined],
    ['fe', 7, 7],
    ['ff', 9, undefined],
    ['ff80', 9, 9],
    ['ff40', 9, undefined],
    ['ffff', 9, undefined],
    ['ff8000', 9, undefined],
    ['', 1, undefined],
    ['ff'.repeat(1000), 8000, 8000],
  ];
  for (const [hex, size, count] of rows) {
    it(`${count === undefined ? 'is not' : 'is'} read from ${hex.length > 20 ? `${hex.length / 2} bytes` : `"${hex}"`} for ${size} pieces`, () =>
      assert.equal(Bitfield.from(Buffer.from(hex, 'hex'), size)?.count, count));
  }

  it('knows nothing of what is no piece', () => {
    const field = Bitfield.full(8);
    for (const piece of [-1, 8, 2 ** 31, 2 ** 32, NaN, Infinity, -0.5]) {
      assert.equal(field.has(piece), false, String(piece));
    }
    for (const piece of [-1, 8, 2 ** 31, 2 ** 32 + 1, NaN]) {
      assert.deepEqual([field.add(piece), field.delete(piece)], [false, false]);
    }
    assert.equal(field.count, 8);
  });

  it('is full when every piece is there, up to the most a file may have', () => {
    const field = Bitfield.full(PIECES_MAX);
    assert.deepEqual([field.isFull, field.count, field.bytes().length], [true, PIECES_MAX, PIECES_MAX / 8]);
    field.delete(PIECES_MAX - 1);
    assert.deepEqual([field.isFull, field.has(PIECES_MAX - 1), field.has(PIECES_MAX - 2)], [false, false, true]);
    assert.equal(new Bitfield(0).isFull, true);
  });

  it('gives away copies: who changes them changes nothing here', () => {
    const bytes = Buffer.from([0xff]);
    const field = Bitfield.from(bytes, 8);
    bytes.fill(0);
    field?.bytes().fill(0);
    assert.equal(field?.count, 8);
    assert.deepEqual(field?.bytes(), Uint8Array.of(0xff));
  });
});
