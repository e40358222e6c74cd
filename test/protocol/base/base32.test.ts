// Base32 by the vectors of RFC 4648, and there and back.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { base32, fromBase32 } from '../../../protocol/base/base32.ts';

describe('base32', () => {
  // RFC 4648, section 10, in lower case and without padding.
  for (const [text, coded] of [
    ['', ''],
    ['f', 'my'],
    ['fo', 'mzxq'],
    ['foo', 'mzxw6'],
    ['foob', 'mzxw6yq'],
    ['fooba', 'mzxw6ytb'],
    ['foobar', 'mzxw6ytboi'],
  ] as const) {
    it(`writes "${text}" as "${coded}" and reads it in any case`, () => {
      assert.equal(base32(Buffer.from(text)), coded);
      assert.deepEqual([fromBase32(coded)?.toString(), fromBase32(coded.toUpperCase())?.toString()], [text, text]);
    });
  }

  it('comes back as it went', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        assert.deepEqual(fromBase32(base32(bytes)), Buffer.from(bytes));
      }),
    ));

  it('knows no other characters', () => {
    for (const text of ['0', '1', '8', 'a=', 'a b', 'ä', '-', '\u0131']) {
      assert.equal(fromBase32(text), undefined, text);
    }
  });
});
