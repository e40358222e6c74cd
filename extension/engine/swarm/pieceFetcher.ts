// The asking side of a swarm: which piece is asked of whom, and what becomes of the bytes that
// come. Owns what is under way; chooses nothing itself (piecePicker.ts), knows no tracker and opens
// no link (swarm.ts), touches no disk (pieceStore.ts).
import type { PickerMode } from '../../../protocol/messages/engineLink.ts';
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { asShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import { SPAN_BYTES_MAX } from '../../../protocol/base/limits.ts';
import type { Chance, Clock, Log } from '../../../protocol/base/world.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import { lengthOf } from '../hashing/merkleTree.ts';
import { AnnouncedRequests } from './announcedRequests.ts';
import { HashFetcher } from './hashFetcher.ts';
import type { PendingRequest, PeerState } from './peerState.ts';
import type { PeerConnection } from '../peers/peerConnection.ts';
import { pickPiece } from './piecePicker.ts';
import type { InFlight } from './piecePicker.ts';
import type { BufferPool } from '../peers/bufferPool.ts';
import type { RateLimiter } from '../peers/rateLimiter.ts';
import type { UrgentPieces } from './urgentPieces.ts';

/** Pieces that wait for the hashing thread before no more are asked for: what bounds memory. */
const VERIFYING_MAX = 8;
/** How long a peer rests that has refused something, in ms. */
const REST_REFUSED_MS = 1_000;
/** Refusals after which a peer is not asked again before it joins anew. */
const NOT_SERVING: readonly ErrorCode[] = ['noTicket', 'notServed', 'fileChanged', 'fileMissing'];
/** Windows that are refilled by two pieces at a time. */
const PAIRS_FROM = 4;
/**
 * Fewer bytes are no answer, unless no more are missing: under the smallest limit there are twice
 * as many (rateLimiter.ts).
 */
const ANSWER_BYTES_MIN = 1024;
/** Last bound of one request, in ms; that a peer is overdue is noticed long before. */
const REQUEST_MS_MAX = 120_000;

export interface PieceFetcherContext {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  readonly buffers: BufferPool;
  /** The limits of what we take: of all downloads, and of this one. */
  readonly downloadLimiters: readonly RateLimiter[];
  /** What somebody waits for: asked for even while all else is paused. */
  readonly urgentPieces: UrgentPieces;
}

/** What becomes of what was asked for. */
export interface PieceFetcherEvents {
  /** A piece is verified and written. */
  onPiece(piece: number, from: PeerState, bytes: number): void;
  /** Nothing more is wanted: what is not held was wanted only by somebody who no longer waits. */
  onComplete(): void;
  /** What we have asked of seeders has changed. */
  onRequestsChanged(): void;
  onPieceHashes(pieceHashes: Uint8Array): void;
  /** A piece was wrong. It came from one peer, so it is clear from whom. */
  onWrongPiece(piece: number, from: PeerState): void;
  /** A peer has sent what is wrong otherwise, and is to be left alone. */
  onMisbehavior(from: PeerConnection, why: string): void;
  /** A peer does not serve us now. */
  onRefused(from: PeerState): void;
  /** The disk refused; nothing is asked for until `resume`. */
  onDiskError(error: ShoalError): void;
  onReceived(bytes: number): void;
}

export class PieceFetcher {
  mode: PickerMode;
  readonly #key: SwarmKey;
  readonly #store: PieceStore;
  readonly #peers: ReadonlyMap<PeerConnection, PeerState>;
  readonly #context: PieceFetcherContext;
  readonly #events: PieceFetcherEvents;
  readonly #hashFetcher: HashFetcher;
  #isRequesting = true;
  #isPumping = false;
  /** Whether somebody could have been asked for more, had there been memory. */
  #isShortOfMemory = false;
  /** Pieces that are wanted only as long as somebody waits for them. */
  readonly #temporarilyWanted = new Set<number>();
  readonly #announcedRequests = new AnnouncedRequests();

  constructor(
    key: SwarmKey,
    store: PieceStore,
    mode: PickerMode,
    peers: ReadonlyMap<PeerConnection, PeerState>,
    context: PieceFetcherContext,
    events: PieceFetcherEvents,
  ) {
    this.#key = key;
    this.#store = store;
    this.mode = mode;
    this.#peers = peers;
    this.#context = context;
    this.#events = events;
    this.#hashFetcher = new HashFetcher(key, store, {
      onPieceHashes: (pieceHashes) => events.onPieceHashes(pieceHashes),
      onMisbehavior: (from, why) => events.onMisbehavior(from, why),
      onFailed: (from, { code }) => {
        context.log.debug('piece hashes not received', { peer: from.pin, why: code });
        this.#rest(peers.get(from));
      },
      onEnded: () => this.pump(),
    });
  }

  /** Whether there is anything that may be asked for. */
  get isRequesting(): boolean {
    return this.#isRequesting || !this.#context.urgentPieces.isEmpty;
  }
  /** Whether pieces have come faster than they are hashed and written. */
  get isDiskBusy(): boolean {
    return this.#store.states.verifyingCount >= VERIFYING_MAX;
  }

  /** Stops asking, but for what somebody waits for; what is under way is given up. */
  pause(): void {
    this.#isRequesting = false;
    for (const peer of this.#peers.values()) this.cancelPeer(peer);
    if (!this.#context.urgentPieces.isEmpty) this.pump();
  }

  /** Somebody no longer waits: what was under way only for that is given up. */
  cancelUrgent(): void {
    if (!this.isRequesting) this.pause();
    this.pump();
  }

  resume(): void {
    this.#isRequesting = true;
    this.pump();
  }

  /** A leecher says which pieces it has requested from seeders. */
  onRequested(peer: PeerState, pieces: readonly number[]): void {
    this.#announcedRequests.set(peer, pieces);
  }

  /**
   * A peer is about to join: it is asked for the piece hashes in the same breath, if nobody else
   * is.
   */
  fetchHashesFrom(connection: PeerConnection): void {
    if (this.isRequesting && !this.#store.pieceHashes) void this.#hashFetcher.fetch(connection);
  }

  /** Nothing more is expected of a peer. */
  cancelPeer(peer: PeerState): void {
    this.onRequested(peer, []);
    for (const request of peer.pending.values()) request.abort.abort();
    this.#hashFetcher.cancel(peer.connection);
  }

  /** Pieces that were asked of seeders and have not come. */
  requestedFromSeeders(): readonly number[] {
    return [...this.#peers.values()].flatMap(({ isSeeder, pending }) => (isSeeder ? [...pending.keys()] : []));
  }

  /** Asks whoever may be asked for whatever there is to ask for. */
  pump(): void {
    if (this.#isPumping) return; // storing and aborting come back here
    this.#updateUrgent();
    this.#isPumping = true;
    try {
      this.#isShortOfMemory = false;
      // Downloaders before seeders, so that seeders are left to send what nobody else has; else at
      // another one each time, so that nobody is always first.
      const peers = [...this.#peers.values()];
      const start = Math.floor(this.#context.chance.random() * peers.length);
      const rotated = [...peers.slice(start), ...peers.slice(0, start)];
      for (const peer of rotated) if (!peer.isSeeder) this.#pumpPeerNow(peer);
      for (const peer of rotated) if (peer.isSeeder) this.#pumpPeerNow(peer);
    } finally {
      this.#isPumping = false;
    }
  }

  /** The same for one peer. */
  pumpPeer(peer: PeerState): void {
    if (this.#isPumping) return;
    this.#updateUrgent();
    this.#pumpPeerNow(peer);
  }

  /**
   * What somebody waits for is wanted, whatever was chosen; and afterwards it no longer is, so that
   * nothing waits for it that does not need it.
   */
  #updateUrgent(): void {
    const { states } = this.#store;
    const { urgentPieces } = this.#context;
    for (const piece of urgentPieces.pieces) {
      if (states.state(piece) !== 'unwanted') continue;
      states.move(piece, 'want');
      this.#temporarilyWanted.add(piece);
    }
    const wasComplete = states.isComplete;
    for (const piece of this.#temporarilyWanted) {
      const state = states.state(piece);
      if (urgentPieces.pieces.includes(piece) || state === 'requested' || state === 'verifying') continue;
      if (state === 'missing') states.move(piece, 'skip');
      this.#temporarilyWanted.delete(piece);
    }
    if (states.isComplete && !wasComplete) this.#events.onComplete();
  }

  #pumpPeerNow(peer: PeerState): void {
    const { states, pieceHashes } = this.#store;
    const nowMs = this.#context.clock.monotonicMs();
    if (!this.isRequesting || states.isComplete || peer.restsUntilMs > nowMs || peer.isOverdue(nowMs)) return;
    if (!pieceHashes) return void this.#hashFetcher.fetch(peer.connection);
    // In pairs: a request costs as much as a tenth of a piece.
    const window = this.#windowOf(peer);
    if (window >= PAIRS_FROM && peer.pending.size === window - 1) return;
    while (peer.pending.size < window && this.#peers.get(peer.connection) === peer) {
      if (states.verifyingCount >= VERIFYING_MAX || this.#context.buffers.isFull) {
        this.#isShortOfMemory = true;
        return;
      }
      const piece = pickPiece({
        states,
        peerHas: peer.pieces,
        mode: this.#currentMode(),
        urgent: this.#context.urgentPieces.pieces,
        onlyUrgent: !this.#isRequesting,
        random: () => this.#context.chance.random(),
        announcedRequests: (n) => this.#announcedRequests.count(n),
        inFlight: (n) => this.#inFlight(n, peer, nowMs),
      });
      if (piece === undefined) return;
      void this.#requestPiece(peer, piece, nowMs);
    }
  }

  /** Pieces larger than a request make the window smaller: what it bounds is bytes. */
  #windowOf({ window }: PeerState): number {
    return Math.max(
      1,
      Math.floor((window.pieces * SPAN_BYTES_MAX) / Math.max(SPAN_BYTES_MAX, this.#store.shape.pieceBytes)),
    );
  }

  /**
   * In order while nobody but us needs pieces, which disks like best; the rarest as soon as
   * somebody does.
   */
  #currentMode(): PickerMode {
    if (this.mode !== 'auto') return this.mode;
    for (const { isSeeder } of this.#peers.values()) if (!isSeeder) return 'rarest';
    return 'sequential';
  }

  #inFlight(piece: number, by: PeerState, nowMs: number): InFlight {
    let peersAsked = 0;
    let mayMove = true;
    let isArriving = false;
    for (const peer of this.#peers.values()) {
      const request = peer.pending.get(piece);
      if (!request) continue;
      if (peer.isOverdue(nowMs) || by.isFasterThan(request, nowMs)) continue;
      isArriving ||= request.buffer !== undefined;
      mayMove = false;
      peersAsked++;
    }
    return { peersAsked, isFromThisPeer: by.pending.has(piece), mayMove, isArriving };
  }

  async #requestPiece(peer: PeerState, piece: number, nowMs: number): Promise<void> {
    const { states } = this.#store;
    const wasFull = peer.pending.size + 1 >= peer.window.pieces;
    const request: PendingRequest = { sinceMs: nowMs, abort: new AbortController(), buffer: undefined };
    if (peer.pending.size === 0) peer.onBytes(nowMs);
    peer.pending.set(piece, request);
    if (states.state(piece) === 'missing') states.move(piece, 'request');
    else this.#cancelSlower(piece, peer, nowMs);
    if (peer.isSeeder) this.#events.onRequestsChanged();
    try {
      await this.#fetchBytes(peer, piece, request);
    } catch (error) {
      peer.pending.delete(piece);
      if (request.buffer) this.#context.buffers.release(request.buffer, true);
      if (peer.isSeeder) this.#events.onRequestsChanged();
      if (states.state(piece) === 'requested' && !this.#isRequested(piece)) states.move(piece, 'release');
      if (!request.abort.signal.aborted) this.#onRequestFailed(peer, piece, asShoalError(error));
      this.pump();
      return;
    }
    peer.pending.delete(piece);
    peer.onPiece(this.#context.clock.monotonicMs(), request.sinceMs, wasFull);
    // The next request leaves before this piece is verified: the line must not wait for the hash.
    const stored = this.#storePiece(peer, piece, request);
    this.pumpPeer(peer);
    await stored;
  }

  #isRequested(piece: number): boolean {
    for (const { pending } of this.#peers.values()) if (pending.has(piece)) return true;
    return false;
  }

  /**
   * Somebody was found who sends a piece sooner than those who were asked before: they may send
   * something else, which nobody else has.
   */
  #cancelSlower(piece: number, faster: PeerState, nowMs: number): void {
    for (const peer of this.#peers.values()) {
      const request = peer === faster ? undefined : peer.pending.get(piece);
      if (request && faster.isFasterThan(request, nowMs)) request.abort.abort();
    }
  }

  /**
   * The bytes of a piece, in as many requests as its size, the limits and the line ask for. An
   * answer may hold less than was asked for.
   */
  async #fetchBytes(peer: PeerState, piece: number, request: PendingRequest): Promise<void> {
    const { signal } = request.abort;
    const pieceBytes = lengthOf(this.#store.shape, piece);
    const buffer = (): Uint8Array => (request.buffer ??= this.#context.buffers.acquire(pieceBytes));
    for (let offset = 0; offset < pieceBytes;) {
      const lengthBytes = Math.min(
        pieceBytes - offset,
        peer.spanBytes,
        ...this.#context.downloadLimiters.map(({ portionBytes }) => portionBytes),
      );
      for (const limit of this.#context.downloadLimiters) await limit.take(lengthBytes, signal);
      peer.onBytes(this.#context.clock.monotonicMs()); // it was our own limit that kept it waiting
      const from = offset;
      const { rawBytes } = await peer.connection.rpc.call(
        'piece',
        { ...this.#key, piece, offset, lengthBytes },
        { into: () => buffer().subarray(from, from + lengthBytes), signal, deadlineMs: REQUEST_MS_MAX },
      );
      if (rawBytes < Math.min(lengthBytes, ANSWER_BYTES_MIN)) {
        throw new ShoalError('wrongPiece', { piece, peer: peer.connection.userIn(this.#key.group) });
      }
      peer.onBytes(this.#context.clock.monotonicMs());
      peer.downRate.count(rawBytes);
      this.#events.onReceived(rawBytes);
      offset += rawBytes;
    }
  }

  async #storePiece(peer: PeerState, piece: number, { buffer }: PendingRequest): Promise<void> {
    const { states } = this.#store;
    if (!buffer) throw new Error('a piece came from nowhere');
    // In the endgame somebody else may have been faster.
    if (states.state(piece) !== 'requested') return this.#releaseBuffer(buffer);
    states.move(piece, 'verify');
    const nowMs = this.#context.clock.monotonicMs();
    for (const other of this.#peers.values()) {
      const request = other.pending.get(piece);
      if (!request) continue;
      if (other.isOverdue(nowMs)) other.rest(nowMs);
      request.abort.abort();
    }
    let right: boolean;
    try {
      right = await this.#store.store(piece, buffer);
    } catch (error) {
      this.#isRequesting = false;
      this.#releaseBuffer(buffer);
      this.#events.onDiskError(asShoalError(error));
      return;
    }
    if (right) this.#events.onPiece(piece, peer, buffer.length);
    else this.#events.onWrongPiece(piece, peer);
    this.#releaseBuffer(buffer);
  }

  #releaseBuffer(buffer: Uint8Array): void {
    this.#context.buffers.release(buffer);
    if (this.#isShortOfMemory || this.#store.states.missingCount === 0) this.pump();
  }

  /** A peer did not give what it was asked for. */
  #onRequestFailed(peer: PeerState, piece: number, error: ShoalError): void {
    this.#context.log.debug('a piece was refused', { peer: peer.connection.pin, piece, why: error.code });
    if (error.code === 'pieceNotHeld') {
      if (peer.pieces.delete(piece)) this.#store.states.removeHolder(piece);
      return;
    }
    if (error.code === 'wrongPiece') {
      return this.#events.onMisbehavior(peer.connection, 'an answer with hardly any bytes');
    }
    // It cannot serve us now; the tracker's word or its next join brings it back.
    if (NOT_SERVING.includes(error.code)) return this.#events.onRefused(peer);
    this.#rest(peer);
  }

  #rest(peer: PeerState | undefined): void {
    if (peer) peer.restsUntilMs = this.#context.clock.monotonicMs() + REST_REFUSED_MS;
  }
}
