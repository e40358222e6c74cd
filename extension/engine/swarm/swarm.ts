// One file among its peers: who takes part, and who has what. Verified pieces are told to everyone
// at once. Whom to reach says peerCandidates.ts; what is asked of whom is pieceFetcher.ts's
// business, what is sent uploadQueue.ts's; this touches no disk (pieceStore.ts) and opens no link
// (peerConnections.ts).
import type { PickerMode } from '../../../protocol/messages/engineLink.ts';
import { isShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { Pin, SwarmKey } from '../../../protocol/base/ids.ts';
import { REQUESTED_PIECES_MAX } from '../../../protocol/base/limits.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { Timer } from '../../../protocol/base/world.ts';
import { PeerCandidates } from './peerCandidates.ts';
import type { BannedPeer } from './peerCandidates.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import { DepartedPeers } from './departedPeers.ts';
import { PieceFetcher } from './pieceFetcher.ts';
import { HaveBroadcaster } from './haveBroadcaster.ts';
import { holdingOf, piecesOf } from './holding.ts';
import { PeerJoiner } from './peerJoiner.ts';
import { PeerState } from './peerState.ts';
import type { SwarmContext } from './swarmContext.ts';
import type { Holding, PeerConnection, PeerSwarm } from '../peers/peerConnection.ts';
import { RateLimiter } from '../peers/rateLimiter.ts';
import { UrgentPieces } from './urgentPieces.ts';

/** How often the swarm looks after itself while there is something to look after, in ms. */
const TICK_MS = 1_000;

/** What a swarm reports to whatever it belongs to. */
export interface SwarmEvents {
  onChange(): void;
  /** The piece hashes were fetched and proven by the root. */
  onPieceHashes(swarm: Swarm, pieceHashes: Uint8Array): void;
  /** The last piece is held. */
  onComplete(swarm: Swarm): void;
  /** The disk refused. The swarm asks for nothing until `resume`. */
  onDiskError(error: ShoalError): void;
  /** The file that was served is no longer what it was. */
  onSourceLost(error: ShoalError): void;
  onReceived(bytes: number): void;
}

/** For a swarm whose owner looks at it when it wants to know. */
export const NO_EVENTS: SwarmEvents = {
  onChange() {},
  onPieceHashes() {},
  onComplete() {},
  onDiskError() {},
  onSourceLost() {},
  onReceived() {},
};

export interface SourceCount {
  user: string;
  pieces: number;
  bytes: number;
}

export class Swarm implements PeerSwarm {
  readonly key: SwarmKey;
  readonly store: PieceStore;
  /** The limits of this file alone. */
  readonly downloadLimiter: RateLimiter;
  readonly uploadLimiter: RateLimiter;
  /** Who gave how much. */
  readonly sources = new Map<Pin, SourceCount>();
  rejectedPieces = 0;
  /** Who was here and left, with what. */
  readonly departedPeers: DepartedPeers;
  /** Bytes of pieces that have come. */
  receivedBytes = 0;
  readonly #context: SwarmContext;
  readonly #events: SwarmEvents;
  readonly #fetcher: PieceFetcher;
  readonly #haveBroadcaster: HaveBroadcaster;
  readonly #urgentPieces = new UrgentPieces();
  readonly #peers = new Map<PeerConnection, PeerState>();
  #seeders = 0;
  readonly #candidates = new PeerCandidates();
  readonly #joiner: PeerJoiner;
  #closed = false;
  #timer: Timer | undefined;

  constructor(
    key: SwarmKey,
    store: PieceStore,
    mode: PickerMode,
    context: SwarmContext,
    events: SwarmEvents,
    departedPeers = new DepartedPeers(),
  ) {
    this.key = key;
    this.store = store;
    this.departedPeers = departedPeers;
    this.downloadLimiter = new RateLimiter(context.clock);
    this.uploadLimiter = new RateLimiter(context.clock);
    this.#context = context;
    this.#events = events;
    // The first piece hashes come with the answer to a join, not after it.
    this.#joiner = new PeerJoiner(this, this.#candidates, context, (one) => this.#fetcher.fetchHashesFrom(one));
    const { clock, chance, log, buffers } = context;
    this.#fetcher = new PieceFetcher(
      key,
      store,
      mode,
      this.#peers,
      {
        clock,
        chance,
        log,
        buffers,
        downloadLimiters: [this.downloadLimiter, context.downloadLimiter],
        urgentPieces: this.#urgentPieces,
      },
      {
        onPiece: (piece, from, bytes) => this.#onPiece(piece, from, bytes),
        onComplete: () => {
          if (!this.#closed) events.onComplete(this);
        },
        onRequestsChanged: () => this.#announceRequests(),
        onPieceHashes: (pieceHashes) => events.onPieceHashes(this, pieceHashes),
        onWrongPiece: (piece, { connection }) => {
          this.rejectedPieces++;
          this.#ban(connection, `piece ${piece} was wrong`);
        },
        onMisbehavior: (connection, why) => this.#ban(connection, why),
        onRefused: ({ connection }) => {
          this.#candidates.remove([connection.pin]);
          connection.leave(this);
          this.onLeft(connection);
        },
        onDiskError: (error) => {
          this.#urgentPieces.fail(error);
          if (!this.#closed) events.onDiskError(error);
        },
        onReceived: (bytes) => {
          this.receivedBytes += bytes;
          events.onReceived(bytes);
        },
      },
    );
    this.#haveBroadcaster = new HaveBroadcaster(key, clock, () => this.#peers.values());
    this.#scheduleTick();
    // Who is linked to us anyway may be in this swarm: asked at once, before a tracker can say so.
    if (!this.isComplete) this.#joiner.joinConnected(this.#peers);
  }

  get mode(): PickerMode {
    return this.#fetcher.mode;
  }
  set mode(mode: PickerMode) {
    this.#fetcher.mode = mode;
  }
  get isComplete(): boolean {
    return this.store.states.isComplete;
  }
  get leftBytes(): number {
    return Math.max(0, this.store.shape.sizeBytes - this.store.states.held.count * this.store.shape.pieceBytes);
  }
  get peerCount(): number {
    return this.#peers.size;
  }
  /** Whether a peer takes part that has not got everything. */
  isWantedBy(connection: PeerConnection): boolean {
    return this.#peers.get(connection)?.isSeeder === false;
  }

  get peers(): readonly PeerState[] {
    return [...this.#peers.values()];
  }
  get banned(): ReadonlyMap<Pin, BannedPeer> {
    return this.#candidates.banned;
  }
  get isDiskBusy(): boolean {
    return this.#fetcher.isDiskBusy;
  }
  /** Whether somebody connected has a piece. */
  get hasProspects(): boolean {
    for (const { pieces } of this.#peers.values()) if (pieces.count > 0) return true;
    return false;
  }

  /** How many downloaders have a piece. */
  leechersWith(piece: number): number {
    return this.store.states.holders(piece) - this.#seeders;
  }

  /** Peers that a tracker knows in this swarm. */
  addCandidates(peers: readonly SwarmPeer[]): void {
    this.#candidates.add(peers);
    if (!this.isComplete) this.connect();
  }
  get candidates(): readonly SwarmPeer[] {
    return this.#candidates.all;
  }
  removeCandidates(pins: readonly Pin[]): void {
    this.#candidates.remove(pins);
  }

  holding(): Holding {
    return holdingOf(this.store.states.held);
  }

  /** A peer has joined, or has told anew what it has. */
  onJoined(connection: PeerConnection, holding: Holding): void {
    if (this.#closed) return connection.leave(this);
    const pieces = piecesOf(holding, this.store.shape.pieces);
    if (!pieces) return this.#ban(connection, 'its bitfield has the wrong length');
    if (this.#candidates.banned.has(connection.pin)) return connection.leave(this);
    const known = this.#peers.get(connection);
    if (known?.pieces.equals(pieces)) return;
    if (known) this.store.states.countHolder(known.pieces, -1);
    const peer = known ?? new PeerState(connection, pieces, this.#context.clock);
    peer.pieces = pieces;
    this.store.states.countHolder(pieces, 1);
    this.#peers.set(connection, peer);
    this.departedPeers.remove(connection.pin);
    this.#countSeeders();
    this.#scheduleTick();
    this.#events.onChange();
    this.#fetcher.pump();
  }

  /** A peer has left, or its link is gone. */
  onLeft(connection: PeerConnection): void {
    const peer = this.#peers.get(connection);
    if (!peer) return;
    this.#peers.delete(connection);
    if (!this.isComplete && !this.#candidates.banned.has(connection.pin)) {
      this.departedPeers.add(connection.pin, {
        user: connection.userIn(this.key.group),
        had: peer.pieces,
        atMs: this.#context.clock.now(),
      });
    }
    this.store.states.countHolder(peer.pieces, -1);
    this.#countSeeders();
    this.#fetcher.cancelPeer(peer);
    this.#events.onChange();
    this.#fetcher.pump();
  }

  onHave(connection: PeerConnection, pieces: readonly number[]): void {
    const peer = this.#peers.get(connection);
    if (!peer) return;
    for (const piece of pieces) {
      if (piece >= this.store.shape.pieces) return this.#ban(connection, 'it has a piece that does not exist');
      if (peer.pieces.add(piece)) this.store.states.addHolder(piece);
    }
    if (peer.isSeeder) this.#countSeeders();
    this.#fetcher.pumpPeer(peer);
  }

  /** A downloader says what it has asked of seeders. */
  onRequested(connection: PeerConnection, pieces: readonly number[]): void {
    const peer = this.#peers.get(connection);
    if (peer) this.#fetcher.onRequested(peer, pieces);
  }

  /** So much of a piece went to a peer. */
  onSent(connection: PeerConnection, bytes: number): void {
    const peer = this.#peers.get(connection);
    if (!peer) return;
    peer.upRate.count(bytes);
    peer.sentBytes += bytes;
  }

  async read(piece: number, offset: number, into: Uint8Array): Promise<void> {
    try {
      await this.store.read(piece, offset, into);
    } catch (error) {
      if (!this.#closed && (isShoalError(error, 'fileChanged') || isShoalError(error, 'fileMissing'))) {
        this.#events.onSourceLost(error);
      }
      throw error;
    }
  }

  /** Stops or goes on asking; what we hold is served all the while. */
  pause(): void {
    this.#fetcher.pause();
  }
  resume(): void {
    this.#fetcher.resume();
    this.connect();
  }

  /**
   * Has these pieces fetched before all others and in this order, even while the rest is paused.
   * Resolves when they are held.
   *
   * @throws ShoalError cancelled; linkClosed when the swarm was left meanwhile; what the disk says
   */
  async fetchUrgently(pieces: readonly number[], signal: AbortSignal): Promise<void> {
    if (this.#closed) throw new ShoalError('linkClosed');
    const states = this.store.states;
    const missing = pieces.filter((piece) => !states.held.has(piece));
    if (missing.length === 0) return;
    const isFirst = this.#urgentPieces.isEmpty;
    const arrival = this.#urgentPieces.wait(missing, signal);
    this.#fetcher.pump();
    // Not for each of a thousand calls: it asks all connected peers, whatever swarms they are in.
    if (isFirst) this.#joiner.joinConnected(this.#peers);
    this.connect();
    this.#scheduleTick();
    try {
      await arrival;
    } finally {
      this.#fetcher.cancelUrgent();
    }
  }

  /** Leaves every peer. The copy stays open. */
  close(): void {
    this.#closed = true;
    this.#urgentPieces.fail(new ShoalError('linkClosed'));
    this.#timer?.cancel();
    this.#fetcher.pause();
    this.#haveBroadcaster.stop();
    for (const connection of [...this.#peers.keys()]) this.#dropPeer(connection);
  }

  /** Links whose ticket no longer counts are dropped at once. */
  dropUntrusted(): void {
    for (const connection of [...this.#peers.keys()]) {
      if (!connection.trusts(this.key.group)) this.#dropPeer(connection);
    }
  }

  /** Sees to it that all who may have something are asked to take part. */
  connect(): void {
    if (this.#closed || !this.#fetcher.isRequesting || this.isComplete) return;
    this.#joiner.joinCandidates(this.#peers);
  }

  #countSeeders(): void {
    this.#seeders = 0;
    for (const { isSeeder } of this.#peers.values()) if (isSeeder) this.#seeders++;
  }

  #dropPeer(connection: PeerConnection): void {
    connection.leave(this);
    this.onLeft(connection);
  }

  /** A whole file without peers has nothing to look after: a thousand of them must cost nothing. */
  #scheduleTick(): void {
    if (this.#timer || this.#closed || (this.isComplete && this.#peers.size === 0)) return;
    this.#timer = this.#context.clock.after(TICK_MS, () => {
      this.#timer = undefined;
      this.#tick();
      this.#scheduleTick();
    });
  }

  #tick(): void {
    const nowMs = this.#context.clock.monotonicMs();
    for (const peer of [...this.#peers.values()]) {
      peer.tick(nowMs);
      if (this.isComplete && peer.isSeeder) this.#dropPeer(peer.connection);
    }
    if (this.isComplete) return;
    this.connect();
    this.#fetcher.pump();
  }

  #onPiece(piece: number, { connection }: PeerState, bytes: number): void {
    const source = this.sources.get(connection.pin) ?? { user: connection.userIn(this.key.group), pieces: 0, bytes: 0 };
    this.sources.set(connection.pin, source);
    source.pieces++;
    source.bytes += bytes;
    this.announceHave([piece]);
    if (!this.#closed && this.isComplete) this.#events.onComplete(this);
  }

  /** Pieces are held now, fetched or found on this machine: others hear of it. */
  announceHave(pieces: readonly number[]): void {
    for (const piece of pieces) this.#urgentPieces.onHeld(piece);
    if (this.#closed || pieces.length === 0) return;
    this.#haveBroadcaster.add(pieces);
    // Of what they had themselves nothing was said to them. That we have everything, all must know.
    if (this.isComplete) for (const { connection } of this.#peers.values()) void this.#joiner.join(connection);
    this.#events.onChange();
  }

  /**
   * Other downloaders hear what we have asked of seeders, so that they ask for something else
   * there.
   */
  #announceRequests(): void {
    const leechers = [...this.#peers.values()].filter(({ isSeeder }) => !isSeeder);
    if (leechers.length === 0) return;
    const pieces = this.#fetcher.requestedFromSeeders().slice(-REQUESTED_PIECES_MAX);
    for (const { connection } of leechers) connection.rpc.notify('asking', { ...this.key, pieces });
  }

  #ban(connection: PeerConnection, why: string): void {
    this.#context.log.warn('a peer is left alone', { peer: connection.pin, why });
    this.#candidates.ban(connection.pin, { user: connection.userIn(this.key.group), why });
    this.#dropPeer(connection);
  }
}
