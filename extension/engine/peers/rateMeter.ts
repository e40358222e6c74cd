// How fast bytes come and go: an average over the last seconds that does not jump.
import type { Clock } from '../../../protocol/base/world.ts';

/** After this time, in ms, what was before counts e times less. */
const MEMORY_MS = 2_000;

export class RateMeter {
  readonly #clock: Clock;
  #perMs = 0;
  #atMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#atMs = clock.monotonicMs();
  }

  count(bytes: number): void {
    this.#decay();
    this.#perMs += bytes / MEMORY_MS;
  }

  get bytesPerS(): number {
    this.#decay();
    const rate = Math.round(this.#perMs * 1000);
    return rate < 1024 ? 0 : rate;
  }

  #decay(): void {
    const now = this.#clock.monotonicMs();
    this.#perMs *= Math.exp((this.#atMs - now) / MEMORY_MS);
    this.#atMs = now;
  }
}
