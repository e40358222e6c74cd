// What an operator's command asks a running tracker: over a link of its own, proven by the
// tracker's own key, which lies in its folder.
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from '../../protocol/wire/connection.ts';
import { isShoalError, ShoalError, systemCode } from '../../protocol/base/errors.ts';
import { openConnection } from '../../protocol/wire/openConnection.ts';
import { HEARTBEAT_MS } from '../../protocol/base/limits.ts';
import type { Address } from '../../protocol/base/fields.ts';
import { createNodeWorld, nodeClock } from '../../protocol/node/nodeWorld.ts';
import type { Conflict } from '../../protocol/messages/partnerLink.ts';
import { operatorLink } from '../../protocol/messages/partnerLink.ts';
import type { SignedDescriptor } from '../../protocol/messages/realm.ts';
import { checkDescriptor } from '../../protocol/messages/realm.ts';
import type { ReplyOf } from '../../protocol/wire/table.ts';
import { VERSION } from '../../protocol/node/version.ts';
import type { Disk } from '../../protocol/base/world.ts';
import { silentLog } from '../../protocol/base/world.ts';
import type { TrackerConfig } from './config.ts';
import { saveTrackerList, readLastRun } from './config.ts';

/** How long a running tracker may take to answer, in ms. */
const ANSWER_MS_MAX = 5_000;
/** How long its process may take to end then, and how often it is looked at, in ms. */
const STOP_MS_MAX = 10_000;
const POLL_MS = 50;

export type Status = ReplyOf<typeof operatorLink, 'status'>;

/** How the tracker of this folder is. @throws ShoalError unreachable … when it does not run */
export const askStatus = (disk: Disk, config: TrackerConfig): Promise<Status> =>
  withLink(disk, config, (connection) => connection.call('status', {}, { deadlineMs: ANSWER_MS_MAX }));

/**
 * All conflicts that the tracker of this folder knows, in the order of their operations. @throws
 * ShoalError unreachable … when it does not run
 */
export const askConflicts = (disk: Disk, config: TrackerConfig): Promise<readonly Conflict[]> =>
  withLink(disk, config, async (connection) => {
    const all: Conflict[] = [];
    for (let count = 1; all.length < count;) {
      const page = await connection.call('conflicts', { from: all.length }, { deadlineMs: ANSWER_MS_MAX });
      all.push(...page.conflicts);
      count = page.conflicts.length === 0 ? 0 : page.count;
    }
    return all;
  });

/**
 * Shows the tracker of this folder a newer list of trackers; where it does not run, its folder
 * keeps it. @throws ShoalError wrongRealm, badDescriptor
 */
export async function setList(disk: Disk, config: TrackerConfig, list: SignedDescriptor): Promise<void> {
  const shown = checkDescriptor(list, config.realm, { host: config.folder, port: 0 });
  try {
    await withLink(disk, config, (connection) => connection.call('setList', list, { deadlineMs: ANSWER_MS_MAX }));
  } catch (error) {
    if (!isShoalError(error, 'unreachable') && !isShoalError(error, 'linkClosed')) throw error;
    if (shown.version > config.descriptor.version) await saveTrackerList(disk, config.folder, list);
  }
}

export type Durability = ReplyOf<typeof operatorLink, 'setOwner'>;

/**
 * Gives an account another password. @throws ShoalError unknownUser, passwordTooShort, unreachable
 * …
 */
export const resetPassword = (disk: Disk, config: TrackerConfig, user: string, password: string): Promise<Durability> =>
  withLink(disk, config, (connection) =>
    connection.call('resetPassword', { user, password }, { deadlineMs: 2 * ANSWER_MS_MAX }),
  );

/**
 * Makes a member the owner of a group. @throws ShoalError unknownGroup, unknownUser, unreachable …
 */
export const setOwner = (disk: Disk, config: TrackerConfig, group: string, user: string): Promise<Durability> =>
  withLink(disk, config, (connection) => connection.call('setOwner', { group, user }, { deadlineMs: ANSWER_MS_MAX }));

/**
 * How it is; undefined when it does not run. What else goes wrong is thrown: a tracker that answers
 * nonsense is not taken for none.
 */
export async function statusIfRunning(disk: Disk, config: TrackerConfig): Promise<Status | undefined> {
  try {
    return await askStatus(disk, config);
  } catch (error) {
    if (isShoalError(error, 'unreachable') || isShoalError(error, 'linkClosed')) return undefined;
    throw error;
  }
}

/**
 * Ends the tracker of this folder. Resolves when its process is gone, because only then its log and
 * its port are free: to false when it did not run.
 *
 * @throws ShoalError trackerNotStopped
 */
export async function stopTracker(disk: Disk, config: TrackerConfig): Promise<boolean> {
  const status = await statusIfRunning(disk, config);
  if (!status) return false;
  await withLink(disk, config, async (connection) => {
    await connection.call('stop', {}, { deadlineMs: ANSWER_MS_MAX });
    await connection.whenEnded;
  });
  const { processId } = status;
  const deadlineMs = nodeClock.monotonicMs() + STOP_MS_MAX;
  while (isAlive(processId)) {
    if (nodeClock.monotonicMs() > deadlineMs) {
      throw new ShoalError('trackerNotStopped', { number: config.number, process: processId });
    }
    await pause(POLL_MS); // a timer of the world would not keep this process
  }
  return true;
}

function isAlive(processId: number): boolean {
  if (processId === 0) return false; // it does not say which it is
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** Where this machine finds the tracker of this folder. @throws ShoalError badRealmFolder */
async function addressOf(disk: Disk, { descriptor, number, folder }: TrackerConfig): Promise<Address> {
  const address =
    (await readLastRun(disk, folder))?.address ??
    descriptor.trackers.find((tracker) => tracker.number === number)?.address;
  if (!address) throw new ShoalError('badRealmFolder', { path: folder, why: 'it is not in the list of trackers' });
  return address;
}

async function withLink<T>(
  disk: Disk,
  config: TrackerConfig,
  run: (connection: Connection<typeof operatorLink, 'operator'>) => Promise<T>,
): Promise<T> {
  const { identity } = config;
  const world = createNodeWorld({ identity, log: silentLog });
  const connection = await openConnection(
    await world.network.dial(await addressOf(disk, config), { expect: identity.pin, timeoutMs: ANSWER_MS_MAX }),
    { world, role: 'operator', accepts: ['tracker'], program: `shoal-tracker ${VERSION}` },
    { table: operatorLink, side: 'operator', handlers: {}, heartbeatMs: HEARTBEAT_MS.tracker },
  );
  try {
    return await run(connection);
  } finally {
    connection.close();
  }
}
