// Where operations become durable: an append-only log per origin, of which the final part can give
// way to a snapshot of what it came to. The fold needs their total order, the partner what it lacks
// of each origin. sqliteLog.ts keeps it on disk, one in test/support for simulations; another log
// can take their place and no handler would notice.
import type { Origin } from '../../protocol/base/ids.ts';
import type { LogPosition, Stamp } from '../../protocol/messages/operations.ts';
import type { Instance } from '../fold/state.ts';

export interface LogEntry {
  readonly stamp: Stamp;
  /** The entry as operations.ts encodes it: what is hashed, kept and sent. */
  readonly bytes: Uint8Array;
}

/** The last entry of an origin: what the next one names as `previous`. */
export interface Head {
  readonly seq: number;
  readonly hash: Buffer;
}

/** What all operations up to a place have come to (snapshot.ts). */
export interface Snapshot {
  readonly place: LogPosition;
  /** The last entry of each origin that is in it. */
  readonly heads: ReadonlyMap<Origin, Head>;
  readonly bytes: number;
  readonly sha256: Buffer;
}

export interface OpLog {
  /** Under which this tracker stamps new entries. */
  readonly origin: Origin;
  /** The highest number of each origin, those in the snapshot included. */
  have(): ReadonlyMap<Origin, number>;
  /** Undefined before the first of an origin. */
  head(origin: Origin): Head | undefined;
  /**
   * No stamp of this tracker was later than this, ms: it is kept ahead of the clock, so that a
   * restart never goes back.
   */
  readonly ceilingMs: number;
  /**
   * Up to there nothing comes late any more. Kept with the next entries: after a restart it may be
   * an earlier one.
   */
  frontier: LogPosition | undefined;
  /**
   * Appends entries in the order of their numbers. Resolves when they are on the disk, and all that
   * was appended before; what is appended in the same turn of the event loop shares one commit.
   * When it rejects the log is of no use any more: nothing may be answered from it.
   */
  append(entries: readonly LogEntry[]): Promise<void>;
  /** Entries of an origin from a number on; those in the snapshot are not there any more. */
  entries(origin: Origin, from: number, max: number): readonly LogEntry[];
  /** Entries behind a place, or behind the snapshot, in their total order. */
  inOrder(after: LogPosition | undefined, max: number): readonly LogEntry[];
  readonly snapshot: Snapshot | undefined;
  /** A part of the snapshot's bytes, at most SNAPSHOT_CHUNK_BYTES (limits.ts); empty at its end. */
  snapshotChunk(n: number): Uint8Array;
  /**
   * Puts a snapshot in the place of all entries that are in it. Resolves when it is on the disk;
   * until then, and if it does not come to that, nothing has changed. Chunks have
   * SNAPSHOT_CHUNK_BYTES, the last one may be shorter. Rejects with busy while another one is being
   * put there.
   */
  compact(snapshot: Snapshot, chunks: Iterable<Uint8Array>): Promise<void>;
  /** Goes on under a new origin: the partner knows entries of the old one that are lost here. */
  renewOrigin(): void;
  /** How many operations it has had, those in the snapshot included. */
  readonly count: number;
  close(): void;
}

/** The entry at a place; undefined when it is not there yet, or only in the snapshot. */
export function entryAt(log: Pick<OpLog, 'entries'>, { origin, seq }: Instance): LogEntry | undefined {
  const [entry] = log.entries(origin, seq, 1);
  return entry?.stamp.seq === seq ? entry : undefined;
}

/** How far the ceiling is kept ahead of the clock, and when it is raised, in ms. */
export const CEILING_AHEAD_MS = 10_000;
export const CEILING_RENEW_MS = 5_000;
