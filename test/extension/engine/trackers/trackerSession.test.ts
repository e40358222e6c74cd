// The link to one tracker, against a tracker that says what it should not. On simulated machines.
import assert from 'node:assert/strict';
import { TrackerSession } from '../../../../extension/engine/trackers/trackerSession.ts';
import type { TrackerSessionContext } from '../../../../extension/engine/trackers/trackerSession.ts';
import { Connection } from '../../../../protocol/wire/connection.ts';
import { overview } from '../../../../protocol/messages/engineLink.ts';
import { FrameLink } from '../../../../protocol/wire/frame.ts';
import { greet } from '../../../../protocol/wire/greeting.ts';
import type { AccountId, GroupId } from '../../../../protocol/base/ids.ts';
import { GROUPS_PER_ACCOUNT_MAX, HEARTBEAT_MS } from '../../../../protocol/base/limits.ts';
import { encode } from '../../../../protocol/base/schema.ts';
import type { HandlersOf } from '../../../../protocol/wire/table.ts';
import { trackerLink } from '../../../../protocol/messages/trackerLink.ts';
import { silentLog } from '../../../../protocol/base/world.ts';
import type { ByteStream, World } from '../../../../protocol/base/world.ts';
import { aGroup, anOverview } from '../../../support/fakes/fakeEngine.ts';
import { simulate } from '../../../support/simulation/simulatedWorld.ts';

type Tracker = Connection<typeof trackerLink, 'tracker'>;

/** A tracker that knows everybody and nothing else. */
async function serve({ clock, chance }: World, stream: ByteStream): Promise<Tracker> {
  const frames = new FrameLink(stream);
  await greet(frames, { role: 'tracker', accepts: ['engine'], program: 'test', clock, chance });
  const handlers: Partial<HandlersOf<typeof trackerLink, 'tracker'>> = {
    descriptor: () => ({ descriptor: new Uint8Array(0), signature: new Uint8Array(0), nowMs: 0 }),
    session: () => ({
      account: { account: '00'.repeat(16) as AccountId, user: 'alice' },
      groups: [],
      pair: 'alone' as const,
      nowMs: 0,
    }),
    listening: () => ({ seen: { host: 'alice', port: 1 } }),
  };
  return new Connection(frames, {
    table: trackerLink,
    side: 'tracker',
    handlers: handlers as HandlersOf<typeof trackerLink, 'tracker'>,
    heartbeatMs: HEARTBEAT_MS.tracker,
    clock,
    log: silentLog,
  });
}

const group = (n: number, fields: Parameters<typeof aGroup>[0] = {}): ReturnType<typeof aGroup> =>
  aGroup({ group: n.toString(16).padStart(32, '0') as GroupId, name: `g${n}`, requests: [], ...fields });

describe('a session with a tracker', () => {
  it('keeps as many groups as frontends can be told of, and says once that there are more', () =>
    simulate(1, async (sim) => {
      const [alice, bob] = [sim.machine('alice'), sim.machine('tracker')];
      const warnings: string[] = [];
      const told: string[] = [];
      let tracker: Tracker | undefined;
      const { port } = await bob.world.network.listen(
        { port: 0 },
        (stream) => void serve(bob.world, stream).then((link) => (tracker = link)),
      );
      const context: TrackerSessionContext = {
        world: { ...alice.world, log: { ...silentLog, warn: (phrase) => void warnings.push(phrase) } },
        program: 'test',
        expectedPin: () => undefined,
        checkRealm: () => Promise.resolve(),
        listening: () => [],
        presence: () => new Map(),
        onChange() {},
        onSession() {},
        onSwarms() {},
        onSwarmChanged() {},
        onPresenceChanged() {},
        onGroupGone() {},
        onRevoked() {},
        onDialRequest() {},
        onSignedOut() {},
        onConflicts() {},
        onGroupChanged: (_, { name }) => void told.push(name),
      };
      const session = new TrackerSession({ host: 'tracker', port }, context);
      await sim.until(() => session.isUp);
      const hears = async (...groups: readonly ReturnType<typeof aGroup>[]): Promise<void> => {
        for (const one of groups) tracker?.notify('groupChanged', one);
        await sim.advance(1_000);
      };

      await hears(...Array.from({ length: 300 }, (_, n) => group(n)));
      assert.deepEqual(
        [session.groups.size, told.length, warnings],
        [GROUPS_PER_ACCOUNT_MAX, GROUPS_PER_ACCOUNT_MAX, ['a tracker tells of too many groups']],
      );
      encode(overview, anOverview({ groups: [...session.groups.values()] }));

      await hears(group(7, { members: 99 }));
      assert.equal(session.groups.get(group(7).group)?.members, 99, 'those that are known still change');
      tracker?.notify('groupGone', { group: group(7).group, name: 'g7', why: 'left' });
      await hears(group(1000));
      assert.deepEqual([session.groups.size, told.at(-1)], [GROUPS_PER_ACCOUNT_MAX, 'g1000'], 'there is room again');
      session.stop();
    }));
});
