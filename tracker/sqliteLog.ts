// The log in SQLite: one row an entry, WAL, fsync at every commit, one commit for all that arrives in a turn of the event loop.
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { ShoalError } from '../protocol/errors.ts';
import type { Origin } from '../protocol/ids.ts';
import { ORIGIN_BYTES } from '../protocol/ids.ts';
import { decodeEntry } from '../protocol/operations.ts';
import type { Chance } from '../protocol/world.ts';
import { FOLD_VERSION } from './fold/fold.ts';
import type { LogEntry, OpLog } from './opLog.ts';
import { CEILING_AHEAD_MS, CEILING_RENEW_MS } from './opLog.ts';

/** Format of the tables. */
const FORMAT = 1;

interface Waiting {
  readonly entries: readonly LogEntry[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Opens or makes the log in a file.
 *
 * @throws ShoalError newerFormat, badRealmFolder when the file is no log or another tracker uses it
 */
export function openSqliteLog(file: string, chance: Chance): OpLog {
  try {
    return new SqliteLog(file, chance);
  } catch (error) {
    if (error instanceof ShoalError) throw error;
    const why = (error as Error).message.includes('locked') ? 'another tracker runs in it' : (error as Error).message;
    throw new ShoalError('badRealmFolder', { path: file, why }, { cause: error });
  }
}

class SqliteLog implements OpLog {
  origin: Origin;
  ceilingMs: number;
  readonly #database: DatabaseSync;
  readonly #chance: Chance;
  readonly #insert: StatementSync;
  readonly #setMeta: StatementSync;
  readonly #entriesFrom: StatementSync;
  readonly #have = new Map<Origin, number>();
  readonly #last = new Map<Origin, LogEntry>();
  #count: number;
  #queue: Waiting[] = [];
  #failure: Error | undefined;

  constructor(file: string, chance: Chance) {
    this.#chance = chance;
    this.#database = new DatabaseSync(file);
    if (file !== ':memory:') chmodSync(file, 0o600); // passwords' hashes are in it; SQLite's other files take after this one
    // One tracker in one folder: the lock is taken at once and kept.
    this.#database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; COMMIT;');
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS operations (
        origin TEXT NOT NULL, seq INTEGER NOT NULL, ms INTEGER NOT NULL, counter INTEGER NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (origin, seq)
      ) STRICT;
      CREATE INDEX IF NOT EXISTS in_order ON operations (ms, counter, origin, seq);
    `);
    this.#setMeta = this.#database.prepare('INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value');
    this.#insert = this.#database.prepare('INSERT INTO operations (origin, seq, ms, counter, entry) VALUES (?, ?, ?, ?, ?)');
    this.#entriesFrom = this.#database.prepare('SELECT entry FROM operations WHERE origin = ? AND seq >= ? ORDER BY seq LIMIT ?');
    for (const [name, known] of [['format', FORMAT], ['foldVersion', FOLD_VERSION]] as const) {
      const kept = Number(this.#meta(name) ?? known);
      if (kept > known) throw new ShoalError('newerFormat', { path: file, format: kept });
      this.#setMeta.run(name, String(known));
    }
    this.ceilingMs = Number(this.#meta('ceilingMs') ?? 0);
    this.origin = this.#meta('origin') as Origin | undefined ?? this.#newOrigin();
    const rows = this.#database.prepare('SELECT origin, MAX(seq) AS seq, COUNT(*) AS count FROM operations GROUP BY origin').all() as { origin: Origin; seq: number; count: number }[];
    this.#count = 0;
    for (const { origin, seq, count } of rows) {
      if (seq !== count) throw new ShoalError('badRealmFolder', { path: file, why: `entries of ${origin} are missing` });
      this.#have.set(origin, seq);
      this.#count += count;
      const [last] = this.entries(origin, seq, 1);
      if (last) this.#last.set(origin, last);
    }
  }

  get count(): number {
    return this.#count;
  }
  have(): ReadonlyMap<Origin, number> {
    return this.#have;
  }
  last(origin: Origin): LogEntry | undefined {
    return this.#last.get(origin);
  }

  append(entries: readonly LogEntry[]): Promise<void> {
    for (const entry of entries) {
      this.#have.set(entry.stamp.origin, entry.stamp.seq);
      this.#last.set(entry.stamp.origin, entry);
      this.#count++;
    }
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      if (this.#queue.push({ entries, resolve, reject }) === 1) setImmediate(() => this.#commit());
    });
  }

  entries(origin: Origin, from: number, max: number): readonly LogEntry[] {
    const rows = this.#entriesFrom.all(origin, from, max) as { entry: Uint8Array }[];
    return rows.map(({ entry }) => toEntry(entry));
  }

  * all(): Iterable<LogEntry> {
    for (const row of this.#database.prepare('SELECT entry FROM operations ORDER BY ms, counter, origin, seq').iterate()) {
      yield toEntry((row as unknown as { entry: Uint8Array }).entry);
    }
  }

  renewOrigin(): void {
    this.origin = this.#newOrigin();
  }

  close(): void {
    if (this.#queue.length > 0 && !this.#failure) this.#commit();
    this.#failure ??= new ShoalError('unavailable', { why: 'it is stopping' });
    this.#database.close();
  }

  #commit(): void {
    const queue = this.#queue;
    this.#queue = [];
    if (queue.length === 0) return;
    try {
      this.#database.exec('BEGIN');
      let latestMs = 0;
      for (const { entries } of queue) {
        for (const { stamp, bytes } of entries) {
          this.#insert.run(stamp.origin, stamp.seq, stamp.ms, stamp.counter, bytes);
          if (stamp.origin === this.origin) latestMs = Math.max(latestMs, stamp.ms);
        }
      }
      if (latestMs > this.ceilingMs - CEILING_RENEW_MS) {
        this.ceilingMs = latestMs + CEILING_AHEAD_MS;
        this.#setMeta.run('ceilingMs', String(this.ceilingMs));
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      // After a failed write or fsync nobody knows what is on the disk (`trust.md` L5): nothing more is answered from here.
      this.#failure = error as Error;
      for (const { reject } of queue) reject(this.#failure);
      return;
    }
    for (const { resolve } of queue) resolve();
  }

  #meta(name: string): string | undefined {
    return (this.#database.prepare('SELECT value FROM meta WHERE name = ?').get(name) as { value: string } | undefined)?.value;
  }

  #newOrigin(): Origin {
    const origin = this.#chance.bytes(ORIGIN_BYTES).toString('hex') as Origin;
    this.#setMeta.run('origin', origin);
    return origin;
  }
}

const toEntry = (bytes: Uint8Array): LogEntry => ({ bytes, stamp: decodeEntry(bytes).stamp });
