// Merges many requests to run something into few runs.
import type { Clock, Timer } from '../base/world.ts';

export interface ThrottlerOptions {
  /** Least time between the starts of two runs, in ms; asked anew for each. */
  readonly restMs: number | (() => number);
  /**
   * How long a request waits at least, so that what belongs together comes together; 0 by default.
   */
  readonly delayMs?: number;
}

export class Throttler {
  readonly #clock: Clock;
  readonly #options: ThrottlerOptions;
  readonly #run: () => void;
  #startedMs = -Infinity;
  #timer: Timer | undefined;

  constructor(clock: Clock, options: ThrottlerOptions, run: () => void) {
    this.#clock = clock;
    this.#options = options;
    this.#run = run;
  }

  /** Runs now if that is allowed, or else as soon as it is. */
  request(): void {
    if (this.#timer) return;
    const { restMs, delayMs = 0 } = this.#options;
    const nowMs = this.#clock.monotonicMs();
    const waitMs = Math.max(delayMs, this.#startedMs + (typeof restMs === 'function' ? restMs() : restMs) - nowMs);
    if (waitMs <= 0) return this.#start();
    this.#timer = this.#clock.after(waitMs, () => {
      this.#timer = undefined;
      this.#start();
    });
  }

  /** Runs now, whatever ran before; a request that waits stays. */
  runNow(): void {
    this.#start();
  }

  /** Forgets a request that waits. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #start(): void {
    this.#startedMs = this.#clock.monotonicMs();
    this.#run();
  }
}
