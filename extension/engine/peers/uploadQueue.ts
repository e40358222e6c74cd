// What this engine sends: all requests for bytes, of all peers and all swarms, in one line,
// answered one after the other as the limits and the peers' lines allow. Owns the line; whose turn
// it is, uploadScheduler.ts says; whether a peer may have anything, peerConnection.ts.
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { RawBytes } from '../../../protocol/wire/frame.ts';
import type { Clock, Timer } from '../../../protocol/base/world.ts';
import type { Waiting } from './uploadScheduler.ts';
import { nextToServe } from './uploadScheduler.ts';
import { FirstCopies } from './superSeeding.ts';
import type { PieceBuffers } from './bufferPool.ts';
import type { Throttle } from './rateLimiter.ts';

/**
 * Memory that one peer's answers may take before they are with the system: who does not read holds
 * up nobody else.
 */
const HELD_BYTES_MAX = 4 * 1024 * 1024;
/**
 * Requests that are read and handed to their links at once. Fewer leave a fast link waiting for the
 * disk, more only take memory.
 */
const SERVED_AT_ONCE_MAX = 8;

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
  readonly up: Throttle;
  /** How many downloaders have a piece. */
  holders(piece: number): number;
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

interface InLine extends UploadRequest {
  readonly sinceMs: number;
  readonly resolve: (upload: Upload) => void;
  readonly reject: (error: unknown) => void;
}

export interface UploadsHost {
  readonly clock: Clock;
  /** The limit of all that is sent. */
  readonly up: Throttle;
  /** Memory with RAW_HEAD_ROOM_BYTES in front. */
  readonly buffers: PieceBuffers;
}

export class Uploads {
  readonly #host: UploadsHost;
  readonly #line: InLine[] = [];
  /** How often each piece was sent by us, by file. */
  readonly #sent = new WeakMap<UploadFile, Map<number, number>>();
  readonly #firstCopies = new FirstCopies();
  readonly #served = new WeakMap<
    UploadPeer,
    { readonly at: number; readonly file: UploadFile; readonly piece: number; readonly endsAt: number }
  >();
  /** Bytes of memory that the answers to each peer take. */
  readonly #held = new WeakMap<UploadPeer, number>();
  /** Peers whose lines are full; when one has room again, the line moves. */
  readonly #full = new Set<UploadPeer>();
  #answers = 0;
  #underWay = 0;
  #timer: Timer | undefined;

  constructor(host: UploadsHost) {
    this.#host = host;
  }

  /**
   * Stands in line. The answer may hold fewer bytes than were asked for: under a small limit so
   * many go at once that the limit is smooth.
   *
   * @throws ShoalError cancelled, or what `read` throws
   */
  ask(request: UploadRequest): Promise<Upload> {
    return new Promise((resolve, reject) => {
      const { signal } = request;
      const onAbort = (): void => {
        const place = this.#line.indexOf(inLine);
        if (place < 0) return; // it is being read
        this.#line.splice(place, 1);
        reject(new ShoalError('cancelled'));
      };
      const leave =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          signal.removeEventListener('abort', onAbort);
          settle(value);
        };
      const inLine: InLine = {
        ...request,
        sinceMs: this.#host.clock.monotonicMs(),
        resolve: leave(resolve),
        reject: leave(reject),
      };
      if (signal.aborted) return reject(new ShoalError('cancelled'));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#line.push(inLine);
      this.#serve();
    });
  }

  /** How many requests wait. */
  get waiting(): number {
    return this.#line.length;
  }

  /**
   * Answers whoever may be answered now; a limit, a link or memory that has room again calls it
   * anew.
   */
  #serve(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#line.length > 0 && this.#underWay < SERVED_AT_ONCE_MAX) {
      const waits: number[] = [];
      const ready = this.#line.filter((one) => {
        if (this.#isFull(one.peer) || !this.#mayHold(one.peer)) return false;
        const bytes = this.#portionOf(one);
        const waitMs = Math.max(this.#host.up.waitMs(bytes), one.file.up.waitMs(bytes));
        if (waitMs > 0) waits.push(waitMs);
        return waitMs === 0;
      });
      const nowMs = this.#host.clock.monotonicMs();
      const place = nextToServe(
        ready.map((one) => this.#seen(one, nowMs)),
        nowMs,
      );
      const next = place === undefined ? undefined : ready[place];
      if (!next) {
        if (waits.length > 0) this.#timer = this.#host.clock.after(Math.min(...waits), () => this.#serve());
        return;
      }
      this.#line.splice(this.#line.indexOf(next), 1);
      void this.#answer(next);
    }
  }

  async #answer(request: InLine): Promise<void> {
    const { peer, file, piece, offset } = request;
    const bytes = this.#portionOf(request);
    this.#host.up.spend(bytes);
    file.up.spend(bytes);
    const sent = this.#sentOf(file);
    const isFirstPart = offset === 0;
    if (isFirstPart && this.#copiesOf(file, piece) === 0) {
      this.#firstCopies.gave(peer, file, piece, this.#host.clock.monotonicMs());
    }
    if (isFirstPart) sent.set(piece, (sent.get(piece) ?? 0) + 1);
    this.#served.set(peer, { at: ++this.#answers, file, piece, endsAt: offset + bytes });
    this.#underWay++;
    // Fresh memory costs more than all the encryption; what the system has taken is used again.
    const raw = this.#host.buffers.take(bytes);
    const { byteLength } = raw.buffer;
    this.#held.set(peer, (this.#held.get(peer) ?? 0) + byteLength);
    const taken = (): void => {
      this.#host.buffers.give(raw);
      this.#held.set(peer, (this.#held.get(peer) ?? 0) - byteLength);
      this.#serve();
    };
    try {
      await request.read(raw);
      request.resolve({ raw, hasHeadRoom: true, taken });
    } catch (error) {
      // Nothing was sent.
      const times = (sent.get(piece) ?? 1) - 1;
      if (isFirstPart && times > 0) sent.set(piece, times);
      else if (isFirstPart) sent.delete(piece);
      this.#host.up.spend(-bytes);
      file.up.spend(-bytes);
      taken();
      request.reject(error);
    } finally {
      this.#underWay--;
      this.#serve();
    }
  }

  /** How many bytes of a request go at once. */
  #portionOf({ lengthBytes, file }: UploadRequest): number {
    return Math.min(lengthBytes, this.#host.up.portionBytes, file.up.portionBytes);
  }

  #seen({ peer, file, piece, offset, sinceMs }: InLine, nowMs: number): Waiting {
    const served = this.#served.get(peer);
    return {
      isContinued: offset > 0 && served?.file === file && served.piece === piece && served.endsAt === offset,
      copies: this.#copiesOf(file, piece),
      kept: this.#firstCopies.keptBy(peer, nowMs),
      servedAt: served?.at ?? 0,
      sinceMs,
    };
  }

  /** How many downloaders have a piece or are getting it from us. */
  #copiesOf(file: UploadFile, piece: number): number {
    return Math.max(file.holders(piece), this.#sentOf(file).get(piece) ?? 0);
  }

  #sentOf(file: UploadFile): Map<number, number> {
    let sent = this.#sent.get(file);
    if (!sent) this.#sent.set(file, (sent = new Map<number, number>()));
    return sent;
  }

  /** When memory is short, whoever has none of it still gets some. */
  #mayHold(peer: UploadPeer): boolean {
    const held = this.#held.get(peer) ?? 0;
    return held === 0 || (held < HELD_BYTES_MAX && !this.#host.buffers.isFull);
  }

  #isFull(peer: UploadPeer): boolean {
    if (this.#full.has(peer)) return true;
    if (peer.isWritable) return false;
    this.#full.add(peer);
    void peer.writable().then(() => {
      this.#full.delete(peer);
      this.#serve();
    });
    return true;
  }
}
