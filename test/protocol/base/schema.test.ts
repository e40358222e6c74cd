// Schemas one by one: their bytes, what they refuse, and how an older and a newer version read each
// other.
import assert from 'node:assert/strict';
import { isShoalError } from '../../../protocol/base/errors.ts';
import { SchemaError } from '../../../protocol/base/binary.ts';
import {
  added,
  bool,
  bytes,
  decode,
  encode,
  hex,
  list,
  oneOf,
  optional,
  struct,
  text,
  u16,
  u32,
  u53,
  u8,
} from '../../../protocol/base/schema.ts';
import type { AnySchema } from '../../../protocol/base/schema.ts';

const nothing = struct({});
const point = struct({ x: u8, y: u8 });

/** Values and their bytes in hex. */
const written: readonly [what: string, schema: AnySchema, value: unknown, hex: string][] = [
  ['a u8', u8, 255, 'ff'],
  ['a u16', u16, 258, '0102'],
  ['a u32', u32, 2 ** 32 - 1, 'ffffffff'],
  ['a u53', u53, Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
  ['a bool', bool, true, '01'],
  ['a text', text(10), 'Ré', '00000003' + '52c3a9'],
  ['an empty text', text(10), '', '00000000'],
  ['a text that begins with a byte order mark', text(10), '\uFEFFa', '00000004' + 'efbbbf61'],
  ['a text with the replacement character', text(10), '\uFFFD', '00000003' + 'efbfbd'],
  ['bytes', bytes(4), Uint8Array.of(1, 2), '00000002' + '0102'],
  ['hex of fixed size', hex(3), 'abcdef', 'abcdef'],
  ['the second word', oneOf('a', 'b'), 'b', '01'],
  ['nothing', optional(u8), undefined, '00'],
  ['something', optional(u8), 7, '0107'],
  ['a struct: its fields, no length', point, { x: 1, y: 2 }, '0102'],
  ['a struct without fields', nothing, {}, ''],
  ['a list of numbers', list(u8, 3), [1, 2], '00000002' + '0102'],
  ['a list of structs: each with its length', list(point, 3), [{ x: 1, y: 2 }], '00000001' + '00000002' + '0102'],
  [
    'a struct within a struct: with its length',
    struct({ at: point, n: u8 }),
    { at: { x: 1, y: 2 }, n: 3 },
    '00000002' + '0102' + '03',
  ],
  ['a struct that may be missing: with its length', optional(point), { x: 1, y: 2 }, '01' + '00000002' + '0102'],
];

/** Bytes in hex that are refused, and why. */
const refused: readonly [schema: AnySchema, hex: string, why: RegExp][] = [
  [u8, '', /ends too early/],
  [u53, '0020000000000000', /a number is too large/],
  [u53, 'ffffffffffffffff', /a number is too large/],
  [text(10), '00000001' + 'ff', /not UTF-8/],
  [text(10), '00000003' + 'eda080', /not UTF-8/], // half a character (a lone surrogate)
  [text(10), '00000002' + 'c080', /not UTF-8/], // a NUL written too long
  [text(10), '00000004' + 'efbfbdff', /not UTF-8/],
  [text(10), '00000005' + '61626364', /ends too early/],
  [list(u8, 100), '00000064' + '01', /ends too early/],
  [list(nothing, 2 ** 31), '7fffffff', /ends too early/],
  [struct({ at: point }), '00000003' + '0102', /ends too early/],
  // does not read past its own length into the next field
  [struct({ at: point, n: u32 }), '00000001' + '0102030405', /ends too early/],
];

describe('a schema', () => {
  for (const [what, schema, value, hexBytes] of written) {
    it(`writes and reads ${what}`, () => {
      assert.equal(encode(schema, value).toString('hex'), hexBytes);
      assert.deepEqual(decode(schema, Buffer.from(hexBytes, 'hex'), 'it'), value);
    });
  }

  for (const [schema, hexBytes, why] of refused) {
    it(`refuses ${hexBytes === '' ? 'no bytes' : hexBytes} as ${schema.shape.is}: ${why.source}`, () => {
      assert.throws(
        () => decode(schema, Buffer.from(hexBytes, 'hex'), 'it'),
        (error) => isShoalError(error, 'badMessage') && why.test(error.message) && error.fields['type'] === 'it',
      );
    });
  }

  it('writes what is long over each growth of its memory without a fault', () => {
    const parts: readonly [AnySchema, unknown][] = [
      [u8, 1],
      [bool, true],
      [u16, 2],
      [u32, 3],
      [u53, 4],
      [hex(3), 'abcdef'],
      [text(9), 'text'],
      [bytes(9), Uint8Array.of(1, 2, 3)],
      [oneOf('a', 'b'), 'b'],
      [list(point, 2), [{ x: 1, y: 2 }]],
    ];
    for (const [schema, value] of parts) {
      const whole = struct({ before: bytes(1100), value: schema, after: u8 });
      for (let length = 230; length < 1060; length++) {
        const sent = { before: new Uint8Array(length).fill(0xee), value, after: 9 };
        assert.deepEqual(decode(whole, encode(whole, sent), 'it'), sent);
      }
    }
  });

  it('gives bytes that outlive the frame they came in', () => {
    const frame = encode(bytes(4), Uint8Array.of(1, 2, 3));
    const value = decode(bytes(4), frame, 'it');
    frame.fill(0);
    assert.deepEqual(value, Uint8Array.of(1, 2, 3));
  });

  it('reads from the middle of a larger memory', () => {
    const memory = new Uint8Array([9, 9, 1, 2, 9, 9]);
    assert.deepEqual(decode(point, memory.subarray(2, 4), 'it'), { x: 1, y: 2 });
    assert.throws(() => decode(u32, memory.subarray(2, 4), 'it'), /ends too early/);
  });

  it('refuses to write half a character, so that no name changes on its way', () => {
    assert.throws(() => encode(text(10), '\ud83d'), SchemaError);
  });

  it('tells its smallest and largest size', () => {
    const schema = struct({ a: u8, b: list(point, 3), c: optional(u16), d: text(5), e: hex(4) });
    assert.deepEqual([schema.minBytes, schema.maxBytes], [1 + 4 + 1 + 4 + 4, 1 + 4 + 3 * 6 + 3 + 9 + 4]);
  });
});

describe('an older and a newer version', () => {
  // The same message in three versions: fields are added behind, to the message and to the structs
  // within it.
  const file1 = struct({ name: text(20) });
  const file2 = struct({ name: text(20), size: added(u32, 77) });
  const place = struct({ host: text(9) });
  const file3 = struct({
    name: text(20),
    size: added(u32, 77),
    place: added(optional(place), undefined),
    tags: added(list(u8, 3), [1]),
  });
  const message = (file: AnySchema): AnySchema => struct({ files: list(file, 5), last: optional(file), kept: u8 });
  const [v1, v2, v3] = [message(file1), message(file2), message(file3)];
  const v2more = struct({
    files: list(file2, 5),
    last: optional(file2),
    kept: u8,
    more: added(place, { host: 'home' }),
  });

  const from1 = { files: [{ name: 'a' }, { name: 'b' }], last: { name: 'c' }, kept: 5 };
  const size2 = { size: 8 };
  const from2 = {
    files: [
      { name: 'a', ...size2 },
      { name: 'b', ...size2 },
    ],
    last: { name: 'c', ...size2 },
    kept: 5,
  };
  const rest3 = { place: { host: 'h' }, tags: [2, 3] };
  const from3 = { files: [{ name: 'a', ...size2, ...rest3 }], last: undefined, kept: 5 };
  const default2 = { size: 77 };
  const default3 = { place: undefined, tags: [1] };

  const readings: readonly [what: string, writer: AnySchema, value: unknown, reader: AnySchema, read: unknown][] = [
    [
      'a newer reader fills in what an older writer did not know',
      v1,
      from1,
      v2,
      {
        files: [
          { name: 'a', ...default2 },
          { name: 'b', ...default2 },
        ],
        last: { name: 'c', ...default2 },
        kept: 5,
      },
    ],
    ['an older reader skips what a newer writer added', v2, from2, v1, from1],
    ['two versions older', v3, from3, v1, { files: [{ name: 'a' }], last: undefined, kept: 5 }],
    ['one version older', v3, from3, v2, { files: [{ name: 'a', ...size2 }], last: undefined, kept: 5 }],
    [
      'one version newer',
      v2,
      from2,
      v3,
      {
        files: [
          { name: 'a', ...size2, ...default3 },
          { name: 'b', ...size2, ...default3 },
        ],
        last: { name: 'c', ...size2, ...default3 },
        kept: 5,
      },
    ],
    [
      'two versions newer',
      v1,
      { files: [{ name: 'a' }], last: undefined, kept: 5 },
      v3,
      { files: [{ name: 'a', ...default2, ...default3 }], last: undefined, kept: 5 },
    ],
    ['a struct added to the message itself', v2, from2, v2more, { ...from2, more: { host: 'home' } }],
    ['a message that gained a struct', v2more, { ...from2, more: { host: 'away' } }, v2, from2],
    ['a message that had no fields', nothing, {}, struct({ x: added(u8, 3) }), { x: 3 }],
    ['a message that lost interest in its fields', struct({ x: u8 }), { x: 3 }, nothing, {}],
    ['a word that was added', oneOf('a', 'b', 'c'), 'c', oneOf('a', 'b'), 'other'],
    [
      'a word within a list',
      list(oneOf('a', 'b', 'c'), 3),
      ['a', 'c', 'b'],
      list(oneOf('a', 'b'), 3),
      ['a', 'other', 'b'],
    ],
  ];
  for (const [what, writer, value, reader, read] of readings) {
    it(`understand each other: ${what}`, () => assert.deepEqual(decode(reader, encode(writer, value), 'it'), read));
  }

  it('never mistake a field that is cut off for one that is missing', () => {
    const schema = struct({ a: u8, b: added(u32, 7) });
    assert.deepEqual(decode(schema, Buffer.from('01', 'hex'), 'it'), { a: 1, b: 7 });
    for (const cut of ['010000', '01000000']) {
      assert.throws(() => decode(schema, Buffer.from(cut, 'hex'), 'it'), /ends too early/);
    }
  });

  it('cannot have a field without default behind one with', () => {
    assert.throws(() => struct({ a: added(u8, 1), b: u8 }), /a field without default stands behind one with/);
  });

  it('write the word `other` for nobody: what was not understood is not passed on', () => {
    assert.throws(() => encode(oneOf('a', 'b'), 'other'), SchemaError);
  });
});
