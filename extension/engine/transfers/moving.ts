// Which transfers moved bytes when it was last looked. Remembers that much, so that each is shown
// once more when it has stopped; tells nobody itself.
import type { Transfer } from './transfer.ts';

export class MovingTransfers {
  #ids: ReadonlySet<number> = new Set();

  /**
   * Looks anew. Returns the transfers of which the rate that is shown may no longer be right:
   * nobody shall go on showing the last one.
   */
  update(transfers: readonly Transfer[]): readonly number[] {
    const before = this.#ids;
    this.#ids = new Set(
      transfers.filter(({ stats }) => stats.downBytesPerS > 0 || stats.upBytesPerS > 0).map(({ id }) => id),
    );
    return [...this.#ids, ...before];
  }
}
