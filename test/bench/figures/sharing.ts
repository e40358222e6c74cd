// How fast a file is hashed to be shared, beside what two cores can hash at all. Sharing hashes
// each byte twice: into the tree, and into the SHA-256 of the whole file.
import { hash } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { RealProcesses } from '../../support/processes/realProcesses.ts';
import type { RealEngine } from '../../support/processes/realProcesses.ts';
import { startGroup } from '../group.ts';
import type { Figure } from '../measure.ts';
import { makeRandomFile, median } from '../measure.ts';

const GIB = 1024 ** 3;
const ROUNDS = 5;
const THREADS = 2;
const CHUNK_BYTES = 1024 ** 2;

if (!isMainThread && workerData === import.meta.url) {
  // Memory that fits no cache, as a file in the page cache does not.
  const memory = Buffer.alloc(64 * CHUNK_BYTES, 7);
  parentPort?.on('message', () => {
    for (let at = 0; at < GIB; at += CHUNK_BYTES) {
      hash('sha256', memory.subarray(at % memory.length, (at % memory.length) + CHUNK_BYTES), 'buffer');
    }
    parentPort?.postMessage('done');
  });
}

export async function sharing(): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  const threads = Array.from(
    { length: THREADS },
    () => new Worker(new URL(import.meta.url), { workerData: import.meta.url }),
  );
  try {
    const [engine] = await startGroup(processes, ['alice'], await processes.startPair());
    if (!engine) throw new Error('there is no engine');
    const source = path.join(processes.makeFolder('source'), 'gib');
    makeRandomFile(source, GIB);
    // Nothing is written, so no memory is touched for the first time and none has to be warmed;
    // that would keep the cores busy for seconds.
    const ours: number[] = [];
    const ceiling: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ceiling.push(
        await timed(() =>
          Promise.all(
            threads.map(async (thread) => {
              thread.postMessage('go');
              await once(thread, 'message');
            }),
          ),
        ),
      );
      ours.push(await timed(() => share(engine, source, `gib-${round}`)));
    }
    const [hashed, possible] = [(2 * GIB) / 1e9 / median(ours), (THREADS * GIB) / 1e9 / median(ceiling)];
    return [
      {
        name: 'sharing 1 GiB (tree and SHA-256)',
        value: GIB / 1e9 / median(ours),
        unit: 'GB/s',
        note: `${median(ours).toFixed(2)} s; min ${Math.min(...ours).toFixed(2)}, max ${Math.max(...ours).toFixed(2)}`,
      },
      { name: 'hashed by it, each byte twice', value: hashed, unit: 'GB/s' },
      { name: 'SHA-256 in two threads, 1 MiB at once, from memory', value: possible, unit: 'GB/s' },
      { name: 'hashed over what two cores can', value: hashed / possible, unit: '×', target: { least: 0.8 } },
    ];
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
    await processes.close();
  }
}

/** Asked so seldom, in ms, that asking costs the two cores nothing: both hash. */
const LOOK_MS = 10;

/**
 * Resolves when the group knows of the file: asked for, because notices are merged to a few each
 * second.
 */
async function share({ connection, name: group }: RealEngine, file: string, name: string): Promise<void> {
  const { transfer } = await connection.call('share', { group, path: file, name, replace: true });
  for (let state = ''; state !== 'seeding'; await new Promise((resolve) => setTimeout(resolve, LOOK_MS))) {
    state = (await connection.call('status', {})).transfers.find(({ id }) => id === transfer)?.state ?? '';
    if (state === 'failed') throw new Error('it cannot be shared');
  }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return (performance.now() - began) / 1000;
}
