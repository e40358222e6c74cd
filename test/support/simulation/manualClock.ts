// A clock that stands still until a test moves it.
import type { Clock, Timer } from '../../../protocol/base/world.ts';
import { EventQueue } from './eventQueue.ts';

export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #events = new EventQueue();
  #inserted: (() => void)[] = [];

  now(): number {
    return 1_767_225_600_000 + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = this.#events.add(this.#nowMs + delayMs, run);
    for (const tell of this.#inserted.splice(0)) tell();
    return timer;
  }

  /** Resolves when something waits on this clock. */
  async waiting(): Promise<void> {
    while (this.#events.size === 0) await new Promise<void>((resolve) => this.#inserted.push(resolve));
  }

  /** Lets so much time pass; code that a timer wakes runs before the next one does. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    const end = this.#events.add(untilMs, () => {});
    for (let next = this.#events.next(); next; next = this.#events.next()) {
      this.#nowMs = next.atMs;
      next.run();
      await new Promise(setImmediate);
      if (end.run === undefined) break;
    }
  }
}
