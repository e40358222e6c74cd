// Presence by itself: who is chosen, who is told, and which addresses go to whom. A clock that
// stands still, chance with a seed.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AccountId, GroupId, Pin, Root } from '../../../protocol/base/ids.ts';
import { peerFor, Swarms } from '../../../tracker/server/swarms.ts';
import type { PresentPeer } from '../../../tracker/server/swarms.ts';
import { ManualClock } from '../../support/simulation/manualClock.ts';
import { SeededChance } from '../../support/simulation/seededChance.ts';

const KEY = { group: 'aa'.repeat(16) as GroupId, root: 'bb'.repeat(32) as Root };

interface Listener extends PresentPeer {
  readonly heard: { joined: string[]; left: string[] }[];
}
const present = (user: string, host = '10.0.0.1', addresses: PresentPeer['addresses'] = []): Listener => {
  const heard: Listener['heard'] = [];
  return {
    pin: user as Pin,
    account: user as AccountId,
    user,
    host,
    addresses,
    heard,
    notify: ({ joined, left }) => void heard.push({ joined: joined.map((peer) => peer.user), left: [...left] }),
  };
};

describe('swarms', () => {
  let clock: ManualClock;
  let swarms: Swarms;
  beforeEach(() => {
    clock = new ManualClock();
    swarms = new Swarms(clock, new SeededChance(1));
  });
  const crowd = (name: string, count: number, leftBytes: number): Listener[] =>
    Array.from({ length: count }, (_, n) => {
      const one = present(`${name}${n}`);
      swarms.update(one, KEY, leftBytes);
      return one;
    });
  const names = (who: PresentPeer, max?: number): string[] => swarms.others(who, KEY, max).map(({ user }) => user);

  it('tells downloaders, once for all that happened within a moment', async () => {
    const [leecher, seeder] = [present('leecher'), present('seeder')];
    swarms.update(leecher, KEY, 5);
    swarms.update(seeder, KEY, 0);
    swarms.update(present('a'), KEY, 0);
    assert.deepEqual(leecher.heard, []);
    await clock.advance(100);
    assert.deepEqual([leecher.heard, seeder.heard], [[{ joined: ['seeder', 'a'], left: [] }], []]);
    swarms.update(leecher, KEY, 3);
    await clock.advance(1_000);
    assert.equal(leecher.heard.length, 1, 'progress is no news');
  });
  it('does not call gone who came back within that moment', async () => {
    const [leecher, other] = [present('leecher'), present('other')];
    swarms.update(leecher, KEY, 5);
    swarms.update(other, KEY, 0);
    await clock.advance(100);
    swarms.remove(other, KEY);
    swarms.update(other, KEY, 0);
    await clock.advance(100);
    assert.deepEqual(leecher.heard.at(-1), { joined: ['other'], left: [] });
  });
  it('tells of many in several messages', async () => {
    const leecher = present('leecher');
    swarms.update(leecher, KEY, 5);
    const all = crowd('s', 120, 0);
    await clock.advance(1_000);
    assert.deepEqual(
      leecher.heard.map(({ joined }) => joined.length),
      [49, 50, 21],
    );
    for (const one of all) swarms.removeAll(one);
    await clock.advance(1_000);
    assert.deepEqual(
      leecher.heard.slice(3).map(({ left }) => left.length),
      [50, 50, 20],
    );
  });
  it('tells a bounded number in a large swarm, and each newcomer some', async () => {
    const leechers = crowd('l', 1_000, 5);
    await clock.advance(10_000);
    const before = leechers.reduce((sum, { heard }) => sum + heard.length, 0);
    crowd('s', 1, 0);
    await clock.advance(1_000);
    assert.equal(leechers.reduce((sum, { heard }) => sum + heard.length, 0) - before, 64);
    assert.equal(names(present('new')).length, 50);
  });
  it('gives half of the choice to those who have all, as far as there are any', () => {
    const [me] = crowd('l', 100, 5) as [Listener];
    const seedersOf = (list: readonly string[]): number => list.filter((name) => name.startsWith('s')).length;
    crowd('s', 3, 0);
    assert.deepEqual([names(me).length, seedersOf(names(me))], [50, 3]);
    crowd('s2', 100, 0);
    assert.deepEqual([names(me).length, seedersOf(names(me))], [50, 25]);
    assert.equal(new Set(names(me)).size, 50);
    assert.ok(!names(me, 150).includes(me.user), 'nobody is given themselves');
  });
  it('gives everybody when there are few', () => {
    const [me] = crowd('l', 3, 5) as [Listener];
    crowd('s', 2, 0);
    assert.deepEqual(names(me).sort(), ['l1', 'l2', 's0', 's1']);
    assert.deepEqual(names(present('outside')).length, 5);
    assert.deepEqual(swarms.counts(KEY), { seeders: 2, leechers: 3 });
  });
  it('gives others to who comes and lacks something, and again after a minute', async () => {
    const one = present('one');
    assert.deepEqual(
      [0, 9, 8].map((leftBytes) => swarms.update(one, KEY, leftBytes)),
      [false, true, false],
    );
    await clock.advance(59_999);
    assert.equal(swarms.update(one, KEY, 7), false);
    await clock.advance(1);
    assert.deepEqual(
      [6, 5, 0].map((leftBytes) => swarms.update(one, KEY, leftBytes)),
      [true, false, false],
    );
  });
  it('forgets an engine that is gone, and a group that it left', () => {
    const one = present('one');
    swarms.update(one, KEY, 1);
    swarms.update(one, { ...KEY, group: 'cc'.repeat(16) as GroupId }, 0);
    assert.deepEqual([swarms.presences, swarms.countOf(one)], [2, 2]);
    swarms.removeAll(one, KEY.group);
    assert.deepEqual([swarms.presences, swarms.counts(KEY)], [1, { seeders: 0, leechers: 0 }]);
    swarms.removeAll(one);
    assert.deepEqual([swarms.presences, swarms.countOf(one)], [0, 0]);
  });

  describe('addresses', () => {
    const at = (host: string, port = 4000): { host: string; port: number } => ({ host, port });
    const rows: readonly (readonly [string, string, string, readonly string[], readonly string[]])[] = [
      // what · asker's host · peer's host · what the peer reports · what the asker gets
      [
        'the one that the tracker sees comes with the reported port',
        '10.0.0.9',
        '203.0.113.5',
        ['192.168.1.2'],
        ['203.0.113.5:4000', '192.168.1.2:4000'],
      ],
      [
        'loopback is for those who are on this machine',
        '127.0.0.1',
        '127.0.0.1',
        ['127.0.0.1', '192.168.1.2'],
        ['127.0.0.1:4000', '192.168.1.2:4000'],
      ],
      [
        'loopback comes first there',
        '::1',
        '127.0.0.1',
        ['192.168.1.2', '127.0.0.1'],
        ['127.0.0.1:4000', '192.168.1.2:4000'],
      ],
      [
        'loopback is for nobody else',
        '10.0.0.9',
        '127.0.0.1',
        ['127.0.0.1', '::1', '192.168.1.2'],
        ['192.168.1.2:4000'],
      ],
      ['a remote peer’s loopback is not ours', '127.0.0.1', '10.0.0.8', ['127.0.0.1'], ['10.0.0.8:4000']],
      ['no address twice', '10.0.0.9', '10.0.0.8', ['10.0.0.8'], ['10.0.0.8:4000']],
      ['who listens nowhere has none', '10.0.0.9', '10.0.0.8', [], []],
    ];
    for (const [what, asker, peer, reported, given] of rows) {
      it(what, () =>
        assert.deepEqual(
          peerFor(
            { host: asker },
            present(
              'p',
              peer,
              reported.map((host) => at(host)),
            ),
            0,
          ).addresses.map(({ host, port }) => `${host}:${port}`),
          given,
        ),
      );
    }
  });

  it('knows who is in which swarm with what, whatever happens', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: 20 }), fc.constantFrom('seeds', 'lacks', 'goes', 'goes from all')),
        ),
        fc.nat({ max: 25 }),
        (steps, max) => {
          const all = Array.from({ length: 21 }, (_, n) => present(`p${n}`));
          const [asker] = all as [Listener];
          const keys = [KEY, { ...KEY, root: 'cc'.repeat(32) as Root }];
          const here = keys.map(() => new Map<string, number>());
          for (const [m, n, what] of steps) {
            const [key, who] = [keys[m] ?? KEY, all[n] ?? asker];
            const leftBytes = what === 'seeds' ? 0 : n + 1;
            if (what === 'goes') swarms.remove(who, key);
            else if (what === 'goes from all') swarms.removeAll(who, KEY.group);
            else swarms.update(who, key, leftBytes);
            for (const [other, model] of here.entries()) {
              if (what === 'goes from all' || (what === 'goes' && other === m)) model.delete(who.user);
              else if (what !== 'goes' && other === m) model.set(who.user, leftBytes);
            }
            for (const [other, model] of here.entries()) {
              const at = keys[other] ?? KEY;
              const seeders = [...model.values()].filter((left) => left === 0).length;
              assert.deepEqual(swarms.counts(at), { seeders, leechers: model.size - seeders });
              const others = swarms.others(asker, at, max);
              assert.equal(new Set(others.map(({ user }) => user)).size, others.length);
              assert.ok(others.every(({ user, leftBytes: left }) => user !== asker.user && model.get(user) === left));
              assert.ok(others.length >= Math.min(max, model.size) - 1, `${others.length} of ${model.size}`);
            }
            assert.equal(
              swarms.presences,
              here.reduce((sum, model) => sum + model.size, 0),
            );
          }
          for (const who of all) swarms.removeAll(who);
          assert.equal(swarms.presences, 0);
        },
      ),
    ));
});
