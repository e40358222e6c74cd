// One seeder, one downloader, 1 GiB on loopback, verified and on disk; beside it a copy with `sha256sum`, and the same bytes through a
// bare Node TLS connection that throws them away: the ceiling.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, createReadStream, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { RealProcesses } from '../support/realProcesses.ts';
import type { RealEngine } from '../support/realProcesses.ts';
import type { Figure } from './measure.ts';
import { cpuSeconds, makeRandomFile, median, peakMiB, warmMemory } from './measure.ts';

const GIB = 1024 ** 3;
const ROUNDS = 3;
const TLS_PEER = fileURLToPath(new URL('./bareTls.ts', import.meta.url));

interface Round {
  readonly seconds: number;
  readonly cpu: number;
}

export async function transfer(): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  try {
    const pair = await processes.startPair();
    const [alice, bob] = await Promise.all([processes.startEngine('alice', pair.url), processes.startEngine('bob', pair.url)]);
    await Promise.all([alice.signUp(), bob.signUp()]);
    await alice.does('create_group', 'bench');
    await bob.does('join_group', 'bench');
    await alice.does('accept_request', 'bench', 'bob');
    const source = path.join(processes.makeFolder('source'), 'gib');
    makeRandomFile(source, GIB);

    const sharing: Round[] = [];
    const summing: Round[] = [];
    for (let n = 0; n < ROUNDS; n++) {
      warmMemory(processes.folder, GIB);
      summing.push(await sum(source));
      sharing.push(await share(alice, source, `gib-${n}`));
    }
    const shoal: (Round & { readonly seeder: number; readonly downloader: number })[] = [];
    const copying: Round[] = [];
    const bare: Round[] = [];
    for (let n = 0; n < ROUNDS; n++) {
      warmMemory(processes.folder, 1.5 * GIB);
      shoal.push(await download(processes, alice, bob, `gib-${n}`));
      warmMemory(processes.folder, 1.5 * GIB);
      const copy = path.join(processes.folder, 'copy');
      const began = performance.now();
      copyFileSync(source, copy);
      copying.push(await sum(copy, began));
      rmSync(copy);
      bare.push(await bareTls());
    }
    const wall = (rounds: readonly Round[]): number => median(rounds.map(({ seconds }) => seconds));
    const cpu = (rounds: readonly Round[]): number => median(rounds.map((round) => round.cpu));
    const mbPerS = (seconds: number): number => GIB / 1e6 / seconds;
    return [
      { name: 'Shoal, verified and on disk', value: mbPerS(wall(shoal)), unit: 'MB/s', note: `min ${mbPerS(Math.max(...shoal.map((r) => r.seconds))).toFixed(0)}, max ${mbPerS(Math.min(...shoal.map((r) => r.seconds))).toFixed(0)}` },
      { name: 'copy of the file, then sha256sum', value: mbPerS(wall(copying)), unit: 'MB/s' },
      { name: 'bare Node TLS, bytes thrown away (ceiling)', value: mbPerS(wall(bare)), unit: 'MB/s' },
      { name: 'Shoal over the ceiling', value: wall(bare) / wall(shoal), unit: '×' },
      { name: 'Shoal over copy and sha256sum', value: wall(copying) / wall(shoal), unit: '×' },
      { name: 'CPU of both engines', value: cpu(shoal), unit: 's/GiB', note: `seeder ${median(shoal.map((r) => r.seeder)).toFixed(2)}, downloader ${median(shoal.map((r) => r.downloader)).toFixed(2)}` },
      { name: 'CPU of bare TLS, both sides', value: cpu(bare), unit: 's/GiB' },
      { name: 'peak memory of the seeder', value: peakMiB(alice.processId), unit: 'MiB' },
      { name: 'peak memory of the downloader', value: peakMiB(bob.processId), unit: 'MiB' },
      { name: 'sharing 1 GiB (tree and SHA-256 in one read)', value: wall(sharing), unit: 's' },
      { name: 'sha256sum of 1 GiB', value: wall(summing), unit: 's' },
      { name: 'sharing over sha256sum', value: wall(summing) / wall(sharing), unit: '×' },
    ];
  } finally {
    await processes.close();
  }
}

async function share(one: RealEngine, file: string, name: string): Promise<Round> {
  const before = cpuSeconds(one.processId);
  const began = performance.now();
  await one.connection.call('share', { group: 'bench', path: file, name, replace: true });
  await one.whole(name);
  return { seconds: (performance.now() - began) / 1000, cpu: cpuSeconds(one.processId) - before };
}

async function download(processes: RealProcesses, alice: RealEngine, bob: RealEngine, name: string): Promise<Round & { seeder: number; downloader: number }> {
  const folder = processes.makeFolder('downloads', name);
  const before = [cpuSeconds(alice.processId), cpuSeconds(bob.processId)] as const;
  const began = performance.now();
  const { transfer: id } = await bob.connection.call('download', { group: 'bench', name, path: folder, asFile: false, rename: false, mode: 'rarest' });
  await bob.whole(name);
  const seconds = (performance.now() - began) / 1000;
  const seeder = cpuSeconds(alice.processId) - before[0];
  const downloader = cpuSeconds(bob.processId) - before[1];
  // The next round must fetch the bytes anew: neither side may find them at home.
  await bob.connection.call('cancelTransfer', { transfer: id });
  rmSync(folder, { recursive: true });
  return { seconds, cpu: seeder + downloader, seeder, downloader };
}

/** Reads a file and hashes it with the system's own program, or with this process where there is none. */
async function sum(file: string, began = performance.now()): Promise<Round> {
  const child = spawn('sha256sum', [file], { stdio: 'ignore' });
  const ran = await new Promise<boolean>((resolve) => child.once('error', () => resolve(false)).once('close', (code) => resolve(code === 0)));
  if (!ran) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  }
  return { seconds: (performance.now() - began) / 1000, cpu: 0 };
}

/** Two processes, one TLS 1.3 connection, 1 GiB from memory to nowhere. They print what it took. */
async function bareTls(): Promise<Round> {
  const child = spawn(process.execPath, [TLS_PEER, String(GIB)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return JSON.parse(output) as Round;
}
