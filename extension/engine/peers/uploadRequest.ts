// What the upload queue is asked for, and by whom: the types that the queue shares with those who
// use it. No code.
import type { RawBytes } from '../../../protocol/wire/frame.ts';
import type { RateLimiter } from './rateLimiter.ts';

/** Who asks. Compared by identity. */
export interface UploadPeer {
  /**
   * Whether it has taken enough of what it was sent to get more: who reads slowly holds up nobody
   * else.
   */
  readonly isWritable: boolean;
  /** Resolves when it has, or is gone. */
  writable(): Promise<void>;
}

/** The file that is asked for. Compared by identity. */
export interface UploadFile {
  /** The limit of this file alone. */
  readonly uploadLimiter: RateLimiter;
  /** How many downloaders have a piece. */
  leechersWith(piece: number): number;
}

export interface UploadRequest {
  readonly peer: UploadPeer;
  readonly file: UploadFile;
  readonly piece: number;
  readonly offset: number;
  readonly lengthBytes: number;
  readonly signal: AbortSignal;
  /** Fills the memory; throws when the peer may not have it. */
  read(into: Uint8Array): Promise<void>;
}

/** Bytes to send, at most as many as were asked for, in memory with room in front. */
export type Upload = Required<RawBytes>;
