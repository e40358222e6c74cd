// The window's store against a real host on a real socket, around an engine that only pretends: how
// it comes, goes, breaks and is replaced.
// Covers: extension/engineClient/store.ts, extension/engineClient/listings.ts
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ShoalError } from '../../../protocol/base/errors.ts';
import { homeAt } from '../../../protocol/home/homeLayout.ts';
import type { FrontendHandlers } from '../../../protocol/home/connectEngine.ts';
import { connectEngine, findEngine } from '../../../protocol/home/connectEngine.ts';
import type { EngineProcess } from '../../../protocol/home/startProcess.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import { createNodeWorld, nodeClock } from '../../../protocol/node/nodeWorld.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import type { LocalServer } from '../../../extension/engine/daemon/localServer.ts';
import { startLocalServer } from '../../../extension/engine/daemon/localServer.ts';
import { phaseOf } from '../../../extension/state/state.ts';
import type { Phase, WindowState } from '../../../extension/state/state.ts';
import { Store } from '../../../extension/engineClient/store.ts';
import type { Launcher } from '../../../extension/engineClient/store.ts';
import { aFile, aGroup, anOverview, aTransfer, FakeEngine } from '../../support/fakes/fakeEngine.ts';

const TEAM = aGroup({ requests: [] });

describe('the store of a window', () => {
  const world = createNodeWorld({ identity: createIdentity(), log: silentLog });
  let folder: string;
  let hosts: LocalServer[];
  let stores: Store[];
  let engines: FakeEngine[];
  /** Connections of engines to frontends that a test can cut, as a crash does. */
  let cut: () => void;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-'));
    hosts = [];
    stores = [];
    engines = [];
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await Promise.all(hosts.map((server) => server.leave()));
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const inTeam = (answers: ConstructorParameters<typeof FakeEngine>[0] = {}): FakeEngine => {
    const engine = new FakeEngine(answers);
    engine.state = anOverview({ groups: [TEAM] });
    return engine;
  };
  const startEngine = async (version: string, engine: FakeEngine): Promise<LocalServer | undefined> => {
    const server = await startLocalServer({
      home: homeAt(path.join(folder, 'home')),
      world,
      version,
      log: silentLog,
      createEngine: () => Promise.resolve(engine),
    });
    if (server) hosts.push(server);
    if (server) engines.push(engine);
    return server;
  };
  interface Wish {
    readonly version?: string;
    readonly place?: Launcher['place'];
    readonly isSignedIn?: boolean;
    readonly engine?: () => FakeEngine;
    readonly introduce?: () => Promise<void>;
  }
  /** A store whose launcher starts engines in this process. */
  const storeWith = ({
    version = '0.1.0',
    place = 'process',
    isSignedIn = true,
    engine = inTeam,
    introduce = () => Promise.resolve(),
  }: Wish = {}): Store => {
    const home = homeAt(path.join(folder, 'home'));
    const startProcess = (): EngineProcess => {
      const state = { processId: process.pid, ended: false, hasNeverRun: false };
      const whenFailed = new Promise<never>(
        (_, reject) =>
          void startEngine(version, engine()).then((server) => (state.ended = server === undefined), reject),
      );
      return Object.assign(state, { whenFailed, discard() {} });
    };
    const launcher: Launcher = {
      home,
      place,
      isEngineHere: false,
      async connect(handlers: FrontendHandlers) {
        const found = await connectEngine({ home, world, version, handlers, startProcess });
        cut = () => found.connection.destroy();
        return found;
      },
      async find(handlers: FrontendHandlers) {
        const found = await findEngine({ home, world, version, handlers });
        return found && { ...found, started: false };
      },
      homeSummary: () => Promise.resolve({ isSignedIn, knowsTracker: isSignedIn }),
      close: () => Promise.resolve(),
    };
    const store = new Store({ launcher, clock: nodeClock, log: silentLog, introduce });
    stores.push(store);
    return store;
  };
  const reaches = (store: Store, phase: Phase): Promise<WindowState> =>
    store.until((state) => (phaseOf(state) === phase ? state : undefined));

  it('starts no engine while nobody is signed in', async () => {
    const store = storeWith({ isSignedIn: false });
    await store.begin();
    assert.deepEqual([phaseOf(store.state), hosts.length], ['noTracker', 0]);
  });

  it('goes from starting to ready without anything between', async () => {
    const store = storeWith();
    const phases = new Set([phaseOf(store.state)]);
    store.onChange((state) => phases.add(phaseOf(state)));
    await store.begin();
    const { transfers, groups } = await reaches(store, 'ready');
    assert.deepEqual([[...phases], transfers.size, groups[0]?.name], [['starting', 'ready'], 0, 'team']);
  });

  it('works with an engine that does not take the settings', async () => {
    const store = storeWith({ introduce: () => Promise.reject(new ShoalError('usage', { why: 'no such limit' })) });
    await store.begin();
    await reaches(store, 'ready');
  });

  it('starts the engine when a command needs it', async () => {
    const store = storeWith({ isSignedIn: false });
    await store.begin();
    await store.call('createUser', { user: 'alice', password: 'long enough' });
    assert.deepEqual(
      engines[0]?.asked.map(({ verb }) => verb),
      ['createUser'],
    );
  });

  it('follows changes, and keeps what it knew while no tracker can be reached', async () => {
    const store = storeWith();
    await store.begin();
    await reaches(store, 'ready');
    engines[0]?.setTransfer(aTransfer({ id: 7 }));
    await store.until(({ transfers }) => transfers.get(7));
    engines[0]?.removeTransfer(7);
    await store.until(({ transfers }) => (transfers.has(7) ? undefined : true));
    engines[0]?.setOverview({
      groups: [],
      trackers: [{ address: { host: 't', port: 1 }, link: 'down', inUse: false, error: undefined, pair: 'whole' }],
    });
    assert.equal((await reaches(store, 'offline')).groups[0]?.name, 'team');
    engines[0]?.setOverview({ account: undefined });
    assert.deepEqual((await reaches(store, 'signedOut')).groups, []);
  });

  it('comes back after an engine that broke', async () => {
    const store = storeWith();
    await store.begin();
    await reaches(store, 'ready');
    cut();
    await store.until(({ engine }) => (engine === 'connecting' ? true : undefined));
    await reaches(store, 'ready');
  });

  it('does not start an engine that breaks again and again', async () => {
    const store = storeWith();
    await store.begin();
    for (let times = 0; times < 4; times++) {
      await reaches(store, 'ready');
      cut();
      await store.until(({ engine }) => (engine === 'up' ? undefined : true));
    }
    assert.match((await reaches(store, 'failed')).failure?.message ?? '', /it broke several times/);
    await store.connect(); // until somebody says so
    await reaches(store, 'ready');
  });

  it('leaves an engine stopped that was stopped, until somebody starts it', async () => {
    const store = storeWith();
    await store.begin();
    await reaches(store, 'ready');
    await store.call('stop', {});
    await reaches(store, 'stopped');
    assert.equal(hosts.length, 1);
    await store.connect();
    await reaches(store, 'ready');
  });

  it('goes over to an engine that another window has updated', async () => {
    const store = storeWith();
    await store.begin();
    await reaches(store, 'ready');
    await hosts[0]?.leave();
    await startEngine('0.1.1', inTeam());
    await reaches(store, 'ready');
  });

  it('asks to be reloaded when the other window has learnt more than a fix', async () => {
    const store = storeWith();
    await store.begin();
    await reaches(store, 'ready');
    await hosts[0]?.leave();
    await startEngine('0.2.0', inTeam());
    await reaches(store, 'outdated');
  });

  it('starts an engine anew that ended with another window', async () => {
    const store = storeWith({ place: 'window' });
    await store.begin();
    await reaches(store, 'ready');
    await store.call('stop', {});
    await store.until(() => (hosts.length === 2 ? true : undefined));
    await reaches(store, 'ready');
  });

  describe('lists', () => {
    /** A catalogue of so many files, two to a page. */
    const catalogue = (names: readonly string[]): FakeEngine =>
      inTeam({
        listFiles: ({ after }) => {
          const rest = names.filter((name) => name > after);
          return { files: rest.slice(0, 2).map((name) => aFile({ name })), more: rest.length > 2, filesVersion: 1 };
        },
      });
    const names = ({ files }: WindowState): string =>
      (files.get(TEAM.group)?.rows ?? []).map(({ name }) => name).join(' ');
    const asked = (): number => engines[0]?.asked.filter(({ verb }) => verb === 'listFiles').length ?? 0;

    it('are not read while nobody looks, and whole when somebody does', async () => {
      const store = storeWith({ engine: () => catalogue(['a', 'b', 'c', 'd', 'e']) });
      await store.begin();
      await reaches(store, 'ready');
      assert.equal(asked(), 0);
      store.listings.watch('files', true);
      await store.until((state) => names(state) === 'a b c d e' || undefined);
      assert.equal(asked(), 3);
    });

    it('are read again when the group has changed, and when presence has, as long as somebody looks', async () => {
      const store = storeWith({ engine: () => catalogue(['a']) });
      await store.begin();
      await reaches(store, 'ready');
      store.listings.watch('files', true);
      await store.until((state) => names(state) === 'a' || undefined);
      engines[0]?.setOverview({ downBytesPerS: 1 });
      await store.until(({ overview }) => overview?.downBytesPerS === 1 || undefined);
      assert.equal(asked(), 1, 'a rate is no reason');
      const readAgain = async (change: () => void, times: number): Promise<void> => {
        const before = store.state.files;
        change();
        await store.until(({ files }) => files !== before || undefined);
        assert.equal(asked(), times);
      };
      await readAgain(() => engines[0]?.setOverview({ groups: [{ ...TEAM, filesVersion: 2 }] }), 2);
      await readAgain(() => engines[0]?.presence([TEAM.group]), 3);
      store.listings.watch('files', false);
      engines[0]?.setOverview({ groups: [{ ...TEAM, filesVersion: 3 }], downBytesPerS: 2 });
      await store.until(({ overview }) => overview?.downBytesPerS === 2 || undefined);
      assert.equal(asked(), 3);
    });

    it('keep what was read when reading again fails, and say why', async () => {
      let fail = false;
      const store = storeWith({
        engine: () =>
          inTeam({
            listFiles: () => {
              if (fail) throw new Error('boom');
              return { files: [aFile({ name: 'a' })], more: false, filesVersion: 1 };
            },
          }),
      });
      await store.begin();
      await reaches(store, 'ready');
      await store.listings.readAll('files');
      fail = true;
      await store.listings.readAll('files');
      const listing = store.state.files.get(TEAM.group);
      assert.deepEqual([listing?.rows.length, listing?.error?.code], [1, 'internal']);
    });
  });
});
