// The piece layer of a download: fetched range after range, from one peer at a time, every range
// proven by the root before it counts. Without it no piece can be verified, so it comes first.
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import { HASH_BYTES } from '../../../protocol/base/ids.ts';
import { HASHES_PER_REPLY_MAX } from '../../../protocol/base/limits.ts';
import type { Shape } from '../hashing/merkleTree.ts';
import { provesRange } from '../hashing/merkleTree.ts';
import type { PeerConnection } from '../peers/peerConnection.ts';

/**
 * Ranges asked for at once: 8 × 1024 hashes stand for 4 GiB of ordinary pieces, so most files wait
 * for one answer only.
 */
const RANGES_AT_ONCE = 8;

export class HashFetcher {
  readonly #key: SwarmKey;
  readonly #shape: Shape;
  readonly #pieceHashes: Buffer;
  /** The first piece whose hash is not here yet. */
  #next = 0;
  /**
   * Who is being asked, and which of our turns that is: the same peer may be given up and asked
   * again.
   */
  #current: { readonly link: PeerConnection } | undefined;

  constructor(key: SwarmKey, shape: Shape) {
    this.#key = key;
    this.#shape = shape;
    this.#pieceHashes = Buffer.alloc(shape.pieces * HASH_BYTES);
  }

  get isFetching(): boolean {
    return this.#current !== undefined;
  }

  /**
   * Goes on with a peer where the last one stopped.
   *
   * @returns the whole layer, `wrong` when the peer's hashes do not lead to the root, undefined
   *   when it was given up meanwhile
   * @throws ShoalError what the link throws
   */
  async fetchFrom(peer: PeerConnection): Promise<Uint8Array | 'wrong' | undefined> {
    const attempt = (this.#current = { link: peer });
    const count = Math.min(HASHES_PER_REPLY_MAX, 2 ** Math.ceil(Math.log2(this.#shape.pieces)));
    try {
      while (this.#next < this.#shape.pieces) {
        const firsts = Array.from({ length: RANGES_AT_ONCE }, (_, n) => this.#next + n * count).filter(
          (first) => first < this.#shape.pieces,
        );
        const ranges = await Promise.all(
          firsts.map((first) => peer.rpc.call('hashes', { ...this.#key, first, count })),
        );
        if (this.#current !== attempt) return undefined;
        for (const [n, range] of ranges.entries()) {
          const first = firsts[n] ?? 0;
          if (!provesRange(range, this.#shape, this.#key.root, first, count)) return 'wrong';
          this.#pieceHashes.set(range.hashes, first * HASH_BYTES);
          this.#next = first + count;
        }
      }
      return this.#pieceHashes;
    } finally {
      if (this.#current === attempt) this.#current = undefined;
    }
  }

  /** A peer is gone: somebody else may be asked. */
  cancel(peer: PeerConnection): void {
    if (this.#current?.link === peer) this.#current = undefined;
  }
}
