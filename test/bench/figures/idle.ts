// What an engine costs that shares 1,000 files and is left alone: CPU, and bytes between it and
// both trackers.
import { setTimeout as pause } from 'node:timers/promises';
import { RealProcesses } from '../../support/processes/realProcesses.ts';
import { shareMany, startGroup } from '../group.ts';
import { Lines, pairBehind } from '../lines.ts';
import type { Figure } from '../measure.ts';
import { cpuMs } from '../measure.ts';

const SHARES = 1_000;
/** How long it may still be busy after the last share, and how long it is watched, in ms. */
const SETTLE_MS = 15_000;
const WATCHED_MS = 60_000;

export async function idle(): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  const lines = new Lines();
  try {
    const [engine] = await startGroup(processes, ['alice'], await pairBehind(processes, lines));
    if (!engine) throw new Error('there is no engine');
    await shareMany(processes, engine, SHARES);
    // A window that watches would be told things.
    engine.disconnect();
    await pause(SETTLE_MS);
    const before = [cpuMs(engine.processId), lines.bytes] as const;
    await pause(WATCHED_MS);
    const shares = SHARES.toLocaleString('en');
    return [
      {
        name: `CPU of an idle engine with ${shares} shares in a minute`,
        value: cpuMs(engine.processId) - before[0],
        unit: 'ms',
        target: { most: 50 },
      },
      {
        name: 'bytes between it and both trackers, both ways',
        value: (lines.bytes - before[1]) / 1024,
        unit: 'KiB',
        target: { most: 20 },
      },
    ];
  } finally {
    lines.close();
    await processes.close();
  }
}
