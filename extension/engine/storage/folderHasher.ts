// A folder that is to be shared: which files are in it, where each lies in the whole, and the
// hashes of all. Reads only. Links are never followed and, like everything that is no file, left
// out: what they lead to was not meant to be shared. So is what other programs would trust (.git,
// .vscode and the like): whoever downloads it did not write it.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Root, Sha256 } from '../../../protocol/base/ids.ts';
import { HASH_BYTES } from '../../../protocol/base/ids.ts';
import { FOLDER_FILES_MAX } from '../../../protocol/base/limits.ts';
import { checkPaths, headOf, layOut, readFolder } from '../../../protocol/messages/manifest.ts';
import type { ManifestFile } from '../../../protocol/messages/manifest.ts';
import { isTrustedFolder } from '../../../protocol/base/names.ts';
import type { Disk } from '../../../protocol/base/world.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import { identityOf } from '../hashing/fileIdentity.ts';
import type { FolderOnDisk } from './folderFile.ts';
import { FolderFile } from './folderFile.ts';
import type { Hasher, HashOptions } from '../hashing/hasher.ts';
import type { Shape } from '../hashing/merkleTree.ts';
import { lengthOf, pieceBytesFor, rootOf, shapeOf } from '../hashing/merkleTree.ts';
import type { FilePool } from './filePool.ts';
import { PART_FOLDER } from './partFile.ts';

/** How much room the zeros between files take at most, as a part of all. */
const GAPS = 1.25;

export interface HashedFolder extends FolderOnDisk {
  readonly shape: Shape;
  readonly root: Root;
  readonly pieceHashes: Uint8Array;
  /** Of the list, which holds those of the files. */
  readonly sha256: Sha256;
  readonly identity: FileIdentity;
  /** Links and other things that were left out. */
  readonly leftOut: number;
}

interface FolderHashContext {
  readonly disk: Disk;
  readonly hasher: Hasher;
  readonly filePool: FilePool;
}

/**
 * @throws ShoalError badFolder, fileChanged when it changes meanwhile, fileMissing, fileUnreadable,
 *   cancelled
 */
export async function hashFolder(
  { disk, hasher, filePool }: FolderHashContext,
  folder: string,
  { signal, progress }: HashOptions = {},
): Promise<HashedFolder> {
  const stat = await disk.stat(folder);
  if (stat?.kind !== 'folder') throw new ShoalError('fileMissing', { path: folder });
  const { found, leftOut } = await filesIn(disk, folder, signal);
  checkPaths(found);
  const pieceBytes = pieceBytesFor(Math.ceil(GAPS * found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)));
  const plan = layOut(found, pieceBytes);
  const files: ManifestFile[] = [];
  const identities: FileIdentity[] = [];
  for (const file of plan.files) {
    const hashed = await hasher.hashFile(path.join(folder, ...file.path.split('/')), pieceBytesFor(file.sizeBytes), {
      ...(signal && { signal }),
    });
    if (hashed.shape.sizeBytes !== file.sizeBytes) throw new ShoalError('fileChanged', { name: file.path });
    files.push({ ...file, sha256: hashed.sha256 });
    identities.push(identityOf(hashed.stat));
    progress?.(Math.floor((file.at + file.sizeBytes) / 2));
  }
  const head = headOf(files);
  const content: FolderOnDisk = { head, folder: readFolder(head, plan.sizeBytes, pieceBytes), identities };
  const shape = shapeOf(plan.sizeBytes, pieceBytes);
  const pieceHashes = Buffer.alloc(shape.pieces * HASH_BYTES);
  const source = new FolderFile(disk, filePool, folder, content);
  try {
    for (let piece = 0; piece < shape.pieces; piece++) {
      if (signal?.aborted) throw new ShoalError('cancelled');
      const bytes = new Uint8Array(new SharedArrayBuffer(lengthOf(shape, piece)));
      await source.read(bytes, piece * pieceBytes);
      pieceHashes.set(await hasher.hash(shape, bytes), piece * HASH_BYTES);
      progress?.(Math.floor((plan.sizeBytes + piece * pieceBytes + bytes.length) / 2));
    }
  } finally {
    await source.close();
  }
  return {
    ...content,
    shape,
    root: rootOf(pieceHashes, shape),
    pieceHashes,
    sha256: sha256Of(head),
    identity: identityOf(stat),
    leftOut,
  };
}

/**
 * Reads all files of a folder again. What else lies in it does not matter. @throws ShoalError
 * integrity, fileMissing, fileUnreadable
 */
export async function verifyFolder(
  hasher: Hasher,
  place: string,
  { folder: { files }, identities }: FolderOnDisk,
  signal: AbortSignal,
): Promise<void> {
  for (const [n, { path: name, sizeBytes, sha256: expected }] of files.entries()) {
    if (!identities[n]) continue; // not chosen
    const file = path.join(place, ...name.split('/'));
    const { sha256 } = await hasher.hashFile(file, pieceBytesFor(sizeBytes), { signal });
    if (sha256 !== expected) throw new ShoalError('integrity', { path: file, expected, found: sha256 });
  }
}

export const sha256Of = (bytes: Uint8Array): Sha256 => createHash('sha256').update(bytes).digest('hex') as Sha256;

/** All files below a folder. @throws ShoalError badFolder, cancelled */
async function filesIn(
  disk: Disk,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{
  readonly found: readonly { readonly path: string; readonly sizeBytes: number }[];
  readonly leftOut: number;
}> {
  const found: { path: string; sizeBytes: number }[] = [];
  const folders = [''];
  let leftOut = 0;
  for (let subfolder = folders.pop(); subfolder !== undefined; subfolder = folders.pop()) {
    if (signal?.aborted) throw new ShoalError('cancelled');
    for (const name of await disk.listFolder(path.join(folder, subfolder))) {
      if (name === PART_FOLDER) continue; // unfinished downloads are nobody's files yet
      if (isTrustedFolder(name)) {
        leftOut++;
        continue;
      }
      const inside = subfolder === '' ? name : `${subfolder}/${name}`;
      const stat = await disk.stat(path.join(folder, inside));
      if (stat?.kind === 'folder') folders.push(inside);
      else if (stat?.kind === 'file') found.push({ path: inside, sizeBytes: stat.sizeBytes });
      else leftOut++;
      if (found.length + folders.length > FOLDER_FILES_MAX) {
        throw new ShoalError('badFolder', { why: `it has more than ${FOLDER_FILES_MAX} files` });
      }
    }
  }
  return { found, leftOut };
}
