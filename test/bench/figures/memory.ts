// What a registered presence and an idle link cost a tracker in memory, after its garbage was
// collected.
import type { Root } from '../../../protocol/base/ids.ts';
import { SWARMS_PER_ANNOUNCE_MAX } from '../../../protocol/base/limits.ts';
import { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { BenchRealm } from '../benchRealm.ts';
import { makeBenchRealm, newId, RawLink } from '../benchRealm.ts';
import { InspectedTracker } from './inspected.ts';
import type { Memory } from './inspected.ts';
import type { Figure } from '../measure.ts';

const LINKS = 200;
const SWARMS = 1_000;
/**
 * Idle links that are measured (a group takes 1,024 members), and those that were there before: the
 * first ones grow what all of them share.
 */
const IDLE = 900;
const IDLE_BEFORE = 100;
/** How long nothing more is told by the swarms when everything is told, in ms. */
const QUIET_MS = 700;

export async function memory(): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  try {
    return [...(await ofPresences(processes)), ...(await ofLinks(processes))];
  } finally {
    await processes.close();
  }
}

async function ofPresences(processes: RealProcesses): Promise<readonly Figure[]> {
  const realm = await makeBenchRealm(processes, 1, LINKS);
  const tracker = await InspectedTracker.start(processes, realm.folder);
  const links = await Promise.all(realm.people.map((person) => RawLink.signedIn(realm.ports[0] ?? 0, person)));
  const roots = (): Root[] => Array.from({ length: SWARMS }, () => newId<Root>(32));
  // Once for what is compiled once, and for the buffers of links: these are not what a presence
  // costs.
  const first = roots();
  await announceAll(realm, links, () => first);
  await announceAll(realm, links, () => first, 'stopped');
  const before = await tracker.memory();
  const same = roots();
  await announceAll(realm, links, () => same);
  const shared = await tracker.memory();
  await announceAll(realm, links, roots);
  const own = await tracker.memory();
  tracker.close();
  for (const link of links) link.close();
  const each = (from: Memory, to: Memory, what: keyof Memory): number => (to[what] - from[what]) / (LINKS * SWARMS);
  const count = (LINKS * SWARMS).toLocaleString('en');
  return [
    {
      name: `memory per presence, ${LINKS} links in the same ${SWARMS.toLocaleString('en')} swarms`,
      value: each(before, shared, 'held'),
      unit: 'B',
      target: { most: 100 },
      note: `${count} presences; of the process ${each(before, shared, 'rss').toFixed(0)} B`,
    },
    {
      name: 'the same, each in swarms of its own',
      value: each(shared, own, 'held'),
      unit: 'B',
      note: `${count} presences and swarms; of the process ${each(shared, own, 'rss').toFixed(0)} B`,
    },
  ];
}

/**
 * Nearly everybody has nearly everything; in each of a link's swarms that lacks something, others
 * are told of it.
 */
async function announceAll(
  { common: group }: BenchRealm,
  links: readonly RawLink[],
  rootsOf: () => readonly Root[],
  event: 'update' | 'stopped' = 'update',
): Promise<void> {
  for (const [n, link] of links.entries()) {
    const roots = rootsOf();
    const swarms = roots.map((root, m) => ({ group, root, leftBytes: (n + m) % 100 === 0 ? 1_000_000 : 0, event }));
    for (let at = 0; at < swarms.length; at += SWARMS_PER_ANNOUNCE_MAX) {
      await link.call('announce', { swarms: swarms.slice(at, at + SWARMS_PER_ANNOUNCE_MAX) });
    }
  }
  const heard = (): number => links.reduce((sum, link) => sum + link.framesIn, 0);
  for (let before = -1, now = heard(); now !== before; before = now, now = heard()) {
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
}

async function ofLinks(processes: RealProcesses): Promise<readonly Figure[]> {
  const realm = await makeBenchRealm(processes, 1, IDLE_BEFORE + IDLE);
  const tracker = await InspectedTracker.start(processes, realm.folder);
  const links: RawLink[] = [];
  const open = async (count: number): Promise<void> => {
    for (const person of realm.people.slice(links.length, links.length + count)) {
      links.push(await RawLink.signedIn(realm.ports[0] ?? 0, person));
    }
  };
  await open(IDLE_BEFORE);
  const before = await tracker.memory();
  await open(IDLE);
  const after = await tracker.memory();
  tracker.close();
  for (const link of links) link.close();
  return [
    {
      name: `memory per idle link, ${IDLE.toLocaleString('en')} of them`,
      value: (after.rss - before.rss) / IDLE / 1024,
      unit: 'KiB',
      target: { most: 80 },
      note: `of the process; ${((after.held - before.held) / IDLE / 1024).toFixed(0)} KiB of it JavaScript's`,
    },
  ];
}
