// Memory for pieces on their way between the network and the disk: shared with the hashing thread,
// used again, and counted over all transfers, so that an engine's memory does not grow with what it
// moves.
import { PIECE_BYTES_DEFAULT } from '../../../protocol/base/limits.ts';

/**
 * Bytes of pieces on their way from which on nothing more is begun. What is under way may pass it:
 * one piece for each link.
 */
const TOTAL_BYTES_MAX = 24 * 1024 * 1024;
/**
 * Buffers kept for the next use: what is ever under way at once on a fast line, because memory that
 * two threads share is slow to be freed.
 */
const SPARE_MAX = 32;

export class BufferPool {
  readonly #headRoomBytes: number;
  #usedBytes = 0;
  readonly #spare: Uint8Array[] = [];

  /** @param headRoomBytes  free bytes in front of each buffer, in the same memory */
  constructor(headRoomBytes = 0) {
    this.#headRoomBytes = headRoomBytes;
  }

  /** A buffer of so many bytes. */
  acquire(bytes: number): Uint8Array {
    const whole =
      (bytes <= PIECE_BYTES_DEFAULT ? this.#spare.pop() : undefined) ??
      new Uint8Array(new SharedArrayBuffer(this.#headRoomBytes + Math.max(bytes, PIECE_BYTES_DEFAULT)));
    // All of it counts: who asks for little of it takes as much.
    this.#usedBytes += whole.length;
    return whole.subarray(this.#headRoomBytes, this.#headRoomBytes + bytes);
  }

  /**
   * Gives a buffer back. `lost`: bytes may still land in it (its call was given up), so nobody else
   * gets it.
   */
  release(buffer: Uint8Array, lost = false): void {
    this.#usedBytes -= buffer.buffer.byteLength;
    if (
      !lost &&
      buffer.buffer.byteLength === this.#headRoomBytes + PIECE_BYTES_DEFAULT &&
      this.#spare.length < SPARE_MAX
    ) {
      this.#spare.push(new Uint8Array(buffer.buffer));
    }
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether so much is on its way that nothing more should be begun. */
  get isFull(): boolean {
    return this.#usedBytes >= TOTAL_BYTES_MAX;
  }
}
