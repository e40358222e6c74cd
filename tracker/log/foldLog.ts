// Folds a whole log into a state: from its snapshot, if it has one, through all entries behind it.
import { ShoalError } from '../../protocol/base/errors.ts';
import type { Origin } from '../../protocol/base/ids.ts';
import { compareStamps, decodeEntry, readOperation } from '../../protocol/messages/operations.ts';
import { FOLD_VERSION } from '../fold/fold.ts';
import { decodeState } from '../fold/snapshot.ts';
import type { Instance } from '../fold/state.ts';
import { emptyState, noChanges } from '../fold/state.ts';
import type { Moment } from './hybridClock.ts';
import { later } from './hybridClock.ts';
import type { OpLog } from './opLog.ts';
import { entryAt } from './opLog.ts';
import type { Source } from './replay.ts';
import { Replay } from './replay.ts';
import { chunksOf, linesOf } from './snapshots.ts';

/** Entries that are read from the log at once. */
const PAGE_ENTRIES = 1_000;

export interface FoldedLog {
  readonly replay: Replay;
  /** Numbers that the state has, by origin. */
  readonly folded: ReadonlyMap<Origin, number>;
  /** The latest moment in the log. */
  readonly latest: Moment;
}

/** @throws ShoalError newerFormat */
export function foldLog(log: OpLog): FoldedLog {
  const { snapshot, frontier } = log;
  const state = snapshot ? decodeState(linesOf(chunksOf(log))) : emptyState();
  const replay = new Replay({ state, read: (instance) => readSource(log, instance) });
  const folded = new Map<Origin, number>();
  for (const [origin, { seq }] of snapshot?.heads ?? []) folded.set(origin, seq);
  let latest: Moment = snapshot?.place ?? { ms: 0, counter: 0 };
  const ignored = noChanges();
  for (
    let page = log.inOrder(undefined, PAGE_ENTRIES);
    page.length > 0;
    page = log.inOrder(page.at(-1)?.stamp, PAGE_ENTRIES)
  ) {
    for (const { bytes } of page) {
      const entry = decodeEntry(bytes);
      const { stamp } = entry;
      const op = readOperation(entry.operation);
      latest = later(latest, stamp);
      if (frontier && compareStamps(stamp, frontier) <= 0) replay.appendForGood({ op, entry });
      else replay.append({ op, entry }, ignored);
      folded.set(stamp.origin, stamp.seq);
    }
  }
  if (state.foldVersion > FOLD_VERSION) {
    throw new ShoalError('newerFormat', { path: 'the log of this tracker', format: state.foldVersion });
  }
  return { replay, folded, latest };
}

function readSource(log: OpLog, instance: Instance): Source | undefined {
  const line = entryAt(log, instance);
  if (!line) return undefined;
  const entry = decodeEntry(line.bytes);
  return { entry, op: readOperation(entry.operation) };
}
