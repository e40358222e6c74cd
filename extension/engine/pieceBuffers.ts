// Memory for pieces on their way from the network to the disk: shared with the hashing thread, bounded over all downloads, so that
// an engine's memory does not grow with what it downloads.
import { PIECE_BYTES_DEFAULT } from '../../protocol/limits.ts';

/** Bytes of pieces that may be on their way at once. Four requests to each of a dozen peers; more only adds memory. */
const TOTAL_BYTES_MAX = 24 * 1024 * 1024;
/** Buffers kept for the next use. */
const SPARE_MAX = 16;

export class PieceBuffers {
  #usedBytes = 0;
  readonly #spare: Uint8Array[] = [];

  /** A buffer of at least so many bytes, cut to them; undefined while too much is on its way. A single large piece always fits. */
  take(bytes: number): Uint8Array | undefined {
    if (this.#usedBytes > 0 && this.#usedBytes + bytes > TOTAL_BYTES_MAX) return undefined;
    this.#usedBytes += bytes;
    const whole = (bytes <= PIECE_BYTES_DEFAULT ? this.#spare.pop() : undefined) ?? new Uint8Array(new SharedArrayBuffer(Math.max(bytes, PIECE_BYTES_DEFAULT)));
    return whole.subarray(0, bytes);
  }

  /** Gives a buffer back. `lost`: bytes may still land in it (its call was given up), so nobody else gets it. */
  give(buffer: Uint8Array, lost = false): void {
    if (!(buffer.buffer instanceof SharedArrayBuffer)) return; // not from here
    this.#usedBytes -= buffer.length;
    if (!lost && buffer.buffer.byteLength === PIECE_BYTES_DEFAULT && this.#spare.length < SPARE_MAX) this.#spare.push(new Uint8Array(buffer.buffer));
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }
}
