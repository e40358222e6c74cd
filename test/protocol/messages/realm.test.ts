// Realm URLs, and descriptors that nobody but the realm can sign.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { Pin } from '../../../protocol/base/ids.ts';
import { pinOf } from '../../../protocol/base/ids.ts';
import { base32 } from '../../../protocol/base/base32.ts';
import { checkDescriptor, parseRealmUrl, realmUrlText, signDescriptor } from '../../../protocol/messages/realm.ts';
import type { Descriptor } from '../../../protocol/messages/realm.ts';

describe('the URL of a realm', () => {
  const realm = pinOf(Buffer.from('a realm'));
  const pinText = base32(Buffer.from(realm, 'hex'));
  const [a, b] = [
    { host: 'a.example', port: 7070 },
    { host: '10.0.0.2', port: 1 },
  ];

  it('has a pin of 52 characters', () => assert.equal(pinText.length, 52));

  const rows: readonly [text: string, addresses: readonly { host: string; port: number }[], known: boolean][] = [
    [`shoal://${pinText}@a.example:7070`, [a], true],
    [`shoal://${pinText}@a.example`, [a], true],
    [`shoal://${pinText}@a.example:7070,10.0.0.2:1`, [a, b], true],
    [`shoal://${pinText.toUpperCase()}@a.example/`, [a], true],
    [`  shoal://${pinText}@a.example:7070\n`, [a], true],
    [
      `shoal://${pinText}@[::1]:7070,[fe80::2]`,
      [
        { host: '::1', port: 7070 },
        { host: 'fe80::2', port: 7070 },
      ],
      true,
    ],
    ['a.example', [a], false],
    ['a.example:7070', [a], false],
    ['a.example,10.0.0.2:1', [a, b], false],
    ['[::1]', [{ host: '::1', port: 7070 }], false],
  ];
  for (const [text, addresses, known] of rows) {
    it(`is read from ${text.trim().replace(pinText, 'PIN').replace(pinText.toUpperCase(), 'PIN')}`, () =>
      assert.deepEqual(parseRealmUrl(text), { realm: known ? realm : undefined, addresses }));
  }

  for (const text of [
    '',
    ' ',
    'shoal://',
    `shoal://${pinText}`,
    `shoal://${pinText}@`,
    'shoal://@a.example',
    'shoal://a.example:7070',
    `shoal://${pinText.slice(1)}@a.example`,
    `shoal://${pinText}a@a.example`,
    `shoal://${pinText.replace(/./, '1')}@a.example`,
    `http://${pinText}@a.example`,
    `shoal:${pinText}@a.example`,
    `${pinText}@a.example`,
    'a,b,c',
    'a,',
    ',a',
    'a:0',
    'a b',
    `shoal://${pinText}@a/path`,
    `shoal://${pinText}@${pinText}@a`,
  ]) {
    it(`is not ${JSON.stringify(text.replace(pinText, 'PIN'))}`, () =>
      assert.throws(
        () => parseRealmUrl(text),
        (error) => isShoalError(error, 'badTrackerUrl') && error.exitCode === 2,
      ));
  }

  it('comes back as it was written', () => {
    for (const url of [
      { realm, addresses: [a] },
      { realm, addresses: [a, b] },
      { realm: undefined, addresses: [b] },
      { realm, addresses: [{ host: '::1', port: 5 }] },
    ]) {
      assert.deepEqual(parseRealmUrl(realmUrlText(url)), url);
    }
  });
});

describe('a descriptor', () => {
  const keys = (): { privateKey: KeyObject; spki: Uint8Array } => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    return { privateKey, spki: Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' })) };
  };
  const [realmKey, other] = [keys(), keys()];
  const realm = pinOf(realmKey.spki);
  const from = { host: 'a.example', port: 7070 };
  const content: Descriptor = {
    realmKey: realmKey.spki,
    version: 1,
    trackers: [{ number: 1, address: from, pin: 'ab'.repeat(32) as Pin, ticketKey: other.spki }],
    former: [],
  };
  const signed = signDescriptor(content, realmKey.privateKey);

  it('that the realm signed is taken, also at first contact', () => {
    assert.deepEqual(checkDescriptor(signed, realm, from), { ...content, realm });
    assert.equal(checkDescriptor(signed, undefined, from).realm, realm);
  });

  const spkiOfP256 = Uint8Array.from(
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' }),
  );
  const refused: readonly [
    what: string,
    signed: typeof signed,
    expected: Pin | undefined,
    code: Parameters<typeof isShoalError>[1],
  ][] = [
    ['of another realm', signed, pinOf(other.spki), 'wrongRealm'],
    [
      'that another realm signed for itself',
      signDescriptor({ ...content, realmKey: other.spki }, other.privateKey),
      realm,
      'wrongRealm',
    ],
    ['that somebody else signed', signDescriptor(content, other.privateKey), realm, 'badDescriptor'],
    ['without a signature', { ...signed, signature: Buffer.alloc(0) }, realm, 'badDescriptor'],
    ['with half a signature', { ...signed, signature: signed.signature.subarray(0, 32) }, realm, 'badDescriptor'],
    [
      'with a key that is none',
      signDescriptor({ ...content, realmKey: Buffer.from('key') }, realmKey.privateKey),
      undefined,
      'badDescriptor',
    ],
    [
      'with a key of another sort',
      signDescriptor({ ...content, realmKey: spkiOfP256 }, realmKey.privateKey),
      undefined,
      'badDescriptor',
    ],
    ['that cannot be read', { ...signed, descriptor: signed.descriptor.subarray(0, 20) }, realm, 'badMessage'],
    [
      'with more behind it that was not signed',
      { ...signed, descriptor: Buffer.concat([signed.descriptor, Buffer.of(0)]) },
      realm,
      'badDescriptor',
    ],
  ];
  for (const [what, one, expected, code] of refused) {
    it(`${what} is refused: ${code}`, () =>
      assert.throws(
        () => checkDescriptor(one, expected, from),
        (error) => isShoalError(error, code),
      ));
  }

  it('with any bit changed is refused', () => {
    for (const part of ['descriptor', 'signature'] as const) {
      for (let bit = 0; bit < 8 * signed[part].length; bit++) {
        const bytes = Buffer.from(signed[part]);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.throws(
          () => checkDescriptor({ ...signed, [part]: bytes }, realm, from),
          (error) => isShoalError(error),
          `bit ${bit} of the ${part}`,
        );
      }
    }
  });
});
