// The disk side of one download, from its first byte to its final name: which part file it has,
// what of that is believed, and what its record says at every moment, so that it goes on from
// wherever a crash has left it. Fetches nothing and shows nothing.
import path from 'node:path';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Root } from '../../../protocol/base/ids.ts';
import type { Disk } from '../../../protocol/base/world.ts';
import type { StorageContext } from './storageContext.ts';
import { PieceStore } from '../storage/pieceStore.ts';
import { storeLocalPiece } from './localPieces.ts';
import { identityOf, identityMismatch } from '../hashing/fileIdentity.ts';
import type { HashOptions } from '../hashing/hasher.ts';
import { openForReading } from '../hashing/hasher.ts';
import { lengthOf, shapeOf } from '../hashing/merkleTree.ts';
import type { PartFile } from '../storage/partFile.ts';
import { createPart, makeDestination, newPartPath, removePart, reopenPart } from '../storage/partFile.ts';
import { checkFolders, isSame } from '../storage/finalize.ts';
import type { RecordStore, TransferRecord } from './transferRecord.ts';
import { loadPieceHashes } from './transferRecord.ts';
import { finalizeFolder } from './unpackFolder.ts';

interface OpenOptions extends HashOptions {
  /** Told before something is read that may take long. */
  readonly onChecking: () => void;
  /** Told when a checkpoint that was due could not be taken. */
  readonly onDiskError: (error: ShoalError) => void;
}

/**
 * Opens a download that is not published, with what is there of it. `published`: it got its final name in a
 * run that could not write that down.
 *
 * @throws ShoalError destinationUnwritable, diskFull, placeGone, cancelled
 */
export async function openDownload(
  context: StorageContext,
  recordStore: RecordStore,
  { onChecking, onDiskError, ...options }: OpenOptions,
): Promise<{ readonly is: 'open'; readonly store: PieceStore } | { readonly is: 'published' }> {
  const { record } = recordStore;
  const root = record.root as Root;
  const shape = shapeOf(record.sizeBytes, record.pieceBytes);
  const pieceHashes = await loadPieceHashes(context.disk, context.home, record.id, root, shape);
  if (record.part !== '' && (await wasFinalized(context, recordStore, onChecking, options))) return { is: 'published' };
  const old = record.part === '' ? undefined : await reopenPart(context, record.part, root, shape);
  const part = old ?? (await createPartFile(context, recordStore));
  const store = PieceStore.forPart(context, root, shape, part, pieceHashes, onDiskError);
  try {
    if (old) {
      onChecking();
      await store.checkDisk(options);
    }
    if (record.replaces && pieceHashes) await keepGoodPieces(context, store, record, options.signal);
  } catch (error) {
    await store.close();
    throw error;
  }
  return { is: 'open', store };
}

/** Gives a download whose pieces are all held its final name. @throws ShoalError as `publish` */
export async function finalizeDownload(
  context: StorageContext,
  recordStore: RecordStore,
  store: PieceStore,
): Promise<void> {
  if (recordStore.record.content === 'folder') return finalizeFolder(context, recordStore, store);
  const { path: destination, rename, replaces, claimed, part } = recordStore.record;
  const found = await store.finalize({
    destination,
    rename,
    replaces,
    claimed,
    ownFolders: ownFoldersOf(recordStore.record),
    claim: (name) => recordStore.save({ claimed: name }),
  });
  await recordStore.save({ ...found, claimed: '', replaces: undefined });
  // Only now: until the record says where the file is, its part file is how it is found again. If
  // this is cut short, `cleanUp` does it.
  await removePart(context.disk, part);
}

/** Removes what a finished download may have left. */
export async function cleanUp(disk: Disk, recordStore: RecordStore): Promise<void> {
  const { part } = recordStore.record;
  if (part === '') return;
  await recordStore.save({}); // that it is finished may so far be in memory only
  await removePart(disk, part);
  await recordStore.save({ part: '' });
}

/** Whether the folder that a download belongs into is there. */
export const hasDestinationFolder = async (disk: Disk, { path: destination }: TransferRecord): Promise<boolean> =>
  (await disk.stat(path.dirname(destination), 'follow'))?.kind === 'folder';

/** How many folders above a download are named by the file itself, and not chosen by the person. */
function ownFoldersOf({ path: destination, name }: TransferRecord): number {
  const parts = name.split('/');
  return destination.endsWith(path.join(path.sep, ...parts)) ? parts.length - 1 : 0;
}

async function createPartFile(context: StorageContext, recordStore: RecordStore): Promise<PartFile> {
  const { record } = recordStore;
  const before = record.part;
  // It had a part file, so its folder was made once: that folder is gone, or its drive, and
  // everything may still be there.
  if (before !== '' && !(await hasDestinationFolder(context.disk, record))) {
    throw new ShoalError('placeGone', { path: record.path });
  }
  await checkFolders(context.disk, record.path, ownFoldersOf(record));
  await makeDestination(context.disk, record.path);
  const part = newPartPath(context.chance, record.path, record.root as Root);
  await recordStore.save({ part });
  if (before !== '') await removePart(context.disk, before);
  const isPart = record.only.length > 0 || record.choosing;
  return createPart(
    context,
    part,
    record.root as Root,
    shapeOf(record.sizeBytes, record.pieceBytes),
    isPart ? 0 : record.sizeBytes,
  );
}

/**
 * Whether the file is there under its final name, and its part file is gone or is that very file:
 * published by a run that could not write that down any more. Believed only when every byte of it
 * is right.
 */
async function wasFinalized(
  context: StorageContext,
  recordStore: RecordStore,
  checking: () => void,
  options: HashOptions,
): Promise<boolean> {
  const { claimed, path: destination, part, pieceBytes, sizeBytes, root } = recordStore.record;
  const unfinished = await context.disk.stat(part);
  for (const name of new Set([destination, claimed])) {
    const stat = name === '' ? undefined : await context.disk.stat(name);
    if (stat?.kind !== 'file' || stat.sizeBytes !== sizeBytes || (unfinished && !isSame(unfinished, stat))) continue;
    checking();
    const found = await context.hasher.hashFile(name, pieceBytes, options);
    if (found.root !== root) continue;
    await context.disk.syncFolder(path.dirname(name));
    await recordStore.save({ path: name, identity: identityOf(found.stat), claimed: '', replaces: undefined });
    return true;
  }
  return false;
}

/**
 * Copies what is right of the damaged file, so that only the rest is fetched. The damaged file is
 * only read.
 */
async function keepGoodPieces(
  context: StorageContext,
  store: PieceStore,
  { path: damaged, replaces }: TransferRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  const stat = await context.disk.stat(damaged);
  if (!stat || !replaces || identityMismatch(replaces, stat) !== undefined) return;
  const file = await openForReading(context.disk, damaged);
  try {
    for (let piece = 0; piece < store.shape.pieces && !signal?.aborted; piece++) {
      const bytes = new Uint8Array(new SharedArrayBuffer(lengthOf(store.shape, piece)));
      if (
        store.states.state(piece) !== 'missing' ||
        (await file.read(bytes, piece * store.shape.pieceBytes)) !== bytes.length
      ) {
        continue;
      }
      await storeLocalPiece(store, piece, bytes);
    }
  } finally {
    await file.close();
  }
}
