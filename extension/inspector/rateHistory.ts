// How fast a transfer was in the last minutes: kept while somebody has its inspector open, also
// while another tab lies before it.
import type { Rates } from '../webview/messages.ts';

/** How far back the plot goes, and how often a rate is taken, in ms. */
const HISTORY_MS = 5 * 60_000;
export const SAMPLE_MS = 1_000;

interface Sample {
  readonly atMs: number;
  readonly down: number;
  readonly up: number;
}

export class RateHistory {
  #samples: Sample[] = [];

  /** @param nowMs  by a clock that never goes back */
  add(nowMs: number, down: number, up: number): void {
    this.#samples = [...this.#samples.filter(({ atMs }) => nowMs - atMs <= HISTORY_MS), { atMs: nowMs, down, up }];
  }

  get peakDown(): number {
    return this.#samples.reduce((most, { down }) => Math.max(most, down), 0);
  }
  get peakUp(): number {
    return this.#samples.reduce((most, { up }) => Math.max(most, up), 0);
  }

  rates(nowMs: number): Rates {
    return {
      ageS: this.#samples.map(({ atMs }) => (atMs - nowMs) / 1000),
      down: this.#samples.map(({ down }) => down),
      up: this.#samples.map(({ up }) => up),
    };
  }
}
