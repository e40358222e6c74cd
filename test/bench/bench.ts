// `npm run bench [-- NAME…] [--anchors] [--late=N] [--json FILE]`: all figures, or those named,
// each beside what it is compared with in the same run.
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { RealProcesses } from '../support/processes/realProcesses.ts';
import { announces } from './figures/announces.ts';
import { firstByte } from './figures/firstByte.ts';
import type { Figure } from './measure.ts';
import { print } from './measure.ts';
import { idle } from './figures/idle.ts';
import { pair } from './figures/pair.ts';
import { sharing } from './figures/sharing.ts';
import { swarm } from './figures/swarm.ts';
import { transfer } from './figures/transfer.ts';
import { views } from './figures/views.ts';
import { window } from './figures/window.ts';

const benches: Readonly<
  Record<
    string,
    { readonly title: string; readonly run: (flags: ReadonlyMap<string, string>) => Promise<readonly Figure[]> }
  >
> = {
  transfer: { title: 'One seeder, one downloader, 1 GiB (medians of 5 interleaved rounds)', run: transfer },
  swarm: {
    title: 'A file of 128 MiB, a seeder limited to 20 MB/s, and many who want it (medians of 3 rounds)',
    run: swarm,
  },
  sharing: { title: 'A file of 1 GiB is hashed to be shared (medians of 5 interleaved rounds)', run: sharing },
  firstByte: { title: 'The first byte of a download, 25 ms from everybody (medians of 5 rounds)', run: firstByte },
  idle: { title: 'An engine that nobody needs for a minute', run: idle },
  announces: {
    title: 'A tracker with 200 links and 10,000 registered presences (medians of 3 interleaved rounds)',
    run: announces,
  },
  pair: { title: 'A pair of trackers (medians of 3 rounds)', run: pair },
  views: { title: 'What a person waits for in a VS Code window (medians of 5 rounds)', run: views },
  window: { title: 'A VS Code window with Shoal in it (the most of all rounds)', run: window },
};

const args = process.argv.slice(2);
const at = args.indexOf('--json');
const [, file] = at >= 0 ? args.splice(at, 2) : [];
/**
 * `--anchors`: other programs beside ours, installed by npm and, for root on Debian, by apt where
 * they are missing. `--late=N`: the oldest of the late operations.
 */
const FLAGS: readonly string[] = ['anchors', 'late'];
const flags = new Map(
  args
    .filter((word) => word.startsWith('--'))
    .map((word) => {
      const [name = '', value = ''] = word.slice(2).split('=');
      return [name, value] as const;
    }),
);
const names = args.filter((word) => !word.startsWith('--'));
const unknown = [
  ...names.filter((name) => !Object.hasOwn(benches, name)),
  ...[...flags.keys()].filter((name) => !FLAGS.includes(name)).map((name) => `--${name}`),
];
if (unknown.length > 0) {
  process.stderr.write(
    `There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}, --anchors, --late=N and --json FILE.\n`,
  );
  process.exit(2);
}
process.stdout.write(
  `${os.cpus().length} × ${os.cpus()[0]?.model ?? 'CPU'}, ${(os.totalmem() / 1024 ** 3).toFixed(0)} GiB, ${os.platform()} ${os.release()}, Node ${process.versions.node}\n`,
);
RealProcesses.endWithThisProcess();
const results: Record<string, readonly Figure[]> = {};
for (const [name, { title, run }] of Object.entries(benches)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const figures = (results[name] = await run(flags));
  print(title, figures);
}
if (file !== undefined) {
  writeFileSync(path.resolve(process.env['INIT_CWD'] ?? '.', file), `${JSON.stringify(results, undefined, 2)}\n`);
}
