// The hard work on bytes: hashing a file that is shared, verifying a piece and writing it, checking
// what is on disk after a restart. `Hasher` is what the engine sees; `inlineHasher` does it on the
// spot (simulations), hashThreadPool.ts off the engine's thread.
import { createHash } from 'node:crypto';
import type { Bitfield } from '../../../protocol/messages/bitfield.ts';
import { ShoalError, systemCode } from '../../../protocol/base/errors.ts';
import type { Root, Sha256 } from '../../../protocol/base/ids.ts';
import { HASH_BYTES } from '../../../protocol/base/ids.ts';
import type { Disk, DiskFile, DiskStat } from '../../../protocol/base/world.ts';
import type { Shape } from './merkleTree.ts';
import { leavesPerPiece, lengthOf, pieceHash, rootOf, shapeOf } from './merkleTree.ts';
import { identityMismatch } from './fileIdentity.ts';

export interface HashedFile {
  readonly shape: Shape;
  readonly root: Root;
  /** Piece hashes back to back; of a file of one piece, its root. */
  readonly pieceHashes: Uint8Array;
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
   * Hashes a file for sharing, tree and whole-file SHA-256, while the disk is read once.
   *
   * @throws ShoalError fileChanged when it changes meanwhile, fileMissing, fileUnreadable,
   *   cancelled
   */
  hashFile(path: string, pieceBytes: number, options?: HashOptions): Promise<HashedFile>;
  /**
   * Verifies a piece in memory and, if it is right, writes it. Returns whether it was right. Throws
   * what the disk throws.
   */
  store(file: DiskFile, shape: Shape, piece: number, bytes: Uint8Array, expected: Uint8Array): Promise<boolean>;
  /**
   * Which pieces of an unfinished file are right already. They are written again as they are: after
   * a sync that failed, memory may hold what the disk does not, and only what is written again is
   * in the next sync.
   *
   * @param skip  pieces that are known, and not read
   */
  check(
    file: DiskFile,
    shape: Shape,
    pieceHashes: Uint8Array,
    skip: Bitfield,
    options?: HashOptions,
  ): Promise<readonly number[]>;
  /** Whether the bytes of a piece are right. */
  verify(shape: Shape, bytes: Uint8Array, expected: Uint8Array): Promise<boolean>;
  /** The hash of a piece. */
  hash(shape: Shape, bytes: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The expected hash of one piece out of a layer. */
export const expectedHash = (pieceHashes: Uint8Array, piece: number): Uint8Array =>
  pieceHashes.subarray(piece * HASH_BYTES, (piece + 1) * HASH_BYTES);

/** Bytes at both ends of a piece that are looked at first. */
const PROBE_BYTES = 4096;

/**
 * Where to look whether a piece was ever written: its first and its last page. Where both are zero
 * it is taken for a hole, so that a file of which little has come is not hashed for minutes. If it
 * was no hole, it is fetched again.
 */
export function probesOf(
  shape: Shape,
  piece: number,
): readonly { readonly at: number; readonly lengthBytes: number }[] {
  const at = piece * shape.pieceBytes;
  const bytes = lengthOf(shape, piece);
  return [
    { at, lengthBytes: Math.min(PROBE_BYTES, bytes) },
    { at: at + Math.max(0, bytes - PROBE_BYTES), lengthBytes: Math.min(PROBE_BYTES, bytes) },
  ];
}

/** Bytes between two reports of progress. */
const PROGRESS_BYTES = 8 * 1024 * 1024;

/** Does everything at once, on the caller's thread, through the `Disk` it is given. */
export function inlineHasher(disk: Disk): Hasher {
  return {
    hashFile: (path, pieceBytes, { signal, progress } = {}) =>
      hashIfUnchanged(disk, path, pieceBytes, async (file, shape) => {
        const pieceHashes = Buffer.alloc(shape.pieces * HASH_BYTES);
        const whole = createHash('sha256');
        const buffer = Buffer.alloc(Math.min(pieceBytes, shape.sizeBytes));
        for (let piece = 0; piece < shape.pieces; piece++) {
          if (signal?.aborted) throw new ShoalError('cancelled');
          const bytes = buffer.subarray(0, lengthOf(shape, piece));
          if ((await file.read(bytes, piece * pieceBytes)) !== bytes.length) return undefined;
          whole.update(bytes);
          pieceHashes.set(pieceHash(bytes, leavesPerPiece(shape)), piece * HASH_BYTES);
          if ((piece * pieceBytes) % PROGRESS_BYTES < pieceBytes) progress?.(piece * pieceBytes + bytes.length);
        }
        return { root: rootOf(pieceHashes, shape), pieceHashes, sha256: whole.digest('hex') as Sha256 };
      }),
    async store(file, shape, piece, bytes, expected) {
      if (!pieceHash(bytes, leavesPerPiece(shape)).equals(expected)) return false;
      await file.write(bytes, piece * shape.pieceBytes);
      return true;
    },
    async check(file, shape, pieceHashes, skip, { signal, progress } = {}) {
      const right: number[] = [];
      const buffer = Buffer.alloc(Math.min(shape.pieceBytes, shape.sizeBytes));
      for (let piece = 0; piece < shape.pieces; piece++) {
        if (signal?.aborted) throw new ShoalError('cancelled');
        if (skip.has(piece) || (await isHole(file, shape, piece))) continue;
        const bytes = buffer.subarray(0, lengthOf(shape, piece));
        const whole = (await file.read(bytes, piece * shape.pieceBytes)) === bytes.length;
        if (whole && pieceHash(bytes, leavesPerPiece(shape)).equals(expectedHash(pieceHashes, piece))) {
          await file.write(bytes, piece * shape.pieceBytes);
          right.push(piece);
        }
        if ((piece * shape.pieceBytes) % PROGRESS_BYTES < shape.pieceBytes) {
          progress?.(piece * shape.pieceBytes + bytes.length);
        }
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

/** What is found by reading a file from its beginning to its end. */
export type HashResult = Pick<HashedFile, 'root' | 'pieceHashes' | 'sha256'>;

/**
 * Has a file read and hashed that must stay as it is meanwhile.
 *
 * @param read  resolves to undefined when there was less to read than there should be
 * @throws ShoalError fileMissing, notAFile, fileUnreadable, fileChanged
 */
export async function hashIfUnchanged(
  disk: Disk,
  path: string,
  pieceBytes: number,
  read: (file: DiskFile, shape: Shape) => Promise<HashResult | undefined>,
): Promise<HashedFile> {
  const file = await openForReading(disk, path);
  try {
    const stat = await file.stat();
    if (stat.kind !== 'file') throw new ShoalError('notAFile', { path });
    const shape = shapeOf(stat.sizeBytes, pieceBytes);
    const found = await read(file, shape);
    if (!found || identityMismatch(stat, await file.stat()) !== undefined) {
      throw new ShoalError('fileChanged', { name: path });
    }
    return { shape, stat, ...found };
  } finally {
    await file.close();
  }
}

/** @throws ShoalError fileMissing, notAFile, fileUnreadable */
export async function openForReading(disk: Disk, path: string): Promise<DiskFile> {
  try {
    return await disk.open(path, 'read');
  } catch (error) {
    throw openError(path, error);
  }
}

/** What it means to a person that a file could not be opened. */
export function openError(path: string, error: unknown): ShoalError {
  const code = systemCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return new ShoalError('fileMissing', { path }, { cause: error });
  if (code === 'EISDIR' || code === 'ELOOP' || code === 'EMLINK') {
    return new ShoalError('notAFile', { path }, { cause: error });
  }
  return new ShoalError('fileUnreadable', { path, why: code ?? String(error) }, { cause: error });
}
