// Makes a folder of test/fixtures/data: a realm and the homes of three people, with an example of
// each file that the programs keep. Run it once for each release; test/fixtures/data/README.md
// describes the result.
//
//   node test/run/setup.mjs --build test/run/olderData.ts FOLDER       takes two minutes
//
// The built programs do everything except one step: a tracker makes snapshots of large logs only,
// so this calls its function for that directly.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CEILING_AHEAD_MS } from '../../tracker/log/opLog.ts';
import { compact } from '../../tracker/log/snapshots.ts';
import { openSqliteLog } from '../../tracker/log/sqliteLog.ts';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { nodeChance, nodeClock } from '../../protocol/node/nodeWorld.ts';
import { silentLog } from '../../protocol/base/world.ts';
import { storeData } from '../support/olderData.ts';
import type { RealEngine } from '../support/processes/realProcesses.ts';
import { freePorts, RealPair, RealProcesses, TRACKER_BUNDLE } from '../support/processes/realProcesses.ts';

const PIECE_BYTES = 512 * 1024;
const KEEP = { ms: 0, operations: 12, droppedMin: 1, everyMs: 1 };
const LOOK_MS = 50;

const [to] = process.argv.slice(2);
if (to === undefined) {
  process.stderr.write('usage: node test/run/setup.mjs --build test/run/olderData.ts FOLDER\n');
  process.exit(2);
}
RealProcesses.endWithThisProcess();
const processes = new RealProcesses();
const work = (...names: readonly string[]): string => path.join(processes.folder, 'work', ...names);
try {
  await make(path.resolve(to));
} finally {
  await processes.close();
}

async function make(stored: string): Promise<void> {
  const pair = await newRealm();
  await Promise.all([pair.start(1), pair.start(2)]);
  await whole(pair);
  const [alice, bob, carol] = (await Promise.all(
    ['alice', 'bob', 'carol'].map((name) => processes.startEngine(name, pair.url)),
  )) as [RealEngine, RealEngine, RealEngine];
  writeFiles();

  say('accounts and groups');
  await alice.signUp();
  await bob.signUp();
  await bob.connection.call('changePassword', {
    oldPassword: 'password of bob',
    newPassword: 'the new password of bob',
  });
  await groups(alice, bob, carol);
  await tracker('reset_password', 'erin', path.join(pair.folder, 'tracker-1'));
  await tracker('set_owner', 'tide-gauges', 'alice', path.join(pair.folder, 'tracker-2'));

  say('files');
  await files(alice, bob);
  await removed(alice);

  say('a snapshot');
  await whole(pair);
  await pair.kill(1, 'SIGTERM');
  await snapshot(path.join(pair.folder, 'tracker-1', 'log.sqlite'));
  await pair.start(1);
  await whole(pair);

  say('a conflict');
  await conflict(pair, alice, bob);
  say('settings');
  await settings(alice, bob);

  say('unfinished downloads');
  const heldPieces = await underWay(pair, alice, bob);
  await pair.kill(1, 'SIGTERM');

  say('an unsent sign-out');
  await carol.does('logout');
  await carol.does('stop');

  const madeAtMs = Date.now();
  rmSync(stored, { recursive: true, force: true });
  storeData(processes.folder, stored);
  const { version } = JSON.parse(readFileSync(path.join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string;
  };
  writeFileSync(path.join(stored, 'made.json'), `${JSON.stringify({ version, madeAtMs, heldPieces }, undefined, 2)}\n`);
  say(`stored in ${stored}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A realm whose tracker 2 was replaced: its list has version 2 and names a former tracker. */
async function newRealm(): Promise<RealPair> {
  const folder = path.join(processes.folder, 'realm');
  const [one, two, other] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`) as [string, string, string];
  await tracker('init', folder, '--tracker', one, '--tracker', two);
  const { url } = JSON.parse(await tracker('replace', folder, '2', other, '--new-key', '--json')) as { url: string };
  rmSync(path.join(folder, 'tracker-2', 'last-run.json')); // or it would wait for its partner to return a log
  return new RealPair(processes, folder, url);
}

async function tracker(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await processes.run(TRACKER_BUNDLE, words, {
    env: { SHOAL_PASSWORD: 'the second password of erin' },
  });
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Waits until the two trackers are connected. */
async function whole(pair: RealPair): Promise<void> {
  while ((await Promise.all([pair.status(1), pair.status(2)])).some(({ partner }) => partner !== 'paired')) {
    await pause(LOOK_MS);
  }
}

/** Text that compresses well and differs from piece to piece. */
function lines(title: string, bytes: number): Buffer {
  const pieces = Array.from({ length: Math.ceil(bytes / PIECE_BYTES) }, (_, n) =>
    Buffer.alloc(PIECE_BYTES, `${title}, sheet ${n + 1}: depth in metres below chart datum\n`),
  );
  return Buffer.concat(pieces).subarray(0, bytes);
}

function writeFiles(): void {
  const texts: Record<string, string> = {
    'alice/tide-tables.csv': 'day,high,low\n1,4.1,0.9\n2,4.3,0.7\n',
    'alice/charts/legend.md': '# Legend\nDepths are in metres.\n',
    'alice/charts/north/approach.txt': 'Keep the church tower on 214 degrees.\n',
    'alice/charts/south/reef.txt': 'Dries at low water.\n',
    'alice/charts/south/empty.txt': '',
    'alice/photos/pier.txt': 'The pier, from the east.\n',
    'alice/photos/crane.txt': 'The old crane.\n',
    'alice/notes.txt': 'Only for today.\n',
    'alice/radio.txt': 'Channel 12.\n',
    'alice/draft.txt': 'A first draft.\n',
    'alice/Übersicht 概要.md': '# Übersicht\n概要\n',
    'alice/empty.txt': '',
    'bob/logbook.md': '# Logbook\n- 06:10 fog\n',
    'bob/moorings.csv': 'berth,vessel\n1,Petrel\n2,Auk\n',
    'bob/inventory/ropes.csv': 'metres,count\n20,4\n',
    'bob/inventory/buoys/red.txt': '12 of them\n',
  };
  const large = {
    'survey.bin': 6 * PIECE_BYTES - 77,
    'sonar.bin': 3 * PIECE_BYTES,
    'scan.bin': 3 * PIECE_BYTES - 1000,
    'charts/north/anchorage.bin': 600_000,
    'charts/south/shoals.bin': 700_000,
    'photos/harbour.bin': 900_000,
  };
  for (const [name, text] of Object.entries(texts)) write(work(name), text);
  for (const [name, bytes] of Object.entries(large)) write(work('alice', name), lines(name, bytes));
}

function write(file: string, content: string | Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}

async function groups(alice: RealEngine, bob: RealEngine, guest: RealEngine): Promise<void> {
  await alice.does('create_group', 'harbour');
  await bob.does('join_group', 'harbour');
  await alice.does('accept_request', 'harbour', 'bob');
  // Three more people, one after another in the same home.
  for (const name of ['dave', 'erin', 'carol']) {
    await guest.does('--tracker', guest.url, 'create_user', name);
    await guest.does('login', name);
    await guest.does('join_group', 'harbour');
    if (name === 'dave') await alice.does('reject_request', 'harbour', 'dave');
    if (name === 'erin') {
      await alice.does('accept_request', 'harbour', 'erin');
      await alice.does('remove_member', 'harbour', 'erin');
    }
    if (name !== 'carol') await guest.does('logout');
  }
  await bob.does('create_group', 'gauges');
  await bob.does('rename_group', 'gauges', 'tide-gauges');
  await alice.does('join_group', 'tide-gauges');
  await bob.does('accept_request', 'tide-gauges', 'alice');
  await guest.does('join_group', 'tide-gauges');
  await guest.does('cancel_request', 'tide-gauges');
  await bob.does('create_group', 'trial');
  await bob.does('delete_group', 'trial');
  await alice.does('create_group', 'pilots');
  await bob.does('join_group', 'pilots');
  await alice.does('accept_request', 'pilots', 'bob');
  await alice.does('transfer_group', 'pilots', 'bob');
  await alice.does('leave_group', 'pilots');
}

async function files(alice: RealEngine, bob: RealEngine): Promise<void> {
  const shared = [
    'tide-tables.csv',
    'survey.bin',
    'sonar.bin',
    'scan.bin',
    'charts',
    'photos',
    'notes.txt',
    'radio.txt',
    'draft.txt',
    'Übersicht 概要.md',
    'empty.txt',
  ];
  for (const name of shared) await alice.does('upload_file', work('alice', name), 'harbour');
  for (const name of ['logbook.md', 'inventory']) await bob.does('upload_file', work('bob', name), 'harbour');
  for (const name of ['tide-tables.csv', 'scan.bin']) {
    await bob.does('download_file', 'harbour', name, mkdir('bob', 'downloads'));
  }
  await bob.does('download_file', 'harbour', 'charts', work('bob', 'downloads'), '--only', 'north', 'legend.md');
  await alice.does('download_file', 'harbour', 'logbook.md', mkdir('alice', 'downloads'));
  appendFileSync(work('alice', 'tide-tables.csv'), '3,4.4,0.6\n');
  await alice.does('upload_file', work('alice', 'tide-tables.csv'), 'harbour');
  appendFileSync(work('alice', 'draft.txt'), 'And a second one.\n');
}

function mkdir(...names: readonly string[]): string {
  mkdirSync(work(...names), { recursive: true });
  return work(...names);
}

async function removed(alice: RealEngine): Promise<void> {
  await alice.does('stop_share', 'harbour', 'notes.txt', '--remove');
  await alice.does('stop_share', 'harbour', 'radio.txt');
  // Damages one piece of a finished download. Its repair is still running at the end.
  const scan = work('bob', 'downloads', 'scan.bin');
  const bytes = readFileSync(scan);
  bytes.fill('x', PIECE_BYTES + 10, PIECE_BYTES + 20);
  writeFileSync(scan, bytes);
}

async function snapshot(file: string): Promise<void> {
  const log = openSqliteLog(file, nodeChance);
  const count = await compact(log, nodeClock, silentLog, KEEP);
  log.close();
  assert.ok(count > 20, `a snapshot of ${count} operations`);
}

/** Two groups with the same name, created on trackers that could not reach each other. */
async function conflict(pair: RealPair, alice: RealEngine, bob: RealEngine): Promise<void> {
  await pair.kill(2, 'SIGTERM');
  // A restarted tracker's clock may be this far ahead, and Alice's group must be the earlier one.
  await pause(CEILING_AHEAD_MS);
  await alice.does('create_group', 'dredging');
  await alice.kill(); // or it would send the operation to tracker 2
  await pair.kill(1, 'SIGTERM');
  await pair.start(2);
  await bob.until(() => bob.overview?.trackers[1]?.link === 'up');
  await bob.does('create_group', 'dredging');
  await pair.start(1);
  await alice.start();
  await whole(pair);
  while (!existsSync(bob.home.conflictsFile)) await pause(LOOK_MS);
  for (const { connection } of [alice, bob]) {
    while ((await connection.call('status', {})).overview.outbox > 0) await pause(LOOK_MS);
  }
}

async function settings(alice: RealEngine, bob: RealEngine): Promise<void> {
  const [port = 0] = await freePorts(1);
  await alice.configure({ upLimitBytesPerS: 40_000_000, keepSharing: false, activeDownloads: 7 });
  await bob.configure({
    downLimitBytesPerS: 3_000_000,
    upLimitBytesPerS: 9_000_000,
    listenHost: '127.0.0.1',
    listenPort: port,
    keepSharing: true,
    activeDownloads: 2,
  });
  // A new port takes effect at the next sign-in.
  await bob.does('logout');
  await bob.connection.call('signIn', { user: 'bob', password: 'the new password of bob', hold: true });
  // From now on only a frontend keeps Alice's engine running.
  await alice.does('logout');
  await alice.connection.call('signIn', { user: 'alice', password: 'password of alice', hold: false });
  await alice.connection.call('adjust', {
    transfer: (await alice.whole('sonar.bin')).id,
    upLimitBytesPerS: 8_000_000,
    downLimitBytesPerS: undefined,
    mode: undefined,
    priority: undefined,
    move: undefined,
    moveTo: undefined,
  });
}

/** Returns how many pieces of survey.bin Bob has when his engine is killed. */
async function underWay(pair: RealPair, alice: RealEngine, bob: RealEngine): Promise<number> {
  const folder = work('bob', 'downloads');
  const begin = async (
    name: string,
    mode: Transfer['mode'],
    fields: { downLimitBytesPerS: number; priority: 'high' | 'normal' | 'low' },
  ): Promise<number> => {
    const { transfer } = await bob.connection.call('download', {
      group: 'harbour',
      name,
      path: folder,
      asFile: false,
      rename: false,
      mode,
      only: [],
    });
    await bob.connection.call('adjust', {
      transfer,
      ...fields,
      upLimitBytesPerS: undefined,
      mode: undefined,
      move: undefined,
      moveTo: undefined,
    });
    return transfer;
  };
  await bob.until(
    () => find(bob, 'logbook.md').state === 'seeding' && bob.overview?.trackers.every(({ link }) => link === 'up'),
  );
  await alice.until(
    () => find(alice, 'survey.bin').state === 'seeding' && alice.overview?.trackers.every(({ link }) => link === 'up'),
  );
  const { transfer: photos } = await bob.connection.call('downloadSome', {
    group: 'harbour',
    name: 'photos',
    path: folder,
    rename: false,
    mode: 'auto',
  });
  await bob.until(() => bob.transfers.get(photos)?.state === 'choosing');

  // Paused after its first piece.
  await bob.configure({ downLimitBytesPerS: 200_000 });
  const sonar = await begin('sonar.bin', 'random', { downLimitBytesPerS: 150_000, priority: 'low' });
  await bob.until(() => (bob.transfers.get(sonar)?.heldPieces ?? 0) > 0);
  await bob.connection.call('pause', { transfer: sonar });

  // Slow enough to be unfinished when Alice's engine stops, a minute after its last frontend has
  // disconnected.
  const scan = find(bob, 'scan.bin').id;
  await bob.connection.call('adjust', {
    transfer: scan,
    downLimitBytesPerS: 5_000,
    upLimitBytesPerS: undefined,
    mode: undefined,
    priority: undefined,
    move: undefined,
    moveTo: undefined,
  });
  await bob.connection.call('verify', { transfer: scan, repair: true });
  const survey = await begin('survey.bin', 'sequential', { downLimitBytesPerS: 40_000, priority: 'high' });
  await begin('Übersicht 概要.md', 'rarest', { downLimitBytesPerS: 0, priority: 'normal' });
  await bob.until(() => ['downloading', 'checking'].includes(bob.transfers.get(survey)?.state ?? ''));
  alice.disconnect();

  // An operation that only tracker 1 has.
  await pair.kill(2, 'SIGTERM');
  await bob.does('upload_file', work('bob', 'moorings.csv'), 'harbour');
  await bob.until(() => (bob.overview?.outbox ?? 0) > 0);
  while (existsSync(alice.home.addressFile)) await pause(LOOK_MS);
  const { heldPieces, pieces } = find(bob, 'survey.bin');
  assert.ok(
    heldPieces > 1 && heldPieces < pieces && find(bob, 'scan.bin').state !== 'seeding',
    `survey.bin has ${heldPieces} of ${pieces} pieces: run this again`,
  );
  await bob.kill();
  return heldPieces;
}

function find(engine: RealEngine, name: string): Transfer {
  const found = [...engine.transfers.values()].find((one) => one.name === name);
  assert.ok(found, `${engine.name} has no transfer of ${name}`);
  return found;
}
