// Operations that were taken in and came to something else than their authors meant, because they met others in the merged order: both trackers
// derive the same list (`trust.md` 4.4).
import type { GroupId } from '../protocol/ids.ts';
import { short } from '../protocol/ids.ts';
import { CONFLICTS_PER_PAGE_MAX } from '../protocol/limits.ts';
import { compareStamps, decodeEntry, readOperation } from '../protocol/operations.ts';
import type { Conflict } from '../protocol/partnerLink.ts';
import { userOf } from './fold/rule.ts';
import type { State } from './fold/state.ts';
import { entryAt } from './opLog.ts';
import type { Ledger } from './ledger.ts';

export function countConflicts(state: State): number {
  let count = 0;
  for (const { result } of state.operations.values()) if (result !== 'ok') count++;
  return count;
}

/** At most a page of them in their order, from the `from`th on, and how many there are. Takes time in proportion to all operations. */
export function conflictsIn({ state, log }: Pick<Ledger, 'state' | 'log'>, from: number): { readonly conflicts: readonly Conflict[]; readonly count: number } {
  const entries = [...state.operations.values()].filter(({ result }) => result !== 'ok').flatMap(({ result, instances: [first] }) => {
    const entry = first && entryAt(log, first);
    return entry ? [{ result, entry: decodeEntry(entry.bytes) }] : []; // one that is still being written, or is long settled, is not told of
  });
  entries.sort((a, b) => compareStamps(a.entry.stamp, b.entry.stamp));
  const conflicts = entries.slice(from, from + CONFLICTS_PER_PAGE_MAX).map(({ result, entry }): Conflict => {
    const op = readOperation(entry.operation);
    const { group, name } = op.body as { readonly group?: GroupId; readonly name?: string };
    return {
      operation: op.id, what: op.name, user: userOf(state, op.account), result, atMs: entry.stamp.ms,
      about: [group === undefined ? '' : state.groups.get(group)?.name ?? short(group), name ?? ''].filter((word) => word !== '').join(' '),
    };
  });
  return { conflicts, count: entries.length };
}
