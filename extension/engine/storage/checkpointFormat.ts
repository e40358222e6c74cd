// What is written down of an unfinished download so that its pieces count after a power cut: which
// part file, which file, which pieces. Pure: bytes to checkpoint and back; checkpoints.ts says when
// one is taken and where it lies.
//
//   head 16 · nonce 8 · root 32 · sizeBytes u64 · pieceBytes u32 · generation u64 · one bit per piece · CRC-32 of all that u32
import { crc32 } from 'node:zlib';
import { Bitfield } from '../../../protocol/messages/bitfield.ts';
import type { Root } from '../../../protocol/base/ids.ts';
import type { Shape } from '../hashing/merkleTree.ts';

/** First bytes of a checkpoint: what it is and its format. */
const HEAD = Buffer.from('shoal-ckpt-1\0\0\0\0', 'latin1');
const FIXED_BYTES = HEAD.length + 8 + 32 + 8 + 4 + 8;
const CRC_BYTES = 4;

/** What a checkpoint is about. One about anything else does not count. */
export interface CheckpointSubject {
  /**
   * 8 bytes in hex, drawn for each part file: a checkpoint of an older one must never vouch for the
   * holes of a newer.
   */
  readonly nonce: string;
  readonly root: Root;
  readonly shape: Shape;
}

export interface Checkpoint {
  /** Counts up; of two that can be read the higher one holds. */
  readonly generation: number;
  readonly held: Bitfield;
}

export function encodeCheckpoint(
  { nonce, root, shape }: CheckpointSubject,
  generation: number,
  bits: Uint8Array,
): Buffer {
  const bytes = Buffer.alloc(FIXED_BYTES + bits.length + CRC_BYTES);
  HEAD.copy(bytes);
  bytes.write(nonce, 16, 'hex');
  bytes.write(root, 24, 'hex');
  bytes.writeBigUInt64BE(BigInt(shape.sizeBytes), 56);
  bytes.writeUInt32BE(shape.pieceBytes, 64);
  bytes.writeBigUInt64BE(BigInt(generation), 68);
  bytes.set(bits, FIXED_BYTES);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -CRC_BYTES)), bytes.length - CRC_BYTES);
  return bytes;
}

/** Undefined unless it is whole, undamaged and about this subject. */
export function decodeCheckpoint(bytes: Uint8Array, subject: CheckpointSubject): Checkpoint | undefined {
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bitBytes = Math.ceil(subject.shape.pieces / 8);
  if (found.length !== FIXED_BYTES + bitBytes + CRC_BYTES) return undefined;
  if (crc32(found.subarray(0, -CRC_BYTES)) !== found.readUInt32BE(found.length - CRC_BYTES)) return undefined;
  const generation = Number(found.readBigUInt64BE(68));
  const bits = found.subarray(FIXED_BYTES, -CRC_BYTES);
  const isOurs = encodeCheckpoint(subject, generation, bits)
    .subarray(0, FIXED_BYTES)
    .equals(found.subarray(0, FIXED_BYTES));
  const held = isOurs ? Bitfield.from(bits, subject.shape.pieces) : undefined;
  return held && { generation, held };
}
