// Many peers around one file in a simulated world: the product's swarm, links, tickets, uploads and
// copies, each on a machine of its own. No trackers (town.ts has those): who takes part is told to
// everybody by hand, as trackers would. Peers may lie, keep silent, be slow, crash and come back;
// whatever happens, `check` says whether anything went wrong.
import assert from 'node:assert';
import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { PieceStore } from '../../extension/engine/storage/pieceStore.ts';
import type { PieceStoreContext } from '../../extension/engine/storage/pieceStore.ts';
import { identityOf } from '../../extension/engine/hashing/fileIdentity.ts';
import { inlineHasher } from '../../extension/engine/hashing/hasher.ts';
import type { Hasher } from '../../extension/engine/hashing/hasher.ts';
import type { Shape } from '../../extension/engine/hashing/merkleTree.ts';
import { lengthOf, pieceHash, leavesPerPiece, rootOf, shapeOf } from '../../extension/engine/hashing/merkleTree.ts';
import { FilePool } from '../../extension/engine/storage/filePool.ts';
import { createPart, newPartPath, reopenPart } from '../../extension/engine/storage/partFile.ts';
import { PeerConnections } from '../../extension/engine/peers/peerConnections.ts';
import { BufferPool } from '../../extension/engine/peers/bufferPool.ts';
import { Swarm } from '../../extension/engine/swarm/swarm.ts';
import { RateLimiter } from '../../extension/engine/peers/rateLimiter.ts';
import { Tickets } from '../../extension/engine/trackers/tickets.ts';
import { UploadQueue } from '../../extension/engine/peers/uploadQueue.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import { RAW_HEAD_ROOM_BYTES } from '../../protocol/wire/frame.ts';
import type { AccountId, GroupId, Pin, Root } from '../../protocol/base/ids.ts';
import { LEAF_BYTES } from '../../protocol/base/limits.ts';
import { signTicket } from '../../protocol/messages/ticket.ts';
import type { SwarmPeer } from '../../protocol/messages/trackerLink.ts';
import type { Log, World } from '../../protocol/base/world.ts';
import type { Machine } from '../support/simulation/machine.ts';
import type { Simulation } from '../support/simulation/simulatedWorld.ts';

export const PIECE_BYTES = LEAF_BYTES;
const PORT = 4000;
/** How long a word takes over a tracker, in ms. */
const ASK_DIAL_MS = 30;
const SOURCE = '/source';
const TARGET = '/downloads/file';
const group = 'aa'.repeat(16) as GroupId;
const realm = 'bb'.repeat(32) as Pin;
const tracker = 'cc'.repeat(32) as Pin;
const { privateKey: ticketKey, publicKey } = generateKeyPairSync('ed25519');
const keys = new Map([[tracker, publicKey.export({ format: 'der', type: 'spki' })]]);

/**
 * What is wrong with a peer. It lies: about bytes, about piece hashes, about what it has. Or it is
 * `silent`: it answers no request for a piece.
 */
export type Vice = 'wrongBytes' | 'wrongHashes' | 'noPieces' | 'silent';

export interface PeerPlan {
  readonly seeds: boolean;
  readonly vice?: Vice;
  /** The limit that its person has set; 0 for none. */
  readonly upLimitBytesPerS?: number;
}

/** The file that everybody wants. */
interface Subject {
  readonly bytes: Buffer;
  readonly shape: Shape;
  readonly layer: Buffer;
  readonly root: Root;
}

export class Crowd {
  readonly sim: Simulation;
  readonly peers: CrowdPeer[] = [];
  readonly subject: Subject;

  constructor(sim: Simulation, pieces: number) {
    this.sim = sim;
    const bytes = sim.chance.bytes(Math.max(1, pieces * PIECE_BYTES - sim.chance.below(PIECE_BYTES)));
    const shape = shapeOf(bytes.length, PIECE_BYTES);
    const pieceHashes = Buffer.concat(
      Array.from({ length: shape.pieces }, (_, piece) => pieceHash(pieceOf(bytes, piece), leavesPerPiece(shape))),
    );
    this.subject = { bytes, shape, layer: pieceHashes, root: rootOf(pieceHashes, shape) };
  }

  async add(plan: PeerPlan): Promise<CrowdPeer> {
    const peer = new CrowdPeer(this, `peer-${this.peers.length}`, plan);
    this.peers.push(peer);
    await peer.start();
    this.tellAll();
    return peer;
  }

  /** Everybody learns of everybody, as from a tracker. */
  tellAll(): void {
    for (const peer of this.peers) {
      if (!peer.isRunning) continue;
      peer.swarm.addCandidates(
        this.peers.filter((other) => other !== peer && other.isRunning).map((other) => other.address),
      );
    }
  }

  /** Whoever cannot be dialled hears, as from a tracker, who wants to be dialled instead. */
  askDial(pin: Pin, by: CrowdPeer): void {
    this.sim.after(ASK_DIAL_MS, () => this.peers.find((peer) => peer.isRunning && peer.machine.pin === pin)?.dial(by));
  }

  get honest(): readonly CrowdPeer[] {
    return this.peers.filter(({ plan }) => plan.vice === undefined || plan.vice === 'silent');
  }

  /** Whether everybody who runs and plays by the rules has all of the file. */
  get isDone(): boolean {
    return this.honest.every((peer) => !peer.isRunning || peer.swarm.isComplete);
  }

  /**
   * Ends everybody, and says what is not as it should be: a copy that differs, something under way
   * or open, an honest peer that was banned.
   */
  async check(): Promise<void> {
    for (const peer of this.honest) peer.check();
    const liars = new Set(this.peers.filter((peer) => !this.honest.includes(peer)).map(({ machine }) => machine.pin));
    for (const { name, banned } of this.honest) {
      for (const pin of banned) assert.ok(liars.has(pin), `${name} has banned somebody who did nothing wrong`);
    }
    for (const peer of this.peers) await peer.stop();
    await this.sim.advance(60_000); // greetings, farewells and silent links have ended by then
    assert.equal(this.sim.network.openStreams, 0, 'links stayed open');
    // A read that never ends keeps its memory.
    for (const { name, buffers, plan } of this.peers) {
      if (plan.vice !== 'silent') for (const one of buffers) assert.equal(one.usedBytes, 0, `${name} has lost memory`);
    }
  }
}

const pieceOf = (bytes: Buffer, piece: number): Buffer =>
  bytes.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);

export class CrowdPeer {
  readonly name: string;
  readonly plan: PeerPlan;
  readonly machine: Machine;
  readonly banned: Pin[] = [];
  /** Bytes of pieces that it has sent. */
  sentBytes = 0;
  /** Memory of the run that goes on, and of no one that was killed. */
  buffers: BufferPool[] = [];
  isRunning = false;
  readonly #crowd: Crowd;
  readonly #account: AccountId;
  #swarm: Swarm | undefined;
  #links: PeerConnections | undefined;
  #part = '';

  constructor(crowd: Crowd, name: string, plan: PeerPlan) {
    this.#crowd = crowd;
    this.name = name;
    this.plan = plan;
    this.machine = crowd.sim.machine(name);
    this.#account = crowd.sim.chance.bytes(16).toString('hex') as AccountId;
  }

  get swarm(): Swarm {
    assert.ok(this.#swarm);
    return this.#swarm;
  }

  get address(): SwarmPeer {
    return {
      pin: this.machine.pin,
      account: this.#account,
      user: this.name,
      addresses: [{ host: this.machine.host, port: PORT }],
      leftBytes: this.swarm.leftBytes,
    };
  }

  /** Begins, or goes on with what the last run has left on the disk. */
  async start(): Promise<void> {
    const { world } = this.machine;
    const { clock, chance, disk } = world;
    const tickets = new Tickets(clock);
    tickets.setRealm(realm, keys);
    tickets.setMine([this.#ticket(world)], this.machine.pin);
    const uploadLimiter = new RateLimiter(clock, this.plan.upLimitBytesPerS);
    const log = this.#log(world.log);
    this.buffers = [new BufferPool(RAW_HEAD_ROOM_BYTES), new BufferPool()];
    const [sending, taking] = this.buffers as [BufferPool, BufferPool];
    const links = new PeerConnections({
      world: { ...world, log },
      device: this.machine.pin,
      program: 'test',
      tickets,
      uploadQueue: new UploadQueue({ clock, uploadLimiter, buffers: sending }),
      swarm: (_, root) => (this.#swarm?.key.root === root ? this.#swarm : undefined),
      onRevoked() {},
      onSent: (_, bytes) => (this.sentBytes += bytes),
      askDial: (pin) => this.#crowd.askDial(pin, this),
      onConnected: () => this.#swarm?.connect(),
    });
    this.#links = links;
    await links.start({ port: PORT, portIsFirm: true });
    const hasher = inlineHasher(disk);
    const store = await (this.plan.seeds ? this.#whole(hasher) : this.#partial(hasher));
    this.#swarm = new Swarm(
      { group, root: this.#crowd.subject.root },
      store,
      'rarest',
      {
        clock,
        chance,
        log,
        buffers: taking,
        downloadLimiter: new RateLimiter(clock),
        connectTo: (peer, swarm) => links.connectTo(peer, swarm),
        isUnreachable: (pin) => links.isUnreachable(pin),
        isConnected: (pin) => links.isConnected(pin),
        connectionsIn: () => links.connections.filter((connection) => connection.trusts(group)),
      },
      {
        onChange() {},
        onPieceHashes() {},
        onComplete() {},
        onDiskError: (error) => assert.fail(error.message),
        onSourceLost: (error) => assert.fail(error.message),
        onReceived() {},
      },
    );
    this.#spoil(this.#swarm);
    this.isRunning = true;
  }

  dial(other: CrowdPeer): void {
    if (other.isRunning) this.#links?.onDialRequest(other.address, group);
  }

  /** Ends it cleanly. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.swarm.close();
    await this.#links?.stop();
    await this.swarm.store.close();
  }

  kill(): void {
    this.isRunning = false;
    this.buffers = []; // a process that is gone has no memory
    this.machine.kill();
  }

  /**
   * What it has on its disk is right or not there; if it runs, everything is there and nothing is
   * under way.
   */
  check(): void {
    const { bytes, shape, root } = this.#crowd.subject;
    const found = this.machine.disk.peek(this.plan.seeds ? SOURCE : this.#part) ?? Buffer.alloc(0);
    for (let piece = 0; piece * PIECE_BYTES < found.length; piece++) {
      const here = pieceOf(found, piece);
      assert.ok(
        here.equals(pieceOf(bytes, piece)) || here.every((byte) => byte === 0),
        `${this.name} has wrong bytes of piece ${piece}`,
      );
    }
    if (!this.isRunning) return;
    const { states } = this.swarm.store;
    assert.deepEqual(
      [states.isComplete, states.requested.size, states.verifyingCount],
      [true, 0, 0],
      `${this.name} is not done`,
    );
    assert.ok(found.equals(bytes), `${this.name} has another file`);
    assert.equal(lengthOf(shape, shape.pieces - 1) + (shape.pieces - 1) * PIECE_BYTES, found.length);
    assert.equal(this.swarm.key.root, root);
  }

  async #whole(hasher: Hasher): Promise<PieceStore> {
    const { root, shape, layer: pieceHashes, bytes } = this.#crowd.subject;
    const { disk } = this.machine.world;
    if (!(await disk.stat(SOURCE))) this.machine.disk.put(SOURCE, bytes);
    const stat = await disk.stat(SOURCE);
    assert.ok(stat);
    return PieceStore.forFile(this.#copyHost(hasher), root, shape, pieceHashes, SOURCE, identityOf(stat), {
      isProven: true,
    });
  }

  async #partial(hasher: Hasher): Promise<PieceStore> {
    const { root, shape } = this.#crowd.subject;
    const context = this.#copyHost(hasher);
    const old = this.#part === '' ? undefined : await reopenPart(context, this.#part, root, shape);
    if (!old) {
      this.#part = newPartPath(this.machine.world.chance, TARGET, root);
      await this.machine.world.disk.makeFolder(path.posix.dirname(TARGET));
    }
    const store = PieceStore.forPart(
      context,
      root,
      shape,
      old ?? (await createPart(context, this.#part, root, shape)),
      undefined,
      (error) => assert.fail(error.message),
    );
    if (old) await store.checkDisk();
    return store;
  }

  #copyHost(hasher: Hasher): PieceStoreContext {
    const { disk, clock } = this.machine.world;
    return { disk, clock, hasher, filePool: new FilePool(disk, clock) };
  }

  #ticket({ clock }: World): Buffer {
    const since = { ms: 1000, counter: 0 };
    const at = clock.now();
    return signTicket(
      {
        realm,
        group,
        account: this.#account,
        user: this.name,
        device: this.machine.pin,
        memberSince: since,
        signedInSince: since,
        issuedAtMs: at,
        expiresAtMs: at + 600_000,
      },
      { tracker, ticketKey },
    );
  }

  /** Remembers whom it bans. */
  #log(log: Log): Log {
    return {
      ...log,
      warn: (phrase, fields) => {
        if (phrase === 'a peer is left alone') this.banned.push(fields?.['peer'] as Pin);
        log.warn(phrase, fields);
      },
    };
  }

  #spoil(swarm: Swarm): void {
    const { vice } = this.plan;
    const read = swarm.read.bind(swarm);
    if (vice === 'wrongBytes') {
      swarm.read = async (piece, offset, into) => {
        await read(piece, offset, into);
        into[into.length >> 1] = (into[into.length >> 1] ?? 0) ^ 1;
      };
    }
    if (vice === 'silent') swarm.read = () => new Promise<never>(() => {});
    if (vice === 'noPieces') swarm.read = (piece) => Promise.reject(new ShoalError('pieceNotHeld', { piece }));
    if (vice === 'wrongHashes') {
      const hashes = swarm.store.hashes.bind(swarm.store);
      swarm.store.hashes = (first, count) => {
        const range = hashes(first, count);
        return range && { ...range, hashes: Buffer.from(range.hashes).reverse() };
      };
    }
  }
}
