// How often members hear that presence has changed: soon, merged, and less often the more of them
// there are.
import assert from 'node:assert/strict';
import type { GroupId } from '../../../protocol/base/ids.ts';
import { PresenceNotifier } from '../../../tracker/server/presenceNotifier.ts';
import { ManualClock } from '../../support/simulation/manualClock.ts';

const TEAM = 'team' as GroupId;
const OTHER = 'other' as GroupId;

describe('news of presence', () => {
  /** Tells of changes at some times, in ms; when who heard of them. */
  const tellings = async (
    listeners: number,
    changes: readonly (readonly [atMs: number, group: GroupId])[],
    untilMs: number,
  ): Promise<readonly string[]> => {
    const clock = new ManualClock();
    const told: string[] = [];
    const presenceNotifier = new PresenceNotifier(
      clock,
      (group) => (told.push(`${clock.monotonicMs() - startMs} ${group}`), listeners),
    );
    const startMs = clock.monotonicMs();
    for (const [atMs, group] of changes) {
      await clock.advance(startMs + atMs - clock.monotonicMs());
      presenceNotifier.onChange(group);
    }
    await clock.advance(startMs + untilMs - clock.monotonicMs());
    presenceNotifier.stop();
    return told;
  };

  it('come a moment after a change, once for all that changed in it', async () =>
    assert.deepEqual(
      await tellings(
        2,
        [
          [0, TEAM],
          [10, TEAM],
          [20, OTHER],
        ],
        10_000,
      ),
      ['250 team', '270 other'],
    ));
  it('come again after a rest when something changed in it', async () =>
    assert.deepEqual(
      await tellings(
        2,
        [
          [0, TEAM],
          [300, TEAM],
          [900, TEAM],
        ],
        10_000,
      ),
      ['250 team', '1290 team'],
    ));
  it('rest longer the more listen', async () =>
    assert.deepEqual(
      await tellings(
        1000,
        [
          [0, TEAM],
          [300, TEAM],
        ],
        60_000,
      ),
      ['250 team', '21250 team'],
    ));
  it('do not come when nothing changes', async () => assert.deepEqual(await tellings(2, [], 60_000), []));
});
