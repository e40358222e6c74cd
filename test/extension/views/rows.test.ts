// The views as functions of the state: what rows say, what their menus are asked for by, and what
// of two states differs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { AccountId, GroupId, Root } from '../../../protocol/base/ids.ts';
import { toWire } from '../../../protocol/wire/wireErrors.ts';
import type { FileRow, MemberRow } from '../../../protocol/messages/trackerLink.ts';
import { contextKeysOf } from '../../../extension/contributions/contextKeys.ts';
import { INITIAL_STATE } from '../../../extension/state/state.ts';
import type { WindowState } from '../../../extension/state/state.ts';
import { progressText } from '../../../extension/messages/transferText.ts';
import { downloadRows } from '../../../extension/views/downloads.ts';
import { fileRows } from '../../../extension/views/files.ts';
import { groupRows } from '../../../extension/views/groups.ts';
import { childrenOf, iconPath, LazyRows, linesOf } from '../../../extension/views/row.ts';
import type { Row } from '../../../extension/views/row.ts';
import { diffRows } from '../../../extension/views/rowDiff.ts';
import { statusOf } from '../../../extension/contributions/statusBar.ts';
import { inMessage, printableName, withoutIcons } from '../../../extension/common/l10n.ts';
import { aFile, aGroup, anOverview, aTransfer } from '../../support/fakes/fakeEngine.ts';

const state = (fields: Partial<WindowState> = {}): WindowState => ({
  ...INITIAL_STATE,
  engine: 'up',
  overview: anOverview(),
  knowsGroups: true,
  ...fields,
});
const member = (user: string, fields: Partial<MemberRow> = {}): MemberRow => ({
  account: Buffer.from(user).toString('hex').padEnd(32, '0') as AccountId,
  user,
  role: 'member',
  online: true,
  sinceMs: 0,
  ...fields,
});
const transfers = (...all: readonly Transfer[]): Pick<WindowState, 'transfers'> => ({
  transfers: new Map(all.map((one, i) => [i + 1, { ...one, id: i + 1 }])),
});
const filesOf = (...rows: readonly FileRow[]): Pick<WindowState, 'groups' | 'files'> => ({
  groups: [aGroup({ requests: [] })],
  files: new Map([[aGroup().group, { rows, isLoaded: true, error: undefined }]]),
});
/** A tree in lines: label, description, [what menus ask for]. */
const lines = (rows: readonly Row[], depth = 0): readonly string[] =>
  rows.flatMap((row) => [
    `${'  '.repeat(depth)}${row.label} — ${row.description} [${row.context}]`,
    ...lines(childrenOf(row), depth + 1),
  ]);

describe('the view Groups', () => {
  const rows: readonly (readonly [says: string, state: WindowState, rows: readonly string[]])[] = [
    [
      'shows an owner who asks to join, first of all',
      state({
        groups: [aGroup()],
        members: new Map([
          [
            aGroup().group,
            {
              rows: [member('alice', { role: 'owner' }), member('carol', { online: false })],
              isLoaded: true,
              error: undefined,
            },
          ],
        ]),
      }),
      [
        'team — owner · 3 members · 1 request [group owner asked]',
        '  bob — asks to join [request]',
        '  alice — you · owner · online [person]',
        '  carol — offline [person removable]',
      ],
    ],
    [
      'shows a member no requests, and nobody to remove',
      state({
        groups: [aGroup({ role: 'member', owner: 'bob', requests: [] })],
        members: new Map([
          [
            aGroup().group,
            { rows: [member('alice'), member('bob', { role: 'owner' })], isLoaded: true, error: undefined },
          ],
        ]),
      }),
      [
        'team — member · 3 members [group member]',
        '  bob — owner · online [person]',
        '  alice — you · online [person]',
      ],
    ],
    [
      'puts the owner first, then who is online, by name',
      state({
        groups: [aGroup({ requests: [] })],
        members: new Map([
          [
            aGroup().group,
            {
              rows: [
                member('alice', { role: 'owner', online: false }),
                member('carol', { online: false }),
                member('zoe'),
                member('dave'),
                member('eve', { role: 'applicant' }),
              ],
              isLoaded: true,
              error: undefined,
            },
          ],
        ]),
      }),
      [
        'team — owner · 3 members [group owner]',
        '  alice — you · owner · offline [person]',
        '  dave — online [person removable]',
        '  zoe — online [person removable]',
        '  carol — offline [person removable]',
      ],
    ],
    [
      'shows whom an applicant waits for',
      state({ groups: [aGroup({ role: 'applicant', owner: 'bob' })] }),
      ['team — waiting for bob [group applied]'],
    ],
    [
      'is sorted by name',
      state({
        groups: [
          aGroup({ name: 'b', group: 'b' as GroupId, requests: [], members: 1 }),
          aGroup({ name: 'a', group: 'a' as GroupId, requests: [], members: 1 }),
        ],
      }),
      ['a — owner · 1 member [group owner]', 'b — owner · 1 member [group owner]'],
    ],
    [
      'says what could not be read',
      state({
        groups: [aGroup({ requests: [] })],
        members: new Map([
          [aGroup().group, { rows: [], isLoaded: false, error: new ShoalError('deadline', { ms: 5 }) }],
        ]),
      }),
      ['team — owner · 3 members [group owner]', '  no answer within 5 ms —  [trouble]'],
    ],
  ];
  for (const [says, of, expected] of rows) it(says, () => assert.deepEqual(lines(groupRows(of)), expected));
});

it('the members of a group that is closed are not made into rows, however often something else changes', () => {
  const members = new Map([
    [aGroup().group, { rows: [member('alice'), member('bob')], isLoaded: true, error: undefined }],
  ]);
  const [before, after] = [
    state({ groups: [aGroup({ requests: [] })], members }),
    state({ groups: [aGroup({ requests: [] })], members, ...transfers(aTransfer()) }),
  ].map(groupRows);
  assert.deepEqual(diffRows(before ?? [], after ?? []).rows, []);
  assert.ok([before, after].every((rows) => rows?.[0]?.children instanceof LazyRows && !rows[0].children.isCreated));
});

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

describe('the view Downloads', () => {
  const NOW_MS = 3_600_000;
  const hadMinutesAgo = (pieces: number) => ({ user: 'alice', pieces, atMs: NOW_MS - 5 * 60_000 });
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
  const rows: readonly (readonly [transfer: Partial<Transfer>, says: string])[] = [
    [{ downBytesPerS: 64 * 1024, peers: 5 }, '50 % · 64.0 KiB/s · 5 peers · 8 s left'],
    [{ state: 'hashing', doneBytes: 262_144 }, 'hashing · 25 %'],
    [{ state: 'waiting', peers: 0 }, '50 % · waiting: nobody online has it'],
    [
      {
        state: 'waiting',
        peers: 0,
        pieces: 40,
        nowhere: { pieces: 4, ranges: [{ first: 16, last: 19 }], lastHad: hadMinutesAgo(4) },
      },
      '50 % · waiting: pieces 17-20 of 40 are missing everywhere; alice had them 5 min ago',
    ],
    [
      {
        state: 'waiting',
        peers: 0,
        pieces: 40,
        nowhere: { pieces: 40, ranges: [{ first: 0, last: 39 }], lastHad: hadMinutesAgo(40) },
      },
      '50 % · waiting: nobody online has it; alice had them 5 min ago',
    ],
    [
      { peers: 2, pieces: 40, nowhere: { pieces: 1, ranges: [{ first: 7, last: 7 }], lastHad: undefined } },
      '50 % · 2 peers · piece 8 of 40 is missing everywhere',
    ],
    [
      { peers: 2, pieces: 40, nowhere: { pieces: 3, ranges: [{ first: 7, last: 9 }], lastHad: hadMinutesAgo(2) } },
      '50 % · 2 peers · pieces 8-10 of 40 are missing everywhere; alice had 2 of them 5 min ago',
    ],
    [{ state: 'paused' }, '50 % · paused'],
    [{ state: 'choosing' }, 'choose its files'],
    [{ state: 'queued', place: 7 }, '50 % · waiting for its turn'],
    [
      { state: 'failed', error: toWire(new ShoalError('destinationUnwritable', { path: '/d', why: 'EACCES' })) },
      'failed · /d cannot be written (EACCES)',
    ],
    [
      { error: toWire(new ShoalError('diskFull', { path: '/d' })) },
      '50 % · the disk that holds /d is full; the download goes on when there is room · 1 peer',
    ],
    [{ state: 'seeding', heldPieces: 2, upBytesPerS: 2048, peers: 1 }, '1.00 MiB · ↑ 2.00 KiB/s · 1 peer'],
    [{ kind: 'share', state: 'gone' }, 'changed or gone: not shared any more'],
    [{ doneBytes: 1024 * 1024, heldPieces: 2 }, '99 % · 1 peer'],
    [{ state: 'checking', doneBytes: 1024 * 1024 }, 'checking · 99 %'],
  ];
  for (const [fields, says] of rows) {
    it(`says “${says}”`, () => assert.equal(progressText(aTransfer(fields), NOW_MS), says));
  }

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

describe('the status bar', () => {
  const text = (fields: Partial<WindowState>): string | undefined => {
    const status = statusOf(state(fields));
    return status && `${status.text}${status.isWarning ? ' !' : ''}`;
  };
  const offline = anOverview({
    trackers: [{ address: { host: 't', port: 1 }, link: 'down', inUse: false, error: undefined, pair: 'whole' }],
  });
  const rows: readonly (readonly [says: string, state: Partial<WindowState>, text: string | undefined])[] = [
    ['has nothing to say where nobody has used Shoal', { engine: 'idle', overview: undefined }, undefined],
    ['says who is signed in', {}, '$(arrow-swap) Shoal: alice'],
    [
      'says what moves',
      { ...transfers(aTransfer()), overview: anOverview({ downBytesPerS: 1024 * 1024, upBytesPerS: 2048 }) },
      '$(arrow-swap) Shoal: 1↓ 1.00 MiB/s ↑ 2.00 KiB/s',
    ],
    ['warns when no tracker can be reached', { overview: offline }, '$(debug-disconnect) Shoal: offline !'],
    [
      'does not warn while downloads go on',
      { overview: offline, ...transfers(aTransfer()) },
      '$(debug-disconnect) Shoal: offline · 1↓',
    ],
    [
      'says that nobody is signed in',
      { engine: 'idle', overview: undefined, knowsTracker: true },
      '$(arrow-swap) Shoal: signed out',
    ],
    [
      'makes no icon of a name',
      { overview: anOverview({ account: { account: '00' as AccountId, user: '$(trash)' } }) },
      '$(arrow-swap) Shoal: \\$(trash)',
    ],
  ];
  for (const [says, fields, expected] of rows) it(says, () => assert.equal(text(fields), expected));
});

describe('names of others', () => {
  it('turn no text, hide none and forge no line', () =>
    assert.equal(printableName('a\u202Egnp.exe\nb'), 'a\\u{202e}gnp.exe\\u{a}b'));
  it('make no link in a message', () => assert.equal(inMessage('[x](command:y)'), '[x] (command:y)'));
  it('are a path that VS Code takes', () =>
    assert.deepEqual(['a.txt', 'b/a.txt', '/x', '//host/x', '///'].map(iconPath), [
      '/a.txt',
      '/b/a.txt',
      '/x',
      '/host/x',
      '/',
    ]));
  it('make no icon', () => assert.equal(withoutIcons('$(trash) x'), '\\$(trash) x'));
});

describe('what differs between two states', () => {
  const base: Omit<Row, 'id'> = {
    label: 'l',
    description: '',
    tooltip: [],
    icon: { theme: 'x' },
    context: '',
    subject: {},
    spoken: '',
  };
  const leaf = fc
    .record({ id: fc.constantFrom('a', 'b', 'c', 'd'), description: fc.constantFrom('', 'x', 'y') })
    .map((fields): Row => ({ ...base, ...fields }));
  const unique = <T extends { readonly id: string }>(rows: readonly T[]): readonly T[] => [
    ...new Map(rows.map((row) => [row.id, row])).values(),
  ];
  const tree = fc
    .array(fc.tuple(leaf, fc.option(fc.array(leaf, { maxLength: 3 }), { nil: undefined })), { maxLength: 4 })
    .map((rows) =>
      unique(
        rows.map(([row, children]): Row =>
          children
            ? { ...row, children: unique(children).map((child) => ({ ...child, id: `${row.id}/${child.id}` })) }
            : row,
        ),
      ),
    );

  /** What somebody shows who asks again only for what was named. */
  const follow = (before: readonly Row[], after: readonly Row[]): readonly Row[] => {
    const { root, rows } = diffRows(before, after);
    if (root) return after;
    const named = new Map(rows.map((row) => [row.id, row]));
    const refreshed = (row: Row): Row =>
      named.get(row.id) ?? (row.children ? { ...row, children: childrenOf(row).map(refreshed) } : row);
    return before.map(refreshed);
  };
  it('is all that has to be asked for again', () =>
    fc.assert(fc.property(tree, tree, (before, after) => assert.deepEqual(follow(before, after), after))));
  it('is nothing between equal states', () =>
    fc.assert(
      fc.property(tree, (rows) => assert.deepEqual(diffRows(rows, structuredClone<readonly Row[]>(rows)).rows, [])),
    ));
  it('is one row when one says something else', () => {
    const rows = (description: string): readonly Row[] => [
      {
        ...base,
        id: 'a',
        children: [
          { ...base, id: 'a/1', description },
          { ...base, id: 'a/2' },
        ],
      },
    ];
    assert.deepEqual(
      diffRows(rows('1 %'), rows('2 %')).rows.map(({ id }) => id),
      ['a/1'],
    );
  });
  it('is the row above when very many say something else, and that one only', () => {
    const rows = (description: string): readonly Row[] =>
      ['a', 'b'].map((id) => ({
        ...base,
        id,
        children: Array.from({ length: 500 }, (_, n) => ({
          ...base,
          id: `${id}/${n}`,
          description: id === 'a' || n < 2 ? description : '',
        })),
      }));
    assert.deepEqual(
      diffRows(rows('1 seeder'), rows('2 seeders')).rows.map(({ id }) => id),
      ['a', 'b/0', 'b/1'],
    );
  });
  it('names a row that now wants to be open', () =>
    assert.deepEqual(
      diffRows([{ ...base, id: 'a', isCollapsed: true }], [{ ...base, id: 'a', isCollapsed: false }]).opened.map(
        ({ id }) => id,
      ),
      ['a'],
    ));
});

describe('the manifest', () => {
  const root = path.join(import.meta.dirname, '../../..');
  const json = (name: string): string => readFileSync(path.join(root, name), 'utf8');
  const manifest = JSON.parse(json('package.json')) as {
    contributes: {
      commands: { command: string }[];
      menus: Record<string, { command?: string; submenu?: string; when?: string }[]>;
      submenus: { id: string }[];
      keybindings: { when: string }[];
      views: { shoal: { id: string }[] };
      viewsWelcome: { view: string; when: string; contents: string }[];
    };
  };
  const { commands, menus, submenus, keybindings, views, viewsWelcome } = manifest.contributes;
  const words = JSON.parse(json('package.nls.json')) as Record<string, string>;
  const ids = new Set(commands.map(({ command }) => command));

  it('has words for every key, and a use for every word', () => {
    const used = [...json('package.json').matchAll(/"%([^"%]+)%"/g)].map(([, key = '']) => key);
    assert.deepEqual([...new Set(used)].sort(), Object.keys(words).sort());
  });
  it('puts only commands into menus that exist', () =>
    assert.deepEqual(
      Object.values(menus)
        .flat()
        .filter(({ command, submenu = '' }) =>
          command === undefined
            ? menus[submenu] === undefined || !submenus.some(({ id }) => id === submenu)
            : !ids.has(command),
        ),
      [],
    ));
  it('has keys only for commands that exist, and only in the lists of its own views', () => {
    assert.ok(keybindings.length > 0);
    const named = JSON.stringify(keybindings).match(/(?<="command":")shoal\.\w+/g) ?? [];
    assert.deepEqual(
      named.filter((command) => !ids.has(command)),
      [],
    );
    assert.deepEqual(
      keybindings.filter(
        ({ when }) => !/^focusedView == shoal\.(groups|files|downloads) && listFocus && !inputFocus$/.test(when),
      ),
      [],
    );
  });
  it('links only to commands that exist', () => {
    const linked = Object.values(words)
      .flatMap((text) => [...text.matchAll(/\(command:([^)]+)\)/g)].map(([, command = '']) => command))
      .filter((command) => command.startsWith('shoal.'));
    assert.ok(linked.length > 10);
    assert.deepEqual(
      linked.filter((command) => !ids.has(command)),
      [],
    );
  });
  it('asks only for keys that are set', () => {
    // what is not of the state: how the person looks at it
    const known = [...Object.keys(contextKeysOf(INITIAL_STATE)), 'shoal.isFiltered'];
    const asked = [...Object.values(menus).flat(), ...viewsWelcome].flatMap(({ when = '' }) =>
      [...when.matchAll(/(?<!== )\bshoal\.\w+/g)].map(([key]) => key),
    );
    assert.deepEqual(
      [...new Set(asked)].filter((key) => !known.includes(key)),
      [],
    );
  });
  it('knows the views that it fills', () =>
    assert.deepEqual(
      views.shoal.map(({ id }) => id),
      ['shoal.groups', 'shoal.files', 'shoal.downloads'],
    ));

  it("has in every row's menu what makes sense there", () => {
    /** Entries of a row's menu, inline ones marked. */
    const menu = (view: string, context: string): string =>
      (menus['view/item/context'] ?? [])
        .flatMap(({ command, when = '', ...rest }) => {
          const [, of, pattern = ''] =
            /^view == (\S+) && viewItem =~ \/(.*)\/(?: && !listMultiSelection)?$/.exec(when) ?? assert.fail(when);
          const isInline = (rest as { group?: string }).group?.startsWith('inline') === true;
          return of === `shoal.${view}` && new RegExp(pattern).test(context)
            ? [`${isInline ? '+' : ''}${command?.replace('shoal.', '') ?? ''}`]
            : [];
        })
        .join(' ');
    assert.deepEqual(
      {
        request: menu('groups', 'request'),
        owner: menu('groups', 'group owner'),
        applied: menu('groups', 'group applied'),
        person: menu('groups', 'person'),
        member: menu('groups', 'person removable'),
        remote: menu('files', 'file remote'),
        here: menu('files', 'file here served removable'),
        partial: menu('files', 'file partial'),
        running: menu('downloads', 'download partial downloading'),
        queued: menu('downloads', 'download partial queued'),
        paused: menu('downloads', 'download partial paused'),
        failed: menu('downloads', 'download partial failed'),
        done: menu('downloads', 'download here seeding'),
        share: menu('downloads', 'share here seeding'),
        changed: menu('downloads', 'share partial gone'),
        hashing: menu('downloads', 'share partial hashing'),
        section: menu('downloads', 'section downloading'),
        completed: menu('downloads', 'section completed'),
        asked: menu('groups', 'group owner asked'),
        folder: menu('files', 'folder'),
        update: menu('files', 'file remote update'),
        more: menu('files', 'more'),
        news: menu('files', 'filesGroup new'),
        seen: menu('files', 'filesGroup'),
        opens: menu('downloads', 'download partial downloading opens'),
        old: menu('downloads', 'download here seeding update'),
        mine: menu('downloads', 'share here seeding update'),
      },
      {
        request: '+acceptRequest +rejectRequest acceptRequest rejectRequest',
        owner: 'copyInvitationLink leaveGroup renameGroup deleteGroup',
        applied: '+cancelRequest cancelRequest',
        person: '',
        member: 'removeMember transferGroup',
        remote: '+previewFile previewFile compareFile +downloadFile downloadFile downloadTo copyFileLink',
        here: 'compareFile downloadTo +openFile openFile revealFile copyFileLink stopSharing removeFile',
        partial: '+previewFile previewFile compareFile downloadTo copyFileLink',
        running:
          '+pauseDownload +cancelDownload pauseDownload cancelDownload moveToTop moveUp moveDown moveToBottom setPriority limitSpeed openWhenDone copyFileLink +inspectSwarm inspectSwarm',
        queued:
          '+pauseDownload +cancelDownload pauseDownload cancelDownload moveToTop moveUp moveDown moveToBottom setPriority limitSpeed openWhenDone copyFileLink +inspectSwarm inspectSwarm',
        paused:
          '+resumeDownload +cancelDownload resumeDownload cancelDownload moveToTop moveUp moveDown moveToBottom setPriority limitSpeed openWhenDone copyFileLink +inspectSwarm inspectSwarm',
        failed:
          '+cancelDownload +retryDownload retryDownload cancelDownload moveToTop moveUp moveDown moveToBottom setPriority openWhenDone +inspectSwarm inspectSwarm clearTransfer',
        done: 'limitSpeed +openFile openFile revealFile copyFileLink +inspectSwarm inspectSwarm verifyFile stopSharing clearTransfer',
        share:
          'limitSpeed +openFile openFile revealFile copyFileLink +inspectSwarm inspectSwarm verifyFile stopSharing',
        hashing: 'limitSpeed +stopSharing stopSharing',
        changed: 'stopSharing clearTransfer',
        section: '',
        completed: '+clearCompleted clearCompleted',
        asked: 'acceptAllRequests copyInvitationLink leaveGroup renameGroup deleteGroup',
        folder: 'downloadFolder +downloadFolder downloadTo',
        update: '+previewFile previewFile compareFile +downloadUpdate downloadUpdate downloadTo copyFileLink',
        more: '+showMoreFiles showMoreFiles',
        news: '+markSeen markSeen',
        seen: '',
        opens:
          '+pauseDownload +cancelDownload pauseDownload cancelDownload moveToTop moveUp moveDown moveToBottom setPriority limitSpeed doNotOpenWhenDone copyFileLink +inspectSwarm inspectSwarm',
        old: 'limitSpeed +openFile openFile +downloadUpdate downloadUpdate revealFile copyFileLink +inspectSwarm inspectSwarm verifyFile stopSharing clearTransfer',
        mine: 'limitSpeed +openFile openFile +downloadUpdate downloadUpdate revealFile copyFileLink +inspectSwarm inspectSwarm verifyFile stopSharing',
      },
    );
  });

  it('offers for several rows only what does something with each of them', () => {
    const forOne = [
      'copyInvitationLink',
      'transferGroup',
      'renameGroup',
      'deleteGroup',
      'compareFile',
      'revealFile',
      'verifyFile',
      'chooseFiles',
      'inspectSwarm',
      'markSeen',
    ];
    const entries = (menus['view/item/context'] ?? []).filter(
      (entry) => !(entry as { group?: string }).group?.startsWith('inline'),
    );
    const offered = entries.filter(
      ({ command = '', when = '' }) =>
        forOne.includes(command.replace('shoal.', '')) !== when.endsWith(' && !listMultiSelection'),
    );
    assert.deepEqual(offered, []);
  });

  it('shows exactly one welcome text in each view and situation that has no rows', () => {
    const keys = (text: string): Record<string, unknown> =>
      Object.fromEntries(
        text
          .split(' ')
          .filter((word) => word !== '')
          .map((word) => [`shoal.${word}`, true]),
      );
    const holds = (when: string, context: Record<string, unknown>): boolean =>
      when.split(' && ').every((clause) => {
        const [, not, key = '', operator, value = ''] =
          /^(!?)(shoal\.\w+)(?: (==|=~) (.*))?$/.exec(clause) ?? assert.fail(clause);
        const is = context[key];
        if (operator === '==') return is === value;
        if (operator === '=~') return new RegExp(value.slice(1, -1)).test(String(is));
        return not === '!' ? is !== true : is === true;
      });
    const count = (phase: string, more: string): readonly number[] =>
      views.shoal.map(
        ({ id }) =>
          viewsWelcome.filter(({ view, when }) => view === id && holds(when, { 'shoal.phase': phase, ...keys(more) }))
            .length,
      );
    const rows: readonly (readonly [phase: string, keys: string, counts: readonly number[]])[] = [
      ['starting', '', [0, 0, 0]],
      ['noTracker', '', [1, 1, 1]],
      ['signedOut', '', [1, 1, 1]],
      ['failed', '', [1, 0, 0]],
      ['stopped', '', [1, 0, 0]],
      ['outdated', '', [1, 0, 0]],
      ['offline', 'signedIn', [1, 1, 1]],
      ['ready', 'signedIn', [1, 1, 1]],
      ['ready', 'signedIn hasGroups canShare', [0, 0, 1]],
      ['ready', 'signedIn hasGroups canShare noFiles', [0, 1, 1]],
      ['ready', 'signedIn hasApplied', [0, 1, 1]],
      ['offline', 'signedIn hasGroups', [0, 0, 1]],
    ];
    for (const [phase, more, counts] of rows) assert.deepEqual(count(phase, more), counts, `${phase} ${more}`);
  });
});
