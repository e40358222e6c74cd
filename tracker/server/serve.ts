// `shoal-tracker serve`: finds or makes the folder, opens log and network, and runs one tracker
// until it is stopped.
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { addressText } from '../../protocol/base/address.ts';
import { asShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { Address } from '../../protocol/base/fields.ts';
import { LINGER_MS } from '../../protocol/base/limits.ts';
import type { Log } from '../../protocol/base/world.ts';
import { signatureFitsElsewhere } from '../../protocol/messages/operations.ts';
import { TRACKER_PORT_DEFAULT } from '../../protocol/messages/realm.ts';
import { createNodeDisk } from '../../protocol/node/nodeDisk.ts';
import { createNodeWorld, nodeChance } from '../../protocol/node/nodeWorld.ts';
import { VERSION } from '../../protocol/node/version.ts';
import { addressOf, defaultFolder, print } from '../admin/commandLine.ts';
import type { TrackerConfig } from '../admin/config.ts';
import {
  classicRealm,
  LOG_FILE,
  makeRealm,
  readConfig,
  readLastRun,
  saveLastRun,
  saveTrackerList,
  trackerFolder,
} from '../admin/config.ts';
import { openSqliteLog } from '../log/sqliteLog.ts';
import { startTracker } from './server.ts';

export interface ServeFlags {
  readonly listen?: string;
  readonly log?: string;
  readonly logLevel: string;
}

const disk = createNodeDisk();

export async function serve(folder: string, flags: ServeFlags): Promise<void> {
  const config = await readConfig(disk, folder);
  if (!config.descriptor.trackers.some(({ pin }) => pin === config.identity.pin)) {
    throw new ShoalError('badRealmFolder', {
      path: folder,
      why: 'this tracker was taken out of the list of its realm',
    });
  }
  const log = createLog(flags);
  const world = createNodeWorld({ identity: config.identity, log });
  const lostLog = await hasLostLog(config);
  const opLog = openSqliteLog(path.join(folder, LOG_FILE), world.chance);
  const note = (logIsWhole: boolean): Promise<void> =>
    saveLastRun(disk, folder, { address: fromHere(tracker.address, flags), logIsWhole });
  const tracker = await startTracker({
    world,
    config,
    opLog,
    version: VERSION,
    processId: process.pid,
    signatureFits: signatureFitsElsewhere,
    stop: () => stop(),
    ...(flags.listen !== undefined && { listen: listenAt(flags.listen) }),
    lostLog,
    saveList: (list) => saveTrackerList(disk, folder, list),
    onLogRestored: () =>
      void note(true).catch((error: unknown) =>
        log.warn('cannot save that the log is restored', { why: asShoalError(error).message }),
      ),
    onLogFailed(error) {
      log.error('log write failed, tracker ends', { why: error.message });
      process.stderr.write(
        `shoal-tracker: the disk of ${folder} failed (${error.message}); nothing that was answered is lost\n`,
      );
      process.exit(1);
    },
  });
  await note(!lostLog);
  const stop = (): void => {
    log.info('tracker stopping');
    // The process ends by itself when the last link has taken its goodbye; those that do not take
    // it are cut off before this.
    void tracker.close().then(() => setTimeout(() => process.exit(0), 2 * LINGER_MS).unref());
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  // Tests and scripts wait for this line; keep its form.
  print(`shoal-tracker ${config.number} serves ${tracker.url} on ${addressText(tracker.address)}`);
}

/** The folder that `serve` was asked for, made now where that is the way of its form. */
export async function folderToServe(
  given: string | undefined,
  number: string | undefined,
  { listen }: ServeFlags,
): Promise<string> {
  if (given === undefined) {
    const folder = defaultFolder();
    if (!(await disk.stat(path.join(folder, 'tracker-1')))) {
      const port = listen === undefined ? TRACKER_PORT_DEFAULT : listenAt(listen).port;
      await makeRealm(disk, folder, [{ host: ownHost(), port }]);
    }
    return path.join(folder, 'tracker-1');
  }
  const resolved = path.resolve(given);
  const stat = await disk.stat(resolved, 'follow');
  if (stat?.kind !== 'file') {
    if (number !== undefined) throw new ShoalError('usage', { why: `${given} is not a file of tracker addresses` });
    return trackerFolder(disk, resolved);
  }
  if (number !== '1' && number !== '2') {
    throw new ShoalError('usage', { why: `say which line of ${given} this tracker is: shoal-tracker ${given} 1` });
  }
  const folder = path.join(await classicRealm(disk, nodeChance, resolved), `tracker-${number}`);
  if (!(await disk.stat(folder))) throw new ShoalError('usage', { why: `${given} has no line ${number}` });
  return folder;
}

/** Where to listen: an address like any other, or with port 0 for one that is free. */
function listenAt(text: string): Address {
  const [, host] = /^(.*):0$/.exec(text) ?? [];
  return host === undefined ? addressOf(text) : { host: addressOf(host).host, port: 0 };
}

/** The address by which others most likely reach this machine. */
function ownHost(): string {
  const addresses = Object.values(os.networkInterfaces()).flatMap((all) => all ?? []);
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}

/** Where this machine itself finds a tracker that listens there. */
function fromHere({ host, port }: Address, { listen }: ServeFlags): Address {
  return { host: listen === undefined || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host, port };
}

/**
 * Whether it had a log and has none. @throws ShoalError badRealmFolder when nobody can give it back
 */
async function hasLostLog({ folder, descriptor }: TrackerConfig): Promise<boolean> {
  const last = await readLastRun(disk, folder);
  if (!last || (last.logIsWhole && (await disk.stat(path.join(folder, LOG_FILE))))) return false;
  if (descriptor.trackers.length > 1) return true;
  const why =
    `its log (${LOG_FILE}) is gone, and with it all accounts and groups; ` +
    'put it back from a backup, or remove last-run.json to begin with none';
  throw new ShoalError('badRealmFolder', { path: folder, why });
}

function createLog({ log, logLevel }: ServeFlags): Log {
  const out = pino(
    { level: logLevel, base: undefined },
    pino.destination(log === undefined ? { fd: 2, sync: true } : { dest: log, sync: true, mkdir: true }),
  );
  return {
    debug: (phrase, fields = {}) => out.debug(fields, phrase),
    info: (phrase, fields = {}) => out.info(fields, phrase),
    warn: (phrase, fields = {}) => out.warn(fields, phrase),
    error: (phrase, fields = {}) => out.error(fields, phrase),
  };
}
