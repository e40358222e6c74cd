// Two trackers and what happens between them, on simulated machines: cut off, dead, empty, with a
// wrong clock, in another realm.
import assert from 'node:assert/strict';
import type { GroupId, Root } from '../../../protocol/base/ids.ts';
import { HEARTBEAT_MS, HEARTBEATS_MISSED_MAX, PARTNER_ACK_MS_MAX } from '../../../protocol/base/limits.ts';
import { decodeEntry, readOperation } from '../../../protocol/messages/operations.ts';
import { Conflicts } from '../../../tracker/pair/conflicts.ts';
import { emptyDisk } from '../../support/simulation/memoryLog.ts';
import { Pair } from '../../support/simulation/simulatedPair.ts';
import { simulate } from '../../support/simulation/simulatedWorld.ts';
import type { Simulation } from '../../support/simulation/simulatedWorld.ts';
import { Client, newId } from '../../support/testRealm.ts';

describe('a pair of trackers', function () {
  this.timeout(60_000);

  const pair = (title: string, body: (pair: Pair, sim: Simulation) => Promise<void>): void => {
    for (const seed of [1, 2]) {
      it(`${title} (seed ${seed})`, () => simulate(seed, async (sim) => body(await Pair.started(sim), sim)));
    }
  };

  pair('has on both disks what it answers', async (it) => {
    const alice = await it.person('alice', 1);
    const group = newId<GroupId>();
    assert.equal((await alice.submit('createGroup', { group, name: 'g' })).durability, 'both');
    for (const n of [1, 2] as const) assert.equal(it.disks[n].entries.length, 3);
    assert.equal((await it.person('bob', 2)).account.length, 32);
    it.assertEqual();
  });

  pair(
    'answers at once that one disk has it when the partner is known to be away, with the entry for the outbox',
    async (it, sim) => {
      const alice = await it.person('alice', 1);
      it.kill(2);
      await sim.until(() => it.tracker(1).status().partner === 'solo');
      const since = sim.nowMs;
      const { durability, entry } = await alice.submit('createGroup', { group: newId<GroupId>(), name: 'g' });
      assert.equal(durability, 'one');
      assert.equal(readOperation(decodeEntry(entry ?? new Uint8Array()).operation).name, 'createGroup');
      assert.ok(sim.nowMs - since < 100, `${sim.nowMs - since} ms`);
    },
  );

  pair('does not wait long for a partner that has fallen silent', async (it, sim) => {
    const alice = await it.person('alice', 1);
    sim.network.cut(it.machines[1], it.machines[2]);
    const since = sim.nowMs;
    assert.equal((await alice.submit('createGroup', { group: newId<GroupId>(), name: 'g' })).durability, 'one');
    assert.ok(sim.nowMs - since <= PARTNER_ACK_MS_MAX + 100, `${sim.nowMs - since} ms`);
  });

  pair('says "both" of an operation that is sent again when both have it', async (it, sim) => {
    const alice = await it.person('alice', 1);
    sim.network.cut(it.machines[1], it.machines[2]);
    const signed = alice.sign('createGroup', { group: newId<GroupId>(), name: 'g' });
    assert.equal((await alice.call('submit', { signed })).durability, 'one');
    sim.network.heal();
    await it.inState('paired');
    assert.equal((await alice.call('submit', { signed })).durability, 'both');
    await it.link(alice, 2);
    assert.equal((await alice.call('submit', { signed })).durability, 'both');
    assert.equal(it.disks[2].entries.length, 3);
  });

  pair('takes operations on both sides of a cut, and comes to the same when it heals', async (it, sim) => {
    const alice = await it.person('alice', 1);
    const bob = await it.person('bob', 2);
    const group = await alice.createGroup('team');
    const request = await bob.ask(group);
    await sim.until(() => it.tracker(1).ledger.state.groups.get(group)?.waiting.size === 1);
    sim.network.cut(it.machines[1], it.machines[2]);
    await it.inState('solo');
    await alice.submit('acceptRequest', { group, request });
    await bob.submit('cancelRequest', { group, request });
    await alice.createGroup('same-name');
    await bob.createGroup('same-name');
    for (let n = 0; n < 600; n++) await alice.share(group, `file ${n}`, n + 1);
    sim.network.heal();
    await it.inState('paired');
    it.assertEqual();
    const { state } = it.tracker(2).ledger;
    assert.deepEqual(
      [...(state.groups.get(group)?.members.keys() ?? [])],
      [alice.account],
      'whoever withdrew is not let in',
    );
    assert.deepEqual(
      [...state.groupNames].map(([, id]) => state.groups.get(id)?.name.replace(/~.*/, '~')),
      ['same-name', 'same-name~', 'team'],
    );
    const [one, two] = ([1, 2] as const).map((n) => new Conflicts(it.tracker(n).ledger).page(0));
    assert.deepEqual(one, two, 'both derive the same list');
    assert.deepEqual(
      one?.conflicts.map(({ what, result }) => `${what} ${result}`),
      ['createGroup renamed'],
    );
    assert.deepEqual([one?.count, new Conflicts(it.tracker(1).ledger).page(1).conflicts], [1, []]);
    assert.equal(state.groups.get(group)?.files.size, 600);
  });

  pair('tells each engine, by its own tracker, what happened at the other', async (it) => {
    const [alice, bob] = [await it.person('alice', 1), await it.person('bob', 2)];
    const group = await alice.createGroup('team');
    const request = await bob.ask(group);
    assert.equal(
      (await alice.notice('groupChanged', ({ requests }) => requests.length === 1)).requests[0]?.user,
      'bob',
    );
    await alice.submit('acceptRequest', { group, request });
    await bob.notice('groupChanged', ({ role }) => role === 'member');
    await alice.submit('removeMember', { group, account: bob.account });
    assert.equal((await bob.notice('groupGone')).why, 'removed');
    await bob.submit('signOut', { account: bob.account, device: bob.identity.pin });
    await bob.notice('signedOut');
  });

  pair('loses nothing that was acknowledged when one is killed again and again', async (it, sim) => {
    const alice = await it.person('alice', 1);
    const bob = await it.person('bob', 2);
    const acknowledged: string[] = [];
    let stop = false;
    const shares = async (who: Client, name: string): Promise<void> => {
      for (let n = 0; !stop; n++) {
        const group = newId<GroupId>();
        await who.submit('createGroup', { group, name: `${name}${n}` }).then(
          () => acknowledged.push(group),
          () => {},
        );
        if (!who.connection.isOpen) {
          await sim.until(() => it.running[1] !== undefined);
          await it.link(who, 1).catch(() => {});
        }
        if (n > 90) return;
      }
    };
    const working = Promise.all([shares(alice, 'a'), shares(bob, 'b')]);
    for (let kill = 0; kill < 3; kill++) {
      await sim.advance(40 + 100 * sim.chance.random());
      it.kill(1);
      await sim.advance(500 * sim.chance.random());
      await it.restart(1);
    }
    stop = true;
    await working;
    await it.inState('paired');
    it.assertEqual();
    assert.ok(acknowledged.length > 10, `${acknowledged.length}`);
    for (const group of acknowledged) assert.ok(it.tracker(1).ledger.state.groups.has(group as GroupId), group);
  });

  pair('gives a tracker that lost its log everything back, before that serves anybody', async (it, sim) => {
    const alice = await it.person('alice', 1);
    it.kill(2);
    it.kill(1);
    it.disks[1] = emptyDisk(it.machines[1].world.chance);
    let isBack = false;
    const one = await it.restart(1, { lostLog: true, onLogRestored: () => (isBack = true) });
    assert.equal(one.status().partner, 'joining');
    const refused = new Client(it.realm.realm, alice.identity, alice.world);
    await refused.connect(one.address);
    assert.match((await refused.connection.whenEnded).error?.message ?? '', /lost its log/);
    assert.equal(isBack, false);
    await it.restart(2);
    await it.inState('paired');
    assert.equal(isBack, true);
    it.assertEqual();
    await it.link(alice, 1);
    assert.equal((await alice.call('session', {})).account?.user, 'alice');
    await sim.advance(1_000);
  });

  pair(
    'takes back from its author what it has acknowledged and then lost with its disk, whatever stands there now',
    async (it, sim) => {
      const [alice, bob] = [await it.person('alice', 1), await it.person('bob', 2)];
      sim.network.cut(it.machines[1], it.machines[2]);
      await it.inState('solo');
      const group = newId<GroupId>();
      const { durability, entry, proof } = await alice.submit('createGroup', { group, name: 'same' });
      assert.ok(durability === 'one' && entry && proof);
      it.kill(1);
      it.disks[1] = emptyDisk(it.machines[1].world.chance);
      await bob.createGroup('SAME');
      await it.link(alice, 2);
      await assert.rejects(alice.submit('createGroup', { group: newId<GroupId>(), name: 'same' }), {
        code: 'nameTaken',
      });

      await assert.rejects(alice.call('restore', { entry, proof: { ...proof, tracker: alice.identity.pin } }), {
        code: 'badTicket',
      });
      await assert.rejects(
        alice.call('restore', {
          entry: Buffer.concat([entry.subarray(0, -1), Buffer.from([(entry.at(-1) ?? 0) ^ 1])]),
          proof,
        }),
        { code: 'badTicket' },
      );
      await assert.rejects(bob.call('restore', { entry, proof }), { code: 'badMessage' });
      assert.equal((await alice.call('restore', { entry, proof })).durability, 'one');
      assert.match(it.tracker(2).ledger.state.groups.get(group)?.name ?? '', /^same~....$/);

      sim.network.heal();
      await it.restart(1, { lostLog: true });
      await it.inState('paired');
      it.assertEqual();
      assert.equal((await alice.call('restore', { entry, proof })).durability, 'both', 'once is enough');
      assert.equal(it.disks[1].entries.length, it.disks[2].entries.length);
    },
  );

  pair('goes on under another origin after its log was restored from an older copy', async (it) => {
    const alice = await it.person('alice', 1);
    const older = it.disks[1].entries.slice();
    await alice.createGroup('later');
    const { origin } = it.tracker(1).status();
    it.kill(1);
    it.disks[1].entries = older;
    await it.restart(1);
    await it.inState('paired');
    assert.notEqual(it.tracker(1).status().origin, origin);
    await it.link(alice, 1);
    await alice.createGroup('last');
    it.assertEqual();
    assert.equal(it.tracker(2).status().groups, 2);
  });

  for (const [minutes, state] of [
    [4, 'paired'],
    [6, 'skew'],
  ] as const) {
    it(`is ${state} when the clocks are ${minutes} minutes apart`, () =>
      simulate(3, async (sim) => {
        const it = new Pair(sim, { skewMs: minutes * 60_000 });
        await it.start(1);
        await it.start(2);
        await sim.advance(10_000);
        assert.deepEqual(
          ([1, 2] as const).map((n) => it.tracker(n).status().partner),
          [state, state],
        );
      }));
  }

  it('says exactly that when its partner is in another realm', () =>
    simulate(4, async (sim) => {
      const [ours, theirs] = [new Pair(sim, { name: 'ours' }), new Pair(sim, { name: 'theirs' })];
      await theirs.start(1);
      const said: string[] = [];
      const { world } = ours.machines[2];
      const log = {
        ...world.log,
        warn: (phrase: string, fields?: Readonly<Record<string, unknown>>) =>
          void said.push(`${phrase}: ${String(fields?.['why'])}`),
      };
      await ours.start(2, { world: { ...world, log }, partnerAt: { host: theirs.machines[1].host, port: 7070 } });
      await sim.advance(60_000);
      assert.deepEqual(
        said,
        [
          `partner unreachable: the tracker at ${theirs.machines[1].host}:7070 belongs to another realm (${theirs.realm.realm.slice(0, 8)}) than expected (${ours.realm.realm.slice(0, 8)})`,
        ],
        'once, not at every try',
      );
    }));

  it('takes an engine whose link is silent for three heartbeats out of its swarms', () =>
    simulate(5, async (sim) => {
      const it = await Pair.started(sim);
      const [alice, bob] = [await it.person('alice', 1), await it.person('bob', 1)];
      const group = await alice.createGroup('team');
      await bob.enter(group, alice);
      const root = 'ab'.repeat(32) as Root;
      await bob.call('announce', { swarms: [{ group, root, leftBytes: 0, event: 'update' }] });
      await alice.call('announce', { swarms: [{ group, root, leftBytes: 1, event: 'update' }] });
      sim.network.cut(sim.machine('bob'), it.machines[1]);
      const since = sim.nowMs;
      assert.deepEqual((await alice.notice('swarmChanged', ({ left }) => left.length > 0)).left, [bob.identity.pin]);
      const heartbeats = (sim.nowMs - since) / HEARTBEAT_MS.tracker;
      assert.ok(
        heartbeats > HEARTBEATS_MISSED_MAX - 1 && heartbeats < HEARTBEATS_MISSED_MAX + 1.1,
        `after ${heartbeats} heartbeats`,
      );
    }));

  it('links nobody else as its partner', () =>
    simulate(6, async (sim) => {
      const it = await Pair.started(sim);
      const stranger = new Pair(sim, { name: 'stranger' });
      await stranger.start(2, { partnerAt: { host: it.machines[1].host, port: 7070 } });
      await sim.advance(5_000);
      assert.deepEqual([it.tracker(1).status().partner, stranger.tracker(2).status().partner], ['paired', 'solo']);
    }));
});
