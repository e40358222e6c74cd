// The pair of trackers on one computer that `shoal-tracker start_pair` keeps in the background:
// real processes, which outlive the command.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { createIdentity } from '../../protocol/node/identity.ts';
import type { Pin } from '../../protocol/base/ids.ts';
import { createNodeWorld } from '../../protocol/node/nodeWorld.ts';
import { checkDescriptor, parseRealmUrl } from '../../protocol/messages/realm.ts';
import { silentLog } from '../../protocol/base/world.ts';
import type { Ran } from '../support/processes/realProcesses.ts';
import { RealProcesses, TRACKER_BUNDLE } from '../support/processes/realProcesses.ts';
import { Client } from '../support/testRealm.ts';

interface Started {
  readonly url: string;
  readonly trackers: readonly {
    readonly number: number;
    readonly address: string;
    readonly processId: number;
    readonly started: boolean;
  }[];
}
interface Failure {
  readonly code: string;
  readonly message: string;
}

describe('shoal-tracker start_pair', function () {
  this.timeout(120_000);
  let processes: RealProcesses;
  let folder: string;
  const clients: Client[] = [];

  beforeEach(() => {
    processes = new RealProcesses();
    folder = path.join(processes.folder, 'pair');
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.connection.destroy();
    await run('stop_pair', folder);
    for (const { processId } of everStarted.splice(0)) if (isAlive(processId)) process.kill(processId, 'SIGKILL');
    await processes.close();
  });

  const everStarted: { readonly processId: number }[] = [];
  const run = (...args: readonly string[]): Promise<Ran> => processes.run(TRACKER_BUNDLE, args);
  const json = async <T>(...args: readonly string[]): Promise<T> => {
    const { code, stdout, stderr } = await run(...args, '--json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as T;
  };
  const start = async (...options: readonly string[]): Promise<Started> => {
    const started = await json<Started>('start_pair', folder, ...options);
    everStarted.push(...started.trackers);
    return started;
  };
  const refused = async (exit: number, ...args: readonly string[]): Promise<Failure> => {
    const { code, stdout, stderr } = await run(...args, '--json');
    assert.equal(code, exit, stderr);
    const { error } = JSON.parse(stdout) as { error: Failure };
    assert.ok(stderr.includes(error.message), stderr);
    return error;
  };
  const isAlive = (processId: number): boolean => {
    try {
      return process.kill(processId, 0);
    } catch {
      return false;
    }
  };
  const person = async ({ url }: Started, tracker: 1 | 2): Promise<Client> => {
    const { realm, addresses } = parseRealmUrl(url);
    const identity = createIdentity();
    const client = new Client(realm as Pin, identity, createNodeWorld({ identity, log: silentLog }));
    await client.connect(addresses[tracker - 1] ?? { host: '', port: 0 });
    clients.push(client);
    return client;
  };

  it('makes a pair that both sides of it serve, and goes on when the command has ended', async () => {
    const { code, stdout } = await run('start_pair', folder);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^Tracker 1 serves on 127\.0\.0\.1:\d+ \(process \d+\)\.\nTracker 2 serves on [^\n]*\n\nGive this to your people:\n\n {2}shoal:\/\/\S+\n\nBoth go on until: shoal-tracker stop_pair \S+\n$/,
    );
    const again = await start();
    assert.deepEqual(
      again.trackers.map(({ started }) => started),
      [false, false],
    );
    const [alice, bob] = await Promise.all([person(again, 1), person(again, 2)]);
    await alice.createAccount('alice', 'a very long password');
    await bob.signUp('bob');
    if (process.platform !== 'win32') assert.equal(statSync(folder).mode & 0o777, 0o700);
    // Nobody but this computer reaches it.
    for (const { address } of again.trackers) assert.match(address, /^127\.0\.0\.1:/);
  });

  it('stops it, keeps what it held, and gives it back at the same address', async () => {
    const first = await start();
    const alice = await person(first, 1);
    await alice.createAccount('alice', 'a very long password');
    assert.deepEqual(await json('stop_pair', folder), { stopped: [1, 2] });
    assert.deepEqual(
      first.trackers.map(({ processId }) => isAlive(processId)),
      [false, false],
    );
    assert.equal((await alice.connection.whenEnded).clean, true);
    assert.deepEqual(await json('stop_pair', folder), { stopped: [] });
    assert.match((await run('stop_pair', folder)).stdout, /was not running/);

    const second = await start();
    assert.equal(second.url, first.url);
    assert.deepEqual(
      second.trackers.map(({ started }) => started),
      [true, true],
    );
    const other = await person(second, 2);
    await assert.rejects(other.createAccount('alice', 'another long password'), { code: 'nameTaken' });
  });

  it('revives the one that was killed, with what it had, and leaves the other alone', async () => {
    const first = await start();
    const [one, two] = first.trackers;
    assert.ok(one && two);
    const alice = await person(first, 1);
    await alice.createAccount('alice', 'a very long password');
    process.kill(two.processId, 'SIGKILL');
    await alice.connection.call('session', {});
    while (isAlive(two.processId)) await new Promise((resolve) => setImmediate(resolve));
    const { code, stdout } = await run('pair_status', folder, '--json');
    assert.equal(code, 7);
    const status = JSON.parse(stdout) as { url: string; host: string; trackers: readonly { running: boolean }[] };
    assert.deepEqual(
      [status.url, status.host, status.trackers.map(({ running }) => running)],
      [first.url, '127.0.0.1', [true, false]],
    );
    assert.match((await run('pair_status', folder)).stdout, /Tracker 1 runs[^\n]*\nTracker 2 does not run/);

    const second = await start();
    assert.deepEqual(
      second.trackers.map(({ processId, started }) => [processId === one.processId, started]),
      [
        [true, false],
        [false, true],
      ],
    );
    const other = await person(second, 2);
    await assert.rejects(other.createAccount('alice', 'another long password'), { code: 'nameTaken' });
    assert.equal((await run('pair_status', folder)).code, 0);
  });

  it('makes one pair when several start it at the same moment', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => start()));
    assert.equal(new Set(all.map(({ url }) => url)).size, 1);
    assert.equal(new Set(all.flatMap(({ trackers }) => trackers.map(({ processId }) => processId))).size, 2);
    assert.equal(all.flatMap(({ trackers }) => trackers).filter(({ started }) => started).length, 2);
  });

  it('runs from a copy, with a log, so that the bundle may be updated or removed', async () => {
    await start();
    const [version = ''] = readdirSync(path.join(folder, 'bin'));
    assert.match(version, /^\d+\.\d+\.\d+-[0-9a-f]{8}$/);
    assert.deepEqual(readFileSync(path.join(folder, 'bin', version, 'tracker.js')), readFileSync(TRACKER_BUNDLE));
    for (const number of [1, 2]) {
      assert.match(readFileSync(path.join(folder, `tracker-${number}`, 'tracker.log'), 'utf8'), /tracker started/);
    }
  });

  it('stops one of them, too', async () => {
    await start();
    assert.match((await run('stop', path.join(folder, 'tracker-1'))).stdout, /^Tracker 1 is stopped\.\n$/);
    assert.deepEqual(await json('stop', path.join(folder, 'tracker-1')), { stopped: false });
    assert.deepEqual(await json('stop_pair', folder), { stopped: [2] });
  });

  it('moves to another address: it is reached there, and who still finds the old one learns of it', async () => {
    const started = await start();
    const { realm } = parseRealmUrl(started.url);
    await (await person(started, 1)).createAccount('ada');
    const moved = await start('--host', '10.1.2.3');
    assert.deepEqual(
      [parseRealmUrl(moved.url).realm, parseRealmUrl(moved.url).addresses.map(({ host }) => host)],
      [realm, ['10.1.2.3', '10.1.2.3']],
    );
    assert.deepEqual(
      moved.trackers.map(({ started: anew }) => anew),
      [true, true],
    );
    const { descriptor, signature } = await (await person(started, 2)).call('descriptor', {}); // at its old address
    const list = checkDescriptor({ descriptor, signature }, realm, { host: '127.0.0.1', port: 0 });
    assert.deepEqual([list.version, list.trackers.map(({ address }) => address.host)], [2, ['10.1.2.3', '10.1.2.3']]);
    assert.equal(
      (await json<{ accounts: number }>('status', path.join(folder, 'tracker-2'))).accounts,
      1,
      'what it knew it knows',
    );
    assert.equal((await start('--host', '127.0.0.1')).url, started.url);
  });

  it('says why a tracker did not start: its port is taken', async () => {
    const { trackers } = await start();
    await run('stop_pair', folder);
    const port = Number(trackers[0]?.address.split(':').at(-1));
    const thief = net.createServer((socket) => socket.destroy()).listen({ host: '127.0.0.1', port });
    await once(thief, 'listening');
    try {
      const { code, message } = await refused(1, 'start_pair', folder);
      assert.equal(code, 'trackerNotStarted');
      assert.match(
        message,
        new RegExp(`^tracker 1 did not start \\(cannot listen on 127\\.0\\.0\\.1:${port} .*tracker\\.log$`),
      );
      assert.deepEqual(await json('stop_pair', folder), { stopped: [2] }); // the other one runs
    } finally {
      thief.close();
    }
    assert.deepEqual(
      (await start()).trackers.map(({ started }) => started),
      [true, true],
    );
  });

  it('has nothing to say about a folder without a pair, and makes none by asking', async () => {
    for (const verb of ['stop_pair', 'pair_status']) assert.equal((await refused(4, verb, folder)).code, 'noLocalPair');
    assert.equal(existsSync(folder), false);
    assert.equal((await refused(2, 'start_pair', folder, '--host', 'a:b:c')).code, 'usage');
  });

  it('does not begin anew where a tracker’s folder is damaged', async () => {
    const { url } = await start();
    await run('stop_pair', folder);
    rmSync(path.join(folder, 'tracker-2', 'tracker.json'));
    assert.equal((await refused(2, 'start_pair', folder)).code, 'badRealmFolder');
    assert.ok(existsSync(path.join(folder, 'realm.json')), url);
  });
});
