// What moves a file from one of its processes to another, ours and others, and how they take turns:
// each round everybody once, beginning with another one each time, into a fresh folder, on memory
// that was touched just before.
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { Figure, Target } from '../measure.ts';
import { cpuSeconds, median, peakMiB, warmMemory } from '../measure.ts';

/**
 * Memory to touch before each turn: that of a copy of 1 GiB and of all buffers. More would keep
 * this process from answering engines.
 */
const WARM_BYTES = 1.5 * 1024 ** 3;

/** What one turn came to. */
export interface Turn {
  /** From the word to begin until the file is complete and verified under its name. */
  readonly seconds: number;
  /** Until the disk says that it has it, where that is not part of the above. */
  readonly syncedSeconds?: number;
  /** CPU in this time, in s: of who sends, of who receives. Undefined where it is not measured. */
  readonly cpu?: readonly [sends: number, receives: number];
  /** Most memory that each ever held, in MiB. */
  readonly peaks?: readonly [sends: number, receives: number];
}

export interface Contender {
  readonly name: string;
  /** Moves the file into a folder that is empty; answers where it lies. */
  turn(into: string, round: number): Promise<Turn & { readonly file: string }>;
  /** Makes room for the next turn, when what came of this one was looked at. */
  after?(): Promise<void>;
}

export type Turns = ReadonlyMap<string, readonly Turn[]>;

/** Begins to count; what it returns tells what two processes have taken since. */
export function startMeter(sends = 0, receives = 0): () => Turn {
  const before = [cpuSeconds(sends), cpuSeconds(receives)] as const;
  const began = performance.now();
  return () => ({
    seconds: (performance.now() - began) / 1000,
    cpu: [cpuSeconds(sends) - before[0], cpuSeconds(receives) - before[1]],
    peaks: [peakMiB(sends), peakMiB(receives)],
  });
}

/** Whoever fails is told of and takes no more turns, unless it is `ours`. */
export async function takeTurns(
  processes: RealProcesses,
  contenders: readonly Contender[],
  ours: Contender,
  bytes: number,
  rounds: number,
): Promise<Turns> {
  const turns = new Map(contenders.map(({ name }) => [name, [] as Turn[]]));
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < contenders.length; n++) {
      const contender = contenders[(round + n) % contenders.length] ?? ours;
      const own = turns.get(contender.name);
      if (!own) continue;
      const into = processes.makeFolder('turns', `${contender.name}-${round}`);
      warmMemory(processes.folder, WARM_BYTES);
      try {
        const turn = await contender.turn(into, round);
        if (statSync(turn.file).size !== bytes) throw new Error('the file has another size');
        own.push(turn);
        await contender.after?.();
      } catch (error) {
        if (contender === ours) throw error;
        process.stdout.write(`skipped: ${contender.name} (${(error as Error).message.split('\n')[0] ?? ''})\n`);
        turns.delete(contender.name);
      }
      rmSync(into, { recursive: true, force: true });
      rmSync(path.join(processes.folder, 'turns'), { recursive: true, force: true });
    }
  }
  return turns;
}

export const wall = (turns: readonly Turn[]): number => median(turns.map(({ seconds }) => seconds));
export const cpu = (turns: readonly Turn[]): number =>
  median(turns.map((turn) => (turn.cpu ? turn.cpu[0] + turn.cpu[1] : NaN)));
const mean = (turns: readonly Turn[], of: (turn: Turn) => number | undefined): number =>
  median(turns.map((turn) => of(turn) ?? NaN));

/** How fast one was, and what it took. */
export function speedOf(name: string, turns: readonly Turn[], bytes: number): Figure {
  const mbPerS = (seconds: number): number => bytes / 1e6 / seconds;
  const all = turns.map(({ seconds }) => mbPerS(seconds));
  const took = turns[0]?.cpu
    ? `; CPU-s/GiB ${mean(turns, (turn) => turn.cpu?.[0]).toFixed(2)} + ${mean(turns, (turn) => turn.cpu?.[1]).toFixed(2)}`
    : '';
  const held = turns[0]?.peaks
    ? `; MiB ${mean(turns, (turn) => turn.peaks?.[0]).toFixed(0)} + ${mean(turns, (turn) => turn.peaks?.[1]).toFixed(0)}`
    : '';
  return {
    name,
    value: mbPerS(wall(turns)),
    unit: 'MB/s',
    note: `min ${Math.min(...all).toFixed(0)}, max ${Math.max(...all).toFixed(0)}${took}${held}`,
  };
}

/** How much faster one is than another, and how much CPU it takes of the other's. */
export function compared(
  ours: readonly Turn[],
  turns: Turns,
  other: string,
  speed: Target | undefined,
  share?: Target,
): readonly Figure[] {
  const theirs = turns.get(other);
  if (!theirs || theirs.length === 0) return [];
  const synced = median(theirs.map(({ syncedSeconds = NaN }) => syncedSeconds));
  return [
    {
      name: `Shoal over ${other}`,
      value: wall(theirs) / wall(ours),
      unit: '×',
      target: speed,
      note: synced > 0 ? `${(synced / wall(ours)).toFixed(2)} × when the other syncs its file, too` : undefined,
    },
    ...(share
      ? [{ name: `CPU of Shoal over that of ${other}`, value: cpu(ours) / cpu(theirs), unit: '×', target: share }]
      : []),
  ];
}
