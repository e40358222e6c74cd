// A pair of trackers on one computer, for a person or a team without a server: made once in a
// folder, started as two processes that outlive who started them, found again by the same folder.
// A command that starts or stops a pair holds its lock; two windows at once make one pair.
//   DIR/realm.json, DIR/tracker-N/   the realm (config.ts); ports are chosen once and kept, because
//                                    the signed list names them
//   DIR/tracker-N/tracker.log        what the tracker logs
//   DIR/bin/                         bundles that trackers run from
//   DIR/pair.lock
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { keepBundle, logSince, openLog, removeOldBundles, spawnDetached } from '../../protocol/node/detachedProcess.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import { createIdentity } from '../../protocol/node/identity.ts';
import { elect } from '../../protocol/node/lockFile.ts';
import type { Address } from '../../protocol/base/fields.ts';
import { createNodeWorld, nodeClock } from '../../protocol/node/nodeWorld.ts';
import { addressText, isLoopback } from '../../protocol/base/address.ts';
import { compareVersions, VERSION } from '../../protocol/node/version.ts';
import type { Disk } from '../../protocol/base/world.ts';
import { silentLog } from '../../protocol/base/world.ts';
import type { TrackerConfig } from './config.ts';
import { makeRealm, readConfig, REALM_FILE, urlOf } from './config.ts';
import type { Status } from './operatorClient.ts';
import { moveTrackers } from './realmFolder.ts';
import { statusIfRunning, stopTracker } from './operatorClient.ts';

/** How long another command that works on this pair is waited for, in ms. */
const LOCK_MS_MAX = 30_000;
/** How long a tracker may take until it answers, in ms. */
const START_MS_MAX = 20_000;
/** How often it is looked at meanwhile, in ms. */
const POLL_MS = 50;

const NUMBERS = [1, 2] as const;
const HOST_DEFAULT = '127.0.0.1';

export interface StartedPair {
  readonly url: string;
  /** `started`: by this call; otherwise it ran already. */
  readonly trackers: readonly {
    readonly number: number;
    readonly address: string;
    readonly processId: number;
    readonly started: boolean;
  }[];
}

export interface PairStatus {
  readonly url: string;
  /** By which others reach it. */
  readonly host: string;
  /** What each tracker says; undefined for one that does not answer. */
  readonly trackers: readonly (Status | undefined)[];
}

/**
 * The pair of a folder, made and started where that has not happened. A tracker of an older version
 * is replaced by this one.
 *
 * @param host  by which others reach this computer; a loopback address: nobody else does. Default:
 *   as it was, or 127.0.0.1. Another one than before moves the pair there: both stop, and start
 *   again with a new list, which every engine that still finds the old one learns
 * @param mainFile  file to run: the bundle, or main.ts where the sources are run as they are
 * @throws ShoalError trackerNotStarted, trackerNotStopped, busy, badRealmFolder, homeUnusable
 */
export function startPair(
  disk: Disk,
  folder: string,
  host: string | undefined,
  mainFile: string,
): Promise<StartedPair> {
  return locked(folder, async () => {
    if (!(await disk.stat(path.join(folder, REALM_FILE)))) {
      const at = host ?? HOST_DEFAULT;
      await makeRealm(
        disk,
        folder,
        (await freePorts(at)).map((port) => ({ host: at, port })),
      );
    }
    let configs = await configsIn(disk, folder);
    if (host !== undefined && host !== hostOf(configs)) {
      await allOf(configs.map((config) => stopTracker(disk, config)));
      await moveTrackers(disk, folder, host);
      configs = await configsIn(disk, folder);
    }
    const bundle = keepBundle(path.join(folder, 'bin'), mainFile);
    const trackers = await allOf(configs.map((config) => startTracker(disk, config, bundle)));
    removeOldBundles(path.join(folder, 'bin'), bundle);
    return { url: urlOf(configs[0]), trackers };
  });
}

/**
 * Stops what of the pair runs, and gives the numbers of those. @throws ShoalError noLocalPair,
 * trackerNotStopped, busy, badRealmFolder
 */
export async function stopPair(disk: Disk, folder: string): Promise<readonly number[]> {
  await configsIn(disk, folder);
  return locked(folder, async () => {
    const stopped = await allOf(
      (await configsIn(disk, folder)).map(async (config) => ((await stopTracker(disk, config)) ? [config.number] : [])),
    );
    return stopped.flat();
  });
}

/** @throws ShoalError noLocalPair, badRealmFolder */
export async function pairStatus(disk: Disk, folder: string): Promise<PairStatus> {
  const configs = await configsIn(disk, folder);
  const trackers = await Promise.all(configs.map((config) => statusIfRunning(disk, config)));
  return { url: urlOf(configs[0]), host: hostOf(configs), trackers };
}

type Configs = readonly [TrackerConfig, TrackerConfig];

async function configsIn(disk: Disk, folder: string): Promise<Configs> {
  if (!(await disk.stat(path.join(folder, REALM_FILE)))) throw new ShoalError('noLocalPair', { path: folder });
  const [one, two] = await Promise.all(
    NUMBERS.map((number) => readConfig(disk, path.join(folder, `tracker-${number}`))),
  );
  return [one as TrackerConfig, two as TrackerConfig];
}

const listed = ({ descriptor, number }: TrackerConfig): Address =>
  descriptor.trackers.find((tracker) => tracker.number === number)?.address ?? { host: '', port: 0 };
const hostOf = ([one]: Configs): string => listed(one).host;

async function startTracker(
  disk: Disk,
  config: TrackerConfig,
  bundle: string,
): Promise<StartedPair['trackers'][number]> {
  const { number, folder } = config;
  const at = listed(config);
  const shown = { number, address: addressText(at) };
  const running = await statusIfRunning(disk, config);
  if (running && compareVersions(running.version, VERSION) !== 'older') {
    return { ...shown, processId: running.processId, started: false };
  }
  if (running) await stopTracker(disk, config);
  const log = path.join(folder, 'tracker.log');
  const { output, startsAt } = openLog(log);
  try {
    // A loopback address is reached by nobody else, so nothing else is listened on; others get
    // every address, at the port that is listed.
    const child = spawnDetached(
      [bundle, 'serve', folder, ...(isLoopback(at.host) ? ['--listen', addressText(at)] : [])],
      output,
    );
    const status = await waitUntilAnswering(disk, config, child, () => previousOutput(logSince(log, startsAt)), log);
    return { ...shown, processId: status.processId, started: true };
  } finally {
    fs.closeSync(output);
  }
}

/** Waits until a tracker that was just started answers. @throws ShoalError trackerNotStarted */
async function waitUntilAnswering(
  disk: Disk,
  config: TrackerConfig,
  child: ChildProcess,
  lastWords: () => string,
  log: string,
): Promise<Status> {
  const { number } = config;
  let ended: string | undefined;
  child
    .once('error', (error) => (ended = error.message))
    .once('exit', (code, signal) => (ended = lastWords() || `it ended with ${signal ?? `code ${code}`}`));
  const deadlineMs = nodeClock.monotonicMs() + START_MS_MAX;
  while (nodeClock.monotonicMs() < deadlineMs) {
    const status = await statusIfRunning(disk, config);
    if (status) return status;
    if (ended !== undefined) throw new ShoalError('trackerNotStarted', { number, why: ended, log });
    await pause(POLL_MS); // a timer of the world would not keep this process
  }
  throw new ShoalError('trackerNotStarted', { number, why: `no answer within ${START_MS_MAX / 1000} s`, log });
}

/** Why a tracker ended: the last sentence it printed for people. */
const previousOutput = (log: string): string =>
  /^shoal-tracker: (.*)$/m.exec(log.split('\n').toReversed().join('\n'))?.[1] ?? '';

/** Two ports that nobody uses now. */
async function freePorts(host: string): Promise<readonly number[]> {
  const { network } = createNodeWorld({ identity: createIdentity(), log: silentLog });
  const at = isLoopback(host) ? { host, port: 0 } : { port: 0 };
  const listeners = await Promise.all(NUMBERS.map(() => network.listen(at, (stream) => stream.destroy())));
  await Promise.all(listeners.map((listener) => listener.close()));
  return listeners.map(({ port }) => port);
}

/** Waits for all, also when one has failed: what is under way is still under the lock. */
async function allOf<T>(works: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}

async function locked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = elect(path.join(folder, 'pair.lock'), LOCK_MS_MAX);
  if (!lock) throw new ShoalError('busy');
  try {
    return await work();
  } finally {
    lock.release();
  }
}
