// Pieces that leechers say they have requested from seeders, which nobody else needs to request
// there. Owns the count for each piece; what a leecher has said is in its PeerState.
import type { PeerState } from './peerState.ts';

export class AnnouncedRequests {
  readonly #counts = new Map<number, number>();

  /** What a leecher says: all of it, instead of what it said before. */
  set(peer: PeerState, pieces: readonly number[]): void {
    for (const piece of peer.announcedRequests) this.#add(piece, -1);
    peer.announcedRequests = new Set(pieces.filter((piece) => !peer.pieces.has(piece)));
    for (const piece of peer.announcedRequests) this.#add(piece, 1);
  }

  /** How many leechers will soon have a piece. */
  count(piece: number): number {
    return this.#counts.get(piece) ?? 0;
  }

  #add(piece: number, by: 1 | -1): void {
    const count = this.count(piece) + by;
    if (count > 0) this.#counts.set(piece, count);
    else this.#counts.delete(piece);
  }
}
