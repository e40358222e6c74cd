// Many wishes to do something again become few: the first at once, the rest together after a while.

export class Throttler {
  readonly #restMs: number;
  readonly #run: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isRequested = false;

  /** @param restMs  least time between two runs */
  constructor(restMs: number, run: () => void) {
    this.#restMs = restMs;
    this.#run = run;
  }

  request(): void {
    if (this.#timer) {
      this.#isRequested = true;
      return;
    }
    this.#isRequested = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isRequested) this.request();
    }, this.#restMs);
    this.#run();
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }
}
