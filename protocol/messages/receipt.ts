// A tracker's proof that it has acknowledged an operation: with it the operation can be given back
// to the trackers when the one disk that had it is lost, and counts there even if it could not be
// taken in anew by now.
import { createPublicKey, sign, verify } from 'node:crypto';
import { pin } from '../base/fields.ts';
import type { Of } from '../base/schema.ts';
import { bytes, struct } from '../base/schema.ts';
import type { TicketKeys, TicketSigner } from './ticket.ts';

/** Ed25519 over the entry, by the ticket key of the tracker that took it in. */
export const receiptProof = struct({ tracker: pin, signature: bytes(64) });
export type ReceiptProof = Of<typeof receiptProof>;

const CONTEXT = Buffer.from('shoal-receipt-v1\0', 'latin1');

export const signReceipt = (entry: Uint8Array, { tracker, ticketKey }: TicketSigner): ReceiptProof => ({
  tracker,
  signature: sign(null, Buffer.concat([CONTEXT, entry]), ticketKey),
});

/** Whether a tracker of the realm has said that it had this entry. */
export function receiptCounts(entry: Uint8Array, { tracker, signature }: ReceiptProof, keys: TicketKeys): boolean {
  const spki = keys.get(tracker);
  if (!spki) return false;
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.concat([CONTEXT, entry]), key, signature);
}
