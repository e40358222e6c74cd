// A tracker as engines meet it: every call with its success and its errors, and everything it tells
// of itself. Real links, TLS on loopback.
import assert from 'node:assert/strict';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { AccountId, GroupId, OperationId, Origin, Pin, RequestId, Root } from '../../../protocol/base/ids.ts';
import { PAGE_ROWS_MAX, REQUESTS_PER_GROUP_MAX, TICKET_MS } from '../../../protocol/base/limits.ts';
import { checkDescriptor } from '../../../protocol/messages/realm.ts';
import { overrides, openRevocation, openTicket } from '../../../protocol/messages/ticket.ts';
import type { Tracker } from '../../../tracker/server/server.ts';
import type { Client } from '../../support/testRealm.ts';
import { newId, PASSWORD, TestRealm } from '../../support/testRealm.ts';

const refused = (code: string, call: Promise<unknown>): Promise<void> =>
  assert.rejects(call, (error) =>
    isShoalError(error) ? assert.equal(error.code, code, error.message) === undefined : false,
  );

describe('a tracker', () => {
  let realm: TestRealm;
  let tracker: Tracker;

  beforeEach(async () => {
    realm = new TestRealm();
    tracker = await realm.start();
  });
  afterEach(() => realm.close());

  const connect = (): Promise<Client> => realm.connect(tracker);
  const join = (user: string): Promise<Client> => realm.join(tracker, user);
  /** Alice's group, with Bob in it; Carol has an account. */
  const team = async (): Promise<{ group: GroupId; alice: Client; bob: Client; carol: Client }> => {
    const [alice, bob, carol] = await Promise.all([join('alice'), join('bob'), join('carol')] as const);
    const group = await alice.createGroup('team');
    await bob.enter(group, alice);
    for (const one of [alice, bob, carol]) await one.heard();
    return { group, alice, bob, carol };
  };
  const keys = (): Map<Pin, Uint8Array> =>
    new Map([[realm.config(1).identity.pin, realm.config(1).descriptor.trackers[0]?.ticketKey ?? new Uint8Array()]]);

  it("takes what only a tracker may sign from nobody by this door, not even from a tracker's key", async () => {
    const { alice, group, bob } = await team();
    const thief = await realm.connect(tracker, { identity: realm.config(1).identity });
    for (const signed of [
      thief.sign('setOwner', { group, account: bob.account }),
      thief.sign('resetPassword', { account: alice.account }),
      thief.sign('setFoldVersion', { version: 4_000_000_000 }),
    ]) {
      await assert.rejects(thief.call('submit', { signed }), { code: 'badMessage' });
    }
    assert.equal(tracker.ledger.state.groups.get(group)?.owner, alice.account);
  });
  it('shows anybody who it is', async () => {
    const { descriptor, signature } = await (await connect()).call('descriptor', {});
    assert.equal(checkDescriptor({ descriptor, signature }, realm.realm, tracker.address).realm, realm.realm);
  });

  describe('accounts', () => {
    it('makes one, and says who is signed in', async () => {
      const alice = await connect();
      assert.deepEqual((await alice.createAccount('alice')).durability, 'both');
      assert.equal((await alice.call('session', {})).account, undefined);
      await alice.signIn('ALICE');
      assert.deepEqual((await alice.call('session', {})).account, { account: alice.account, user: 'alice' });
    });
    it('makes one once, however often it is asked with the same operation', async () => {
      const alice = await connect();
      const signed = alice.sign('createAccount', { account: alice.account, name: 'alice' });
      await Promise.all(
        [1, 2, 3].map(() => alice.call('createAccount', { signed, password: PASSWORD }).catch(() => {})),
      );
      assert.equal((await alice.call('createAccount', { signed, password: PASSWORD })).durability, 'both');
      assert.equal(tracker.status().operations, 1);
    });
    it('refuses a name that is taken, a bad one, and a short password', async () => {
      await join('alice');
      const other = await connect();
      await refused('nameTaken', other.createAccount('Alice'));
      await refused('badName', other.createAccount('a b'));
      await refused('passwordTooShort', other.createAccount('bob', '1234567'));
      await refused('passwordTooShort', other.createAccount('bob', 'é'.normalize('NFD').repeat(7)));
      await other.createAccount('bob', '12345678');
    });
    it('says the same for a wrong user and a wrong password', async () => {
      await join('alice');
      const other = await connect();
      await refused('wrongPassword', other.call('authenticate', { user: 'alice', password: `${PASSWORD}.` }));
      await refused('wrongPassword', other.call('authenticate', { user: 'nobody', password: PASSWORD }));
    });
    it('takes a password typed on another keyboard', async () => {
      const alice = await connect();
      await alice.createAccount('alice', 'pässwörter'.normalize('NFC'));
      await alice.signIn('alice', 'pässwörter'.normalize('NFD'));
    });
    it('signs in nobody who has not shown the password on this link', async () => {
      const alice = await join('alice');
      const thief = await connect();
      thief.account = alice.account;
      await refused('wrongPassword', thief.submit('signIn', { account: alice.account }));
      await refused('wrongPassword', thief.call('authenticate', { user: 'alice', password: 'guessed it?' }));
      await refused('wrongPassword', thief.submit('signIn', { account: alice.account }));
    });
    it('knows a device again that comes back', async () => {
      const alice = await join('alice');
      alice.connection.close();
      const again = await realm.connect(tracker, { identity: alice.identity });
      assert.equal((await again.call('session', {})).account?.user, 'alice');
    });
    it('changes a password: the old one is worth nothing, and other devices are out', async () => {
      const alice = await join('alice');
      const laptop = await connect();
      await laptop.signIn('alice');
      const change = (oldPassword: string, newPassword: string): Promise<unknown> =>
        alice.call('changePassword', {
          signed: alice.sign('changePassword', { account: alice.account }),
          oldPassword,
          newPassword,
        });
      await refused('wrongPassword', change('not it at all', 'another password'));
      await refused('passwordTooShort', change(PASSWORD, 'short'));
      await change(PASSWORD, 'another password');
      await laptop.notice('signedOut');
      await refused('notSignedIn', laptop.call('tickets', {}));
      await refused('wrongPassword', laptop.signIn('alice'));
      await laptop.signIn('alice', 'another password');
      assert.equal((await alice.call('session', {})).account?.user, 'alice');
    });
    it('signs a device out, from itself and from another', async () => {
      const alice = await join('alice');
      const laptop = await connect();
      await laptop.signIn('alice');
      await alice.submit('signOut', { account: alice.account, device: laptop.identity.pin });
      await laptop.notice('signedOut');
      await refused('notSignedIn', laptop.createGroup('x'));
      await alice.submit('signOut', { account: alice.account, device: alice.identity.pin });
      await refused('notSignedIn', alice.call('listGroups', { after: '' }));
    });
    it('takes operations only from the device that signed them, for this realm, and by the right call', async () => {
      const [alice, bob] = await Promise.all([join('alice'), join('bob')] as const);
      const group = newId<GroupId>();
      const body = { group, name: 'g' };
      await refused('badMessage', bob.call('submit', { signed: alice.sign('createGroup', body) }));
      await refused(
        'notSignedIn',
        bob.call('submit', { signed: bob.sign('createGroup', body, { account: alice.account }) }),
      );
      await refused(
        'wrongRealm',
        alice.call('submit', { signed: alice.sign('createGroup', body, { realm: 'ab'.repeat(32) as Pin }) }),
      );
      const { operation, signature } = alice.sign('createGroup', body);
      operation[operation.length - 1] = (operation.at(-1) ?? 0) ^ 1;
      await refused('badMessage', alice.call('submit', { signed: { operation, signature } }));
      await refused(
        'badMessage',
        alice.call('submit', { signed: alice.sign('changePassword', { account: alice.account }) }),
      );
      await refused(
        'badMessage',
        alice.call('createAccount', { signed: alice.sign('createGroup', body), password: PASSWORD }),
      );
      assert.equal(tracker.status().groups, 0);
    });
    const needSession: readonly (readonly [string, (one: Client) => Promise<unknown>])[] = [
      ['announce', (one) => one.call('announce', { swarms: [] })],
      ['tickets', (one) => one.call('tickets', {})],
      ['listGroups', (one) => one.call('listGroups', { after: '' })],
      ['findGroup', (one) => one.call('findGroup', { name: 'team' })],
      ['submit', (one) => one.createGroup('g')],
    ];
    for (const [name, call] of needSession) {
      it(`answers ${name} only to who is signed in`, async () => refused('notSignedIn', call(await connect())));
    }
  });

  describe('groups', () => {
    it('tells the owner of a request at once, and the applicant of the answer', async () => {
      const { group, alice, bob, carol } = await team();
      const request = await carol.ask(group);
      const seen = await alice.notice('groupChanged');
      assert.deepEqual(
        seen.requests.map(({ request: id, user }) => [id, user]),
        [[request, 'carol']],
      );
      assert.equal((await carol.notice('groupChanged')).role, 'applicant');
      await refused('requestedAlready', carol.ask(group));
      await alice.submit('acceptRequest', { group, request });
      assert.equal((await carol.notice('groupChanged')).role, 'member');
      assert.deepEqual((await alice.notice('groupChanged')).requests, []);
      assert.deepEqual(
        (await bob.notice('groupChanged', ({ members }) => members === 3)).requests,
        [],
        'only the owner sees requests',
      );
    });
    const answers: readonly (readonly [
      string,
      'rejected' | 'cancelled',
      (people: { alice: Client; carol: Client; group: GroupId; request: RequestId }) => Promise<unknown>,
    ])[] = [
      ['rejects', 'rejected', ({ alice, group, request }) => alice.submit('rejectRequest', { group, request })],
      ['withdraws', 'cancelled', ({ carol, group, request }) => carol.submit('cancelRequest', { group, request })],
    ];
    for (const [what, why, act] of answers) {
      it(`tells the applicant when somebody ${what} it, and the owner too`, async () => {
        const { group, alice, carol } = await team();
        const request = await carol.ask(group);
        await alice.notice('groupChanged', ({ requests }) => requests.length === 1);
        await act({ alice, carol, group, request });
        assert.deepEqual(await carol.notice('groupGone'), { group, name: 'team', why });
        await alice.notice('groupChanged', ({ requests }) => requests.length === 0);
      });
    }
    it('tells who is removed, takes them out of the swarms and revokes their tickets for everybody', async () => {
      const { group, alice, bob } = await team();
      const root = await alice.share(group, 'f', 1);
      await bob.call('listening', { addresses: [{ host: '127.0.0.1', port: 4001 }] });
      await bob.call('announce', { swarms: [{ group, root, leftBytes: 0, event: 'update' }] });
      const [ticket] = (await bob.call('tickets', {})).tickets;
      await alice.submit('removeMember', { group, account: bob.account });
      assert.deepEqual(await bob.notice('groupGone'), { group, name: 'team', why: 'removed' });
      const revocation = openRevocation((await alice.notice('revoked')).revocation, {
        realm: realm.realm,
        keys: keys(),
      });
      assert.ok(
        overrides(
          revocation,
          openTicket(ticket ?? new Uint8Array(), { realm: realm.realm, device: bob.identity.pin, keys: keys() }),
        ),
      );
      assert.equal((await alice.call('findFile', { group, name: 'f' })).seeders, 0);
      await refused('notMember', bob.call('listFiles', { group, after: '' }));
      assert.deepEqual(
        (await bob.call('announce', { swarms: [{ group, root, leftBytes: 5, event: 'update' }] })).swarms,
        [],
      );
      assert.equal(tracker.status().presences, 0);
    });
    it('tells members, and only them, when somebody of the group begins to seed, ends it, or goes', async () => {
      const { group, alice, bob, carol } = await team();
      const root = await alice.share(group, 'f', 1);
      await bob.call('announce', { swarms: [{ group, root, leftBytes: 0, event: 'update' }] });
      assert.deepEqual(await alice.notice('presenceChanged'), { groups: [group] });
      await bob.call('announce', { swarms: [{ group, root, leftBytes: 0, event: 'stopped' }] });
      assert.deepEqual(await alice.notice('presenceChanged'), { groups: [group] });
      bob.connection.destroy();
      assert.deepEqual(await alice.notice('presenceChanged'), { groups: [group] });
      assert.deepEqual(await carol.heard(), []);
    });
    it('tells of a revocation an engine that was away', async () => {
      const { group, alice, bob, carol } = await team();
      await carol.enter(group, alice);
      carol.connection.destroy();
      await alice.submit('removeMember', { group, account: bob.account });
      const again = await realm.connect(tracker, { identity: carol.identity });
      await again.call('session', {});
      const revocation = openRevocation((await again.notice('revoked')).revocation, {
        realm: realm.realm,
        keys: keys(),
      });
      assert.deepEqual([revocation.what, revocation.account, revocation.group], ['membership', bob.account, group]);
    });
    it('lets a member leave, and gives the group to the next', async () => {
      const { group, alice, bob } = await team();
      await alice.submit('leaveGroup', { group });
      assert.equal((await alice.notice('groupGone')).why, 'left');
      assert.equal((await bob.notice('groupChanged')).role, 'owner');
      await bob.submit('leaveGroup', { group });
      await refused('unknownGroup', alice.call('findGroup', { name: 'team' }));
    });
    it('tells nobody who has nothing to do with it, and nothing twice', async () => {
      const { group, alice, bob, carol } = await team();
      await alice.share(group, 'f', 1);
      assert.deepEqual(await carol.heard(), []);
      assert.deepEqual(await bob.heard(), ['groupChanged']);
      await alice.createGroup('another');
      assert.deepEqual(await bob.heard(), []);
      await carol.ask(group);
      assert.deepEqual(
        [await alice.heard(), await bob.heard(), await carol.heard()],
        [['groupChanged', 'groupChanged', 'groupChanged'], [], ['groupChanged']],
      );
    });
    it('lists groups by pages, with what the asker is in each', async () => {
      const { alice, carol } = await team();
      for (let n = 0; n < PAGE_ROWS_MAX; n++) {
        tracker.ledger.state.groupNames.set(`z${n}`, tracker.ledger.state.groupNames.get('team') as GroupId);
      }
      const first = await carol.call('listGroups', { after: '' });
      assert.deepEqual(
        [first.groups.length, first.more, first.groups[0]?.name, first.groups[0]?.role],
        [PAGE_ROWS_MAX, true, 'team', 'stranger'],
      );
      const { role, members, online, owner } = await alice.call('findGroup', { name: 'TEAM' });
      assert.deepEqual({ role, members, online, owner }, { role: 'owner', members: 2, online: 2, owner: 'alice' });
      await refused('unknownGroup', carol.call('findGroup', { name: 'nowhere' }));
    });
    it('lists members by name, to members', async () => {
      const { group, alice, bob, carol } = await team();
      bob.connection.destroy();
      const rows = (await alice.call('listMembers', { group, after: '' })).members;
      assert.deepEqual(
        rows.map(({ user, role }) => [user, role]),
        [
          ['alice', 'owner'],
          ['bob', 'member'],
        ],
      );
      assert.deepEqual(
        (await alice.call('listMembers', { group, after: 'Alice' })).members.map(({ user }) => user),
        ['bob'],
      );
      await refused('notMember', carol.call('listMembers', { group, after: '' }));
      await refused('unknownGroup', carol.call('listMembers', { group: newId<GroupId>(), after: '' }));
    });
    it('shows an owner more requests than one answer holds', async () => {
      const alice = await join('alice');
      for (let n = 0; n < 20; n++) {
        const waiting = tracker.ledger.state.groups.get(await alice.createGroup(`g${n}`))?.waiting;
        for (let one = 0; one < REQUESTS_PER_GROUP_MAX; one++) {
          waiting?.set(newId<RequestId>(), {
            account: newId<AccountId>(),
            at: { ms: 1, counter: 0, origin: '' as Origin, seq: 1 },
          });
        }
      }
      const again = await realm.connect(tracker, { identity: alice.identity });
      const { groups } = await again.call('session', {});
      const requests = new Map(groups.map(({ group, requests: some }) => [group, some.length]));
      assert.ok([...requests.values()].some((count) => count === 0));
      while ([...requests.values()].some((count) => count < REQUESTS_PER_GROUP_MAX)) {
        const { group, requests: some } = await again.notice('groupChanged');
        requests.set(group, some.length);
      }
      assert.equal(requests.size, 20);
    });
    it('sees all groups again after a new link', async () => {
      const { group, alice } = await team();
      const again = await realm.connect(tracker, { identity: alice.identity });
      const { groups } = await again.call('session', {});
      assert.deepEqual(
        groups.map(({ group: id, role, members }) => [id, role, members]),
        [[group, 'owner', 2]],
      );
    });
  });

  describe('files', () => {
    it('lists them by name and by pages, to members', async () => {
      const { group, alice, bob, carol } = await team();
      for (const name of ['c', 'a', 'B']) await alice.share(group, name, 1);
      const { files, more, filesVersion } = await bob.call('listFiles', { group, after: '' });
      assert.deepEqual([files.map(({ name }) => name), more], [['a', 'B', 'c'], false]);
      assert.deepEqual(
        (await bob.call('listFiles', { group, after: 'A' })).files.map(({ name }) => name),
        ['B', 'c'],
      );
      await alice.share(group, 'd', 1);
      assert.ok((await bob.call('listFiles', { group, after: '' })).filesVersion > filesVersion);
      await refused('notMember', carol.call('listFiles', { group, after: '' }));
      await refused('notMember', carol.call('findFile', { group, name: 'a' }));
      await refused('unknownFile', bob.call('findFile', { group, name: 'x' }));
    });
    it('says who shares and how many are there', async () => {
      const { group, alice, bob } = await team();
      const root = await alice.share(group, 'f', 1);
      await bob.share(group, 'f', 1);
      await alice.call('announce', { swarms: [{ group, root, leftBytes: 0, event: 'update' }] });
      await bob.call('announce', { swarms: [{ group, root, leftBytes: 7, event: 'update' }] });
      const { author, sharers, iShare, seeders, leechers, version } = await bob.call('findFile', { group, name: 'F' });
      assert.deepEqual(
        { author, sharers, iShare, seeders, leechers, version },
        { author: 'alice', sharers: ['alice', 'bob'], iShare: true, seeders: 1, leechers: 1, version: 1 },
      );
    });
    it('says who shares other content, and takes it when told to', async () => {
      const { group, alice, bob } = await team();
      await alice.share(group, 'f', 1);
      await assert.rejects(
        bob.share(group, 'f', 2),
        (error) =>
          isShoalError(error, 'fileExists') && error.fields['user'] === 'alice' && error.fields['group'] === 'team',
      );
      await bob.share(group, 'f', 2, { replace: true });
      assert.equal((await alice.call('findFile', { group, name: 'f' })).author, 'bob');
    });
    it('answers an operation that is sent again as it did before', async () => {
      const { group, alice } = await team();
      const id = newId<OperationId>();
      const signed = alice.sign(
        'shareFile',
        {
          group,
          name: 'f',
          root: 'ab'.repeat(32) as Root,
          sizeBytes: 1,
          pieceBytes: 16_384,
          sha256: 'cd'.repeat(32) as never,
          replace: false,
          content: 'file',
        },
        { id },
      );
      await alice.call('submit', { signed });
      await alice.submit('stopShare', { group, name: 'f' });
      assert.equal((await alice.call('submit', { signed })).durability, 'both');
      assert.equal((await alice.call('findFile', { group, name: 'f' })).sharersCount, 0, 'and does not do it again');
    });
  });

  describe('swarms', () => {
    const at = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port });

    it('gives a downloader the others, and tells it who comes and goes', async () => {
      const { group, alice, bob, carol } = await team();
      await carol.enter(group, alice);
      const root = await alice.share(group, 'f', 1);
      const announce = (
        one: Client,
        leftBytes: number,
        event: 'update' | 'stopped' = 'update',
      ): ReturnType<Client['call']> => one.call('announce', { swarms: [{ group, root, leftBytes, event }] });
      assert.deepEqual((await alice.call('listening', { addresses: [at(4001)] })).seen, at(4001));
      await announce(alice, 0);
      const { swarms } = await bob.call('announce', { swarms: [{ group, root, leftBytes: 9, event: 'update' }] });
      assert.deepEqual(
        swarms.map(({ seeders, leechers, peers }) => ({ seeders, leechers, peers })),
        [
          {
            seeders: 1,
            leechers: 1,
            peers: [
              { pin: alice.identity.pin, account: alice.account, user: 'alice', addresses: [at(4001)], leftBytes: 0 },
            ],
          },
        ],
      );
      await announce(carol, 5);
      const told = (ports: readonly number[]) =>
        bob.notice('swarmChanged', ({ joined }) =>
          joined.some(
            ({ user, leftBytes, addresses }) =>
              user === 'carol' && leftBytes === 5 && addresses.map(({ port }) => port).join() === ports.join(),
          ),
        );
      await told([]);
      await carol.call('listening', { addresses: [at(4002)] });
      await told([4002]);
      await announce(alice, 0, 'stopped');
      assert.deepEqual((await bob.notice('swarmChanged', ({ left }) => left.length > 0)).left, [alice.identity.pin]);
      carol.connection.destroy();
      assert.deepEqual((await bob.notice('swarmChanged', ({ left }) => left.length > 0)).left, [carol.identity.pin]);
      assert.equal((await alice.heard()).includes('swarmChanged'), false, 'a seeder dials nobody');
    });
    it('counts an engine that comes back before its old link is dead once', async () => {
      const { group, alice, bob } = await team();
      const root = await alice.share(group, 'f', 1);
      const swarms = [{ group, root, leftBytes: 0, event: 'update' as const }];
      await alice.call('announce', { swarms });
      const again = await realm.connect(tracker, { identity: alice.identity });
      await again.call('session', {});
      await again.call('announce', { swarms });
      assert.equal((await bob.call('findFile', { group, name: 'f' })).seeders, 1);
      await bob.call('announce', { swarms: [{ group, root, leftBytes: 3, event: 'update' }] });
      await bob.heard();
      alice.connection.destroy();
      await alice.connection.whenEnded;
      assert.equal((await bob.call('findFile', { group, name: 'f' })).seeders, 1);
    });
    it('answers a large announce within a frame', async () => {
      const { group, alice, bob } = await team();
      const roots = Array.from({ length: 512 }, (_, n) => n.toString(16).padStart(64, '0') as Root);
      const long = Array.from({ length: 8 }, (_, n) => ({ host: `${'x'.repeat(60)}${n}`, port: 1 }));
      const announce = async (one: Client): Promise<number> => {
        await one.call('listening', { addresses: long });
        const reply = await one.call('announce', {
          swarms: roots.map((root) => ({ group, root, leftBytes: 1, event: 'update' as const })),
        });
        return reply.swarms.reduce((sum, { peers }) => sum + peers.length, 0);
      };
      const others = await Promise.all(['dora', 'eve', 'fay'].map(join));
      for (const one of others) await one.enter(group, alice);
      for (const one of [alice, ...others]) await announce(one);
      assert.equal(await announce(bob), 1024, 'two of the four in each');
    });
    it('asks a peer to dial somebody of the same group', async () => {
      const { group, alice, bob, carol } = await team();
      await bob.call('listening', { addresses: [at(4009)] });
      assert.deepEqual(await bob.call('askDial', { pin: alice.identity.pin, group }), { asked: true });
      const { peer, group: which } = await alice.notice('dialRequest');
      assert.deepEqual([peer.user, peer.addresses, which], ['bob', [at(4009)], group]);
      assert.deepEqual(await bob.call('askDial', { pin: carol.identity.pin, group }), { asked: false });
      assert.deepEqual(await bob.call('askDial', { pin: 'ab'.repeat(32) as Pin, group }), { asked: false });
      await refused('notMember', carol.call('askDial', { pin: alice.identity.pin, group }));
    });
    it('lists what was announced before the membership was known, once it is', async () => {
      const { group, alice, carol } = await team();
      const root = await alice.share(group, 'f', 1);
      await alice.call('announce', { swarms: [{ group, root, leftBytes: 0, event: 'update' }] });
      await carol.call('announce', { swarms: [{ group, root, leftBytes: 4, event: 'update' }] });
      assert.equal((await alice.call('findFile', { group, name: 'f' })).leechers, 0);
      await carol.enter(group, alice);
      assert.deepEqual(
        (await carol.notice('swarmChanged')).joined.map(({ user }) => user),
        ['alice'],
      );
      assert.equal((await alice.call('findFile', { group, name: 'f' })).leechers, 1);
    });
  });

  it('gives a ticket for each group, for this device, for ten minutes', async () => {
    const { group, bob, carol } = await team();
    const { tickets, nowMs } = await bob.call('tickets', {});
    const [ticket] = tickets.map((bytes) =>
      openTicket(bytes, { realm: realm.realm, device: bob.identity.pin, keys: keys() }),
    );
    assert.deepEqual([tickets.length, ticket?.group, ticket?.account, ticket?.user], [1, group, bob.account, 'bob']);
    assert.equal((ticket?.expiresAtMs ?? 0) - nowMs, TICKET_MS);
    assert.deepEqual((await carol.call('tickets', {})).tickets, []);
  });

  it('says what it is doing', async () => {
    await team();
    const { accounts, groups, operations, partner, links, number } = tracker.status();
    assert.deepEqual(
      { accounts, groups, operations, partner, links, number },
      { accounts: 3, groups: 1, operations: 9, partner: 'none', links: 3, number: 1 },
    );
  });

  it('says goodbye to everybody when it stops', async () => {
    const alice = await join('alice');
    await realm.stop(tracker);
    assert.equal((await alice.connection.whenEnded).clean, true);
  });
});
