// Signed operations: who signed what, that nothing of it can be changed or put to another use, and
// the order of stamps.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { isShoalError } from '../../../protocol/base/errors.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import type { AccountId, GroupId, OperationId, Origin, Pin } from '../../../protocol/base/ids.ts';
import { ENTRY_BYTES_MAX, OPERATION_BYTES_MAX } from '../../../protocol/base/limits.ts';
import {
  checkOperation,
  compareStamps,
  decodeEntry,
  encodeEntry,
  entry,
  entryHash,
  operations,
  readOperation,
  signOperation,
} from '../../../protocol/messages/operations.ts';
import type { Operation, OperationName, LogPosition } from '../../../protocol/messages/operations.ts';
import { bytes, encode, struct, text, u53 } from '../../../protocol/base/schema.ts';
import type { AnySchema } from '../../../protocol/base/schema.ts';
import { arbitraryOf } from '../base/schemaTools.ts';

const device = createIdentity();
const head = {
  realm: '0a'.repeat(32) as Pin,
  id: '0b'.repeat(16) as OperationId,
  account: '0c'.repeat(16) as AccountId,
  createdAtMs: 1_767_225_600_000,
};
const leave: Operation = { ...head, name: 'leaveGroup', body: { group: '0d'.repeat(16) as GroupId } };

const isBad =
  (why: RegExp) =>
  (error: unknown): boolean =>
    isShoalError(error, 'badMessage') && why.test(error.message);
/** Signs bytes that no honest device would. */
const signed = (operation: Uint8Array, by: { readonly privateKey: KeyObject } = device, context = 'shoal-op-v1\0') => ({
  operation,
  signature: sign('sha256', Buffer.concat([Buffer.from(context, 'latin1'), operation]), {
    key: by.privateKey,
    dsaEncoding: 'ieee-p1363',
  }),
});

describe('an operation', () => {
  for (const [name, schema] of Object.entries(operations) as [OperationName, AnySchema][]) {
    it(`${name} is read as it was signed, with the pin of the device`, () =>
      fc.assert(
        fc.property(arbitraryOf(schema), (body) => {
          const operation = { ...head, name, body } as Operation;
          const written = signOperation(operation, device);
          assert.deepEqual(checkOperation(written), { ...operation, device: device.pin });
          assert.ok(written.operation.length <= OPERATION_BYTES_MAX && written.signature.length === 64);
        }),
        { numRuns: 10 },
      ));
  }

  it('is refused with any bit changed, in the bytes or the signature', () => {
    const good = signOperation(leave, device);
    for (const part of ['operation', 'signature'] as const) {
      for (let bit = 0; bit < 8 * good[part].length; bit += 3) {
        const changed = Buffer.from(good[part]);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.throws(() => checkOperation({ ...good, [part]: changed }), isBad(/./), `bit ${bit} of the ${part}`);
      }
    }
  });

  const header = struct({ realm: bytes(0), rest: bytes(0) }); // only to show that other bytes are no operation
  const written = signOperation(leave, device).operation;
  const withSpki = (spki: Uint8Array): Uint8Array => {
    const at = Buffer.from(written).indexOf(Buffer.from(device.spki));
    return Buffer.concat([
      written.subarray(0, at - 4),
      encode(bytes(200), spki),
      written.subarray(at + device.spki.length),
    ]);
  };
  const renamed = (name: string): Uint8Array => {
    const at = Buffer.from(written).indexOf('leaveGroup');
    return Buffer.concat([
      written.subarray(0, at - 4),
      encode(text(32), name),
      written.subarray(at + 'leaveGroup'.length),
    ]);
  };
  const spkiOf = (publicKey: KeyObject): Uint8Array =>
    Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' }));
  const curve384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const curve256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const refused: readonly [what: string, one: { operation: Uint8Array; signature: Uint8Array }, why: RegExp][] = [
    ['another device signed', signed(written, createIdentity()), /its signature does not fit/],
    ['was signed for another purpose', signed(written, device, 'shoal-ticket-v1\0'), /its signature does not fit/],
    ['was signed without a purpose', signed(written, device, ''), /its signature does not fit/],
    ['has no signature', { operation: written, signature: Buffer.alloc(0) }, /its signature does not fit/],
    ['has a signature of nothing', { operation: written, signature: Buffer.alloc(64) }, /its signature does not fit/],
    [
      'has a signature in DER',
      {
        operation: written,
        signature: sign('sha256', Buffer.concat([Buffer.from('shoal-op-v1\0', 'latin1'), written]), device.privateKey),
      },
      /its signature does not fit/,
    ],
    ['names no key', signed(withSpki(Buffer.from('no key'))), /its signature does not fit/],
    [
      'was signed by a key of another curve',
      signed(withSpki(spkiOf(curve384.publicKey)), curve384),
      /its signature does not fit/,
    ],
    [
      'names a key of another sort',
      signed(withSpki(spkiOf(generateKeyPairSync('ed25519').publicKey))),
      /its signature does not fit/,
    ],
    ['is of a newer version', signed(renamed('teleport')), /no operation is called teleport/],
    ['is named like what every object has', signed(renamed('constructor')), /no operation is called constructor/],
    ['says something else than its name', signed(renamed('shareFile')), /it ends too early/],
    ['is nothing', signed(Buffer.alloc(0)), /it ends too early/],
    [
      'is something else',
      signed(encode(header, { realm: Buffer.alloc(0), rest: Buffer.alloc(0) })),
      /it ends too early/,
    ],
  ];
  for (const [what, one, why] of refused) {
    it(`that ${what} is refused`, () => assert.throws(() => checkOperation(one), isBad(why)));
  }

  it('may be signed by any key of the right curve', () => {
    assert.equal(checkOperation(signed(withSpki(spkiOf(curve256.publicKey)), curve256)).name, 'leaveGroup');
  });

  it('is checked by the key that it names, of more devices than are remembered', () => {
    const devices = Array.from({ length: 1_100 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    const all = devices.map((one) => ({ operation: withSpki(spkiOf(one.publicKey)), privateKey: one.privateKey }));
    for (const { operation, privateKey } of [...all, ...all.slice(0, 10)]) {
      checkOperation(signed(operation, { privateKey }));
      assert.throws(() => checkOperation(signed(operation, device)), isBad(/its signature does not fit/));
    }
  });

  it('of the log is read without its signature', () =>
    assert.deepEqual(readOperation(written), { ...leave, device: device.pin }));

  it('may have a field of a newer version at its end', () => {
    const more = Buffer.concat([written, encode(u53, 5)]);
    assert.deepEqual(checkOperation(signed(more)), { ...leave, device: device.pin });
  });

  it('is not signed when it passes a bound', () => {
    const long: Operation = {
      ...head,
      name: 'createGroup',
      body: { group: '0d'.repeat(16) as GroupId, name: 'x'.repeat(100) },
    };
    assert.throws(() => signOperation(long, device), /at most/);
  });
});

describe('an entry of the log', () => {
  const one = {
    ...signOperation(leave, device),
    added: Uint8Array.of(1),
    stamp: {
      ms: 1,
      counter: 2,
      origin: '0e'.repeat(8) as Origin,
      seq: 3,
      seen: [{ origin: '0f'.repeat(8) as Origin, seq: 4 }],
      previous: new Uint8Array(32),
    },
  };
  const encoded = encodeEntry(one);

  it('is kept byte by byte, and the next one names its hash', () => {
    const back = decodeEntry(encoded);
    assert.deepEqual(encodeEntry(back), encoded);
    assert.deepEqual(entryHash(encoded), createHash('sha256').update(encoded).digest());
    assert.deepEqual(checkOperation(back), { ...leave, device: device.pin });
  });

  it('fits into its bound with everything at its largest', () =>
    assert.ok(entry.maxBytes <= ENTRY_BYTES_MAX, `${entry.maxBytes}`));

  it('is refused when it is larger, before it is read', () => {
    assert.throws(() => decodeEntry(Buffer.alloc(ENTRY_BYTES_MAX + 1)), isBad(/it is too large/));
    assert.throws(() => decodeEntry(encoded.subarray(0, -1)), isBad(/it ends too early/));
  });
});

describe('the order of stamps', () => {
  const [a, b] = ['aa'.repeat(8) as Origin, 'bb'.repeat(8) as Origin];
  const ordered: readonly LogPosition[] = [
    { ms: 1, counter: 0, origin: a, seq: 9 },
    { ms: 1, counter: 1, origin: a, seq: 8 },
    { ms: 1, counter: 1, origin: b, seq: 1 },
    { ms: 1, counter: 1, origin: b, seq: 2 },
    { ms: 2, counter: 0, origin: a, seq: 1 },
    { ms: 2 ** 52, counter: 0, origin: a, seq: 1 },
    { ms: 2 ** 53 - 1, counter: 65_535, origin: b, seq: 2 ** 53 - 1 },
  ];

  it('is by clock, then counter, then origin, then number', () => {
    for (const [i, one] of ordered.entries()) {
      for (const [j, two] of ordered.entries()) {
        assert.equal(Math.sign(compareStamps(one, two)), Math.sign(i - j), `${i} ${j}`);
      }
    }
  });

  it('is total: sorting gives the same whatever came first', () =>
    fc.assert(
      fc.property(fc.shuffledSubarray([...ordered], { minLength: ordered.length }), (shuffled) => {
        assert.deepEqual(shuffled.sort(compareStamps), ordered);
      }),
    ));
});
