// The disk side of what is whole: a file or folder that is shared, or a download that is done.
// Hashes it, keeps what was found, and opens it again as long as it is what it was. Fetches nothing
// and shows nothing.
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Root, Sha256 } from '../../../protocol/base/ids.ts';
import { PieceStore } from '../storage/pieceStore.ts';
import type { StorageContext } from './storageContext.ts';
import type { RecordStore } from './transferRecord.ts';
import { cleanUp } from './downloadFiles.ts';
import { identityOf } from '../hashing/fileIdentity.ts';
import type { FolderOnDisk } from '../storage/folderFile.ts';
import { FolderFile } from '../storage/folderFile.ts';
import { hashFolder, sha256Of, verifyFolder } from '../storage/folderHasher.ts';
import { loadFolder, saveFolder } from './folderRecord.ts';
import type { HashOptions } from '../hashing/hasher.ts';
import { pieceBytesFor, shapeOf } from '../hashing/merkleTree.ts';
import type { TransferRecord } from './transferRecord.ts';
import { loadPieceHashes, savePieceHashes } from './transferRecord.ts';

/**
 * Reads it all and writes down what it is. @throws ShoalError fileMissing, fileUnreadable,
 * fileChanged, badFolder, cancelled
 */
export async function hashSource(
  context: StorageContext,
  recordStore: RecordStore,
  options: HashOptions,
): Promise<void> {
  const { disk, home, hasher } = context;
  const { id, path: folder, content } = recordStore.record;
  if (content === 'folder') {
    const hashed = await hashFolder(context, folder, options);
    if (hashed.leftOut > 0) {
      context.log.info('links and the like in a shared folder are left out', { folder, count: hashed.leftOut });
    }
    await saveFolder(disk, home, id, hashed);
    const {
      root,
      sha256,
      pieceHashes,
      identity,
      shape: { sizeBytes, pieceBytes },
    } = hashed;
    await savePieceHashes(disk, home, id, pieceHashes);
    return recordStore.save({ root, sha256, sizeBytes, pieceBytes, identity, told: false });
  }
  const stat = await disk.stat(folder);
  const {
    root,
    sha256,
    pieceHashes,
    stat: found,
    shape: { sizeBytes, pieceBytes },
  } = await hasher.hashFile(folder, pieceBytesFor(stat?.sizeBytes ?? 0), options);
  await savePieceHashes(disk, home, id, pieceHashes);
  await recordStore.save({ root, sha256, sizeBytes, pieceBytes, identity: identityOf(found), told: false });
}

/**
 * Opens it; undefined when what was written down of it is lost, so that it has to be hashed again.
 *
 * @param isProven  whether it was hashed in this life of the process
 * @throws ShoalError fileMissing, fileUnreadable, notAFile, fileChanged
 */
export async function openComplete(
  context: StorageContext,
  recordStore: RecordStore,
  isProven: boolean,
): Promise<PieceStore | undefined> {
  const { disk, home, filePool } = context;
  await cleanUp(disk, recordStore);
  const { record } = recordStore;
  const root = record.root as Root;
  const shape = shapeOf(record.sizeBytes, record.pieceBytes);
  const pieceHashes = await loadPieceHashes(disk, home, record.id, root, shape);
  const content = await folderOnDisk(context, record);
  if (!pieceHashes || !record.identity || (record.content === 'folder' && !content)) return undefined;
  return PieceStore.forFile(context, root, shape, pieceHashes, record.path, record.identity, {
    isProven,
    folder: content && new FolderFile(disk, filePool, record.path, content),
  });
}

/**
 * Reads it all again and compares. @throws ShoalError integrity, fileMissing, fileUnreadable,
 * cancelled
 */
export async function verifyComplete(
  context: StorageContext,
  record: TransferRecord,
  signal: AbortSignal,
): Promise<{ readonly sha256: Sha256; readonly sizeBytes: number }> {
  const { path: place, root, sha256, sizeBytes, pieceBytes, identity } = record;
  if (!identity) throw new ShoalError('fileMissing', { path: place });
  if (record.content === 'folder') {
    const content = await folderOnDisk(context, record);
    if (!content) throw new ShoalError('fileMissing', { path: place });
    await verifyFolder(context.hasher, place, content, signal);
    return { sha256: sha256 === '' ? sha256Of(content.head) : sha256, sizeBytes };
  }
  const found = await context.hasher.hashFile(place, pieceBytes, { signal });
  if (found.root !== root || found.sha256 !== sha256) {
    throw new ShoalError('integrity', { path: place, expected: sha256, found: found.sha256 });
  }
  return { sha256: found.sha256, sizeBytes };
}

/** What is known of the files of a folder; undefined for a file. */
export async function folderOnDisk(
  { disk, home }: Pick<StorageContext, 'disk' | 'home'>,
  { id, content, sizeBytes, pieceBytes }: TransferRecord,
): Promise<FolderOnDisk | undefined> {
  return content === 'folder' ? loadFolder(disk, home, id, shapeOf(sizeBytes, pieceBytes)) : undefined;
}
