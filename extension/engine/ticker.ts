// What makes an engine look after itself: a beat a second, and word of it when the machine has
// slept. Owns that timer; what is looked after is its caller's business.
import type { Clock, Timer } from '../../protocol/base/world.ts';

/** From one beat to the next, in ms. */
const BEAT_MS = 1_000;
/** A gap between two beats that means the machine has slept, in ms. */
const SLEPT_MS = 15_000;

export interface PulseEvents {
  slept(): void;
  beat(): void;
}

export class Pulse {
  readonly #clock: Clock;
  readonly #events: PulseEvents;
  #timer: Timer | undefined;
  #lastMs: number;
  #stopped = false;

  constructor(clock: Clock, events: PulseEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#lastMs = clock.monotonicMs();
  }

  start(): void {
    this.#timer = this.#clock.after(BEAT_MS, () => {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - this.#lastMs > SLEPT_MS) this.#events.slept();
      this.#lastMs = nowMs;
      this.#events.beat();
      if (!this.#stopped) this.start();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }
}
