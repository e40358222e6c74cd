// What an operator does to a realm that lives: a tracker is replaced, added, retired; a password is
// set, a group gets another owner. Real processes.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createIdentity } from '../../protocol/node/identity.ts';
import type { Identity } from '../../protocol/node/identity.ts';
import type { Pin } from '../../protocol/base/ids.ts';
import { createNodeWorld } from '../../protocol/node/nodeWorld.ts';
import type { Overview } from '../../protocol/messages/engineLink.ts';
import { addressText } from '../../protocol/base/address.ts';
import { checkDescriptor, parseRealmUrl } from '../../protocol/messages/realm.ts';
import { silentLog } from '../../protocol/base/world.ts';
import type { Ran } from '../support/processes/realProcesses.ts';
import { ENGINE_BUNDLE, freePorts, RealProcesses, TRACKER_BUNDLE } from '../support/processes/realProcesses.ts';
import { Client, PASSWORD } from '../support/testRealm.ts';

interface Status {
  readonly partner: string;
  readonly durability: string;
  readonly accounts: number;
  readonly listVersion: number;
  readonly stateHash: string;
  readonly unsettledOperations: number;
}

describe('a realm whose trackers change', function () {
  this.timeout(120_000);
  let processes: RealProcesses;
  let folder: string;
  let realm: Pin;
  let ports: readonly number[];
  const clients: Client[] = [];

  beforeEach(async () => {
    processes = new RealProcesses();
    folder = path.join(processes.folder, 'realm');
    ports = await freePorts(3);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.connection.destroy();
    await processes.close();
  });

  const json = async <T>(...args: readonly string[]): Promise<T> => {
    const { code, stdout, stderr } = await processes.run(TRACKER_BUNDLE, [...args, '--json']);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as T;
  };
  const at = (n: number): string => `127.0.0.1:${ports[n] ?? 0}`;
  const own = (number: number): string => path.join(folder, `tracker-${number}`);
  const init = async (count: number): Promise<void> => {
    const { url } = await json<{ url: string }>(
      'init',
      folder,
      ...Array.from({ length: count }, (_, n) => ['--tracker', at(n)]).flat(),
    );
    realm = parseRealmUrl(url).realm as Pin;
  };
  const serve = async (number: number): Promise<ChildProcess> =>
    (await processes.start(TRACKER_BUNDLE, ['serve', own(number)], /serves shoal:\/\//)).child;
  const status = (number: number): Promise<Status> => json<Status>('status', own(number));
  const paired = async (): Promise<void> => {
    while ((await Promise.all([1, 2].map(status))).some(({ partner }) => partner !== 'paired'));
  };
  const person = async (n: number, identity: Identity = createIdentity()): Promise<Client> => {
    const client = new Client(realm, identity, createNodeWorld({ identity, log: silentLog }));
    await client.connect({ host: '127.0.0.1', port: ports[n] ?? 0 });
    clients.push(client);
    return client;
  };

  it('replaces one whose machine is lost by another with new keys, which first gets everything', async () => {
    await init(2);
    const [, two] = [await serve(1), await serve(2)];
    await paired();
    const ada = await person(0);
    await ada.signUp('ada');
    two.kill('SIGKILL');
    await once(two, 'exit');
    const { version, trackers } = await json<{ version: number; trackers: { address: string }[] }>(
      'replace',
      folder,
      '2',
      at(2),
      '--new-key',
    );
    assert.deepEqual([version, trackers.map(({ address }) => address)], [2, [at(0), at(2)]]);
    assert.equal((await status(1)).listVersion, 2, 'the one that runs here has learned of it');
    await serve(2);
    await paired();
    const [one, other] = await Promise.all([1, 2].map(status));
    assert.deepEqual([other?.accounts, other?.stateHash], [1, one?.stateHash]);
    const { descriptor, signature } = await (await person(2)).call('descriptor', {});
    assert.equal(checkDescriptor({ descriptor, signature }, realm, { host: '', port: 0 }).version, 2);
  });

  it('adds a second one to a single tracker, and retires it again', async () => {
    await init(1);
    await serve(1);
    const ada = await person(0);
    await ada.signUp('ada');
    const alone = await status(1);
    assert.deepEqual(
      [alone.partner, alone.durability, alone.unsettledOperations],
      ['none', 'both', 0],
      'nobody else stamps anything',
    );
    await json('replace', folder, '2', at(1));
    const two = await serve(2);
    await paired();
    const there = await person(1, ada.identity);
    there.account = ada.account;
    assert.equal((await there.call('session', {})).account?.user, 'ada');

    const shoal = (...words: readonly string[]): Promise<Ran> =>
      processes.run(ENGINE_BUNDLE, words, {
        env: { SHOAL_HOME: path.join(processes.folder, 'eve'), SHOAL_PASSWORD: 'a password for eve' },
      });
    const seenByEve = async (): Promise<readonly string[]> =>
      (JSON.parse((await shoal('status', '--json')).stdout) as { overview: Overview }).overview.trackers
        .filter(({ link }) => link === 'up')
        .map(({ address }) => addressText(address));
    assert.equal(
      (await shoal('--tracker', (await json<{ url: string }>('status', own(1))).url, 'create_user', 'eve')).code,
      0,
    );
    assert.equal((await shoal('login', 'eve')).code, 0);
    try {
      while ((await seenByEve()).length < 2);

      await json('retire', folder, '2');
      let left = await seenByEve();
      while (left.join() !== at(0)) left = await seenByEve();
      assert.equal((await shoal('create_group', 'eves')).code, 0);
    } finally {
      await shoal('stop');
    }
    assert.deepEqual((await status(1)).partner, 'none');
    while ((await status(2)).partner !== 'retired');
    const late = await person(1, ada.identity);
    await assert.rejects(late.call('session', {}), { code: 'retired' });
    const { descriptor, signature } = await late.call('descriptor', {});
    assert.deepEqual(
      checkDescriptor({ descriptor, signature }, realm, { host: '', port: 0 }).trackers.map(({ number }) => number),
      [1],
      'it says who is left',
    );
    two.kill('SIGTERM');
    await once(two, 'exit');
    const again = await processes.run(TRACKER_BUNDLE, ['serve', own(2)]);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /was taken out of the list/);
  });

  it('lets its operator set a password and the owner of a group', async () => {
    await init(2);
    await Promise.all([serve(1), serve(2)]);
    await paired();
    const [ada, bob] = [await person(0), await person(1)];
    await ada.signUp('ada');
    await bob.signUp('bob');
    const group = await ada.createGroup('team');
    await bob.enter(group, ada);
    await bob.notice('groupChanged', ({ role }) => role === 'member');

    const set = await processes.run(TRACKER_BUNDLE, ['reset_password', 'ada', own(1), '--json'], {
      env: { SHOAL_PASSWORD: 'another good one' },
    });
    assert.deepEqual([set.code, JSON.parse(set.stdout)], [0, { durability: 'both' }]);
    await ada.notice('signedOut');
    await assert.rejects(ada.call('authenticate', { user: 'ada', password: PASSWORD }), { code: 'wrongPassword' });
    await ada.signIn('ada', 'another good one');

    assert.deepEqual(await json('set_owner', 'team', 'bob', own(2)), { durability: 'both' });
    assert.equal((await bob.notice('groupChanged', ({ role }) => role === 'owner')).owner, 'bob');
    for (const [args, code, exit] of [
      [['set_owner', 'team', 'carol'], 'unknownUser', 4],
      [['set_owner', 'nothing', 'bob'], 'unknownGroup', 4],
    ] as const) {
      const failed = await processes.run(TRACKER_BUNDLE, [...args, own(1), '--json']);
      assert.deepEqual(
        [failed.code, (JSON.parse(failed.stdout) as { error: { code: string } }).error.code],
        [exit, code],
      );
    }
    const short = await processes.run(TRACKER_BUNDLE, ['reset_password', 'ada', own(1), '--json'], {
      env: { SHOAL_PASSWORD: 'short' },
    });
    assert.deepEqual(
      [short.code, (JSON.parse(short.stdout) as { error: { code: string } }).error.code],
      [2, 'passwordTooShort'],
    );
  });

  it('says what is wrong with a wish', async () => {
    await init(1);
    for (const args of [
      ['retire', folder, '1'],
      ['retire', folder, '2'],
      ['replace', folder, '3', at(0)],
      ['replace', folder, '1', 'two words'],
    ]) {
      assert.equal((await processes.run(TRACKER_BUNDLE, args)).code, 2, args.join(' '));
    }
  });
});
