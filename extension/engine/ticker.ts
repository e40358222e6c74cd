// What makes an engine look after itself: a beat a second, and word of it when the machine has
// slept. Owns that timer; what is looked after is its caller's business.
import type { Clock, Timer } from '../../protocol/base/world.ts';

/** From one beat to the next, in ms. */
const TICK_MS = 1_000;
/** A gap between two beats that means the machine has slept, in ms. */
const SLEEP_GAP_MS = 15_000;

export interface TickerEvents {
  onWake(): void;
  onTick(): void;
}

export class Ticker {
  readonly #clock: Clock;
  readonly #events: TickerEvents;
  #timer: Timer | undefined;
  #lastMs: number;
  #stopped = false;

  constructor(clock: Clock, events: TickerEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#lastMs = clock.monotonicMs();
  }

  start(): void {
    this.#timer = this.#clock.after(TICK_MS, () => {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - this.#lastMs > SLEEP_GAP_MS) this.#events.onWake();
      this.#lastMs = nowMs;
      this.#events.onTick();
      if (!this.#stopped) this.start();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }
}
