// Pieces of one file that somebody waits for now: who asked first comes first, and of each the
// pieces in order. Owns the waits; asks nobody for anything (pieceFetcher.ts).
import { ShoalError } from '../../../protocol/base/errors.ts';

interface Wait {
  readonly missing: Set<number>;
  readonly settle: (error?: ShoalError) => void;
}

export class UrgentPieces {
  readonly #waits = new Set<Wait>();
  #pieces: readonly number[] = [];

  /** In the order in which they are to come, each once. */
  get pieces(): readonly number[] {
    return this.#pieces;
  }
  get isEmpty(): boolean {
    return this.#waits.size === 0;
  }

  /** Resolves when all of them are held. @throws ShoalError cancelled, or what `fail` is given */
  wait(pieces: readonly number[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new ShoalError('cancelled'));
      const onAbort = (): void => wait.settle(new ShoalError('cancelled'));
      const wait: Wait = {
        missing: new Set(pieces),
        settle: (error) => {
          signal.removeEventListener('abort', onAbort);
          this.#waits.delete(wait);
          this.#update();
          if (error) reject(error);
          else resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waits.add(wait);
      this.#update();
    });
  }

  /** A piece is held now. */
  onHeld(piece: number): void {
    if (!this.#pieces.includes(piece)) return;
    for (const wait of [...this.#waits]) {
      wait.missing.delete(piece);
      if (wait.missing.size === 0) wait.settle();
    }
    this.#update();
  }

  /** None of them will come. */
  fail(error: ShoalError): void {
    for (const wait of [...this.#waits]) wait.settle(error);
  }

  #update(): void {
    this.#pieces = [...new Set([...this.#waits].flatMap(({ missing }) => [...missing]))];
  }
}
