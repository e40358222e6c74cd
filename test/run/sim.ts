// `npm run sim`: the pair of trackers under a nemesis, or downloads under power cuts, seed after
// seed; every seed that fails is printed and kept in test-results/sim/.
//
//   npm run sim -- [pair|downloads] [COUNT] [--from SEED] [--breakages]
//
// Default: the pair, 1,000,000 from 1; --breakages: for each broken rule the first seed that
// notices.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BREAKAGES, broken, firstSeed } from '../support/scenarios/breakages.ts';
import { DOWNLOAD_BREAKAGES, DOWNLOADS } from '../support/scenarios/downloadBreakages.ts';
import { nemesis } from '../support/scenarios/nemesis.ts';
import { powerCut } from '../support/scenarios/powerCut.ts';

const RESULTS = path.join(import.meta.dirname, '../../test-results/sim');
/** Seeds for one broken rule before it counts as unnoticed. */
const BREAKAGE_SEEDS_MAX = 3_000;
const TELL_MS = 10_000;

const KINDS = {
  pair: { simulation: nemesis as (seed: number) => Promise<object>, breakages: BREAKAGES, simulated: undefined },
  downloads: {
    simulation: powerCut as (seed: number) => Promise<object>,
    breakages: DOWNLOAD_BREAKAGES,
    simulated: DOWNLOADS,
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { from: { type: 'string', default: '1' }, breakages: { type: 'boolean', default: false } },
});
const kind =
  KINDS[
    positionals[0] === 'downloads' || positionals[0] === 'pair' ? (positionals.shift() as keyof typeof KINDS) : 'pair'
  ];
const [count, from] = [Number(positionals[0] ?? 1_000_000), Number(values.from)];
if (!Number.isSafeInteger(count) || !Number.isSafeInteger(from) || count < 1 || from < 1) {
  process.stderr.write('usage: npm run sim -- [pair|downloads] [COUNT] [--from SEED] [--breakages]\n');
  process.exit(2);
}
mkdirSync(RESULTS, { recursive: true });
await (values.breakages ? searchBreakages() : run());

async function run(): Promise<void> {
  const sum: Record<string, number> = {};
  let failed = 0;
  let toldMs = performance.now();
  for (let seed = from; seed < from + count; seed++) {
    try {
      for (const [name, value] of Object.entries(await kind.simulation(seed)) as [string, number][]) {
        sum[name] = (sum[name] ?? 0) + value;
      }
    } catch (error) {
      failed++;
      const file = path.join(RESULTS, `seed-${seed}.txt`);
      writeFileSync(file, `${(error as Error).stack ?? ''}\n`);
      process.stdout.write(`seed ${seed} fails: ${(error as Error).message.split('\n')[0]}\n  ${file}\n`);
    }
    if (performance.now() - toldMs < TELL_MS && seed < from + count - 1) continue;
    toldMs = performance.now();
    process.stdout.write(
      `${seed - from + 1} of ${count} seeds, ${failed} failed: ${Object.entries(sum)
        .map(([name, value]) => `${value} ${name}`)
        .join(', ')}\n`,
    );
  }
  process.exitCode = failed > 0 ? 1 : 0;
}

async function searchBreakages(): Promise<void> {
  for (const [n, breakage] of kind.breakages.entries()) {
    const found = await firstSeed(await broken(breakage, RESULTS, n, kind.simulated), BREAKAGE_SEEDS_MAX);
    process.stdout.write(
      `${breakage.what}: ${found ?? `not noticed in ${BREAKAGE_SEEDS_MAX} seeds`}${found !== undefined && found !== breakage.seed ? ` (stored: ${breakage.seed})` : ''}\n`,
    );
    if (found === undefined) process.exitCode = 1;
  }
}
