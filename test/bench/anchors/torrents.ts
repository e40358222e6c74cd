// BitTorrent clients beside ours: libtorrent (python3-libtorrent of Debian) and WebTorrent (npm),
// each in processes that are told what to do and whom to dial. No DHT, no trackers, no discovery,
// no µTP, no encryption; nothing leaves this machine.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { Contender } from './contender.ts';
import { startMeter } from './contender.ts';
import { debianPackage, npmPackage } from '../figures/install.ts';

const PYTHON = '/usr/bin/python3';
const LIBTORRENT = '/usr/lib/python3/dist-packages/libtorrent.cpython-311-x86_64-linux-gnu.so';
const LIBTORRENT_CLIENT = fileURLToPath(new URL('./torrentClient.py', import.meta.url));
const WEBTORRENT_CLIENT = fileURLToPath(new URL('./torrentClient.ts', import.meta.url));

/** What a client is told; it answers each word once. */
export type Word =
  | { readonly do: 'make'; readonly file: string; readonly torrent: string; readonly pieceBytes: number }
  | { readonly do: 'seed'; readonly torrent: string; readonly folder: string }
  | { readonly do: 'fetch'; readonly torrent: string; readonly folder: string; readonly ports: readonly number[] }
  | { readonly do: 'sent' }
  | { readonly do: 'drop' };

export class TorrentClient {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  port = 0;

  private constructor(child: ChildProcess & { stdout: NodeJS.ReadableStream }) {
    this.#child = child;
    this.#answers = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  static async start(processes: RealProcesses, program: string, args: readonly string[]): Promise<TorrentClient> {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], cwd: processes.folder });
    processes.adopt(child);
    const client = new TorrentClient(child);
    client.port = Number((await client.#answer())['port']);
    return client;
  }

  get processId(): number {
    return this.#child.pid ?? 0;
  }

  async does(word: Word): Promise<Readonly<Record<string, unknown>>> {
    this.#child.stdin?.write(`${JSON.stringify(word)}\n`);
    return this.#answer();
  }

  end(processes: RealProcesses): Promise<void> {
    return processes.kill(this.#child);
  }

  async #answer(): Promise<Readonly<Record<string, unknown>>> {
    const { value, done = false } = await this.#answers.next();
    if (done) throw new Error('it has ended');
    return JSON.parse(String(value)) as Record<string, unknown>;
  }
}

/** Starts a client. `tuned`: with libtorrent's settings for a fast seeder. */
export type Start = (processes: RealProcesses, upLimitBytesPerS: number, tuned: boolean) => Promise<TorrentClient>;

export const torrentClients: Readonly<Record<string, Start>> = {
  async libtorrent(processes, upLimitBytesPerS, tuned) {
    await debianPackage('python3-libtorrent', LIBTORRENT);
    return TorrentClient.start(processes, PYTHON, [
      LIBTORRENT_CLIENT,
      String(upLimitBytesPerS),
      tuned ? 'tuned' : 'default',
    ]);
  },
  async WebTorrent(processes, upLimitBytesPerS) {
    return TorrentClient.start(processes, process.execPath, [
      WEBTORRENT_CLIENT,
      await npmPackage('webtorrent'),
      String(upLimitBytesPerS),
    ]);
  },
};

/** A torrent of a file, made by libtorrent. */
export async function makeTorrent(processes: RealProcesses, file: string, pieceBytes: number): Promise<string> {
  const maker = await torrentClients['libtorrent']?.(processes, 0, false);
  const torrent = `${file}.torrent`;
  await maker?.does({ do: 'make', file, torrent, pieceBytes });
  return torrent;
}

export async function torrentContender(
  processes: RealProcesses,
  name: string,
  start: Start,
  source: string,
  torrent: string,
): Promise<Contender> {
  const seeder = await start(processes, 0, true);
  const downloader = await start(processes, 0, false);
  await seeder.does({ do: 'seed', torrent, folder: path.dirname(source) });
  return {
    name,
    async turn(into) {
      const meter = startMeter(seeder.processId, downloader.processId);
      await downloader.does({ do: 'fetch', torrent, folder: into, ports: [seeder.port] });
      const turn = meter();
      await downloader.does({ do: 'drop' });
      return { ...turn, file: path.join(into, path.basename(source)) };
    },
  };
}

/**
 * How long a swarm of one client takes, and what its seeder sends: the same question as to ours.
 * Each time with new processes, which know of everybody.
 */
export async function torrentSwarm(
  processes: RealProcesses,
  start: Start,
  source: string,
  torrent: string,
  downloaders: number,
  seederLine: number,
): Promise<{ seconds: number; cpu: number; sentBytes: number }> {
  const seeder = await start(processes, seederLine, true);
  await seeder.does({ do: 'seed', torrent, folder: path.dirname(source) });
  const others = await Promise.all(Array.from({ length: downloaders }, () => start(processes, 0, false)));
  const meters = [seeder, ...others].map(({ processId }) => startMeter(processId));
  const folders = others.map((_, n) => processes.makeFolder('swarm', String(n)));
  const began = performance.now();
  await Promise.all(
    others.map((one, n) =>
      one.does({
        do: 'fetch',
        torrent,
        folder: folders[n] ?? '',
        ports: [seeder.port, ...others.filter((other) => other !== one).map(({ port }) => port)],
      }),
    ),
  );
  const seconds = (performance.now() - began) / 1000;
  const cpu = meters.reduce((sum, meter) => sum + (meter().cpu?.[0] ?? 0), 0);
  const { bytes } = await seeder.does({ do: 'sent' });
  await Promise.all([seeder, ...others].map((one) => one.end(processes)));
  for (const folder of folders) rmSync(folder, { recursive: true });
  return { seconds, cpu, sentBytes: Number(bytes) };
}
