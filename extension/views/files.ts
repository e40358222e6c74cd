// The view Files: what is shared in each of my groups, in folders by its names. Pure; a group's
// rows are made again only when its catalogue, what we have of it, or how the person wants to see
// it has changed, and only those that somebody looks at.
import { formatBytes } from '../../protocol/frontend/format.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import type { FileRow, GroupView } from '../../protocol/messages/trackerLink.ts';
import { errorPhrase } from '../messages/errorMessages.ts';
import { LocalCopies } from '../state/localCopies.ts';
import type { Listing, WindowState } from '../state/state.ts';
import { hasNoFiles, myGroups } from '../state/state.ts';
import { plural, printableName, t } from '../common/l10n.ts';
import type { FilesOrder } from '../common/settings.ts';
import type { Folder } from './fileTree.ts';
import { fileRow } from './fileRow.ts';
import { levelOf, sortedFiles } from './fileTree.ts';
import { problemRow } from './groups.ts';
import { joined, LazyRows } from './row.ts';
import type { Head, Row } from './row.ts';

/** With so many groups or fewer all are open at first. */
const OPEN_GROUPS_MAX = 4;
/**
 * Rows of one level that are shown at first, and more at each wish for more: VS Code makes all rows
 * of a level that is open.
 */
export const LEVEL_ROWS = 1_000;

/** How the person wants to see the files. */
export interface FilesViewOptions {
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

export const DEFAULT_OPTIONS: FilesViewOptions = { order: 'name', filter: '', rowsMax: new Map(), seenMs: new Map() };

export function fileRows(state: WindowState, options: FilesViewOptions = DEFAULT_OPTIONS): readonly Row[] {
  if (hasNoFiles(state)) return []; // then the welcome text says what to do
  const groups = [...myGroups(state)].sort((a, b) => a.name.localeCompare(b.name));
  return groups.flatMap((group) => groupRow(group, state, options, groups.length > OPEN_GROUPS_MAX));
}

function groupRow(
  group: GroupView,
  state: WindowState,
  options: FilesViewOptions,
  isCollapsed: boolean,
): readonly Row[] {
  const files = state.files.get(group.group);
  const { rows, matches, newCount } = files
    ? cachedRowsOf(group, files, state, options)
    : { rows: [], matches: 0, newCount: 0 };
  if (options.filter !== '' && matches === 0) return [];
  const total = files?.rows.length ?? 0;
  const count = !files?.isLoaded
    ? ''
    : options.filter === ''
      ? plural(total, '{0} file', '{0} files')
      : t('{0} of {1} files', matches, total);
  const newText = newCount > 0 ? t('● {0} new', newCount) : '';
  return [
    {
      id: `files:${group.group}`,
      label: printableName(group.name),
      description: joined(count, newText),
      tooltip: [
        printableName(group.name),
        ...(count === '' ? [] : [count]),
        ...(newCount > 0
          ? [plural(newCount, '{0} file is new since you last looked', '{0} files are new since you last looked')]
          : []),
      ],
      icon: { theme: 'organization' },
      context: `filesGroup${newCount > 0 ? ' new' : ''}`,
      subject: { group: group.name },
      isCollapsed: isCollapsed && options.filter === '',
      children: rows,
      spoken: [
        t('Files of group {0}, {1}', printableName(group.name), count),
        ...(newCount > 0 ? [t('{0} new', newCount)] : []),
      ].join(', '),
    },
  ];
}

/**
 * What the view says beside its rows: which filter there is, because the rows that are missing do
 * not say it.
 */
export function filesHeader({ filter }: FilesViewOptions, rows: readonly Row[]): Head {
  if (filter === '') return {};
  return {
    description: printableName(filter),
    message:
      rows.length > 0
        ? t('Only files with “{0}” in their names are shown.', printableName(filter))
        : t('No file has “{0}” in its name.', printableName(filter)),
  };
}

interface CachedRows {
  readonly rows: LazyRows;
  /** Files that the filter lets through. */
  readonly matches: number;
  readonly newCount: number;
}

const rowCache = new WeakMap<
  Listing<FileRow>,
  CachedRows & { readonly key: string; readonly options: FilesViewOptions }
>();

function cachedRowsOf(
  group: GroupView,
  files: Listing<FileRow>,
  state: WindowState,
  options: FilesViewOptions,
): CachedRows {
  const localCopies = new LocalCopies(group.group, state);
  const key = `${group.role} ${localCopies.key}`;
  const cached = rowCache.get(files);
  if (cached?.key === key && cached.options === options) return cached;
  const level = new LevelRows(group, localCopies, options, state.overview?.account?.user ?? '');
  const words = filterText(options.filter);
  const matching = words.length === 0 ? files.rows : files.rows.filter(({ name }) => matches(name, words));
  const problem = files.error ? [problemRow(`files:${group.group}:error`, errorPhrase(files.error))] : [];
  const rows = new LazyRows(() => [
    ...(words.length === 0 ? level.of(matching, '') : level.flat(matching, words)),
    ...problem,
  ]);
  const result = {
    key,
    options,
    rows,
    matches: matching.length,
    newCount: files.rows.filter((file) => level.isNew(file)).length,
  };
  rowCache.set(files, result);
  return result;
}

/** The words of a filter: a name fits when it has them all. */
export const filterText = (filter: string): readonly string[] =>
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
  readonly #localCopies: LocalCopies;
  readonly #options: FilesViewOptions;
  readonly #me: string;
  readonly #seenMs: number;

  constructor(group: GroupView, localCopies: LocalCopies, options: FilesViewOptions, me: string) {
    this.#group = group;
    this.#localCopies = localCopies;
    this.#options = options;
    this.#me = me;
    this.#seenMs = options.seenMs.get(group.group) ?? Infinity;
  }

  /** Whether somebody else has shared it since I looked, and I have done nothing with it. */
  isNew(file: FileRow): boolean {
    return file.atMs > this.#seenMs && file.author !== this.#me && !this.#localCopies.ofVersion(file);
  }

  /** What lies directly in a folder; '' is the group itself. */
  of(files: readonly FileRow[], prefix: string): readonly Row[] {
    const level = levelOf(files, prefix, this.#options.order);
    return this.#truncate(prefix, [
      ...level.folders.map((folder) => () => this.#folder(folder)),
      ...level.files.map((file) => () => this.#file(file, file.name.slice(prefix.length))),
    ]);
  }

  /** What a filter has found, by its whole name. */
  flat(files: readonly FileRow[], words: readonly string[]): readonly Row[] {
    return this.#truncate(
      '',
      sortedFiles(files, this.#options.order).map((file) => () => ({
        ...this.#file(file, file.name),
        ...highlighted(printableName(file.name), words),
      })),
    );
  }

  /** As many of them as are wanted, and a row that stands for the others. */
  #truncate(prefix: string, rows: readonly (() => Row)[]): readonly Row[] {
    const { group, name } = this.#group;
    const level = levelKey(group, prefix);
    const max = this.#options.rowsMax.get(level) ?? LEVEL_ROWS;
    const shown = rows.slice(0, max).map((make) => make());
    const left = rows.length - shown.length;
    if (left === 0) return shown;
    const label = t('{0} more', left);
    return [
      ...shown,
      {
        id: `more:${level}`,
        label,
        description: t('show them, or filter'),
        tooltip: [label],
        icon: { theme: 'ellipsis' },
        context: 'more',
        subject: { group: name, level },
        spoken: label,
      },
    ];
  }

  #folder({ prefix, label, files, sizeBytes }: Folder<FileRow>): Row {
    const { group, name } = this.#group;
    const newCount = files.filter((file) => this.isNew(file)).length;
    const facts = [plural(files.length, '{0} file', '{0} files'), formatBytes(sizeBytes)];
    return {
      id: `folder:${group}:${prefix}`,
      label: printableName(label),
      description: joined(...facts, newCount > 0 ? t('● {0} new', newCount) : ''),
      tooltip: [printableName(prefix.slice(0, -1)), facts.join(', ')],
      icon: { theme: 'folder' },
      context: 'folder',
      subject: { group: name, folder: prefix },
      isCollapsed: true,
      children: new LazyRows(() => this.of(files, prefix)),
      spoken: [t('Folder {0}', printableName(label)), ...facts, ...(newCount > 0 ? [t('{0} new', newCount)] : [])].join(
        ', ',
      ),
    };
  }

  #file(file: FileRow, label: string): Row {
    return fileRow(this.#group, file, {
      label,
      localCopy: this.#localCopies.ofVersion(file),
      older: this.#localCopies.olderThan(file),
      isNew: this.isNew(file),
    });
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
  { order, rowsMax }: FilesViewOptions,
): readonly { readonly level: string; readonly rows: number }[] {
  const levels: { readonly level: string; readonly rows: number }[] = [];
  for (let [files, prefix] = [rows, '']; ;) {
    const { folders, files: own } = levelOf(files, prefix, order);
    const folder = folders.findIndex((one) => name.startsWith(one.prefix));
    const at = own.findIndex((file) => file.name === name);
    const needed = (at >= 0 ? folders.length + at : folder) + 1;
    const level = levelKey(group, prefix);
    if (needed > (rowsMax.get(level) ?? LEVEL_ROWS)) levels.push({ level, rows: needed });
    const next = at < 0 ? folders[folder] : undefined;
    if (!next) return levels;
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
