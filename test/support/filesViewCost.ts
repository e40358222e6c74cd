// What a large catalogue costs the thread that all extensions share: the rows of the view Files,
// from the catalogue to what VS Code is told of a change, without VS Code itself.
// `measureFilesView` gives CPU time; `filesViewWork` counts what is made, for tests, which assert
// no times.
import type { Listing, WindowState } from '../../extension/state/state.ts';
import { INITIAL_STATE } from '../../extension/state/state.ts';
import { fileSearch } from '../../extension/state/fileSearch.ts';
import { fileRows, DEFAULT_OPTIONS } from '../../extension/views/files.ts';
import { childrenOf, LazyRows } from '../../extension/views/row.ts';
import type { Row } from '../../extension/views/row.ts';
import { diffRows } from '../../extension/views/rowDiff.ts';
import type { FileRow } from '../../protocol/messages/trackerLink.ts';
import { aFile, aGroup, anOverview } from './fakes/fakeEngine.ts';

/** A window in one group of so many files, as `flat` names or in folders of a hundred. */
export function catalogue(files: number, flat: boolean): WindowState {
  const rows = Array.from({ length: files }, (_, n) =>
    aFile({ name: flat ? `file-${n}.bin` : `data/set-${Math.floor(n / 100)}/file-${n}.bin`, atMs: n }),
  );
  return withFiles(
    { ...INITIAL_STATE, engine: 'up', overview: anOverview(), knowsGroups: true, groups: [aGroup({ requests: [] })] },
    rows,
  );
}

export function withFiles(state: WindowState, rows: readonly FileRow[]): WindowState {
  const listing: Listing<FileRow> = { rows, isLoaded: true, error: undefined };
  return { ...state, files: new Map([[aGroup().group, listing]]) };
}

/**
 * The same catalogue as it is read again: all rows are other objects, and of some the number of
 * seeders has changed.
 */
export const readAgain = (state: WindowState, changed: number): WindowState =>
  withFiles(
    state,
    (state.files.get(aGroup().group)?.rows ?? []).map((file, n) => ({
      ...file,
      seeders: n < changed ? file.seeders + 1 : file.seeders,
    })),
  );

/** Rows that were made, those below rows that nobody has opened left out. */
export const madeIn = (rows: readonly Row[]): number =>
  rows.reduce(
    (sum, row) => sum + 1 + (row.children instanceof LazyRows && !row.children.isCreated ? 0 : madeIn(childrenOf(row))),
    0,
  );

export interface FilesViewCost {
  /** From the catalogue to the rows of its group, opened. */
  readonly firstRowsMs: number;
  /** One file more. */
  readonly newFileMs: number;
  /** The catalogue read again, with a hundred files of which others seed now. */
  readonly presenceMs: number;
  /** Anything else, such as a speed. */
  readonly otherMs: number;
  /** Go to Shared File: the list is opened, and a letter typed. */
  readonly openSearchMs: number;
  readonly searchMs: number;
}

/** CPU time of this process, the median of some rounds. */
export function measureFilesView(files: number, flat: boolean, rounds = 9): FilesViewCost {
  const all = Array.from({ length: rounds }, () => measureOnce(files, flat));
  const median = (of: keyof FilesViewCost): number =>
    all.map((one) => one[of]).sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? NaN;
  return {
    firstRowsMs: median('firstRowsMs'),
    newFileMs: median('newFileMs'),
    presenceMs: median('presenceMs'),
    otherMs: median('otherMs'),
    openSearchMs: median('openSearchMs'),
    searchMs: median('searchMs'),
  };
}

function measureOnce(files: number, flat: boolean): FilesViewCost {
  const state = catalogue(files, flat);
  const rows = state.files.get(aGroup().group)?.rows ?? [];
  const [more, again] = [withFiles(state, [...rows, aFile({ name: 'one-more.bin' })]), readAgain(state, 100)];
  const look = { ...DEFAULT_OPTIONS, seenMs: new Map([[aGroup().group, files - 3]]) };
  const open = (of: WindowState): readonly Row[] => {
    const made = fileRows(of, look);
    made.forEach(childrenOf);
    return made;
  };
  const [firstRowsMs, before] = timed(() => open(state));
  const [otherMs] = timed(() =>
    diffRows(before, fileRows({ ...state, overview: anOverview({ downBytesPerS: 1 }) }, look)),
  );
  const [newFileMs] = timed(() => diffRows(before, open(more)));
  const [presenceMs] = timed(() => diffRows(before, open(again)));
  const [openSearchMs, search] = timed(() => fileSearch(state));
  const [searchMs] = timed(() => search('fiel 77'));
  return { firstRowsMs, newFileMs, presenceMs, otherMs, openSearchMs, searchMs };
}

function timed<T>(act: () => T): readonly [ms: number, result: T] {
  const before = process.cpuUsage();
  const result = act();
  const { user, system } = process.cpuUsage(before);
  return [(user + system) / 1000, result];
}
