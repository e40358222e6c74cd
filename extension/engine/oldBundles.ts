// Bundles in the home that no engine runs from any more.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Home } from '../../protocol/home/home.ts';
import { IS_BUNDLE } from '../../protocol/version.ts';

/** Removes bundles that no engine runs from any more: those older than its own. Only for the elected engine. */
export function removeOldBundles(home: Home): void {
  const own = path.dirname(fileURLToPath(import.meta.url));
  if (!IS_BUNDLE || path.dirname(own) !== home.binFolder) return;
  const madeMs = fs.statSync(own).mtimeMs; // one that is younger may be about to be started
  for (const name of fs.readdirSync(home.binFolder)) {
    const other = path.join(home.binFolder, name);
    if (fs.statSync(other).mtimeMs < madeMs) fs.rmSync(other, { recursive: true, force: true });
  }
}
