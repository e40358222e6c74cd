// What becomes of downloads that were begun at one wish: when the window stops waiting for them,
// and which of them came. Pure; commands/download.ts tells the person, once for all of them.
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { isComplete } from '../../protocol/frontend/transferState.ts';
import type { WindowState } from './state.ts';

/**
 * Looks at one state after the other until nothing more is to be waited for: then those that came
 * are found, in the order of their coming. One that failed was told of by itself, and of one that
 * was cancelled nothing is to be told.
 */
export function downloadResultsOf(ids: readonly number[]): (state: WindowState) => readonly Transfer[] | undefined {
  const waiting = new Set(ids);
  const seen = new Set<number>();
  const completed: Transfer[] = [];
  let last: WindowState['transfers'] | undefined;
  return ({ engine, overview, transfers }) => {
    if (engine !== 'up') return undefined; // the next engine goes on with them
    if (overview?.account === undefined) return completed;
    if (transfers === last) return undefined;
    last = transfers;
    for (const id of waiting) {
      const transfer = transfers.get(id);
      const isHere = transfer !== undefined && isComplete(transfer);
      if (isHere) completed.push(transfer);
      // Not there: it was cancelled, or the engine has not told of it yet.
      if (isHere || transfer?.state === 'failed' || (!transfer && seen.has(id))) waiting.delete(id);
      if (transfer) seen.add(id);
    }
    return waiting.size === 0 ? completed : undefined;
  };
}
