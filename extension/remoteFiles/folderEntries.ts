// A folder's files as a person chooses among them: each folder in it before what it holds, and of
// what was chosen the fewest names that mean the same. Pure; commands/fileSelection.ts asks.
import { CHOSEN_MAX } from '../../protocol/messages/engineLink.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import { t } from '../common/l10n.ts';

/** Rows that a list of VS Code shows without delay. */
export const ENTRIES_MAX = 5_000;

export interface FileInFolder {
  readonly path: string;
  readonly sizeBytes: number;
}

export interface Entry {
  /** From the top of the folder; that of a folder ends with a slash. */
  readonly path: string;
  readonly sizeBytes: number;
  /** How many files it stands for; 0 for a file itself. */
  readonly files: number;
}

/** What there is to choose: of too much, first the folders, which stand for all that is in them. */
export function entriesOf(files: readonly FileInFolder[], entriesMax = ENTRIES_MAX): readonly Entry[] {
  const folders = new Map<string, { readonly path: string; sizeBytes: number; files: number }>();
  for (const { path, sizeBytes } of files) {
    for (let cut = path.indexOf('/'); cut >= 0; cut = path.indexOf('/', cut + 1)) {
      const above = path.slice(0, cut + 1);
      const folder = folders.get(above) ?? { path: above, sizeBytes: 0, files: 0 };
      folder.sizeBytes += sizeBytes;
      folder.files++;
      folders.set(above, folder);
    }
  }
  const all: readonly Entry[] = [
    ...folders.values(),
    ...files.map(({ path, sizeBytes }) => ({ path, sizeBytes, files: 0 })),
  ];
  return all.slice(0, entriesMax).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * The names by which the engine is told of what was chosen. @throws ShoalError usage when they are
 * too many
 */
export function namesOf(chosen: readonly Entry[]): readonly string[] {
  const names = outermost(chosen).map(({ path }) => path);
  if (names.length > CHOSEN_MAX) {
    throw new ShoalError('usage', {
      why: t('at most {0} files and folders can be chosen one by one; choose the folders they are in', CHOSEN_MAX),
    });
  }
  return names;
}

export const bytesOf = (chosen: readonly Entry[]): number =>
  outermost(chosen).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/** Without what is in a folder that was chosen, too. */
function outermost(chosen: readonly Entry[]): readonly Entry[] {
  const folders = new Set(chosen.filter(({ files }) => files > 0).map(({ path }) => path));
  const isWithin = (path: string): boolean => {
    for (let cut = path.indexOf('/'); cut >= 0 && cut < path.length - 1; cut = path.indexOf('/', cut + 1)) {
      if (folders.has(path.slice(0, cut + 1))) return true;
    }
    return false;
  };
  return chosen.filter(({ path }) => !isWithin(path));
}
