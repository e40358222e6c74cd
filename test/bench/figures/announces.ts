// A tracker with 200 links and 10,000 registered presences: announces per second over TLS, beside a
// bare framed echo of the same run and, if asked for, other trackers; and what a presence and an
// idle link cost in memory. The tracker is the built program; requests are encoded in advance.
import { fileURLToPath } from 'node:url';
import type { Root } from '../../../protocol/base/ids.ts';
import { RealProcesses } from '../../support/processes/realProcesses.ts';
import { anchors } from '../anchors/anchors.ts';
import type { BenchRealm, Load, Request } from '../benchRealm.ts';
import { load, makeBenchRealm, newId, RawLink, request, startBenchRealm } from '../benchRealm.ts';
import type { Figure } from '../measure.ts';
import { cpuSeconds, median, percentile } from '../measure.ts';
import { memory } from './memory.ts';

const LINKS = 200;
const SWARMS = 50;
const SECONDS = 3;
const ROUNDS = 3;
/** Requests that each link has ready; it goes through them again and again. */
const READY = 64;
const ECHO = fileURLToPath(new URL('../anchors/echoServer.ts', import.meta.url));

/** A server under load, and the links to it. */
interface Side {
  readonly processId: number;
  readonly links: readonly RawLink[];
}
/** A load, with what it cost the server in CPU-µs each. */
type Cost = Load & { readonly cpuUs: number };

export async function announces(flags: ReadonlyMap<string, string>): Promise<readonly Figure[]> {
  return [...(await throughput(flags.has('anchors'))), ...(await memory())];
}

async function throughput(withAnchors: boolean): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  try {
    const realm = await makeBenchRealm(processes, 1, LINKS);
    const roots = Array.from({ length: SWARMS }, () => newId<Root>(32));
    const tracker = await trackerSide(processes, realm, roots);
    const echo = await echoSide(processes, realm);
    const ready = realm.people.map(() =>
      Array.from({ length: READY }, (_, n) =>
        request('announce', announced(realm, [roots[Math.floor(Math.random() * SWARMS)] as Root], 500 + n)),
      ),
    );
    // What the tracker tells of all that have come just now is not what is measured here.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const closed = await compare(tracker, echo, 1, ready);
    const pipelined = await compare(tracker, echo, 16, ready);
    for (const link of [...tracker.links, ...echo.links]) link.close();
    return [
      ...figures('one at a time each', closed, 0.75),
      ...figures('16 at a time each', pipelined, 0.5),
      { name: 'registered presences', value: LINKS * SWARMS, unit: '' },
      ...(withAnchors ? await anchors(processes, LINKS, SECONDS, roots) : []),
    ];
  } finally {
    await processes.close();
  }
}

async function trackerSide(processes: RealProcesses, realm: BenchRealm, roots: readonly Root[]): Promise<Side> {
  const pair = await startBenchRealm(processes, realm);
  const links = await Promise.all(realm.people.map((person) => RawLink.signedIn(realm.ports[0] ?? 0, person)));
  await Promise.all(links.map((link) => link.call('announce', announced(realm, roots, 1_000))));
  return { processId: pair.processId(1), links };
}

const announced = ({ common: group }: BenchRealm, roots: readonly Root[], leftBytes: number) => ({
  swarms: roots.map((root) => ({ group, root, leftBytes, event: 'update' as const })),
});

async function echoSide(processes: RealProcesses, { people }: BenchRealm): Promise<Side> {
  const { child, line } = await processes.start(ECHO, [], /^echoes on \d+$/);
  const port = Number(/\d+$/.exec(line)?.[0]);
  return {
    processId: child.pid ?? 0,
    links: await Promise.all(people.map(({ identity }) => RawLink.dial(port, identity, { greets: false }))),
  };
}

/** The same requests to both, in turns. */
async function compare(
  tracker: Side,
  echo: Side,
  atOnce: number,
  ready: readonly (readonly Request[])[],
): Promise<{ readonly tracker: readonly Cost[]; readonly echo: readonly Cost[] }> {
  const rounds = { tracker: [] as Cost[], echo: [] as Cost[] };
  for (let round = 0; round < ROUNDS; round++) {
    rounds.echo.push(await run(echo, atOnce, ready));
    rounds.tracker.push(await run(tracker, atOnce, ready));
  }
  return rounds;
}

async function run({ processId, links }: Side, atOnce: number, ready: readonly (readonly Request[])[]): Promise<Cost> {
  const turns = links.map(() => 0);
  const before = cpuSeconds(processId);
  const done = await load(links, atOnce, SECONDS, (n) => ready[n]?.[(turns[n] = ((turns[n] ?? 0) + 1) % READY)]);
  return { ...done, cpuUs: ((cpuSeconds(processId) - before) * 1e6) / done.times.length };
}

function figures(
  how: string,
  { tracker, echo }: { readonly tracker: readonly Cost[]; readonly echo: readonly Cost[] },
  target: number,
): readonly Figure[] {
  const perS = (rounds: readonly Cost[]): number => median(rounds.map((round) => round.perS));
  const note = (rounds: readonly Cost[]): string => {
    const times = rounds.flatMap((round) => round.times);
    return `p50 ${median(times).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(2)} ms; ${median(rounds.map((round) => round.cpuUs)).toFixed(1)} CPU-µs each`;
  };
  return [
    { name: `announces, ${LINKS} links, ${how}`, value: perS(tracker), unit: '/s', note: note(tracker) },
    { name: `bare framed TLS echo, ${LINKS} links, ${how}`, value: perS(echo), unit: '/s', note: note(echo) },
    {
      name: `announces over the echo, ${how}`,
      value: perS(tracker) / perS(echo),
      unit: '×',
      target: { least: target },
    },
  ];
}
