// What a swarm knows of one peer it exchanges with: what that one has, what it was asked for, how
// fast it answers. Holds the facts and answers questions about them; pieceFetcher.ts asks, swarm.ts
// hears.
import type { Bitfield } from '../../../protocol/messages/bitfield.ts';
import { SPAN_BYTES_MAX } from '../../../protocol/base/limits.ts';
import type { Clock } from '../../../protocol/base/world.ts';
import { RequestWindow } from './requestWindow.ts';
import type { PeerConnection } from '../peers/peerConnection.ts';
import { RateMeter } from '../peers/rateMeter.ts';

/** Bytes that must arrive between two looks for a piece to get on that has begun to arrive. */
const PROGRESS_BYTES_MIN = 1024;
/** Bytes of the smallest part of a piece that is asked for: one leaf of the hash tree. */
const SPAN_BYTES_MIN = 16 * 1024;
/** How much the last look counts in the rate, and the last piece in the time that pieces take. */
const RATE_WEIGHT = 0.5;
const PIECE_TIME_WEIGHT = 0.25;
/**
 * Who owes us a piece and sends nothing is overdue after four times what pieces take from there,
 * within these bounds, in ms.
 */
const OVERDUE_TIMES = 4;
const OVERDUE_MS_MIN = 1_000;
const OVERDUE_MS_MAX = 8_000;
/**
 * Of one that has never sent anything: a seeder may have a long line of others, a downloader
 * hardly.
 */
const OVERDUE_MS_FIRST = { seeder: 4_000, leecher: OVERDUE_MS_MIN } as const;
/**
 * A piece that comes in drops is better asked of another: after so many times what that one takes,
 * and so many ms more.
 */
const TRICKLE_TIMES = 8;
const TRICKLE_MS = 10_000;
/**
 * How long a peer rests when others had to send what it owed, in ms; twice as long each time until
 * it sends something again.
 */
const REST_MS = 4_000;
const REST_MS_MAX = 64_000;

/** One piece that was asked for. */
export interface PendingRequest {
  readonly sinceMs: number;
  readonly abort: AbortController;
  /**
   * Where it lands: memory is taken when the first bytes come, not while it waits in the peer's
   * queue.
   */
  buffer: Uint8Array | undefined;
}

export class PeerState {
  readonly connection: PeerConnection;
  pieces: Bitfield;
  readonly pending = new Map<number, PendingRequest>();
  readonly window = new RequestWindow();
  /**
   * Pieces that it has asked of seeders, as it says: it will have them soon, so nobody else needs
   * to ask a seeder for them.
   */
  announcedRequests: ReadonlySet<number> = new Set();
  /** It is asked for nothing before. */
  restsUntilMs = 0;
  /** How fast pieces come from it, and go to it. */
  readonly downRate: RateMeter;
  readonly upRate: RateMeter;
  /** Bytes that it was sent. */
  sentBytes = 0;
  /** When bytes of pieces last came from it, or it last owed none. */
  #lastBytesMs: number;
  #tickBytesIn: number;
  #tickMs: number;
  #bytesPerS: number | undefined;
  #pieceTimeMs: number | undefined;
  #restMs = REST_MS;

  constructor(connection: PeerConnection, pieces: Bitfield, clock: Clock) {
    this.connection = connection;
    this.pieces = pieces;
    this.downRate = new RateMeter(clock);
    this.upRate = new RateMeter(clock);
    this.#lastBytesMs = this.#tickMs = clock.monotonicMs();
    this.#tickBytesIn = connection.rpc.counts.bytesIn;
  }

  get isSeeder(): boolean {
    return this.pieces.isFull;
  }

  /** Whether it owes something and has sent nothing for so long that others should be asked. */
  isOverdue(nowMs: number): boolean {
    const overdueMs =
      this.#pieceTimeMs === undefined
        ? OVERDUE_MS_FIRST[this.isSeeder ? 'seeder' : 'leecher']
        : Math.min(OVERDUE_MS_MAX, Math.max(OVERDUE_MS_MIN, OVERDUE_TIMES * this.#pieceTimeMs));
    return this.pending.size > 0 && nowMs - this.#lastBytesMs > overdueMs;
  }

  /** Something was asked of it that owed nothing, or a part of a piece has come. */
  onBytes(nowMs: number): void {
    this.#lastBytesMs = nowMs;
  }

  /** A piece has come. @param wasFull  as AskWindow takes it */
  onPiece(nowMs: number, sinceMs: number, wasFull: boolean): void {
    const tookMs = nowMs - sinceMs;
    this.#lastBytesMs = nowMs;
    this.#restMs = REST_MS;
    this.#pieceTimeMs =
      this.#pieceTimeMs === undefined ? tookMs : this.#pieceTimeMs + PIECE_TIME_WEIGHT * (tookMs - this.#pieceTimeMs);
    this.window.onPiece(tookMs, wasFull);
  }

  /**
   * Others had to send what it owed. It may only be very slow, so its link stays; but it is asked
   * for nothing for a while.
   */
  rest(nowMs: number): void {
    this.restsUntilMs = nowMs + this.#restMs;
    this.#restMs = Math.min(REST_MS_MAX, 2 * this.#restMs);
  }

  /** Whether a part of what it was asked for has come. */
  get isArriving(): boolean {
    for (const { buffer } of this.pending.values()) if (buffer) return true;
    return false;
  }

  /**
   * Whether it would probably have sent by now what somebody else was asked for and has not begun
   * to send, or sends in drops.
   */
  isFasterThan({ buffer, sinceMs }: PendingRequest, nowMs: number): boolean {
    if (this.#pieceTimeMs === undefined) return false;
    const waitedMs = nowMs - sinceMs;
    return buffer === undefined
      ? waitedMs > this.#pieceTimeMs
      : waitedMs > TRICKLE_TIMES * this.#pieceTimeMs + TRICKLE_MS;
  }

  /** Called now and then: takes down what has come meanwhile. */
  tick(nowMs: number): void {
    const { bytesIn } = this.connection.rpc.counts;
    const came = bytesIn - this.#tickBytesIn;
    const perS = (came * 1000) / Math.max(1, nowMs - this.#tickMs);
    if (this.pending.size === 0 || (this.isArriving && came >= PROGRESS_BYTES_MIN)) this.#lastBytesMs = nowMs;
    if (this.pending.size > 0) {
      this.#bytesPerS = this.#bytesPerS === undefined ? perS : this.#bytesPerS + RATE_WEIGHT * (perS - this.#bytesPerS);
    }
    this.#tickBytesIn = bytesIn;
    this.#tickMs = nowMs;
  }

  /**
   * How much of a piece to ask for in one request: on a slow line about what it moves in a second,
   * so that every request gets on.
   */
  get spanBytes(): number {
    if (this.#bytesPerS === undefined || this.#bytesPerS >= SPAN_BYTES_MAX) return SPAN_BYTES_MAX;
    return Math.max(SPAN_BYTES_MIN, 2 ** Math.floor(Math.log2(Math.max(1, this.#bytesPerS))));
  }
}
