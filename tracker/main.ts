// The command `shoal-tracker`: makes realms, serves one tracker, asks a running one how it is, and
// runs a pair in the background.
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import envPaths from 'env-paths';
import { pino } from 'pino';
import { asShoalError, printable, ShoalError } from '../protocol/base/errors.ts';
import { readHidden } from '../protocol/node/passwordPrompt.ts';
import { LINGER_MS } from '../protocol/base/limits.ts';
import type { Address } from '../protocol/base/fields.ts';
import { createNodeWorld, nodeChance } from '../protocol/node/nodeWorld.ts';
import { signatureFitsElsewhere } from '../protocol/messages/operations.ts';
import { createNodeDisk } from '../protocol/node/nodeDisk.ts';
import { addressText, parseAddress } from '../protocol/base/address.ts';
import { TRACKER_PORT_DEFAULT } from '../protocol/messages/realm.ts';
import { VERSION } from '../protocol/node/version.ts';
import type { Log } from '../protocol/base/world.ts';
import type { MadeRealm, TrackerConfig } from './admin/config.ts';
import {
  classicRealm,
  saveTrackerList,
  readLastRun,
  LOG_FILE,
  makeRealm,
  saveLastRun,
  readConfig,
  TRACKER_FILE,
  trackerFolder,
  urlOf,
} from './admin/config.ts';
import { pairStatus, startPair, stopPair } from './admin/localPair.ts';
import { askConflicts, askStatus, resetPassword, setList, setOwner, stopTracker } from './admin/operatorClient.ts';
import type { Changed } from './admin/realmFolder.ts';
import { readList, replaceTracker, retireTracker } from './admin/realmFolder.ts';
import { startTracker } from './server/server.ts';
import { openSqliteLog } from './log/sqliteLog.ts';
import { statusLines } from './admin/statusText.ts';

interface ServeFlags {
  readonly listen?: string;
  readonly log?: string;
  readonly logLevel: string;
}

const disk = createNodeDisk();
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const program = new Command('shoal-tracker')
  .description(
    'The meeting point of Shoal: keeps accounts, groups and the list of shared files, and who has them now. Files never pass through it.',
  )
  .version(VERSION, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .helpCommand(false)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text) })
  .addHelpText(
    'after',
    `
Run it once:   shoal-tracker                       a single tracker in a default folder; prints the URL to give to your people
Try a pair:    shoal-tracker start_pair            two trackers on this computer, in the background
Run a pair:    shoal-tracker init DIR --tracker hostA:7070 --tracker hostB:7070
               then copy DIR/tracker-1 to hostA, DIR/tracker-2 to hostB, and there: shoal-tracker serve FOLDER
Classic:       shoal-tracker tracker_info.txt 1     first line of the file, and "2" for the second, on one machine

Exit codes: 0 ok, 2 wrong use, 3 refused, 4 not found, 7 not reachable, 1 anything else.
A failure is one sentence on stderr; with --json also {"error": {"code", "message", "fields"}} on stdout.`,
  );

const withServeFlags = (command: Command): Command =>
  command
    .option('--listen <HOST:PORT>', 'where to listen (default: every address, at the port the realm lists)')
    .option('--log <FILE>', 'write the log there (default: standard error)')
    .addOption(
      new Option('--log-level <LEVEL>', 'how much to log').choices(['debug', 'info', 'warn', 'error']).default('info'),
    );

withServeFlags(
  program
    .command('serve', { isDefault: true })
    .description('serve one tracker until it is stopped')
    .argument('[FOLDER]', 'folder made by init (tracker-1 or tracker-2), or a tracker_info.txt')
    .argument('[NUMBER]', 'with a tracker_info.txt: which of its lines this tracker is'),
).action(async (folder: string | undefined, number: string | undefined, flags: ServeFlags) =>
  serve(await folderToServe(folder, number, flags), flags),
);

program
  .command('init')
  .description('make a realm: a key, the signed list of its trackers, and a folder for each')
  .argument('<DIR>', 'folder to make it in')
  .requiredOption(
    '--tracker <HOST:PORT>',
    'where a tracker is reached; give it twice for a pair',
    (value: string, before: readonly string[] = []) => [...before, value],
  )
  .option('--json', 'print JSON')
  .action(async (folder: string, flags: { tracker: readonly string[]; json?: boolean }) => {
    const addresses = flags.tracker.map((text) => addressOf(text));
    const made = await makeRealm(disk, path.resolve(folder), addresses);
    if (flags.json) say(JSON.stringify(made));
    else describe(made, addresses, path.resolve(folder));
  });

program
  .command('status')
  .description('ask a running tracker how it is, with the key in its folder')
  .argument('[FOLDER]', 'its folder (default: that of the single tracker)')
  .option('--json', 'print JSON')
  .action(async (folder: string | undefined, flags: { json?: boolean }) => {
    const config = await configOf(folder);
    const status = await askStatus(disk, config);
    if (flags.json) {
      say(JSON.stringify({ ...status, url: urlOf(config), stateHash: Buffer.from(status.stateHash).toString('hex') }));
    } else for (const line of statusLines(status, urlOf(config))) say(line);
  });

program
  .command('conflicts')
  .description('list operations that came to something else than meant, because the trackers of a pair were apart')
  .argument('[FOLDER]', 'folder of one of the trackers (default: that of the single tracker); both know the same')
  .option('--json', 'print JSON')
  .action(async (folder: string | undefined, flags: { json?: boolean }) => {
    const conflicts = await askConflicts(disk, await configOf(folder));
    if (flags.json) return say(JSON.stringify({ conflicts }));
    for (const { atMs, user, what, about, result } of conflicts) {
      say(`${new Date(atMs).toISOString()}  ${printable(user)}  ${what} ${printable(about)}: ${result}`);
    }
    if (conflicts.length === 0) say('There are no conflicts.');
  });

program
  .command('replace')
  .description('say where a tracker is reached from now on, or add a second one; needs the folder that init made')
  .argument('<DIR>', 'folder of the realm')
  .argument('<NUMBER>', 'which tracker', trackerNumber)
  .argument('<HOST:PORT>', 'where it is reached')
  .option('--new-key', 'give it new keys: its old machine is not trusted any more')
  .option('--json', 'print JSON')
  .action(async (folder: string, number: number, address: string, flags: { newKey?: boolean; json?: boolean }) => {
    const changed = await replaceTracker(disk, path.resolve(folder), number, addressOf(address), {
      newKey: flags.newKey ?? false,
    });
    await told(
      path.resolve(folder),
      changed,
      flags,
      `Tracker ${number} is reached at ${address} from now on. With ${path.join(folder, `tracker-${number}`)} copied there:
  shoal-tracker serve tracker-${number}`,
    );
  });

program
  .command('retire')
  .description('take a tracker out of the list for good; the other one stands alone; needs the folder that init made')
  .argument('<DIR>', 'folder of the realm')
  .argument('<NUMBER>', 'which tracker', trackerNumber)
  .option('--json', 'print JSON')
  .action(async (folder: string, number: number, flags: { json?: boolean }) => {
    const changed = await retireTracker(disk, path.resolve(folder), number);
    await told(
      path.resolve(folder),
      changed,
      flags,
      `Tracker ${number} is retired. What only its disk had stays in its folder, in ${LOG_FILE}; people who did it still have it, and give it to the other tracker.`,
    );
  });

program
  .command('set_list')
  .description('show a tracker a newer list of trackers, which replace or retire has made on another machine')
  .argument('<FOLDER>', 'folder of the tracker')
  .argument('<FILE>', 'list.json')
  .option('--json', 'print JSON')
  .action(async (folder: string, file: string, flags: { json?: boolean }) => {
    const config = await configOf(folder);
    await setList(disk, config, await readList(disk, path.resolve(file)));
    const {
      descriptor: { version },
    } = await readConfig(disk, config.folder);
    say(flags.json ? JSON.stringify({ version }) : `Tracker ${config.number} has version ${version} of the list.`);
  });

program
  .command('reset_password')
  .description('give an account another password; all its devices are signed out')
  .argument('<USER>', 'user name')
  .argument('[FOLDER]', 'folder of one of the trackers (default: that of the single tracker)')
  .option('--json', 'print JSON')
  .action(async (user: string, folder: string | undefined, flags: { json?: boolean }) => {
    const config = await configOf(folder);
    const { durability } = await resetPassword(disk, config, user, await newPassword(user));
    say(
      flags.json
        ? JSON.stringify({ durability })
        : `${printable(user)} has the new password, and is signed out everywhere.${onlyHere(durability)}`,
    );
  });

program
  .command('set_owner')
  .description('make a member the owner of a group, where its owner has gone')
  .argument('<GROUP>', 'name of the group')
  .argument('<USER>', 'user name of a member')
  .argument('[FOLDER]', 'folder of one of the trackers (default: that of the single tracker)')
  .option('--json', 'print JSON')
  .action(async (group: string, user: string, folder: string | undefined, flags: { json?: boolean }) => {
    const { durability } = await setOwner(disk, await configOf(folder), group, user);
    say(
      flags.json
        ? JSON.stringify({ durability })
        : `${printable(user)} is the owner of ${printable(group)}.${onlyHere(durability)}`,
    );
  });

program
  .command('stop')
  .description('end a running tracker cleanly, with the key in its folder')
  .argument('[FOLDER]', 'its folder (default: that of the single tracker)')
  .option('--json', 'print JSON')
  .action(async (folder: string | undefined, flags: { json?: boolean }) => {
    const config = await configOf(folder);
    const stopped = await stopTracker(disk, config);
    say(
      flags.json
        ? JSON.stringify({ stopped })
        : `Tracker ${config.number} ${stopped ? 'is stopped' : 'was not running'}.`,
    );
  });

program
  .command('start_pair')
  .description('make a pair of trackers on this computer, or start it again; both go on when this command has ended')
  .argument('[DIR]', 'folder of the pair (default: one of its own)')
  .option('--host <HOST>', 'by which others reach this computer (default: nobody but this computer itself)')
  .option('--json', 'print JSON')
  .action(async (folder: string | undefined, flags: { host?: string; json?: boolean }) => {
    const host = flags.host === undefined ? undefined : addressOf(flags.host).host;
    const pair = await startPair(disk, pairFolder(folder), host, fileURLToPath(import.meta.url));
    if (flags.json) return say(JSON.stringify(pair));
    for (const { number, address, processId, started } of pair.trackers) {
      say(`Tracker ${number} ${started ? 'serves' : 'was running'} on ${address} (process ${processId}).`);
    }
    say(
      `\nGive this to your people:\n\n  ${pair.url}\n\nBoth go on until: shoal-tracker stop_pair ${folder ?? ''}`.trimEnd(),
    );
  });

program
  .command('stop_pair')
  .description('stop a pair that was started so; its accounts and groups are kept')
  .argument('[DIR]', 'folder of the pair (default: one of its own)')
  .option('--json', 'print JSON')
  .action(async (folder: string | undefined, flags: { json?: boolean }) => {
    const stopped = await stopPair(disk, pairFolder(folder));
    if (flags.json) say(JSON.stringify({ stopped }));
    else {
      say(
        stopped.length === 0 ? 'The pair was not running.' : 'The pair is stopped. Its accounts and groups are kept.',
      );
    }
  });

program
  .command('pair_status')
  .description('say where such a pair is reached and how its trackers are; exit code 7 when one does not answer')
  .argument('[DIR]', 'folder of the pair (default: one of its own)')
  .option('--json', 'print JSON')
  .action(async (folder: string | undefined, flags: { json?: boolean }) => {
    const { url, host, trackers } = await pairStatus(disk, pairFolder(folder));
    const shown = trackers.map((status, n) => ({
      number: n + 1,
      running: status !== undefined,
      ...(status && { processId: status.processId, version: status.version, partner: status.partner }),
    }));
    if (flags.json) say(JSON.stringify({ url, host, trackers: shown }));
    else {
      say(
        [
          url,
          ...shown.map(
            (one) =>
              `Tracker ${one.number} ${one.running ? `runs (process ${one.processId}, partner: ${one.partner})` : 'does not run'}.`,
          ),
        ].join('\n'),
      );
    }
    if (trackers.includes(undefined)) process.exitCode = 7;
  });

void main();

async function main(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else fail(asShoalError(error));
  }
}

function fail(error: ShoalError): void {
  const { code, message, fields, exitCode } = error;
  process.stderr.write(`shoal-tracker: ${message}\n`);
  if (process.argv.includes('--json')) say(JSON.stringify({ error: { code, message, fields } }));
  if (process.env['SHOAL_DEBUG']) {
    process.stderr.write(`${error.stack ?? ''}\n${error.cause instanceof Error ? `${error.cause.stack}\n` : ''}`);
  }
  process.exitCode = exitCode;
}

function trackerNumber(text: string): number {
  if (text !== '1' && text !== '2') throw new InvalidArgumentError('It is 1 or 2.');
  return Number(text);
}

/** Shows a new list to the trackers whose folders are here, and says what is left to do. */
async function told(
  folder: string,
  { url, version, trackers, file }: Changed,
  { json }: { readonly json?: boolean },
  sentence: string,
): Promise<void> {
  for (const { number } of trackers) {
    const own = path.join(folder, `tracker-${number}`);
    if (await disk.stat(path.join(own, TRACKER_FILE))) {
      await setList(disk, await readConfig(disk, own), await readList(disk, file));
    }
  }
  if (json) {
    return say(
      JSON.stringify({
        url,
        version,
        trackers: trackers.map(({ number, address }) => ({ number, address: addressText(address) })),
        list: file,
      }),
    );
  }
  say(
    `${sentence}\n\nA tracker on another machine learns of it from its partner, or with ${file} by: shoal-tracker set_list FOLDER list.json\nPeople who are signed in learn of it by themselves. Others are given:\n\n  ${url}`,
  );
}

const onlyHere = (durability: string): string =>
  durability === 'both' ? '' : ' The other tracker is away and will learn of it.';

/**
 * From SHOAL_PASSWORD, a person at the terminal, or the first line of a pipe. @throws ShoalError
 * passwordMissing, usage
 */
async function newPassword(user: string): Promise<string> {
  const given = process.env['SHOAL_PASSWORD'];
  if (given) return given;
  if (process.stdin.isTTY) {
    const ask = (question: string): Promise<string | undefined> => readHidden(process.stdin, process.stderr, question);
    const typed = await ask(`new password for ${printable(user)}: `);
    if (!typed) throw new ShoalError('passwordMissing');
    if (typed !== (await ask('the same again: '))) {
      throw new ShoalError('usage', { why: 'the two passwords differ; nothing was changed' });
    }
    return typed;
  }
  for await (const line of createInterface({ input: process.stdin })) if (line !== '') return line;
  throw new ShoalError('passwordMissing');
}

async function configOf(folder: string | undefined): Promise<TrackerConfig> {
  return readConfig(disk, await trackerFolder(disk, path.resolve(folder ?? defaultFolder())));
}

function pairFolder(given: string | undefined): string {
  return path.resolve(given ?? defaultFolder('pair'));
}

function addressOf(text: string): Address {
  const address = parseAddress(text, TRACKER_PORT_DEFAULT);
  if (!address) throw new ShoalError('usage', { why: `${text} is not host:port` });
  return address;
}

/** Where to listen: an address like any other, or with port 0 for one that is free. */
function listenAt(text: string): Address {
  const [, host] = /^(.*):0$/.exec(text) ?? [];
  return host === undefined ? addressOf(text) : { host: addressOf(host).host, port: 0 };
}

function defaultFolder(...names: readonly string[]): string {
  return path.join(envPaths('shoal-tracker', { suffix: '' }).data, ...names);
}

/** The folder that `serve` was asked for, made now where that is the way of its form. */
async function folderToServe(
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

/** The address by which others most likely reach this machine. */
function ownHost(): string {
  const addresses = Object.values(os.networkInterfaces()).flatMap((all) => all ?? []);
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}

async function serve(folder: string, flags: ServeFlags): Promise<void> {
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
    keepList: (list) => saveTrackerList(disk, folder, list),
    logIsBack: () =>
      void note(true).catch((error: unknown) =>
        log.warn('the end of the wait cannot be noted', { why: asShoalError(error).message }),
      ),
    broken(error) {
      log.error('the log cannot be written; this tracker ends', { why: error.message });
      process.stderr.write(
        `shoal-tracker: the disk of ${folder} failed (${error.message}); nothing that was answered is lost\n`,
      );
      process.exit(1);
    },
  });
  await note(!lostLog);
  const stop = (): void => {
    log.info('stopping');
    // The process ends by itself when the last link has taken its goodbye; those that do not take
    // it are cut off before this.
    void tracker.close().then(() => setTimeout(() => process.exit(0), 2 * LINGER_MS).unref());
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  // Tests and scripts wait for this line; keep its form.
  say(`shoal-tracker ${config.number} serves ${tracker.url} on ${addressText(tracker.address)}`);
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
  const why = `its log (${LOG_FILE}) is gone, and with it all accounts and groups; put it back from a backup, or remove last-run.json to begin with none`;
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

function describe({ url, folders }: MadeRealm, addresses: readonly Address[], folder: string): void {
  say(`The realm is made. Give this to your people:\n\n  ${url}\n`);
  for (const [n, own] of folders.entries()) {
    const address = addresses[n];
    say(`On ${address?.host ?? ''}, with ${own} copied there:\n  shoal-tracker serve ${path.basename(own)}\n`);
  }
  say(
    `Keep ${path.join(folder, 'realm.json')} in a safe place: it is needed to change the list of trackers, and by nobody else.`,
  );
}
