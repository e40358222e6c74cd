// Keeps two threads near each other that read the same file, one for its tree and one for its sum.
// Each reads for itself: bytes that go from core to core through shared memory cost seven times
// what reading them again from the system's cache does (0.45 s for each GiB, against 0.07). So that
// the disk is read only once, the second follows the first at a distance that surely stays in that
// cache.
import { ShoalError } from '../../../protocol/base/errors.ts';

/**
 * How far the leader may be ahead, in bytes: what it hashes in the 40 ms in which the other thread
 * is started.
 */
const AHEAD_BYTES_MAX = 64 * 1024 * 1024;
/**
 * How often one that waits looks where the other is, in ms: much less than the leader may be ahead.
 * To be woken for each piece would cost more.
 */
const CHECK_MS = 2;

/**
 * Words: how many pieces the leader has read, and the follower; and whether one of them has ended.
 */
const [LEADER, FOLLOWER, GIVEN_UP] = [0, 1, 2];
const WORDS = 3;

export const createPace = (): SharedArrayBuffer => new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);

/** Nobody shall wait any longer: one of the threads has ended. */
export function abandonPace(pace: SharedArrayBuffer): void {
  const words = new Int32Array(pace);
  Atomics.store(words, GIVEN_UP, 1);
  Atomics.notify(words, GIVEN_UP);
}

/** One of the two threads. */
export class Pacer {
  readonly #words: Int32Array;
  readonly #mine: number;
  readonly #other: number;
  /** How many pieces this one may be ahead of the other; the follower must be behind. */
  readonly #aheadPieces: number;

  constructor(pace: SharedArrayBuffer, role: 'leader' | 'follower', pieceBytes: number) {
    this.#words = new Int32Array(pace);
    [this.#mine, this.#other] = role === 'leader' ? [LEADER, FOLLOWER] : [FOLLOWER, LEADER];
    this.#aheadPieces = role === 'leader' ? Math.max(1, Math.floor(AHEAD_BYTES_MAX / pieceBytes)) : 0;
  }

  /**
   * Waits until a piece may be read: each from the first on, in order. @throws ShoalError cancelled
   * when the other has ended before
   */
  wait(piece: number): void {
    while (piece >= Atomics.load(this.#words, this.#other) + this.#aheadPieces) {
      if (Atomics.load(this.#words, GIVEN_UP) !== 0) throw new ShoalError('cancelled');
      Atomics.wait(this.#words, GIVEN_UP, 0, CHECK_MS);
    }
  }

  /** So many pieces are read now. */
  report(pieces: number): void {
    Atomics.store(this.#words, this.#mine, pieces);
  }
}
