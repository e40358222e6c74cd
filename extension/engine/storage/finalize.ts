// The last step of a download: its part file gets its final name, synced before, never over
// something else, durable after (extension/engine/README.md, 2). A volume refuses a name that is
// taken by its own rules, upper and lower case included, so nothing here has to know them.
import path from 'node:path';
import { ShoalError, systemCode } from '../../../protocol/base/errors.ts';
import type { Disk, DiskFile, DiskStat } from '../../../protocol/base/world.ts';
import { diskError } from './diskErrors.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import { identityMismatch } from '../hashing/fileIdentity.ts';

/** Names tried for `name (2)`. */
export const RENAMES_MAX = 1000;

export interface FinalizeRequest {
  readonly destination: string;
  /** How many folders above the file belong to its own name: in them no link is followed. */
  readonly ownFolders: number;
  /** Whether it may become `name (2)`. */
  readonly rename: boolean;
  /** The damaged file it stands in for: that one is replaced, if it still is that one. */
  readonly replaces: FileIdentity | undefined;
  /** The name that an earlier run was about to give it. */
  readonly claimed: string;
  /** Writes down which name is about to be taken, where that takes two steps. */
  readonly claim: (name: string) => Promise<void>;
}

/**
 * Gives a part file that is synced its final name, and returns it. Afterwards the part file has two
 * names, or only the final one.
 *
 * @throws ShoalError destinationExists, destinationUnwritable, diskFull; the part file is kept
 */
export async function finalize(
  disk: Disk,
  part: { readonly path: string; readonly file: DiskFile },
  request: FinalizeRequest,
): Promise<string> {
  const { destination, rename } = request;
  try {
    await checkFolders(disk, destination, request.ownFolders);
    const [named, open] = [await disk.stat(part.path), await part.file.stat()];
    if (named?.inode !== open.inode || named.device !== open.device) {
      throw new ShoalError('destinationUnwritable', { path: destination, why: 'its unfinished file was moved away' });
    }
    for (let n = 1; n <= RENAMES_MAX; n++) {
      const name = n === 1 ? destination : numbered(destination, n);
      if (await takeName(disk, part.path, name, request)) {
        await disk.syncFolder(path.dirname(name));
        return name;
      }
      if (!rename) break;
    }
  } catch (error) {
    throw diskError(error, destination);
  }
  throw new ShoalError('destinationExists', { path: destination });
}

/**
 * No folder that belongs to the name of the file may be a link: it would lead out of the folder
 * that the person chose.
 *
 * @throws ShoalError destinationUnwritable
 */
export async function checkFolders(disk: Disk, destination: string, ownFolders: number): Promise<void> {
  let folder = path.dirname(destination);
  for (let n = 0; n < ownFolders; n++, folder = path.dirname(folder)) {
    const stat = await disk.stat(folder);
    if (stat && stat.kind !== 'folder') {
      throw new ShoalError('destinationUnwritable', {
        path: destination,
        why: stat.kind === 'link' ? 'a part of the path is a link' : 'a part of the path is no folder',
      });
    }
  }
}

/** Gives the file its name if nobody has it. */
async function takeName(
  disk: Disk,
  from: string,
  to: string,
  { replaces, claimed, claim }: FinalizeRequest,
): Promise<boolean> {
  const there = await disk.stat(to);
  if (there && replaces && identityMismatch(replaces, there) === undefined) {
    await claim(to);
    await disk.rename(from, to);
    return true;
  }
  try {
    await disk.link(from, to);
    return true;
  } catch (error) {
    const code = systemCode(error);
    // After a crash behind the link, the final name is there already and is this file.
    if (code === 'EEXIST') {
      return (
        isSame(await disk.stat(from), await disk.stat(to)) ||
        (claimed === to && isReservation(there) && moveTo(disk, from, to))
      );
    }
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
  }
  // Where a volume has no second names: the name is taken first, exclusively, by an empty file;
  // then what is ours is moved over that.
  if (there) return claimed === to && isReservation(there) && moveTo(disk, from, to);
  await claim(to);
  try {
    await (await disk.open(to, 'create')).close();
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    await claim('');
    return false;
  }
  return moveTo(disk, from, to);
}

async function moveTo(disk: Disk, from: string, to: string): Promise<true> {
  await disk.rename(from, to);
  return true;
}

/**
 * An empty file under the name that was written down when nobody had it: what a crash between the
 * two steps leaves.
 */
const isReservation = (stat: DiskStat | undefined): boolean => stat?.kind === 'file' && stat.sizeBytes === 0;

/** Whether two names stand for one file. */
export const isSame = (a: DiskStat | undefined, b: DiskStat | undefined): boolean =>
  a !== undefined && b !== undefined && a.device === b.device && a.inode === b.inode && a.inode !== 0n;

/** `name (2).ext` */
export function numbered(name: string, n: number): string {
  const { dir, name: stem, ext } = path.parse(name);
  return path.join(dir, `${stem} (${n})${ext}`);
}
