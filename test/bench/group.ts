// A tracker pair and engines that are signed in and in one group, as the benchmarks need them: by
// the engines' own calls, a few at a time, because each password takes the trackers a quarter of a
// second.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RealEngine, RealPair, RealProcesses } from '../support/processes/realProcesses.ts';

/** Engines that are made at once. */
const AT_ONCE = 4;
const SHARES_AT_ONCE = 16;

/** Engines in a group of the first one's name. */
export async function startGroup(
  processes: RealProcesses,
  names: readonly [string, ...string[]],
  { url }: Pick<RealPair, 'url'>,
  prepare: (engine: RealEngine) => Promise<unknown> = () => Promise.resolve(),
): Promise<readonly RealEngine[]> {
  const waiting = [...names];
  const engines = new Map<string, RealEngine>();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        const engine = await processes.startEngine(name, url);
        const password = `password of ${name}`;
        await engine.connection.call('setTracker', { url, confirm: true });
        await prepare(engine);
        await engine.connection.call('createUser', { user: name, password }, { deadlineMs: SIGN_UP_MS_MAX });
        await engine.connection.call('signIn', { user: name, password, hold: true }, { deadlineMs: SIGN_UP_MS_MAX });
        engines.set(name, engine);
      }
    }),
  );
  const [owner, ...others] = names.flatMap((name) => engines.get(name) ?? []);
  if (!owner) throw new Error('nobody has signed in');
  await owner.connection.call('createGroup', { group: owner.name });
  await Promise.all(
    others.map(async ({ name, connection }) => {
      await connection.call('joinGroup', { group: owner.name });
      await owner.connection.call('acceptRequest', { group: owner.name, user: name });
    }),
  );
  return [owner, ...others];
}
/** How long a sign-up may wait behind others, in ms. */
const SIGN_UP_MS_MAX = 60_000;

/** Shares a file in the group; resolves when the group knows of it. */
export async function share(group: string, engine: RealEngine, file: string, name: string): Promise<void> {
  await engine.connection.call('share', { group, path: file, name, replace: true });
  await engine.whole(name);
}

/**
 * Shares so many small files in the group of the engine's name; resolves when the group knows of
 * all.
 */
export async function shareMany(
  processes: RealProcesses,
  engine: RealEngine,
  count: number,
  nameOf = (n: number): string => `file-${n}`,
): Promise<void> {
  const folder = processes.makeFolder('source');
  let next = 0;
  await Promise.all(
    Array.from({ length: SHARES_AT_ONCE }, async () => {
      for (let n = next++; n < count; n = next++) {
        const file = path.join(folder, String(n));
        writeFileSync(file, `content of ${n}`);
        await engine.connection.call('share', { group: engine.name, path: file, name: nameOf(n), replace: false });
      }
    }),
  );
  await engine.until(() => [...engine.transfers.values()].filter(({ state }) => state === 'seeding').length >= count);
}

export async function download(group: string, engine: RealEngine, name: string, folder: string): Promise<number> {
  return (
    await engine.connection.call('download', {
      group,
      name,
      path: folder,
      asFile: false,
      rename: false,
      mode: 'rarest',
      only: [],
    })
  ).transfer;
}

/**
 * Ends an engine and starts it anew; resolves when it is back at its trackers. It has no links to
 * others then.
 */
export async function restart(engine: RealEngine): Promise<void> {
  await engine.kill();
  await engine.start();
  await untilUp(engine);
}

export const untilUp = (engine: RealEngine): Promise<boolean> =>
  engine.until(() => engine.overview?.trackers.every(({ link }) => link === 'up'));
