// Engines whose trackers die, fall silent, or part from each other, on a virtual clock: how long
// anybody waits, and what they are told.
import assert from 'node:assert/strict';
import type { EngineEvent } from '../../extension/engine/engineApi.ts';
import { simulate } from '../support/simulation/simulatedWorld.ts';
import type { Simulation } from '../support/simulation/simulatedWorld.ts';
import type { Person } from './town.ts';
import { Town } from './town.ts';

const NO_CALL = { signal: new AbortController().signal };
/** How long an engine may take to notice, in ms: a link that is closed, and one that is silent. */
const CLOSED_MS_MAX = 1_000;
const SILENT_MS_MAX = 12_000;

describe('an engine whose tracker', function () {
  this.timeout(60_000);
  const story = (title: string, body: (sim: Simulation, town: Town) => Promise<void>): void => {
    for (const seed of [1, 2, 3]) {
      it(`${title} (seed ${seed})`, () => simulate(seed, async (sim) => body(sim, await Town.build(sim))));
    }
  };
  const inUse = (person: Person): number => person.engine.overview().trackers.findIndex((tracker) => tracker.inUse);
  const create = (person: Person, group: string): Promise<unknown> =>
    Promise.resolve(person.engine.handlers.createGroup({ group }, NO_CALL));
  const machineOf = (town: Town, n: number) => town.trackers[n]?.machine ?? assert.fail(`no tracker ${n}`);
  const apart = (sim: Simulation, town: Town): Promise<void> => {
    sim.network.cut(machineOf(town, 0), machineOf(town, 1));
    return sim.until(() => town.trackers.every(({ running }) => running.status().partner === 'solo'));
  };

  story('is killed asks the other one within a second', async (sim, town) => {
    const alice = await town.person('alice');
    await create(alice, 'one');
    const dead = inUse(alice);
    town.killTracker(dead);
    const since = sim.nowMs;
    await create(alice, 'two');
    // 1.5 s of it the other tracker waits for its partner
    assert.ok(sim.nowMs - since <= CLOSED_MS_MAX + 1_500, `${sim.nowMs - since} ms`);
    assert.equal(inUse(alice), 1 - dead);
    const again = sim.nowMs;
    await create(alice, 'three');
    assert.ok(sim.nowMs - again <= CLOSED_MS_MAX, `${sim.nowMs - again} ms`);
    assert.deepEqual(
      alice.engine
        .overview()
        .groups.map(({ name }) => name)
        .sort(),
      ['one', 'three', 'two'],
    );
    const { groups } = await Promise.resolve(alice.engine.handlers.listGroups({ after: '' }, NO_CALL));
    assert.deepEqual(
      groups.map(({ name }) => name).sort(),
      ['one', 'three', 'two'],
      'nothing older than what was seen',
    );
  });

  story('falls silent asks the other one within twelve seconds, and stays with that', async (sim, town) => {
    const alice = await town.person('alice');
    await create(alice, 'one');
    const silent = inUse(alice);
    sim.network.cut(alice.machine, machineOf(town, silent));
    const since = sim.nowMs;
    await create(alice, 'two');
    assert.ok(sim.nowMs - since <= SILENT_MS_MAX, `${sim.nowMs - since} ms`);
    assert.equal(inUse(alice), 1 - silent);
    sim.network.heal();
    await sim.until(() => alice.engine.overview().trackers.every(({ link }) => link === 'up'), 60_000);
    await create(alice, 'three');
    assert.equal(inUse(alice), 1 - silent, 'nobody goes back without need');
  });

  story('parts from the other one is told so, and that what was done is on one disk', async (sim, town) => {
    const alice = await town.person('alice');
    const pairOf = (): unknown => alice.engine.overview().trackers[inUse(alice)]?.pair;
    await create(alice, 'one');
    assert.deepEqual([pairOf(), alice.engine.overview().outbox], ['whole', 0]);
    await apart(sim, town);
    await sim.until(() => pairOf() === 'apart');
    await create(alice, 'two');
    assert.equal(alice.engine.overview().outbox, 1);
    await assert.rejects(Promise.resolve(alice.engine.handlers.deleteGroup({ group: 'two' }, NO_CALL)), {
      code: 'needBoth',
    });
    sim.network.heal();
    await sim.until(() => pairOf() === 'whole' && alice.engine.overview().outbox === 0, 120_000);
    await alice.engine.handlers.deleteGroup({ group: 'two' }, NO_CALL);
    assert.deepEqual(
      alice.engine.overview().groups.map(({ name }) => name),
      ['one'],
    );
  });

  story('has to say that a name is another one now says it once, also after a restart', async (sim, town) => {
    const [alice, bob] = [await town.person('alice'), await town.person('bob')];
    const events: EngineEvent[] = [];
    const listen = (): void => void bob.engine.onEvent((event) => events.push(event));
    listen();
    await create(alice, 'hers');
    await create(bob, 'his');
    // Each has another tracker.
    const [hers, his] = [inUse(alice), 1 - inUse(alice)];
    sim.network.cut(bob.machine, machineOf(town, hers));
    await sim.until(() => inUse(bob) === his, 60_000);
    await apart(sim, town);
    await create(alice, 'team');
    await sim.advance(1_000);
    await create(bob, 'team');
    sim.network.heal();
    await sim.until(() => events.some(({ what }) => what === 'renamed'), 60_000);
    await sim.until(() => bob.engine.overview().trackers.every(({ link }) => link === 'up'), 60_000);
    assert.deepEqual(
      events.map(({ what, conflict }) => `${what} ${conflict?.wanted}`),
      ['renamed team'],
      'by both trackers, and once',
    );
    await bob.engine.close();
    await bob.start();
    listen();
    await sim.until(() => bob.engine.overview().trackers.every(({ link }) => link === 'up'), 60_000);
    await sim.advance(5_000);
    assert.equal(events.length, 1);
    const renamed =
      bob.engine.overview().groups.find(({ name }) => name.startsWith('team~'))?.name ?? assert.fail('not renamed');
    await bob.engine.handlers.renameGroup({ group: renamed, to: 'crew' }, NO_CALL);
    await sim.until(() => bob.engine.overview().groups.some(({ name }) => name === 'crew'));
    const { conflicts } = await Promise.resolve(bob.engine.handlers.listConflicts({}, NO_CALL));
    assert.deepEqual(
      conflicts.map(({ what, result }) => `${what} ${result}`),
      ['createGroup renamed'],
    );
  });

  story('gives its group away', async (sim, town) => {
    const [alice, bob] = [await town.person('alice'), await town.person('bob')];
    await town.group(alice, bob);
    const { name = '' } = alice.engine.overview().groups[0] ?? {};
    await alice.engine.handlers.transferGroup({ group: name, user: 'BOB' }, NO_CALL);
    await sim.until(
      () => bob.engine.overview().groups[0]?.role === 'owner' && alice.engine.overview().groups[0]?.role === 'member',
    );
    await assert.rejects(Promise.resolve(alice.engine.handlers.renameGroup({ group: name, to: 'mine' }, NO_CALL)), {
      code: 'notOwner',
    });
    await assert.rejects(Promise.resolve(bob.engine.handlers.transferGroup({ group: name, user: 'carol' }, NO_CALL)), {
      code: 'unknownUser',
    });
    await assert.rejects(Promise.resolve(bob.engine.handlers.renameAccount({ to: 'robert' }, NO_CALL)), {
      code: 'nameKept',
    });
  });
});
