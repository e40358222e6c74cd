// One file among its peers: who takes part, and who has what. Verified pieces are told to everyone
// at once. Whom to reach says peerCandidates.ts; what is asked of whom is pieceFetcher.ts's
// business, what is sent uploadQueue.ts's; this touches no disk (pieceStore.ts) and opens no link
// (peerConnections.ts).
import { Bitfield } from '../../../protocol/messages/bitfield.ts';
import type { PickerMode } from '../../../protocol/messages/engineLink.ts';
import { asShoalError, isShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { GroupId, Pin, SwarmKey } from '../../../protocol/base/ids.ts';
import { ASKING_PIECES_MAX } from '../../../protocol/base/limits.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { Timer } from '../../../protocol/base/world.ts';
import { Contacts } from './peerCandidates.ts';
import type { BannedPeer } from './peerCandidates.ts';
import type { Copy } from '../storage/pieceStore.ts';
import { Departed } from './departedPeers.ts';
import { Fetcher } from './pieceFetcher.ts';
import type { FetcherHost } from './pieceFetcher.ts';
import { HaveNews } from './haveBroadcaster.ts';
import { Member } from './peerState.ts';
import type { Holding, PeerLink } from '../peers/peerConnection.ts';
import { Throttle } from '../peers/rateLimiter.ts';
import type { UploadFile } from '../peers/uploadQueue.ts';
import { Urgent } from './urgentPieces.ts';

/** How often the swarm looks after itself while there is something to look after, in ms. */
const TICK_MS = 1_000;

export interface SwarmHost extends Omit<FetcherHost, 'down' | 'urgent'> {
  /** The limit of what all downloads take. */
  readonly down: Throttle;
  /** A link to a peer, dialled now if need be; undefined while there is none. */
  readonly reach: (peer: SwarmPeer, swarm: Swarm) => PeerLink | undefined;
  /** Whether the last try to reach a peer has failed, and whether there is a link to it. */
  readonly isUnreachable: (pin: Pin) => boolean;
  readonly isLinked: (pin: Pin) => boolean;
  /** Links to members of a group, whatever swarms they are in. */
  linksIn(group: GroupId): readonly PeerLink[];
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

export interface SourceCount {
  user: string;
  pieces: number;
  bytes: number;
}

export class Swarm implements UploadFile {
  readonly key: SwarmKey;
  readonly copy: Copy;
  /** The limits of this file alone. */
  readonly down: Throttle;
  readonly up: Throttle;
  /** Who gave how much. */
  readonly sources = new Map<Pin, SourceCount>();
  rejectedPieces = 0;
  /** Who was here and left, with what. */
  readonly departed: Departed;
  /** Bytes of pieces that have come. */
  receivedBytes = 0;
  readonly #host: SwarmHost;
  readonly #events: SwarmEvents;
  readonly #fetcher: Fetcher;
  readonly #news: HaveNews;
  readonly #urgent = new Urgent();
  readonly #members = new Map<PeerLink, Member>();
  #seeders = 0;
  readonly #contacts = new Contacts();
  #closed = false;
  #timer: Timer | undefined;

  constructor(
    key: SwarmKey,
    copy: Copy,
    mode: PickerMode,
    host: SwarmHost,
    events: SwarmEvents,
    departed = new Departed(),
  ) {
    this.key = key;
    this.copy = copy;
    this.departed = departed;
    this.down = new Throttle(host.clock);
    this.up = new Throttle(host.clock);
    this.#host = host;
    this.#events = events;
    const { clock, chance, log, buffers } = host;
    this.#fetcher = new Fetcher(
      key,
      copy,
      mode,
      this.#members,
      { clock, chance, log, buffers, down: [this.down, host.down], urgent: this.#urgent },
      {
        held: (piece, from, bytes) => this.#held(piece, from, bytes),
        whole: () => {
          if (!this.#closed) events.whole();
        },
        asking: () => this.#tellAsking(),
        layerKnown: (layer) => events.layerKnown(layer),
        rejected: (piece, { link }) => {
          this.rejectedPieces++;
          this.#ban(link, `piece ${piece} was wrong`);
        },
        wrong: (link, why) => this.#ban(link, why),
        refused: ({ link }) => {
          this.#contacts.remove([link.pin]);
          link.leave(this);
          this.left(link);
        },
        stuck: (error) => {
          this.#urgent.fail(error);
          if (!this.#closed) events.stuck(error);
        },
        received: (bytes) => {
          this.receivedBytes += bytes;
          events.received(bytes);
        },
      },
    );
    this.#news = new HaveNews(key, clock, () => this.#members.values());
    this.#tick();
    // Who is linked to us anyway may be in this swarm: asked at once, before a tracker can say so.
    if (!this.isWhole) this.#joinLinked();
  }

  get mode(): PickerMode {
    return this.#fetcher.mode;
  }
  set mode(mode: PickerMode) {
    this.#fetcher.mode = mode;
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
  /** Whether a peer takes part that has not got everything. */
  isWantedBy(link: PeerLink): boolean {
    return this.#members.get(link)?.isSeeder === false;
  }

  get members(): readonly Member[] {
    return [...this.#members.values()];
  }
  get banned(): ReadonlyMap<Pin, BannedPeer> {
    return this.#contacts.banned;
  }
  get isDiskBusy(): boolean {
    return this.#fetcher.isDiskBusy;
  }
  /** Whether somebody connected has a piece. */
  get hasProspects(): boolean {
    for (const { theirs } of this.#members.values()) if (theirs.count > 0) return true;
    return false;
  }

  /** How many downloaders have a piece. */
  holders(piece: number): number {
    return this.copy.pieces.holders(piece) - this.#seeders;
  }

  /** Peers that a tracker knows in this swarm. */
  addCandidates(peers: readonly SwarmPeer[]): void {
    this.#contacts.add(peers);
    if (!this.isWhole) this.connect();
  }
  get candidates(): readonly SwarmPeer[] {
    return this.#contacts.named;
  }
  removeCandidates(pins: readonly Pin[]): void {
    this.#contacts.remove(pins);
  }

  holding(): Holding {
    const { held } = this.copy.pieces;
    if (held.isFull) return { have: 'all', bits: new Uint8Array(0) };
    return held.count === 0 ? { have: 'none', bits: new Uint8Array(0) } : { have: 'some', bits: held.bytes() };
  }

  /** A peer has joined, or has told anew what it has. */
  joined(link: PeerLink, holding: Holding): void {
    if (this.#closed) return link.leave(this);
    const theirs = this.#read(holding);
    if (!theirs) return this.#ban(link, 'its bitfield has the wrong length');
    if (this.#contacts.banned.has(link.pin)) return link.leave(this);
    const known = this.#members.get(link);
    if (known?.theirs.equals(theirs)) return;
    if (known) this.copy.pieces.countHolder(known.theirs, -1);
    const member = known ?? new Member(link, theirs, this.#host.clock);
    member.theirs = theirs;
    this.copy.pieces.countHolder(theirs, 1);
    this.#members.set(link, member);
    this.departed.cameBack(link.pin);
    this.#countSeeders();
    this.#tick();
    this.#events.changed();
    this.#fetcher.pump();
  }

  /** A peer has left, or its link is gone. */
  left(link: PeerLink): void {
    const member = this.#members.get(link);
    if (!member) return;
    this.#members.delete(link);
    if (!this.isWhole && !this.#contacts.banned.has(link.pin)) {
      this.departed.left(link.pin, {
        user: link.userIn(this.key.group),
        theirs: member.theirs,
        atMs: this.#host.clock.now(),
      });
    }
    this.copy.pieces.countHolder(member.theirs, -1);
    this.#countSeeders();
    this.#fetcher.giveUp(member);
    this.#events.changed();
    this.#fetcher.pump();
  }

  theyHave(link: PeerLink, pieces: readonly number[]): void {
    const member = this.#members.get(link);
    if (!member) return;
    for (const piece of pieces) {
      if (piece >= this.copy.shape.pieces) return this.#ban(link, 'it has a piece that does not exist');
      if (member.theirs.add(piece)) this.copy.pieces.addHolder(piece);
    }
    if (member.isSeeder) this.#countSeeders();
    this.#fetcher.pumpMember(member);
  }

  /** A downloader says what it has asked of seeders. */
  theyAsk(link: PeerLink, pieces: readonly number[]): void {
    const member = this.#members.get(link);
    if (member) this.#fetcher.comingTo(member, pieces);
  }

  /** So much of a piece went to a peer. */
  sent(link: PeerLink, bytes: number): void {
    const member = this.#members.get(link);
    if (!member) return;
    member.up.count(bytes);
    member.tookBytes += bytes;
  }

  async read(piece: number, offset: number, into: Uint8Array): Promise<void> {
    try {
      await this.copy.read(piece, offset, into);
    } catch (error) {
      if (!this.#closed && (isShoalError(error, 'fileChanged') || isShoalError(error, 'fileMissing'))) {
        this.#events.gone(error);
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
  async need(pieces: readonly number[], signal: AbortSignal): Promise<void> {
    if (this.#closed) throw new ShoalError('linkClosed');
    const board = this.copy.pieces;
    const missing = pieces.filter((piece) => !board.held.has(piece));
    if (missing.length === 0) return;
    const isFirst = this.#urgent.isEmpty;
    const coming = this.#urgent.wait(missing, signal);
    this.#fetcher.pump();
    if (isFirst) this.#joinLinked(); // not for each of a thousand calls: who is in other swarms only is asked each time
    this.connect();
    this.#tick();
    try {
      await coming;
    } finally {
      this.#fetcher.calmDown();
    }
  }

  /** Leaves every peer. The copy stays open. */
  close(): void {
    this.#closed = true;
    this.#urgent.fail(new ShoalError('linkClosed'));
    this.#timer?.cancel();
    this.#fetcher.pause();
    this.#news.stop();
    for (const link of [...this.#members.keys()]) this.#drop(link);
  }

  /** Links whose ticket no longer counts are dropped at once. */
  dropUntrusted(): void {
    for (const link of [...this.#members.keys()]) if (!link.trusts(this.key.group)) this.#drop(link);
  }

  /** Sees to it that there is a link to everyone who may have something. */
  connect(): void {
    if (this.#closed || !this.#fetcher.isAsking || this.isWhole) return;
    const { clock, chance, isUnreachable, isLinked, reach } = this.#host;
    const here = new Set([...this.#members.keys()].map(({ pin }) => pin));
    for (const peer of this.#contacts.toReach(here, {
      nowMs: clock.monotonicMs(),
      random: () => chance.random(),
      isUnreachable,
      isLinked,
    })) {
      const link = reach(peer, this);
      if (link && !this.#members.has(link)) void this.#join(link);
    }
  }

  #joinLinked(): void {
    for (const link of this.#host.linksIn(this.key.group)) {
      if (!this.#members.has(link) && this.#contacts.mayBeAsked(link.pin)) void this.#join(link);
    }
  }

  #countSeeders(): void {
    this.#seeders = 0;
    for (const { isSeeder } of this.#members.values()) if (isSeeder) this.#seeders++;
  }

  #drop(link: PeerLink): void {
    link.leave(this);
    this.left(link);
  }

  #read({ have, bits }: Holding): Bitfield | undefined {
    const { pieces } = this.copy.shape;
    if (have === 'all') return Bitfield.full(pieces);
    return have === 'some' ? Bitfield.from(bits, pieces) : new Bitfield(pieces);
  }

  /** A whole file without peers has nothing to look after: a thousand of them must cost nothing. */
  #tick(): void {
    if (this.#timer || this.#closed || (this.isWhole && this.#members.size === 0)) return;
    this.#timer = this.#host.clock.after(TICK_MS, () => {
      this.#timer = undefined;
      this.#lookAfter();
      this.#tick();
    });
  }

  #lookAfter(): void {
    const nowMs = this.#host.clock.monotonicMs();
    for (const member of [...this.#members.values()]) {
      member.look(nowMs);
      if (this.isWhole && member.isSeeder) this.#drop(member.link);
    }
    if (this.isWhole) return;
    this.connect();
    this.#fetcher.pump();
  }

  async #join(link: PeerLink): Promise<void> {
    this.#contacts.asking(link.pin);
    try {
      const joined = link.join(this);
      // The first piece hashes come with its answer, not after it.
      this.#fetcher.beginLayer(link);
      await joined;
    } catch (error) {
      // Not ready yet (its ticket, its copy), not in this swarm, or gone: the next tick tries again
      // while a tracker names it.
      this.#host.log.debug('a peer could not be joined', { peer: link.pin, why: asShoalError(error).code });
    } finally {
      this.#contacts.answered(link.pin);
    }
  }

  #held(piece: number, { link }: Member, bytes: number): void {
    const source = this.sources.get(link.pin) ?? { user: link.userIn(this.key.group), pieces: 0, bytes: 0 };
    this.sources.set(link.pin, source);
    source.pieces++;
    source.bytes += bytes;
    this.tellHave([piece]);
    if (!this.#closed && this.isWhole) this.#events.whole();
  }

  /** Pieces are held now, fetched or found on this machine: others hear of it. */
  tellHave(pieces: readonly number[]): void {
    for (const piece of pieces) this.#urgent.held(piece);
    if (this.#closed || pieces.length === 0) return;
    this.#news.add(pieces);
    // Of what they had themselves nothing was said to them. That we have everything, all must know.
    if (this.isWhole) for (const { link } of this.#members.values()) void this.#join(link);
    this.#events.changed();
  }

  /**
   * Other downloaders hear what we have asked of seeders, so that they ask for something else
   * there.
   */
  #tellAsking(): void {
    const leechers = [...this.#members.values()].filter(({ isSeeder }) => !isSeeder);
    if (leechers.length === 0) return;
    const pieces = this.#fetcher.askedOfSeeders().slice(-ASKING_PIECES_MAX);
    for (const { link } of leechers) link.connection.notify('asking', { ...this.key, pieces });
  }

  #ban(link: PeerLink, why: string): void {
    this.#host.log.warn('a peer is left alone', { peer: link.pin, why });
    this.#contacts.ban(link.pin, { user: link.userIn(this.key.group), why });
    this.#drop(link);
  }
}
