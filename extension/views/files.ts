// The view Files: what is shared in each of my groups, in folders by its names. Pure; a group's
// rows are made again only when its catalogue, what we have of it, or how the person wants to see
// it has changed, and only those that somebody looks at.
import { amount } from '../../protocol/frontend/format.ts';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import type { FileRow, GroupView } from '../../protocol/messages/trackerLink.ts';
import { phraseOf } from '../messages/errorMessages.ts';
import { Holdings, isHere } from '../state/localCopies.ts';
import type { Listing, WindowState } from '../state/state.ts';
import { contextKeysOf, isComplete, myGroups } from '../state/state.ts';
import { plural, shown, t } from '../common/l10n.ts';
import type { FilesOrder, Folder } from './fileTree.ts';
import { levelOf, sortedFiles } from './fileTree.ts';
import { troubleRow } from './groups.ts';
import { LazyRows } from './row.ts';
import type { Head, Row } from './row.ts';

/** With so many groups or fewer all are open at first. */
const OPEN_GROUPS_MAX = 4;
/**
 * Rows of one level that are shown at first, and more at each wish for more: VS Code makes all rows
 * of a level that is open.
 */
export const LEVEL_ROWS = 1_000;

/** How the person wants to see the files. */
export interface FilesLook {
  readonly order: FilesOrder;
  /** Words that all occur in the names that are shown; empty for all files. */
  readonly filter: string;
  /** How many rows each level shows, where that is not `LEVEL_ROWS`. */
  readonly rowsMax: ReadonlyMap<string, number>;
  /**
   * Until when (the trackers' time, in ms) the files of a group were seen. What is not named was
   * never looked at: there nothing counts as new.
   */
  readonly seenMs: ReadonlyMap<GroupId, number>;
}

export const PLAIN_LOOK: FilesLook = { order: 'name', filter: '', rowsMax: new Map(), seenMs: new Map() };

export function fileRows(state: WindowState, look: FilesLook = PLAIN_LOOK): readonly Row[] {
  if (contextKeysOf(state)['shoal.noFiles']) return []; // then the welcome text says what to do
  const groups = [...myGroups(state)].sort((a, b) => a.name.localeCompare(b.name));
  return groups.flatMap((group) => groupRow(group, state, look, groups.length > OPEN_GROUPS_MAX));
}

function groupRow(group: GroupView, state: WindowState, look: FilesLook, isCollapsed: boolean): readonly Row[] {
  const files = state.files.get(group.group);
  const { rows, matches, news } = files ? madeOf(group, files, state, look) : { rows: [], matches: 0, news: 0 };
  if (look.filter !== '' && matches === 0) return [];
  const total = files?.rows.length ?? 0;
  const count = !files?.isLoaded
    ? ''
    : look.filter === ''
      ? plural(total, '{0} file', '{0} files')
      : t('{0} of {1} files', matches, total);
  const fresh = news > 0 ? t('● {0} new', news) : '';
  return [
    {
      id: `files:${group.group}`,
      label: shown(group.name),
      description: joined(count, fresh),
      tooltip: [
        shown(group.name),
        ...(count === '' ? [] : [count]),
        ...(news > 0
          ? [plural(news, '{0} file is new since you last looked', '{0} files are new since you last looked')]
          : []),
      ],
      icon: { theme: 'organization' },
      context: `filesGroup${news > 0 ? ' new' : ''}`,
      subject: { group: group.name },
      isCollapsed: isCollapsed && look.filter === '',
      children: rows,
      spoken: [t('Files of group {0}, {1}', shown(group.name), count), ...(news > 0 ? [t('{0} new', news)] : [])].join(
        ', ',
      ),
    },
  ];
}

/**
 * What the view says beside its rows: which filter there is, because the rows that are missing do
 * not say it.
 */
export function filesHead({ filter }: FilesLook, rows: readonly Row[]): Head {
  if (filter === '') return {};
  return {
    description: shown(filter),
    message:
      rows.length > 0
        ? t('Only files with “{0}” in their names are shown.', shown(filter))
        : t('No file has “{0}” in its name.', shown(filter)),
  };
}

interface Made {
  readonly rows: LazyRows;
  /** Files that the filter lets through. */
  readonly matches: number;
  readonly news: number;
}

const made = new WeakMap<Listing<FileRow>, Made & { readonly key: string; readonly look: FilesLook }>();

function madeOf(group: GroupView, files: Listing<FileRow>, state: WindowState, look: FilesLook): Made {
  const holdings = new Holdings(group.group, state);
  const key = `${group.role} ${holdings.key}`;
  const known = made.get(files);
  if (known?.key === key && known.look === look) return known;
  const level = new LevelRows(group, holdings, look, state.overview?.account?.user ?? '');
  const words = filterWords(look.filter);
  const matching = words.length === 0 ? files.rows : files.rows.filter(({ name }) => matches(name, words));
  const trouble = files.error ? [troubleRow(`files:${group.group}:error`, phraseOf(files.error))] : [];
  const rows = new LazyRows(() => [
    ...(words.length === 0 ? level.of(matching, '') : level.flat(matching, words)),
    ...trouble,
  ]);
  const now = {
    key,
    look,
    rows,
    matches: matching.length,
    news: files.rows.filter((file) => level.isNew(file)).length,
  };
  made.set(files, now);
  return now;
}

/** The words of a filter: a name fits when it has them all. */
export const filterWords = (filter: string): readonly string[] =>
  filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');

const matches = (name: string, words: readonly string[]): boolean => {
  const text = name.toLowerCase();
  return words.every((word) => text.includes(word));
};

/** Makes the rows of one group. */
class LevelRows {
  readonly #group: GroupView;
  readonly #holdings: Holdings;
  readonly #look: FilesLook;
  readonly #me: string;
  readonly #seenMs: number;

  constructor(group: GroupView, holdings: Holdings, look: FilesLook, me: string) {
    this.#group = group;
    this.#holdings = holdings;
    this.#look = look;
    this.#me = me;
    this.#seenMs = look.seenMs.get(group.group) ?? Infinity;
  }

  /** Whether somebody else has shared it since I looked, and I have done nothing with it. */
  isNew(file: FileRow): boolean {
    return file.atMs > this.#seenMs && file.author !== this.#me && !this.#holdings.ofVersion(file);
  }

  /** What lies directly in a folder; '' is the group itself. */
  of(files: readonly FileRow[], prefix: string): readonly Row[] {
    const level = levelOf(files, prefix, this.#look.order);
    return this.#cut(prefix, [
      ...level.folders.map((folder) => () => this.#folder(folder)),
      ...level.files.map((file) => () => this.#file(file, file.name.slice(prefix.length))),
    ]);
  }

  /** What a filter has found, by its whole name. */
  flat(files: readonly FileRow[], words: readonly string[]): readonly Row[] {
    return this.#cut(
      '',
      sortedFiles(files, this.#look.order).map((file) => () => ({
        ...this.#file(file, file.name),
        ...highlighted(shown(file.name), words),
      })),
    );
  }

  /** As many of them as are wanted, and a row that stands for the others. */
  #cut(prefix: string, rows: readonly (() => Row)[]): readonly Row[] {
    const { group, name } = this.#group;
    const level = levelKey(group, prefix);
    const max = this.#look.rowsMax.get(level) ?? LEVEL_ROWS;
    const made = rows.slice(0, max).map((make) => make());
    const left = rows.length - made.length;
    if (left === 0) return made;
    const words = t('{0} more', left);
    return [
      ...made,
      {
        id: `more:${level}`,
        label: words,
        description: t('show them, or filter'),
        tooltip: [words],
        icon: { theme: 'ellipsis' },
        context: 'more',
        subject: { group: name, level },
        spoken: words,
      },
    ];
  }

  #folder({ prefix, label, files, sizeBytes }: Folder<FileRow>): Row {
    const { group, name } = this.#group;
    const news = files.filter((file) => this.isNew(file)).length;
    const words = [plural(files.length, '{0} file', '{0} files'), amount(sizeBytes)];
    return {
      id: `folder:${group}:${prefix}`,
      label: shown(label),
      description: joined(...words, news > 0 ? t('● {0} new', news) : ''),
      tooltip: [shown(prefix.slice(0, -1)), words.join(', ')],
      icon: { theme: 'folder' },
      context: 'folder',
      subject: { group: name, folder: prefix },
      isCollapsed: true,
      children: new LazyRows(() => this.of(files, prefix)),
      spoken: [t('Folder {0}', shown(label)), ...words, ...(news > 0 ? [t('{0} new', news)] : [])].join(', '),
    };
  }

  #file(file: FileRow, label: string): Row {
    return fileRow(
      this.#group,
      file,
      label,
      this.#holdings.ofVersion(file),
      this.#holdings.olderThan(file),
      this.isNew(file),
    );
  }
}

const levelKey = (group: GroupId, prefix: string): string => `${group}:${prefix}`;

/**
 * Which levels have to show more so that a file is among them.
 *
 * @param rows  the catalogue of its group
 */
export function levelsTo(
  group: GroupId,
  rows: readonly FileRow[],
  name: string,
  { order, rowsMax }: FilesLook,
): readonly { readonly level: string; readonly rows: number }[] {
  const wanted: { readonly level: string; readonly rows: number }[] = [];
  for (let [files, prefix] = [rows, '']; ;) {
    const { folders, files: own } = levelOf(files, prefix, order);
    const folder = folders.findIndex((one) => name.startsWith(one.prefix));
    const at = own.findIndex((file) => file.name === name);
    const needed = (at >= 0 ? folders.length + at : folder) + 1;
    const level = levelKey(group, prefix);
    if (needed > (rowsMax.get(level) ?? LEVEL_ROWS)) wanted.push({ level, rows: needed });
    const next = at < 0 ? folders[folder] : undefined;
    if (!next) return wanted;
    [files, prefix] = [next.files, next.prefix];
  }
}

/**
 * Where words of a filter stand in a label; a label that does not have them as they were typed has
 * none marked.
 */
function highlighted(label: string, words: readonly string[]): Pick<Row, 'highlights'> {
  const text = label.toLowerCase();
  return {
    highlights: words.flatMap((word) =>
      text.length === label.length && text.includes(word)
        ? [[text.indexOf(word), text.indexOf(word) + word.length] as const]
        : [],
    ),
  };
}

function fileRow(
  { group, name: groupName, role }: GroupView,
  file: FileRow,
  label: string,
  holding: Transfer | undefined,
  older: Transfer | undefined,
  isNew: boolean,
): Row {
  const { name, version, sizeBytes, author, iShare } = file;
  const isWhole = holding !== undefined && isHere(holding);
  const isPartial = holding?.kind === 'download' && holding.state !== 'gone' && !isComplete(holding);
  const isSome = isWhole && holding.sizeBytes < sizeBytes; // chosen files of a folder
  const place =
    iShare || holding?.kind === 'share'
      ? t('shared by you')
      : isSome
        ? t('partly here')
        : isWhole
          ? t('here')
          : older
            ? t('update available')
            : isPartial
              ? comingWords(holding)
              : '';
  const by = iShare ? '' : shown(author);
  const size = amount(sizeBytes);
  const seeds = availability(file);
  const nth = version > 1 ? t('v{0}', version) : '';
  const flags = [
    'file',
    isWhole ? 'here' : isPartial ? 'partial' : 'remote',
    ...(isSome ? ['remote'] : []),
    ...(older ? ['update'] : []),
    ...(iShare || isWhole ? ['served'] : []),
    ...(role === 'owner' || iShare ? ['removable'] : []),
  ];
  return {
    id: `file:${group}:${name}`,
    label: shown(label),
    // what is cut off in a narrow view stands last
    description: joined(isNew ? t('● new') : '', place, size, nth, seeds, by),
    tooltip: {
      facts: JSON.stringify([file, holding?.path, older?.version]),
      lines: () => tooltipOf(file, isWhole ? holding : undefined, older),
    },
    icon: older
      ? { theme: 'arrow-circle-up', color: 'charts.blue' }
      : file.content === 'folder'
        ? { theme: 'folder' }
        : { file: name },
    context: flags.join(' '),
    command: 'openFilesRow',
    ...(file.content !== 'folder' && {
      shared: { place: { group: groupName, name, root: file.root, path: '' }, sizeBytes },
    }),
    subject: {
      group: groupName,
      file: name,
      ...(holding && { transfer: holding.id }),
      ...(isWhole && { path: holding.path }),
    },
    spoken: [
      shown(name),
      isNew ? t('new') : '',
      size,
      version > 1 ? t('version {0}', version) : '',
      seeds,
      place,
      t('shared by {0}', shown(author)),
    ]
      .filter((text) => text !== '')
      .join(', '),
  };
}

function comingWords({ state }: Transfer): string {
  return state === 'failed' ? t('download failed') : state === 'paused' ? t('paused') : t('downloading');
}

/** Whether it could be had now. */
function availability({ seeders, leechers }: FileRow): string {
  if (seeders > 0) return plural(seeders, '{0} seeder', '{0} seeders');
  return leechers > 0 ? t('nobody online has all of it') : t('nobody online has it');
}

function tooltipOf(file: FileRow, here: Transfer | undefined, older: Transfer | undefined): readonly string[] {
  const { name, version, sizeBytes, author, atMs, leechers, sharers, sharersCount, sha256 } = file;
  const when = new Date(atMs).toLocaleString();
  return [
    shown(name),
    t('{0} ({1} bytes)', amount(sizeBytes), sizeBytes.toLocaleString()),
    version > 1
      ? t('Version {0}, shared by {1}, {2}', version, shown(author), when)
      : t('Shared by {0}, {1}', shown(author), when),
    ...(older
      ? [
          older.version > 0
            ? t('You have version {0} of it; Download Update gets this one, and yours stays', older.version)
            : t('You have an older version of it; Download Update gets this one, and yours stays'),
        ]
      : []),
    `${availability(file)}${leechers > 0 ? `, ${t('{0} downloading', leechers)}` : ''}`,
    ...(sharersCount > 1
      ? [t('Sharers: {0}', sharers.map(shown).join(', ') + (sharersCount > sharers.length ? ' …' : ''))]
      : []),
    ...(here ? [t('On this machine: {0}', shown(here.path))] : []),
    `SHA-256 ${sha256}`,
  ];
}

const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' · ');
