// How long an operation takes whose tracker dies: the product's own link to both trackers of a
// pair, `kill -9` of the one in use, and an operation sent in that moment, until it is answered by
// the other.
import { homeAt } from '../../../protocol/home/homeLayout.ts';
import { createNodeWorld } from '../../../protocol/node/nodeWorld.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import { TrackerClient } from '../../../extension/engine/trackers/trackerClient.ts';
import { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { BenchRealm } from '../benchRealm.ts';
import { makeBenchRealm, startBenchRealm, untilPaired } from '../benchRealm.ts';
import type { Figure } from '../measure.ts';
import { median, percentile } from '../measure.ts';
import { sampleFile } from '../samples.ts';

const ROUNDS = 20;

export async function failover(): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  try {
    const realm = await makeBenchRealm(processes, 2, 1);
    const pair = await startBenchRealm(processes, realm);
    const [person] = realm.people;
    if (!person) throw new Error('nobody is there');
    const { trackers: trackerClient, until } = await linkTo(processes, realm);
    const submit = (n: number): Promise<{ readonly durability: string }> =>
      trackerClient.call('submit', { signed: person.sign('shareFile', sampleFile(person.group, n)) });
    const ordinary: number[] = [];
    const times: number[] = [];
    for (let n = 0; n < ROUNDS; n++) {
      await until(() => trackerClient.sessions.every((session) => session.isUp));
      ordinary.push(await timed(() => submit(2 * n)));
      const number = trackerClient.inUse?.address.port === realm.ports[0] ? 1 : 2;
      times.push(
        await timed(async () => {
          process.kill(pair.processId(number), 'SIGKILL');
          await submit(2 * n + 1);
        }),
      );
      await pair.kill(number);
      await pair.start(number);
      await untilPaired(pair);
    }
    trackerClient.stop();
    return [
      {
        name: 'operation answered after kill -9 of the tracker in use, p50',
        value: median(times),
        unit: 'ms',
        note: `${ROUNDS} rounds; least ${Math.min(...times).toFixed(1)} ms`,
      },
      { name: 'the same, p99 (the longest)', value: percentile(times, 0.99), unit: 'ms' },
      {
        name: 'the same with both alive, p50',
        value: median(ordinary),
        unit: 'ms',
        note: `p99 ${percentile(ordinary, 0.99).toFixed(1)} ms`,
      },
    ];
  } finally {
    await processes.close();
  }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

/** An engine's link to the pair, and a way to wait for it. */
async function linkTo(processes: RealProcesses, { people, url }: BenchRealm) {
  const [person] = people;
  if (!person) throw new Error('nobody is there');
  const world = createNodeWorld({ identity: person.identity, log: silentLog });
  const looks = new Set<() => void>();
  const ignore = (): void => {};
  const trackerClient = new TrackerClient(
    {
      world,
      program: 'bench',
      listening: () => [],
      presence: () => new Map(),
      realm: ignore,
      onSession: ignore,
      onSwarms: ignore,
      onSwarmChanged: ignore,
      onGroupChanged: ignore,
      onPresenceChanged: ignore,
      onGroupGone: ignore,
      onRevoked: ignore,
      onDialRequest: ignore,
      onSignedOut: ignore,
      onConflicts: ignore,
      changed: () => {
        for (const look of [...looks]) look();
      },
    },
    world.disk,
    homeAt(processes.makeFolder('home')),
  );
  await trackerClient.set(url);
  const until = (found: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!found()) return;
        looks.delete(look);
        resolve();
      };
      looks.add(look);
      look();
    });
  return { trackers: trackerClient, until };
}
