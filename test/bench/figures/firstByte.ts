// From the verb to the first verified byte, where every line (to the trackers and to the other
// engine) takes its time: how many round trips it is.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { RealEngine } from '../../support/processes/realProcesses.ts';
import { download, restart, share, startGroup, untilUp } from '../group.ts';
import { LINE_HOST, Lines, pairBehind } from '../lines.ts';
import type { Figure } from '../measure.ts';
import { median } from '../measure.ts';

/** One way, in ms. */
const DELAY_MS = 25;
const ROUNDS = 5;
/** Of more than one piece, so that a layer has to come before the first. */
const FILE_BYTES = 4 * 1024 ** 2;
/** What the engines themselves may take, in ms. */
const OWN_MS = 50;
/** After how long a link that was cut is dialled anew, and some more, in ms. */
const REDIAL_MS = 3_000;

export async function firstByte(): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  const lines = new Lines();
  try {
    const pair = await pairBehind(processes, lines);
    const [seeder, downloader] = (await startGroup(processes, ['alice', 'bob'], pair, (engine) =>
      engine.configure({ listenHost: '127.0.0.1' }),
    )) as [RealEngine, RealEngine];
    // Both listen at 127.0.0.1 and from now on are found at the near end of a line: it is told to a
    // tracker by a link that is dialled anew.
    for (const engine of [seeder, downloader]) {
      await lines.to(await engine.until(() => engine.overview?.listening[0]?.port));
      await engine.configure({ listenHost: LINE_HOST });
    }
    const folder = processes.makeFolder('source');
    const [strange, known]: [number[], number[]] = [[], []];
    lines.delayMs = DELAY_MS;
    const roundTripMs = await lines.roundTripMs();
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of [`strange-${round}`, `known-${round}`]) {
        const file = path.join(folder, name);
        writeFileSync(file, randomBytes(FILE_BYTES));
        await share(seeder.name, seeder, file, name);
      }
      await downloader.configure({ listenHost: '127.0.0.1' });
      await restart(downloader);
      await downloader.configure({ listenHost: LINE_HOST });
      lines.cut();
      await Promise.all([untilBack(seeder), untilBack(downloader)]);
      strange.push(await firstByteMs(processes, downloader, seeder.name, `strange-${round}`));
      known.push(await firstByteMs(processes, downloader, seeder.name, `known-${round}`));
    }
    const figure = (name: string, ms: readonly number[], isGoal: boolean): Figure => ({
      name,
      value: (median(ms) - OWN_MS) / roundTripMs,
      unit: 'trips',
      target: isGoal ? { most: 3 } : undefined,
      note: `besides ${OWN_MS} ms: ${median(ms).toFixed(0)} ms in all (min ${Math.min(...ms).toFixed(0)}, max ${Math.max(...ms).toFixed(0)}), a round trip takes ${roundTripMs.toFixed(1)} ms`,
    });
    return [
      figure('from the verb to the first verified byte, no link to the seeder yet', strange, true),
      figure('the same over a link that is there', known, false),
    ];
  } finally {
    lines.close();
    await processes.close();
  }
}

/** Its links were cut: waits until it has dialled both trackers again. */
async function untilBack(engine: RealEngine): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, REDIAL_MS));
  await untilUp(engine);
}

async function firstByteMs(processes: RealProcesses, engine: RealEngine, group: string, name: string): Promise<number> {
  const into = processes.makeFolder('downloads', name);
  const began = performance.now();
  const id = await download(group, engine, name, into);
  // Asked for, because notices are merged to a few each second.
  for (;;) {
    const { transfers } = await engine.connection.call('status', {});
    const one = transfers.find((transfer) => transfer.id === id);
    if (one && (one.doneBytes > 0 || one.state === 'seeding')) return performance.now() - began;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
