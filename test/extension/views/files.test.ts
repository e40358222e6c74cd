// The view Files: folders made of names, what is new, what there is an update of, what a filter
// leaves, and how little is made of very many.
// Covers: extension/views/files.ts, extension/views/fileTree.ts, extension/views/filesViewState.ts
// Covers: extension/state/localCopies.ts
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import type { AccountId, GroupId, Root } from '../../../protocol/base/ids.ts';
import type { FileRow } from '../../../protocol/messages/trackerLink.ts';
import { FilesViewState } from '../../../extension/views/filesViewState.ts';
import { fileNamed, updatesOf } from '../../../extension/state/localCopies.ts';
import { INITIAL_STATE } from '../../../extension/state/state.ts';
import type { WindowState } from '../../../extension/state/state.ts';
import { FOLDERS_DEEP_MAX } from '../../../extension/views/fileTree.ts';
import { fileRows, filesHeader, LEVEL_ROWS, levelsTo, DEFAULT_OPTIONS } from '../../../extension/views/files.ts';
import type { FilesViewOptions } from '../../../extension/views/files.ts';
import { childrenOf, linesOf } from '../../../extension/views/row.ts';
import type { Row } from '../../../extension/views/row.ts';
import { diffRows } from '../../../extension/views/rowDiff.ts';
import { aFile, aGroup, anOverview, aTransfer } from '../../support/fakes/fakeEngine.ts';
import { catalogue, madeIn, readAgain, withFiles } from '../../support/filesViewCost.ts';

const GROUP = aGroup().group;
const OTHER_ROOT = 'ee'.repeat(32) as Root;
const empty: WindowState = {
  ...INITIAL_STATE,
  engine: 'up',
  overview: anOverview(),
  knowsGroups: true,
  groups: [aGroup({ requests: [] })],
};
const of = (...files: readonly Partial<FileRow>[]): WindowState =>
  withFiles(
    empty,
    files.map((file) => aFile(file)),
  );
const named = (...names: readonly string[]): WindowState => of(...names.map((name) => ({ name })));
const having = (state: WindowState, ...transfers: readonly Partial<Transfer>[]): WindowState => ({
  ...state,
  transfers: new Map(transfers.map((one, n) => [n + 1, aTransfer({ ...one, id: n + 1 })])),
});
const look = (fields: Partial<FilesViewOptions>): FilesViewOptions => ({ ...DEFAULT_OPTIONS, ...fields });
const below = (rows: readonly Row[]): readonly Row[] => rows.flatMap((row) => [row, ...below(childrenOf(row))]);
/** Labels in their levels, without the group's own. */
const tree = (state: WindowState, with_: FilesViewOptions = DEFAULT_OPTIONS): readonly string[] => {
  const lines = (rows: readonly Row[], depth: number): readonly string[] =>
    rows.flatMap((row) => [`${'  '.repeat(depth)}${row.label}`, ...lines(childrenOf(row), depth + 1)]);
  return lines(fileRows(state, with_).flatMap(childrenOf), 0);
};

describe('names with slashes', () => {
  const rows: readonly (readonly [says: string, names: readonly string[], tree: readonly string[]])[] = [
    [
      'are files in folders, folders first',
      ['z.txt', 'data/b.csv', 'data/a.csv'],
      ['data', '  a.csv', '  b.csv', 'z.txt'],
    ],
    [
      'make one row of folders that hold nothing else',
      ['data/raw/a.csv', 'data/raw/b.csv'],
      ['data/raw', '  a.csv', '  b.csv'],
    ],
    [
      'make two rows as soon as there is something beside',
      ['data/raw/a.csv', 'data/b.csv'],
      ['data', '  raw', '    a.csv', '  b.csv'],
    ],
    ['may be that of a file and of a folder', ['data', 'data/a.csv'], ['data', '  a.csv', 'data']],
    [
      'are sorted as people count',
      ['part 10', 'part 9', 'Part 1', 'x/2/a', 'x/10/a'],
      ['x', '  2', '    a', '  10', '    a', 'Part 1', 'part 9', 'part 10'],
    ],
    ['differ by the case of a folder', ['A/x', 'a/y'], ['A', '  x', 'a', '  y']],
    [
      'are shown, whatever they are',
      ['a\u202Eb/c', 'd\nx/e', '$(x)/[y](z)'],
      ['$(x)', '  [y](z)', 'a\\u{202e}b', '  c', 'd\\u{a}x', '  e'],
    ],
  ];
  for (const [says, names, expected] of rows) it(says, () => assert.deepEqual(tree(named(...names)), expected));

  it('end in one row where they are deeper than anybody names folders', () => {
    const deep = Array.from({ length: 500 }, (_, n) => `f${n}`);
    const lines = tree(named([...deep, 'a'].join('/'), [...deep, 'b'].join('/')));
    assert.deepEqual([lines.length, lines[0]?.split('/').length], [3, FOLDERS_DEEP_MAX]);
  });
  it('say of a folder how much is in it', () => {
    const [folder] = fileRows(of({ name: 'd/a', sizeBytes: 1024 }, { name: 'd/e/b', sizeBytes: 1024 })).flatMap(
      childrenOf,
    );
    assert.deepEqual(
      [folder?.description, folder?.spoken, folder?.context, folder?.subject],
      ['2 files · 2.00 KiB', 'Folder d, 2 files, 2.00 KiB', 'folder', { group: 'team', folder: 'd/' }],
    );
  });
  it('are all there, each once, and no row is there twice', () => {
    const part = fc.constantFrom('a', 'b', 'ab', 'A', '1', '10', '…');
    const names = fc.uniqueArray(
      fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/')),
      { maxLength: 40 },
    );
    const order = fc.constantFrom('name' as const, 'newest' as const, 'size' as const);
    fc.assert(
      fc.property(names, order, (all, by) => {
        const rows = below(fileRows(named(...all), look({ order: by })));
        assert.deepEqual(rows.flatMap(({ subject: { file = [] } }) => file).sort(), [...all].sort());
        assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
      }),
    );
  });
  it('may be sorted by age and by size', () => {
    const state = of(
      { name: 'a', atMs: 1, sizeBytes: 3 },
      { name: 'b', atMs: 3, sizeBytes: 1 },
      { name: 'c/x', atMs: 2, sizeBytes: 9 },
      { name: 'd/x', atMs: 9, sizeBytes: 8 },
    );
    assert.deepEqual(
      [tree(state, look({ order: 'newest' })), tree(state, look({ order: 'size' }))],
      [
        ['d', '  x', 'c', '  x', 'b', 'a'],
        ['c', '  x', 'd', '  x', 'a', 'b'],
      ],
    );
  });
});

describe('a filter of the view Files', () => {
  const state = named('data/raw/Sales 2026.csv', 'data/sales.md', 'x.bin');
  const rows: readonly (readonly [filter: string, tree: readonly string[]])[] = [
    ['sales', ['data/raw/Sales 2026.csv', 'data/sales.md']],
    ['2026 raw', ['data/raw/Sales 2026.csv']],
    ['nothing', []],
  ];
  for (const [filter, expected] of rows) {
    it(`leaves of “${filter}” ${expected.length} files by their whole names`, () =>
      assert.deepEqual(tree(state, look({ filter })), expected));
  }
  it('marks in the names what was typed', () =>
    assert.deepEqual(fileRows(state, look({ filter: 'raw 2026' })).flatMap(childrenOf)[0]?.highlights, [
      [5, 8],
      [15, 19],
    ]));
  it('is said, because the rows that are missing do not say it', () => {
    const head = (filter: string): unknown => filesHeader(look({ filter }), fileRows(state, look({ filter })));
    assert.deepEqual(
      [head(''), head('sales'), head('no')],
      [
        {},
        { description: 'sales', message: 'Only files with “sales” in their names are shown.' },
        { description: 'no', message: 'No file has “no” in its name.' },
      ],
    );
  });
  it("counts in the group's row", () =>
    assert.equal(fileRows(state, look({ filter: 'sales' }))[0]?.description, '2 of 3 files'));
});

describe('what is new since one looked', () => {
  const seenAt = (ms: number): FilesViewOptions => look({ seenMs: new Map([[GROUP, ms]]) });
  const descriptions = (state: WindowState, with_: FilesViewOptions): readonly string[] =>
    below(fileRows(state, with_)).map(({ description }) => description);
  it('has a dot in its row and is counted above, and what I shared myself has none', () => {
    const state = of({ name: 'd/a', atMs: 11 }, { name: 'b', atMs: 10 }, { name: 'c', atMs: 12, author: 'alice' });
    assert.deepEqual(descriptions(state, seenAt(10)), [
      '3 files · ● 1 new',
      '1 file · 1.00 MiB · ● 1 new',
      '● new · 1.00 MiB · 1 seeder · bob',
      '1.00 MiB · 1 seeder · bob',
      '1.00 MiB · 1 seeder · alice',
    ]);
    assert.deepEqual(
      fileRows(state, seenAt(10)).map(({ context, spoken }) => [context, spoken]),
      [['filesGroup new', 'Files of group team, 3 files, 1 new']],
    );
  });
  it('is nothing that I have or get', () =>
    assert.deepEqual(descriptions(having(of({ atMs: 11 }), {}), seenAt(10)), [
      '1 file',
      'downloading · 1.00 MiB · 1 seeder · bob',
    ]));
  it('is nothing in a group that nobody has looked at', () =>
    assert.deepEqual(descriptions(of({ atMs: 11 }), DEFAULT_OPTIONS), ['1 file', '1.00 MiB · 1 seeder · bob']));

  /** A window whose account remembers what it has seen. */
  class Looking {
    state: WindowState = empty;
    readonly kept: Map<AccountId, ReadonlyMap<GroupId, number>>;
    readonly files = new FilesViewState(
      {
        seenMs: (account) => this.kept.get(account) ?? new Map<GroupId, number>(),
        rememberSeen: async (account, seenMs) => void this.kept.set(account, seenMs),
      },
      'name',
      () => this.state,
      () => undefined,
    );

    constructor(kept = new Map<AccountId, ReadonlyMap<GroupId, number>>()) {
      this.kept = kept;
    }

    becomes(state: WindowState): this {
      this.state = state;
      this.files.update();
      return this;
    }
    get news(): string {
      return fileRows(this.state, this.files.options)[0]?.description ?? '';
    }
  }
  const signedInAs = (state: WindowState, user: string): WindowState => ({
    ...state,
    overview: anOverview({
      account: { account: Buffer.from(user).toString('hex').padEnd(32, '0') as AccountId, user },
    }),
  });

  it('begins with the first catalogue that comes, lasts while one looks, and ends when one has looked', () => {
    const window = new Looking().becomes(empty).becomes(of({ name: 'a', atMs: 5 }));
    assert.equal(window.news, '1 file');
    window.becomes(of({ name: 'a', atMs: 5 }, { name: 'b', atMs: 6 }));
    assert.equal(window.news, '2 files · ● 1 new');
    window.becomes(of({ name: 'a', atMs: 5 }, { name: 'b', atMs: 6 }, { name: 'c', atMs: 7 }));
    assert.equal(window.news, '3 files · ● 2 new');
    window.files.markSeen();
    assert.equal(window.news, '3 files');
  });
  it('is remembered for each account', () => {
    const window = new Looking().becomes(of({ name: 'a', atMs: 5 }));
    const later = of({ name: 'a', atMs: 5 }, { name: 'b', atMs: 6 });
    window.becomes(signedInAs(later, 'carol'));
    assert.equal(window.news, '2 files', 'she has never looked');
    window.becomes(later);
    assert.equal(window.news, '2 files · ● 1 new', 'alice had seen one of them');
  });
  it('is not new again because another window saw less of it', () => {
    const [first, later] = [of({ name: 'a', atMs: 5 }), of({ name: 'a', atMs: 5 }, { name: 'b', atMs: 6 })];
    const window = new Looking().becomes(first);
    const other = new Looking(window.kept).becomes(first); // it has read no more than that
    window.becomes(later).files.markSeen();
    other.becomes({
      ...first,
      groups: [...first.groups, aGroup({ group: 'ee' as GroupId, name: 'zoo' })],
      files: new Map([
        ...first.files,
        ['ee' as GroupId, { rows: [aFile({ atMs: 9 })], isLoaded: true, error: undefined }],
      ]),
    });
    assert.equal(new Looking(window.kept).becomes(later).news, '2 files');
  });
  it('is not counted in what could not be read', () => {
    const window = new Looking().becomes({
      ...empty,
      files: new Map([[GROUP, { rows: [], isLoaded: false, error: undefined }]]),
    });
    assert.equal(window.files.options.seenMs.size, 0);
  });
});

describe('versions', () => {
  const second = { version: 2, root: OTHER_ROOT };
  const here: Partial<Transfer> = { state: 'seeding', heldPieces: 2 };
  const share: Partial<Transfer> = { kind: 'share', state: 'seeding', version: 0 };
  const rows: readonly (readonly [
    says: string,
    file: Partial<FileRow>,
    transfers: readonly Partial<Transfer>[],
    isUpdate: boolean,
  ])[] = [
    ['what I downloaded of the first, when there is a second', second, [here], true],
    ['what I downloaded, of which the version is not known', second, [{ ...here, version: 0 }], true],
    ['what I shared, when somebody else made the second', second, [share], true],
    ['nothing, when I made the second elsewhere', { ...second, author: 'alice' }, [share], false],
    ['nothing, when I have the second', second, [here, { ...here, root: OTHER_ROOT, version: 2 }], false],
    ['nothing, when the second is on its way', second, [here, { root: OTHER_ROOT, version: 2 }], false],
    [
      'what I have, when getting the second has failed',
      second,
      [here, { root: OTHER_ROOT, version: 2, state: 'failed' }],
      true,
    ],
    [
      'nothing, when mine is the newer one and the catalogue is not read again yet',
      { version: 1, root: OTHER_ROOT },
      [{ ...here, version: 2 }],
      false,
    ],
    ['nothing, when mine is gone', second, [{ ...here, state: 'gone' }], false],
    ['nothing, when I have the only one', {}, [here], false],
    ['nothing of what is not here yet', second, [{}], false],
    ['nothing of a file of another name', second, [{ ...here, name: 'other' }], false],
  ];
  for (const [says, file, transfers, isUpdate] of rows) {
    it(`are an update of ${says}`, () => {
      const state = having(of(file), ...transfers);
      const [row] = fileRows(state).flatMap(childrenOf);
      assert.deepEqual(
        [
          /update available/.test(row?.description ?? ''),
          /\bupdate\b/.test(row?.context ?? ''),
          row !== undefined && 'theme' in row.icon,
          updatesOf(state).length,
        ],
        [isUpdate, isUpdate, isUpdate, isUpdate ? 1 : 0],
      );
    });
  }
  it('are told with who made them, and when', () => {
    const [row] = fileRows(having(of({ ...second, author: 'carol', atMs: 0 }), here)).flatMap(childrenOf);
    const lines = row ? linesOf(row) : [];
    assert.equal(lines[2], `Version 2, shared by carol, ${new Date(0).toLocaleString()}`);
    assert.equal(lines[3], 'You have version 1 of it; Download Update gets this one, and yours stays');
  });
  it('are no reason to look through ten thousand names for each file', () => {
    const state = catalogue(10_000, true);
    assert.equal(fileNamed(state, GROUP, 'file-9999.bin'), state.files.get(GROUP)?.rows[9_999]);
    assert.equal(fileNamed(state, GROUP, 'file-10000.bin'), undefined);
  });
});

describe('ten thousand files', () => {
  const flat = catalogue(10_000, true);
  const deep = catalogue(10_000, false);
  it('cost one row before anybody opens their group', () =>
    assert.deepEqual(
      [flat, deep].map((state) => madeIn(fileRows(readAgain(state, 0)))),
      [1, 1],
    ));
  it('cost a row for each folder when the group is opened', () => {
    const rows = fileRows(readAgain(deep, 0));
    assert.equal(childrenOf(rows[0] ?? assert.fail()).length, 1);
    assert.equal(madeIn(rows), 2, 'data, with a hundred folders in it');
  });
  it('beside each other are shown a thousand at a time, and the last row says how many more there are', () => {
    const shown = (rows: number): readonly string[] =>
      fileRows(flat, look({ rowsMax: new Map(rows === 0 ? [] : [[`${GROUP}:`, rows]]) }))
        .flatMap(childrenOf)
        .map(({ label }) => label);
    assert.deepEqual(
      [shown(0).length, shown(0).at(-1), shown(2_000).at(-1), shown(10_000).at(-1)],
      [LEVEL_ROWS + 1, '9000 more', '8000 more', 'file-9999.bin'],
    );
  });
  it('are made again only for another catalogue, other holdings or another look', () => {
    const children = (state: WindowState, with_ = DEFAULT_OPTIONS): unknown => fileRows(state, with_)[0]?.children;
    assert.equal(children({ ...flat, overview: anOverview({ downBytesPerS: 5 }) }), children(flat));
    assert.notEqual(children(having(flat, { name: 'file-7.bin' })), children(flat));
    assert.notEqual(children(flat, look({ order: 'size' })), children(flat));
  });
  it('of which one has another seeder are one row that is drawn again, and none where nobody has opened them', () => {
    const opened = (state: WindowState): readonly Row[] => {
      const rows = fileRows(state);
      rows.forEach(childrenOf);
      return rows;
    };
    assert.deepEqual(
      diffRows(opened(flat), fileRows(readAgain(flat, 1))).rows.map(({ id }) => id),
      [`file:${GROUP}:file-0.bin`],
    );
    assert.deepEqual(diffRows(fileRows(readAgain(flat, 0)), fileRows(readAgain(flat, 5_000))).rows, []);
  });
  it('show any one of them that is looked for', () => {
    const to = (state: WindowState, name: string): unknown =>
      levelsTo(GROUP, state.files.get(GROUP)?.rows ?? [], name, DEFAULT_OPTIONS);
    assert.deepEqual(
      [to(flat, 'file-5000.bin'), to(flat, 'file-7.bin'), to(deep, 'data/set-77/file-7777.bin')],
      [[{ level: `${GROUP}:`, rows: 5_001 }], [], []],
    );
  });
});
