// A tracker's log without a disk: durable a moment after it was written, on the given clock. Its `MemoryDisk` outlives the process.
import type { Origin } from '../../protocol/ids.ts';
import { ORIGIN_BYTES } from '../../protocol/ids.ts';
import { compareStamps } from '../../protocol/operations.ts';
import type { Chance, Clock } from '../../protocol/world.ts';
import { CEILING_AHEAD_MS, CEILING_RENEW_MS } from '../../tracker/opLog.ts';
import type { LogEntry, OpLog } from '../../tracker/opLog.ts';

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
}

export const emptyDisk = (chance: Chance): MemoryDisk => ({ origin: chance.bytes(ORIGIN_BYTES).toString('hex') as Origin, ceilingMs: 0, entries: [] });

export class MemoryLog implements OpLog {
  readonly #disk: MemoryDisk;
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #last = new Map<Origin, LogEntry>();
  #waiting: Waiting[] = [];

  constructor(disk: MemoryDisk, clock: Clock, chance: Chance) {
    this.#disk = disk;
    this.#clock = clock;
    this.#chance = chance;
    for (const entry of disk.entries) this.#last.set(entry.stamp.origin, entry);
  }

  get origin(): Origin {
    return this.#disk.origin;
  }
  get ceilingMs(): number {
    return this.#disk.ceilingMs;
  }
  get count(): number {
    return this.#disk.entries.length;
  }
  have(): ReadonlyMap<Origin, number> {
    return new Map([...this.#last].map(([origin, { stamp }]) => [origin, stamp.seq]));
  }
  last(origin: Origin): LogEntry | undefined {
    return this.#last.get(origin);
  }

  append(entries: readonly LogEntry[]): Promise<void> {
    for (const entry of entries) this.#last.set(entry.stamp.origin, entry);
    return new Promise((resolve) => {
      if (this.#waiting.push({ entries, resolve }) === 1) this.#clock.after(COMMIT_MS, () => this.#commit());
    });
  }

  entries(origin: Origin, from: number, max: number): readonly LogEntry[] {
    return this.#disk.entries.filter(({ stamp }) => stamp.origin === origin && stamp.seq >= from).sort((a, b) => a.stamp.seq - b.stamp.seq).slice(0, max);
  }

  all(): Iterable<LogEntry> {
    return this.#disk.entries.toSorted((a, b) => compareStamps(a.stamp, b.stamp));
  }

  renewOrigin(): void {
    this.#disk.origin = this.#chance.bytes(ORIGIN_BYTES).toString('hex') as Origin;
  }

  close(): void {
    this.#commit();
  }

  #commit(): void {
    const waiting = this.#waiting.splice(0);
    for (const { entries } of waiting) this.#disk.entries.push(...entries);
    const latestMs = Math.max(0, ...waiting.flatMap(({ entries }) => entries.filter(({ stamp }) => stamp.origin === this.origin).map(({ stamp }) => stamp.ms)));
    if (latestMs > this.#disk.ceilingMs - CEILING_RENEW_MS) this.#disk.ceilingMs = latestMs + CEILING_AHEAD_MS;
    for (const { resolve } of waiting) resolve();
  }
}
