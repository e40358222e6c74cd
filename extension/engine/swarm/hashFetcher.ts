// The piece layer of a download: fetched range after range, from one peer at a time, every range
// proven by the root before it counts. Without it no piece can be verified, so it comes first.
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import { HASH_BYTES } from '../../../protocol/base/ids.ts';
import { HASHES_PER_REPLY_MAX } from '../../../protocol/base/limits.ts';
import type { Shape } from '../hashing/merkleTree.ts';
import { rangeFits } from '../hashing/merkleTree.ts';
import type { PeerLink } from '../peers/peerConnection.ts';

/**
 * Ranges asked for at once: 8 × 1024 hashes stand for 4 GiB of ordinary pieces, so most files wait
 * for one answer only.
 */
const RANGES_AT_ONCE = 8;

export class LayerFetch {
  readonly #key: SwarmKey;
  readonly #shape: Shape;
  readonly #layer: Buffer;
  /** The first piece whose hash is not here yet. */
  #next = 0;
  /**
   * Who is being asked, and which of our turns that is: the same peer may be given up and asked
   * again.
   */
  #from: { readonly link: PeerLink } | undefined;

  constructor(key: SwarmKey, shape: Shape) {
    this.#key = key;
    this.#shape = shape;
    this.#layer = Buffer.alloc(shape.pieces * HASH_BYTES);
  }

  get isAsking(): boolean {
    return this.#from !== undefined;
  }

  /**
   * Goes on with a peer where the last one stopped.
   *
   * @returns the whole layer, `wrong` when the peer's hashes do not lead to the root, undefined
   *   when it was given up meanwhile
   * @throws ShoalError what the link throws
   */
  async from(link: PeerLink): Promise<Uint8Array | 'wrong' | undefined> {
    const turn = (this.#from = { link });
    const count = Math.min(HASHES_PER_REPLY_MAX, 2 ** Math.ceil(Math.log2(this.#shape.pieces)));
    try {
      while (this.#next < this.#shape.pieces) {
        const firsts = Array.from({ length: RANGES_AT_ONCE }, (_, n) => this.#next + n * count).filter(
          (first) => first < this.#shape.pieces,
        );
        const ranges = await Promise.all(
          firsts.map((first) => link.connection.call('hashes', { ...this.#key, first, count })),
        );
        if (this.#from !== turn) return undefined;
        for (const [n, range] of ranges.entries()) {
          const first = firsts[n] ?? 0;
          if (!rangeFits(range, this.#shape, this.#key.root, first, count)) return 'wrong';
          this.#layer.set(range.hashes, first * HASH_BYTES);
          this.#next = first + count;
        }
      }
      return this.#layer;
    } finally {
      if (this.#from === turn) this.#from = undefined;
    }
  }

  /** A peer is gone: somebody else may be asked. */
  giveUp(link: PeerLink): void {
    if (this.#from?.link === link) this.#from = undefined;
  }
}
