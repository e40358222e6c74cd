// Who may link to a tracker, as what, and how often. On simulated machines, so that there can be
// thousands.
import assert from 'node:assert/strict';
import { Connection } from '../../../protocol/wire/connection.ts';
import { asShoalError } from '../../../protocol/base/errors.ts';
import { FrameLink } from '../../../protocol/wire/frame.ts';
import { greet } from '../../../protocol/wire/greeting.ts';
import type { Role } from '../../../protocol/wire/greeting.ts';
import type { Pin } from '../../../protocol/base/ids.ts';
import { HEARTBEAT_MS } from '../../../protocol/base/limits.ts';
import type { ReplyOf } from '../../../protocol/wire/table.ts';
import { operatorLink, partnerLink } from '../../../protocol/messages/partnerLink.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import type { World } from '../../../protocol/base/world.ts';
import type { Tracker } from '../../../tracker/server/server.ts';
import { emptyDisk, MemoryLog } from '../../support/simulation/memoryLog.ts';
import { simulate } from '../../support/simulation/simulatedWorld.ts';
import type { Simulation } from '../../support/simulation/simulatedWorld.ts';
import { TestRealm } from '../../support/testRealm.ts';

const LINKS_PER_HOST_MAX = 1_000;

describe('a tracker lets in', function () {
  this.timeout(60_000);

  const withTracker =
    (body: (at: { sim: Simulation; realm: TestRealm; tracker: Tracker; world: World }) => Promise<void>) =>
    (): Promise<void> =>
      simulate(1, async (sim) => {
        const realm = new TestRealm([{ host: sim.machine('tracker').host, port: 7070 }]);
        const { world } = sim.machine('program', { identity: realm.config(1).identity, on: sim.machine('tracker') });
        const tracker = await realm.start(1, {
          world,
          listen: { port: 7070 },
          opLog: new MemoryLog(emptyDisk(world.chance), world.clock, world.chance),
        });
        await body({ sim, realm, tracker, world });
      });
  const link = async (tracker: Tracker, { network, clock, chance }: World, role: Role): Promise<FrameLink> => {
    const frames = new FrameLink(await network.dial(tracker.address, { timeoutMs: 5_000 }));
    await greet(frames, { role, accepts: ['tracker'], program: 'test', clock, chance });
    return frames;
  };
  /** What a tracker says when it hangs up right after the greetings. */
  const whyNot = async (tracker: Tracker, world: World, role: Role): Promise<string | undefined> => {
    const none = (): never => assert.fail('not called');
    const connection = new Connection(await link(tracker, world, role), {
      table: partnerLink,
      side: 'tracker',
      handlers: { compare: none, append: none, snapshot: none },
      heartbeatMs: HEARTBEAT_MS.partner,
      clock: world.clock,
      log: silentLog,
    });
    if (role !== 'tracker') return (await connection.whenEnded).error?.code;
    const nothing = {
      realm: '00'.repeat(32) as Pin,
      foldVersion: 1,
      inEffect: 1,
      have: [],
      horizon: [],
      nowMs: 0,
      list: undefined,
    };
    return connection.call('compare', nothing).then(
      () => undefined,
      (error: unknown) => asShoalError(error).code,
    );
  };
  const askStatus = async (tracker: Tracker, world: World): Promise<ReplyOf<typeof operatorLink, 'status'>> => {
    const frames = await link(tracker, world, 'operator');
    return new Connection(frames, {
      table: operatorLink,
      side: 'operator',
      handlers: {},
      heartbeatMs: HEARTBEAT_MS.tracker,
      clock: world.clock,
      log: silentLog,
    }).call('status', {});
  };

  it(
    'its operator, who has its own key',
    withTracker(async ({ tracker, world }) => {
      const { number, partner, stateHash } = await askStatus(tracker, world);
      assert.deepEqual([number, partner, stateHash.length], [1, 'none', 32]);
    }),
  );
  it(
    'nobody else as operator',
    withTracker(async ({ sim, tracker }) => {
      await assert.rejects(askStatus(tracker, sim.machine('x').world), { code: 'pinMismatch' });
    }),
  );
  it(
    'nobody as partner where there is none',
    withTracker(async ({ sim, tracker }) => {
      assert.equal(await whyNot(tracker, sim.machine('x').world, 'tracker'), 'pinMismatch');
    }),
  );
  it(
    'no peer or window that has the wrong address',
    withTracker(async ({ sim, tracker }) => {
      for (const role of ['peer', 'frontend'] as const) {
        assert.equal(await whyNot(tracker, sim.machine('x').world, role), 'wrongRole');
      }
    }),
  );
  it(
    'a thousand links from one address, and others all the same',
    withTracker(async ({ sim, tracker }) => {
      const { world } = sim.machine('office');
      const links = [];
      for (let n = 0; n < LINKS_PER_HOST_MAX; n++) links.push(await link(tracker, world, 'engine'));
      await assert.rejects(link(tracker, world, 'engine'));
      await link(tracker, sim.machine('elsewhere').world, 'engine');
      links[0]?.stream.destroy();
      await sim.advance(100);
      await link(tracker, world, 'engine');
    }),
  );
  it(
    'somebody after a thousand that only knocked',
    withTracker(async ({ sim, tracker }) => {
      const { world } = sim.machine('scanner');
      for (let n = 0; n < LINKS_PER_HOST_MAX + 10; n++) {
        (await world.network.dial(tracker.address, { timeoutMs: 5_000 })).destroy();
      }
      await sim.advance(100);
      await link(tracker, world, 'engine');
    }),
  );
});
