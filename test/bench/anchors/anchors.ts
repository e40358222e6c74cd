// Other trackers under the same closed loop: bittorrent-tracker from npm, installed beside the
// reports, and opentracker where the machine has it. Both are asked over plain HTTP, by requests
// that were written in advance, for one peer at most.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Root } from '../../../protocol/base/ids.ts';
import { freePorts } from '../../support/processes/realProcesses.ts';
import type { RealProcesses } from '../../support/processes/realProcesses.ts';
import { npmPackage } from '../figures/install.ts';
import type { Figure } from '../measure.ts';
import { cpuSeconds, median, percentile } from '../measure.ts';

const SERVER = fileURLToPath(new URL('./anchorServer.ts', import.meta.url));
interface Running {
  readonly port: number;
  readonly processId: number;
}

/** Figures of those that are there; a line for each that is not. */
export async function anchors(
  processes: RealProcesses,
  links: number,
  seconds: number,
  roots: readonly Root[],
): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [name, start] of [
    ['bittorrent-tracker', startBittorrentTracker],
    ['opentracker', startOpentracker],
  ] as const) {
    try {
      figures.push(await measure(name, await start(processes), links, seconds, roots));
    } catch (error) {
      process.stdout.write(`skipped: ${name} (${((error as Error).message.split('\n')[0] ?? '').slice(0, 120)})\n`);
    }
  }
  return figures;
}

async function startBittorrentTracker(processes: RealProcesses): Promise<Running> {
  const script = path.join(await npmPackage('bittorrent-tracker'), 'server.js');
  const { child, line } = await processes.start(SERVER, [script], /^listens on \d+$/);
  return { port: Number(/\d+$/.exec(line)?.[0]), processId: child.pid ?? 0 };
}

async function startOpentracker(processes: RealProcesses): Promise<Running> {
  const [port = 0] = await freePorts(1);
  const child = spawn('opentracker', ['-i', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
    cwd: processes.folder,
  });
  await once(child, 'spawn');
  processes.adopt(child);
  for (let tries = 0; tries < 50; tries++) {
    const socket = net.connect({ host: '127.0.0.1', port });
    const isUp = await new Promise<boolean>((resolve) =>
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    );
    socket.destroy();
    if (isUp) return { port, processId: child.pid ?? 0 };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it does not listen');
}

async function measure(
  name: string,
  { port, processId }: Running,
  links: number,
  seconds: number,
  roots: readonly Root[],
): Promise<Figure> {
  const hashes = roots.map((root) => (root.slice(0, 40).match(/../g) ?? []).map((byte) => `%${byte}`).join(''));
  const requests = Array.from({ length: links }, (_, n) =>
    hashes.map((hash) =>
      Buffer.from(
        `GET /announce?info_hash=${hash}&peer_id=-SH0001-${String(n).padStart(12, '0')}&port=${2_000 + n}&uploaded=0&downloaded=0&left=500&compact=1&numwant=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
      ),
    ),
  );
  const times: number[] = [];
  // Everybody is registered everywhere first, as at our own tracker.
  await Promise.all(requests.map((all) => askAll(port, (n) => all[n])));
  const before = cpuSeconds(processId);
  const began = performance.now();
  const until = began + seconds * 1000;
  await Promise.all(
    requests.map((all) =>
      askAll(
        port,
        () => (performance.now() < until ? all[Math.floor(Math.random() * all.length)] : undefined),
        (ms) => times.push(ms),
      ),
    ),
  );
  const cpuUs = ((cpuSeconds(processId) - before) * 1e6) / times.length;
  return {
    name: `${name} over plain HTTP, ${links} links, one at a time each`,
    value: times.length / ((performance.now() - began) / 1000),
    unit: '/s',
    note: `p50 ${median(times).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(2)} ms; ${cpuUs.toFixed(1)} CPU-µs each`,
  };
}

/**
 * Sends one request after the other over one connection, or over a new one each time where the
 * server ends it.
 */
async function askAll(
  port: number,
  next: (n: number) => Buffer | undefined,
  took: (ms: number) => void = () => {},
): Promise<void> {
  let socket: net.Socket | undefined;
  for (let n = 0, request = next(0); request; request = next(++n)) {
    const began = performance.now();
    if (!socket || socket.destroyed || socket.readableEnded) {
      socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
      socket.on('error', () => {});
    }
    socket.write(request);
    await answered(socket);
    took(performance.now() - began);
  }
  socket?.destroy();
}

/** Resolves when a whole answer has come: as long as its head says, or all up to the end. */
function answered(socket: net.Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const done = (end: (error: Error) => void, error?: Error): void => {
      socket.off('data', onData).off('close', onClose);
      if (error) end(error);
      else resolve();
    };
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const head = text.indexOf('\r\n\r\n');
      const length = head < 0 ? undefined : /content-length: (\d+)/i.exec(text.slice(0, head))?.[1];
      if (length !== undefined && text.length >= head + 4 + Number(length)) {
        done(
          reject,
          /^HTTP\/1\.[01] 200/.test(text) && !text.includes('failure reason')
            ? undefined
            : new Error(`it answered ${text.slice(0, 100)}`),
        );
      }
    };
    const onClose = (): void => done(reject, text.startsWith('HTTP/') ? undefined : new Error('it hung up'));
    socket.on('data', onData).on('close', onClose);
  });
}
