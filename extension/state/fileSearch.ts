// Finds files of all groups by what a person types. Pure; pickers.ts shows what was found.
import type { FileRow } from '../../protocol/messages/trackerLink.ts';
import type { Searchable } from './fuzzySearch.ts';
import { bestOf, searchable } from './fuzzySearch.ts';
import type { WindowState } from './state.ts';
import { myGroups } from './state.ts';

/** A file in a group's catalogue. */
export interface FileInGroup {
  readonly group: string;
  readonly file: FileRow;
}

/**
 * Files that are shown of those that fit: nobody looks through more, and each costs VS Code a row.
 */
export const FOUND_MAX = 200;

/**
 * Makes all files that fit ready once; what it gives finds the best of them for what is typed,
 * group by group when nothing is.
 */
export function fileSearch(
  state: WindowState,
  fits: (file: FileRow) => boolean = () => true,
): (typed: string) => readonly FileInGroup[] {
  const groups = [...myGroups(state)].sort((a, b) => a.name.localeCompare(b.name));
  const all: readonly Searchable<FileInGroup>[] = groups.flatMap(({ group, name }) =>
    (state.files.get(group)?.rows ?? []).filter(fits).map((file) => searchable(file.name, { group: name, file })),
  );
  return (typed) => bestOf(all, typed, FOUND_MAX);
}
