// Swarms among honest and dishonest peers, over real connections in one process: whoever sends what
// is wrong is left alone, and the file comes whole from the others.
import assert from 'node:assert';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PieceStore } from '../../../../extension/engine/storage/pieceStore.ts';
import { identityOf } from '../../../../extension/engine/hashing/fileIdentity.ts';
import { inlineHasher } from '../../../../extension/engine/hashing/hasher.ts';
import type { HashedFile } from '../../../../extension/engine/hashing/hasher.ts';
import { createPart, newPartPath } from '../../../../extension/engine/storage/partFile.ts';
import type { PeerSwarm } from '../../../../extension/engine/peers/peerConnection.ts';
import { PeerConnections } from '../../../../extension/engine/peers/peerConnections.ts';
import { FilePool } from '../../../../extension/engine/storage/filePool.ts';
import { BufferPool } from '../../../../extension/engine/peers/bufferPool.ts';
import { Swarm } from '../../../../extension/engine/swarm/swarm.ts';
import { RateLimiter } from '../../../../extension/engine/peers/rateLimiter.ts';
import { UploadQueue } from '../../../../extension/engine/peers/uploadQueue.ts';
import { Tickets } from '../../../../extension/engine/trackers/tickets.ts';
import { RAW_HEAD_ROOM_BYTES } from '../../../../protocol/wire/frame.ts';
import { createIdentity } from '../../../../protocol/node/identity.ts';
import type { AccountId, GroupId, Pin } from '../../../../protocol/base/ids.ts';
import { createNodeWorld } from '../../../../protocol/node/nodeWorld.ts';
import { signRevocation, signTicket } from '../../../../protocol/messages/ticket.ts';
import type { SwarmPeer } from '../../../../protocol/messages/trackerLink.ts';
import { silentLog } from '../../../../protocol/base/world.ts';

const PIECE = 64 * 1024;
const group = 'aa'.repeat(16) as GroupId;
const realm = 'bb'.repeat(32) as Pin;
const trackerPin = 'cc'.repeat(32) as Pin;
const ticketKey = generateKeyPairSync('ed25519');
const keys = new Map([[trackerPin, ticketKey.publicKey.export({ format: 'der', type: 'spki' })]]);
const signer = { tracker: trackerPin, ticketKey: ticketKey.privateKey };

/** An engine without trackers: a listener, tickets, at most one swarm. */
class TestPeer {
  readonly identity = createIdentity();
  readonly world = createNodeWorld({ identity: this.identity, log: silentLog });
  readonly copyHost = {
    ...this.world,
    hasher: inlineHasher(this.world.disk),
    filePool: new FilePool(this.world.disk, this.world.clock),
  };
  readonly account = randomBytes(16).toString('hex') as AccountId;
  readonly tickets = new Tickets(this.world.clock);
  readonly peers: PeerConnections;
  readonly sentBytes = { count: 0 };
  swarm: Swarm | undefined;
  readonly whole: Promise<void>;
  #whole: () => void = () => {};

  constructor({ member = true } = {}) {
    this.whole = new Promise((resolve) => (this.#whole = resolve));
    this.tickets.setRealm(realm, keys);
    if (member) this.tickets.setMine([this.ticket()], this.identity.pin);
    this.peers = new PeerConnections({
      world: this.world,
      device: this.identity.pin,
      program: 'test',
      tickets: this.tickets,
      uploadQueue: new UploadQueue({
        clock: this.world.clock,
        uploadLimiter: new RateLimiter(this.world.clock),
        buffers: new BufferPool(RAW_HEAD_ROOM_BYTES),
      }),
      swarm: (_, root) => (this.swarm?.key.root === root ? this.swarm : undefined),
      onRevoked: () => this.swarm?.dropUntrusted(),
      onSent: (_, bytes) => (this.sentBytes.count += bytes),
      askDial: () => {},
      onConnected: () => this.swarm?.connect(),
    });
  }

  ticket(at = this.world.clock.now()): Buffer {
    const since = { ms: 1000, counter: 0 };
    return signTicket(
      {
        realm,
        group,
        account: this.account,
        user: 'somebody',
        device: this.identity.pin,
        memberSince: since,
        signedInSince: since,
        issuedAtMs: at,
        expiresAtMs: at + 600_000,
      },
      signer,
    );
  }

  takePart(
    store: PieceStore,
    root: HashedFile['root'],
    spoil: (bytes: Buffer) => Buffer | Promise<Buffer> = (bytes) => bytes,
  ): void {
    const swarmContext = {
      clock: this.world.clock,
      chance: this.world.chance,
      log: silentLog,
      buffers: new BufferPool(),
      downloadLimiter: new RateLimiter(this.world.clock),
      connectTo: (peer: SwarmPeer, swarm: PeerSwarm) => this.peers.connectTo(peer, swarm),
      isUnreachable: (pin: Pin) => this.peers.isUnreachable(pin),
      isConnected: (pin: Pin) => this.peers.isConnected(pin),
      connectionsIn: () => [],
    };
    const swarm = new Swarm({ group, root }, store, 'rarest', swarmContext, {
      onChange() {},
      onPieceHashes() {},
      onComplete: () => this.#whole(),
      onDiskError: (error) => assert.fail(error.message),
      onSourceLost() {},
      onReceived() {},
    });
    const honest = swarm.read.bind(swarm);
    swarm.read = async (piece, offset, into) => {
      await honest(piece, offset, into);
      into.set(await spoil(Buffer.from(into)));
    };
    this.swarm = swarm;
  }

  get address(): SwarmPeer {
    return {
      pin: this.identity.pin,
      account: this.account,
      user: 'somebody',
      addresses: [{ host: '127.0.0.1', port: this.peers.port }],
      leftBytes: this.swarm?.leftBytes ?? 0,
    };
  }

  async close(): Promise<void> {
    this.swarm?.close();
    await this.peers.stop();
    await this.swarm?.store.close();
  }
}

describe('a swarm', function () {
  this.timeout(60_000);
  let folder: string;
  let source: string;
  let hashed: HashedFile;
  const all: TestPeer[] = [];

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-swarm-'));
    source = path.join(folder, 'source');
    writeFileSync(source, randomBytes(40 * PIECE + 123));
    hashed = await inlineHasher(createNodeWorld({ identity: createIdentity(), log: silentLog }).disk).hashFile(
      source,
      PIECE,
    );
  });
  afterEach(async () => {
    await Promise.all(all.splice(0).map((peer) => peer.close()));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function seeder(
    spoil?: (bytes: Buffer) => Buffer | Promise<Buffer>,
    options?: { member: boolean },
  ): Promise<TestPeer> {
    const peer = new TestPeer(options);
    all.push(peer);
    await peer.peers.start({ host: '127.0.0.1', port: 0, portIsFirm: true });
    const { root, shape, pieceHashes, stat } = hashed;
    peer.takePart(
      await PieceStore.forFile(peer.copyHost, root, shape, pieceHashes, source, identityOf(stat)),
      root,
      spoil,
    );
    return peer;
  }

  async function leecher(options?: { member: boolean }): Promise<TestPeer> {
    const peer = new TestPeer(options);
    all.push(peer);
    await peer.peers.start({ host: '127.0.0.1', port: 0, portIsFirm: true });
    const { root, shape } = hashed;
    const part = await createPart(
      peer.copyHost,
      newPartPath(peer.world.chance, path.join(folder, 'copy'), root),
      root,
      shape,
    );
    peer.takePart(
      PieceStore.forPart(peer.copyHost, root, shape, part, undefined, (error) => assert.fail(error.message)),
      root,
    );
    return peer;
  }

  async function isIdentical(peer: TestPeer): Promise<void> {
    const { path: copy } = await (peer.swarm as Swarm).store.finalize({
      destination: path.join(folder, `whole-${randomBytes(4).toString('hex')}`),
      ownFolders: 0,
      rename: false,
      replaces: undefined,
      claimed: '',
      claim: () => Promise.resolve(),
    });
    assert.ok(readFileSync(copy).equals(readFileSync(source)));
  }

  it('brings the file from a seeder to several at once, and they help each other', async () => {
    const seed = await seeder();
    const leechers = await Promise.all([leecher(), leecher(), leecher()]);
    for (const one of leechers) {
      one.swarm?.addCandidates([
        seed.address,
        ...leechers.filter((other) => other !== one).map((other) => other.address),
      ]);
    }
    await Promise.all(leechers.map((one) => one.whole));
    for (const one of leechers) await isIdentical(one);
  });

  it('leaves alone who sends a wrong piece, and takes it from another', async () => {
    const liar = await seeder((bytes) => {
      const wrong = Buffer.from(bytes);
      wrong[wrong.length >> 1] = (wrong[wrong.length >> 1] ?? 0) ^ 1;
      return wrong;
    });
    const one = await leecher();
    one.swarm?.addCandidates([liar.address]);
    while (one.swarm?.rejectedPieces === 0) await new Promise((resolve) => setImmediate(resolve));
    const honest = await seeder();
    one.swarm?.addCandidates([honest.address]);
    await one.whole;
    assert.deepEqual(
      [...(one.swarm?.sources.keys() ?? [])],
      [honest.identity.pin],
      'every piece came from the honest one',
    );
    assert.ok((one.swarm?.rejectedPieces ?? 0) <= 4, 'the liar was asked no more');
    await isIdentical(one);
  });

  it('leaves alone who sends wrong piece hashes, and takes them from another', async () => {
    const liar = await seeder();
    const { store } = liar.swarm as Swarm;
    const honestHashes = store.hashes.bind(store);
    store.hashes = (first, count) => {
      const range = honestHashes(first, count);
      return range && { ...range, hashes: Buffer.from(range.hashes).reverse() };
    };
    const one = await leecher();
    one.swarm?.addCandidates([liar.address]);
    while (liar.swarm?.peerCount === 0) await new Promise((resolve) => setImmediate(resolve));
    while (liar.swarm?.peerCount === 1) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(one.swarm?.store.pieceHashes, undefined, 'nothing wrong was kept');
    const honest = await seeder();
    one.swarm?.addCandidates([honest.address]);
    await one.whole;
    assert.deepEqual([...(one.swarm?.sources.keys() ?? [])], [honest.identity.pin]);
    await isIdentical(one);
  });

  it('does not wait for who hangs', async () => {
    let asked = 0;
    const hanging = await seeder(() => (asked++, new Promise<Buffer>(() => {})));
    const one = await leecher();
    one.swarm?.addCandidates([hanging.address]);
    while (asked === 0) await new Promise((resolve) => setImmediate(resolve));
    const honest = await seeder();
    one.swarm?.addCandidates([honest.address]);
    await one.whole;
    await isIdentical(one);
  });

  it('gives nothing to somebody without a ticket', async () => {
    const seed = await seeder();
    const stranger = await leecher({ member: false });
    const connection = stranger.peers.connectTo(seed.address, stranger.swarm as Swarm);
    assert.equal(connection, undefined);
    while (stranger.peers.connections.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const { rpc } = stranger.peers.connections[0] as (typeof stranger.peers.connections)[0];
    const { root } = hashed;
    const into = new Uint8Array(PIECE);
    await assert.rejects(rpc.call('piece', { group, root, piece: 0, offset: 0, lengthBytes: PIECE }, { into }), {
      code: 'noTicket',
    });
    await assert.rejects(rpc.call('hashes', { group, root, first: 0, count: 1 }), { code: 'noTicket' });
    await assert.rejects(rpc.call('join', { group, root, holding: { have: 'none', bits: new Uint8Array(0) } }), {
      code: 'noTicket',
    });
    assert.equal(seed.sentBytes.count, 0);
    // Somebody else's ticket is worth nothing on this link.
    const other = new TestPeer();
    rpc.notify('ticket', { ticket: other.ticket() });
    assert.equal((await rpc.whenEnded).error?.code, 'badTicket');
  });

  it('gives nothing any more to somebody whose membership was revoked', async () => {
    const seed = await seeder();
    const one = await leecher();
    one.swarm?.addCandidates([seed.address]);
    await one.whole;
    const { rpc } = one.peers.connections[0] as (typeof one.peers.connections)[0];
    const { root } = hashed;
    const ask = (): Promise<unknown> =>
      rpc.call('piece', { group, root, piece: 0, offset: 0, lengthBytes: PIECE }, { into: new Uint8Array(PIECE) });
    await ask();
    const before = seed.sentBytes.count;
    seed.tickets.revoke(
      signRevocation(
        { realm, what: 'membership', account: one.account, group, device: undefined, at: { ms: 2000, counter: 0 } },
        signer,
      ),
    );
    await assert.rejects(ask(), { code: 'noTicket' });
    assert.equal(seed.sentBytes.count, before);
  });

  it('refuses a bitfield of another length and pieces that do not exist', async () => {
    const seed = await seeder();
    for (const bits of [new Uint8Array(1), new Uint8Array(100)]) {
      const evil = await leecher();
      evil.peers.connectTo(seed.address, evil.swarm as Swarm);
      while (evil.peers.connections.length === 0) await new Promise((resolve) => setImmediate(resolve));
      const connection = evil.peers.connections[0] as (typeof evil.peers.connections)[0];
      connection.showTicket(group);
      await connection.rpc.call('join', { group, root: hashed.root, holding: { have: 'some', bits } });
      assert.equal(seed.swarm?.peerCount, 0);
    }
  });
});
