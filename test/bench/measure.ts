// How figures are taken: interleaved rounds, warmed memory, CPU seconds and peak memory of
// processes as the system counts them.
import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, watch, writeSync } from 'node:fs';
import path from 'node:path';

/** Ticks of a process's CPU time in a second (Linux: USER_HZ). */
const TICKS_PER_S = 100;

/** User and system time of a process so far, in s; 0 where the system does not tell. */
export function cpuSeconds(processId: number): number {
  const stat = `/proc/${processId}/stat`;
  if (!existsSync(stat)) return 0;
  const fields = readFileSync(stat, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** Most memory a process ever held, in MiB; 0 where the system does not tell. */
export function peakMiB(processId: number): number {
  const status = `/proc/${processId}/status`;
  if (!existsSync(status)) return 0;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(status, 'utf8'))?.[1] ?? 0) / 1024;
}

/** A file of random bytes. */
export function makeRandomFile(file: string, bytes: number): void {
  const chunk = Buffer.alloc(16 * 1024 * 1024);
  const out = openSync(file, 'w');
  for (let left = bytes; left > 0; left -= chunk.length) {
    randomFillSync(chunk);
    writeSync(out, chunk, 0, Math.min(left, chunk.length));
  }
  closeSync(out);
}

/**
 * Touches and frees page cache. On virtual machines freed memory goes back to the host, and whoever
 * touches it first pays up to 1.8 s per GiB; without this the first program of a round would always
 * look slow.
 */
export function warmMemory(folder: string, bytes: number): void {
  const file = path.join(folder, 'warm');
  const chunk = Buffer.alloc(16 * 1024 * 1024, 1);
  const out = openSync(file, 'w');
  for (let left = bytes; left > 0; left -= chunk.length) writeSync(out, chunk);
  closeSync(out);
  rmSync(file);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

/** Resolves in the moment in which a file appears under its name, in a folder that is there. */
export async function untilThere(file: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const watcher = watch(path.dirname(file), look);
    function look(): void {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    }
    look();
  });
}

/** What a figure shall at least, or at most, be. */
export type Target = { readonly least: number } | { readonly most: number };

/** One line of the result. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: Target | undefined;
  /** What it is compared with in the same run, or what else was seen. */
  readonly note?: string | undefined;
}

export function print(title: string, figures: readonly Figure[]): void {
  process.stdout.write(`\n${title}\n`);
  for (const { name, value, unit, target, note } of figures) {
    process.stdout.write(
      `  ${name.padEnd(62)} ${shown(value).padStart(9)} ${unit.padEnd(8)} ${[target && judged(value, target), note].filter(Boolean).join('; ')}\n`,
    );
  }
}

const shown = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2));

function judged(value: number, target: Target): string {
  const [sign, bound, isMet] =
    'least' in target
      ? (['≥', target.least, value >= target.least] as const)
      : (['≤', target.most, value <= target.most] as const);
  return `${sign} ${bound} ${isMet ? 'met' : 'MISSED'}`;
}

/** CPU time of all threads of a process so far, in ms: finer than the ticks of its `stat`. */
export function cpuMs(processId: number): number {
  const threads = `/proc/${processId}/task`;
  return readdirSync(threads).reduce(
    (sum, thread) => sum + Number(readFileSync(`${threads}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    0,
  );
}
