// Where operations become durable: an append-only log per origin. The fold needs their total order, the partner what it lacks of each
// origin. sqliteLog.ts keeps it on disk, one in test/support for simulations; another log can take their place and no handler would notice.
import type { Origin } from '../protocol/ids.ts';
import type { Stamp } from '../protocol/operations.ts';

export interface LogEntry {
  readonly stamp: Stamp;
  /** The entry as operations.ts encodes it: what is hashed, kept and sent. */
  readonly bytes: Uint8Array;
}

export interface OpLog {
  /** Under which this tracker stamps new entries. */
  readonly origin: Origin;
  /** The highest number of each origin. */
  have(): ReadonlyMap<Origin, number>;
  /** The last entry of an origin; undefined before its first. */
  last(origin: Origin): LogEntry | undefined;
  /** No stamp of this tracker was later than this, ms: it is kept ahead of the clock, so that a restart never goes back. */
  readonly ceilingMs: number;
  /**
   * Appends entries in the order of their numbers. Resolves when they are on the disk; what is appended in the same turn of the event loop
   * shares one commit. When it rejects the log is of no use any more: nothing may be answered from it.
   */
  append(entries: readonly LogEntry[]): Promise<void>;
  /** Entries of an origin from a number on. */
  entries(origin: Origin, from: number, max: number): readonly LogEntry[];
  /** All entries in their total order. */
  all(): Iterable<LogEntry>;
  /** Goes on under a new origin: somebody knows entries of the old one that are lost here (`trust.md` L7). */
  renewOrigin(): void;
  readonly count: number;
  close(): void;
}

/** How far the ceiling is kept ahead of the clock, and when it is raised, in ms (`trust.md` L2). */
export const CEILING_AHEAD_MS = 10_000;
export const CEILING_RENEW_MS = 5_000;
