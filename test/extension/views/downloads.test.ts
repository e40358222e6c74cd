// The view Downloads: its sections, and what their rows say beside how far each is.
import assert from 'node:assert/strict';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import type { Root } from '../../../protocol/base/ids.ts';
import type { WindowState } from '../../../extension/state/state.ts';
import { downloadRows } from '../../../extension/views/downloads.ts';
import { childrenOf, linesOf } from '../../../extension/views/row.ts';
import type { Row } from '../../../extension/views/row.ts';
import { aFile, aTransfer } from '../../support/fakes/fakeEngine.ts';
import { filesOf, lines, state, transfers } from '../../support/fakes/windowStates.ts';

describe('the view Downloads', () => {
  it('has a section for what comes, what has come, and what is shared', () => {
    const of = state(
      transfers(
        aTransfer({ name: 'a', path: '/d/a' }),
        aTransfer({ name: 'b', path: '/d/b (2)', state: 'seeding', heldPieces: 2 }),
        aTransfer({ name: 'c', kind: 'share', state: 'seeding' }),
      ),
    );
    assert.deepEqual(lines(downloadRows(of)), [
      'Downloading — 1 [section downloading]',
      '  a — 50 % · 1 peer · team [download partial downloading]',
      'Completed — 1 [section completed]',
      '  b (2) — 1.00 MiB · team [download here seeding]',
      'Shared by you — 1 [section sharing]',
      '  c — 1.00 MiB · team [share here seeding]',
    ]);
  });
  it('lists downloads in the order of their turns', () => {
    const of = state(
      transfers(
        aTransfer({ id: 1, name: 'last', place: 3 }),
        aTransfer({ id: 2, name: 'first', place: 1, priority: 'high' }),
        aTransfer({ id: 3, name: 'next', place: 2, state: 'queued' }),
      ),
    );
    const [section] = downloadRows(of);
    const rows = section ? childrenOf(section) : [];
    assert.deepEqual(
      rows.map((row) => linesOf(row)[0]),
      ['first', 'next', 'last'],
    );
    assert.ok(rows[0] && linesOf(rows[0]).includes('High priority'));
  });

  /** What stands in the row, and the lines of the tooltip with such words. */
  const rowOf = (
    fields: Partial<Transfer>,
    words: RegExp,
    more: Partial<WindowState> = {},
    opening: readonly number[] = [],
  ): readonly string[] => {
    const row = downloadRows(state({ ...more, ...transfers(aTransfer(fields)) }), new Set(opening)).flatMap(
      childrenOf,
    )[0];
    return row ? [row.description, ...linesOf(row).filter((line) => words.test(line))] : [];
  };
  const resumed = { resumedPieces: 63, pieces: 100, sizeBytes: 100 * 1024 };
  const besides: readonly (readonly [says: string, row: () => readonly string[], expected: readonly string[]])[] = [
    [
      'that it was resumed, at first in the row',
      () => rowOf({ ...resumed, heldPieces: 64, doneBytes: 64 * 1024 }, /Resumed/),
      ['resumed at 63 % · 64 % · 1 peer · team', 'Resumed at 63 %: 63 of 100 pieces were here already'],
    ],
    [
      'that it was resumed, later on in the tooltip',
      () => rowOf({ ...resumed, heldPieces: 80, doneBytes: 80 * 1024 }, /Resumed/),
      ['80 % · 1 peer · team', 'Resumed at 63 %: 63 of 100 pieces were here already'],
    ],
    [
      'nothing of that when it is here',
      () => rowOf({ ...resumed, heldPieces: 100, doneBytes: 100 * 1024, state: 'seeding' }, /Resumed/),
      ['100 KiB · team'],
    ],
    [
      'that it is opened when it is done',
      () => rowOf({}, /opened/, {}, [1]),
      ['50 % · 1 peer · opens when done · team', 'It is opened when it is done'],
    ],
    [
      'nothing of that when it is done',
      () => rowOf({ state: 'seeding', heldPieces: 2 }, /opened/, {}, [1]),
      ['1.00 MiB · team'],
    ],
    [
      'how much of it was uploaded',
      () => rowOf({ state: 'seeding', heldPieces: 2, uploadedBytes: 1.4 * 1024 * 1024 }, /uploaded/),
      ['1.00 MiB · team', 'You have uploaded 1.4 × of it since Shoal started'],
    ],
    [
      'that there is an update',
      () =>
        rowOf(
          { state: 'seeding', heldPieces: 2 },
          /newer/,
          filesOf(aFile({ version: 2, root: 'ee'.repeat(32) as Root })),
        ),
      [
        '1.00 MiB · update available · team',
        'The group has a newer version; Download Update gets it, and this file stays',
      ],
    ],
    [
      'nothing of an update to what is not here yet',
      () => rowOf({}, /newer/, filesOf(aFile({ version: 2, root: 'ee'.repeat(32) as Root }))),
      ['50 % · 1 peer · team'],
    ],
  ];
  for (const [says, made, expected] of besides) it(`says ${says}`, () => assert.deepEqual(made(), expected));
  it('makes the row of what has not changed once', () => {
    const [one, other] = [aTransfer({ id: 1 }), aTransfer({ id: 2 })];
    const rows = (second: Transfer): readonly Row[] =>
      downloadRows(
        state({
          transfers: new Map([
            [1, one],
            [2, second],
          ]),
        }),
      ).flatMap(childrenOf);
    const [before, after] = [rows(other), rows({ ...other, doneBytes: 0 })];
    assert.deepEqual(
      before.map((row) => after.includes(row)),
      [false, true],
    );
  });
});
