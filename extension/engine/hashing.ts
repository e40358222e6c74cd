// The hard work on bytes, off the engine's thread: hashing a file that is shared, verifying a piece and writing it, checking what
// is on disk after a restart. `Hasher` is what the engine sees; `inlineHasher` does it on the spot (simulations), and
// `workerHasher` in worker threads: pieces travel as shared memory, only their place is posted.
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Bitfield } from '../../protocol/bitfield.ts';
import { asShoalError, ShoalError, systemCode } from '../../protocol/errors.ts';
import type { Root, Sha256 } from '../../protocol/ids.ts';
import { HASH_BYTES } from '../../protocol/ids.ts';
import { LEAF_BYTES, PIECE_BYTES_DEFAULT } from '../../protocol/limits.ts';
import type { Disk, DiskFile, DiskStat } from '../../protocol/world.ts';
import { createRing, giveUpRing } from './hashRing.ts';
import type { Shape } from './hashTree.ts';
import { leavesPerPiece, lengthOf, pieceHash, rootOf } from './hashTree.ts';
import { whyUnlike } from './fileIdentity.ts';

export interface HashedFile {
  readonly shape: Shape;
  readonly root: Root;
  /** Piece hashes back to back; of a file of one piece, its root. */
  readonly layer: Uint8Array;
  readonly sha256: Sha256;
  /** What the file was while it was read. */
  readonly stat: DiskStat;
}

export interface HashOptions {
  readonly signal?: AbortSignal;
  /** Told now and then how many bytes are done. */
  readonly progress?: (doneBytes: number) => void;
}

export interface Hasher {
  /**
   * Hashes a file for sharing: tree and whole-file SHA-256 in one read.
   *
   * @throws ShoalError fileChanged when it changes meanwhile, fileMissing, fileUnreadable, cancelled
   */
  hashFile(path: string, pieceBytes: number, options?: HashOptions): Promise<HashedFile>;
  /** Verifies a piece in memory and, if it is right, writes it. Returns whether it was right. Throws what the disk throws. */
  store(file: DiskFile, shape: Shape, piece: number, bytes: Uint8Array, expected: Uint8Array): Promise<boolean>;
  /**
   * Which pieces of an unfinished file are right already. They are written again as they are: after a sync that failed, memory may hold what
   * the disk does not, and only what is written again is in the next sync.
   *
   * @param skip  pieces that are known, and not read
   */
  check(file: DiskFile, shape: Shape, layer: Uint8Array, skip: Bitfield, options?: HashOptions): Promise<readonly number[]>;
  /** Whether the bytes of a piece are right. */
  verify(shape: Shape, bytes: Uint8Array, expected: Uint8Array): Promise<boolean>;
  /** The hash of a piece. */
  hash(shape: Shape, bytes: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The expected hash of one piece out of a layer. */
export const expectedHash = (layer: Uint8Array, piece: number): Uint8Array => layer.subarray(piece * HASH_BYTES, (piece + 1) * HASH_BYTES);

/** Bytes at both ends of a piece that are looked at first. */
const PROBE_BYTES = 4096;

/**
 * Where to look whether a piece was ever written: its first and its last page. Where both are zero it is taken for a hole, so that a file of
 * which little has come is not hashed for minutes. If it was no hole, it is fetched again.
 */
export function probesOf(shape: Shape, piece: number): readonly { readonly at: number; readonly lengthBytes: number }[] {
  const at = piece * shape.pieceBytes;
  const bytes = lengthOf(shape, piece);
  return [{ at, lengthBytes: Math.min(PROBE_BYTES, bytes) }, { at: at + Math.max(0, bytes - PROBE_BYTES), lengthBytes: Math.min(PROBE_BYTES, bytes) }];
}

/** Bytes between two reports of progress. */
const PROGRESS_BYTES = 8 * 1024 * 1024;

/** Does everything at once, on the caller's thread, through the `Disk` it is given. */
export function inlineHasher(disk: Disk): Hasher {
  return {
    async hashFile(path, pieceBytes, { signal, progress } = {}) {
      const file = await openToRead(disk, path);
      try {
        const stat = await file.stat();
        if (stat.kind !== 'file') throw new ShoalError('notAFile', { path });
        const shape: Shape = { sizeBytes: stat.sizeBytes, pieceBytes, pieces: Math.ceil(stat.sizeBytes / pieceBytes) };
        const layer = Buffer.alloc(shape.pieces * HASH_BYTES);
        const whole = createHash('sha256');
        const buffer = Buffer.alloc(Math.min(pieceBytes, stat.sizeBytes));
        for (let piece = 0; piece < shape.pieces; piece++) {
          if (signal?.aborted) throw new ShoalError('cancelled');
          const bytes = buffer.subarray(0, lengthOf(shape, piece));
          if ((await file.read(bytes, piece * pieceBytes)) !== bytes.length) throw new ShoalError('fileChanged', { name: path });
          whole.update(bytes);
          layer.set(pieceHash(bytes, leavesPerPiece(shape)), piece * HASH_BYTES);
          if ((piece * pieceBytes) % PROGRESS_BYTES < pieceBytes) progress?.(piece * pieceBytes + bytes.length);
        }
        if (whyUnlike(stat, await file.stat()) !== undefined) throw new ShoalError('fileChanged', { name: path });
        return { shape, root: rootOf(layer, shape), layer, sha256: whole.digest('hex') as Sha256, stat };
      } finally {
        await file.close();
      }
    },
    async store(file, shape, piece, bytes, expected) {
      if (!pieceHash(bytes, leavesPerPiece(shape)).equals(expected)) return false;
      await file.write(bytes, piece * shape.pieceBytes);
      return true;
    },
    async check(file, shape, layer, skip, { signal, progress } = {}) {
      const right: number[] = [];
      const buffer = Buffer.alloc(Math.min(shape.pieceBytes, shape.sizeBytes));
      for (let piece = 0; piece < shape.pieces; piece++) {
        if (signal?.aborted) throw new ShoalError('cancelled');
        if (skip.has(piece) || await isHole(file, shape, piece)) continue;
        const bytes = buffer.subarray(0, lengthOf(shape, piece));
        const whole = (await file.read(bytes, piece * shape.pieceBytes)) === bytes.length;
        if (whole && pieceHash(bytes, leavesPerPiece(shape)).equals(expectedHash(layer, piece))) {
          await file.write(bytes, piece * shape.pieceBytes);
          right.push(piece);
        }
        if ((piece * shape.pieceBytes) % PROGRESS_BYTES < shape.pieceBytes) progress?.(piece * shape.pieceBytes + bytes.length);
      }
      return right;
    },
    verify: (shape, bytes, expected) => Promise.resolve(pieceHash(bytes, leavesPerPiece(shape)).equals(expected)),
    hash: (shape, bytes) => Promise.resolve(pieceHash(bytes, leavesPerPiece(shape))),
    close: () => Promise.resolve(),
  };
}

async function isHole(file: DiskFile, shape: Shape, piece: number): Promise<boolean> {
  for (const { at, lengthBytes } of probesOf(shape, piece)) {
    const probe = Buffer.alloc(lengthBytes);
    await file.read(probe, at);
    if (!isZero(probe)) return false;
  }
  return true;
}

/** Whether there is nothing but zeros. */
export const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** @throws ShoalError fileMissing, notAFile, fileUnreadable */
export async function openToRead(disk: Disk, path: string): Promise<DiskFile> {
  try {
    return await disk.open(path, 'read');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new ShoalError('fileMissing', { path }, { cause: error });
    if (code === 'EISDIR' || code === 'ELOOP' || code === 'EMLINK') throw new ShoalError('notAFile', { path }, { cause: error });
    throw new ShoalError('fileUnreadable', { path, why: code ?? String(error) }, { cause: error });
  }
}

/** What is posted to a worker. Content is shared memory, never copied; of small things only what is needed (a view would bring all that lies behind it). */
export type Job =
  | { readonly do: 'hashFile'; readonly path: string; readonly pieceBytes: number; readonly ring: SharedArrayBuffer | undefined }
  | { readonly do: 'tree'; readonly ring: SharedArrayBuffer; readonly leaves: number }
  | { readonly do: 'store'; readonly descriptor: number; readonly at: number; readonly leaves: number; readonly bytes: Uint8Array; readonly expected: Uint8Array }
  | { readonly do: 'check'; readonly descriptor: number; readonly shape: Shape; readonly layer: Uint8Array; readonly skip: Uint8Array }
  | { readonly do: 'hash'; readonly leaves: number; readonly bytes: Uint8Array }
  | { readonly do: 'verify'; readonly leaves: number; readonly bytes: Uint8Array; readonly expected: Uint8Array };
export type JobMessage = { readonly id: number; readonly job: Job } | { readonly cancel: number };
export type JobAnswer =
  | { readonly id: number; readonly progress: number }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly code?: string; readonly fields?: Record<string, string | number>; readonly message: string } };

/** What marks a worker thread as one of these (hashWorker.ts reads it). */
export const HASH_WORKER = 'shoal hashing';

/**
 * Hashes in two worker threads, started when first needed: one for pieces as they arrive, one for whole files, so that sharing a
 * large file does not hold up a download. A large file gets a second thread for as long as it takes: it is hashed twice.
 *
 * @param entry  the module the workers run: it must import hashWorker.ts (the bundle itself does)
 */
export function workerHasher(entry: URL): Hasher {
  const pieces = new HashThread(entry);
  const files = new HashThread(entry);
  return {
    async hashFile(path, pieceBytes, options) {
      const isLarge = pieceBytes <= PIECE_BYTES_DEFAULT && availableParallelism() > 1 && await sizeOf(path) >= TWO_THREADS_FROM_BYTES;
      return isLarge ? hashTogether(files, new HashThread(entry), path, pieceBytes, options) : files.run({ do: 'hashFile', path, pieceBytes, ring: undefined }, options) as Promise<HashedFile>;
    },
    store: (file, shape, piece, bytes, expected) => pieces.run({ do: 'store', descriptor: descriptorOf(file), at: piece * shape.pieceBytes, leaves: leavesPerPiece(shape), bytes, expected: new Uint8Array(expected) }) as Promise<boolean>,
    check: (file, shape, layer, skip, options) => files.run({ do: 'check', descriptor: descriptorOf(file), shape, layer, skip: skip.bytes() }, options) as Promise<readonly number[]>,
    verify: (shape, bytes, expected) => pieces.run({ do: 'verify', leaves: leavesPerPiece(shape), bytes, expected: new Uint8Array(expected) }) as Promise<boolean>,
    hash: (shape, bytes) => files.run({ do: 'hash', leaves: leavesPerPiece(shape), bytes }) as Promise<Uint8Array>,
    async close() {
      await Promise.all([pieces.close(), files.close()]);
    },
  };
}

/** The sum of the whole in one thread, which reads, and the tree in another. */
async function hashTogether(files: HashThread, trees: HashThread, path: string, pieceBytes: number, options?: HashOptions): Promise<HashedFile> {
  const ring = createRing();
  try {
    const tree = trees.run({ do: 'tree', ring, leaves: pieceBytes / LEAF_BYTES }) as Promise<Uint8Array>;
    tree.catch(() => giveUpRing(ring));
    const hashed = await (files.run({ do: 'hashFile', path, pieceBytes, ring }, options) as Promise<HashedFile>);
    const layer = await tree;
    // It is large, so it has several pieces, unless it was cut meanwhile.
    if (hashed.shape.pieces < 2) throw new ShoalError('fileChanged', { name: path });
    return { ...hashed, layer, root: rootOf(layer, hashed.shape) };
  } finally {
    giveUpRing(ring);
    await trees.close();
  }
}

/** 0 when it cannot be told; whoever reads it says why. */
const sizeOf = (path: string): Promise<number> => stat(path).then(({ size }) => size, () => 0);

function descriptorOf(file: DiskFile): number {
  if (file.descriptor === undefined) throw new Error('worker threads need real files');
  return file.descriptor;
}

/** A file from which on a second thread is worth its start. */
const TWO_THREADS_FROM_BYTES = 32 * 1024 * 1024;

/** Memory for short-lived objects of such a thread, in MiB: it makes few, and the default would take 50. */
const YOUNG_MIB_MAX = 4;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly progress: ((doneBytes: number) => void) | undefined;
}

class HashThread {
  readonly #entry: URL;
  #worker: Worker | undefined;
  #jobs = 0;
  readonly #waiting = new Map<number, Waiting>();

  constructor(entry: URL) {
    this.#entry = entry;
  }

  run(job: Job, { signal, progress }: HashOptions = {}): Promise<unknown> {
    const id = ++this.#jobs;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new ShoalError('cancelled'));
      const onAbort = (): void => this.#worker?.postMessage({ cancel: id } satisfies JobMessage);
      signal?.addEventListener('abort', onAbort, { once: true });
      const settle = <T>(then: (value: T) => void) => (value: T): void => {
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(id);
        if (this.#waiting.size === 0) this.#worker?.unref();
        then(value);
      };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject), progress });
      const worker = (this.#worker ??= this.#start());
      worker.ref();
      worker.postMessage({ id, job } satisfies JobMessage);
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    for (const waiting of [...this.#waiting.values()]) waiting.reject(new ShoalError('cancelled'));
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, { workerData: HASH_WORKER, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB_MAX } });
    worker.on('message', (answer: JobAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      if ('progress' in answer) waiting?.progress?.(answer.progress);
      else if ('value' in answer) waiting?.resolve(answer.value);
      else waiting?.reject(thrown(answer.error));
    });
    worker.on('error', (error) => {
      // The thread is gone with all its jobs; the next job starts another.
      if (this.#worker === worker) this.#worker = undefined;
      for (const waiting of [...this.#waiting.values()]) waiting.reject(asShoalError(error));
    });
    return worker;
  }
}

function thrown(error: { code?: string; fields?: Record<string, string | number>; message: string }): Error {
  if (error.fields) return new ShoalError(error.code as ConstructorParameters<typeof ShoalError>[0], error.fields);
  return Object.assign(new Error(error.message), { code: error.code });
}
