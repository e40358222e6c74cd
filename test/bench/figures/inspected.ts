// A built tracker whose memory is measured from outside: by the debugger's protocol, which collects
// garbage first. It is the program as people run it.
import path from 'node:path';
import { freePorts, TRACKER_BUNDLE } from '../../support/processes/realProcesses.ts';
import type { RealProcesses } from '../../support/processes/realProcesses.ts';

export interface Memory {
  /** All that the process has of the machine's memory, in bytes. */
  readonly rss: number;
  /** What of it JavaScript's values take, and buffers outside of its heap. */
  readonly held: number;
}

export class InspectedTracker {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #calls = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
      if (id === undefined) return;
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  /** @param folder  of a realm */
  static async start(processes: RealProcesses, folder: string): Promise<InspectedTracker> {
    const [port = 0] = await freePorts(1);
    await processes.start(
      `--inspect=127.0.0.1:${port}`,
      [TRACKER_BUNDLE, 'serve', path.join(folder, 'tracker-1')],
      /serves shoal:\/\//,
    );
    const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      webSocketDebuggerUrl: string;
    }[];
    const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('the tracker cannot be inspected')));
    });
    return new InspectedTracker(socket);
  }

  async memory(): Promise<Memory> {
    // Twice: what the first one finalizes is freed by the second.
    for (let n = 0; n < 2; n++) await this.#call('HeapProfiler.collectGarbage', {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { result } = (await this.#call('Runtime.evaluate', {
      expression: 'JSON.stringify(process.memoryUsage())',
      returnByValue: true,
    })) as { result: { value: string } };
    const { rss, heapUsed, external } = JSON.parse(result.value) as NodeJS.MemoryUsage;
    return { rss, held: heapUsed + external };
  }

  close(): void {
    this.#socket.close();
  }

  #call(method: string, params: object): Promise<unknown> {
    const id = ++this.#calls;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }
}
