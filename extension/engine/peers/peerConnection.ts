// One link to another engine, for all swarms both are in. Checks at every request that both sides
// showed a ticket that counts; passes revocations on. What a swarm wants of its peers is swarm.ts's
// business.
import type { HandlersOf } from '../../../protocol/wire/table.ts';
import type { Connection } from '../../../protocol/wire/connection.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { GroupId, Pin, Root } from '../../../protocol/base/ids.ts';
import { HASHES_PER_REPLY_MAX, SPAN_BYTES_MAX } from '../../../protocol/base/limits.ts';
import type { holding, peerLink } from '../../../protocol/messages/peerLink.ts';
import type { Of } from '../../../protocol/base/schema.ts';
import type { Ticket } from '../../../protocol/messages/ticket.ts';
import type { ByteStream } from '../../../protocol/base/world.ts';
import { isRange, lengthOf } from '../hashing/merkleTree.ts';
import type { Swarm } from '../swarm/swarm.ts';
import type { Tickets } from '../trackers/tickets.ts';
import type { UploadPeer, Uploads } from './uploadQueue.ts';

export type Holding = Of<typeof holding>;
export type PeerConnection = Connection<typeof peerLink, 'peer'>;

/** What a link needs of its engine. */
export interface PeerHost {
  readonly tickets: Tickets;
  /** Where requests for bytes wait for their turn. */
  readonly uploads: Uploads;
  swarm(group: GroupId, root: Root): Swarm | undefined;
  /** A revocation that was new to us came over this link. */
  revoked(bytes: Uint8Array, from: PeerLink): void;
  /** Bytes of a piece were handed to a link. */
  sent(swarm: Swarm, bytes: number, to: PeerLink): void;
}

export class PeerLink implements UploadPeer {
  readonly pin: Pin;
  readonly dialled: boolean;
  /** Address of the other end. */
  readonly host: string;
  /** Swarms both sides have joined over this link. */
  readonly swarms = new Set<Swarm>();
  readonly #host: PeerHost;
  readonly #theirs = new Map<GroupId, Ticket>();
  readonly #shown = new Map<GroupId, Uint8Array>();
  #connection: PeerConnection | undefined;

  constructor(pin: Pin, stream: ByteStream, host: PeerHost) {
    this.pin = pin;
    this.dialled = stream.dialled;
    this.host = stream.remote.host;
    this.#host = host;
  }

  /** The link proper; set once, right after it was made with our `handlers`. */
  set connection(connection: PeerConnection) {
    this.#connection = connection;
  }
  get connection(): PeerConnection {
    if (!this.#connection) throw new Error('the link is not open yet');
    return this.#connection;
  }

  /**
   * Shows our ticket for a group if we have one and it has not been shown. Returns whether the
   * other side has seen it.
   */
  show(group: GroupId): boolean {
    const mine = this.#host.tickets.mine(group);
    if (mine && this.#shown.get(group) !== mine) {
      this.#shown.set(group, mine);
      this.connection.notify('ticket', { ticket: mine });
    }
    return this.#shown.has(group);
  }
  /** Our tickets were renewed: show the new ones wherever the old ones were. */
  showRenewed(): void {
    for (const group of this.#shown.keys()) this.show(group);
  }
  tellRevocation(revocation: Uint8Array): void {
    this.connection.notify('revoked', { revocation });
  }

  /** Whether both sides have shown a ticket for the group and the other's counts now. */
  trusts(group: GroupId): boolean {
    const theirs = this.#theirs.get(group);
    return theirs !== undefined && this.#shown.has(group) && this.#host.tickets.counts(theirs);
  }
  get isWritable(): boolean {
    return this.connection.isWritable;
  }
  writable(): Promise<void> {
    return this.connection.writable();
  }

  /** The person at the other end, as the ticket says. */
  userIn(group: GroupId): string {
    return this.#theirs.get(group)?.user ?? '';
  }

  /**
   * Joins a swarm over this link. @throws ShoalError noTicket, notServed, or what the link throws
   */
  async join(swarm: Swarm): Promise<void> {
    const { group, root } = swarm.key;
    if (!this.show(group)) throw new ShoalError('noTicket');
    const reply = await this.connection.call('join', { group, root, holding: swarm.holding() });
    if (!this.trusts(group)) {
      this.connection.notify('leave', swarm.key);
      throw new ShoalError('noTicket');
    }
    this.swarms.add(swarm);
    swarm.joined(this, reply.holding);
  }

  leave(swarm: Swarm): void {
    if (!this.swarms.delete(swarm)) return;
    // A join of one that has ended may be answered late, when another one of the same file is
    // there; the other side knows of one only.
    const now = this.#host.swarm(swarm.key.group, swarm.key.root);
    if (now === undefined || now === swarm) this.connection.notify('leave', swarm.key);
  }

  readonly handlers: HandlersOf<typeof peerLink, 'peer'> = {
    ticket: ({ ticket }) => {
      const theirs = this.#host.tickets.open(ticket, this.pin);
      this.#theirs.set(theirs.group, theirs);
      // Only who has proven to be a member learns that we are one.
      if (this.#host.tickets.counts(theirs)) this.show(theirs.group);
    },
    revoked: ({ revocation }) => {
      if (this.#host.tickets.revoke(revocation)) this.#host.revoked(revocation, this);
    },
    join: ({ group, root, holding: theirs }) => {
      const swarm = this.#swarm(group, root);
      this.swarms.add(swarm);
      const ours = swarm.holding();
      swarm.joined(this, theirs);
      return { holding: ours };
    },
    leave: ({ group, root }) => {
      const swarm = this.#host.swarm(group, root);
      if (swarm && this.swarms.delete(swarm)) swarm.left(this);
    },
    have: ({ group, root, pieces }) => {
      if (this.trusts(group)) this.#host.swarm(group, root)?.theyHave(this, pieces);
    },
    asking: ({ group, root, pieces }) => {
      if (this.trusts(group)) this.#host.swarm(group, root)?.theyAsk(this, pieces);
    },
    hashes: ({ group, root, first, count }) => {
      const { copy } = this.#swarm(group, root);
      if (count > HASHES_PER_REPLY_MAX || !isRange(copy.shape, first, count)) {
        throw new ShoalError('badMessage', { type: 'hashes', why: 'no such range' });
      }
      const range = copy.hashes(first, count);
      if (!range) throw new ShoalError('pieceNotHeld', { piece: first });
      return range;
    },
    piece: ({ group, root, piece, offset, lengthBytes }, { signal }) => {
      const file = this.#swarm(group, root);
      if (lengthBytes === 0 || lengthBytes > SPAN_BYTES_MAX) {
        throw new ShoalError('badMessage', { type: 'piece', why: 'so much is not given at once' });
      }
      // Before it stands in line: what we do not have must not take a turn from what we have.
      const { pieces, shape } = file.copy;
      if (!pieces.held.has(piece) || offset + lengthBytes > lengthOf(shape, piece)) {
        throw new ShoalError('pieceNotHeld', { piece });
      }
      return this.#host.uploads.ask({
        peer: this,
        file,
        piece,
        offset,
        lengthBytes,
        signal,
        // Asked again after every wait: a revocation that came meanwhile must stop these very
        // bytes.
        read: async (into) => {
          await this.#swarm(group, root).read(piece, offset, into);
          const sent = this.#swarm(group, root);
          sent.sent(this, into.length);
          this.#host.sent(sent, into.length, this);
        },
      });
    },
  };

  /** @throws ShoalError noTicket, notServed */
  #swarm(group: GroupId, root: Root): Swarm {
    if (!this.trusts(group)) throw new ShoalError('noTicket');
    const swarm = this.#host.swarm(group, root);
    if (!swarm) throw new ShoalError('notServed');
    return swarm;
  }
}
