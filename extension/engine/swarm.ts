// One file among its peers: who has what, whom to ask for which piece, what to do with what comes. Verified pieces are told to
// everyone at once. Chooses nothing itself (picker.ts), touches no disk (copy.ts), opens no link (peers.ts).
import { Bitfield } from '../../protocol/bitfield.ts';
import type { PickerMode } from '../../protocol/engineLink.ts';
import { asShoalError, isShoalError, ShoalError } from '../../protocol/errors.ts';
import type { Pin, SwarmKey } from '../../protocol/ids.ts';
import { SPAN_BYTES_MAX } from '../../protocol/limits.ts';
import type { SwarmPeer } from '../../protocol/trackerLink.ts';
import type { Chance, Clock, Log, Timer } from '../../protocol/world.ts';
import type { Copy } from './copy.ts';
import { lengthOf } from './hashTree.ts';
import { LayerFetch } from './layerFetch.ts';
import type { Holding, PeerLink } from './peer.ts';
import { pick } from './picker.ts';
import type { PieceBuffers } from './pieceBuffers.ts';
import type { Throttle } from './throttle.ts';

/** Pieces asked of one peer at a time. One in flight loses a fifth of the speed, more than four only adds memory. */
const ASKS_MAX = 4;
/** Pieces that wait for the hashing thread before no more are asked for: what bounds memory. */
const VERIFYING_MAX = 8;
/** How often the swarm looks after itself, in ms. */
const TICK_MS = 1_000;
/** A link on which nothing arrives for so long while we wait is given up for a while, in ms. */
const SILENT_MS = 8_000;
const SNUB_MS = 30_000;
/** A piece under way for so long may be asked of another peer too, in ms. */
const OVERDUE_MS = 10_000;
/** Bound of one request, in ms; silence is noticed long before. */
const ASK_MS = 120_000;

export interface SwarmHost {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  readonly buffers: PieceBuffers;
  /** The limit of what we take. */
  readonly down: Throttle;
  /** A link to a peer, dialled now if need be; undefined while there is none. */
  reach(peer: SwarmPeer, swarm: Swarm): PeerLink | undefined;
}

/** What a swarm reports to the transfer it belongs to. */
export interface SwarmEvents {
  changed(): void;
  /** The piece layer was fetched and proven. */
  layerKnown(layer: Uint8Array): void;
  /** The last piece is held. */
  whole(): void;
  /** The disk refused. The swarm asks for nothing until `resume`. */
  stuck(error: ShoalError): void;
  /** The file that was served is no longer what it was. */
  gone(error: ShoalError): void;
  received(bytes: number): void;
}

interface Ask {
  readonly buffer: Uint8Array;
  readonly startedMs: number;
  readonly abort: AbortController;
}

interface Member {
  readonly link: PeerLink;
  theirs: Bitfield;
  readonly asks: Map<number, Ask>;
  snubbedUntilMs: number;
  /** When something last arrived on the link, and how much had by then. */
  heardMs: number;
  heardBytes: number;
}

export interface SourceCount {
  user: string;
  pieces: number;
  bytes: number;
}

export class Swarm {
  readonly key: SwarmKey;
  readonly copy: Copy;
  mode: PickerMode;
  /** Who gave how much. */
  readonly sources = new Map<Pin, SourceCount>();
  rejectedPieces = 0;
  readonly #host: SwarmHost;
  readonly #events: SwarmEvents;
  readonly #members = new Map<PeerLink, Member>();
  readonly #candidates = new Map<Pin, SwarmPeer>();
  readonly #joining = new Set<Pin>();
  /** Peers left alone: they sent something wrong, or refused us. */
  readonly #banned = new Set<Pin>();
  #layer: LayerFetch | undefined;
  #asking = true;
  #closed = false;
  #timer: Timer | undefined;
  #pumping = false;

  constructor(key: SwarmKey, copy: Copy, mode: PickerMode, host: SwarmHost, events: SwarmEvents) {
    this.key = key;
    this.copy = copy;
    this.mode = mode;
    this.#host = host;
    this.#events = events;
    this.#tick();
  }

  get isWhole(): boolean {
    return this.copy.pieces.isWhole;
  }
  get leftBytes(): number {
    return Math.max(0, this.copy.shape.sizeBytes - this.copy.pieces.held.count * this.copy.shape.pieceBytes);
  }
  get peerCount(): number {
    return this.#members.size;
  }
  /** Whether somebody connected has a piece that we miss. */
  get hasProspects(): boolean {
    return [...this.#members.values()].some((member) => member.theirs.count > 0);
  }

  /** Peers that a tracker knows in this swarm. */
  addCandidates(peers: readonly SwarmPeer[]): void {
    for (const peer of peers) this.#candidates.set(peer.pin, peer);
    if (!this.isWhole) this.connect();
  }
  removeCandidates(pins: readonly Pin[]): void {
    for (const pin of pins) this.#candidates.delete(pin);
  }

  holding(): Holding {
    const { held } = this.copy.pieces;
    if (held.isFull) return { have: 'all', bits: new Uint8Array(0) };
    return held.count === 0 ? { have: 'none', bits: new Uint8Array(0) } : { have: 'some', bits: held.bytes() };
  }

  /** A peer has joined, or has told anew what it has. */
  joined(link: PeerLink, holding: Holding): void {
    if (this.#closed) return;
    const theirs = this.#read(holding);
    if (!theirs) {
      this.#ban(link, 'its bitfield has the wrong length');
      return;
    }
    const known = this.#members.get(link);
    if (known) this.copy.pieces.countHolder(known.theirs, -1);
    const member: Member = known ?? {
      link, theirs, asks: new Map(), snubbedUntilMs: 0, heardMs: this.#host.clock.monotonicMs(), heardBytes: link.connection.counts.bytesIn,
    };
    member.theirs = theirs;
    this.copy.pieces.countHolder(theirs, 1);
    this.#members.set(link, member);
    this.#events.changed();
    this.#pump();
  }

  /** A peer has left, or its link is gone. */
  left(link: PeerLink): void {
    const member = this.#members.get(link);
    if (!member) return;
    this.#members.delete(link);
    this.copy.pieces.countHolder(member.theirs, -1);
    for (const ask of member.asks.values()) ask.abort.abort();
    this.#layer?.giveUp(link);
    this.#events.changed();
    this.#pump();
  }

  theyHave(link: PeerLink, pieces: readonly number[]): void {
    const member = this.#members.get(link);
    if (!member) return;
    for (const piece of pieces) {
      if (piece >= this.copy.shape.pieces) return this.#ban(link, 'it has a piece that does not exist');
      if (member.theirs.add(piece)) this.copy.pieces.addHolder(piece);
    }
    this.#pumpMember(member);
  }

  async read(piece: number, offset: number, into: Uint8Array): Promise<void> {
    try {
      await this.copy.read(piece, offset, into);
    } catch (error) {
      if (!this.#closed && (isShoalError(error, 'fileChanged') || isShoalError(error, 'fileMissing'))) this.#events.gone(error);
      throw error;
    }
  }

  /** Stops or goes on asking; what we hold is served all the while. */
  pause(): void {
    this.#asking = false;
    for (const member of this.#members.values()) for (const ask of member.asks.values()) ask.abort.abort();
  }
  resume(): void {
    this.#asking = true;
    this.connect();
    this.#pump();
  }

  /** Leaves every peer. The copy stays open. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const link of [...this.#members.keys()]) {
      link.leave(this);
      this.left(link);
    }
  }

  /** Links whose ticket no longer counts are dropped at once. */
  dropUntrusted(): void {
    for (const link of [...this.#members.keys()]) {
      if (link.trusts(this.key.group)) continue;
      link.leave(this);
      this.left(link);
    }
  }

  #read({ have, bits }: Holding): Bitfield | undefined {
    const { pieces } = this.copy.shape;
    if (have === 'all') return Bitfield.full(pieces);
    return have === 'some' ? Bitfield.from(bits, pieces) : new Bitfield(pieces);
  }

  #tick(): void {
    this.#timer = this.#host.clock.after(TICK_MS, () => {
      this.#lookAfter();
      if (!this.#closed) this.#tick();
    });
  }

  #lookAfter(): void {
    const now = this.#host.clock.monotonicMs();
    for (const member of [...this.#members.values()]) {
      const { bytesIn } = member.link.connection.counts;
      if (bytesIn !== member.heardBytes || member.asks.size === 0) {
        member.heardMs = now;
        member.heardBytes = bytesIn;
      } else if (now - member.heardMs > SILENT_MS) {
        // It may only be very slow, so its link stays; but what it was asked for is asked of others.
        this.#host.log.info('a peer is silent', { peer: member.link.pin, pieces: member.asks.size });
        member.snubbedUntilMs = now + SNUB_MS;
        for (const ask of member.asks.values()) ask.abort.abort();
      }
      if (this.isWhole && member.theirs.isFull) {
        member.link.leave(this);
        this.left(member.link);
      }
    }
    if (this.isWhole) return;
    this.connect();
    this.#pump();
  }

  /** Sees to it that there is a link to everyone who may have something. */
  connect(): void {
    if (this.#closed || !this.#asking || this.isWhole) return;
    for (const peer of this.#candidates.values()) {
      if (this.#banned.has(peer.pin) || this.#joining.has(peer.pin)) continue;
      const link = this.#host.reach(peer, this);
      if (link && !this.#members.has(link)) void this.#join(link);
    }
  }

  async #join(link: PeerLink): Promise<void> {
    this.#joining.add(link.pin);
    try {
      await link.join(this);
    } catch (error) {
      // Not ready yet (its ticket, its copy) or gone: the next tick tries again while the tracker names it.
      this.#host.log.debug('a peer could not be joined', { peer: link.pin, why: asShoalError(error).code });
    } finally {
      this.#joining.delete(link.pin);
    }
  }

  #pump(): void {
    if (this.#pumping) return; // storing and aborting come back here
    this.#pumping = true;
    try {
      // Starts at another peer each time, so that nobody is always first.
      const members = [...this.#members.values()];
      const start = Math.floor(this.#host.chance.random() * members.length);
      for (let n = 0; n < members.length; n++) {
        const member = members[(start + n) % members.length];
        if (member) this.#pumpMember(member);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #pumpMember(member: Member): void {
    if (this.#closed || !this.#asking || this.isWhole || member.snubbedUntilMs > this.#host.clock.monotonicMs()) return;
    if (!this.copy.layer) return void this.#fetchLayer(member);
    const { pieces, shape } = this.copy;
    while (member.asks.size < ASKS_MAX && pieces.verifyingCount < VERIFYING_MAX && this.#members.has(member.link)) {
      const piece = pick({ board: pieces, theirs: member.theirs, mode: this.mode, random: () => this.#host.chance.random(), asked: (n) => this.#asked(n, member) });
      if (piece === undefined) return;
      const buffer = this.#host.buffers.take(lengthOf(shape, piece));
      if (!buffer) return; // every piece that is stored, here or in another swarm, pumps again
      void this.#ask(member, piece, buffer);
    }
  }

  #asked(piece: number, member: Member): { peers: number; byThisPeer: boolean; overdue: boolean } {
    const now = this.#host.clock.monotonicMs();
    const asks = [...this.#members.values()].flatMap(({ asks: all }) => all.get(piece) ?? []);
    return { peers: asks.length, byThisPeer: member.asks.has(piece), overdue: asks.some((ask) => now - ask.startedMs > OVERDUE_MS) };
  }

  async #ask(member: Member, piece: number, buffer: Uint8Array): Promise<void> {
    const { pieces } = this.copy;
    if (pieces.state(piece) === 'missing') pieces.move(piece, 'request');
    const ask: Ask = { buffer, startedMs: this.#host.clock.monotonicMs(), abort: new AbortController() };
    member.asks.set(piece, ask);
    try {
      await this.#host.down.take(buffer.length, ask.abort.signal);
      await this.#fetch(member, piece, ask);
    } catch (error) {
      member.asks.delete(piece);
      this.#host.buffers.give(buffer, true);
      if (pieces.state(piece) === 'requested' && this.#asked(piece, member).peers === 0) pieces.move(piece, 'release');
      if (!ask.abort.signal.aborted) this.#refused(member, piece, asShoalError(error));
      this.#pump();
      return;
    }
    member.asks.delete(piece);
    await this.#take(member, piece, buffer);
  }

  /** The bytes of a piece, in one request or, for large pieces, in spans. */
  async #fetch(member: Member, piece: number, { buffer, abort }: Ask): Promise<void> {
    for (let offset = 0; offset < buffer.length; offset += SPAN_BYTES_MAX) {
      const into = buffer.subarray(offset, offset + SPAN_BYTES_MAX);
      const { rawBytes } = await member.link.connection.call(
        'piece', { ...this.key, piece, offset, lengthBytes: into.length }, { into, signal: abort.signal, deadlineMs: ASK_MS },
      );
      if (rawBytes !== into.length) throw new ShoalError('wrongPiece', { piece, peer: member.link.userIn(this.key.group) });
      this.#events.received(rawBytes);
    }
  }

  async #take(member: Member, piece: number, buffer: Uint8Array): Promise<void> {
    const { pieces } = this.copy;
    // In the endgame somebody else may have been faster.
    if (pieces.state(piece) !== 'requested') return this.#done(buffer);
    pieces.move(piece, 'verify');
    for (const other of this.#members.values()) other.asks.get(piece)?.abort.abort();
    let right: boolean;
    try {
      right = await this.copy.store(piece, buffer);
    } catch (error) {
      this.#asking = false;
      this.#done(buffer);
      if (!this.#closed) this.#events.stuck(asShoalError(error));
      return;
    }
    if (!right) {
      this.rejectedPieces++;
      this.#ban(member.link, `piece ${piece} was wrong`);
      return this.#done(buffer);
    }
    const source = this.sources.get(member.link.pin) ?? { user: member.link.userIn(this.key.group), pieces: 0, bytes: 0 };
    this.sources.set(member.link.pin, source);
    source.pieces++;
    source.bytes += buffer.length;
    if (!this.#closed) {
      for (const { link, theirs } of this.#members.values()) if (!theirs.isFull) link.connection.notify('have', { ...this.key, pieces: [piece] });
      this.#events.changed();
      if (this.isWhole) this.#events.whole();
    }
    this.#done(buffer);
  }

  #done(buffer: Uint8Array): void {
    this.#host.buffers.give(buffer);
    this.#pump();
  }

  /** A peer did not give what it was asked for. */
  #refused(member: Member, piece: number, error: ShoalError): void {
    this.#host.log.debug('a piece was refused', { peer: member.link.pin, piece, why: error.code });
    if (error.code === 'pieceNotHeld') {
      if (member.theirs.delete(piece)) this.copy.pieces.removeHolder(piece);
      return;
    }
    if (error.code === 'wrongPiece') return this.#ban(member.link, 'a piece had another length');
    if (isShoalError(error, 'noTicket') || isShoalError(error, 'notServed') || isShoalError(error, 'fileChanged') || isShoalError(error, 'fileMissing')) {
      // It cannot serve us now; the tracker's word or its next join brings it back.
      this.#candidates.delete(member.link.pin);
      member.link.leave(this);
      return this.left(member.link);
    }
    member.snubbedUntilMs = this.#host.clock.monotonicMs() + TICK_MS;
  }

  #ban(link: PeerLink, why: string): void {
    this.#host.log.warn('a peer is left alone', { peer: link.pin, why });
    this.#banned.add(link.pin);
    link.leave(this);
    this.left(link);
  }

  /** The piece layer comes before any piece. */
  async #fetchLayer(member: Member): Promise<void> {
    const fetch = (this.#layer ??= new LayerFetch(this.key, this.copy.shape));
    if (fetch.isAsking) return;
    try {
      const layer = await fetch.from(member.link);
      if (layer === 'wrong') return this.#ban(member.link, 'its piece hashes do not lead to the root');
      if (layer && this.copy.takeLayer(layer)) {
        this.#layer = undefined;
        this.#events.layerKnown(layer);
      }
    } catch (error) {
      this.#host.log.debug('the piece hashes did not come', { peer: member.link.pin, why: asShoalError(error).code });
      member.snubbedUntilMs = this.#host.clock.monotonicMs() + TICK_MS;
    } finally {
      this.#pump();
    }
  }
}
