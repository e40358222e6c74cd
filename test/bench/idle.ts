// What an engine costs that shares 1,000 files and is left alone: CPU, and bytes between it and both trackers.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RealProcesses } from '../support/realProcesses.ts';
import { startGroup } from './group.ts';
import { Lines, pairBehind } from './lines.ts';
import type { Figure } from './measure.ts';

const SHARES = 1_000;
const AT_ONCE = 16;
/** How long it may still be busy after the last share, and how long it is watched, in ms. */
const SETTLE_MS = 15_000;
const WATCHED_MS = 60_000;

export async function idle(): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  const lines = new Lines();
  try {
    const [engine] = await startGroup(processes, ['alice'], await pairBehind(processes, lines));
    if (!engine) throw new Error('there is no engine');
    const folder = processes.makeFolder('source');
    const names = Array.from({ length: SHARES }, (_, n) => `file-${n}`);
    const waiting = [...names];
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        writeFileSync(path.join(folder, name), `content of ${name}`);
        await engine.connection.call('share', { group: engine.name, path: path.join(folder, name), name, replace: false });
      }
    }));
    await engine.until(() => [...engine.transfers.values()].filter(({ state }) => state === 'seeding').length === SHARES);
    // A window that watches would be told things.
    engine.disconnect();
    await pass(SETTLE_MS);
    const before = [cpuMs(engine.processId), lines.bytes] as const;
    await pass(WATCHED_MS);
    const shares = SHARES.toLocaleString('en');
    return [
      { name: `CPU of an idle engine with ${shares} shares in a minute`, value: cpuMs(engine.processId) - before[0], unit: 'ms', target: { most: 50 } },
      { name: 'bytes between it and both trackers, both ways', value: (lines.bytes - before[1]) / 1024, unit: 'KiB', target: { most: 20 } },
    ];
  } finally {
    lines.close();
    await processes.close();
  }
}

const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** CPU time of all threads of a process so far, in ms: finer than the ticks of its `stat`. */
function cpuMs(processId: number): number {
  const threads = `/proc/${processId}/task`;
  return readdirSync(threads).reduce((sum, thread) => sum + Number(readFileSync(`${threads}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6, 0);
}
