// Many wishes to do something again become few: the first at once, the rest together after a while.

export class Merger {
  readonly #restMs: number;
  readonly #run: () => void;
  #timer: NodeJS.Timeout | undefined;
  #asked = false;

  /** @param restMs  least time between two runs */
  constructor(restMs: number, run: () => void) {
    this.#restMs = restMs;
    this.#run = run;
  }

  ask(): void {
    if (this.#timer) {
      this.#asked = true;
      return;
    }
    this.#asked = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#asked) this.ask();
    }, this.#restMs);
    this.#run();
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }
}
