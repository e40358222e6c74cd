// A pair of trackers behind lines that count what an engine sends and receives and may delay it:
// TCP on loopback, in this process. Identities are pinned from end to end, so nobody notices. Linux
// only: it needs more than one address on loopback.
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { freePorts, RealPair, TRACKER_BUNDLE } from '../support/processes/realProcesses.ts';
import type { RealProcesses } from '../support/processes/realProcesses.ts';
import { untilPaired } from './benchRealm.ts';
import { median } from './measure.ts';

/** Where lines begin; what they lead to listens at the same port of 127.0.0.1. */
export const LINE_HOST = '127.0.0.9';
const HOST = '127.0.0.1';

export class Lines {
  /** Bytes both ways of what was dialled while `isCounting`. */
  bytes = 0;
  isCounting = false;
  /** One way, in ms. */
  delayMs = 0;
  readonly #servers: net.Server[] = [];
  readonly #sockets = new Set<net.Socket>();

  async to(port: number): Promise<void> {
    const server = net
      .createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
        const far = net.connect({ host: HOST, port, noDelay: true, allowHalfOpen: true });
        this.#carry(near, far, this.isCounting);
        this.#carry(far, near, this.isCounting);
        // A dial takes a round trip on a real line; here the near end answers at once, so the first
        // bytes wait for it.
        if (this.delayMs > 0) {
          near.pause();
          setTimeout(() => near.resume(), 2 * this.delayMs);
        }
      })
      .listen(port, LINE_HOST);
    await once(server, 'listening');
    this.#servers.push(server);
  }

  /** Cuts every line that is in use; they can be dialled anew. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** How long there and back takes, in ms, with what timers add to the delay. */
  async roundTripMs(): Promise<number> {
    const echo = net.createServer((socket) => socket.setNoDelay(true).pipe(socket)).listen(0, HOST);
    await once(echo, 'listening');
    const { port } = echo.address() as net.AddressInfo;
    await this.to(port);
    const socket = net.connect({ host: LINE_HOST, port, noDelay: true });
    const times: number[] = [];
    for (let n = 0; n < 10; n++) {
      const began = performance.now();
      socket.write('x');
      await once(socket, 'data');
      times.push(performance.now() - began);
    }
    socket.destroy();
    echo.close();
    return median(times);
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.cut();
  }

  #carry(from: net.Socket, to: net.Socket, isCounted: boolean): void {
    this.#sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => this.#sockets.delete(from));
    from.on('data', (chunk: Buffer) => {
      if (isCounted) this.bytes += chunk.length;
      this.#later(() => to.write(chunk));
    });
    from.on('end', () => this.#later(() => to.end()));
  }

  /** Timers of one length go off in their order, so bytes keep theirs. */
  #later(then: () => void): void {
    if (this.delayMs === 0) then();
    else setTimeout(then, this.delayMs);
  }
}

/**
 * A pair that is found at the near end of lines. Its trackers' own link goes through them, too, and
 * is not counted.
 */
export async function pairBehind(processes: RealProcesses, lines: Lines): Promise<RealPair> {
  const ports = await freePorts(2);
  const folder = path.join(processes.folder, 'realm');
  const made = await processes.run(TRACKER_BUNDLE, [
    'init',
    folder,
    ...ports.flatMap((port) => ['--tracker', `${LINE_HOST}:${port}`]),
    '--json',
  ]);
  const { url } = JSON.parse(made.stdout) as { url: string };
  for (const port of ports) await lines.to(port);
  const pair = new RealPair(processes, folder, url);
  await Promise.all(
    ports.map((port, n) =>
      processes.start(
        TRACKER_BUNDLE,
        ['serve', path.join(folder, `tracker-${n + 1}`), '--listen', `${HOST}:${port}`],
        /serves shoal:\/\//,
      ),
    ),
  );
  await untilPaired(pair);
  lines.isCounting = true;
  return pair;
}
