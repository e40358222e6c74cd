// How frontends find and start the engine of a home: real sockets, and hosts in this process
// instead of processes of their own.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { homeAt } from '../../../protocol/home/homeLayout.ts';
import { makeHome } from '../../../extension/engine/daemon/homeFiles.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import { startLocalServer } from '../../../extension/engine/daemon/localServer.ts';
import type { LocalServer } from '../../../extension/engine/daemon/localServer.ts';
import { socketPaths, writeAddress } from '../../../extension/engine/daemon/socketPath.ts';
import type { SocketEnvironment } from '../../../extension/engine/daemon/socketPath.ts';
import { connectEngine, retire } from '../../../protocol/home/connectEngine.ts';
import type { EngineConnection } from '../../../protocol/home/connectEngine.ts';
import type { EngineProcess } from '../../../protocol/home/startProcess.ts';
import { lastLogLines } from '../../../protocol/home/startProcess.ts';
import { startEngineThread } from '../../../protocol/home/startThread.ts';
import { compareVersions } from '../../../protocol/node/version.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import { createNodeWorld } from '../../../protocol/node/nodeWorld.ts';
import { toWire } from '../../../protocol/wire/wireErrors.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import { FakeEngine } from '../../support/fakes/fakeEngine.ts';

const HANDLERS = { overviewChanged() {}, transfersChanged() {}, presenceChanged() {}, swarmChanged() {}, event() {} };

describe('launching the engine', () => {
  const world = createNodeWorld({ identity: createIdentity(), log: silentLog });
  let home: Home;
  let hosts: LocalServer[];
  let connections: EngineConnection[];

  beforeEach(() => {
    home = homeAt(path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'sh-')), 'home'));
    hosts = [];
    connections = [];
  });
  afterEach(async () => {
    for (const { connection } of connections) connection.destroy();
    await Promise.all(hosts.map((server) => server.leave()));
    fs.rmSync(path.dirname(home.folder), { recursive: true, force: true });
  });

  /** A process that becomes the engine if it is elected, else ends. */
  const processOf = (version: string) => (): EngineProcess => {
    const state = { processId: process.pid, ended: false, hasNeverRun: false };
    const whenFailed = new Promise<ShoalError>((resolve) => {
      startLocalServer({
        home,
        world,
        version,
        log: silentLog,
        createEngine: () => Promise.resolve(new FakeEngine()),
      }).then((server) => {
        if (server) hosts.push(server);
        else state.ended = true;
      }, resolve);
    });
    return Object.assign(state, { whenFailed, discard() {} });
  };
  const connect = async (version: string, startProcess = processOf(version)): Promise<EngineConnection> => {
    const connection = await connectEngine({ home, world, version, handlers: HANDLERS, startProcess });
    connections.push(connection);
    return connection;
  };

  it('starts the engine when none runs, and finds it the next time', async () => {
    assert.equal((await connect('0.1.0')).started, true);
    assert.equal((await connect('0.1.0', () => assert.fail('started twice'))).version, '0.1.0');
    assert.equal(hosts.length, 1);
  });

  it('leads two that start one at the same moment to one engine', async () => {
    const [a, b] = await Promise.all([connect('0.1.0'), connect('0.1.0')]);
    assert.equal(hosts.length, 1);
    assert.equal(a.processId, b.processId);
  });

  it('starts one where a killed engine left its address', async () => {
    await makeHome(home, world.disk);
    await writeAddress(home, world.disk, { socket: path.join(home.folder, 'engine.sock'), processId: 1 });
    fs.writeFileSync(home.secretFile, JSON.stringify({ format: 1, secret: Buffer.alloc(32).toString('base64') }));
    assert.equal((await connect('0.1.0')).version, '0.1.0');
  });

  it('starts one after a damaged address', async () => {
    await makeHome(home, world.disk);
    fs.writeFileSync(path.join(home.folder, 'engine.json'), '{"form');
    assert.equal((await connect('0.1.0')).version, '0.1.0');
  });

  it('says why the engine could not start', async () => {
    const failure = new ShoalError('newerFormat', { path: '/h/account.json', format: '2' });
    const failing = (): EngineProcess => ({
      processId: 1,
      ended: true,
      hasNeverRun: false,
      whenFailed: Promise.resolve(failure),
      discard() {},
    });
    await assert.rejects(connect('0.1.0', failing), failure);
  });

  it('runs it in a thread of this process, where no process can be started', async () => {
    const entry = path.join(import.meta.dirname, '../../../extension/engine/main.ts');
    const { connection, processId, started } = await connect('dev', () => startEngineThread(home, { entry }));
    assert.deepEqual([processId, started], [process.pid, true]);
    await assert.rejects(connection.call('listGroups', { after: '' }), { code: 'notSignedIn' });
    await retire({ connection });
  });

  it('says why an engine in a thread could not start', async () => {
    fs.mkdirSync(home.folder, { recursive: true });
    fs.writeFileSync(home.settingsFile, '{"format":99}');
    const entry = path.join(import.meta.dirname, '../../../extension/engine/main.ts');
    await assert.rejects(
      connect('dev', () => startEngineThread(home, { entry })),
      /newer Shoal/,
    );
  });

  it('replaces an engine that is older', async () => {
    const older = await connect('0.1.0');
    const newer = await connect('0.1.1');
    assert.equal(newer.version, '0.1.1');
    assert.deepEqual(await older.connection.whenEnded, { clean: true });
  });

  it('refuses to use an engine that is newer, and leaves it alone', async () => {
    await connect('0.2.0');
    await assert.rejects(connect('0.1.0'), { code: 'engineNewer' });
    assert.equal(hosts.length, 1);
    assert.equal((await connect('0.2.0')).version, '0.2.0');
  });
});

describe('versions', () => {
  const rows: [engine: string, frontend: string, is: string][] = [
    ['0.1.0', '0.1.0', 'fits'],
    ['0.1.0', '0.1.1', 'older'],
    ['0.1.9', '0.2.0', 'older'],
    ['0.9.0', '1.0.0', 'older'],
    ['0.2.0', '0.10.0', 'older'],
    ['0.1.2', '0.1.1', 'fits'],
    ['0.2.0', '0.1.9', 'tooNew'],
    ['1.0.0', '0.9.9', 'tooNew'],
    ['dev', '0.1.0', 'fits'],
    ['0.1.0', 'dev', 'fits'],
  ];
  for (const [engine, frontend, is] of rows) {
    it(`an engine ${engine} and a frontend ${frontend}: ${is}`, () =>
      assert.equal(compareVersions(engine, frontend), is));
  }
});

describe('the last words of an engine', () => {
  const wire = (error: ShoalError) =>
    JSON.stringify({ level: 50, pid: 7, msg: 'the engine cannot start', failure: toWire(error) });
  const rows: [says: string, log: string, words: string][] = [
    [
      'the failure it noted',
      `{"pid":7,"msg":"x"}\n${wire(new ShoalError('newerFormat', { path: '/h', format: '2' }))}\nsome text\n`,
      '/h was written by a newer Shoal (format 2); update this one',
    ],
    ['nothing of another process', wire(new ShoalError('cancelled')).replace('"pid":7', '"pid":8'), ''],
    [
      'the message of a crash',
      '/x/engine.js:3\n  boom()\n  ^\n\nTypeError: boom is not a function\n    at x\n\nNode.js v24\n',
      'TypeError: boom is not a function',
    ],
    ['its last line otherwise', '{"pid":7,"msg":"x"}\nbash: killed\n', 'bash: killed'],
    ['nothing if it said nothing', '', ''],
    ['no half line of JSON as JSON', '{"pid":7,"fail', '{"pid":7,"fail'],
  ];
  for (const [says, log, words] of rows) {
    it(`are ${says}`, () => {
      const said = lastLogLines(log, 7);
      assert.equal(typeof said === 'string' ? said : said.message, words);
    });
  }
});

describe('the place of a socket', () => {
  const place: SocketEnvironment = { platform: 'linux', user: 1000, temporary: '/tmp', runtime: '/run/user/1000' };
  const long = `/home/${'x'.repeat(100)}`;
  const rows: [is: string, folder: string, place: Partial<SocketEnvironment>, first: RegExp][] = [
    ['in the home', '/home/a/.local/share/shoal', {}, /^\/home\/a\/\.local\/share\/shoal\/engine\.sock$/],
    ['in the home of 91 bytes', `/${'x'.repeat(90)}`, {}, /engine\.sock$/],
    ['outside a home of 92 bytes', `/${'x'.repeat(91)}`, {}, /^\/run\/user\/1000\/shoal\/[0-9a-f]{16}\.sock$/],
    [
      'in the temporary folder where there is no other',
      long,
      { runtime: undefined },
      /^\/tmp\/shoal-1000\/[0-9a-f]{16}\.sock$/,
    ],
    [
      'short even when the temporary folder is not',
      long,
      { runtime: undefined, temporary: long },
      /^\/tmp\/shoal-1000\//,
    ],
    ['a pipe on Windows', 'C:\\Users\\a\\shoal', { platform: 'win32' }, /^\\\\\.\\pipe\\shoal-[0-9a-f]{32}$/],
  ];
  for (const [is, folder, changes, first] of rows) {
    it(`is ${is}`, () => {
      const [best, ...others] = socketPaths(folder, { ...place, ...changes });
      assert.match(best ?? '', first);
      for (const socket of [best ?? '', ...others]) {
        assert.ok(Buffer.byteLength(socket) < 104 || socket.startsWith('\\'), socket);
      }
    });
  }
  it('is the same pipe however a Windows home is spelt', () =>
    assert.deepEqual(
      socketPaths('C:\\Users\\A', { ...place, platform: 'win32' }),
      socketPaths('c:\\users\\a', { ...place, platform: 'win32' }),
    ));
});
