// What a frontend knows of an engine: the answer to `watch` and the changes around it, in any order
// in which they may come.
import assert from 'node:assert/strict';
import { ShoalError } from '../../../protocol/base/errors.ts';
import { EngineMirror } from '../../../protocol/frontend/engineMirror.ts';
import type { MirrorChange } from '../../../protocol/frontend/engineMirror.ts';
import type { Overview, Transfer } from '../../../protocol/messages/engineLink.ts';
import { anOverview, aTransfer } from '../../support/fakes/fakeEngine.ts';

type Start = Parameters<EngineMirror['start']>[0];
type Link = Parameters<EngineMirror['until']>[0];

/** A link whose answer to `watch` comes together with what `behind` tells the mirror. */
function linkWith(transfers: readonly Transfer[], behind: () => void = () => {}, more = false): Start {
  const call = async (): Promise<{ overview: Overview; transfers: readonly Transfer[]; more: boolean }> => {
    const answer = { overview: anOverview({ processId: 1 }), transfers, more };
    behind(); // handled before the caller runs on, as notices are that arrive in the same moment
    return answer;
  };
  return { call } as unknown as Start;
}

/** A link that a test ends. */
function endingLink(): { readonly link: Link; readonly end: () => void } {
  const ended = Promise.withResolvers<{ clean: boolean }>();
  const link = { isOpen: true, whenEnded: ended.promise };
  return {
    link,
    end: () => {
      link.isOpen = false;
      ended.resolve({ clean: true });
    },
  };
}

const statesOf = (mirror: EngineMirror): Record<number, Transfer['state']> =>
  Object.fromEntries([...mirror.transfers].map(([id, { state }]) => [id, state]));

describe('the mirror of an engine', () => {
  let mirror: EngineMirror;
  let changes: MirrorChange['is'][];
  beforeEach(() => {
    mirror = new EngineMirror();
    changes = [];
    mirror.onChange(({ is }) => changes.push(is));
  });
  const change = (changed: readonly Transfer[], gone: readonly number[] = []): void =>
    mirror.handlers.transfersChanged({ changed: [...changed], gone: [...gone] });

  it('has nothing before it watches', () => {
    assert.throws(() => mirror.overview, /not watching yet/);
    assert.equal(mirror.transfers.size, 0);
  });

  it('takes the answer, and tells nobody of it', async () => {
    assert.equal(await mirror.start(linkWith([aTransfer({ id: 1 })])), false);
    assert.deepEqual([mirror.overview.processId, statesOf(mirror), changes], [1, { 1: 'downloading' }, []]);
  });

  it('says that the answer is not all', async () => {
    assert.equal(await mirror.start(linkWith([], undefined, true)), true);
  });

  it('holds what came right behind the answer for newer than it', async () => {
    await mirror.start(
      linkWith([aTransfer({ id: 1 }), aTransfer({ id: 2 }), aTransfer({ id: 3 })], () => {
        mirror.handlers.overviewChanged(anOverview({ processId: 2 }));
        change([aTransfer({ id: 1, state: 'seeding' })], [2]);
      }),
    );
    assert.deepEqual([mirror.overview.processId, statesOf(mirror)], [2, { 1: 'seeding', 3: 'downloading' }]);
    assert.deepEqual([mirror.isGone(2), mirror.isGone(3)], [true, false]);
  });

  it('follows changes, and says what was before', async () => {
    await mirror.start(linkWith([aTransfer({ id: 1 })]));
    const seen: (readonly [number, Transfer['state'] | undefined])[] = [];
    mirror.onChange((made) => {
      if (made.is === 'transfers') for (const { id } of made.changed) seen.push([id, made.before.get(id)?.state]);
    });
    change([aTransfer({ id: 1, state: 'seeding' }), aTransfer({ id: 2 })]);
    change([], [1]);
    mirror.handlers.overviewChanged(anOverview({ processId: 7 }));
    assert.deepEqual(seen, [
      [1, 'downloading'],
      [2, undefined],
    ]);
    assert.deepEqual([statesOf(mirror), mirror.overview.processId], [{ 2: 'downloading' }, 7]);
    assert.deepEqual(changes, ['transfers', 'transfers', 'overview']);
  });

  it('leaves a map of transfers that somebody holds as it is', async () => {
    await mirror.start(linkWith([aTransfer({ id: 1 })]));
    const held = mirror.transfers;
    change([aTransfer({ id: 2 })], [1]);
    assert.deepEqual([[...held.keys()], [...mirror.transfers.keys()]], [[1], [2]]);
  });

  it('knows nothing of the engine before when it was reset', async () => {
    await mirror.start(linkWith([aTransfer({ id: 1 })]));
    mirror.handlers.overviewChanged(anOverview({ processId: 2 }));
    change([], [1]);
    mirror.reset();
    await mirror.start(linkWith([aTransfer({ id: 1 })]));
    assert.deepEqual([mirror.overview.processId, statesOf(mirror), mirror.isGone(1)], [1, { 1: 'downloading' }, false]);
  });

  it('finds a transfer by its names as people write them, of several the newest', async () => {
    const transfers = [aTransfer({ id: 1 }), aTransfer({ id: 2 }), aTransfer({ id: 3, name: 'other.sql' })];
    await mirror.start(linkWith(transfers));
    assert.deepEqual([mirror.find('TEAM', 'dump.sql')?.id, mirror.find('team', 'none')], [2, undefined]);
  });

  it('hands on what is said to the person, until nobody listens', () => {
    const heard: string[] = [];
    const stop = mirror.onEvent(({ what }) => heard.push(what));
    const event = { what: 'accepted', group: 'team', user: '', name: '', id: 1, conflict: undefined } as const;
    mirror.handlers.event(event);
    stop();
    mirror.handlers.event(event);
    assert.deepEqual(heard, ['accepted']);
  });

  describe('waiting for something', () => {
    const isSeeding = (): Transfer | undefined =>
      [...mirror.transfers.values()].find(({ state }) => state === 'seeding');

    it('ends at once when it is there', async () => {
      change([aTransfer({ id: 4, state: 'seeding' })]);
      assert.equal((await mirror.until(endingLink().link, isSeeding)).id, 4);
    });

    it('ends with the change that brings it, and looks no more then', async () => {
      let looks = 0;
      const { link, end } = endingLink();
      const found = mirror.until(link, () => (looks++, isSeeding()));
      change([aTransfer({ id: 1 })]);
      change([aTransfer({ id: 1, state: 'seeding' })]);
      change([aTransfer({ id: 1, state: 'paused' })]);
      assert.equal((await found).id, 1);
      end();
      await Promise.resolve();
      assert.equal(looks, 3);
    });

    it('fails when the engine ends', async () => {
      const { link, end } = endingLink();
      const found = mirror.until(link, isSeeding);
      end();
      await assert.rejects(found, { code: 'linkClosed' });
    });

    it('fails when the person gives up', async () => {
      const stop = new AbortController();
      const found = mirror.until(endingLink().link, isSeeding, stop.signal);
      stop.abort();
      await assert.rejects(found, { code: 'cancelled' });
    });

    it('fails as what is looked for does', async () => {
      const fail = (): never => {
        throw new ShoalError('notSignedIn');
      };
      await assert.rejects(mirror.until(endingLink().link, fail), { code: 'notSignedIn' });
    });
  });
});
