// Who a device or tracker is: one ECDSA P-256 key and a self-signed certificate around it, made
// here from 25 lines of DER. P-256 because desktop VS Code runs on BoringSSL, which refuses Ed25519
// certificates (electron#45358). Nobody checks the certificate's fields: what counts is the pin,
// SHA-256 of the public key (ids.ts).
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Pin } from '../base/ids.ts';
import { pinOf } from '../base/ids.ts';

export interface Identity {
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly pin: Pin;
  /** For node:tls. The certificate is made anew at every start; the key, and so the pin, stays. */
  readonly keyPem: string;
  readonly certificatePem: string;
}

/** A new identity. */
export function createIdentity(): Identity {
  return identityOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

/**
 * The identity of a key kept as PKCS #8 (DER). Throws what node:crypto throws for bytes that are no
 * P-256 key.
 */
export function readIdentity(pkcs8: Uint8Array): Identity {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('not a P-256 key');
  return identityOf(key);
}

/** What to keep of an identity: its key as PKCS #8 (DER). */
export const identityBytes = (identity: Identity): Buffer =>
  identity.privateKey.export({ format: 'der', type: 'pkcs8' });

function identityOf(privateKey: KeyObject): Identity {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    privateKey,
    spki,
    pin: pinOf(spki),
    keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    certificatePem: pem(selfSigned(privateKey, spki)),
  };
}

const pem = (der: Buffer): string => {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
};

/** An X.509 v3 certificate (RFC 5280) valid for ever, for client and server authentication. */
function selfSigned(privateKey: KeyObject, spki: Uint8Array): Buffer {
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const name = sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from('shoal')))));
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0); // positive, and as long as it looks
  // RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime after; 99991231235959Z means no expiry.
  const validity = sequence(tlv(0x17, Buffer.from('240101000000Z')), tlv(0x18, Buffer.from('99991231235959Z')));
  const notAnAuthority = sequence(oid('551d13'), tlv(0x01, Buffer.from([0xff])), tlv(0x04, sequence()));
  const clientAndServer = sequence(
    oid('551d25'),
    tlv(0x04, sequence(oid('2b06010505070301'), oid('2b06010505070302'))),
  );
  const toSign = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    ecdsaWithSha256,
    name,
    validity,
    name,
    Buffer.from(spki),
    tlv(0xa3, sequence(notAnAuthority, clientAndServer)),
  );
  return sequence(toSign, ecdsaWithSha256, tlv(0x03, Buffer.from([0]), sign('sha256', toSign, privateKey)));
}

/** Tag, length, value: all that DER is made of. */
function tlv(tag: number, ...values: readonly Buffer[]): Buffer {
  const value = Buffer.concat(values);
  const n = value.length;
  const size = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}
const sequence = (...values: readonly Buffer[]): Buffer => tlv(0x30, ...values);
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'));
