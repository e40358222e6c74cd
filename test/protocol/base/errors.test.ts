// Errors: every code has words that a person understands and survives the wire; what is none
// becomes one.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  asShoalError,
  errorRow,
  isErrorCode,
  isShoalError,
  ShoalError,
  systemCode,
} from '../../../protocol/base/errors.ts';
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { wireError } from '../../../protocol/base/fields.ts';
import { decode, encode } from '../../../protocol/base/schema.ts';
import { fromWire, toWire } from '../../../protocol/wire/wireErrors.ts';
import { errorCodes } from './errorCodes.ts';

const overTheWire = (error: ShoalError): ShoalError =>
  fromWire(decode(wireError, encode(wireError, toWire(error)), 'error'));

describe('an error', () => {
  for (const code of errorCodes) {
    it(`${code}: ${errorRow(code).text}`, () => {
      const { text, exit, retry } = errorRow(code);
      const names = [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
      const fields = Object.fromEntries(names.map((name, n) => [name, `${name} ${n}`]));
      const error = new ShoalError(code, fields);
      for (const name of names) assert.ok(error.message.includes(String(fields[name])), error.message);
      assert.doesNotMatch(error.message, /[{}?]$|\{\w+\}/);
      assert.match(text, /^(?:\{|[a-z])/, 'it continues a sentence: no capital in front');
      assert.doesNotMatch(text, /\.$/, 'no dot at its end');
      const back = overTheWire(error);
      assert.deepEqual(
        [back.code, back.fields, back.message, back.exitCode, back.retry],
        [code, fields, error.message, exit, retry],
      );
    });
  }

  it('is found by its code', () => {
    const error: unknown = new ShoalError('busy');
    assert.deepEqual(
      [
        isShoalError(error),
        isShoalError(error, 'busy'),
        isShoalError(error, 'deadline'),
        isShoalError(new Error('busy')),
        isShoalError(undefined),
      ],
      [true, true, false, false, false],
    );
    for (const text of ['constructor', '__proto__', 'toString', '', 'Busy']) {
      assert.equal(isErrorCode(text), false, text);
    }
  });

  it('shows a question mark for what it was not told', () =>
    assert.match(new ShoalError('notMember').message, /you are not a member of \?/));

  it('shows numbers and hostile texts so that they can be printed', () => {
    assert.equal(new ShoalError('deadline', { ms: 250 }).message, 'no answer within 250 ms');
    assert.equal(
      new ShoalError('unknownUser', { user: 'a\x1b[2Jb\u202e{user}' }).message,
      'there is no user a\\u{1b}[2Jb\\u{202e}{user}',
    );
    assert.equal(new ShoalError('unknownUser', { user: '$& $1 $`' }).message, 'there is no user $& $1 $`');
  });

  it('is made of whatever was thrown, and keeps it as its cause', () => {
    const cause = new TypeError('x is not a function');
    for (const [thrown, why] of [
      [cause, 'x is not a function'],
      ['a text', 'a text'],
      [undefined, 'undefined'],
      [null, 'null'],
      [{ a: 1 }, '[object Object]'],
    ] as const) {
      const error = asShoalError(thrown);
      assert.deepEqual([error.code, error.fields, error.cause], ['internal', { why }, thrown]);
    }
    const own = new ShoalError('busy');
    assert.equal(asShoalError(own), own);
  });

  it('knows the codes of the system', () => {
    assert.deepEqual(
      [
        systemCode(Object.assign(new Error('x'), { code: 'ENOENT' })),
        systemCode(new Error('x')),
        systemCode({ code: 5 }),
        systemCode(undefined),
        systemCode(null),
      ],
      ['ENOENT', undefined, undefined, undefined, undefined],
    );
  });
});

describe('an error on the wire', () => {
  it('of a newer version keeps its own words', () => {
    const error = fromWire({ code: 'sunSpots', text: 'there are sun spots', fields: [{ name: 'count', value: '7' }] });
    assert.deepEqual([error.code, error.message, error.exitCode], ['other', 'there are sun spots', 1]);
    assert.deepEqual([overTheWire(error).code, overTheWire(error).message], ['other', 'there are sun spots']);
    assert.equal(fromWire({ code: '__proto__', text: 'x', fields: [] }).code, 'other');
  });

  it('cannot reach into objects by the names of its fields', () => {
    const error = fromWire({
      code: 'busy',
      text: '',
      fields: [
        { name: '__proto__', value: 'x' },
        { name: 'constructor', value: 'y' },
      ],
    });
    assert.equal(Object.getPrototypeOf(error.fields), Object.prototype);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });

  it('is cut to its bounds, whole characters only, whatever is in it', () =>
    fc.assert(
      fc.property(
        fc.constantFrom<ErrorCode>(...errorCodes),
        fc.dictionary(
          fc.string({ unit: 'binary', maxLength: 60 }),
          fc.oneof(fc.string({ unit: 'binary', maxLength: 3000 }), fc.constant('\ud800'), fc.integer()),
          { maxKeys: 12 },
        ),
        (code, fields) => {
          const wire = toWire(new ShoalError(code, fields));
          const back = decode(wireError, encode(wireError, wire), 'error');
          assert.deepEqual(back, wire);
          assert.ok(
            wire.fields.length <= 8 &&
              wire.fields.every(({ name, value }) => Buffer.byteLength(name) <= 32 && Buffer.byteLength(value) <= 1100),
          );
          assert.equal(fromWire(back).code, code);
        },
      ),
      { numRuns: 100 },
    ));

  it('keeps the beginning of a long field', () => {
    const wire = toWire(new ShoalError('fileMissing', { path: '\u{1F41F}'.repeat(2000) }));
    assert.equal(wire.fields[0]?.value, '\u{1F41F}'.repeat(275));
  });
});
