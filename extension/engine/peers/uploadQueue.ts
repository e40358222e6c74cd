// What this engine sends: all requests for bytes, of all peers and all swarms, in one line,
// answered one after the other as the limits and the peers' lines allow. Owns the line; whose turn
// it is, uploadScheduler.ts says; whether a peer may have anything, peerConnection.ts.
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Clock, Timer } from '../../../protocol/base/world.ts';
import type { UploadCandidate } from './uploadScheduler.ts';
import { nextUpload } from './uploadScheduler.ts';
import { SuperSeeding } from './superSeeding.ts';
import type { BufferPool } from './bufferPool.ts';
import type { RateLimiter } from './rateLimiter.ts';
import type { Upload, UploadFile, UploadPeer, UploadRequest } from './uploadRequest.ts';

/**
 * Memory that one peer's answers may take before they are with the system: who does not read holds
 * up nobody else.
 */
const BUFFERED_BYTES_PER_PEER_MAX = 4 * 1024 * 1024;
/**
 * Requests that are read and handed to their links at once. Fewer leave a fast link waiting for the
 * disk, more only take memory.
 */
const CONCURRENT_UPLOADS_MAX = 8;

interface QueuedUpload extends UploadRequest {
  readonly sinceMs: number;
  readonly resolve: (upload: Upload) => void;
  readonly reject: (error: unknown) => void;
}

export interface UploadQueueContext {
  readonly clock: Clock;
  /** The limit of all that is sent. */
  readonly uploadLimiter: RateLimiter;
  /** Memory with RAW_HEAD_ROOM_BYTES in front. */
  readonly buffers: BufferPool;
}

export class UploadQueue {
  readonly #context: UploadQueueContext;
  readonly #queue: QueuedUpload[] = [];
  /** How often each piece was sent by us, by file. */
  readonly #sentCounts = new WeakMap<UploadFile, Map<number, number>>();
  readonly #superSeeding = new SuperSeeding();
  readonly #lastServed = new WeakMap<
    UploadPeer,
    { readonly at: number; readonly file: UploadFile; readonly piece: number; readonly endsAt: number }
  >();
  /** Bytes of memory that the answers to each peer take. */
  readonly #bufferedBytes = new WeakMap<UploadPeer, number>();
  /** Peers whose lines are full; when one has room again, the line moves. */
  readonly #blockedPeers = new Set<UploadPeer>();
  #answerCount = 0;
  #activeCount = 0;
  #timer: Timer | undefined;

  constructor(context: UploadQueueContext) {
    this.#context = context;
  }

  /**
   * Stands in line. The answer may hold fewer bytes than were asked for: under a small limit so
   * many go at once that the limit is smooth.
   *
   * @throws ShoalError cancelled, or what `read` throws
   */
  request(request: UploadRequest): Promise<Upload> {
    return new Promise((resolve, reject) => {
      const { signal } = request;
      const onAbort = (): void => {
        const place = this.#queue.indexOf(queued);
        if (place < 0) return; // it is being read
        this.#queue.splice(place, 1);
        reject(new ShoalError('cancelled'));
      };
      const leave =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          signal.removeEventListener('abort', onAbort);
          settle(value);
        };
      const queued: QueuedUpload = {
        ...request,
        sinceMs: this.#context.clock.monotonicMs(),
        resolve: leave(resolve),
        reject: leave(reject),
      };
      if (signal.aborted) return reject(new ShoalError('cancelled'));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(queued);
      this.#drain();
    });
  }

  /** How many requests wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Answers whoever may be answered now; a limit, a link or memory that has room again calls it
   * anew.
   */
  #drain(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#queue.length > 0 && this.#activeCount < CONCURRENT_UPLOADS_MAX) {
      const waits: number[] = [];
      const ready = this.#queue.filter((one) => {
        if (this.#isBlocked(one.peer) || !this.#mayBuffer(one.peer)) return false;
        const bytes = this.#portionOf(one);
        const waitMs = Math.max(this.#context.uploadLimiter.waitMs(bytes), one.file.uploadLimiter.waitMs(bytes));
        if (waitMs > 0) waits.push(waitMs);
        return waitMs === 0;
      });
      const nowMs = this.#context.clock.monotonicMs();
      const place = nextUpload(
        ready.map((one) => this.#toCandidate(one, nowMs)),
        nowMs,
      );
      const next = place === undefined ? undefined : ready[place];
      if (!next) {
        if (waits.length > 0) this.#timer = this.#context.clock.after(Math.min(...waits), () => this.#drain());
        return;
      }
      this.#queue.splice(this.#queue.indexOf(next), 1);
      void this.#answer(next);
    }
  }

  async #answer(request: QueuedUpload): Promise<void> {
    const { peer, file, piece, offset } = request;
    const bytes = this.#portionOf(request);
    this.#context.uploadLimiter.spend(bytes);
    file.uploadLimiter.spend(bytes);
    const sent = this.#sentCountsOf(file);
    const isFirstPart = offset === 0;
    if (isFirstPart && this.#copiesOf(file, piece) === 0) {
      this.#superSeeding.onSent(peer, file, piece, this.#context.clock.monotonicMs());
    }
    if (isFirstPart) sent.set(piece, (sent.get(piece) ?? 0) + 1);
    this.#lastServed.set(peer, { at: ++this.#answerCount, file, piece, endsAt: offset + bytes });
    this.#activeCount++;
    // Fresh memory costs more than all the encryption; what the system has taken is used again.
    const raw = this.#context.buffers.acquire(bytes);
    const { byteLength } = raw.buffer;
    this.#bufferedBytes.set(peer, (this.#bufferedBytes.get(peer) ?? 0) + byteLength);
    const taken = (): void => {
      this.#context.buffers.release(raw);
      this.#bufferedBytes.set(peer, (this.#bufferedBytes.get(peer) ?? 0) - byteLength);
      this.#drain();
    };
    try {
      await request.read(raw);
      request.resolve({ raw, hasHeadRoom: true, taken });
    } catch (error) {
      // Nothing was sent.
      const times = (sent.get(piece) ?? 1) - 1;
      if (isFirstPart && times > 0) sent.set(piece, times);
      else if (isFirstPart) sent.delete(piece);
      this.#context.uploadLimiter.spend(-bytes);
      file.uploadLimiter.spend(-bytes);
      taken();
      request.reject(error);
    } finally {
      this.#activeCount--;
      this.#drain();
    }
  }

  /** How many bytes of a request go at once. */
  #portionOf({ lengthBytes, file }: UploadRequest): number {
    return Math.min(lengthBytes, this.#context.uploadLimiter.portionBytes, file.uploadLimiter.portionBytes);
  }

  #toCandidate({ peer, file, piece, offset, sinceMs }: QueuedUpload, nowMs: number): UploadCandidate {
    const served = this.#lastServed.get(peer);
    return {
      isContinued: offset > 0 && served?.file === file && served.piece === piece && served.endsAt === offset,
      copies: this.#copiesOf(file, piece),
      unsharedCopies: this.#superSeeding.unsharedBy(peer, nowMs),
      lastServedAt: served?.at ?? 0,
      sinceMs,
    };
  }

  /** How many downloaders have a piece or are getting it from us. */
  #copiesOf(file: UploadFile, piece: number): number {
    return Math.max(file.leechersWith(piece), this.#sentCountsOf(file).get(piece) ?? 0);
  }

  #sentCountsOf(file: UploadFile): Map<number, number> {
    let sent = this.#sentCounts.get(file);
    if (!sent) this.#sentCounts.set(file, (sent = new Map<number, number>()));
    return sent;
  }

  /** When memory is short, whoever has none of it still gets some. */
  #mayBuffer(peer: UploadPeer): boolean {
    const held = this.#bufferedBytes.get(peer) ?? 0;
    return held === 0 || (held < BUFFERED_BYTES_PER_PEER_MAX && !this.#context.buffers.isFull);
  }

  #isBlocked(peer: UploadPeer): boolean {
    if (this.#blockedPeers.has(peer)) return true;
    if (peer.isWritable) return false;
    this.#blockedPeers.add(peer);
    void peer.writable().then(() => {
      this.#blockedPeers.delete(peer);
      this.#drain();
    });
    return true;
  }
}
