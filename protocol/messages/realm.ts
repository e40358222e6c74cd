// A realm: the identity of a tracker or a pair. Its key signs a descriptor that lists the trackers;
// clients know the realm by the pin of that key, which is part of the URL they are given, so no
// tracker, DNS server or network can stand in for it.
import { createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { addressText, parseAddress } from '../base/address.ts';
import { base32, fromBase32 } from '../base/base32.ts';
import { ShoalError } from '../base/errors.ts';
import type { Pin } from '../base/ids.ts';
import { PIN_BYTES, pinOf } from '../base/ids.ts';
import { address, pin, spki } from '../base/fields.ts';
import type { Address } from '../base/fields.ts';
import type { Of } from '../base/schema.ts';
import { added, decode, encode, list, struct, u32, u8 } from '../base/schema.ts';

/** Trackers in a realm: a pair, or one alone. */
export const TRACKERS_MAX = 2;
/** Trackers that were replaced over a realm's life. */
export const FORMER_MAX = 64;
/** The port of a tracker when none is named. */
export const TRACKER_PORT_DEFAULT = 7070;

/**
 * Which trackers make up the realm. Of two descriptors the one with the higher version counts; a
 * lower one is refused.
 */
export const descriptor = struct({
  realmKey: spki,
  version: u32,
  trackers: list(struct({ number: u8, address, pin, ticketKey: spki }), TRACKERS_MAX),
  /** Trackers that were in the list once: what they have signed still counts. */
  former: added(list(pin, FORMER_MAX), []),
});
export type Descriptor = Of<typeof descriptor>;
export interface SignedDescriptor {
  readonly descriptor: Uint8Array;
  /** Ed25519 over the context and the bytes. */
  readonly signature: Uint8Array;
}

const CONTEXT = Buffer.from('shoal-realm-v1\0', 'latin1');

export function signDescriptor(content: Descriptor, realmKey: KeyObject): SignedDescriptor {
  const written = encode(descriptor, content);
  return { descriptor: written, signature: sign(null, Buffer.concat([CONTEXT, written]), realmKey) };
}

/**
 * Reads a descriptor and checks that the realm with this pin signed it; without a pin, that the
 * realm it names did (first contact).
 *
 * @throws ShoalError badDescriptor, wrongRealm, badMessage
 */
export function checkDescriptor(
  signed: SignedDescriptor,
  expected: Pin | undefined,
  from: Address,
): Descriptor & { readonly realm: Pin } {
  const content = decode(descriptor, signed.descriptor, 'descriptor');
  const realm = pinOf(content.realmKey);
  if (expected !== undefined && realm !== expected) {
    throw new ShoalError('wrongRealm', {
      address: addressText(from),
      ours: expected.slice(0, 8),
      theirs: realm.slice(0, 8),
    });
  }
  if (!fits(content.realmKey, signed)) throw new ShoalError('badDescriptor', { address: addressText(from) });
  return { ...content, realm };
}

function fits(realmKey: Uint8Array, signed: SignedDescriptor): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(realmKey), format: 'der', type: 'spki' });
    return (
      key.asymmetricKeyType === 'ed25519' &&
      verify(null, Buffer.concat([CONTEXT, signed.descriptor]), key, signed.signature)
    );
  } catch {
    return false; // not a key at all
  }
}

/**
 * Where a realm's trackers are, and who they must prove to be; `realm` is undefined for a bare
 * address, trusted on first use.
 */
export interface RealmUrl {
  readonly realm: Pin | undefined;
  readonly addresses: readonly Address[];
}

/**
 * `shoal://PIN@hostA:7070,hostB:7070`; the pin in base32 (RFC 4648, lower case, no padding), 52
 * characters.
 */
export function realmUrlText(url: RealmUrl): string {
  const hosts = url.addresses.map(addressText).join(',');
  return url.realm === undefined ? hosts : `shoal://${base32(Buffer.from(url.realm, 'hex'))}@${hosts}`;
}

/**
 * Reads `shoal://PIN@host:port[,host:port]` or a bare `host[:port][,host[:port]]`.
 *
 * @throws ShoalError badTrackerUrl
 */
export function parseRealmUrl(text: string): RealmUrl {
  const bad = (): never => {
    throw new ShoalError('badTrackerUrl', { url: text });
  };
  const match = /^(?:shoal:\/\/([^@/]*)@)?([^@/]+)\/?$/.exec(text.trim()) ?? bad();
  const [, pinText, hosts = ''] = match;
  let realm: Pin | undefined;
  if (pinText !== undefined) {
    const bytes = fromBase32(pinText) ?? bad();
    if (bytes.length !== PIN_BYTES) bad();
    realm = bytes.toString('hex') as Pin;
  }
  const addresses = hosts.split(',').map((host) => parseAddress(host, TRACKER_PORT_DEFAULT) ?? bad());
  if (addresses.length > TRACKERS_MAX) bad();
  return { realm, addresses };
}
