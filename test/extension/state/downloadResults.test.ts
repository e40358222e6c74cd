// What becomes of downloads that were begun at one wish: when the window stops waiting for them,
// and which of them it tells of.
import assert from 'node:assert/strict';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import { downloadResultsOf } from '../../../extension/state/downloadResults.ts';
import { INITIAL_STATE } from '../../../extension/state/state.ts';
import type { WindowState } from '../../../extension/state/state.ts';
import { anOverview, aTransfer } from '../../support/fakes/fakeEngine.ts';

describe('downloads that were begun at one wish', () => {
  const one = (id: number, fields: Partial<Transfer> = {}): Transfer => aTransfer({ id, name: `${id}.bin`, ...fields });
  const here = (id: number): Transfer => one(id, { state: 'seeding' });
  const up = (...all: readonly Transfer[]): WindowState => ({
    ...INITIAL_STATE,
    engine: 'up',
    overview: anOverview(),
    transfers: new Map(all.map((transfer) => [transfer.id, transfer])),
  });
  const LOST: WindowState = { ...INITIAL_STATE, engine: 'connecting' };
  const OUT: WindowState = { ...INITIAL_STATE, engine: 'up', overview: { ...anOverview(), account: undefined } };

  /** What is found in each of these states of the two that were begun. */
  const looks = (...states: readonly WindowState[]): readonly (readonly number[] | undefined)[] => {
    const look = downloadResultsOf([1, 2]);
    return states.map((state) => look(state)?.map(({ id }) => id));
  };
  const rows: readonly (readonly [
    says: string,
    found: readonly (readonly number[] | undefined)[],
    expected: readonly (readonly number[] | undefined)[],
  ])[] = [
    [
      'are told of together, when the last one is here',
      looks(up(one(1), one(2)), up(one(1), here(2)), up(here(1), here(2))),
      [undefined, undefined, [2, 1]],
    ],
    [
      'are waited for until the engine tells of them',
      looks(up(), up(one(1)), up(here(1), here(2))),
      [undefined, undefined, [1, 2]],
    ],
    ['are not waited for when they were cancelled', looks(up(one(1), one(2)), up(here(1))), [undefined, [1]]],
    [
      'are not waited for when they failed, which is told of by itself',
      looks(up(one(1, { state: 'failed' }), here(2))),
      [[2]],
    ],
    ['come to nothing when all were cancelled', looks(up(one(1), one(2)), up()), [undefined, []]],
    [
      'go on with the next engine',
      looks(up(one(1), one(2)), LOST, up(here(1), here(2))),
      [undefined, undefined, [1, 2]],
    ],
    ['are not waited for when somebody logs out', looks(up(here(1), one(2)), OUT), [undefined, [1]]],
  ];
  for (const [says, found, expected] of rows) it(says, () => assert.deepEqual(found, expected));
});
