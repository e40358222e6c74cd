// Whether the extension that started an engine is still installed. VS Code tells nobody but its own
// windows; what it leaves on disk tells the rest.
import fs from 'node:fs';
import path from 'node:path';

/**
 * VS Code notes an extension that was uninstalled, or replaced by another version, in the file
 * `.obsolete` beside its folder, by the folder's name, and removes the folder at a later start.
 *
 * @param folder  of the extension, absolute
 */
export function wasUninstalled(folder: string): boolean {
  if (!fs.existsSync(folder)) return true;
  try {
    const obsolete = JSON.parse(fs.readFileSync(path.join(path.dirname(folder), '.obsolete'), 'utf8')) as Readonly<
      Record<string, unknown>
    >;
    return obsolete[path.basename(folder)] === true;
  } catch {
    return false; // there is no such file, or it is being written
  }
}
