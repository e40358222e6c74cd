// To whom this engine gave the first copy of a piece, and whether that one has passed it on since.
// Who keeps first copies to himself makes us send them again, so others come before him when there
// is something that nobody has. Remembers; decides nothing (uploadScheduler.ts does).
import type { UploadFile, UploadPeer } from './uploadRequest.ts';

/** How long somebody has to pass a piece on, in ms: to receive, verify, and send it to one more. */
const GRACE_MS = 2_000;
/** After that time it is forgotten, in ms: he may have had nobody to give it to. */
const MEMORY_MS = 60_000;
/** Pieces remembered of one peer. */
const PIECES_MAX = 16;

interface FirstCopy {
  readonly file: UploadFile;
  readonly piece: number;
  readonly atMs: number;
}

export class SuperSeeding {
  readonly #firstCopies = new WeakMap<UploadPeer, FirstCopy[]>();

  onSent(peer: UploadPeer, file: UploadFile, piece: number, nowMs: number): void {
    const copies = this.#firstCopies.get(peer) ?? [];
    this.#firstCopies.set(peer, copies);
    copies.push({ file, piece, atMs: nowMs });
    if (copies.length > PIECES_MAX) copies.shift();
  }

  /** How many pieces nobody has but us and him, although he had the time to pass them on. */
  unsharedBy(peer: UploadPeer, nowMs: number): number {
    const copies = this.#firstCopies.get(peer);
    if (!copies) return 0;
    // Two have it: he, and one more.
    const left = copies.filter(({ file, piece, atMs }) => nowMs - atMs < MEMORY_MS && file.leechersWith(piece) < 2);
    if (left.length < copies.length) this.#firstCopies.set(peer, left);
    return left.reduce((count, { atMs }) => count + (nowMs - atMs > GRACE_MS ? 1 : 0), 0);
  }
}
