// A file in the view Files: what its row says, and what its menu is asked for by.
// Covers: extension/views/fileRow.ts, extension/views/files.ts
import assert from 'node:assert/strict';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import type { Root } from '../../../protocol/base/ids.ts';
import type { FileRow } from '../../../protocol/messages/trackerLink.ts';
import { fileRows } from '../../../extension/views/files.ts';
import { aFile, aTransfer } from '../../support/fakes/fakeEngine.ts';
import { filesOf, lines, state, transfers } from '../../support/fakes/windowStates.ts';

describe('the view Files', () => {
  const row = (file: Partial<FileRow>, mine: readonly Transfer[] = []): string =>
    lines(fileRows(state({ ...filesOf(aFile(file)), ...transfers(...mine) })))[1]?.trim() ?? '';
  const rows: readonly (readonly [says: string, row: () => string, expected: string])[] = [
    ['a file to download', () => row({}), 'dump.sql — 1.00 MiB · 1 seeder · bob [file remote removable]'],
    [
      'one that nobody has now',
      () => row({ seeders: 0 }),
      'dump.sql — 1.00 MiB · nobody online has it · bob [file remote removable]',
    ],
    [
      'my own',
      () => row({ iShare: true, author: 'alice' }, [aTransfer({ kind: 'share', state: 'seeding' })]),
      'dump.sql — shared by you · 1.00 MiB · 1 seeder [file here served removable]',
    ],
    [
      'one that is coming',
      () => row({}, [aTransfer()]),
      'dump.sql — downloading · 1.00 MiB · 1 seeder · bob [file partial removable]',
    ],
    [
      'one that was to come',
      () => row({}, [aTransfer({ state: 'paused' })]),
      'dump.sql — paused · 1.00 MiB · 1 seeder · bob [file partial removable]',
    ],
    [
      'one that is here',
      () => row({}, [aTransfer({ state: 'seeding', heldPieces: 2 })]),
      'dump.sql — here · 1.00 MiB · 1 seeder · bob [file here served removable]',
    ],
    [
      'a folder of which some files are here',
      () => row({ content: 'folder' }, [aTransfer({ state: 'seeding', sizeBytes: 7, content: 'folder' })]),
      'dump.sql — partly here · 1.00 MiB · 1 seeder · bob [file here remote served removable]',
    ],
    [
      'one that is here in part and as a whole',
      () =>
        row({ content: 'folder' }, [
          aTransfer({ id: 1, state: 'seeding', content: 'folder' }),
          aTransfer({ id: 2, state: 'seeding', sizeBytes: 7, content: 'folder' }),
        ]),
      'dump.sql — here · 1.00 MiB · 1 seeder · bob [file here served removable]',
    ],
    [
      'a newer version than the one that is here',
      () => row({ version: 2, root: 'ee'.repeat(32) as Root }, [aTransfer({ state: 'seeding', heldPieces: 2 })]),
      'dump.sql — update available · 1.00 MiB · v2 · 1 seeder · bob [file remote update removable]',
    ],
  ];
  for (const [says, made, expected] of rows) it(`shows ${says}`, () => assert.equal(made(), expected));

  it('leaves an empty catalogue to the welcome text', () => assert.deepEqual(fileRows(state(filesOf())), []));
});
