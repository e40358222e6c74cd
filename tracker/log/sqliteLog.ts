// The log in SQLite: one row an entry, WAL, fsync at every commit, one commit for all that arrives
// in a turn of the event loop.
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { ShoalError } from '../../protocol/base/errors.ts';
import type { Origin } from '../../protocol/base/ids.ts';
import { ORIGIN_BYTES } from '../../protocol/base/ids.ts';
import type { LogPosition } from '../../protocol/messages/operations.ts';
import { compareStamps, decodeEntry, entryHash } from '../../protocol/messages/operations.ts';
import type { Chance } from '../../protocol/base/world.ts';
import type { Head, LogEntry, OpLog, Snapshot } from './opLog.ts';
import { CEILING_AHEAD_MS, CEILING_RENEW_MS } from './opLog.ts';

/** Format of the tables. */
const FORMAT = 2;
/**
 * Chunks of a snapshot, and entries that it has replaced, in one commit: what is written meanwhile
 * waits for no more than that.
 */
const CHUNKS_PER_COMMIT = 4;
const DROPPED_PER_COMMIT = 2_000;

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
  frontier: LogPosition | undefined;
  readonly #database: DatabaseSync;
  readonly #chance: Chance;
  readonly #insert: StatementSync;
  readonly #setMeta: StatementSync;
  readonly #entriesFrom: StatementSync;
  readonly #behind: StatementSync;
  readonly #have = new Map<Origin, number>();
  readonly #heads = new Map<Origin, Head>();
  #snapshot: (Snapshot & { readonly generation: number }) | undefined;
  #frontierKept: LogPosition | undefined;
  #isCompacting = false;
  #queue: Waiting[] = [];
  #failure: Error | undefined;

  constructor(file: string, chance: Chance) {
    this.#chance = chance;
    this.#database = new DatabaseSync(file);
    // passwords' hashes are in it; SQLite's other files take after this one
    if (file !== ':memory:') chmodSync(file, 0o600);
    // One tracker in one folder: the lock is taken at once and kept.
    this.#database.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; COMMIT;',
    );
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS operations (
        origin TEXT NOT NULL, seq INTEGER NOT NULL, ms INTEGER NOT NULL, counter INTEGER NOT NULL, entry BLOB NOT NULL,
        PRIMARY KEY (origin, seq)
      ) STRICT;
      CREATE INDEX IF NOT EXISTS in_order ON operations (ms, counter, origin, seq);
      CREATE TABLE IF NOT EXISTS snapshots (
        generation INTEGER NOT NULL, n INTEGER NOT NULL, chunk BLOB NOT NULL, PRIMARY KEY (generation, n)
      ) STRICT;
    `);
    this.#setMeta = this.#database.prepare(
      'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    );
    this.#insert = this.#database.prepare(
      'INSERT INTO operations (origin, seq, ms, counter, entry) VALUES (?, ?, ?, ?, ?)',
    );
    this.#entriesFrom = this.#database.prepare(
      'SELECT entry FROM operations WHERE origin = ? AND seq >= ? ORDER BY seq LIMIT ?',
    );
    this.#behind = this.#database.prepare(
      'SELECT entry FROM operations WHERE (ms, counter, origin, seq) > (?, ?, ?, ?) ORDER BY ms, counter, origin, seq LIMIT ?',
    );
    const format = Number(this.#meta('format') ?? FORMAT);
    if (format > FORMAT) throw new ShoalError('newerFormat', { path: file, format });
    this.#setMeta.run('format', String(FORMAT));
    this.ceilingMs = Number(this.#meta('ceilingMs') ?? 0);
    this.frontier = this.#frontierKept =
      (JSON.parse(this.#meta('frontier') ?? 'null') as LogPosition | null) ?? undefined;
    this.origin = (this.#meta('origin') as Origin | undefined) ?? this.#newOrigin();
    this.#snapshot = this.#readSnapshot();
    this.#dropReplaced(Infinity); // a kill may have come before that was done
    for (const [origin, head] of this.#snapshot?.heads ?? []) {
      this.#have.set(origin, head.seq);
      this.#heads.set(origin, head);
    }
    const rows = this.#database
      .prepare('SELECT origin, MAX(seq) AS seq, COUNT(*) AS count FROM operations GROUP BY origin')
      .all() as { origin: Origin; seq: number; count: number }[];
    for (const { origin, seq, count } of rows) {
      if (seq !== count + (this.#have.get(origin) ?? 0)) {
        throw new ShoalError('badRealmFolder', { path: file, why: `entries of ${origin} are missing` });
      }
      this.#have.set(origin, seq);
      const [last] = this.entries(origin, seq, 1);
      if (last) this.#heads.set(origin, headOf(last));
    }
  }

  get count(): number {
    let count = 0;
    for (const seq of this.#have.values()) count += seq;
    return count;
  }
  have(): ReadonlyMap<Origin, number> {
    return this.#have;
  }
  head(origin: Origin): Head | undefined {
    return this.#heads.get(origin);
  }
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  append(entries: readonly LogEntry[]): Promise<void> {
    for (const entry of entries) {
      this.#have.set(entry.stamp.origin, entry.stamp.seq);
      this.#heads.set(entry.stamp.origin, headOf(entry));
    }
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      if (this.#queue.push({ entries, resolve, reject }) === 1) setImmediate(() => this.#commit());
    });
  }

  entries(origin: Origin, from: number, max: number): readonly LogEntry[] {
    const rows = this.#entriesFrom.all(origin, Math.max(from, this.#replacedUpTo(origin) + 1), max) as {
      entry: Uint8Array;
    }[];
    return rows.map(({ entry }) => toEntry(entry));
  }

  inOrder(after: LogPosition | undefined, max: number): readonly LogEntry[] {
    const replaced = this.#snapshot?.place;
    const from = !after || (replaced && compareStamps(after, replaced) < 0) ? replaced : after;
    const rows = this.#behind.all(from?.ms ?? -1, from?.counter ?? 0, from?.origin ?? '', from?.seq ?? 0, max) as {
      entry: Uint8Array;
    }[];
    return rows.map(({ entry }) => toEntry(entry));
  }

  snapshotChunk(n: number): Uint8Array {
    const row = this.#database
      .prepare('SELECT chunk FROM snapshots WHERE generation = ? AND n = ?')
      .get(this.#snapshot?.generation ?? 0, n) as { chunk: Uint8Array } | undefined;
    return row?.chunk ?? new Uint8Array(0);
  }

  async compact(snapshot: Snapshot, chunks: Iterable<Uint8Array>): Promise<void> {
    if (this.#isCompacting) throw new ShoalError('busy');
    this.#isCompacting = true;
    try {
      await this.#compact(snapshot, chunks);
    } finally {
      this.#isCompacting = false;
    }
  }

  async #compact(snapshot: Snapshot, chunks: Iterable<Uint8Array>): Promise<void> {
    const generation = (this.#snapshot?.generation ?? 0) + 1;
    this.#database.prepare('DELETE FROM snapshots WHERE generation = ?').run(generation); // of one that was given up
    const insert = this.#database.prepare('INSERT INTO snapshots (generation, n, chunk) VALUES (?, ?, ?)');
    let n = 0;
    let some: Uint8Array[] = [];
    const write = async (): Promise<void> => {
      await nextTurn();
      this.#transaction(() => some.forEach((chunk) => insert.run(generation, n++, chunk)));
      some = [];
    };
    for (const chunk of chunks) if (some.push(chunk) === CHUNKS_PER_COMMIT) await write();
    await write();
    const { place, heads, bytes, sha256 } = snapshot;
    const kept = {
      generation,
      place,
      bytes,
      sha256: sha256.toString('hex'),
      heads: [...heads].map(([origin, { seq, hash }]) => [origin, seq, hash.toString('hex')]),
    };
    this.#transaction(() => this.#setMeta.run('snapshot', JSON.stringify(kept)));
    this.#snapshot = { ...snapshot, generation };
    for (const [origin, head] of heads) {
      if ((this.#have.get(origin) ?? 0) > head.seq) continue;
      this.#have.set(origin, head.seq);
      this.#heads.set(origin, head);
    }
    for (let left = true; left;) {
      await nextTurn();
      left = this.#dropReplaced(DROPPED_PER_COMMIT);
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
      if (this.frontier !== this.#frontierKept) this.#setMeta.run('frontier', JSON.stringify(this.frontier));
      this.#frontierKept = this.frontier;
      this.#database.exec('COMMIT');
    } catch (error) {
      // After a failed write or fsync nobody knows what is on the disk: nothing more is answered
      // from here.
      this.#failure = error as Error;
      for (const { reject } of queue) reject(this.#failure);
      return;
    }
    for (const { resolve } of queue) resolve();
  }

  #transaction(work: () => void): void {
    if (this.#failure) throw this.#failure;
    this.#database.exec('BEGIN');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#failure = error as Error;
      throw error;
    }
  }

  #readSnapshot(): (Snapshot & { readonly generation: number }) | undefined {
    const text = this.#meta('snapshot');
    if (text === undefined) return undefined;
    const { generation, place, bytes, sha256, heads } = JSON.parse(text) as {
      generation: number;
      place: LogPosition;
      bytes: number;
      sha256: string;
      heads: [Origin, number, string][];
    };
    return {
      generation,
      place,
      bytes,
      sha256: Buffer.from(sha256, 'hex'),
      heads: new Map(heads.map(([origin, seq, hash]) => [origin, { seq, hash: Buffer.from(hash, 'hex') }])),
    };
  }

  #replacedUpTo(origin: Origin): number {
    return this.#snapshot?.heads.get(origin)?.seq ?? 0;
  }

  /** Removes some of what the snapshot has replaced. Returns whether there may be more. */
  #dropReplaced(max: number): boolean {
    const { place, generation } = this.#snapshot ?? {};
    if (!place || this.#failure) return false;
    const drop = this.#database.prepare(`DELETE FROM operations WHERE rowid IN (
      SELECT rowid FROM operations WHERE (ms, counter, origin, seq) <= (?, ?, ?, ?) LIMIT ?)`);
    let dropped = 0;
    this.#transaction(() => {
      dropped = Number(
        drop.run(place.ms, place.counter, place.origin, place.seq, Math.min(max, Number.MAX_SAFE_INTEGER)).changes,
      );
      this.#database.prepare('DELETE FROM snapshots WHERE generation <> ?').run(generation ?? 0);
    });
    return dropped === max;
  }

  #meta(name: string): string | undefined {
    return (this.#database.prepare('SELECT value FROM meta WHERE name = ?').get(name) as { value: string } | undefined)
      ?.value;
  }

  #newOrigin(): Origin {
    const origin = this.#chance.bytes(ORIGIN_BYTES).toString('hex') as Origin;
    this.#setMeta.run('origin', origin);
    return origin;
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const headOf = ({ bytes, stamp }: LogEntry): Head => ({ seq: stamp.seq, hash: entryHash(bytes) });

const toEntry = (bytes: Uint8Array): LogEntry => ({ bytes, stamp: decodeEntry(bytes).stamp });
