// Every message, operation and noun of the wire: it comes back as it went, is written as the rules
// say, and what is cut, too large or random is refused with badMessage and nothing else.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isShoalError } from '../../../protocol/base/errors.ts';
import { SchemaError } from '../../../protocol/base/binary.ts';
import { decode, encode } from '../../../protocol/base/schema.ts';
import type { AnySchema } from '../../../protocol/base/schema.ts';
import { arbitraryOf, spoiltOf, typicalOf, writeByHand } from '../base/schemaTools.ts';
import { tables, things } from './wireTypes.ts';

const RUNS = 40;

/**
 * Reads; gives the value, or the words of a badMessage. Any other error is a failure of the test.
 */
function read(schema: AnySchema, bytes: Uint8Array): { readonly value: unknown } | { readonly refused: string } {
  try {
    return { value: decode(schema, bytes, 'thing') };
  } catch (error) {
    if (!isShoalError(error, 'badMessage')) throw error;
    return { refused: error.message };
  }
}

const hasNothing = (schema: AnySchema): boolean => schema.maxBytes === 0;

describe('every thing on the wire', () => {
  it('is found: five tables, the operations, the nouns', () => {
    assert.ok(things.length > 100, `${things.length}`);
    assert.equal(new Set(things.map(({ name }) => name)).size, things.length);
  });

  for (const { name, schema } of things) {
    describe(name, () => {
      it('comes back as it went, in the bytes that the rules say', () =>
        fc.assert(
          fc.property(arbitraryOf(schema), (value) => {
            const bytes = encode(schema, value);
            assert.deepEqual(bytes, writeByHand(schema, value).bytes);
            assert.deepEqual(decode(schema, bytes, name), value);
            assert.ok(bytes.length >= schema.minBytes && bytes.length <= schema.maxBytes, `${bytes.length} bytes`);
          }),
          { numRuns: RUNS },
        ));

      it('is refused when it is cut off anywhere', () => {
        const bytes = encode(schema, typicalOf(schema));
        for (let length = 0; length < bytes.length; length++) {
          assert.ok(
            'refused' in read(schema, bytes.subarray(0, length)) || isWhollyThere(schema, length),
            `read from ${length} of ${bytes.length} bytes`,
          );
        }
      });

      it('is read with more behind it, which a newer version added', () => {
        const typical = typicalOf(schema);
        assert.deepEqual(
          read(schema, Buffer.concat([encode(schema, typical), Buffer.from('more')])),
          hasNothing(schema) ? { value: {} } : { value: typical },
        );
      });

      it('is not written with a bound passed or a word unknown', () => {
        for (const { path, value } of spoiltOf(schema, typicalOf(schema))) {
          assert.throws(() => encode(schema, value), SchemaError, `${path} was written`);
        }
      });

      it('is refused at the length that passes its bound, before what it announces is there', () => {
        const { bytes, marks } = writeByHand(schema, typicalOf(schema));
        for (const { offset, max, path } of marks) {
          for (const length of [max + 1, 2 ** 31, 2 ** 32 - 1]) {
            const huge = Buffer.from(bytes);
            huge.writeUInt32BE(length, offset);
            const result = read(schema, huge);
            assert.match(
              'refused' in result ? result.refused : 'it was read',
              new RegExp(`${length}.*at most ${max} are allowed`),
              path,
            );
          }
          const empty = Buffer.from(bytes.subarray(0, offset + 4));
          empty.writeUInt32BE(max, offset);
          assert.match(
            (read(schema, empty) as { refused?: string }).refused ?? 'it was read',
            /it ends too early/,
            path,
          );
        }
      });

      it('survives random bytes', () =>
        fc.assert(
          fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
            read(schema, bytes);
          }),
          { numRuns: RUNS },
        ));

      it('survives changed bytes, and what is read of them can be written again', () =>
        fc.assert(
          fc.property(
            arbitraryOf(schema),
            fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
            (value, changes) => {
              const bytes = encode(schema, value);
              for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
              const result = read(schema, bytes);
              if ('value' in result && !JSON.stringify(result.value).includes('"other"')) {
                assert.deepEqual(decode(schema, encode(schema, result.value), name), result.value);
              }
            },
          ),
          { numRuns: RUNS },
        ));
    });
  }
});

/**
 * Whether so many bytes of the typical value end before a field that was added later: an older
 * version wrote that much.
 */
function isWhollyThere(schema: AnySchema, length: number): boolean {
  const { shape } = schema;
  if (shape.is !== 'struct') return false;
  const typical = typicalOf(schema) as Record<string, unknown>;
  const old = shape.fields.filter(({ hasDefault }) => !hasDefault).length;
  for (let count = old; count < shape.fields.length; count++) {
    const older = { ...schema, shape: { ...shape, fields: shape.fields.slice(0, count) } };
    if (writeByHand(older, typical).bytes.length === length) return true;
  }
  return false;
}

describe('every table', () => {
  for (const [name, { sides, rows }] of Object.entries(tables)) {
    it(`${name}: each side has another end, each row a sender`, () => {
      for (const [side, other] of Object.entries(sides)) assert.equal(sides[other], side);
      for (const [row, { from }] of Object.entries(rows)) assert.ok(from in sides, row);
    });
  }
});
