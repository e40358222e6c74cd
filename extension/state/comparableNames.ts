// The names of files that can be compared with a shared version: of those in the catalogues and of
// those shared or downloaded here. The explorer's menu asks for them by the `when` key
// `shoal.sharedNames` (contextKeys.ts).
import path from 'node:path';
import type { WindowState } from './state.ts';

/**
 * More names than this are not told: VS Code looks them through for every menu. Files of this
 * machine come first.
 */
const NAMES_MAX = 2_000;

let last:
  | {
      readonly files: WindowState['files'];
      readonly transfers: WindowState['transfers'];
      readonly names: readonly string[];
    }
  | undefined;

/**
 * The same list as long as it says the same, so that the key is not set anew at every byte of a
 * download.
 */
export function comparableNames({ files, transfers }: Pick<WindowState, 'files' | 'transfers'>): readonly string[] {
  if (last && last.files === files && samePaths(last.transfers, transfers)) return last.names;
  const current = namesIn({ files, transfers });
  const names = last && current.join('\n') === last.names.join('\n') ? last.names : current;
  last = { files, transfers, names };
  return names;
}

/** A download may get another name when it comes: `name (2)`. */
const samePaths = (before: WindowState['transfers'], now: WindowState['transfers']): boolean =>
  before === now ||
  (before.size === now.size && [...now].every(([id, transfer]) => before.get(id)?.path === transfer.path));

function namesIn({ transfers, files }: Pick<WindowState, 'files' | 'transfers'>): readonly string[] {
  const names = new Set<string>();
  for (const transfer of transfers.values()) if (transfer.content === 'file') names.add(path.basename(transfer.path));
  for (const { rows } of files.values()) {
    for (const { name, content } of rows) {
      if (content !== 'folder' && names.size < NAMES_MAX) names.add(path.posix.basename(name));
    }
  }
  return [...names].slice(0, NAMES_MAX);
}
