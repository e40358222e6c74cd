// `npm start`: the main job, for real. A tracker pair and four engines as processes on loopback;
// Alice shares a file in a group that she let three others into; they download it at the same time
// from her and from each other, and one tracker dies on the way.
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import path from 'node:path';
import { styleText } from 'node:util';
import { formatBytes } from '../../protocol/frontend/format.ts';
import { printable } from '../../protocol/base/errors.ts';
import type { Source } from '../../protocol/messages/engineLink.ts';
import type { RealEngine } from '../support/processes/realProcesses.ts';
import { RealProcesses } from '../support/processes/realProcesses.ts';
import { Bars, fraction } from './bars.ts';

/** How long the download shall take, so that a person can watch, in s. */
const WATCH_S = Number(process.env['SHOAL_DEMO_SECONDS'] ?? 12);
/** When the first tracker dies: at this part of the whole. */
const KILL_AT = 0.4;
const GROUP = 'harbour';
const NAMES = ['alice', 'bob', 'carol', 'dave'] as const;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const title = (text: string): void => say(styleText('bold', `\n${text}`));

const given = process.argv.slice(2);
const files =
  given.length > 0
    ? given.map((file) => path.resolve(process.env['INIT_CWD'] ?? process.cwd(), file))
    : [process.execPath];
for (const file of files) {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    process.stderr.write(`${printable(file)} is not a file. Use: npm start -- FILE…\n`);
    process.exit(2);
  }
}

const processes = new RealProcesses();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    processes.killAll();
    say('\nStopped. No process is left behind.');
    process.exit(130);
  });
}

let good = false;
try {
  good = await run();
} catch (error) {
  process.stderr.write(`\nThe demonstration failed: ${error instanceof Error ? error.message : String(error)}\n`);
} finally {
  await processes.close();
}
process.exitCode = good ? 0 : 1;

async function run(): Promise<boolean> {
  title('Two trackers and four people, each a process of its own');
  const pair = await processes.startPair();
  say(`  trackers   ${pair.url}`);
  const people = await Promise.all(NAMES.map((name) => processes.startEngine(name, pair.url)));
  const [alice, ...others] = people as [RealEngine, ...RealEngine[]];
  await Promise.all(people.map((one) => one.signUp()));
  say(`  signed in  ${NAMES.join(', ')}`);

  await alice.does('create_group', GROUP);
  say(`  alice      has made the group ${GROUP}`);
  for (const one of others) {
    await one.does('join_group', GROUP);
    await alice.does('accept_request', GROUP, one.name);
    say(`  ${one.name.padEnd(9)}  asked to join, alice accepted`);
  }

  const total = files.reduce((sum, file) => sum + statSync(file).size, 0);
  // Slow enough to watch: without limits a file of 120 MB is there before the first bar is drawn.
  const limit = Math.max(64 * 1024, Math.ceil(total / WATCH_S));
  for (const one of others) {
    await one.connection.call('configure', {
      downLimitBytesPerS: limit,
      upLimitBytesPerS: undefined,
      listenHost: undefined,
      listenPort: undefined,
      keepSharing: undefined,
      activeDownloads: undefined,
    });
  }
  await alice.connection.call('configure', {
    upLimitBytesPerS: Math.ceil(limit * 1.5),
    downLimitBytesPerS: undefined,
    listenHost: undefined,
    listenPort: undefined,
    keepSharing: undefined,
    activeDownloads: undefined,
  });

  let allGood = true;
  let trackerAlive = true;
  for (const file of files) {
    const name = path.basename(file).normalize('NFC');
    title(`Alice shares ${printable(name)} (${formatBytes(statSync(file).size)})`);
    await alice.does('upload_file', file, GROUP);
    const source = await sha256(file);
    say(`  SHA-256    ${source}`);

    title('Bob, Carol and Dave download it at the same time, from everyone who has pieces');
    const began = performance.now();
    const took = new Map<string, number>();
    const downloads = others.map(async (one) => {
      const folder = processes.makeFolder('downloads', one.name);
      await one.connection.call('download', {
        group: GROUP,
        name,
        path: folder,
        asFile: false,
        rename: true,
        mode: 'rarest',
        only: [],
      });
      const transfer = await one.whole(name);
      took.set(one.name, (performance.now() - began) / 1000);
      return transfer;
    });
    const bars = new Bars(others, name);
    const killed = trackerAlive
      ? killOnTheWay(others, name, async () => {
          trackerAlive = false;
          await pair.kill(1);
          bars.note('tracker 1 was killed just now (kill -9); the other one carries on');
        })
      : Promise.resolve();
    const done = await Promise.all(downloads);
    await killed;
    bars.end();

    title('Who got how many pieces from whom');
    const rows = [['', ...NAMES.map((who) => `from ${who}`), 'seconds', 'rate', 'SHA-256']];
    for (const [n, one] of others.entries()) {
      const transfer = done[n];
      if (!transfer) return false;
      const { sources } = await one.connection.call('sources', { transfer: transfer.id });
      const copy = await sha256(transfer.path);
      const right = copy === source && sources.reduce((sum, { pieces }) => sum + pieces, 0) === transfer.pieces;
      allGood &&= right;
      const seconds = took.get(one.name) ?? 0;
      rows.push([
        one.name,
        ...NAMES.map((who) => pieces(sources, who)),
        seconds.toFixed(1),
        `${formatBytes(transfer.sizeBytes / seconds)}/s`,
        right ? 'the same' : 'DIFFERENT',
      ]);
    }
    table(rows);
  }

  title('The surviving tracker still answers');
  await others[0]?.does('list_files', GROUP);
  const inUse = alice.overview?.trackers.find((tracker) => tracker.inUse);
  say(`  in use     ${inUse ? `${inUse.address.host}:${inUse.address.port}` : 'none'}`);
  const ok = allGood && !trackerAlive && inUse?.link === 'up';
  say(
    ok
      ? styleText('green', '\nEvery copy is identical to the source, and nobody noticed the death of a tracker.')
      : styleText('red', '\nSomething is not as it should be; see above.'),
  );
  return ok;
}

function pieces(sources: readonly Source[], who: string): string {
  return String(sources.find(({ user }) => user === who)?.pieces ?? 0);
}

/** Kills the tracker when the downloads together have come so far. */
async function killOnTheWay(others: readonly RealEngine[], name: string, kill: () => Promise<void>): Promise<void> {
  const part = (): number => others.reduce((sum, one) => sum + fraction(one, name), 0) / others.length;
  await Promise.race(others.map((one) => one.until(() => part() >= KILL_AT)));
  await kill();
}

function table(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows) {
    say(
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`,
    );
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
