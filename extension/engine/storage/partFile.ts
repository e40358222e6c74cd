// A download on disk until it is whole: a part file in the destination's own volume with two
// checkpoints beside it (extension/engine/README.md, 3). Makes, reopens and removes it. Knows files
// and names; pieceStore.ts knows which pieces are in it, finalize.ts takes its last step.
import path from 'node:path';
import { ShoalError, systemCode } from '../../../protocol/base/errors.ts';
import type { Root } from '../../../protocol/base/ids.ts';
import type { Chance, Clock, Disk, DiskFile } from '../../../protocol/base/world.ts';
import { Checkpoints, slotsOf } from './checkpoints.ts';
import { diskError } from './diskErrors.ts';
import { makeDurableFolder } from './durableFolder.ts';
import type { Shape } from '../hashing/merkleTree.ts';

/** The folder beside the final name in which unfinished files lie. It ignores itself in git. */
export const PART_FOLDER = '.shoal-part';
/**
 * What a download leaves free: 1 % of what is missing, for what the file system itself needs, but a
 * small file shall fit on a small disk.
 */
const MARGIN = 0.01;
const MARGIN_BYTES_MIN = 1024 * 1024;
const MARGIN_BYTES_MAX = 256 * 1024 * 1024;

export interface PartFile {
  readonly path: string;
  readonly file: DiskFile;
  readonly checkpoints: Checkpoints;
}

export interface PartFileContext {
  readonly disk: Disk;
  readonly clock: Clock;
}

/**
 * A path for a part file that never was one before. Written down before the file is made, so that
 * no crash leaves one that nobody knows.
 */
export function newPartPath(chance: Chance, destination: string, root: Root): string {
  return path.join(
    path.dirname(destination),
    PART_FOLDER,
    `${root.slice(0, 16)}-${chance.bytes(8).toString('hex')}.part`,
  );
}

/**
 * Makes the folder that a download belongs into. @throws ShoalError destinationUnwritable, diskFull
 */
export async function makeDestination(disk: Disk, destination: string): Promise<void> {
  await makeDurableFolder(disk, path.dirname(destination)).catch((error: unknown) => {
    throw diskError(error, destination);
  });
}

/**
 * Makes an empty part file of full size.
 *
 * @param roomBytes  how much of it will be written, as far as is known: the rest takes no room
 * @throws ShoalError destinationUnwritable, diskFull
 */
export async function createPart(
  context: PartFileContext,
  part: string,
  root: Root,
  shape: Shape,
  roomBytes = shape.sizeBytes,
): Promise<PartFile> {
  const { disk } = context;
  const folder = path.dirname(part);
  try {
    await makeDurableFolder(disk, folder, 0o700);
    await ignoreInGit(disk, folder);
    if (!(await hasRoom(disk, folder, roomBytes))) throw new ShoalError('diskFull', { path: part });
    return await openWith(await disk.open(part, 'create'), async (file) => {
      await file.truncate(shape.sizeBytes);
      return openSlots(context, { path: part, file }, root, shape);
    });
  } catch (error) {
    throw diskError(error, part);
  }
}

/**
 * Opens the part file of an earlier run; undefined when it is gone. Of one that has lost its size
 * no checkpoint counts; what is right in it is found by reading.
 *
 * @throws ShoalError destinationUnwritable, diskFull
 */
export async function reopenPart(
  context: PartFileContext,
  part: string,
  root: Root,
  shape: Shape,
): Promise<PartFile | undefined> {
  const { disk } = context;
  try {
    const stat = await disk.stat(part);
    if (stat?.kind !== 'file') return undefined;
    return await openWith(await disk.open(part, 'write'), async (file) => {
      const hasSize = stat.sizeBytes === shape.sizeBytes;
      if (!hasSize) {
        // For certain, before it has its size again: a power cut must not bring back a checkpoint
        // of what was in it.
        for (const slot of slotsOf(part)) await disk.remove(slot);
        await disk.syncFolder(path.dirname(part));
        await file.truncate(shape.sizeBytes);
      }
      return openSlots(context, { path: part, file }, root, shape);
    });
  } catch (error) {
    throw diskError(error, part);
  }
}

async function openSlots(
  { disk, clock }: PartFileContext,
  part: { readonly path: string; readonly file: DiskFile },
  root: Root,
  shape: Shape,
): Promise<PartFile> {
  // a name that a power cut takes would make the finished file look like somebody else's
  await disk.syncFolder(path.dirname(part.path));
  return {
    ...part,
    checkpoints: await Checkpoints.open(disk, clock, part, { nonce: nonceOf(part.path), root, shape }),
  };
}

/** What is made of an open file; if that fails, the file is closed. */
async function openWith<T>(file: DiskFile, create: (file: DiskFile) => Promise<T>): Promise<T> {
  try {
    return await create(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Where the files of a folder are made before it gets its name. */
export const unpackedOf = (part: string): string => `${part}.folder`;

/** Removes a part file with all that belongs to it; nothing happens to what is not there. */
export async function removePart(disk: Disk, part: string): Promise<void> {
  for (const name of [...slotsOf(part), part]) await disk.remove(name);
  if (part !== '') await disk.removeFolder(unpackedOf(part));
}

/** Whether so much can still be downloaded into a folder. */
export async function hasRoom(disk: Disk, folder: string, missingBytes: number): Promise<boolean> {
  const margin = Math.min(MARGIN_BYTES_MAX, Math.max(MARGIN_BYTES_MIN, missingBytes * MARGIN));
  return (await disk.freeBytes(folder)) >= missingBytes + margin;
}

/** The nonce is in the name. */
const nonceOf = (part: string): string => /-([0-9a-f]{16})\.part$/.exec(part)?.[1] ?? '0'.repeat(16);

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
