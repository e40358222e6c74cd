// The commands of an operator: they make realms, ask or change a running tracker, and run a pair in
// the background. Each prints words for people, or with --json one object.
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { addressText } from '../../protocol/base/address.ts';
import { printable, ShoalError } from '../../protocol/base/errors.ts';
import type { Address } from '../../protocol/base/fields.ts';
import { createNodeDisk } from '../../protocol/node/nodeDisk.ts';
import { readHidden } from '../../protocol/node/passwordPrompt.ts';
import { addressOf, defaultFolder, print } from './commandLine.ts';
import type { MadeRealm, TrackerConfig } from './config.ts';
import { LOG_FILE, makeRealm, readConfig, TRACKER_FILE, trackerFolder, urlOf } from './config.ts';
import { pairStatus, startPair, stopPair } from './localPair.ts';
import { askConflicts, askStatus, resetPassword, setList, setOwner, stopTracker } from './operatorClient.ts';
import type { ListChange } from './realmFolder.ts';
import { readList, replaceTracker, retireTracker } from './realmFolder.ts';
import { statusLines } from './statusText.ts';

const disk = createNodeDisk();

/**
 * Adds the commands to the program.
 *
 * @param mainFile  the program's own file, which trackers of a local pair are started with
 */
export function addOperatorCommands(program: Command, mainFile: string): void {
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
      if (flags.json) print(JSON.stringify(made));
      else printRealm(made, addresses, path.resolve(folder));
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
        print(
          JSON.stringify({ ...status, url: urlOf(config), stateHash: Buffer.from(status.stateHash).toString('hex') }),
        );
      } else for (const line of statusLines(status, urlOf(config))) print(line);
    });

  program
    .command('conflicts')
    .description('list operations that came to something else than meant, because the trackers of a pair were apart')
    .argument('[FOLDER]', 'folder of one of the trackers (default: that of the single tracker); both know the same')
    .option('--json', 'print JSON')
    .action(async (folder: string | undefined, flags: { json?: boolean }) => {
      const conflicts = await askConflicts(disk, await configOf(folder));
      if (flags.json) return print(JSON.stringify({ conflicts }));
      for (const { atMs, user, what, about, result } of conflicts) {
        print(`${new Date(atMs).toISOString()}  ${printable(user)}  ${what} ${printable(about)}: ${result}`);
      }
      if (conflicts.length === 0) print('There are no conflicts.');
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
      await showList(
        path.resolve(folder),
        changed,
        flags,
        `Tracker ${number} is reached at ${address} from now on. ` +
          `With ${path.join(folder, `tracker-${number}`)} copied there:\n  shoal-tracker serve tracker-${number}`,
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
      await showList(
        path.resolve(folder),
        changed,
        flags,
        `Tracker ${number} is retired. What only its disk had stays in its folder, in ${LOG_FILE}; ` +
          'people who did it still have it, and give it to the other tracker.',
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
      print(flags.json ? JSON.stringify({ version }) : `Tracker ${config.number} has version ${version} of the list.`);
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
      print(
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
      print(
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
      print(
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
      const pair = await startPair(disk, pairFolder(folder), host, mainFile);
      if (flags.json) return print(JSON.stringify(pair));
      for (const { number, address, processId, started } of pair.trackers) {
        print(`Tracker ${number} ${started ? 'serves' : 'was running'} on ${address} (process ${processId}).`);
      }
      const stop = `shoal-tracker stop_pair ${folder ?? ''}`.trimEnd();
      print(`\nGive this to your people:\n\n  ${pair.url}\n\nBoth go on until: ${stop}`);
    });

  program
    .command('stop_pair')
    .description('stop a pair that was started so; its accounts and groups are kept')
    .argument('[DIR]', 'folder of the pair (default: one of its own)')
    .option('--json', 'print JSON')
    .action(async (folder: string | undefined, flags: { json?: boolean }) => {
      const stopped = await stopPair(disk, pairFolder(folder));
      if (flags.json) print(JSON.stringify({ stopped }));
      else {
        print(
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
      if (flags.json) print(JSON.stringify({ url, host, trackers: shown }));
      else {
        print(url);
        for (const { number, running, processId, partner } of shown) {
          print(`Tracker ${number} ${running ? `runs (process ${processId}, partner: ${partner})` : 'does not run'}.`);
        }
      }
      if (trackers.includes(undefined)) process.exitCode = 7;
    });
}

function trackerNumber(text: string): number {
  if (text !== '1' && text !== '2') throw new InvalidArgumentError('It is 1 or 2.');
  return Number(text);
}

/** Shows a new list to the trackers whose folders are here, and says what is left to do. */
async function showList(
  folder: string,
  { url, version, trackers, file }: ListChange,
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
    return print(
      JSON.stringify({
        url,
        version,
        trackers: trackers.map(({ number, address }) => ({ number, address: addressText(address) })),
        list: file,
      }),
    );
  }
  print(
    `${sentence}\n\n` +
      `A tracker on another machine learns of it from its partner, or with ${file} by: ` +
      'shoal-tracker set_list FOLDER list.json\n' +
      `People who are signed in learn of it by themselves. Others are given:\n\n  ${url}`,
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

function printRealm({ url, folders }: MadeRealm, addresses: readonly Address[], folder: string): void {
  print(`The realm is made. Give this to your people:\n\n  ${url}\n`);
  for (const [n, own] of folders.entries()) {
    const address = addresses[n];
    print(`On ${address?.host ?? ''}, with ${own} copied there:\n  shoal-tracker serve ${path.basename(own)}\n`);
  }
  print(
    `Keep ${path.join(folder, 'realm.json')} in a safe place: it is needed to change the list of trackers, and by nobody else.`,
  );
}
