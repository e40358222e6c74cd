// What a pair goes through in the years of its life, on simulated machines: what is final,
// snapshots, a partner that was away for long, a list of trackers that changes, newer rules; and
// what people are told of it.
import assert from 'node:assert/strict';
import type { GroupId, Origin } from '../../../protocol/base/ids.ts';
import { OPERATION_AGE_MS_MAX } from '../../../protocol/base/limits.ts';
import type { TrackerOptions } from '../../../tracker/server/server.ts';
import { emptyDisk, MemoryLog } from '../../support/simulation/memoryLog.ts';
import type { Number } from '../../support/simulation/simulatedPair.ts';
import { Pair } from '../../support/simulation/simulatedPair.ts';
import { simulate } from '../../support/simulation/simulatedWorld.ts';
import type { Simulation } from '../../support/simulation/simulatedWorld.ts';
import type { Client } from '../../support/testRealm.ts';
import { newId } from '../../support/testRealm.ts';

const BOTH = [1, 2] as const;
/** Almost nothing of a log is kept. */
const KEEP = { ms: 1_000, operations: 10, droppedMin: 10, everyMs: 2_000 };
/**
 * Operations of each side of a cut; what the two together may take until both have all, in ms of
 * simulated time.
 */
const DIVERGED = 5_000;
const CONVERGENCE_MS_MAX = 2_000;

describe('a pair that lives on', function () {
  this.timeout(120_000);
  const pair = (title: string, body: (it: Pair, sim: Simulation) => Promise<void>): void => {
    for (const seed of [1, 2]) {
      it(`${title} (seed ${seed})`, () => simulate(seed, async (sim) => body(await Pair.started(sim), sim)));
    }
  };
  const settled = (it: Pair, sim: Simulation): Promise<void> =>
    sim.until(() => BOTH.every((n) => it.tracker(n).status().unsettledOperations === 0));
  /** Starts both again as trackers that keep almost nothing of their logs. */
  const keepLittle = async (it: Pair): Promise<void> => {
    for (const n of BOTH) {
      await it.tracker(n).close();
      await it.start(n, { retention: KEEP });
    }
    await it.inState('paired');
  };
  const shares = async (who: Client, group: GroupId, from: number, count: number): Promise<void> => {
    for (let n = from; n < from + count; n++) await who.share(group, `file ${n}`, n + 1);
  };

  describe('knows what is final', () => {
    pair('when both have promised, and says so in its answers', async (it, sim) => {
      const alice = await it.person('alice', 1);
      const group = newId<GroupId>();
      const receipt = await alice.submit('createGroup', { group, name: 'team' });
      assert.deepEqual([receipt.durability, receipt.final], ['both', true]);
      await settled(it, sim);
      for (const n of BOTH) assert.ok(it.tracker(n).status().frontierMs > 0);
    });

    pair('and nothing while the two are apart, until they meet', async (it, sim) => {
      const alice = await it.person('alice', 1);
      await settled(it, sim);
      const { frontierMs } = it.tracker(1).status();
      sim.network.cut(it.machines[1], it.machines[2]);
      await it.inState('solo');
      const receipt = await alice.submit('createGroup', { group: newId<GroupId>(), name: 'team' });
      assert.deepEqual([receipt.durability, receipt.final], ['one', false]);
      await sim.advance(60_000);
      assert.deepEqual(
        [it.tracker(1).status().frontierMs, it.tracker(1).status().unsettledOperations],
        [frontierMs, 1],
      );
      sim.network.heal();
      await settled(it, sim);
      it.assertEqual();
    });

    pair('and says nothing more when there is nothing to say', async (it, sim) => {
      await it.person('alice', 1);
      await settled(it, sim);
      const before = it.disks[1].entries.length;
      await sim.advance(60_000);
      assert.deepEqual([it.disks[1].entries.length, it.tracker(1).status().unsettledOperations], [before, 0]);
    });
  });

  pair(
    'replaces what is final by a snapshot, goes on from it, and gives it to a tracker that has lost everything',
    async (it, sim) => {
      await keepLittle(it);
      const alice = await it.person('alice', 1);
      const group = await alice.createGroup('team');
      await shares(alice, group, 0, 40);
      await sim.until(() => it.disks[1].snapshot !== undefined && it.disks[2].snapshot !== undefined, 60_000);
      assert.ok(
        it.disks[1].entries.length < 25,
        `${it.disks[1].entries.length} of ${it.tracker(1).status().operations} are kept`,
      );
      await shares(alice, group, 40, 5);
      it.assertEqual();

      it.kill(1);
      await it.restart(1, { retention: KEEP });
      await it.inState('paired');
      it.assertEqual();

      it.kill(2);
      it.disks[2] = emptyDisk(it.machines[2].world.chance);
      let isBack = false;
      await it.restart(2, { retention: KEEP, lostLog: true, onLogRestored: () => (isBack = true) });
      await it.inState('paired');
      assert.ok(isBack);
      it.assertEqual();
      assert.equal(it.tracker(2).status().files, 45);
      await it.link(alice, 2);
      assert.equal((await alice.submit('leaveGroup', { group })).durability, 'both');
    },
  );

  pair(
    'takes an operation that comes in again long after a snapshot has taken its place for what it was',
    async (it, sim) => {
      await keepLittle(it);
      const alice = await it.person('alice', 1);
      const group = newId<GroupId>();
      const signed = alice.sign('createGroup', { group, name: 'team' });
      await alice.call('submit', { signed });
      await shares(alice, group, 0, 40);
      await sim.until(() => it.disks[1].snapshot !== undefined, 60_000);
      const again = await alice.call('submit', { signed });
      assert.deepEqual([again.durability, again.entry, again.final], ['both', undefined, true]);
      assert.equal(it.tracker(1).status().groups, 1);
    },
  );

  pair('takes nothing in that was asked for more than a week ago', async (it, sim) => {
    const alice = await it.person('alice', 1);
    sim.machine('alice').setClock(-OPERATION_AGE_MS_MAX - 60_000);
    const old = alice.sign('createGroup', { group: newId<GroupId>(), name: 'team' });
    await assert.rejects(alice.call('submit', { signed: old }), { code: 'expired' });
  });

  it(`is one again soon after ${2 * DIVERGED} operations apart`, () =>
    simulate(3, async (sim) => {
      const it = await Pair.started(sim);
      const [alice, bob] = [await it.person('alice', 1), await it.person('bob', 2)];
      const [a, b] = [await alice.createGroup('a'), await bob.createGroup('b')];
      await settled(it, sim);
      sim.network.cut(it.machines[1], it.machines[2]);
      await it.inState('solo');
      for (const [who, group, n] of [
        [alice, a, 1],
        [bob, b, 2],
      ] as const) {
        const { ledger } = it.tracker(n);
        const all = Array.from({ length: DIVERGED }, (_, i) =>
          who.sign('shareFile', {
            group,
            name: `file ${i}`,
            root: 'ab'.repeat(32) as never,
            sizeBytes: 1_000,
            pieceBytes: 16_384,
            sha256: 'ab'.repeat(32) as never,
            replace: false,
            content: 'file',
          }),
        );
        await Promise.all(all.map((signed) => ledger.ingest(signed, ledger.read(signed))));
      }
      sim.network.heal();
      await sim.until(() => BOTH.every((n) => it.tracker(n).status().partner !== 'solo'), 60_000);
      const since = sim.nowMs;
      await it.inState('paired');
      assert.ok(sim.nowMs - since <= CONVERGENCE_MS_MAX, `${sim.nowMs - since} ms`);
      it.assertEqual();
      for (const n of BOTH) assert.equal(it.tracker(n).status().files, 2 * DIVERGED);
    }));

  describe('tells people', () => {
    pair('whether it is whole', async (it, sim) => {
      const alice = await it.person('alice', 1);
      assert.equal((await alice.call('session', {})).pair, 'whole');
      it.kill(2);
      assert.equal((await alice.notice('pairChanged')).pair, 'apart');
      await it.restart(2);
      assert.equal((await alice.notice('pairChanged')).pair, 'whole');
      await sim.advance(5_000);
      assert.deepEqual(
        (await alice.heard()).filter((name) => name === 'pairChanged'),
        [],
        'once',
      );
    });

    pair('that a name of theirs is another one now: who took it, and who is in the group', async (it, sim) => {
      const [alice, bob] = [await it.person('alice', 1), await it.person('bob', 2)];
      sim.network.cut(it.machines[1], it.machines[2]);
      await it.inState('solo');
      await alice.createGroup('team');
      await sim.advance(100);
      const later = await bob.createGroup('team');
      sim.network.heal();
      const {
        conflicts: [told],
      } = await bob.notice('conflicted');
      assert.match(told?.name ?? '', /^team~[a-z2-7]{4}$/);
      assert.deepEqual(
        [told?.what, told?.result, told?.wanted, told?.group, told?.isMine],
        ['createGroup', 'renamed', 'team', told?.name, true],
      );
      assert.deepEqual(
        (await alice.heard()).filter((name) => name === 'conflicted'),
        [],
        'it is none of hers',
      );
      // Whoever was not there is told when they come, at either tracker.
      await it.inState('paired');
      for (const n of BOTH) {
        await it.link(bob, n);
        assert.equal((await bob.notice('conflicted')).conflicts[0]?.operation, told?.operation);
      }
      assert.deepEqual(
        (await bob.call('conflicts', {})).conflicts.map(({ operation }) => operation),
        [told?.operation],
      );
      await bob.submit('renameGroup', { group: later, name: 'crew' });
      it.assertEqual();
    });

    pair('that what they did had no effect in the end', async (it, sim) => {
      const [alice, bob] = [await it.person('alice', 1), await it.person('bob', 2)];
      const group = await alice.createGroup('team');
      await bob.enter(group, alice);
      await sim.until(() => it.tracker(2).ledger.state.groups.get(group)?.members.size === 2);
      sim.network.cut(it.machines[1], it.machines[2]);
      await it.inState('solo');
      await alice.submit('removeMember', { group, account: bob.account });
      await sim.advance(100);
      await bob.share(group, 'mine', 1);
      sim.network.heal();
      const {
        conflicts: [told],
      } = await bob.notice('conflicted');
      assert.deepEqual([told?.what, told?.result, told?.wanted], ['shareFile', 'notMember', 'mine']);
    });

    pair('nothing older at one tracker than they have seen at the other', async (it, sim) => {
      const alice = await it.person('alice', 1);
      const receipt = await alice.submit('createGroup', { group: newId<GroupId>(), name: 'team' });
      const at = [receipt.at ?? assert.fail('it has no place')];
      await it.link(alice, 2);
      assert.equal((await alice.call('catchUp', { seen: at })).stale, false);
      sim.network.cut(it.machines[1], it.machines[2]);
      await it.inState('solo');
      await it.link(alice, 1);
      const late = await alice.submit('createGroup', { group: newId<GroupId>(), name: 'other' });
      await it.link(alice, 2);
      const since = sim.nowMs;
      assert.equal((await alice.call('catchUp', { seen: [late.at ?? assert.fail()] })).stale, true);
      assert.ok(sim.nowMs - since >= 1_000 && sim.nowMs - since < 1_200, `${sim.nowMs - since} ms`);
    });
  });

  describe('lets a group be ended', () => {
    pair('only when both know', async (it, sim) => {
      const alice = await it.person('alice', 1);
      const group = await alice.createGroup('team');
      sim.network.cut(it.machines[1], it.machines[2]);
      await it.inState('solo');
      await assert.rejects(alice.submit('deleteGroup', { group }), { code: 'needBoth' });
      sim.network.heal();
      await it.inState('paired');
      assert.equal((await alice.submit('deleteGroup', { group })).durability, 'both');
      assert.equal((await alice.notice('groupGone')).why, 'deleted');
    });
  });

  describe('changes its list of trackers', () => {
    const shown = (it: Pair): readonly number[] => BOTH.map((n) => it.tracker(n).status().listVersion);

    pair('when one of the two is replaced: who is left learns of it from the new one itself', async (it, sim) => {
      const alice = await it.person('alice', 1);
      await alice.createGroup('team');
      it.kill(2);
      const machine = sim.machine('tracker-3');
      const { config, list } = it.realm.relist([1], { number: 2, address: { host: machine.host, port: 7070 } });
      const { world } = sim.machine('tracker-3 program', { identity: config(2).identity, on: machine });
      const kept: Buffer[] = [];
      const started: Partial<TrackerOptions> = {
        world,
        config: config(2),
        listen: { port: 7070 },
        opLog: new MemoryLog(emptyDisk(world.chance), world.clock, world.chance),
        lostLog: true,
      };
      await it.tracker(1).close();
      await it.start(1, { saveList: ({ descriptor }) => Promise.resolve(void kept.push(Buffer.from(descriptor))) });
      it.running[2] = await it.realm.start(2, started);
      await it.inState('paired');
      assert.deepEqual(shown(it), [2, 2]);
      assert.deepEqual(kept, [Buffer.from(list.descriptor)], 'and keeps it');
      it.assertEqual();
      // What the old one has signed still counts, and it itself is nobody any more.
      it.machines[2].start();
      const old = await it.realm.start(2, {
        world: it.machines[2].world,
        listen: { port: 7070 },
        opLog: new MemoryLog(it.disks[2], it.machines[2].world.clock, it.machines[2].world.chance),
      });
      await sim.until(() => old.status().partner === 'retired', 60_000);
      assert.deepEqual(
        BOTH.map((n) => it.tracker(n).status().partner),
        ['paired', 'paired'],
      );
    });

    pair('not for a stranger, who learns nothing', async (it, sim) => {
      const stranger = new Pair(sim, { name: 'stranger' });
      await stranger.start(2, { partnerAt: { host: it.machines[1].host, port: 7070 } });
      await sim.advance(10_000);
      assert.deepEqual([...shown(it), stranger.tracker(2).status().partner], [1, 1, 'solo']);
    });
  });

  pair('whose rules are newer than those of its partner stays apart from it, and says why', async (it, sim) => {
    const said: string[] = [];
    it.kill(2);
    const { ledger } = it.tracker(1);
    const newer = it.realm.config(1).identity;
    const alice = await it.person('alice', 1);
    const signed = alice.sign('setFoldVersion', { version: 2 }, { signer: newer });
    await ledger.restore(
      {
        ...signed,
        added: new Uint8Array(0),
        stamp: { ms: 0, counter: 0, origin: '0'.repeat(16) as Origin, seq: 1, seen: [], previous: new Uint8Array(32) },
      },
      ledger.read(signed),
    ); // as a newer tracker has
    it.machines[2].start();
    const { world } = it.machines[2];
    const log = {
      ...world.log,
      warn: (phrase: string, fields?: Readonly<Record<string, unknown>>) =>
        void said.push(`${phrase}: ${String(fields?.['why'])}`),
    };
    await it.start(2, { world: { ...world, log } });
    await sim.advance(10_000);
    assert.deepEqual(
      BOTH.map((n) => it.tracker(n).status().partner),
      ['solo', 'solo'],
    );
    assert.ok(
      said.some((line) => line.includes('newer rules (2, here 1); update this one')),
      said.join('\n'),
    );
  });

  pair('gives its partner what it has before it stops', async (it, sim) => {
    const alice = await it.person('alice', 1);
    // The last ones are not yet there when it is asked to stop.
    const last = Promise.allSettled(
      Array.from({ length: 30 }, (_, n) => alice.submit('createGroup', { group: newId<GroupId>(), name: `g${n}` })),
    );
    await sim.advance(3);
    await it.tracker(1).close();
    const answered = (await last).filter(({ status }) => status === 'fulfilled').length;
    await sim.until(() => it.tracker(2).status().partner === 'solo');
    assert.ok(it.tracker(2).status().groups >= answered, `${it.tracker(2).status().groups} of ${answered}`);
    assert.equal(it.disks[1].everything.length, it.disks[2].everything.length);
  });

  it('whose clock jumps is apart until it is right again', () =>
    simulate(4, async (sim) => {
      const it = await Pair.started(sim);
      it.machines[2].setClock(10 * 60_000);
      await it.inState('skew');
      const status = (n: Number): { ahead: number; behind: number } => ({
        ahead: it.tracker(n).status().clockAheadMs,
        behind: it.tracker(n).status().clockBehindMs,
      });
      assert.equal(it.tracker(1).status().durability, 'one');
      it.machines[2].setClock(3_000);
      await it.inState('paired');
      await sim.advance(15_000);
      assert.ok(
        Math.abs(status(1).ahead - 3_000) < 100 && Math.abs(status(2).behind - 3_000) < 100,
        JSON.stringify([status(1), status(2)]),
      );
    }));
});
