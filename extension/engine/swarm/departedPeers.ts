// Who was in a swarm and left before everything was here: when, and with what. So that of a
// download that stands still it can be said who last had what is missing. Kept for the life of the
// engine; of whole files nothing is kept.
import type { Bitfield } from '../../../protocol/messages/bitfield.ts';
import type { Pin } from '../../../protocol/base/ids.ts';

/**
 * Peers that are remembered for one file, those that left last: at 2^20 pieces each takes 128 KiB.
 */
const DEPARTED_MAX = 8;

export interface DepartedPeer {
  readonly user: string;
  readonly had: Bitfield;
  /** By the wall clock. */
  readonly atMs: number;
}

export class DepartedPeers {
  /** Who left first is first. */
  readonly #peers = new Map<Pin, DepartedPeer>();

  get peers(): ReadonlyMap<Pin, DepartedPeer> {
    return this.#peers;
  }

  add(pin: Pin, peer: DepartedPeer): void {
    this.#peers.delete(pin);
    if (peer.had.count === 0) return;
    this.#peers.set(pin, peer);
    for (const oldest of this.#peers.keys()) {
      if (this.#peers.size <= DEPARTED_MAX) break;
      this.#peers.delete(oldest);
    }
  }

  remove(pin: Pin): void {
    this.#peers.delete(pin);
  }
}
