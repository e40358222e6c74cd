// A key and the certificate around it: read with Node's own parser, and byte by byte against what
// RFC 5280 asks for.
import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { createIdentity, identityBytes, readIdentity } from '../../../protocol/node/identity.ts';
import { isHexOf, pinOf, short, swarmKeyText } from '../../../protocol/base/ids.ts';
import type { GroupId, Root } from '../../../protocol/base/ids.ts';
import { seededIdentity } from '../../support/simulation/machine.ts';
import { SeededChance } from '../../support/simulation/seededChance.ts';

const identity = createIdentity();
const certificate = new X509Certificate(identity.certificatePem);

/** One value of DER: its tag, its content, and what it holds if it is made of others. */
interface Der {
  readonly tag: number;
  readonly content: Buffer;
  readonly parts: readonly Der[];
}

/** Reads DER strictly: the shortest length, to the last byte. */
function readDer(bytes: Buffer): Der[] {
  const values: Der[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const count = first < 0x80 ? 0 : first & 0x7f;
    const length = count === 0 ? first : bytes.readUIntBE(at + 2, count);
    assert.ok(count === 0 || length >= (count === 1 ? 0x80 : 0x100), 'a length is written longer than it has to be');
    const from = at + 2 + count;
    assert.ok(from + length <= bytes.length, 'a value ends behind the end');
    const content = bytes.subarray(from, from + length);
    values.push({ tag, content, parts: (tag & 0x20) !== 0 ? readDer(content) : [] });
    at = from + length;
  }
  return values;
}

const hexOf = (der: Der | undefined): string | undefined => der?.content.toString('hex');

describe('an identity', () => {
  it('has a pin that is SHA-256 of its public key', () => {
    assert.equal(identity.pin, pinOf(identity.spki));
    assert.equal(pinOf(certificate.publicKey.export({ format: 'der', type: 'spki' })), identity.pin);
    assert.ok(isHexOf(identity.pin, 32));
  });

  it('stays itself when it is kept and read; its certificate is new', () => {
    const again = readIdentity(identityBytes(identity));
    assert.deepEqual(
      [again.pin, Buffer.from(again.spki), again.keyPem],
      [identity.pin, Buffer.from(identity.spki), identity.keyPem],
    );
    assert.notEqual(again.certificatePem, identity.certificatePem);
    assert.notEqual(createIdentity().pin, identity.pin);
  });

  const others: readonly [what: string, bytes: Uint8Array][] = [
    ['no bytes', Buffer.alloc(0)],
    ['garbage', Buffer.from('garbage')],
    ['half a key', identityBytes(identity).subarray(0, 60)],
    ['an Ed25519 key', generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })],
    [
      'a key of another curve',
      generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'der', type: 'pkcs8' }),
    ],
  ];
  for (const [what, bytes] of others) it(`is not read from ${what}`, () => assert.throws(() => readIdentity(bytes)));

  it('is the same for the same seed in simulations', () => {
    const [one, two] = [seededIdentity(new SeededChance(1)), seededIdentity(new SeededChance(1))];
    assert.equal(one.pin, two.pin);
  });
});

describe('a certificate', () => {
  it('is one for Node: signed by its own key, for ever, for client and server', () => {
    assert.ok(
      certificate.verify(certificate.publicKey) &&
        certificate.checkIssued(certificate) &&
        certificate.checkPrivateKey(identity.privateKey),
    );
    assert.deepEqual([certificate.subject, certificate.issuer, certificate.ca], ['CN=shoal', 'CN=shoal', false]);
    assert.deepEqual(
      [certificate.validFrom, certificate.validTo],
      ['Jan  1 00:00:00 2024 GMT', 'Dec 31 23:59:59 9999 GMT'],
    );
    assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  it('is what RFC 5280 asks for, byte by byte', () => {
    const [whole, ...nothing] = readDer(certificate.raw);
    const [signed, algorithm, signature] = whole?.parts ?? [];
    const [version, serial, innerAlgorithm, issuer, validity, subject, spki, extensions] = signed?.parts ?? [];
    assert.deepEqual([nothing.length, whole?.parts.length, signed?.parts.length], [0, 3, 8]);
    assert.deepEqual([version?.tag, hexOf(version?.parts[0])], [0xa0, '02'], 'version 3');
    assert.deepEqual([serial?.tag, serial?.content.length], [0x02, 16]);
    assert.equal(hexOf(algorithm), hexOf(innerAlgorithm));
    assert.equal(hexOf(algorithm?.parts[0]), '2a8648ce3d040302', 'ecdsa-with-SHA256');
    assert.equal(algorithm?.parts.length, 1, 'the parameters of ECDSA are absent');
    assert.equal(hexOf(issuer), hexOf(subject));
    assert.deepEqual(
      validity?.parts.map(({ tag, content }) => [tag, content.toString()]),
      [
        [0x17, '240101000000Z'],
        [0x18, '99991231235959Z'],
      ],
      'UTCTime until 2049, GeneralizedTime after',
    );
    assert.equal(certificate.raw.includes(Buffer.from(identity.spki)), true);
    assert.equal(hexOf(spki?.parts[0]?.parts[1]), '2a8648ce3d030107', 'P-256');
    assert.equal(extensions?.tag, 0xa3);
    const held = extensions?.parts[0]?.parts.map(({ parts }) =>
      parts.map(({ tag, content }) => `${tag.toString(16)}:${content.toString('hex')}`),
    );
    assert.deepEqual(held, [
      ['6:551d13', '1:ff', '4:3000'], // basic constraints, critical: no authority
      ['6:551d25', '4:301406082b0601050507030106082b06010505070302'], // extended key usage: server, client
    ]);
    assert.deepEqual([signature?.tag, signature?.content[0]], [0x03, 0], 'a bit string without spare bits');
  });

  it('has a serial number of its own', () => {
    const serials = Array.from(
      { length: 30 },
      () =>
        readDer(new X509Certificate(readIdentity(identityBytes(identity)).certificatePem).raw)[0]?.parts[0]?.parts[1],
    );
    assert.equal(new Set(serials.map(hexOf)).size, 30);
    for (const serial of serials) {
      assert.ok(
        (serial?.content[0] ?? 0) > 0 && (serial?.content[0] ?? 0x80) < 0x80,
        'a serial number is positive and has no zero in front',
      );
    }
  });

  it('is written as PEM in lines of 64', () => {
    const lines = identity.certificatePem.split('\n');
    assert.deepEqual(
      [lines[0], lines.at(-2), lines.at(-1)],
      ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', ''],
    );
    assert.ok(lines.slice(1, -3).every((line) => line.length === 64));
  });
});

describe('identifiers', () => {
  it('are lower-case hex of their length', () => {
    const rows: readonly [text: string, bytes: number, is: boolean][] = [
      ['', 0, true],
      ['00', 1, true],
      ['0f', 1, true],
      ['0F', 1, false],
      ['0', 1, false],
      ['000', 1, false],
      ['0g', 1, false],
      ['ab\n', 1, false],
      ['٠٠', 1, false],
      ['0000', 1, false],
    ];
    for (const [text, bytes, is] of rows) assert.equal(isHexOf(text, bytes), is, JSON.stringify(text));
  });

  it('make keys of swarms that differ when group or root does', () => {
    const key = (group: string, root: string): string =>
      swarmKeyText({ group: group.repeat(16) as GroupId, root: root.repeat(32) as Root });
    assert.equal(new Set([key('01', '02'), key('02', '01'), key('01', '01'), key('01', '02')]).size, 3);
    assert.equal(short('0123456789abcdef'), '01234567');
  });
});
