// What a transfer refuses before it touches the disk, and what it leaves there when it ends.
import assert from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pieceBytesFor } from '../../../../extension/engine/hashing/merkleTree.ts';
import { inlineHasher } from '../../../../extension/engine/hashing/hasher.ts';
import { homeAt } from '../../../../protocol/home/homeLayout.ts';
import { makeHome } from '../../../../extension/engine/daemon/homeFiles.ts';
import { FilePool } from '../../../../extension/engine/storage/filePool.ts';
import { SwarmRegistry } from '../../../../extension/engine/swarm/swarmRegistry.ts';
import { BufferPool } from '../../../../extension/engine/peers/bufferPool.ts';
import { RateLimiter } from '../../../../extension/engine/peers/rateLimiter.ts';
import type { Transfer } from '../../../../extension/engine/transfers/transfer.ts';
import { Transfers } from '../../../../extension/engine/transfers/transfers.ts';
import { FILE_BYTES_MAX } from '../../../../protocol/base/limits.ts';
import { createIdentity } from '../../../../protocol/node/identity.ts';
import type { AccountId, GroupId, Root, Sha256 } from '../../../../protocol/base/ids.ts';
import { createNodeWorld } from '../../../../protocol/node/nodeWorld.ts';
import type { FileRow } from '../../../../protocol/messages/trackerLink.ts';
import { silentLog } from '../../../../protocol/base/world.ts';

const account = '11'.repeat(16) as AccountId;
const group = '22'.repeat(16) as GroupId;

describe('transfers', () => {
  let folder: string;
  let transfers: Transfers;
  let activeDownloads: number;
  let open: () => Transfers;
  const world = createNodeWorld({ identity: createIdentity(), log: silentLog });

  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-transfers-'));
    const home = homeAt(path.join(folder, 'home'));
    await makeHome(home, world.disk);
    const { clock, chance, log, disk } = world;
    activeDownloads = 0;
    open = () =>
      new Transfers({
        world,
        home,
        hasher: inlineHasher(disk),
        filePool: new FilePool(disk, clock),
        registry: new SwarmRegistry(),
        previewStores: () => [],
        activeDownloads: () => activeDownloads,
        announceShare: () => Promise.resolve(),
        onChange() {},
        onPresenceChanged() {},
        onFinished() {},
        onFailed() {},
        swarmContext: {
          clock,
          chance,
          log,
          buffers: new BufferPool(),
          downloadLimiter: new RateLimiter(clock),
          connectTo: () => undefined,
          isUnreachable: () => false,
          isConnected: () => false,
          connectionsIn: () => [],
        },
      });
    transfers = open();
  });
  afterEach(async () => {
    await transfers.unload();
    rmSync(folder, { recursive: true, force: true });
  });

  const row = (name: string, sizeBytes: number): FileRow => ({
    name,
    version: 1,
    root: (sizeBytes === 0 ? '00'.repeat(32) : createHash('sha256').update(name).digest('hex')) as Root,
    sizeBytes,
    pieceBytes: pieceBytesFor(sizeBytes),
    sha256: 'cd'.repeat(32) as Sha256,
    author: 'alice',
    atMs: 0,
    sharers: [],
    sharersCount: 0,
    iShare: false,
    seeders: 0,
    leechers: 0,
    content: 'file',
  });
  for (const [sizeBytes, pieceBytes] of [
    [100, 0],
    [100, 1],
    [2 ** 50, 16 * 1024],
    [2 ** 52, 16 * 1024 * 1024],
    [100, 100_000],
    [100, 2 ** 31],
  ] as const) {
    it(`does not believe a tracker that tells of ${sizeBytes} bytes in pieces of ${pieceBytes}`, async () => {
      const file = { ...row('file', sizeBytes), pieceBytes };
      await assert.rejects(
        transfers.download({
          account,
          group,
          groupName: 'team',
          file,
          path: path.join(folder, 'here'),
          asFile: false,
          rename: false,
          mode: 'rarest',
          only: [],
        }),
        { code: 'badMessage' },
      );
    });
  }

  const download = (name: string, sizeBytes = 100) =>
    transfers.download({
      account,
      group,
      groupName: 'team',
      file: row(name, sizeBytes),
      path: path.join(folder, 'here'),
      asFile: false,
      rename: false,
      mode: 'rarest',
      only: [],
    });

  for (const name of [
    '../../outside',
    '/etc/passwd',
    'a/../../b',
    '..',
    'C:\\evil',
    'nul',
    'x\u0000y',
    '.git/hooks/post-checkout',
    '.ssh/authorized_keys',
    'line\nbreak',
    'gpj.\u202Eexe',
  ]) {
    it(`does not believe a tracker that calls a file ${JSON.stringify(name)}`, async () => {
      await assert.rejects(download(name), { code: 'badFileName' });
      assert.ok(!existsSync(path.join(folder, 'here')), 'nothing was made');
    });
  }

  it('puts a file with folders in its name into these folders', async () => {
    const transfer = await download('data/2026/empty.csv', 0);
    for (; transfer.state !== 'seeding'; await new Promise((resolve) => setImmediate(resolve)));
    assert.ok(existsSync(path.join(folder, 'here', 'data', '2026', 'empty.csv')));
  });

  it('deletes what is unfinished when a download is forgotten, and nothing else', async () => {
    const transfer = await download('big', 10 * 512 * 1024);
    for (; transfer.state !== 'waiting'; await new Promise((resolve) => setImmediate(resolve)));
    const parts = path.join(folder, 'here', '.shoal-part');
    assert.deepEqual(readdirSync(parts).filter((name) => name.endsWith('.part')).length, 1);
    await transfers.remove(transfer);
    assert.deepEqual(readdirSync(parts), ['.gitignore']);
    assert.deepEqual(readdirSync(path.join(folder, 'home', 'transfers')), []);
  });

  it('ends with a sentence when there is no room', async () => {
    const transfer = await download('huge', FILE_BYTES_MAX);
    for (; transfer.error === undefined; await new Promise((resolve) => setImmediate(resolve)));
    assert.equal(transfer.error.code, 'diskFull');
    assert.ok(!existsSync(path.join(folder, 'here', 'huge')));
  });

  describe('when more is wanted than may be fetched at once', () => {
    const states = (): readonly string[] => transfers.all.map(({ record, state }) => `${record.name} ${state}`);
    const until = async (...expected: readonly string[]): Promise<void> => {
      for (; expected.join() !== states().join(); await new Promise((resolve) => setImmediate(resolve)));
    };
    const at = (n: number): Transfer => transfers.all[n] ?? assert.fail(`no download ${n}`);

    it('lets the others wait, and opens nothing for them', async () => {
      activeDownloads = 2;
      for (const name of ['a', 'b', 'c', 'd']) await download(name);
      await until('a waiting', 'b waiting', 'c queued', 'd queued');
      assert.equal(
        readdirSync(path.join(folder, 'here', '.shoal-part')).filter((name) => name.endsWith('.part')).length,
        2,
      );
      assert.deepEqual(
        transfers.all.map((one) => one.toView().place),
        [1, 2, 3, 4],
      );
    });

    it('gives the turn of one that is paused or forgotten to the next, and not back before its time', async () => {
      activeDownloads = 1;
      for (const name of ['a', 'b', 'c']) await download(name);
      await until('a waiting', 'b queued', 'c queued');
      await at(0).pause();
      await until('a paused', 'b waiting', 'c queued');
      await at(0).resume();
      await until('a waiting', 'b queued', 'c queued'); // it kept its place
      await transfers.remove(at(0));
      await until('b waiting', 'c queued');
    });

    it('moves one to where another stands, with its priority, and keeps both over a restart', async () => {
      activeDownloads = 1;
      for (const name of ['a', 'b', 'c', 'd']) await download(name);
      await at(3).adjust({ priority: 'high' });
      await transfers.moveTo(at(1), at(3));
      await until('a queued', 'b waiting', 'c queued', 'd queued');
      await transfers.unload();
      transfers = open();
      await transfers.load(account);
      const inOrder = transfers.all.map((one) => one.toView()).sort((a, b) => a.place - b.place);
      assert.deepEqual(
        inOrder.map(({ name, priority }) => `${name} ${priority}`),
        ['b high', 'd high', 'a normal', 'c normal'],
      );
    });

    it('keeps order, priority, limits and pauses over a restart', async () => {
      activeDownloads = 1;
      for (const name of ['a', 'b', 'c', 'd']) await download(name);
      await at(3).adjust({ priority: 'high', downLimitBytesPerS: 1000, mode: 'sequential' });
      await transfers.move(at(2), 'top');
      await at(0).pause();
      await until('a paused', 'b queued', 'c queued', 'd waiting');
      await transfers.unload();
      transfers = open();
      await transfers.load(account);
      await until('a paused', 'b queued', 'c queued', 'd waiting');
      assert.deepEqual(
        transfers.all
          .map((one) => one.toView())
          .sort((a, b) => a.place - b.place)
          .map(({ name }) => name),
        ['d', 'c', 'a', 'b'],
      );
      const { downLimitBytesPerS, mode } = at(3).toView();
      assert.deepEqual([downLimitBytesPerS, mode], [1000, 'sequential']);
      assert.equal(at(3).swarm?.downloadLimiter.bytesPerS, 1000);
    });
  });

  it('brings a share back after a restart without hashing it again, and drops one that changed meanwhile', async () => {
    const file = path.join(folder, 'shared');
    writeFileSync(file, randomBytes(600_000));
    const share = await transfers.share({
      account,
      group,
      groupName: 'team',
      path: file,
      name: 'shared',
      replace: false,
    });
    for (; share.state !== 'seeding'; await new Promise((resolve) => setImmediate(resolve)));
    await transfers.unload();
    await transfers.load(account);
    const [again] = transfers.all;
    for (; again?.state !== 'seeding'; await new Promise((resolve) => setImmediate(resolve))) {
      assert.notEqual(again?.state, 'hashing');
    }
    await transfers.unload();
    writeFileSync(file, randomBytes(600_000));
    await transfers.load(account);
    const [changed] = transfers.all;
    for (; changed?.state !== 'gone'; await new Promise((resolve) => setImmediate(resolve))) {
      assert.notEqual(changed?.state, 'seeding');
    }
    assert.equal(changed.error?.code, 'fileChanged');
  });

  it('keeps another account’s transfers to itself', async () => {
    await download('mine', 1_000_000);
    await transfers.unload();
    await transfers.load('99'.repeat(16) as AccountId);
    assert.equal(transfers.all.length, 0);
    await transfers.load(account);
    assert.equal(transfers.all.length, 1);
  });
});
