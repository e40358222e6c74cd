// The piece hashes of a download: fetched range after range, from one peer at a time, every range
// proven by the root before it counts. Without them no piece can be verified, so they come first.
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import type { ShoalError } from '../../../protocol/base/errors.ts';
import { asShoalError } from '../../../protocol/base/errors.ts';
import { HASH_BYTES } from '../../../protocol/base/ids.ts';
import { HASHES_PER_REPLY_MAX } from '../../../protocol/base/limits.ts';
import { provesRange } from '../hashing/merkleTree.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import type { PeerConnection } from '../peers/peerConnection.ts';

/**
 * Ranges asked for at once: 8 × 1024 hashes stand for 4 GiB of ordinary pieces, so most files wait
 * for one answer only.
 */
const RANGES_AT_ONCE = 8;

export interface HashFetcherEvents {
  /** All of them are here and proven by the root. */
  onPieceHashes(pieceHashes: Uint8Array): void;
  onMisbehavior(from: PeerConnection, why: string): void;
  onFailed(from: PeerConnection, error: ShoalError): void;
  /** A peer is asked no more: another one may be. */
  onEnded(): void;
}

export class HashFetcher {
  readonly #key: SwarmKey;
  readonly #store: PieceStore;
  readonly #events: HashFetcherEvents;
  #pieceHashes: Buffer | undefined;
  /** The first piece whose hash is not here yet. */
  #next = 0;
  /** Who is being asked, one object for each attempt: a peer may be given up and asked again. */
  #current: { readonly peer: PeerConnection } | undefined;

  constructor(key: SwarmKey, store: PieceStore, events: HashFetcherEvents) {
    this.#key = key;
    this.#store = store;
    this.#events = events;
  }

  /** Goes on with a peer where the last one stopped; does nothing while another one is asked. */
  async fetch(peer: PeerConnection): Promise<void> {
    if (this.#current) return;
    try {
      const pieceHashes = await this.#fetchFrom(peer);
      if (pieceHashes === 'wrong') return this.#events.onMisbehavior(peer, 'its piece hashes do not lead to the root');
      if (pieceHashes && this.#store.setPieceHashes(pieceHashes)) {
        this.#pieceHashes = undefined;
        this.#events.onPieceHashes(pieceHashes);
      }
    } catch (error) {
      this.#events.onFailed(peer, asShoalError(error));
    } finally {
      this.#events.onEnded();
    }
  }

  /** A peer is gone: another one may be asked. */
  cancel(peer: PeerConnection): void {
    if (this.#current?.peer === peer) this.#current = undefined;
  }

  /**
   * @returns all hashes; `wrong` when the peer's do not lead to the root; undefined when it was
   *   cancelled meanwhile
   * @throws ShoalError what the connection throws
   */
  async #fetchFrom(peer: PeerConnection): Promise<Uint8Array | 'wrong' | undefined> {
    const { shape } = this.#store;
    const pieceHashes = (this.#pieceHashes ??= Buffer.alloc(shape.pieces * HASH_BYTES));
    const attempt = (this.#current = { peer });
    const count = Math.min(HASHES_PER_REPLY_MAX, 2 ** Math.ceil(Math.log2(shape.pieces)));
    try {
      while (this.#next < shape.pieces) {
        const firsts = Array.from({ length: RANGES_AT_ONCE }, (_, n) => this.#next + n * count).filter(
          (first) => first < shape.pieces,
        );
        const ranges = await Promise.all(
          firsts.map((first) => peer.rpc.call('hashes', { ...this.#key, first, count })),
        );
        if (this.#current !== attempt) return undefined;
        for (const [n, range] of ranges.entries()) {
          const first = firsts[n] ?? 0;
          if (!provesRange(range, shape, this.#key.root, first, count)) return 'wrong';
          pieceHashes.set(range.hashes, first * HASH_BYTES);
          this.#next = first + count;
        }
      }
      return pieceHashes;
    } finally {
      if (this.#current === attempt) this.#current = undefined;
    }
  }
}
