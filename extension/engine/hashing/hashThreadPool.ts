// Hashing off the engine's thread, in worker threads that run hashWorker.ts: pieces travel as
// shared memory, only their place is posted; files are read there, by their descriptors.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Sequencer } from '../../../protocol/async/sequencer.ts';
import { asShoalError, isShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { DiskFile, Timer, World } from '../../../protocol/base/world.ts';
import { hashIfUnchanged } from './hasher.ts';
import type { HashResult, HashedFile, Hasher, HashOptions } from './hasher.ts';
import type { Job, JobAnswer, JobMessage } from './hashJobs.ts';
import { createPace, abandonPace } from './readPacer.ts';
import type { Shape } from './merkleTree.ts';
import { leavesPerPiece } from './merkleTree.ts';

/**
 * What such a thread runs. The build puts it into the bundle as a text of its own: to load all of
 * the bundle takes a thread 16 ms and 3.5 MiB more.
 */
declare const __SHOAL_HASH_WORKER__: string | undefined;

/**
 * A file from which on the help of another thread is worth its start, and that would hold up pieces
 * for too long.
 */
const LARGE_FROM_BYTES = 32 * 1024 * 1024;
/** How long that thread is kept for the next large file, in ms. */
const IDLE_THREAD_MS = 10_000;

/**
 * Hashes in worker threads, started when first needed: one for pieces as they arrive, and small
 * files between them; one for large files and for what is checked, so that neither holds up a
 * download. A large file has the help of a third thread: it is hashed twice. Large ones are read
 * one after the other, small ones beside them.
 *
 * @param world  its disk has real files: threads read them by their descriptors
 */
export function threadedHasher({ disk, clock }: Pick<World, 'disk' | 'clock'>): Hasher {
  const pieces = new HashThread();
  const files = new HashThread();
  const helper = new HashThread();
  const largeFiles = new Sequencer(); // one at a time: the others have no file open
  let helperEnds: Timer | undefined;
  let isClosed = false;
  const hashLarge = async (
    descriptor: number,
    shape: Shape,
    options?: HashOptions,
  ): Promise<HashResult | undefined> => {
    helperEnds?.cancel();
    try {
      return await hashInParallel(files, helper, descriptor, shape, options);
    } finally {
      if (!isClosed) helperEnds = clock.after(IDLE_THREAD_MS, () => void helper.close());
    }
  };
  return {
    async hashFile(path, pieceBytes, options) {
      // Whatever is wrong with the file is said when it is opened.
      const stat = await disk.stat(path).catch(() => undefined);
      const isLarge = (stat?.sizeBytes ?? 0) >= LARGE_FROM_BYTES;
      if (isLarge && availableParallelism() > 1) {
        return largeFiles.run(async () => {
          if (isClosed) throw new ShoalError('cancelled');
          return hashIfUnchanged(disk, path, pieceBytes, (file, shape) =>
            hashLarge(descriptorOf(file), shape, options),
          );
        }, options?.signal);
      }
      return (isLarge ? files : pieces).run({ do: 'hashFile', path, pieceBytes }, options) as Promise<HashedFile>;
    },
    store: (file, shape, piece, bytes, expected) =>
      pieces.run({
        do: 'store',
        descriptor: descriptorOf(file),
        at: piece * shape.pieceBytes,
        leaves: leavesPerPiece(shape),
        bytes,
        expected: new Uint8Array(expected),
      }) as Promise<boolean>,
    check: (file, shape, pieceHashes, skip, options) =>
      files.run(
        { do: 'check', descriptor: descriptorOf(file), shape, pieceHashes, skip: skip.bytes() },
        options,
      ) as Promise<readonly number[]>,
    verify: (shape, bytes, expected) =>
      pieces.run({
        do: 'verify',
        leaves: leavesPerPiece(shape),
        bytes,
        expected: new Uint8Array(expected),
      }) as Promise<boolean>,
    hash: (shape, bytes) => files.run({ do: 'hash', leaves: leavesPerPiece(shape), bytes }) as Promise<Uint8Array>,
    async close() {
      isClosed = true;
      helperEnds?.cancel();
      await Promise.all([pieces, files, helper].map((thread) => thread.close()));
    },
  };
}

/**
 * The tree in one thread, and the sum of the whole in another. The file may be closed when this
 * ends: both are done then.
 */
async function hashInParallel(
  trees: HashThread,
  sums: HashThread,
  descriptor: number,
  shape: Shape,
  options?: HashOptions,
): Promise<HashResult | undefined> {
  const pace = createPace();
  // Whoever has ended, be it too early, must not be waited for.
  const apace = <T>(job: Promise<unknown>): Promise<T | undefined> =>
    job.finally(() => abandonPace(pace)) as Promise<T | undefined>;
  const [tree, sum] = await Promise.allSettled([
    apace<Pick<HashResult, 'root' | 'pieceHashes'>>(trees.run({ do: 'tree', descriptor, shape, pace }, options)),
    apace<Pick<HashResult, 'sha256'>>(sums.run({ do: 'sum', descriptor, shape, pace })),
  ]);
  if (tree.status === 'fulfilled' && sum.status === 'fulfilled') {
    return tree.value && sum.value && { ...tree.value, ...sum.value };
  }
  // One that says `cancelled` may have failed only because the other came to its end: what that one
  // says counts.
  const failures = [tree, sum].flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
  const failure = failures.find((error) => !isShoalError(error, 'cancelled'));
  if (failure) throw failure;
  const isShorter = [tree, sum].some((one) => one.status === 'fulfilled' && one.value === undefined);
  if (isShorter && options?.signal?.aborted !== true) return undefined;
  throw new ShoalError('cancelled');
}

function descriptorOf(file: DiskFile): number {
  if (file.descriptor === undefined) throw new Error('worker threads need real files');
  return file.descriptor;
}

/**
 * Memory for short-lived objects of such a thread, in MiB: it makes few, and the default would take
 * 50.
 */
const YOUNG_MIB_MAX = 4;

interface PendingJob {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly progress: ((doneBytes: number) => void) | undefined;
}

class HashThread {
  #worker: Worker | undefined;
  #jobs = 0;
  readonly #pending = new Map<number, PendingJob>();

  run(job: Job, { signal, progress }: HashOptions = {}): Promise<unknown> {
    const id = ++this.#jobs;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new ShoalError('cancelled'));
      const onAbort = (): void => this.#worker?.postMessage({ cancel: id } satisfies JobMessage);
      signal?.addEventListener('abort', onAbort, { once: true });
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener('abort', onAbort);
          this.#pending.delete(id);
          if (this.#pending.size === 0) this.#worker?.unref();
          then(value);
        };
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject), progress });
      const worker = (this.#worker ??= this.#start());
      worker.ref();
      worker.postMessage({ id, job } satisfies JobMessage);
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    for (const waiting of [...this.#pending.values()]) waiting.reject(new ShoalError('cancelled'));
    await worker?.terminate();
  }

  #start(): Worker {
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MIB_MAX };
    const isBundle = typeof __SHOAL_HASH_WORKER__ === 'string';
    const worker = isBundle
      ? new Worker(__SHOAL_HASH_WORKER__, { eval: true, resourceLimits })
      : new Worker(new URL('./hashWorker.ts', import.meta.url), { resourceLimits });
    worker.on('message', (answer: JobAnswer) => {
      const waiting = this.#pending.get(answer.id);
      if ('progress' in answer) waiting?.progress?.(answer.progress);
      else if ('value' in answer) waiting?.resolve(answer.value);
      else waiting?.reject(toError(answer.error));
    });
    worker.on('error', (error) => {
      // The thread is gone with all its jobs; the next job starts another.
      if (this.#worker === worker) this.#worker = undefined;
      for (const waiting of [...this.#pending.values()]) waiting.reject(asShoalError(error));
    });
    return worker;
  }
}

function toError(error: { code?: string; fields?: Record<string, string | number>; message: string }): Error {
  if (error.fields) return new ShoalError(error.code as ConstructorParameters<typeof ShoalError>[0], error.fields);
  return Object.assign(new Error(error.message), { code: error.code });
}
