// Acknowledged operations per second: 32 links, one operation under way on each, all signed in
// advance. A pair at `both`, the same with its partner stopped (`one`), a tracker that stands
// alone, and a bare group commit of as many rows of the same size with as many under way.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { BenchRealm, Request } from '../benchRealm.ts';
import { load, makeBenchRealm, RawLink, request, startBenchRealm } from '../benchRealm.ts';
import type { Figure } from '../measure.ts';
import { cpuSeconds, median, percentile } from '../measure.ts';
import { sampleFile } from '../samples.ts';

const LINKS = 32;
/** Operations of one round, and the rounds. A first one that is not counted warms everything up. */
const OPERATIONS = 6_400;
const ROUNDS = 3;
const GROUP_COMMIT = fileURLToPath(new URL('../anchors/groupCommit.ts', import.meta.url));

interface Round {
  readonly perS: number;
  readonly p50: number;
  readonly p99: number;
  /** CPU of the tracker for each operation, in µs. */
  readonly cpuUs?: number;
}

export async function acknowledged(): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  try {
    const single: Round[] = [];
    const bare: Round[] = [];
    const checking: Round[] = [];
    const alone = await start(processes, 1);
    await alone.run('both');
    for (let n = 0; n < ROUNDS; n++) {
      bare.push(await groupCommit(processes, `bare-${n}`));
      checking.push(await groupCommit(processes, `checking-${n}`, 'checks'));
      single.push(await alone.run('both'));
    }
    await alone.stop();

    const together = await start(processes, 2);
    await together.run('both');
    const both: Round[] = [];
    for (let n = 0; n < ROUNDS; n++) both.push(await together.run('both'));
    await together.stopPartner();
    await together.run('one');
    const one: Round[] = [];
    for (let n = 0; n < ROUNDS; n++) one.push(await together.run('one'));
    await together.stop();

    const perS = (rounds: readonly Round[]): number => median(rounds.map((round) => round.perS));
    return [
      figure('operations on both disks of a pair', both),
      figure('the same, its partner stopped (`one`)', one),
      figure('a tracker that stands alone', single),
      figure('bare group commit, no link, nothing checked', bare),
      figure('bare group commit that checks each signature', checking),
      {
        name: 'a tracker alone over the bare group commit',
        value: perS(single) / perS(bare),
        unit: '×',
        target: { least: 0.7 },
      },
      { name: 'a tracker alone over the one that checks signatures', value: perS(single) / perS(checking), unit: '×' },
      { name: 'a pair over a tracker alone', value: perS(both) / perS(single), unit: '×' },
    ];
  } finally {
    await processes.close();
  }
}

function figure(name: string, rounds: readonly Round[]): Figure {
  const of = (field: 'perS' | 'p50' | 'p99' | 'cpuUs'): number => median(rounds.map((round) => round[field] ?? NaN));
  const cpu = rounds[0]?.cpuUs === undefined ? '' : `; ${of('cpuUs').toFixed(0)} CPU-µs each`;
  return {
    name,
    value: of('perS'),
    unit: '/s',
    note: `p50 ${of('p50').toFixed(2)} ms, p99 ${of('p99').toFixed(2)} ms${cpu}`,
  };
}

/** Trackers with links to the first of them. */
async function start(processes: RealProcesses, trackers: 1 | 2) {
  const realm = await makeBenchRealm(processes, trackers, LINKS);
  const running = await startBenchRealm(processes, realm);
  const links = await Promise.all(realm.people.map((person) => RawLink.signedIn(realm.ports[0] ?? 0, person)));
  let made = 0;
  return {
    async run(durability: 'both' | 'one'): Promise<Round> {
      const ready = realm.people.map((_, n) => signed(realm, n, made));
      made += OPERATIONS / LINKS;
      const before = cpuSeconds(running.processId(1));
      const { perS, times } = await load(
        links,
        1,
        60,
        (n) => ready[n]?.pop(),
        (receipt) => {
          // The first byte of a receipt is its durability.
          if ((receipt[0] === 0) !== (durability === 'both')) {
            throw new Error(`an operation was not acknowledged with ${durability}`);
          }
        },
      );
      return {
        perS,
        p50: median(times),
        p99: percentile(times, 0.99),
        cpuUs: ((cpuSeconds(running.processId(1)) - before) * 1e6) / times.length,
      };
    },
    stopPartner: () => running.kill(2),
    async stop(): Promise<void> {
      for (const link of links) link.close();
      await running.kill(1);
    },
  };
}

/**
 * What one person shares in a round, in a group of their own: nobody else is told, and what telling
 * costs is not measured here.
 */
function signed({ people }: BenchRealm, person: number, from: number): Request[] {
  const one = people[person];
  if (!one) return [];
  return Array.from({ length: OPERATIONS / LINKS }, (_, n) =>
    request('submit', { signed: one.sign('shareFile', sampleFile(one.group, from + n)) }),
  );
}

async function groupCommit(processes: RealProcesses, name: string, ...how: readonly string[]): Promise<Round> {
  const child = spawn(
    process.execPath,
    [GROUP_COMMIT, path.join(processes.folder, `${name}.sqlite`), String(OPERATIONS), String(LINKS), ...how],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return JSON.parse(output) as Round;
}
