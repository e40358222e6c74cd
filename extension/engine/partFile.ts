// A download on disk until it is whole: a part file in the destination's own volume, published under its final name in one step that
// never overwrites anything (`trust.md` 6). Knows files and names, no pieces.
import path from 'node:path';
import { asShoalError, ShoalError, systemCode } from '../../protocol/errors.ts';
import type { Root } from '../../protocol/ids.ts';
import type { Chance, Disk, DiskFile } from '../../protocol/world.ts';
import { makeDurableFolder } from './durableFolder.ts';

/** The folder beside the final name in which unfinished files lie. It ignores itself in git. */
const PART_FOLDER = '.shoal-part';
/** How much more than the file must be free before a download begins: 1 %. */
const FREE_MARGIN = 1.01;
/** Names tried for `name (2)`. */
const RENAMES_MAX = 1000;

export interface PartFile {
  readonly path: string;
  readonly file: DiskFile;
}

/**
 * Makes an empty part file of full size for a file that shall become `destination`.
 *
 * @throws ShoalError destinationUnwritable, diskFull
 */
export async function createPart(disk: Disk, chance: Chance, destination: string, root: Root, sizeBytes: number): Promise<PartFile> {
  const folder = path.join(path.dirname(destination), PART_FOLDER);
  try {
    await makeDurableFolder(disk, path.dirname(destination));
    await disk.makeFolder(folder, 0o700);
    await ignoreInGit(disk, folder);
    if ((await disk.freeBytes(folder)) < sizeBytes * FREE_MARGIN) throw new ShoalError('diskFull', { path: destination });
    // The nonce keeps a record of an older download from ever being taken for this one.
    const name = path.join(folder, `${root.slice(0, 16)}-${chance.bytes(8).toString('hex')}.part`);
    const file = await disk.open(name, 'create');
    await file.truncate(sizeBytes);
    return { path: name, file };
  } catch (error) {
    throw diskError(error, destination);
  }
}

async function ignoreInGit(disk: Disk, folder: string): Promise<void> {
  const ignore = path.join(folder, '.gitignore');
  if (await disk.stat(ignore)) return;
  const file = await disk.open(ignore, 'create').catch((error: unknown) => {
    if (systemCode(error) === 'EEXIST') return undefined; // another download of the same moment
    throw error;
  });
  await file?.write(Buffer.from('*\n'), 0);
  await file?.close();
}

/** Opens the part file of an earlier run; undefined when it is gone or has another size: then the download begins anew. */
export async function reopenPart(disk: Disk, name: string, sizeBytes: number): Promise<PartFile | undefined> {
  const stat = await disk.stat(name);
  if (stat?.kind !== 'file' || stat.sizeBytes !== sizeBytes) return undefined;
  return { path: name, file: await disk.open(name, 'write') };
}

/**
 * Publishes a whole part file under its final name: synced before, never over something else, durable after. Returns the name it got,
 * which is another one only with `rename`.
 *
 * @throws ShoalError destinationExists, destinationUnwritable, diskFull; the part file is kept
 */
export async function publish(disk: Disk, part: PartFile, destination: string, rename: boolean): Promise<string> {
  try {
    await part.file.sync();
    for (let n = 1; n <= RENAMES_MAX; n++) {
      const name = n === 1 ? destination : numbered(destination, n);
      if (await linkTo(disk, part.path, name)) {
        await disk.syncFolder(path.dirname(name));
        await disk.remove(part.path);
        return name;
      }
      if (!rename) break;
    }
  } catch (error) {
    throw diskError(error, destination);
  }
  throw new ShoalError('destinationExists', { path: destination });
}

/** Gives the file its name if nobody has it. */
async function linkTo(disk: Disk, from: string, to: string): Promise<boolean> {
  try {
    await disk.link(from, to);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return isSameFile(disk, from, to);
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
  }
  // Where a volume has no second names: take the name first, exclusively, then move over what is ours.
  try {
    await (await disk.open(to, 'create')).close();
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  await disk.rename(from, to);
  return true;
}

/** After a crash between the link and the removal of the part file, the final name is there already and is this file. */
async function isSameFile(disk: Disk, from: string, to: string): Promise<boolean> {
  const [a, b] = [await disk.stat(from), await disk.stat(to)];
  return a !== undefined && b !== undefined && a.device === b.device && a.inode === b.inode && a.inode !== 0n;
}

/** `name (2).ext` */
export function numbered(name: string, n: number): string {
  const { dir, name: stem, ext } = path.parse(name);
  return path.join(dir, `${stem} (${n})${ext}`);
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'not allowed', EPERM: 'not allowed', EROFS: 'it is read-only', ENOTDIR: 'a part of the path is no folder', ENOENT: 'the folder is gone',
  EIO: 'the disk reports an error', ENAMETOOLONG: 'the name is too long', EEXIST: 'a part of the path is no folder',
};

/** What the disk said, as the person should hear it. */
export function diskError(error: unknown, place: string): ShoalError {
  if (error instanceof ShoalError) return error;
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return new ShoalError('diskFull', { path: place }, { cause: error });
  if (code !== undefined) return new ShoalError('destinationUnwritable', { path: place, why: REASONS[code] ?? code }, { cause: error });
  return asShoalError(error);
}
