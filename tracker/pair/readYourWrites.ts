// A reader who has seen effects of operations at the other tracker waits here until they are here
// too, or is told that they are not.
import { Emitter } from '../../protocol/async/emitter.ts';
import type { Origin } from '../../protocol/base/ids.ts';
import type { Clock } from '../../protocol/base/world.ts';
import type { Instance } from '../fold/state.ts';
import type { Ledger } from '../log/ledger.ts';

/** How long a reader waits, in ms. */
const WAIT_MS_MAX = 1_000;

export class ReadYourWrites {
  readonly #ledger: Pick<Ledger, 'seen'>;
  readonly #clock: Clock;
  /** More has come. */
  readonly #more = new Emitter<[]>();

  constructor(ledger: Pick<Ledger, 'seen'>, clock: Clock) {
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /** Resolves to whether all of these are here; to false after a second. */
  waitFor(seen: readonly Instance[]): Promise<boolean> {
    if (this.#has(seen)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (has: boolean): void => {
        timer.cancel();
        stop();
        resolve(has);
      };
      const timer = this.#clock.after(WAIT_MS_MAX, () => end(false));
      const stop = this.#more.on(() => {
        if (this.#has(seen)) end(true);
      });
    });
  }

  /** More has come. */
  recheck(): void {
    this.#more.emit();
  }

  #has(seen: readonly Instance[]): boolean {
    const have = new Map<Origin, number>(this.#ledger.seen.map(({ origin, seq }) => [origin, seq]));
    return seen.every(({ origin, seq }) => (have.get(origin) ?? 0) >= seq);
  }
}
