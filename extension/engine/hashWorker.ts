// The other end of workerHasher: a worker thread that hashes, verifies and writes. Works synchronously: it has the thread to itself,
// and a synchronous read or write of cached pages costs less than handing it to the pool.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { isMainThread, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Bitfield } from '../../protocol/bitfield.ts';
import { isShoalError, ShoalError, systemCode } from '../../protocol/errors.ts';
import { HASH_BYTES } from '../../protocol/ids.ts';
import { toStat } from '../../protocol/nodeDisk.ts';
import { whyUnlike } from './fileIdentity.ts';
import type { Job, JobAnswer, JobMessage } from './hashing.ts';
import { RingWriter, takeAll } from './hashRing.ts';
import { expectedHash, HASH_WORKER, isZero, probesOf } from './hashing.ts';
import type { Shape } from './hashTree.ts';
import { leavesPerPiece, lengthOf, pieceHash, rootOf, shapeOf } from './hashTree.ts';

/** Bytes between two reports of progress, and between two looks whether the job was cancelled. */
const PROGRESS_BYTES = 16 * 1024 * 1024;

/** Whether this thread was started to hash; the bundle's main module must then do nothing else. */
export const isHashWorker = !isMainThread && workerData === HASH_WORKER;

/** What a worker thread has to run to become one of these: this module, or in the bundle the bundle itself. */
export const hashWorkerEntry = new URL(import.meta.url);

if (isHashWorker) parentPort?.on('message', onMessage);

const cancelled = new Set<number>();

function onMessage(message: JobMessage): void {
  if ('cancel' in message) return; // of a job that is done already
  const { id, job } = message;
  const answer = (value: JobAnswer): void => parentPort?.postMessage(value);
  const report = (doneBytes: number): void => {
    answer({ id, progress: doneBytes });
    takeCancellations();
    if (cancelled.delete(id)) throw new ShoalError('cancelled');
  };
  try {
    answer({ id, value: run(job, report) });
  } catch (error) {
    const code = isShoalError(error) ? error.code : systemCode(error);
    answer({ id, error: { message: (error as Error).message, ...(code && { code }), ...(isShoalError(error) && { fields: { ...error.fields } }) } });
  }
}

/** While a long job runs the event loop stands still; cancellations are taken off the port by hand, other jobs run in their turn. */
const postponed: JobMessage[] = [];
function takeCancellations(): void {
  if (!parentPort) return;
  for (let next = receiveMessageOnPort(parentPort); next; next = receiveMessageOnPort(parentPort)) {
    const message = next.message as JobMessage;
    if ('cancel' in message) {
      cancelled.add(message.cancel);
      const waiting = postponed.findIndex((other) => 'id' in other && other.id === message.cancel);
      if (waiting >= 0) {
        postponed.splice(waiting, 1);
        cancelled.delete(message.cancel);
        parentPort.postMessage({ id: message.cancel, error: { code: 'cancelled', fields: {}, message: 'cancelled' } } satisfies JobAnswer);
      }
    } else {
      postponed.push(message);
    }
  }
  if (postponed.length > 0) setImmediate(runPostponed);
}
function runPostponed(): void {
  const next = postponed.shift();
  if (next) onMessage(next);
  if (postponed.length > 0) setImmediate(runPostponed);
}

function run(job: Job, report: (doneBytes: number) => void): unknown {
  if (job.do === 'store') return store(job);
  if (job.do === 'check') return check(job, report);
  if (job.do === 'hash') return new Uint8Array(pieceHash(job.bytes, job.leaves));
  if (job.do === 'verify') return pieceHash(job.bytes, job.leaves).equals(job.expected);
  if (job.do === 'tree') return layerOf(job);
  return hashFile(job, report);
}

function store({ descriptor, at, leaves, bytes, expected }: Extract<Job, { do: 'store' }>): boolean {
  if (!pieceHash(bytes, leaves).equals(expected)) return false;
  writeAll(descriptor, bytes, at);
  return true;
}

function check({ descriptor, shape, layer, skip }: Extract<Job, { do: 'check' }>, report: (doneBytes: number) => void): readonly number[] {
  const right: number[] = [];
  const known = Bitfield.from(skip, shape.pieces);
  const isWanted = (piece: number): boolean => !known?.has(piece) && !isHole(descriptor, shape, piece);
  eachPiece(descriptor, shape, report, (piece, bytes, whole) => {
    if (!whole || !pieceHash(bytes, leavesPerPiece(shape)).equals(expectedHash(layer, piece))) return;
    writeAll(descriptor, bytes, piece * shape.pieceBytes);
    right.push(piece);
  }, isWanted);
  return right;
}

function isHole(descriptor: number, shape: Shape, piece: number): boolean {
  return probesOf(shape, piece).every(({ at, lengthBytes }) => {
    const probe = Buffer.alloc(lengthBytes);
    fs.readSync(descriptor, probe, 0, lengthBytes, at);
    return isZero(probe);
  });
}

function writeAll(descriptor: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) done += fs.writeSync(descriptor, bytes, done, bytes.length - done, at + done);
}

/** With a ring, the tree is another thread's: layer and root are left empty here. */
function hashFile({ path, pieceBytes, ring }: Extract<Job, { do: 'hashFile' }>, report: (doneBytes: number) => void): unknown {
  const descriptor = open(path);
  try {
    const stat = toStat(fs.fstatSync(descriptor, { bigint: true }));
    if (stat.kind !== 'file') throw new ShoalError('notAFile', { path });
    const shape = shapeOf(stat.sizeBytes, pieceBytes);
    const layer = Buffer.alloc(shape.pieces * HASH_BYTES);
    const whole = createHash('sha256');
    const shared = ring && new RingWriter(ring);
    eachPiece(descriptor, shape, report, (piece, bytes, isWhole) => {
      if (!isWhole) throw new ShoalError('fileChanged', { name: path });
      shared?.put(bytes.length);
      whole.update(bytes);
      if (!shared) layer.set(pieceHash(bytes, leavesPerPiece(shape)), piece * HASH_BYTES);
    }, undefined, shared && ((bytes) => shared.place(bytes)));
    shared?.end();
    if (whyUnlike(stat, toStat(fs.fstatSync(descriptor, { bigint: true }))) !== undefined) throw new ShoalError('fileChanged', { name: path });
    return { shape, root: shared ? '' : rootOf(layer, shape), layer: shared ? new Uint8Array(0) : layer, sha256: whole.digest('hex'), stat };
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The piece hashes of what another thread reads. */
function layerOf({ ring, leaves }: Extract<Job, { do: 'tree' }>): Uint8Array {
  const hashes: Buffer[] = [];
  takeAll(ring, (bytes) => hashes.push(pieceHash(bytes, leaves)));
  return new Uint8Array(Buffer.concat(hashes));
}

function open(path: string): number {
  try {
    return fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new ShoalError('fileMissing', { path });
    if (code === 'ELOOP' || code === 'EMLINK') throw new ShoalError('notAFile', { path });
    throw new ShoalError('fileUnreadable', { path, why: code ?? String(error) });
  }
}

function eachPiece(descriptor: number, shape: Shape, report: (doneBytes: number) => void, take: (piece: number, bytes: Buffer, whole: boolean) => void, isWanted = (_piece: number): boolean => true, memory = ownMemory(shape)): void {
  let reported = 0;
  for (let piece = 0; piece < shape.pieces; piece++) {
    const at = piece * shape.pieceBytes;
    if (at - reported >= PROGRESS_BYTES) report((reported = at));
    if (!isWanted(piece)) continue;
    const bytes = memory(lengthOf(shape, piece));
    let have = 0;
    while (have < bytes.length) {
      const count = fs.readSync(descriptor, bytes, have, bytes.length - have, at + have);
      if (count === 0) break;
      have += count;
    }
    take(piece, bytes, have === bytes.length);
  }
}

/** One buffer for all pieces. */
function ownMemory(shape: Shape): (bytes: number) => Buffer {
  const buffer = Buffer.allocUnsafeSlow(Math.min(shape.pieceBytes, shape.sizeBytes));
  return (bytes) => buffer.subarray(0, bytes);
}
