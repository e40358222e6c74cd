// The host, on a real socket and a clock that the test moves, around an engine that only pretends.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { homeAt } from '../../../../protocol/home/homeLayout.ts';
import type { Home } from '../../../../protocol/home/homeLayout.ts';
import { LINGER_MS, startLocalServer } from '../../../../extension/engine/daemon/localServer.ts';
import type { LocalServer } from '../../../../extension/engine/daemon/localServer.ts';
import { UPDATE_INTERVAL_MS } from '../../../../extension/engine/daemon/clientFeed.ts';
import { findEngine } from '../../../../protocol/home/connectEngine.ts';
import type { EngineConnection, FrontendHandlers } from '../../../../protocol/home/connectEngine.ts';
import type { Overview, Transfer } from '../../../../protocol/messages/engineLink.ts';
import type { SwarmView } from '../../../../protocol/messages/swarmView.ts';
import { REFRESH_MS } from '../../../../extension/engine/daemon/swarmSubscriptions.ts';
import { createIdentity } from '../../../../protocol/node/identity.ts';
import { createNodeWorld } from '../../../../protocol/node/nodeWorld.ts';
import type { World } from '../../../../protocol/base/world.ts';
import { silentLog } from '../../../../protocol/base/world.ts';
import { aSwarm, aTransfer, FakeEngine, fails } from '../../../support/fakes/fakeEngine.ts';
import { ManualClock } from '../../../support/simulation/manualClock.ts';

/** A frontend that remembers what it is told. */
class Listener {
  readonly overviews: Overview[] = [];
  readonly changes: { readonly changed: readonly Transfer[]; readonly gone: readonly number[] }[] = [];
  readonly events: string[] = [];
  readonly presence: string[] = [];
  readonly swarms: SwarmView[] = [];
  #told: (() => void)[] = [];
  readonly handlers: FrontendHandlers = {
    overviewChanged: (overview) => this.#note(() => this.overviews.push(overview)),
    transfersChanged: (change) => this.#note(() => this.changes.push(change)),
    presenceChanged: ({ groups }) => this.#note(() => this.presence.push(...groups)),
    swarmChanged: (view) => this.#note(() => this.swarms.push(view)),
    event: ({ what }) => this.#note(() => this.events.push(what)),
  };

  /** Resolves when something is true of what it was told. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.#told.push(resolve));
  }

  #note(note: () => void): void {
    note();
    for (const tell of this.#told.splice(0)) tell();
  }
}

describe('the host', () => {
  let folder: string;
  let home: Home;
  let clock: ManualClock;
  let world: World;
  let hosts: LocalServer[];
  let connections: EngineConnection['connection'][];

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-'));
    home = homeAt(path.join(folder, 'home'));
    clock = new ManualClock();
    world = { ...createNodeWorld({ identity: createIdentity(), log: silentLog }), clock };
    hosts = [];
    connections = [];
  });
  afterEach(async () => {
    for (const connection of connections) connection.destroy();
    await Promise.all(hosts.map((server) => server.leave()));
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const host = async (
    engine = new FakeEngine(),
    at = home,
    isOrphan?: () => boolean,
  ): Promise<LocalServer | undefined> => {
    const started = await startLocalServer({
      home: at,
      world,
      version: '0.1.0',
      log: silentLog,
      createEngine: () => Promise.resolve(engine),
      ...(isOrphan && { isOrphan }),
    });
    if (started) hosts.push(started);
    return started;
  };
  const connect = async (handlers = new Listener().handlers, at = home) => {
    const found = await findEngine({ home: at, world, version: '0.1.0', handlers });
    assert.ok(found, 'no engine answers');
    connections.push(found.connection);
    return found.connection;
  };
  const watching = async (): Promise<{ listener: Listener; connection: EngineConnection['connection'] }> => {
    const listener = new Listener();
    const connection = await connect(listener.handlers);
    await connection.call('watch', {});
    return { listener, connection };
  };
  const hasLeft = async (of: LocalServer | undefined): Promise<boolean> =>
    Promise.race([
      of?.whenLeft.then(() => true),
      new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
    ]) as Promise<boolean>;

  describe('election', () => {
    it('elects one engine for a home, and the next one when it has left', async () => {
      const first = await host();
      let opened = 0;
      const again = () =>
        startLocalServer({
          home,
          world,
          version: '0.1.0',
          log: silentLog,
          createEngine: () => (opened++, Promise.resolve(new FakeEngine())),
        });
      assert.equal(await again(), undefined);
      assert.equal(opened, 0, 'who is not elected opens nothing');
      await first?.leave();
      const second = await again();
      assert.ok(second);
      hosts.push(second);
    });

    it('frees the home when the engine cannot be opened', async () => {
      await assert.rejects(
        startLocalServer({
          home,
          world,
          version: '0.1.0',
          log: silentLog,
          createEngine: () => Promise.reject(new Error('broken')),
        }),
        /broken/,
      );
      assert.ok(await host());
    });

    it('replaces the socket that a killed engine left', async () => {
      fs.mkdirSync(home.folder, { recursive: true });
      const socket = path.join(home.folder, 'engine.sock');
      const dead = net.createServer().listen(socket);
      await new Promise((resolve) => dead.once('listening', resolve));
      fs.linkSync(socket, `${socket}.kept`); // closing the server removes its own name
      await new Promise((resolve) => dead.close(resolve));
      fs.renameSync(`${socket}.kept`, socket);
      await host();
      assert.equal((await (await connect()).call('status', {})).overview.program, 'shoal 0.1.0');
    });

    it('leaves alone what is not a socket', async () => {
      fs.mkdirSync(home.folder, { recursive: true });
      fs.writeFileSync(path.join(home.folder, 'engine.sock'), 'precious');
      // It finds another place instead.
      await host();
      await connect();
      assert.equal(fs.readFileSync(path.join(home.folder, 'engine.sock'), 'utf8'), 'precious');
    });

    it('works in a home whose path is too long for a socket', async () => {
      const far = homeAt(path.join(folder, 'x'.repeat(120), 'home'));
      const far1 = await host(new FakeEngine(), far);
      assert.ok(far1 && Buffer.byteLength(far1.address.socket) < 104, far1?.address.socket);
      await connect(undefined, far);
    });

    it('keeps its folder to itself', async () => {
      fs.mkdirSync(home.folder, { recursive: true, mode: 0o755 });
      await host();
      assert.equal(fs.statSync(home.folder).mode & 0o777, 0o700);
    });
  });

  describe('frontends', () => {
    it('serves verbs, and their errors with code and fields', async () => {
      const engine = new FakeEngine({ createGroup: fails('nameTaken', { name: 'team' }) });
      await host(engine);
      const connection = await connect();
      assert.deepEqual(await connection.call('joinGroup', { group: 'team' }), { durability: 'both' });
      await assert.rejects(connection.call('createGroup', { group: 'team' }), {
        code: 'nameTaken',
        message: 'the name team is taken; choose another',
      });
      assert.deepEqual(
        engine.asked.map(({ verb }) => verb),
        ['joinGroup', 'createGroup'],
      );
    });

    it('refuses who does not know the secret, and is refused by who has another', async () => {
      await host();
      const other = homeAt(path.join(folder, 'other'));
      await host(new FakeEngine(), other);
      fs.copyFileSync(path.join(home.folder, 'engine.json'), path.join(other.folder, 'engine.json'));
      await assert.rejects(findEngine({ home: other, world, version: '0.1.0', handlers: new Listener().handlers }), {
        code: 'badProof',
      });
    });

    it('is not found in a home that was never used', async () =>
      assert.equal(await findEngine({ home, world, version: '0.1.0', handlers: new Listener().handlers }), undefined));

    it('tells the first change at once and merges the next ones', async () => {
      const engine = new FakeEngine();
      await host(engine);
      const { listener, connection } = await watching();
      engine.setTransfer({ id: 1, doneBytes: 1 });
      await listener.until(() => listener.changes.length === 1);
      for (let done = 2; done <= 9; done++) engine.setTransfer({ id: 1, doneBytes: done });
      engine.setTransfer({ id: 2 });
      engine.setOverview({ outbox: 3 });
      await connection.call('status', {}); // whatever was sent before this answer would be here
      assert.equal(listener.changes.length, 1);
      await clock.advance(UPDATE_INTERVAL_MS);
      await listener.until(() => listener.changes.length === 2);
      assert.deepEqual(
        listener.changes[1]?.changed.map(({ id, doneBytes }) => [id, doneBytes]),
        [
          [1, 9],
          [2, 512 * 1024],
        ],
      );
      assert.deepEqual(
        listener.overviews.map(({ outbox }) => outbox),
        [3],
      );
    });

    it('tells that a transfer is gone, not what it was last', async () => {
      const engine = new FakeEngine();
      await host(engine);
      const { listener } = await watching();
      engine.setTransfer({ id: 7 });
      engine.removeTransfer(7);
      await listener.until(() => listener.changes.length === 1);
      assert.deepEqual(listener.changes, [{ changed: [], gone: [7] }]);
    });

    it('tells of a swarm who looks at it: at once, then as it changes and at most once a second, and then no more', async () => {
      const engine = new FakeEngine();
      engine.swarms.set(1, aSwarm());
      await host(engine);
      const { listener, connection } = await watching();
      await clock.advance(5 * REFRESH_MS);
      assert.equal(engine.swarmLooks, 0, 'nothing is worked out for nobody');
      await connection.call('watchSwarm', { transfer: 1, on: true });
      await listener.until(() => listener.swarms.length === 1);
      await clock.advance(3 * REFRESH_MS);
      await connection.call('status', {});
      assert.equal(listener.swarms.length, 1, 'it looks the same');
      for (const heldPieces of [5, 6, 7]) engine.swarms.set(1, aSwarm({ heldPieces }));
      await clock.advance(REFRESH_MS);
      await listener.until(() => listener.swarms.length === 2);
      assert.deepEqual(
        listener.swarms.map(({ heldPieces }) => heldPieces),
        [4, 7],
      );
      await connection.call('watchSwarm', { transfer: 1, on: false });
      const { swarmLooks } = engine;
      await clock.advance(5 * REFRESH_MS);
      assert.equal(engine.swarmLooks, swarmLooks);
    });

    it('looks at no swarm for a frontend that has gone, nor at one that is gone', async () => {
      const engine = new FakeEngine();
      engine.swarms.set(1, aSwarm());
      await host(engine);
      const { connection } = await watching();
      await connection.call('watchSwarm', { transfer: 2, on: true });
      await connection.call('watchSwarm', { transfer: 1, on: true });
      const second = await connect(new Listener().handlers);
      connection.close();
      await connection.whenEnded;
      await second.call('status', {});
      const { swarmLooks } = engine;
      await clock.advance(5 * REFRESH_MS);
      assert.equal(engine.swarmLooks, swarmLooks);
    });

    it('tells events to who watches, and nothing to who does not', async () => {
      const engine = new FakeEngine();
      await host(engine);
      const { listener } = await watching();
      const deaf = new Listener();
      const connection = await connect(deaf.handlers);
      await connection.call('status', {});
      engine.event({ what: 'downloaded', group: 'team', user: '', name: 'dump.sql' });
      engine.setOverview({ outbox: 1 });
      await listener.until(() => listener.events.length === 1 && listener.overviews.length === 1);
      await connection.call('status', {});
      assert.deepEqual([deaf.events, deaf.overviews], [[], []]);
    });

    it('numbers events alike for all, and lets one of them have each', async () => {
      const engine = new FakeEngine();
      await host(engine);
      const numbers: number[][] = [[], []];
      const windows = await Promise.all(
        numbers.map(async (seen) => {
          const connection = await connect({ ...new Listener().handlers, event: ({ id }) => void seen.push(id) });
          await connection.call('watch', {});
          return connection;
        }),
      );
      engine.event({ what: 'accepted', group: 'team', user: '', name: '' });
      engine.event({ what: 'accepted', group: 'team', user: '', name: '' });
      await Promise.all(windows.map((connection) => connection.call('status', {}))); // behind both events
      assert.deepEqual(numbers, [
        [1, 2],
        [1, 2],
      ]);
      const claims = async (key: string) =>
        (await Promise.all(windows.map((connection) => connection.call('claim', { key }))))
          .map(({ mine }) => mine)
          .sort();
      assert.deepEqual(
        [await claims('1'), await claims('2')],
        [
          [false, true],
          [false, true],
        ],
      );
      assert.deepEqual(await claims('1'), [false, false]);
    });

    it('sends a thousand transfers with the longest paths in messages that fit', async () => {
      const engine = new FakeEngine();
      for (let id = 1; id <= 1000; id++) engine.list.set(id, aTransfer({ id, path: `/${'ä'.repeat(2000)}/${id}` }));
      await host(engine);
      const listener = new Listener();
      const connection = await connect(listener.handlers);
      const { transfers, more } = await connection.call('watch', {});
      assert.equal(more, true);
      const ids = new Set(transfers.map(({ id }) => id));
      await listener.until(() => {
        for (const { changed } of listener.changes) for (const { id } of changed) ids.add(id);
        return ids.size === 1000;
      });
      assert.equal(connection.isOpen, true);
    });
  });

  describe('leaving', () => {
    it('leaves when nobody has held it for a minute, and takes its socket along', async () => {
      const engine = new FakeEngine();
      const alone = await host(engine);
      await clock.advance(LINGER_MS - 1);
      assert.equal(await hasLeft(alone), false);
      await clock.advance(1);
      await alone?.whenLeft;
      assert.deepEqual([engine.closed, engine.closedUnheld], [true, true]);
      assert.equal(await findEngine({ home, world, version: '0.1.0', handlers: new Listener().handlers }), undefined);
      assert.deepEqual(
        fs.readdirSync(home.folder).filter((name) => /sock|engine\.json/.test(name)),
        [],
      );
    });

    it('stays while somebody watches, and a minute more', async () => {
      const watched = await host();
      const { connection } = await watching();
      // Heartbeats go over the real socket: in steps, so that both sides hear each other.
      for (let s = 0; s < 300; s += 5) {
        await clock.advance(5_000);
        await connection.call('status', {});
      }
      assert.equal(await hasLeft(watched), false);
      connection.close();
      await connection.whenEnded;
      await clock.waiting();
      await clock.advance(LINGER_MS - 1);
      assert.equal(await hasLeft(watched), false);
      await clock.advance(LINGER_MS);
      await watched?.whenLeft;
    });

    it('stays while a person is signed in on the command line', async () => {
      const engine = new FakeEngine();
      engine.isHeld = true;
      const held = await host(engine);
      await clock.advance(10 * LINGER_MS);
      assert.equal(await hasLeft(held), false);
      engine.isHeld = false;
      engine.setOverview({ account: undefined });
      await clock.advance(LINGER_MS);
      await held?.whenLeft;
    });

    it('stays to serve others when that is wanted, until its extension was uninstalled', async () => {
      const engine = new FakeEngine();
      engine.keepsSharing = true;
      engine.isBusy = true; // that does not hold an orphan either
      let orphan = false;
      const kept = await host(engine, home, () => orphan);
      await clock.advance(10 * LINGER_MS);
      assert.equal(await hasLeft(kept), false);
      orphan = true;
      await clock.advance(2 * LINGER_MS);
      await kept?.whenLeft;
    });

    it('stays after an uninstallation for a window that is still open, and for a person signed in on the command line', async () => {
      const engine = new FakeEngine();
      engine.isHeld = true;
      const held = await host(engine, home, () => true);
      await clock.advance(10 * LINGER_MS);
      assert.equal(await hasLeft(held), false);
    });

    it('finishes what it is downloading, then leaves at once', async () => {
      const engine = new FakeEngine();
      engine.isBusy = true;
      const busy = await host(engine);
      await clock.advance(10 * LINGER_MS);
      assert.equal(await hasLeft(busy), false);
      engine.setBusy(false);
      await busy?.whenLeft;
    });

    it('stays while a call is under way', async () => {
      let answer: () => void = () => {};
      const engine = new FakeEngine({ signOut: () => new Promise((resolve) => (answer = () => resolve({}))) });
      const busy = await host(engine);
      const connection = await connect();
      const call = connection.call('signOut', {}, { deadlineMs: 1e9 });
      await connection.call('status', {});
      for (let s = 0; s < 120; s += 5) {
        await clock.advance(5_000);
        await connection.call('status', {});
      }
      assert.equal(await hasLeft(busy), false);
      answer();
      await call;
    });

    it('does not leave in the moment in which somebody has come', async () => {
      const fresh = await host();
      await clock.advance(LINGER_MS - 100);
      const connection = await connect();
      await connection.call('status', {});
      await clock.advance(100);
      assert.equal(await hasLeft(fresh), false);
      await connection.call('joinGroup', { group: 'team' });
    });

    it('answers `stop`, closes the engine, and ends the link when the home is free', async () => {
      const engine = new FakeEngine();
      await host(engine);
      const { connection } = await watching();
      await connection.call('stop', {});
      assert.deepEqual(await connection.whenEnded, { clean: true });
      assert.deepEqual([engine.closed, engine.closedUnheld], [true, false]);
      assert.ok(await host(), 'the home is not free');
    });
  });
});
