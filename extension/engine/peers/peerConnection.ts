// One link to another engine, for all swarms both are in. Checks at every request that both sides
// showed a ticket that counts; passes revocations on. What a swarm wants of its peers is swarm.ts's
// business.
import type { HandlersOf } from '../../../protocol/wire/table.ts';
import type { Connection } from '../../../protocol/wire/connection.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { GroupId, Pin, Root, SwarmKey } from '../../../protocol/base/ids.ts';
import { HASHES_PER_REPLY_MAX, SPAN_BYTES_MAX } from '../../../protocol/base/limits.ts';
import type { holding, peerLink } from '../../../protocol/messages/peerLink.ts';
import type { Of } from '../../../protocol/base/schema.ts';
import type { Ticket } from '../../../protocol/messages/ticket.ts';
import type { ByteStream } from '../../../protocol/base/world.ts';
import { isRange, lengthOf } from '../hashing/merkleTree.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import type { Tickets } from '../trackers/tickets.ts';
import type { UploadQueue } from './uploadQueue.ts';
import type { UploadFile, UploadPeer } from './uploadRequest.ts';

export type Holding = Of<typeof holding>;
export type PeerRpc = Connection<typeof peerLink, 'peer'>;

/** What a connection needs of a swarm that uses it. Class Swarm implements it. */
export interface PeerSwarm extends UploadFile {
  readonly key: SwarmKey;
  readonly store: Pick<PieceStore, 'states' | 'shape' | 'hashes'>;
  readonly leftBytes: number;
  /** The pieces that this engine holds, as a peer is told. */
  holding(): Holding;
  /** A peer has joined, or has told anew what it has. */
  onJoined(connection: PeerConnection, holding: Holding): void;
  /** A peer has left, or its connection is gone. */
  onLeft(connection: PeerConnection): void;
  onHave(connection: PeerConnection, pieces: readonly number[]): void;
  /** A leecher says which pieces it has requested from seeders. */
  onRequested(connection: PeerConnection, pieces: readonly number[]): void;
  /** Bytes of a piece were sent to a peer. */
  onSent(connection: PeerConnection, bytes: number): void;
  /** Fills the memory with bytes of a piece that is held. @throws ShoalError what the disk says */
  read(piece: number, offset: number, into: Uint8Array): Promise<void>;
  /** Whether a peer takes part that does not have everything. */
  isWantedBy(connection: PeerConnection): boolean;
}

/** What a connection needs of its engine. */
export interface PeerContext {
  readonly tickets: Tickets;
  /** Where requests for bytes wait for their turn. */
  readonly uploadQueue: UploadQueue;
  swarm(group: GroupId, root: Root): PeerSwarm | undefined;
  /** A revocation that was new to us came over this link. */
  onRevoked(bytes: Uint8Array, from: PeerConnection): void;
  /** Bytes of a piece were handed to a link. */
  onSent(swarm: PeerSwarm, bytes: number, to: PeerConnection): void;
}

export class PeerConnection implements UploadPeer {
  readonly pin: Pin;
  readonly dialled: boolean;
  /** Address of the other end. */
  readonly host: string;
  /** Swarms both sides have joined over this link. */
  readonly swarms = new Set<PeerSwarm>();
  readonly #context: PeerContext;
  readonly #theirTickets = new Map<GroupId, Ticket>();
  readonly #shownTickets = new Map<GroupId, Uint8Array>();
  #rpc: PeerRpc | undefined;

  constructor(pin: Pin, stream: ByteStream, context: PeerContext) {
    this.pin = pin;
    this.dialled = stream.dialled;
    this.host = stream.remote.host;
    this.#context = context;
  }

  /** The link proper; set once, right after it was made with our `handlers`. */
  set rpc(connection: PeerRpc) {
    this.#rpc = connection;
  }
  get rpc(): PeerRpc {
    if (!this.#rpc) throw new Error('the link is not open yet');
    return this.#rpc;
  }

  /**
   * Shows our ticket for a group if we have one and it has not been shown. Returns whether the
   * other side has seen it.
   */
  showTicket(group: GroupId): boolean {
    const mine = this.#context.tickets.mine(group);
    if (mine && this.#shownTickets.get(group) !== mine) {
      this.#shownTickets.set(group, mine);
      this.rpc.notify('ticket', { ticket: mine });
    }
    return this.#shownTickets.has(group);
  }
  /** Our tickets were renewed: show the new ones wherever the old ones were. */
  showRenewedTickets(): void {
    for (const group of this.#shownTickets.keys()) this.showTicket(group);
  }
  sendRevocation(revocation: Uint8Array): void {
    this.rpc.notify('revoked', { revocation });
  }

  /** Whether both sides have shown a ticket for the group and the other's counts now. */
  trusts(group: GroupId): boolean {
    const theirs = this.#theirTickets.get(group);
    return theirs !== undefined && this.#shownTickets.has(group) && this.#context.tickets.counts(theirs);
  }
  get isWritable(): boolean {
    return this.rpc.isWritable;
  }
  writable(): Promise<void> {
    return this.rpc.writable();
  }

  /** The person at the other end, as the ticket says. */
  userIn(group: GroupId): string {
    return this.#theirTickets.get(group)?.user ?? '';
  }

  /**
   * Joins a swarm over this link. @throws ShoalError noTicket, notServed, or what the link throws
   */
  async join(swarm: PeerSwarm): Promise<void> {
    const { group, root } = swarm.key;
    if (!this.showTicket(group)) throw new ShoalError('noTicket');
    const reply = await this.rpc.call('join', { group, root, holding: swarm.holding() });
    if (!this.trusts(group)) {
      this.rpc.notify('leave', swarm.key);
      throw new ShoalError('noTicket');
    }
    this.swarms.add(swarm);
    swarm.onJoined(this, reply.holding);
  }

  leave(swarm: PeerSwarm): void {
    if (!this.swarms.delete(swarm)) return;
    // A join of one that has ended may be answered late, when another one of the same file is
    // there; the other side knows of one only.
    const now = this.#context.swarm(swarm.key.group, swarm.key.root);
    if (now === undefined || now === swarm) this.rpc.notify('leave', swarm.key);
  }

  readonly handlers: HandlersOf<typeof peerLink, 'peer'> = {
    ticket: ({ ticket }) => {
      const theirs = this.#context.tickets.open(ticket, this.pin);
      this.#theirTickets.set(theirs.group, theirs);
      // Only who has proven to be a member learns that we are one.
      if (this.#context.tickets.counts(theirs)) this.showTicket(theirs.group);
    },
    revoked: ({ revocation }) => {
      if (this.#context.tickets.revoke(revocation)) this.#context.onRevoked(revocation, this);
    },
    join: ({ group, root, holding: theirs }) => {
      const swarm = this.#trustedSwarm(group, root);
      this.swarms.add(swarm);
      const ours = swarm.holding();
      swarm.onJoined(this, theirs);
      return { holding: ours };
    },
    leave: ({ group, root }) => {
      const swarm = this.#context.swarm(group, root);
      if (swarm && this.swarms.delete(swarm)) swarm.onLeft(this);
    },
    have: ({ group, root, pieces }) => {
      if (this.trusts(group)) this.#context.swarm(group, root)?.onHave(this, pieces);
    },
    asking: ({ group, root, pieces }) => {
      if (this.trusts(group)) this.#context.swarm(group, root)?.onRequested(this, pieces);
    },
    hashes: ({ group, root, first, count }) => {
      const { store } = this.#trustedSwarm(group, root);
      if (count > HASHES_PER_REPLY_MAX || !isRange(store.shape, first, count)) {
        throw new ShoalError('badMessage', { type: 'hashes', why: 'no such range' });
      }
      const range = store.hashes(first, count);
      if (!range) throw new ShoalError('pieceNotHeld', { piece: first });
      return range;
    },
    piece: ({ group, root, piece, offset, lengthBytes }, { signal }) => {
      const file = this.#trustedSwarm(group, root);
      if (lengthBytes === 0 || lengthBytes > SPAN_BYTES_MAX) {
        throw new ShoalError('badMessage', { type: 'piece', why: 'so much is not given at once' });
      }
      // Before it stands in line: what we do not have must not take a turn from what we have.
      const { states, shape } = file.store;
      if (!states.held.has(piece) || offset + lengthBytes > lengthOf(shape, piece)) {
        throw new ShoalError('pieceNotHeld', { piece });
      }
      return this.#context.uploadQueue.request({
        peer: this,
        file,
        piece,
        offset,
        lengthBytes,
        signal,
        // Asked again after every wait: a revocation that came meanwhile must stop these very
        // bytes.
        read: async (into) => {
          await this.#trustedSwarm(group, root).read(piece, offset, into);
          const sent = this.#trustedSwarm(group, root);
          sent.onSent(this, into.length);
          this.#context.onSent(sent, into.length, this);
        },
      });
    },
  };

  /** @throws ShoalError noTicket, notServed */
  #trustedSwarm(group: GroupId, root: Root): PeerSwarm {
    if (!this.trusts(group)) throw new ShoalError('noTicket');
    const swarm = this.#context.swarm(group, root);
    if (!swarm) throw new ShoalError('notServed');
    return swarm;
  }
}
