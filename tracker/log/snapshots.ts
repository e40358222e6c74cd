// Makes a snapshot of what is final, so that its operations need not be kept for ever, and reads
// one back. Everything is folded a second time, in the background and in slices: the state in use
// has long moved on.
import { createHash } from 'node:crypto';
import { asShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { Origin } from '../../protocol/base/ids.ts';
import { SNAPSHOT_CHUNK_BYTES } from '../../protocol/base/limits.ts';
import type { LogPosition } from '../../protocol/messages/operations.ts';
import { compareStamps, decodeEntry, entryHash, readOperation } from '../../protocol/messages/operations.ts';
import type { Clock, Log, Timer } from '../../protocol/base/world.ts';
import { apply } from '../fold/fold.ts';
import { decodeState, encodeState } from '../fold/snapshot.ts';
import { emptyState, noChanges, placeOf } from '../fold/state.ts';
import type { Head, LogEntry, OpLog, Snapshot } from './opLog.ts';

/** Entries that are folded in one turn. */
const SLICE_ENTRIES = 200;

/** What of the log stays as it is. */
export interface Retention {
  /** For so long, in ms. */
  readonly ms: number;
  /** At least so many operations. */
  readonly operations: number;
  /** Nothing is done for less than so many. */
  readonly droppedMin: number;
  /** How often it is looked, in ms. */
  readonly everyMs: number;
}

/** A month: much longer than an operation may be late (OPERATION_AGE_MS_MAX). */
export const RETENTION_DEFAULT: Retention = {
  ms: 30 * 24 * 3600_000,
  operations: 1_000_000,
  droppedMin: 10_000,
  everyMs: 3600_000,
};

/**
 * Replaces final operations by a snapshot again and again, as often as `keep` says. Returns how to
 * stop.
 */
export function compactRegularly(opLog: OpLog, clock: Clock, logger: Log, retention = RETENTION_DEFAULT): () => void {
  let timer: Timer | undefined;
  let isStopped = false;
  const wait = (): void => {
    timer = clock.after(retention.everyMs, () => {
      compact(opLog, clock, logger, retention)
        .catch((error: unknown) => logger.warn('log compaction failed', { why: asShoalError(error).message }))
        .finally(() => isStopped || wait());
    });
  };
  wait();
  return () => {
    isStopped = true;
    timer?.cancel();
  };
}

/**
 * Replaces final operations by a snapshot, where there are enough of them that need not be kept.
 *
 * @returns how many were replaced
 */
export async function compact(log: OpLog, clock: Clock, logger: Log, retention: Retention): Promise<number> {
  const { frontier } = log;
  const before = clock.now() - retention.ms;
  const earlier = log.snapshot;
  const heads = new Map(earlier?.heads);
  const kept = log.count - [...heads.values()].reduce((sum, { seq }) => sum + seq, 0);
  const droppedMax = kept - retention.operations;
  const isReplaceable = ({ stamp }: LogEntry, dropped: number): boolean =>
    frontier !== undefined && compareStamps(stamp, frontier) <= 0 && stamp.ms < before && dropped < droppedMax;
  const [first] = log.inOrder(undefined, 1);
  if (droppedMax < retention.droppedMin || !first || !isReplaceable(first, 0)) return 0;
  const state = earlier ? decodeState(linesOf(chunksOf(log))) : emptyState();
  let place: LogPosition | undefined;
  let dropped = 0;
  for (let page = log.inOrder(place, SLICE_ENTRIES); page.length > 0; page = log.inOrder(place, SLICE_ENTRIES)) {
    for (const line of page) {
      if (!isReplaceable(line, dropped)) return dropped < retention.droppedMin || !place ? 0 : finish(place);
      const { operation, stamp, added } = decodeEntry(line.bytes);
      apply(state, readOperation(operation), stamp, added, noChanges());
      heads.set(stamp.origin, { seq: stamp.seq, hash: entryHash(line.bytes) });
      place = placeOf(stamp);
      dropped++;
    }
    await new Promise<void>((resolve) => clock.after(0, resolve));
  }
  return dropped < retention.droppedMin || !place ? 0 : finish(place);

  async function finish(at: LogPosition): Promise<number> {
    if (log.snapshot !== earlier) return 0; // the partner's was taken over meanwhile
    const { snapshot, chunks } = snapshotOf(at, heads, encodeState(state));
    await log.compact(snapshot, chunks);
    logger.info('log compacted', { operations: dropped, bytes: snapshot.bytes });
    return dropped;
  }
}

/** @param lines  of `encodeState` */
export function snapshotOf(
  place: LogPosition,
  heads: ReadonlyMap<Origin, Head>,
  lines: Iterable<string>,
): { readonly snapshot: Snapshot; readonly chunks: readonly Uint8Array[] } {
  const hash = createHash('sha256');
  const chunks = [...inChunks(lines)];
  for (const chunk of chunks) hash.update(chunk);
  return {
    snapshot: { place, heads, bytes: chunks.reduce((sum, { length }) => sum + length, 0), sha256: hash.digest() },
    chunks,
  };
}

/** @throws ShoalError badMessage when these are not the bytes of the snapshot */
export function checkChunks({ bytes, sha256 }: Snapshot, chunks: readonly Uint8Array[]): void {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (length !== bytes || !hash.digest().equals(sha256)) {
    throw new ShoalError('badMessage', { type: 'snapshot', why: 'it is not what its tracker said of it' });
  }
}

export function* chunksOf(log: OpLog): Generator<Uint8Array> {
  for (let n = 0; ; n++) {
    const chunk = log.snapshotChunk(n);
    if (chunk.length === 0) return;
    yield chunk;
  }
}

export function* linesOf(chunks: Iterable<Uint8Array>): Generator<string> {
  let rest = Buffer.alloc(0);
  for (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      yield rest.toString('utf8', 0, end);
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) throw new ShoalError('badMessage', { type: 'snapshot', why: 'its last line has no end' });
}

function* inChunks(lines: Iterable<string>): Generator<Uint8Array> {
  let parts: Buffer[] = [];
  let length = 0;
  for (const line of lines) {
    const bytes = Buffer.from(line);
    parts.push(bytes);
    length += bytes.length;
    while (length >= SNAPSHOT_CHUNK_BYTES) {
      const all = Buffer.concat(parts);
      yield all.subarray(0, SNAPSHOT_CHUNK_BYTES);
      parts = [all.subarray(SNAPSHOT_CHUNK_BYTES)];
      length = all.length - SNAPSHOT_CHUNK_BYTES;
    }
  }
  if (length > 0) yield Buffer.concat(parts);
}
