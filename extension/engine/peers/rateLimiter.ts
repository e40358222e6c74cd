// A limit in bytes per second, as a bucket that fills with time. Whoever moves bytes either looks
// and spends (uploadQueue.ts, which then chooses who gets them) or waits in line (`take`), where
// nobody is passed over.
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Clock, Timer } from '../../../protocol/base/world.ts';

/** How much may go at once after a pause, in ms of the limit: short, so that the rate is smooth. */
const BURST_MS = 50;
/**
 * Bytes that always go at once: less would be all head and no bytes. At 10 KB/s they are a fifth of
 * a second.
 */
const PORTION_BYTES_MIN = 2 * 1024;

interface QueuedTake {
  readonly bytes: number;
  readonly proceed: () => void;
}

export class RateLimiter {
  readonly #clock: Clock;
  #bytesPerS = 0;
  /** Bytes that may go now; below 0 after more than the bucket holds. */
  #availableBytes = 0;
  #filledAtMs = 0;
  readonly #queue: QueuedTake[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock, bytesPerS = 0) {
    this.#clock = clock;
    this.#bytesPerS = bytesPerS;
  }

  get bytesPerS(): number {
    return this.#bytesPerS;
  }

  /**
   * How many bytes to move at once so that the limit holds over short times too; Infinity without a
   * limit.
   */
  get portionBytes(): number {
    return this.#bytesPerS === 0 ? Infinity : Math.max(PORTION_BYTES_MIN, Math.floor(this.#burstBytes));
  }

  /** @param bytesPerS  0 for no limit */
  set(bytesPerS: number): void {
    this.#refill();
    this.#bytesPerS = bytesPerS;
    this.#availableBytes = Math.min(this.#availableBytes, this.#burstBytes);
    this.#drain();
  }

  /**
   * After how many ms so many bytes may go; 0: now. More than the bucket holds may go when it is
   * full, so that no size waits for ever.
   */
  waitMs(bytes: number): number {
    if (this.#bytesPerS === 0) return 0;
    this.#refill();
    const missing = Math.min(bytes, this.#burstBytes) - this.#availableBytes;
    return missing <= 0 ? 0 : Math.max(1, (missing * 1000) / this.#bytesPerS);
  }

  /** So many bytes go now. */
  spend(bytes: number): void {
    if (this.#bytesPerS > 0) this.#availableBytes -= bytes;
  }

  /**
   * Resolves when so many bytes may go, and spends them.
   *
   * @throws ShoalError cancelled when the signal aborts first
   */
  take(bytes: number, signal?: AbortSignal): Promise<void> | undefined {
    if (this.#bytesPerS === 0 && this.#queue.length === 0) return undefined;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new ShoalError('cancelled'));
      const waiting: QueuedTake = {
        bytes,
        proceed: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        const place = this.#queue.indexOf(waiting);
        if (place >= 0) this.#queue.splice(place, 1);
        reject(new ShoalError('cancelled'));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(waiting);
      this.#drain();
    });
  }

  get #burstBytes(): number {
    return (this.#bytesPerS * BURST_MS) / 1000;
  }

  #refill(): void {
    const now = this.#clock.monotonicMs();
    this.#availableBytes = Math.min(
      this.#burstBytes,
      this.#availableBytes + ((now - this.#filledAtMs) * this.#bytesPerS) / 1000,
    );
    this.#filledAtMs = now;
  }

  #drain(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const wait = this.waitMs(next.bytes);
      if (wait > 0) {
        this.#timer = this.#clock.after(wait, () => this.#drain());
        return;
      }
      this.#queue.shift();
      this.spend(next.bytes);
      next.proceed();
    }
  }
}
