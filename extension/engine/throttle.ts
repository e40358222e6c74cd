// A limit in bytes per second, as a bucket that fills with time. Who asks waits in line; nobody is passed over.
import { ShoalError } from '../../protocol/errors.ts';
import type { Clock, Timer } from '../../protocol/world.ts';

/** How much may go at once after a pause, in ms of the limit: short, so that the rate is smooth. */
const BURST_MS = 50;

interface Waiting {
  readonly bytes: number;
  readonly go: () => void;
}

export class Throttle {
  readonly #clock: Clock;
  #bytesPerS = 0;
  /** Bytes that may go now; below 0 after a piece larger than the bucket. */
  #level = 0;
  #filledAtMs = 0;
  readonly #line: Waiting[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get bytesPerS(): number {
    return this.#bytesPerS;
  }

  /** @param bytesPerS  0 for no limit */
  set(bytesPerS: number): void {
    this.#fill();
    this.#bytesPerS = bytesPerS;
    this.#level = Math.min(this.#level, this.#burstBytes);
    this.#serve();
  }

  /**
   * Resolves when so many bytes may go.
   *
   * @throws ShoalError cancelled when the signal aborts first
   */
  take(bytes: number, signal?: AbortSignal): Promise<void> | undefined {
    if (this.#bytesPerS === 0 && this.#line.length === 0) return undefined;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new ShoalError('cancelled'));
      const waiting: Waiting = {
        bytes,
        go: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        const place = this.#line.indexOf(waiting);
        if (place >= 0) this.#line.splice(place, 1);
        reject(new ShoalError('cancelled'));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#line.push(waiting);
      this.#serve();
    });
  }

  get #burstBytes(): number {
    return (this.#bytesPerS * BURST_MS) / 1000;
  }

  #fill(): void {
    const now = this.#clock.monotonicMs();
    this.#level = Math.min(this.#burstBytes, this.#level + ((now - this.#filledAtMs) * this.#bytesPerS) / 1000);
    this.#filledAtMs = now;
  }

  /** Lets go who may. A request larger than the bucket goes when the bucket is full and leaves it in debt: no size waits for ever. */
  #serve(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#fill();
    for (let next = this.#line[0]; next; next = this.#line[0]) {
      const needed = this.#bytesPerS === 0 ? -Infinity : Math.min(next.bytes, this.#burstBytes);
      if (this.#level < needed) {
        this.#timer = this.#clock.after(Math.max(1, ((needed - this.#level) * 1000) / this.#bytesPerS), () => this.#serve());
        return;
      }
      this.#line.shift();
      if (this.#bytesPerS > 0) this.#level -= next.bytes;
      next.go();
    }
  }
}
