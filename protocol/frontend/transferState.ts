// What the state of a transfer comes to for a person: whether it is done, unfinished or at work.
// Pure.
import type { Transfer } from '../messages/engineLink.ts';

/** Whether a download is there, whole and under its name; it need not be served now. */
export const isComplete = ({ kind, state, pieces, heldPieces }: Transfer): boolean =>
  kind === 'download' &&
  (state === 'seeding' || state === 'gone' || (state === 'paused' && pieces > 0 && heldPieces === pieces));

export const isUnfinished = (transfer: Transfer): boolean => transfer.kind === 'download' && !isComplete(transfer);

/** Whether bytes are being hashed or moved at this moment. */
export const isRunning = ({ state }: Transfer): boolean =>
  state === 'hashing' || state === 'checking' || state === 'downloading';
