// A pair of real trackers under a steady load, one of which is killed again and again, as kill -9
// does, at moments that a seed decides; sometimes both. In the end both are stopped, and what was
// ever acknowledged must be in both logs.
import assert from 'node:assert/strict';
import path from 'node:path';
import { createNodeDisk } from '../../../protocol/node/nodeDisk.ts';
import { readConfig } from '../../../tracker/admin/config.ts';
import { askStatus } from '../../../tracker/admin/operatorClient.ts';
import type { Status } from '../../../tracker/admin/operatorClient.ts';
import { Load } from './load.ts';
import { readLog } from '../processes/logReader.ts';
import type { RealPair } from '../processes/realProcesses.ts';
import { RealProcesses } from '../processes/realProcesses.ts';
import type { SeededChance } from '../simulation/seededChance.ts';

export const NUMBERS = [1, 2] as const;
/** Operations between two strikes, at most: less than a second's. */
const BETWEEN_MAX = 150;
/** One kill in so many takes both. */
const BOTH_KILLED = 6;

const disk = createNodeDisk();

/** @throws what was lost */
export async function killAgainAndAgain(kills: number, chance: SeededChance): Promise<string> {
  const processes = new RealProcesses();
  const pair = await processes.startPair();
  let load: Load | undefined;
  try {
    await paired(pair);
    load = await Load.begin(pair.url);
    for (let killed = 0; killed < kills;) {
      await load.more(chance.below(BETWEEN_MAX));
      const both = killed < kills - 1 && chance.oneIn(BOTH_KILLED);
      const victims = chance.shuffled(NUMBERS).slice(0, both ? 2 : 1);
      await Promise.all(victims.map((n) => pair.kill(n)));
      killed += victims.length;
      if (!both) await load.more(chance.below(BETWEEN_MAX));
      // Nobody waits until they have met: what only one of them has is on one disk when that is
      // killed next.
      await Promise.all(victims.map((n) => pair.start(n)));
    }
    await nothingLost(pair, load);
    const { both, one, again, restored } = load.tally;
    assert.ok(one > 0 && again > 0 && restored > 0, 'nobody noticed the kills');
    return `${kills} kills under ${load.perSecond} operations a second: ${both} acknowledged by both, ${one} by one, ${again} sent again, ${restored} given back`;
  } finally {
    load?.stop();
    await processes.close();
  }
}

/**
 * When all is well again: stops both trackers and reads their logs. @throws what was acknowledged
 * and is not there
 */
export async function nothingLost(pair: RealPair, load: Load): Promise<void> {
  await load.finish();
  await paired(pair);
  const [one, two] = [await status(pair, 1), await status(pair, 2)];
  assert.deepEqual(Buffer.from(one.stateHash), Buffer.from(two.stateHash), 'the two trackers differ');
  assert.equal(one.operations, two.operations);
  for (const n of NUMBERS) await pair.kill(n, 'SIGTERM');
  for (const n of NUMBERS) {
    const log = readLog(trackerFolder(pair, n));
    assert.deepEqual(
      [...load.acknowledged].filter((id) => !log.has(id)),
      [],
      `acknowledged, and not in the log of tracker ${n}`,
    );
  }
}

export const trackerFolder = (pair: RealPair, n: 1 | 2): string => path.join(pair.folder, `tracker-${n}`);

export const status = async (pair: RealPair, n: 1 | 2): Promise<Status> =>
  askStatus(disk, await readConfig(disk, trackerFolder(pair, n)));

/** Resolves when both trackers have met, and each has what the other has. */
export async function paired(pair: RealPair): Promise<void> {
  for (const n of NUMBERS) while ((await status(pair, n)).partner !== 'paired');
}
