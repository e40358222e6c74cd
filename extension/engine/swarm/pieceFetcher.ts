// The asking side of a swarm: which piece is asked of whom, and what becomes of the bytes that
// come. Owns what is under way; chooses nothing itself (piecePicker.ts), knows no tracker and opens
// no link (swarm.ts), touches no disk (pieceStore.ts).
import type { PickerMode } from '../../../protocol/messages/engineLink.ts';
import { asShoalError, isShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import { SPAN_BYTES_MAX } from '../../../protocol/base/limits.ts';
import type { Chance, Clock, Log } from '../../../protocol/base/world.ts';
import type { Copy } from '../storage/pieceStore.ts';
import { lengthOf } from '../hashing/merkleTree.ts';
import { LayerFetch } from './hashFetcher.ts';
import type { Ask, Member } from './peerState.ts';
import type { PeerLink } from '../peers/peerConnection.ts';
import { pick } from './piecePicker.ts';
import type { Asked } from './piecePicker.ts';
import type { PieceBuffers } from '../peers/bufferPool.ts';
import type { Throttle } from '../peers/rateLimiter.ts';
import type { Urgent } from './urgentPieces.ts';

/** Pieces that wait for the hashing thread before no more are asked for: what bounds memory. */
const VERIFYING_MAX = 8;
/** How long a peer rests that has refused something, in ms. */
const REST_REFUSED_MS = 1_000;
/** Windows that are refilled by two pieces at a time. */
const PAIRS_FROM = 4;
/**
 * Fewer bytes are no answer, unless no more are missing: under the smallest limit there are twice
 * as many (rateLimiter.ts).
 */
const ANSWER_BYTES_MIN = 1024;
/** Last bound of one request, in ms; that a peer is overdue is noticed long before. */
const ASK_MS = 120_000;

export interface FetcherHost {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  readonly buffers: PieceBuffers;
  /** The limits of what we take: of all downloads, and of this one. */
  readonly down: readonly Throttle[];
  /** What somebody waits for: asked for even while all else is paused. */
  readonly urgent: Urgent;
}

/** What becomes of what was asked for. */
export interface FetcherEvents {
  /** A piece is verified and written. */
  held(piece: number, from: Member, bytes: number): void;
  /** Nothing more is wanted: what is not held was wanted only by somebody who no longer waits. */
  whole(): void;
  /** What we have asked of seeders has changed. */
  asking(): void;
  layerKnown(layer: Uint8Array): void;
  /** A piece was wrong. It came from one peer, so it is clear from whom. */
  rejected(piece: number, from: Member): void;
  /** A peer has sent what is wrong otherwise, and is to be left alone. */
  wrong(from: PeerLink, why: string): void;
  /** A peer does not serve us now. */
  refused(from: Member): void;
  /** The disk refused; nothing is asked for until `resume`. */
  stuck(error: ShoalError): void;
  received(bytes: number): void;
}

export class Fetcher {
  mode: PickerMode;
  readonly #key: SwarmKey;
  readonly #copy: Copy;
  readonly #members: ReadonlyMap<PeerLink, Member>;
  readonly #host: FetcherHost;
  readonly #events: FetcherEvents;
  #layer: LayerFetch | undefined;
  #isAsking = true;
  #isPumping = false;
  /** Whether somebody could have been asked for more, had there been memory. */
  #isHungry = false;
  /** Pieces that are wanted only as long as somebody waits for them. */
  readonly #lent = new Set<number>();
  /** How many of the members will soon have a piece, as they say. */
  readonly #coming = new Map<number, number>();

  constructor(
    key: SwarmKey,
    copy: Copy,
    mode: PickerMode,
    members: ReadonlyMap<PeerLink, Member>,
    host: FetcherHost,
    events: FetcherEvents,
  ) {
    this.#key = key;
    this.#copy = copy;
    this.mode = mode;
    this.#members = members;
    this.#host = host;
    this.#events = events;
  }

  /** Whether there is anything that may be asked for. */
  get isAsking(): boolean {
    return this.#isAsking || !this.#host.urgent.isEmpty;
  }
  /** Whether pieces have come faster than they are hashed and written. */
  get isDiskBusy(): boolean {
    return this.#copy.pieces.verifyingCount >= VERIFYING_MAX;
  }

  /** Stops asking, but for what somebody waits for; what is under way is given up. */
  pause(): void {
    this.#isAsking = false;
    for (const member of this.#members.values()) this.giveUp(member);
    if (!this.#host.urgent.isEmpty) this.pump();
  }

  /** Somebody no longer waits: what was under way only for that is given up. */
  calmDown(): void {
    if (!this.isAsking) this.pause();
    this.pump();
  }

  resume(): void {
    this.#isAsking = true;
    this.pump();
  }

  /** What a downloader says it has asked of seeders: all of it, instead of what it said before. */
  comingTo(member: Member, pieces: readonly number[]): void {
    const count = (piece: number, by: 1 | -1): void => {
      const now = (this.#coming.get(piece) ?? 0) + by;
      if (now > 0) this.#coming.set(piece, now);
      else this.#coming.delete(piece);
    };
    for (const piece of member.coming) count(piece, -1);
    member.coming = new Set(pieces.filter((piece) => !member.theirs.has(piece)));
    for (const piece of member.coming) count(piece, 1);
  }

  /**
   * A peer is about to join: it is asked for the piece hashes in the same breath, if nobody else
   * is.
   */
  beginLayer(link: PeerLink): void {
    if (this.isAsking && !this.#copy.layer) void this.#fetchLayer(link);
  }

  /** Nothing more is expected of a peer. */
  giveUp(member: Member): void {
    this.comingTo(member, []);
    for (const ask of member.asks.values()) ask.abort.abort();
    this.#layer?.giveUp(member.link);
  }

  /** Pieces that were asked of seeders and have not come. */
  askedOfSeeders(): readonly number[] {
    return [...this.#members.values()].flatMap(({ isSeeder, asks }) => (isSeeder ? [...asks.keys()] : []));
  }

  /** Asks whoever may be asked for whatever there is to ask for. */
  pump(): void {
    if (this.#isPumping) return; // storing and aborting come back here
    this.#lookAtUrgent();
    this.#isPumping = true;
    try {
      this.#isHungry = false;
      // Downloaders before seeders, so that seeders are left to send what nobody else has; else at
      // another one each time, so that nobody is always first.
      const members = [...this.#members.values()];
      const start = Math.floor(this.#host.chance.random() * members.length);
      const turned = [...members.slice(start), ...members.slice(0, start)];
      for (const member of turned) if (!member.isSeeder) this.#pumpMember(member);
      for (const member of turned) if (member.isSeeder) this.#pumpMember(member);
    } finally {
      this.#isPumping = false;
    }
  }

  /** The same for one peer. */
  pumpMember(member: Member): void {
    if (this.#isPumping) return;
    this.#lookAtUrgent();
    this.#pumpMember(member);
  }

  /**
   * What somebody waits for is wanted, whatever was chosen; and afterwards it no longer is, so that
   * nothing waits for it that does not need it.
   */
  #lookAtUrgent(): void {
    const { pieces } = this.#copy;
    const { urgent } = this.#host;
    for (const piece of urgent.pieces) {
      if (pieces.state(piece) !== 'unwanted') continue;
      pieces.move(piece, 'want');
      this.#lent.add(piece);
    }
    const wasWhole = pieces.isWhole;
    for (const piece of this.#lent) {
      const state = pieces.state(piece);
      if (urgent.pieces.includes(piece) || state === 'requested' || state === 'verifying') continue;
      if (state === 'missing') pieces.move(piece, 'skip');
      this.#lent.delete(piece);
    }
    if (pieces.isWhole && !wasWhole) this.#events.whole();
  }

  #pumpMember(member: Member): void {
    const { pieces, layer } = this.#copy;
    const nowMs = this.#host.clock.monotonicMs();
    if (!this.isAsking || pieces.isWhole || member.restsUntilMs > nowMs || member.isOverdue(nowMs)) return;
    if (!layer) return void this.#fetchLayer(member.link);
    // In pairs: a request costs as much as a tenth of a piece.
    const window = this.#windowOf(member);
    if (window >= PAIRS_FROM && member.asks.size === window - 1) return;
    while (member.asks.size < window && this.#members.get(member.link) === member) {
      if (pieces.verifyingCount >= VERIFYING_MAX || this.#host.buffers.isFull) {
        this.#isHungry = true;
        return;
      }
      const piece = pick({
        board: pieces,
        theirs: member.theirs,
        mode: this.#modeNow(),
        urgent: this.#host.urgent.pieces,
        onlyUrgent: !this.#isAsking,
        random: () => this.#host.chance.random(),
        coming: (n) => this.#coming.get(n) ?? 0,
        asked: (n) => this.#asked(n, member, nowMs),
      });
      if (piece === undefined) return;
      void this.#ask(member, piece, nowMs);
    }
  }

  /** Pieces larger than a request make the window smaller: what it bounds is bytes. */
  #windowOf({ window }: Member): number {
    return Math.max(
      1,
      Math.floor((window.pieces * SPAN_BYTES_MAX) / Math.max(SPAN_BYTES_MAX, this.#copy.shape.pieceBytes)),
    );
  }

  /**
   * In order while nobody but us needs pieces, which disks like best; the rarest as soon as
   * somebody does.
   */
  #modeNow(): PickerMode {
    if (this.mode !== 'auto') return this.mode;
    for (const { isSeeder } of this.#members.values()) if (!isSeeder) return 'rarest';
    return 'sequential';
  }

  #asked(piece: number, by: Member, nowMs: number): Asked {
    let peers = 0;
    let mayMove = true;
    let isComing = false;
    for (const member of this.#members.values()) {
      const ask = member.asks.get(piece);
      if (!ask) continue;
      if (member.isOverdue(nowMs) || by.canBeat(ask, nowMs)) continue;
      isComing ||= ask.buffer !== undefined;
      mayMove = false;
      peers++;
    }
    return { peers, byThisPeer: by.asks.has(piece), mayMove, isComing };
  }

  async #ask(member: Member, piece: number, nowMs: number): Promise<void> {
    const { pieces } = this.#copy;
    const wasFull = member.asks.size + 1 >= member.window.pieces;
    const ask: Ask = { sinceMs: nowMs, abort: new AbortController(), buffer: undefined };
    if (member.asks.size === 0) member.gave(nowMs);
    member.asks.set(piece, ask);
    if (pieces.state(piece) === 'missing') pieces.move(piece, 'request');
    else this.#leaveSlower(piece, member, nowMs);
    if (member.isSeeder) this.#events.asking();
    try {
      await this.#fetch(member, piece, ask);
    } catch (error) {
      member.asks.delete(piece);
      if (ask.buffer) this.#host.buffers.give(ask.buffer, true);
      if (member.isSeeder) this.#events.asking();
      if (pieces.state(piece) === 'requested' && !this.#isAsked(piece)) pieces.move(piece, 'release');
      if (!ask.abort.signal.aborted) this.#failed(member, piece, asShoalError(error));
      this.pump();
      return;
    }
    member.asks.delete(piece);
    member.arrived(this.#host.clock.monotonicMs(), ask.sinceMs, wasFull);
    // The next request leaves before this piece is verified: the line must not wait for the hash.
    const stored = this.#take(member, piece, ask);
    this.pumpMember(member);
    await stored;
  }

  #isAsked(piece: number): boolean {
    for (const { asks } of this.#members.values()) if (asks.has(piece)) return true;
    return false;
  }

  /**
   * Somebody was found who sends a piece sooner than those who were asked before: they may send
   * something else, which nobody else has.
   */
  #leaveSlower(piece: number, now: Member, nowMs: number): void {
    for (const member of this.#members.values()) {
      const ask = member === now ? undefined : member.asks.get(piece);
      if (ask && now.canBeat(ask, nowMs)) ask.abort.abort();
    }
  }

  /**
   * The bytes of a piece, in as many requests as its size, the limits and the line ask for. An
   * answer may hold less than was asked for.
   */
  async #fetch(member: Member, piece: number, ask: Ask): Promise<void> {
    const { signal } = ask.abort;
    const pieceBytes = lengthOf(this.#copy.shape, piece);
    const buffer = (): Uint8Array => (ask.buffer ??= this.#host.buffers.take(pieceBytes));
    for (let offset = 0; offset < pieceBytes;) {
      const lengthBytes = Math.min(
        pieceBytes - offset,
        member.spanBytes,
        ...this.#host.down.map(({ portionBytes }) => portionBytes),
      );
      for (const limit of this.#host.down) await limit.take(lengthBytes, signal);
      member.gave(this.#host.clock.monotonicMs()); // it was our own limit that kept it waiting
      const from = offset;
      const { rawBytes } = await member.link.connection.call(
        'piece',
        { ...this.#key, piece, offset, lengthBytes },
        { into: () => buffer().subarray(from, from + lengthBytes), signal, deadlineMs: ASK_MS },
      );
      if (rawBytes < Math.min(lengthBytes, ANSWER_BYTES_MIN)) {
        throw new ShoalError('wrongPiece', { piece, peer: member.link.userIn(this.#key.group) });
      }
      member.gave(this.#host.clock.monotonicMs());
      member.down.count(rawBytes);
      this.#events.received(rawBytes);
      offset += rawBytes;
    }
  }

  async #take(member: Member, piece: number, { buffer }: Ask): Promise<void> {
    const { pieces } = this.#copy;
    if (!buffer) throw new Error('a piece came from nowhere');
    // In the endgame somebody else may have been faster.
    if (pieces.state(piece) !== 'requested') return this.#done(buffer);
    pieces.move(piece, 'verify');
    const nowMs = this.#host.clock.monotonicMs();
    for (const other of this.#members.values()) {
      const ask = other.asks.get(piece);
      if (!ask) continue;
      if (other.isOverdue(nowMs)) other.rest(nowMs);
      ask.abort.abort();
    }
    let right: boolean;
    try {
      right = await this.#copy.store(piece, buffer);
    } catch (error) {
      this.#isAsking = false;
      this.#done(buffer);
      this.#events.stuck(asShoalError(error));
      return;
    }
    if (right) this.#events.held(piece, member, buffer.length);
    else this.#events.rejected(piece, member);
    this.#done(buffer);
  }

  #done(buffer: Uint8Array): void {
    this.#host.buffers.give(buffer);
    if (this.#isHungry || this.#copy.pieces.missingCount === 0) this.pump();
  }

  /** A peer did not give what it was asked for. */
  #failed(member: Member, piece: number, error: ShoalError): void {
    this.#host.log.debug('a piece was refused', { peer: member.link.pin, piece, why: error.code });
    if (error.code === 'pieceNotHeld') {
      if (member.theirs.delete(piece)) this.#copy.pieces.removeHolder(piece);
      return;
    }
    if (error.code === 'wrongPiece') return this.#events.wrong(member.link, 'an answer with hardly any bytes');
    // It cannot serve us now; the tracker's word or its next join brings it back.
    if (
      isShoalError(error, 'noTicket') ||
      isShoalError(error, 'notServed') ||
      isShoalError(error, 'fileChanged') ||
      isShoalError(error, 'fileMissing')
    ) {
      return this.#events.refused(member);
    }
    member.restsUntilMs = this.#host.clock.monotonicMs() + REST_REFUSED_MS;
  }

  /** The piece layer comes before any piece. */
  async #fetchLayer(link: PeerLink): Promise<void> {
    const fetch = (this.#layer ??= new LayerFetch(this.#key, this.#copy.shape));
    if (fetch.isAsking) return;
    try {
      const layer = await fetch.from(link);
      if (layer === 'wrong') return this.#events.wrong(link, 'its piece hashes do not lead to the root');
      if (layer && this.#copy.takeLayer(layer)) {
        this.#layer = undefined;
        this.#events.layerKnown(layer);
      }
    } catch (error) {
      this.#host.log.debug('the piece hashes did not come', { peer: link.pin, why: asShoalError(error).code });
      const member = this.#members.get(link);
      if (member) member.restsUntilMs = this.#host.clock.monotonicMs() + REST_REFUSED_MS;
    } finally {
      this.pump();
    }
  }
}
