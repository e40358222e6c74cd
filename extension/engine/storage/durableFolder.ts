// A folder that is still there after a power cut: its name in each folder above it is synced, not
// only what is in it.
import path from 'node:path';
import { systemCode } from '../../../protocol/base/errors.ts';
import type { Disk } from '../../../protocol/base/world.ts';

/**
 * Makes a folder with all that are missing above it. One that is there already may have been made a
 * moment ago by a run that was killed before it could sync that, so all are synced; for those that
 * are on the disk it costs next to nothing. Throws what the disk throws.
 */
export async function makeDurableFolder(disk: Disk, folder: string, mode?: number): Promise<void> {
  await disk.makeFolder(folder, mode);
  for (let here = folder; path.dirname(here) !== here; here = path.dirname(here)) {
    await disk.syncFolder(path.dirname(here)).catch((error: unknown) => {
      // Where we may not even look, we have made nothing.
      if (systemCode(error) !== 'EACCES' && systemCode(error) !== 'EPERM') throw error;
    });
  }
}
