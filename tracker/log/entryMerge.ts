// Checks what the partner sends before any of it is taken over. Its entries: per origin without a
// gap, each chained to the one before, none from the future, none that differs from ours. Its
// snapshot: newer than ours, whole, and without a gap to what is here. Changes nothing; ledger.ts
// checks the signatures and takes over what is new.
import { ShoalError } from '../../protocol/base/errors.ts';
import type { SignedOperation } from '../../protocol/base/fields.ts';
import type { Origin } from '../../protocol/base/ids.ts';
import { CLOCKS_APART_MS_MAX } from '../../protocol/base/limits.ts';
import type { Clock, Log } from '../../protocol/base/world.ts';
import type { ReadOperation } from '../../protocol/messages/operations.ts';
import { compareStamps, decodeEntry, entryHash } from '../../protocol/messages/operations.ts';
import { decodeState } from '../fold/snapshot.ts';
import type { Instance } from '../fold/state.ts';
import type { Head, LogEntry, OpLog, Snapshot } from './opLog.ts';
import { entryAt } from './opLog.ts';
import type { Source } from './replay.ts';
import { checkChunks, linesOf } from './snapshots.ts';

export interface EntryMergeContext {
  readonly log: Pick<OpLog, 'entries' | 'head'>;
  readonly clock: Clock;
  readonly logger: Log;
  /** Reads an operation without its signature. @throws ShoalError badMessage, wrongRealm */
  readonly read: (signed: SignedOperation) => ReadOperation;
}

export interface NewEntry extends Source {
  readonly line: LogEntry;
}

export interface CheckedEntries {
  /** The last number of each origin among them. */
  readonly last: readonly Instance[];
  /** Those that are not here yet, in the order in which they came. */
  readonly fresh: readonly NewEntry[];
}

/** @throws ShoalError badMessage, clocksApart, wrongRealm */
export function checkEntries(
  encoded: readonly Uint8Array[],
  { log, clock, logger, read }: EntryMergeContext,
): CheckedEntries {
  const named = new Map<Origin, number>();
  const fresh: NewEntry[] = [];
  const heads = new Map<Origin, Head>();
  const latestMs = clock.now() + CLOCKS_APART_MS_MAX;
  for (const bytes of encoded) {
    const entry = decodeEntry(bytes);
    const { origin, seq, previous } = entry.stamp;
    named.set(origin, Math.max(seq, named.get(origin) ?? 0));
    const before = heads.get(origin) ?? log.head(origin);
    const haveSeq = before?.seq ?? 0;
    if (seq <= haveSeq) {
      checkSame({ origin, seq }, bytes, log, logger);
      continue;
    }
    const chained = before?.hash ?? Buffer.alloc(32);
    if (seq === haveSeq + 1 && !chained.equals(previous)) {
      logger.error('partner log has forked from ours', { origin, seq });
    }
    if (seq !== haveSeq + 1 || !chained.equals(previous)) {
      throw new ShoalError('badMessage', {
        type: 'append',
        why: `entry ${seq} of ${origin} does not follow ${haveSeq}`,
      });
    }
    // It would pull our clock along, and every stamp from then on would be as wrong.
    if (entry.stamp.ms > latestMs) {
      throw new ShoalError('clocksApart', { seconds: Math.round((entry.stamp.ms - clock.now()) / 1000) });
    }
    fresh.push({ line: { bytes, stamp: entry.stamp }, entry, op: read(entry) });
    heads.set(origin, { seq, hash: entryHash(bytes) });
  }
  return { last: [...named].map(([origin, seq]) => ({ origin, seq })), fresh };
}

function checkSame(at: Instance, bytes: Uint8Array, log: EntryMergeContext['log'], logger: Log): void {
  const held = entryAt(log, at);
  if (!held || Buffer.compare(held.bytes, bytes) === 0) return;
  const { origin, seq } = at;
  logger.error('partner entry differs from ours', { origin, seq });
  throw new ShoalError('badMessage', {
    type: 'append',
    why: `entry ${seq} of ${origin} is another one here: the log has forked`,
  });
}

/** @throws ShoalError badMessage */
export function checkSnapshot(
  snapshot: Snapshot,
  chunks: readonly Uint8Array[],
  log: Pick<OpLog, 'entries' | 'snapshot'>,
  durable: ReadonlyMap<Origin, number>,
): void {
  const held = log.snapshot?.place;
  if (held && compareStamps(snapshot.place, held) <= 0) {
    throw new ShoalError('badMessage', { type: 'snapshot', why: 'it is older than ours' });
  }
  checkChunks(snapshot, chunks);
  decodeState(linesOf(chunks)); // before anything of ours gives way to it
  for (const [origin, seq] of durable) {
    const [next] = log.entries(origin, (snapshot.heads.get(origin)?.seq ?? 0) + 1, 1);
    if (next && compareStamps(next.stamp, snapshot.place) <= 0) {
      throw new ShoalError('badMessage', {
        type: 'snapshot',
        why: `it is final, and lacks entry ${next.stamp.seq} of ${origin} (of ${seq})`,
      });
    }
  }
}
