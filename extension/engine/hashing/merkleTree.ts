// The hash tree of a file, as BitTorrent v2 defines it (BEP 52): SHA-256 over 16 KiB leaves,
// binary, missing leaves are zero hashes. A file of one piece is verified by its root alone; of a
// larger file the layer of piece hashes is kept, and any range of it is proven by the hashes beside
// its way up to the root. Pure; knows bytes and hashes, no files and no peers.
import { hash } from 'node:crypto';
import { HASH_BYTES } from '../../../protocol/base/ids.ts';
import type { Root } from '../../../protocol/base/ids.ts';
import { LEAF_BYTES, PIECE_BYTES_DEFAULT, PIECE_BYTES_MAX, PIECES_MAX } from '../../../protocol/base/limits.ts';

/** What a file's size comes to: how many pieces, and how long each is. */
export interface Shape {
  readonly sizeBytes: number;
  readonly pieceBytes: number;
  readonly pieces: number;
}

/** @param pieceBytes  a power of two of at least LEAF_BYTES */
export function shapeOf(sizeBytes: number, pieceBytes: number): Shape {
  return { sizeBytes, pieceBytes, pieces: Math.ceil(sizeBytes / pieceBytes) };
}

/**
 * The piece length for a file of this size: the usual one, doubled until the pieces are few enough
 * to count.
 */
export function pieceBytesFor(sizeBytes: number): number {
  let pieceBytes = PIECE_BYTES_DEFAULT;
  while (sizeBytes > pieceBytes * PIECES_MAX && pieceBytes < PIECE_BYTES_MAX) pieceBytes *= 2;
  return pieceBytes;
}

/** Bytes of one piece: the last may be shorter. */
export function lengthOf({ sizeBytes, pieceBytes }: Shape, piece: number): number {
  return Math.min(pieceBytes, sizeBytes - piece * pieceBytes);
}

/**
 * Leaves under one piece hash. The only piece of a small file has just as many as it needs (a power
 * of two).
 */
export function leavesPerPiece({ sizeBytes, pieceBytes, pieces }: Shape): number {
  return pieces > 1 ? pieceBytes / LEAF_BYTES : powerOfTwo(Math.ceil(sizeBytes / LEAF_BYTES));
}

/**
 * The hash of one piece: the root over its leaves.
 *
 * @param leaves  how many leaves the tree has room for, a power of two; those behind the bytes are
 *   zero hashes
 */
export function pieceHash(bytes: Uint8Array, leaves: number): Buffer {
  const count = Math.ceil(bytes.length / LEAF_BYTES);
  const level = Buffer.alloc(leaves * HASH_BYTES);
  for (let leaf = 0; leaf < count; leaf++) {
    sha256Into(level, leaf * HASH_BYTES, bytes.subarray(leaf * LEAF_BYTES, (leaf + 1) * LEAF_BYTES));
  }
  return reduce(level);
}

/** The root over a file's piece hashes, given back to back. An empty file has the zero hash. */
export function rootOf(pieceHashes: Uint8Array, shape: Shape): Root {
  if (shape.pieces === 0) return EMPTY_ROOT;
  if (shape.pieces === 1) return Buffer.from(pieceHashes).toString('hex') as Root;
  return reduce(padded(pieceHashes, shape)).toString('hex') as Root;
}

/** The piece layer, where the root says it all: of a file of at most one piece. */
export function pieceHashesOfRoot(root: Root, { pieces }: Shape): Uint8Array | undefined {
  return pieces <= 1 ? Buffer.from(root, 'hex').subarray(0, pieces * HASH_BYTES) : undefined;
}

/** The root of an empty file. BEP 52 gives such a file none. */
export const EMPTY_ROOT = '00'.repeat(HASH_BYTES) as Root;

/**
 * All levels above a file's piece layer, the layer first, the root last: what ranges are proven
 * from.
 */
export type Levels = readonly Buffer[];

export function levelsOf(pieceHashes: Uint8Array, shape: Shape): Levels {
  const levels = [padded(pieceHashes, shape)];
  for (let level = levels[0]; level && level.length > HASH_BYTES; level = levels.at(-1)) levels.push(parents(level));
  return levels;
}

export interface HashRange {
  /** Piece hashes from `first`, at most `count`; fewer at the end of the layer. */
  readonly hashes: Uint8Array;
  /** Siblings on the way from the range's own root to the file's. */
  readonly proof: Uint8Array;
}

/**
 * Whether a range may be asked for: `count` a power of two, `first` a multiple of it, within the
 * layer.
 */
export function isRange(shape: Shape, first: number, count: number): boolean {
  return (
    first >= 0 &&
    count > 0 &&
    count === powerOfTwo(count) &&
    first % count === 0 &&
    first < shape.pieces &&
    count <= powerOfTwo(shape.pieces)
  );
}

/** A range of the layer with its proof (BEP 52 `hashes`). */
export function rangeOf(levels: Levels, shape: Shape, first: number, count: number): HashRange {
  const hashes = at(levels[0], first, Math.min(count, shape.pieces - first));
  const proof: Buffer[] = [];
  let place = first / count;
  for (const level of levels.slice(Math.log2(count), -1)) {
    proof.push(at(level, place ^ 1, 1));
    place >>= 1;
  }
  return { hashes, proof: Buffer.concat(proof) };
}

/** Whether a range leads to the root of the file. */
export function provesRange(range: HashRange, shape: Shape, root: Root, first: number, count: number): boolean {
  const wanted = Math.min(count, shape.pieces - first);
  const steps = Math.log2(powerOfTwo(shape.pieces) / count);
  if (range.hashes.length !== wanted * HASH_BYTES || range.proof.length !== steps * HASH_BYTES) return false;
  let here = reduce(fill(range.hashes, count, padHash(shape)));
  let place = first / count;
  for (let step = 0; step < steps; step++) {
    const beside = Buffer.from(range.proof.subarray(step * HASH_BYTES, (step + 1) * HASH_BYTES));
    here = sha256(Buffer.concat(place % 2 === 0 ? [here, beside] : [beside, here]));
    place >>= 1;
  }
  return here.toString('hex') === root;
}

const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

/** As a string of bytes: making a buffer for each hash costs 0.6 µs, an eighth of a tree. */
function sha256Into(level: Buffer, place: number, bytes: Uint8Array): void {
  level.write(hash('sha256', bytes, 'binary'), place, HASH_BYTES, 'latin1');
}

const at = (level: Buffer | undefined, place: number, count: number): Buffer =>
  level?.subarray(place * HASH_BYTES, (place + count) * HASH_BYTES) ?? Buffer.alloc(0);

/** The smallest power of two that is not below n; 1 for 0. */
function powerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, n)));
}

function parents(level: Buffer): Buffer {
  const above = Buffer.allocUnsafe(level.length / 2);
  for (let place = 0; place < above.length; place += HASH_BYTES) {
    sha256Into(above, place, level.subarray(place * 2, (place + HASH_BYTES) * 2));
  }
  return above;
}

function reduce(level: Buffer): Buffer {
  let here = level;
  while (here.length > HASH_BYTES) here = parents(here);
  return here;
}

function fill(hashes: Uint8Array, count: number, pad: Buffer): Buffer {
  const whole = Buffer.alloc(count * HASH_BYTES, pad);
  whole.set(hashes);
  return whole;
}

const padded = (pieceHashes: Uint8Array, shape: Shape): Buffer =>
  fill(pieceHashes, powerOfTwo(shape.pieces), padHash(shape));

/** The hash of a piece that does not exist: a tree of zero hashes. */
function padHash(shape: Shape): Buffer {
  const leaves = leavesPerPiece(shape);
  let pad = PADS.get(leaves);
  if (!pad) PADS.set(leaves, (pad = reduce(Buffer.alloc(leaves * HASH_BYTES))));
  return pad;
}
const PADS = new Map<number, Buffer>();
