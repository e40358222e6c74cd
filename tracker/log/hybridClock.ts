// The hybrid logical clock of one tracker: the wall clock where that runs ahead, otherwise a
// counter behind the latest moment that was stamped or seen. It only goes forward. Pure: the wall
// clock is handed in.

/** What it counts within one ms before it takes the next. */
const COUNTER_MAX = 0xffff;

/** Behind every stamp of this moment, of any tracker. */
export interface Moment {
  readonly ms: number;
  readonly counter: number;
}

export const isLater = (a: Moment, b: Moment): boolean => a.ms > b.ms || (a.ms === b.ms && a.counter > b.counter);

export const later = (a: Moment, b: Moment): Moment => (isLater(b, a) ? { ms: b.ms, counter: b.counter } : a);

export class HybridClock {
  #now: Moment;

  /** @param fromMs  no stamp was later than this */
  constructor(fromMs: number) {
    this.#now = { ms: fromMs, counter: 0 };
  }

  get now(): Moment {
    return this.#now;
  }

  /** The next moment: later than everything it has seen, and than it ever was. */
  next(wallMs: number): Moment {
    const { ms, counter } = this.#now;
    if (wallMs > ms) this.#now = { ms: wallMs, counter: 0 };
    else this.#now = counter < COUNTER_MAX ? { ms, counter: counter + 1 } : { ms: ms + 1, counter: 0 };
    return this.#now;
  }

  /** It never falls behind what it has seen. */
  learn(seen: Moment): void {
    this.#now = later(this.#now, seen);
  }
}
