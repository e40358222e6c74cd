// Shared names as folders: `data/raw/a.csv` lies in data/raw. One level at a time, because nobody
// opens all of them. Pure.
import type { FileRow } from '../../protocol/messages/trackerLink.ts';
import type { FilesOrder } from '../common/settings.ts';

/** The part of a file's row that says where it stands. */
export type SortableFile = Pick<FileRow, 'name' | 'sizeBytes' | 'atMs'>;

export interface Folder<F extends SortableFile> {
  /** What the names of its files begin with, the last slash included. */
  readonly prefix: string;
  /** Its name below the folder it is in; `data/raw` where `data` holds nothing else. */
  readonly label: string;
  readonly files: readonly F[];
  readonly sizeBytes: number;
  readonly newestMs: number;
}

export interface Level<F extends SortableFile> {
  readonly folders: readonly Folder<F>[];
  readonly files: readonly F[];
}

/**
 * Folders in folders that are shown: whoever names a file with more slashes has its name in one row
 * from there on.
 */
export const FOLDERS_DEEP_MAX = 24;

/**
 * What lies directly in a folder, sorted.
 *
 * @param files  all that lie somewhere in it
 * @param prefix  what their names begin with: '' for all of a group
 */
export function levelOf<F extends SortableFile>(files: readonly F[], prefix: string, order: FilesOrder): Level<F> {
  const own: F[] = [];
  const below = new Map<string, F[]>();
  const isDeepest = prefix.split('/').length > FOLDERS_DEEP_MAX;
  for (const file of files) {
    const cut = isDeepest ? -1 : file.name.indexOf('/', prefix.length);
    if (cut < 0) {
      own.push(file);
      continue;
    }
    const folder = file.name.slice(0, cut + 1);
    const known = below.get(folder);
    if (known) known.push(file);
    else below.set(folder, [file]);
  }
  return { folders: foldersIn([...below], prefix, order), files: sortedFiles(own, order) };
}

export function sortedFiles<F extends SortableFile>(files: readonly F[], order: FilesOrder): readonly F[] {
  switch (order) {
    case 'name':
      return byName(files, ({ name }) => name);
    case 'newest':
      return [...files].sort((a, b) => b.atMs - a.atMs || compare(a.name, b.name));
    case 'size':
      return [...files].sort((a, b) => b.sizeBytes - a.sizeBytes || compare(a.name, b.name));
  }
}

function foldersIn<F extends SortableFile>(
  all: readonly (readonly [string, readonly F[]])[],
  above: string,
  order: FilesOrder,
): readonly Folder<F>[] {
  const folders = all.map(([first, files]): Folder<F> => {
    const prefix = commonFolder(files, first);
    return {
      prefix,
      label: prefix.slice(above.length, -1),
      files,
      sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      newestMs: files.reduce((newest, { atMs }) => Math.max(newest, atMs), 0),
    };
  });
  switch (order) {
    case 'name':
      return byName(folders, ({ label }) => label);
    case 'newest':
      return folders.sort((a, b) => b.newestMs - a.newestMs || compare(a.prefix, b.prefix));
    case 'size':
      return folders.sort((a, b) => b.sizeBytes - a.sizeBytes || compare(a.prefix, b.prefix));
  }
}

/**
 * The deepest folder that holds all of them: one that holds nothing but another is no row of its
 * own, as in VS Code's explorer.
 */
function commonFolder(files: readonly SortableFile[], first: string): string {
  let prefix = first;
  for (let depth = prefix.split('/').length; depth <= FOLDERS_DEEP_MAX; depth++) {
    const cut = files[0]?.name.indexOf('/', prefix.length) ?? -1;
    const deeper = files[0]?.name.slice(0, cut + 1) ?? '';
    if (cut < 0 || !files.every(({ name }) => name.startsWith(deeper))) break;
    prefix = deeper;
  }
  return prefix;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Digits a number in a name may have to be sorted as a number. */
const DIGITS = 16;

/**
 * As people expect it: `part 2` before `part 10`. A key for each name once: an `Intl.Collator` that
 * knows numbers takes a second for so many names.
 */
function byName<T>(all: readonly T[], nameOf: (one: T) => string): readonly T[] {
  const keyed = all.map((one) => ({
    one,
    name: nameOf(one),
    key: nameOf(one)
      .toLowerCase()
      .replace(/\d+/g, (digits) => digits.padStart(DIGITS, '0')),
  }));
  return keyed.sort((a, b) => compare(a.key, b.key) || compare(a.name, b.name)).map(({ one }) => one);
}
