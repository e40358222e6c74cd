// Membership tickets and revocations: how one engine proves to another, without asking a tracker,
// that its person is in a group, and how that proof is taken back (protocol/README.md, Tickets).
// Both are signed by a tracker's Ed25519 ticket key, listed in the descriptor.
import { createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ShoalError } from '../base/errors.ts';
import type { Pin } from '../base/ids.ts';
import { CLOCK_SKEW_MS_MAX } from '../base/limits.ts';
import { accountId, groupId, name, pin } from '../base/fields.ts';
import type { Of, Schema } from '../base/schema.ts';
import { bytes, decode, encode, oneOf, optional, struct, u16, u53 } from '../base/schema.ts';

/** A place in the order of operations, for "older than": ms and counter of a stamp. */
const when = struct({ ms: u53, counter: u16 });
export type Moment = Of<typeof when>;

const ticket = struct({
  realm: pin,
  group: groupId,
  account: accountId,
  user: name,
  device: pin,
  /**
   * When the membership, and this device's sign-in, began: a later revocation of either beats the
   * ticket.
   */
  memberSince: when,
  signedInSince: when,
  issuedAtMs: u53,
  expiresAtMs: u53,
});
export type Ticket = Of<typeof ticket>;

const revocation = struct({
  realm: pin,
  what: oneOf('membership', 'signIn'),
  account: accountId,
  /** The group a membership was in. */
  group: optional(groupId),
  /** The device that was signed in. */
  device: optional(pin),
  at: when,
});
export type Revocation = Of<typeof revocation>;

const signed = struct({ content: bytes(400), tracker: pin, signature: bytes(64) });

const CONTEXTS = { ticket: 'shoal-ticket-v1\0', revocation: 'shoal-revocation-v1\0' } as const;

/** The trackers whose signature counts: the descriptor's `ticketKey` by tracker pin. */
export type TicketKeys = ReadonlyMap<Pin, Uint8Array>;
/** With what a tracker signs. */
export interface TicketSigner {
  readonly tracker: Pin;
  readonly ticketKey: KeyObject;
}

export const signTicket = (content: Ticket, by: TicketSigner): Buffer => seal('ticket', encode(ticket, content), by);
export const signRevocation = (content: Revocation, by: TicketSigner): Buffer =>
  seal('revocation', encode(revocation, content), by);

/**
 * Reads a ticket and checks that a tracker of the realm signed it for the device at the other end
 * of the link. Whether it has expired or was revoked is asked at every request: `ticketCounts`.
 *
 * @throws ShoalError badTicket, badMessage
 */
export function openTicket(
  from: Uint8Array,
  expected: { readonly realm: Pin; readonly device: Pin; readonly keys: TicketKeys },
): Ticket {
  const content = open('ticket', ticket, from, expected.keys);
  if (content.realm !== expected.realm) throw new ShoalError('badTicket', { why: 'it is of another realm' });
  if (content.device !== expected.device) throw new ShoalError('badTicket', { why: 'it belongs to another device' });
  return content;
}

/** @throws ShoalError badTicket, badMessage */
export function openRevocation(
  from: Uint8Array,
  expected: { readonly realm: Pin; readonly keys: TicketKeys },
): Revocation {
  const content = open('revocation', revocation, from, expected.keys);
  if (content.realm !== expected.realm) throw new ShoalError('badTicket', { why: 'it is of another realm' });
  return content;
}

/**
 * Whether a ticket still counts at a moment: in its time, with `graceMs` more while no tracker can
 * be reached, and not revoked.
 */
export function ticketCounts(
  held: Ticket,
  at: { readonly nowMs: number; readonly graceMs: number; readonly revocations: readonly Revocation[] },
): boolean {
  if (at.nowMs < held.issuedAtMs - CLOCK_SKEW_MS_MAX || at.nowMs > held.expiresAtMs + CLOCK_SKEW_MS_MAX + at.graceMs) {
    return false;
  }
  return !at.revocations.some((one) => overrides(one, held));
}

/** Whether a revocation takes a ticket back. */
export function overrides(one: Revocation, held: Ticket): boolean {
  if (one.account !== held.account) return false;
  if (one.what === 'membership') return one.group === held.group && later(one.at, held.memberSince);
  return one.what === 'signIn' && one.device === held.device && later(one.at, held.signedInSince);
}

const later = (a: Moment, b: Moment): boolean => a.ms > b.ms || (a.ms === b.ms && a.counter > b.counter);

function seal(what: keyof typeof CONTEXTS, content: Uint8Array, by: TicketSigner): Buffer {
  return encode(signed, { content, tracker: by.tracker, signature: sign(null, toSign(what, content), by.ticketKey) });
}

function open<T>(what: keyof typeof CONTEXTS, schema: Schema<T>, from: Uint8Array, keys: TicketKeys): T {
  const { content, tracker, signature } = decode(signed, from, what);
  const key = keys.get(tracker);
  if (!key) throw new ShoalError('badTicket', { why: 'no tracker of this realm signed it' });
  if (!fits(key, toSign(what, content), signature)) {
    throw new ShoalError('badTicket', { why: 'its signature does not fit' });
  }
  return decode(schema, content, what);
}

function fits(ticketKey: Uint8Array, content: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(ticketKey), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' && verify(null, content, key, signature);
  } catch {
    return false; // not a key at all
  }
}

const toSign = (what: keyof typeof CONTEXTS, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(CONTEXTS[what], 'latin1'), content]);
