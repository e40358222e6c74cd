// The tracker's command as people type it: the built bundle, real processes, real disks.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createIdentity } from '../../protocol/node/identity.ts';
import type { GroupId, Pin } from '../../protocol/base/ids.ts';
import { createNodeWorld } from '../../protocol/node/nodeWorld.ts';
import { parseRealmUrl } from '../../protocol/messages/realm.ts';
import { silentLog } from '../../protocol/base/world.ts';
import type { Ran } from '../support/processes/realProcesses.ts';
import { freePorts, RealProcesses, TRACKER_BUNDLE } from '../support/processes/realProcesses.ts';
import { Client, newId } from '../support/testRealm.ts';

describe('shoal-tracker', function () {
  this.timeout(120_000);
  let processes: RealProcesses;
  const clients: Client[] = [];

  beforeEach(() => (processes = new RealProcesses()));
  afterEach(async () => {
    for (const client of clients.splice(0)) client.connection.destroy();
    await processes.close();
  });

  /** The default folder of every system, moved into the temporary one. */
  const elsewhere = (): Record<string, string> =>
    Object.fromEntries(
      ['HOME', 'XDG_DATA_HOME', 'LOCALAPPDATA'].map((name) => [name, path.join(processes.folder, 'data')]),
    );
  const run = (...args: readonly string[]): Promise<Ran> => processes.run(TRACKER_BUNDLE, args, { env: elsewhere() });
  const json = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await run(...args, '--json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const serve = async (...args: readonly string[]): Promise<{ child: ChildProcess; url: string; port: number }> => {
    const { child, line } = await processes.start(TRACKER_BUNDLE, args, /serves shoal:\/\//);
    const [, url = '', port = ''] = /^shoal-tracker [12] serves (shoal:\/\/\S+) on \S+:(\d+)$/.exec(line) ?? [];
    assert.ok(url, `not the promised line: ${line}`);
    return { child, url, port: Number(port) };
  };
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds()));
  };
  const client = async (url: string, port: number): Promise<Client> => {
    const { realm } = parseRealmUrl(url);
    const identity = createIdentity();
    const one = new Client(realm as Pin, identity, createNodeWorld({ identity, log: silentLog }));
    await one.connect({ host: '127.0.0.1', port });
    clients.push(one);
    return one;
  };

  it('explains itself', async () => {
    const { code, stdout } = await run('--help');
    assert.equal(code, 0);
    for (const word of ['serve', 'init', 'status', 'tracker_info.txt', 'Exit codes']) {
      assert.ok(stdout.includes(word), word);
    }
    assert.match((await run('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('makes a realm, serves it, says how it is, and stops when it is told', async () => {
    const [port] = await freePorts(1);
    const made = await run('init', 'realm', '--tracker', `127.0.0.1:${port}`);
    assert.match(
      made.stdout,
      /shoal:\/\/[a-z2-7]{52}@127\.0\.0\.1:\d+[\s\S]*serve tracker-1[\s\S]*realm\.json in a safe place/,
    );
    const folder = path.join(processes.folder, 'realm');
    const { child, url } = await serve('serve', 'realm/tracker-1');
    const status = await json('status', 'realm');
    assert.deepEqual([status['number'], status['partner'], status['url'], status['operations']], [1, 'none', url, 0]);
    assert.match((await run('status', 'realm')).stdout, /^accounts +0$/m);
    assert.deepEqual(await json('conflicts', 'realm'), { conflicts: [] });
    assert.equal((await run('conflicts', 'realm')).stdout, 'There are no conflicts.\n');
    if (process.platform !== 'win32') {
      for (const name of ['realm.json', 'tracker-1/tracker.json', 'tracker-1/log.sqlite']) {
        assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600, name);
      }
    }
    const second = await run('serve', 'realm/tracker-1');
    assert.deepEqual([second.code, /another tracker runs in it/.test(second.stderr)], [2, true]);

    const alice = await client(url, port ?? 0);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.equal((await alice.connection.whenEnded).clean, true);
    const gone = await run('status', 'realm');
    assert.deepEqual([gone.code, /no connection to 127\.0\.0\.1:/.test(gone.stderr)], [7, true]);
  });

  it('serves a single tracker without being told anything', async () => {
    const [port] = await freePorts(1);
    const before = { ...process.env };
    Object.assign(process.env, elsewhere());
    try {
      const first = await serve('--listen', `127.0.0.1:${port}`);
      await processes.kill(first.child);
      const again = await serve('serve', '--listen', `127.0.0.1:${port}`);
      assert.equal(again.url, first.url);
      assert.equal((await json('status'))['number'], 1);
    } finally {
      process.env = before;
    }
  });

  it('makes one realm of a tracker_info.txt when both trackers are started at the same moment', async () => {
    const ports = await freePorts(2);
    writeFileSync(path.join(processes.folder, 'tracker_info.txt'), ports.map((port) => `127.0.0.1:${port}\n`).join(''));
    const [one, two] = await Promise.all([serve('tracker_info.txt', '1'), serve('tracker_info.txt', '2')]);
    assert.equal(one.url, two.url);
    assert.deepEqual(readdirSync(processes.folder).toSorted(), ['tracker_info.realm', 'tracker_info.txt']);
    await until(async () => (await json('status', 'tracker_info.realm/tracker-1'))['partner'] === 'paired');
  });

  it('logs one JSON line for each thing, no secret among them, to a file if told', async () => {
    await run('init', 'realm', '--tracker', '127.0.0.1:7');
    const { url, port, child } = await serve(
      'serve',
      'realm',
      '--listen',
      '127.0.0.1:0',
      '--log',
      'logs/tracker.log',
      '--log-level',
      'debug',
    );
    const alice = await client(url, port);
    await alice.createAccount('alice', 'a very secret word');
    await alice.call('authenticate', { user: 'alice', password: 'a quite wrong word' }).catch(() => {});
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    const log = readFileSync(path.join(processes.folder, 'logs', 'tracker.log'), 'utf8');
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string });
    assert.ok(
      lines.some(({ msg }) => msg === 'tracker started') &&
        lines.some(({ msg }) => msg === 'link opened') &&
        lines.some(({ msg }) => msg === 'tracker stopping'),
    );
    const { key, ticketKey } = JSON.parse(
      readFileSync(path.join(processes.folder, 'realm/tracker-1/tracker.json'), 'utf8'),
    ) as { key: string; ticketKey: string };
    for (const secret of ['secret word', 'wrong word', 'scrypt', key, ticketKey]) {
      assert.ok(!log.includes(secret), secret);
    }
  });

  const mistakes: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ['a verb that is none', ['sevre'], 2, /sevre is not a tracker folder: tracker\.json is not there/],
    ['an option that is none', ['serve', '--lisen', 'x'], 2, /unknown option '--lisen'[\s\S]*--listen/],
    ['init without a tracker', ['init', 'r'], 2, /--tracker <HOST:PORT>' not specified/],
    ['init without a folder', ['init', '--tracker', 'a'], 2, /missing required argument 'DIR'/],
    ['init with three', ['init', 'r', '--tracker', 'a', '--tracker', 'b', '--tracker', 'c'], 2, /one or 2 trackers/],
    ['init with an address that is none', ['init', 'r', '--tracker', 'a:b:c'], 2, /a:b:c is not host:port/],
    ['init where a realm is', ['init', 'realm', '--tracker', 'a'], 2, /a realm was made there already/],
    [
      'serve with an address that is none',
      ['serve', 'realm', '--listen', '12345678'],
      2,
      /realm is not a tracker folder|is not host:port/,
    ],
    ['serve where nothing is', ['serve', 'nowhere'], 2, /nowhere is not a tracker folder: .*shoal-tracker init/],
    ['serve of a pair’s folder', ['serve', 'realm'], 2, /tracker-1 or tracker-2/],
    ['status where nothing is', ['status', 'nowhere'], 2, /is not a tracker folder/],
    ['a tracker_info.txt without a number', ['info.txt'], 2, /shoal-tracker info\.txt 1/],
    ['a number that is none', ['info.txt', 'one'], 2, /say which line of info\.txt/],
    ['a number beyond its lines', ['info.txt', '2'], 2, /info\.txt has no line 2/],
    ['a tracker_info.txt with a bad line', ['bad.txt', '1'], 2, /line 2: what is not host:port/],
    ['a tracker_info.txt that is not there', ['no.txt', '1'], 2, /no\.txt is not a file of tracker addresses/],
    [
      'a log level that is none',
      ['serve', 'realm/tracker-1', '--log-level', 'loud'],
      2,
      /Allowed choices are debug, info, warn, error/,
    ],
    [
      'an address that is not of this machine',
      ['serve', 'realm/tracker-1', '--listen', '192.0.2.1:7070'],
      1,
      /cannot listen on 192\.0\.2\.1:7070 \(this machine has no such address\)/,
    ],
  ];
  it('says what is wrong, and what to do, for every mistake', async () => {
    await run('init', 'realm', '--tracker', '127.0.0.1:7', '--tracker', '127.0.0.1:8');
    writeFileSync(path.join(processes.folder, 'info.txt'), '127.0.0.1:7\n');
    writeFileSync(path.join(processes.folder, 'bad.txt'), '127.0.0.1:7\nwhat\n');
    for (const [what, args, code, sentence] of mistakes) {
      const ran = await run(...args);
      assert.equal(ran.code, code, `${what}: ${ran.stderr}`);
      assert.match(ran.stderr, sentence, what);
      assert.equal(ran.stdout, '', what);
      assert.ok(!ran.stderr.includes('    at '), `${what} shows a stack: ${ran.stderr}`);
    }
  });

  it('does not begin anew when its log is gone', async () => {
    await run('init', 'realm', '--tracker', '127.0.0.1:7');
    const { child } = await serve('serve', 'realm', '--listen', '127.0.0.1:0');
    await processes.kill(child);
    const folder = path.join(processes.folder, 'realm', 'tracker-1');
    for (const name of readdirSync(folder).filter((each) => each.startsWith('log.sqlite'))) {
      rmSync(path.join(folder, name));
    }
    const { code, stderr } = await run('serve', 'realm');
    assert.deepEqual([code, /log\.sqlite\) is gone.*backup/.test(stderr)], [2, true], stderr);
  });

  for (const [first, second] of [
    [1, 2],
    [2, 1],
  ] as const) {
    it(`serves from its first start: tracker ${first} of a new pair alone, and then with the other one`, async () => {
      const ports = await freePorts(2);
      await run('init', 'realm', ...ports.flatMap((port) => ['--tracker', `127.0.0.1:${port}`]));
      const { url } = await serve('serve', `realm/tracker-${first}`);
      const alice = await client(url, ports[first - 1] ?? 0);
      assert.deepEqual((await alice.createAccount('alice')).durability, 'one');
      await alice.signIn();
      const [alone, together, there] = [newId<GroupId>(), newId<GroupId>(), newId<GroupId>()];
      assert.equal((await alice.submit('createGroup', { group: alone, name: 'alone' })).durability, 'one');

      await serve('serve', `realm/tracker-${second}`);
      const states = async (): Promise<Record<string, unknown>[]> => [
        await json('status', 'realm/tracker-1'),
        await json('status', 'realm/tracker-2'),
      ];
      await until(async () => (await states()).every(({ partner }) => partner === 'paired'));
      assert.equal((await alice.submit('createGroup', { group: together, name: 'together' })).durability, 'both');
      const bob = await client(url, ports[second - 1] ?? 0);
      await bob.signUp('bob');
      assert.equal((await bob.submit('createGroup', { group: there, name: 'there' })).durability, 'both');
      assert.deepEqual(
        (await bob.call('listGroups', { after: '' })).groups.map(({ name }) => name),
        ['alone', 'there', 'together'],
      );
      const [one, two] = await states();
      assert.deepEqual([one?.['stateHash'], one?.['operations']], [two?.['stateHash'], 7]);
    });
  }
});
