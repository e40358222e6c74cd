// One file, a seeder whose line is limited, and many who want it: how close the last of them comes
// to what no protocol can beat, and how often the seeder sends each byte. Engines as processes on
// loopback; 4 full seeders and one downloader besides.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { RealEngine } from '../../support/processes/realProcesses.ts';
import { download, restart, share, startGroup } from '../group.ts';
import type { Figure, Target } from '../measure.ts';
import { cpuSeconds, makeRandomFile, median, untilThere, warmMemory } from '../measure.ts';
import { makeTorrent, torrentClients, torrentSwarm } from '../anchors/torrents.ts';

const FILE_BYTES = 128 * 1024 ** 2;
/** What a limited line sends, in bytes per s. */
const LINE = 20_000_000;
const ROUNDS = 3;
const NAME = 'file';

/** What one swarm came to. */
interface Spread {
  /** From the first who asks for the file until the last one has it. */
  readonly seconds: number;
  /**
   * From the moment in which everybody has a part of it, over the fluid bound of what the seeder
   * had not sent by then.
   */
  readonly onceConnected?: number;
  /** How often the seeder sent the file. */
  readonly copies?: number;
  /** Of all processes, in s. */
  readonly cpu: number;
}

/**
 * What no protocol can beat: the seeder must send everything once, and all together must send it to
 * everyone. A line of 0 has no limit.
 */
function fluidSeconds(bytes: number, downloaders: number, seederLine: number, line: number): number {
  return Math.max(bytes / seederLine, line === 0 ? 0 : (downloaders * bytes) / (seederLine + downloaders * line));
}

export async function swarm(flags: ReadonlyMap<string, string>): Promise<readonly Figure[]> {
  return [
    ...(await of(8, 0, { most: 1.15 }, { most: 1.05 })),
    ...(await of(8, LINE, { most: 1.25 })),
    ...(await of(32, 0, { most: 1.25 })),
    ...(await of(32, LINE, { most: 1.25 })),
    ...(await manySeeders()),
    ...(flags.has('anchors') ? await anchors() : []),
  ];
}

/** @param line  what each downloader sends, in bytes per s; 0 for no limit */
async function of(downloaders: number, line: number, target: Target, connected?: Target): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  try {
    const [seeder, ...others] = await engines(processes, downloaders + 1);
    const sources = processes.makeFolder('source');
    const bound = fluidSeconds(FILE_BYTES, downloaders, LINE, line);
    const rounds: Spread[] = [];
    await limit([seeder], LINE);
    await limit(others, line);
    for (let round = 0; round < ROUNDS; round++) {
      const source = path.join(sources, `${NAME}-${round}`);
      makeRandomFile(source, FILE_BYTES);
      await share(seeder.name, seeder, source, path.basename(source));
      // Nobody has a link yet: a swarm that begins.
      for (const one of others) await restart(one);
      warmMemory(processes.folder, (downloaders + 1) * FILE_BYTES);
      rounds.push(await spread(processes, seeder, others, path.basename(source), bound));
    }
    return figures(
      `Shoal, ${downloaders} downloaders${line > 0 ? ` limited to ${line / 1e6} MB/s up` : ''}`,
      rounds,
      bound,
      target,
      connected,
    );
  } finally {
    await processes.close();
  }
}

function figures(
  who: string,
  rounds: readonly Spread[],
  bound: number,
  target?: Target,
  connected?: Target,
): readonly Figure[] {
  const of = (field: keyof Spread): number => median(rounds.map((round) => round[field] ?? NaN));
  const seconds = rounds.map((round) => round.seconds);
  const copies = of('copies');
  return [
    {
      name: `${who}: time over the fluid bound`,
      value: of('seconds') / bound,
      unit: '×',
      target,
      note: `${of('seconds').toFixed(2)} s (min ${Math.min(...seconds).toFixed(2)}, max ${Math.max(...seconds).toFixed(2)}) of ${bound.toFixed(2)} s; ${of('cpu').toFixed(1)} CPU-s in all`,
    },
    ...(rounds[0]?.onceConnected === undefined
      ? []
      : [{ name: `${who}: once all have a part of it`, value: of('onceConnected'), unit: '×', target: connected }]),
    ...(Number.isNaN(copies)
      ? []
      : [
          {
            name: `${who}: copies the seeder sent`,
            value: copies,
            unit: '',
            target: target && ({ most: 1.1 } as const),
          },
        ]),
  ];
}

async function engines(processes: RealProcesses, count: number): Promise<readonly [RealEngine, ...RealEngine[]]> {
  const names = Array.from({ length: count }, (_, n) => `peer-${n}`) as [string, ...string[]];
  return (await startGroup(processes, names, await processes.startPair())) as [RealEngine, ...RealEngine[]];
}

async function limit(some: readonly RealEngine[], upLimitBytesPerS: number): Promise<void> {
  await Promise.all(some.map((one) => one.configure({ upLimitBytesPerS })));
}

async function spread(
  processes: RealProcesses,
  seeder: RealEngine,
  others: readonly RealEngine[],
  name: string,
  bound: number,
): Promise<Spread> {
  const all = [seeder, ...others];
  const cpu = (): number => all.reduce((sum, { processId }) => sum + cpuSeconds(processId), 0);
  const folders = others.map((one) => processes.makeFolder('downloads', one.name));
  const sent = async (): Promise<number> =>
    (await seeder.connection.call('status', {})).transfers.find((one) => one.name === name)?.uploadedBytes ?? 0;
  const before = cpu();
  const began = performance.now();
  const connected = Promise.all(
    others.map((one) =>
      one.until(() => [...one.transfers.values()].some((transfer) => transfer.name === name && transfer.doneBytes > 0)),
    ),
  ).then(async () => ({ atMs: performance.now(), sentBytes: await sent() }));
  const ids = await Promise.all(
    others.map(async (one, n) => {
      const folder = folders[n] ?? '';
      const [id] = await Promise.all([download(seeder.name, one, name, folder), untilThere(path.join(folder, name))]);
      return id;
    }),
  );
  const ended = performance.now();
  const used = cpu() - before;
  const copies = (await sent()) / FILE_BYTES;
  const { atMs, sentBytes } = await connected;
  await Promise.all(others.map((one) => one.whole(name)));
  await Promise.all(others.map((one, n) => one.connection.call('cancelTransfer', { transfer: ids[n] ?? 0 })));
  for (const folder of folders) rmSync(folder, { recursive: true });
  return {
    seconds: (ended - began) / 1000,
    onceConnected: (ended - atMs) / 1000 / (bound * (1 - sentBytes / FILE_BYTES)),
    copies,
    cpu: used,
  };
}

/** Four who have all of it, each with a limited line, and one who wants it. */
async function manySeeders(): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  try {
    const seeders = 4;
    const all = await engines(processes, seeders + 1);
    const downloader = all.at(-1) ?? all[0];
    const sources = processes.makeFolder('source');
    await limit(all, LINE);
    const speeds: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const name = `${NAME}-${round}`;
      const source = path.join(sources, name);
      makeRandomFile(source, FILE_BYTES);
      for (const one of all.slice(0, seeders)) await share(all[0].name, one, source, name);
      warmMemory(processes.folder, 2 * FILE_BYTES);
      const folder = processes.makeFolder('downloads', name);
      const began = performance.now();
      await Promise.all([download(all[0].name, downloader, name, folder), untilThere(path.join(folder, name))]);
      speeds.push(FILE_BYTES / 1e3 / (performance.now() - began));
    }
    return [
      {
        name: `Shoal, ${seeders} seeders limited to ${LINE / 1e6} MB/s each, 1 downloader`,
        value: median(speeds),
        unit: 'MB/s',
        target: { least: 76 },
        note: `min ${Math.min(...speeds).toFixed(1)}, max ${Math.max(...speeds).toFixed(1)}`,
      },
    ];
  } finally {
    await processes.close();
  }
}

/** Other clients, with 8 downloaders without a limit. */
async function anchors(): Promise<readonly Figure[]> {
  const found: Figure[] = [];
  const downloaders = 8;
  for (const [name, start] of Object.entries(torrentClients)) {
    const processes = new RealProcesses();
    try {
      const source = path.join(processes.makeFolder('source'), NAME);
      makeRandomFile(source, FILE_BYTES);
      const torrent = await makeTorrent(processes, source, TORRENT_PIECE_BYTES);
      const rounds: Spread[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        warmMemory(processes.folder, (downloaders + 1) * FILE_BYTES);
        const { seconds, cpu, sentBytes } = await torrentSwarm(processes, start, source, torrent, downloaders, LINE);
        rounds.push({ seconds, cpu, copies: sentBytes / FILE_BYTES });
      }
      found.push(
        ...figures(`${name}, ${downloaders} downloaders`, rounds, fluidSeconds(FILE_BYTES, downloaders, LINE, 0)),
      );
    } catch (error) {
      process.stdout.write(`skipped: ${name} (${((error as Error).message.split('\n')[0] ?? '').slice(0, 120)})\n`);
    } finally {
      await processes.close();
    }
  }
  return found;
}
/** Pieces of the torrent: small enough for 8 downloaders to have something to give. */
const TORRENT_PIECE_BYTES = 256 * 1024;
