// A tracker's log without a disk: durable a moment after it was written, on the given clock. Its
// `MemoryDisk` outlives the process.
import type { Origin } from '../../../protocol/base/ids.ts';
import { ORIGIN_BYTES } from '../../../protocol/base/ids.ts';
import type { LogPosition } from '../../../protocol/messages/operations.ts';
import { compareStamps, entryHash } from '../../../protocol/messages/operations.ts';
import type { Chance, Clock } from '../../../protocol/base/world.ts';
import { CEILING_AHEAD_MS, CEILING_RENEW_MS } from '../../../tracker/log/opLog.ts';
import type { Head, LogEntry, OpLog, Snapshot } from '../../../tracker/log/opLog.ts';

/** How long a commit takes, in ms. */
const COMMIT_MS = 2;

interface Waiting {
  readonly entries: readonly LogEntry[];
  readonly resolve: () => void;
}

/** What outlives the process. */
export interface MemoryDisk {
  origin: Origin;
  ceilingMs: number;
  entries: LogEntry[];
  /** All that were ever here, those that a snapshot has replaced included. */
  readonly everything: LogEntry[];
  frontier?: LogPosition | undefined;
  snapshot?: Snapshot & { readonly chunks: readonly Uint8Array[] };
}

export const emptyDisk = (chance: Chance): MemoryDisk => ({
  origin: chance.bytes(ORIGIN_BYTES).toString('hex') as Origin,
  ceilingMs: 0,
  entries: [],
  everything: [],
});

export class MemoryLog implements OpLog {
  readonly #disk: MemoryDisk;
  readonly #clock: Clock;
  readonly #chance: Chance;
  frontier: LogPosition | undefined;
  readonly #heads = new Map<Origin, Head>();
  #waiting: Waiting[] = [];

  constructor(disk: MemoryDisk, clock: Clock, chance: Chance) {
    this.#disk = disk;
    this.#clock = clock;
    this.#chance = chance;
    this.frontier = disk.frontier;
    for (const [origin, head] of disk.snapshot?.heads ?? []) this.#heads.set(origin, head);
    for (const entry of disk.entries) this.#advance(entry);
  }

  get origin(): Origin {
    return this.#disk.origin;
  }
  get ceilingMs(): number {
    return this.#disk.ceilingMs;
  }
  get count(): number {
    return [...this.#heads.values()].reduce((sum, { seq }) => sum + seq, 0);
  }
  get snapshot(): Snapshot | undefined {
    return this.#disk.snapshot;
  }
  have(): ReadonlyMap<Origin, number> {
    return new Map([...this.#heads].map(([origin, { seq }]) => [origin, seq]));
  }
  head(origin: Origin): Head | undefined {
    return this.#heads.get(origin);
  }

  append(entries: readonly LogEntry[]): Promise<void> {
    for (const entry of entries) this.#advance(entry);
    return new Promise((resolve) => {
      if (this.#waiting.push({ entries, resolve }) === 1) this.#clock.after(COMMIT_MS, () => this.#commit());
    });
  }

  entries(origin: Origin, from: number, max: number): readonly LogEntry[] {
    return this.#disk.entries
      .filter(({ stamp }) => stamp.origin === origin && stamp.seq >= from)
      .sort((a, b) => a.stamp.seq - b.stamp.seq)
      .slice(0, max);
  }

  inOrder(after: LogPosition | undefined, max: number): readonly LogEntry[] {
    return this.#disk.entries
      .filter(({ stamp }) => !after || compareStamps(stamp, after) > 0)
      .sort((a, b) => compareStamps(a.stamp, b.stamp))
      .slice(0, max);
  }

  snapshotChunk(n: number): Uint8Array {
    return this.#disk.snapshot?.chunks[n] ?? new Uint8Array(0);
  }

  async compact(snapshot: Snapshot, chunks: Iterable<Uint8Array>): Promise<void> {
    const all = [...chunks];
    await new Promise<void>((resolve) => this.#clock.after(COMMIT_MS, resolve));
    this.#disk.snapshot = { ...snapshot, chunks: all };
    this.#disk.entries = this.#disk.entries.filter(({ stamp }) => compareStamps(stamp, snapshot.place) > 0);
    for (const [origin, head] of snapshot.heads) {
      if ((this.#heads.get(origin)?.seq ?? 0) < head.seq) this.#heads.set(origin, head);
    }
  }

  renewOrigin(): void {
    this.#disk.origin = this.#chance.bytes(ORIGIN_BYTES).toString('hex') as Origin;
  }

  close(): void {
    this.#commit();
  }

  #advance({ stamp: { origin, seq }, bytes }: LogEntry): void {
    if (seq > (this.#heads.get(origin)?.seq ?? 0)) this.#heads.set(origin, { seq, hash: entryHash(bytes) });
  }

  #commit(): void {
    this.#disk.frontier = this.frontier;
    const waiting = this.#waiting.splice(0);
    for (const { entries } of waiting) {
      this.#disk.entries.push(...entries);
      this.#disk.everything.push(...entries);
    }
    const latestMs = Math.max(
      0,
      ...waiting.flatMap(({ entries }) =>
        entries.filter(({ stamp }) => stamp.origin === this.origin).map(({ stamp }) => stamp.ms),
      ),
    );
    if (latestMs > this.#disk.ceilingMs - CEILING_RENEW_MS) this.#disk.ceilingMs = latestMs + CEILING_AHEAD_MS;
    for (const { resolve } of waiting) resolve();
  }
}
