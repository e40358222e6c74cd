// `npm run bench [-- NAME…] [--json FILE]`: all figures, or those named, each beside what it is compared with in the same run.
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { announces } from './announces.ts';
import type { Figure } from './measure.ts';
import { print } from './measure.ts';
import { transfer } from './transfer.ts';
import { window } from './window.ts';

const benches: Readonly<Record<string, { readonly title: string; readonly run: () => Promise<readonly Figure[]> }>> = {
  transfer: { title: 'One seeder, one downloader, 1 GiB (medians of 3 interleaved rounds)', run: transfer },
  announces: { title: 'Tracker with 10,000 registered peers', run: announces },
  window: { title: 'A VS Code window with Shoal in it (the most of all rounds)', run: window },
};

const args = process.argv.slice(2);
const at = args.indexOf('--json');
const [, file] = at >= 0 ? args.splice(at, 2) : [];
const unknown = args.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  process.stderr.write(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}.\n`);
  process.exit(2);
}
process.stdout.write(`${os.cpus().length} × ${os.cpus()[0]?.model ?? 'CPU'}, ${(os.totalmem() / 1024 ** 3).toFixed(0)} GiB, ${os.platform()} ${os.release()}, Node ${process.versions.node}\n`);
const results: Record<string, readonly Figure[]> = {};
for (const [name, { title, run }] of Object.entries(benches)) {
  if (args.length > 0 && !args.includes(name)) continue;
  const figures = (results[name] = await run());
  print(title, figures);
}
if (file !== undefined) writeFileSync(path.resolve(process.env['INIT_CWD'] ?? '.', file), `${JSON.stringify(results, undefined, 2)}\n`);
