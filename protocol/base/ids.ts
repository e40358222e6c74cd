// Identifiers: what they are in memory (lower-case hex, so that they can be keys of a Map and be
// printed) and how long they are. The brand keeps a group's id from being passed where an account's
// belongs; it costs nothing at run time.
import { createHash } from 'node:crypto';

declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

/** SHA-256 of a key's SubjectPublicKeyInfo (DER), 32 bytes: who a device, tracker or realm is. */
export type Pin = Id<'pin'>;
/** An account, 16 random bytes chosen by who creates it. */
export type AccountId = Id<'account'>;
/** A group, 16 random bytes chosen by who creates it. */
export type GroupId = Id<'group'>;
/** A join request, 16 random bytes chosen by the applicant. */
export type RequestId = Id<'request'>;
/** An operation, 16 random bytes chosen by its author; the same id sent twice takes effect once. */
export type OperationId = Id<'operation'>;
/** Root of a file's hash tree, 32 bytes (BEP 52 `pieces root`); 32 zero bytes for an empty file. */
export type Root = Id<'root'>;
/** SHA-256 of a whole file, 32 bytes. */
export type Sha256 = Id<'sha256'>;
/**
 * One life of one tracker's log, 8 random bytes: a log that lost its tail continues under a new
 * origin, because the numbers of the old one were given already.
 */
export type Origin = Id<'origin'>;

export const PIN_BYTES = 32;
export const ID_BYTES = 16;
export const HASH_BYTES = 32;
export const ORIGIN_BYTES = 8;

/** A swarm: everyone who has or wants the same bytes within one group. */
export interface SwarmKey {
  readonly group: GroupId;
  readonly root: Root;
}

/** The key of a swarm in a Map. */
export const swarmKeyText = (swarm: SwarmKey): string => `${swarm.group}/${swarm.root}`;

/** The pin of a public key given as SubjectPublicKeyInfo in DER. */
export const pinOf = (spki: Uint8Array): Pin => createHash('sha256').update(spki).digest('hex') as Pin;

/** The first characters of an id: enough for a log line, never for a comparison. */
export const short = (id: string): string => id.slice(0, 8);

/** Whether a text is the hex form of so many bytes. */
export const isHexOf = (text: string, bytes: number): boolean => text.length === bytes * 2 && /^[0-9a-f]*$/.test(text);
