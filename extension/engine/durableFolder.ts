// A folder that is still there after a power cut: its name in each folder above it is synced, not only what is in it.
import path from 'node:path';
import type { Disk } from '../../protocol/world.ts';

/** Makes a folder with all that are missing above it. Throws what the disk throws. */
export async function makeDurableFolder(disk: Disk, folder: string, mode?: number): Promise<void> {
  const missing: string[] = [];
  for (let here = folder; !(await disk.stat(here, 'follow')) && path.dirname(here) !== here; here = path.dirname(here)) missing.push(here);
  await disk.makeFolder(folder, mode);
  for (const made of missing.reverse()) await disk.syncFolder(path.dirname(made));
}
