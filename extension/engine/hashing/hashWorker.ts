// The other end of hashThreadPool.ts: a worker thread that hashes, verifies and writes. Works
// synchronously: it has the thread to itself, and a synchronous read or write of cached pages costs
// less than handing it to the pool.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { Bitfield } from '../../../protocol/messages/bitfield.ts';
import { isShoalError, ShoalError, systemCode } from '../../../protocol/base/errors.ts';
import { HASH_BYTES } from '../../../protocol/base/ids.ts';
import type { Sha256 } from '../../../protocol/base/ids.ts';
import { toStat } from '../../../protocol/node/nodeDisk.ts';
import { expectedHash, isZero, openError, probesOf } from './hasher.ts';
import type { HashResult, HashedFile } from './hasher.ts';
import { identityMismatch } from './fileIdentity.ts';
import { Pacer } from './readPacer.ts';
import type { Job, JobAnswer, JobMessage } from './hashJobs.ts';
import type { Shape } from './merkleTree.ts';
import { leavesPerPiece, lengthOf, pieceHash, rootOf, shapeOf } from './merkleTree.ts';

/** Bytes between two reports of progress, and between two looks whether the job was cancelled. */
const PROGRESS_BYTES = 16 * 1024 * 1024;

parentPort?.on('message', onMessage);

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
    answer({
      id,
      error: {
        message: (error as Error).message,
        ...(code && { code }),
        ...(isShoalError(error) && { fields: { ...error.fields } }),
      },
    });
  }
}

/**
 * While a long job runs the event loop stands still; cancellations are taken off the port by hand,
 * other jobs run in their turn.
 */
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
        parentPort.postMessage({
          id: message.cancel,
          error: { code: 'cancelled', fields: {}, message: 'cancelled' },
        } satisfies JobAnswer);
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
  if (job.do === 'tree') return treeOf(job, report);
  if (job.do === 'sum') return sumOf(job);
  return hashFile(job, report);
}

function store({ descriptor, at, leaves, bytes, expected }: Extract<Job, { do: 'store' }>): boolean {
  if (!pieceHash(bytes, leaves).equals(expected)) return false;
  writeAll(descriptor, bytes, at);
  return true;
}

function check(
  { descriptor, shape, pieceHashes, skip }: Extract<Job, { do: 'check' }>,
  report: (doneBytes: number) => void,
): readonly number[] {
  const right: number[] = [];
  const known = Bitfield.from(skip, shape.pieces);
  const reader = new PieceReader(descriptor, shape, report);
  for (let piece = 0; piece < shape.pieces; piece++) {
    if (known?.has(piece) || isHole(descriptor, shape, piece)) continue;
    const bytes = reader.read(piece);
    if (!bytes || !pieceHash(bytes, leavesPerPiece(shape)).equals(expectedHash(pieceHashes, piece))) continue;
    writeAll(descriptor, bytes, piece * shape.pieceBytes);
    right.push(piece);
  }
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
  for (let done = 0; done < bytes.length;) {
    done += fs.writeSync(descriptor, bytes, done, bytes.length - done, at + done);
  }
}

/**
 * Does what `hashUnchanged` does, without a word to another thread: a folder may have a hundred
 * thousand files.
 */
function hashFile(
  { path, pieceBytes }: Extract<Job, { do: 'hashFile' }>,
  report: (doneBytes: number) => void,
): HashedFile {
  const descriptor = open(path);
  try {
    const stat = toStat(fs.fstatSync(descriptor, { bigint: true }));
    if (stat.kind !== 'file') throw new ShoalError('notAFile', { path });
    const shape = shapeOf(stat.sizeBytes, pieceBytes);
    const pieceHashes = Buffer.alloc(shape.pieces * HASH_BYTES);
    const sum = createHash('sha256');
    const isThere = eachPiece(descriptor, shape, report, undefined, (piece, bytes) => {
      sum.update(bytes);
      pieceHashes.set(pieceHash(bytes, leavesPerPiece(shape)), piece * HASH_BYTES);
    });
    if (!isThere || identityMismatch(stat, toStat(fs.fstatSync(descriptor, { bigint: true }))) !== undefined) {
      throw new ShoalError('fileChanged', { name: path });
    }
    return { shape, stat, root: rootOf(pieceHashes, shape), pieceHashes, sha256: sum.digest('hex') as Sha256 };
  } finally {
    fs.closeSync(descriptor);
  }
}

function open(path: string): number {
  try {
    return fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    throw openError(path, error);
  }
}

/** A large file, in two threads. This one leads; undefined when the file has become shorter. */
function treeOf(
  { descriptor, shape, pace }: Extract<Job, { do: 'tree' }>,
  report: (doneBytes: number) => void,
): Pick<HashResult, 'root' | 'pieceHashes'> | undefined {
  const pieceHashes = Buffer.alloc(shape.pieces * HASH_BYTES);
  const isThere = eachPiece(descriptor, shape, report, new Pacer(pace, 'leader', shape.pieceBytes), (piece, bytes) =>
    pieceHashes.set(pieceHash(bytes, leavesPerPiece(shape)), piece * HASH_BYTES),
  );
  return isThere ? { root: rootOf(pieceHashes, shape), pieceHashes } : undefined;
}

/** And this one follows. */
function sumOf({ descriptor, shape, pace }: Extract<Job, { do: 'sum' }>): Pick<HashResult, 'sha256'> | undefined {
  const sum = createHash('sha256');
  const isThere = eachPiece(
    descriptor,
    shape,
    () => {},
    new Pacer(pace, 'follower', shape.pieceBytes),
    (_, bytes) => void sum.update(bytes),
  );
  return isThere ? { sha256: sum.digest('hex') as Sha256 } : undefined;
}

/** Hands over all pieces in order; returns whether all of them were there. */
function eachPiece(
  descriptor: number,
  shape: Shape,
  report: (doneBytes: number) => void,
  pacer: Pacer | undefined,
  take: (piece: number, bytes: Buffer) => void,
): boolean {
  const reader = new PieceReader(descriptor, shape, report);
  for (let piece = 0; piece < shape.pieces; piece++) {
    pacer?.wait(piece);
    const bytes = reader.read(piece);
    if (!bytes) return false;
    take(piece, bytes);
    pacer?.report(piece + 1);
  }
  return true;
}

/** Reads pieces of a file, in order, all into the same memory. */
class PieceReader {
  readonly #descriptor: number;
  readonly #shape: Shape;
  readonly #report: (doneBytes: number) => void;
  readonly #buffer: Buffer;
  #reported = 0;

  constructor(descriptor: number, shape: Shape, report: (doneBytes: number) => void) {
    this.#descriptor = descriptor;
    this.#shape = shape;
    this.#report = report;
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(shape.pieceBytes, shape.sizeBytes));
  }

  /** Undefined when less is there. */
  read(piece: number): Buffer | undefined {
    const at = piece * this.#shape.pieceBytes;
    if (at - this.#reported >= PROGRESS_BYTES) this.#report((this.#reported = at));
    const bytes = this.#buffer.subarray(0, lengthOf(this.#shape, piece));
    for (let have = 0; have < bytes.length;) {
      const count = fs.readSync(this.#descriptor, bytes, have, bytes.length - have, at + have);
      if (count === 0) return undefined;
      have += count;
    }
    return bytes;
  }
}
