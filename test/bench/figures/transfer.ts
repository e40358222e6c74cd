// One seeder, one downloader, 1 GiB on loopback, verified and on disk as a new file: Shoal, the
// least that such a transfer takes in Node (barePipeline.ts), TLS that throws the bytes away, a
// copy with `sha256sum`, and with --anchors other programs, in turns.
import { execFile, fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { RealEngine, RealPair } from '../../support/processes/realProcesses.ts';
import type { Served, Took, Wanted } from '../anchors/barePipeline.ts';
import { anchorsOf, compareAnchors } from '../anchors/anchorTransfers.ts';
import type { Contender } from '../anchors/contender.ts';
import { compared, cpu, speedOf, startMeter, takeTurns } from '../anchors/contender.ts';
import { download, share, startGroup } from '../group.ts';
import type { Figure } from '../measure.ts';
import { makeRandomFile, untilThere } from '../measure.ts';

const GIB = 1024 ** 3;
const ROUNDS = 5;
/** A larger file, for memory that must not grow with it. */
const LARGER = 4;
const BARE_TLS = fileURLToPath(new URL('../anchors/bareTls.ts', import.meta.url));
const BARE_PIPELINE = fileURLToPath(new URL('../anchors/barePipeline.ts', import.meta.url));

export async function transfer(flags: ReadonlyMap<string, string>): Promise<readonly Figure[]> {
  return [...(await ofOneGiB(flags.has('anchors'))), ...(await ofLarger())];
}

async function ofOneGiB(withAnchors: boolean): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  try {
    const pair = await processes.startPair();
    const source = path.join(processes.makeFolder('source'), 'gib');
    makeRandomFile(source, GIB);
    const shoal = await shoalPair(processes, pair, ['alice', 'bob'], source);
    const anchors = withAnchors ? await anchorsOf(processes, source) : [];
    const contenders = [shoal, await barePipeline(processes, source), bareTls(source), copyAndSum(source), ...anchors];
    const turns = await takeTurns(processes, contenders, shoal, GIB, ROUNDS);
    const ours = turns.get(shoal.name) ?? [];
    const peak = (side: 0 | 1): number => Math.max(...ours.map(({ peaks }) => peaks?.[side] ?? NaN));
    return [
      ...[...turns].map(([name, own]) => speedOf(name, own, GIB)),
      ...compared(ours, turns, BARE, { least: 0.9 }, { most: 1.15 }),
      ...compared(ours, turns, DISCARD, undefined),
      ...compared(ours, turns, COPY, undefined),
      ...compareAnchors(ours, turns),
      { name: 'CPU of both engines', value: cpu(ours), unit: 's/GiB' },
      { name: 'most memory of the seeder', value: peak(0), unit: 'MiB', target: { most: 130 } },
      { name: 'most memory of the downloader', value: peak(1), unit: 'MiB', target: { most: 130 } },
    ];
  } finally {
    await processes.close();
  }
}
const BARE = 'the bare pipeline';
const DISCARD = 'bare TLS, bytes thrown away';
const COPY = 'a copy, then sha256sum';

/**
 * Two engines. Each round shares the file under another name, so that the downloader fetches all of
 * it anew.
 */
async function shoalPair(
  processes: RealProcesses,
  pair: RealPair,
  names: readonly [string, string],
  source: string,
): Promise<Contender> {
  const [alice, bob] = (await startGroup(processes, names, pair)) as [RealEngine, RealEngine];
  return {
    name: 'Shoal',
    async turn(into, round) {
      const name = `file-${round}`;
      await share(alice.name, alice, source, name);
      const file = path.join(into, name);
      const meter = startMeter(alice.processId, bob.processId);
      const [id] = await Promise.all([download(alice.name, bob, name, into), untilThere(file)]);
      const turn = meter();
      await bob.whole(name);
      await bob.connection.call('cancelTransfer', { transfer: id });
      return { ...turn, file };
    },
  };
}

async function barePipeline(processes: RealProcesses, source: string): Promise<Contender> {
  const start = (...args: readonly string[]): ChildProcess => {
    const child = fork(BARE_PIPELINE, args, { serialization: 'advanced' });
    processes.adopt(child);
    return child;
  };
  const seeder = start(source);
  const [served] = (await once(seeder, 'message')) as [Served];
  const downloader = start();
  return {
    name: BARE,
    async turn(into) {
      const file = path.join(into, 'file');
      const meter = startMeter(seeder.pid, downloader.pid);
      downloader.send({ ...served, into: file } satisfies Wanted);
      const [took] = (await once(downloader, 'message')) as [Took];
      return { ...meter(), ...took, file };
    },
  };
}

/** The ceiling of all that goes over TLS. */
function bareTls(source: string): Contender {
  return {
    name: DISCARD,
    async turn() {
      const { stdout } = await promisify(execFile)(process.execPath, [BARE_TLS, String(GIB)]);
      const { seconds, cpu: both } = JSON.parse(stdout) as { seconds: number; cpu: number };
      return { seconds, cpu: [both / 2, both / 2], file: source };
    },
  };
}

function copyAndSum(source: string): Contender {
  return {
    name: COPY,
    async turn(into) {
      const file = path.join(into, 'file');
      const began = performance.now();
      copyFileSync(source, file);
      await promisify(execFile)('sha256sum', [file]);
      return { seconds: (performance.now() - began) / 1000, file };
    },
  };
}

/** Memory of two other engines that move a larger file. */
async function ofLarger(): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  try {
    // Before there are engines: while it is made, nobody here would answer them.
    const source = path.join(processes.makeFolder('source'), 'larger');
    makeRandomFile(source, LARGER * GIB);
    const contender = await shoalPair(processes, await processes.startPair(), ['alice', 'bob'], source);
    const turns = await takeTurns(processes, [contender], contender, LARGER * GIB, 1);
    const [turn] = turns.get(contender.name) ?? [];
    return (['seeder', 'downloader'] as const).map((side, n) => ({
      name: `the same of a ${side} with ${LARGER} GiB`,
      value: turn?.peaks?.[n as 0 | 1] ?? NaN,
      unit: 'MiB',
      target: { most: 130 },
    }));
  } finally {
    await processes.close();
  }
}
