// How many pieces to have asked of one peer at a time. Too few and a long line runs empty between
// them; too many and they only lie in the peer's queue, where a piece that another peer could send
// sooner waits. So: as many more as cost no time, and fewer when they do (the idea of TCP Vegas:
// the time of an answer tells how long the queue is). Pure state; knows no peer.

/** One on its way and one behind it: what even the slowest link needs not to run empty. */
export const WINDOW_MIN = 2;
/**
 * 4 MiB of ordinary pieces: more only adds memory (measured on loopback), and it fills 100 ms of a
 * line of 40 MB/s.
 */
export const WINDOW_MAX = 8;
/**
 * An answer that takes this much longer than the fastest shows that there is no queue, or that it
 * is long.
 */
const SHORT_QUEUE_TIMES = { times: 1.5, ms: 1 };
const LONG_QUEUE_TIMES = { times: 3, ms: 50 };
/**
 * The fastest answer is forgotten by so much with each answer: a line may become slower for good.
 */
const LEAST_DECAY = 1.002;

export class RequestWindow {
  /**
   * Who has never answered gets one to show that he does: so much is held up by one who does not.
   */
  #pieces = 1;
  #leastMs = Infinity;

  get pieces(): number {
    return this.#pieces;
  }

  /**
   * A piece has arrived.
   *
   * @param tookMs  since it was asked for
   * @param wasFull  whether as many as allowed were under way: only then does its time tell
   *   anything of having more
   */
  onPiece(tookMs: number, wasFull: boolean): void {
    this.#pieces = Math.max(WINDOW_MIN, this.#pieces);
    this.#leastMs = Math.min(this.#leastMs * LEAST_DECAY, tookMs);
    if (wasFull && tookMs <= this.#leastMs * SHORT_QUEUE_TIMES.times + SHORT_QUEUE_TIMES.ms) {
      this.#pieces = Math.min(WINDOW_MAX, this.#pieces + 1);
    } else if (tookMs > this.#leastMs * LONG_QUEUE_TIMES.times + LONG_QUEUE_TIMES.ms) {
      this.#pieces = Math.max(WINDOW_MIN, this.#pieces - 1);
    }
  }
}
