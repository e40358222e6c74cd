// The disk side of one download, from its first byte to its final name: which part file it has,
// what of that is believed, and what its record says at every moment, so that it goes on from
// wherever a crash has left it. Fetches nothing and shows nothing.
import path from 'node:path';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import type { Root } from '../../../protocol/base/ids.ts';
import type { Chance, Disk } from '../../../protocol/base/world.ts';
import type { CopyHost } from '../storage/pieceStore.ts';
import { Copy } from '../storage/pieceStore.ts';
import { storeOwn } from './localPieces.ts';
import { identityOf, whyUnlike } from '../hashing/fileIdentity.ts';
import type { HashOptions } from '../hashing/hasher.ts';
import { openToRead } from '../hashing/hasher.ts';
import { lengthOf, shapeOf } from '../hashing/merkleTree.ts';
import type { PartFile } from '../storage/partFile.ts';
import { createPart, makeDestination, newPartPath, removePart, reopenPart } from '../storage/partFile.ts';
import { checkFolders, isSame } from '../storage/finalize.ts';
import type { TransferRecord } from './transferRecord.ts';
import { loadLayer } from './transferRecord.ts';
import { publishFolder } from './unpackFolder.ts';

export interface DownloadHost extends CopyHost {
  readonly chance: Chance;
  readonly home: Home;
}

/** The record of a download, and the only way to change it. */
export interface Keeper {
  readonly record: TransferRecord;
  save(changes: Partial<TransferRecord>): Promise<void>;
}

interface OpenOptions extends HashOptions {
  /** Told before something is read that may take long. */
  readonly checking: () => void;
  /** Told when a checkpoint that was due could not be taken. */
  readonly stuck: (error: ShoalError) => void;
}

/**
 * Opens a download that is not published, with what is there of it. `whole`: it was published by a
 * run that could not write that down.
 *
 * @throws ShoalError destinationUnwritable, diskFull, placeGone, cancelled
 */
export async function openDownload(
  host: DownloadHost,
  keeper: Keeper,
  { checking, stuck, ...options }: OpenOptions,
): Promise<{ readonly is: 'open'; readonly copy: Copy } | { readonly is: 'published' }> {
  const { record } = keeper;
  const root = record.root as Root;
  const shape = shapeOf(record.sizeBytes, record.pieceBytes);
  const layer = await loadLayer(host.disk, host.home, record.id, root, shape);
  if (record.part !== '' && (await wasPublished(host, keeper, checking, options))) return { is: 'published' };
  const old = record.part === '' ? undefined : await reopenPart(host, record.part, root, shape);
  const part = old ?? (await begin(host, keeper));
  const copy = Copy.ofPart(host, root, shape, part, layer, stuck);
  try {
    if (old) {
      checking();
      await copy.checkDisk(options);
    }
    if (record.replaces && layer) await takeWhatIsRight(host, copy, record, options.signal);
  } catch (error) {
    await copy.close();
    throw error;
  }
  return { is: 'open', copy };
}

/** Gives a download whose pieces are all held its final name. @throws ShoalError as `publish` */
export async function publishDownload(host: DownloadHost, keeper: Keeper, copy: Copy): Promise<void> {
  if (keeper.record.content === 'folder') return publishFolder(host, keeper, copy);
  const { path: destination, rename, replaces, claimed, part } = keeper.record;
  const found = await copy.publish({
    destination,
    rename,
    replaces,
    claimed,
    ownFolders: ownFoldersOf(keeper.record),
    claim: (name) => keeper.save({ claimed: name }),
  });
  await keeper.save({ ...found, claimed: '', replaces: undefined });
  // Only now: until the record says where the file is, its part file is how it is found again. If
  // this is cut short, `tidyUp` does it.
  await removePart(host.disk, part);
}

/** Removes what a finished download may have left. */
export async function tidyUp(disk: Disk, keeper: Keeper): Promise<void> {
  const { part } = keeper.record;
  if (part === '') return;
  await keeper.save({}); // that it is finished may so far be in memory only
  await removePart(disk, part);
  await keeper.save({ part: '' });
}

/** Whether the folder that a download belongs into is there. */
export const isThere = async (disk: Disk, { path: destination }: TransferRecord): Promise<boolean> =>
  (await disk.stat(path.dirname(destination), 'follow'))?.kind === 'folder';

/** How many folders above a download are named by the file itself, and not chosen by the person. */
function ownFoldersOf({ path: destination, name }: TransferRecord): number {
  const parts = name.split('/');
  return destination.endsWith(path.join(path.sep, ...parts)) ? parts.length - 1 : 0;
}

async function begin(host: DownloadHost, keeper: Keeper): Promise<PartFile> {
  const { record } = keeper;
  const before = record.part;
  // It had a part file, so its folder was made once: that folder is gone, or its drive, and
  // everything may still be there.
  if (before !== '' && !(await isThere(host.disk, record))) throw new ShoalError('placeGone', { path: record.path });
  await checkFolders(host.disk, record.path, ownFoldersOf(record));
  await makeDestination(host.disk, record.path);
  const part = newPartPath(host.chance, record.path, record.root as Root);
  await keeper.save({ part });
  if (before !== '') await removePart(host.disk, before);
  const isPart = record.only.length > 0 || record.choosing;
  return createPart(
    host,
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
async function wasPublished(
  host: DownloadHost,
  keeper: Keeper,
  checking: () => void,
  options: HashOptions,
): Promise<boolean> {
  const { claimed, path: destination, part, pieceBytes, sizeBytes, root } = keeper.record;
  const unfinished = await host.disk.stat(part);
  for (const name of new Set([destination, claimed])) {
    const stat = name === '' ? undefined : await host.disk.stat(name);
    if (stat?.kind !== 'file' || stat.sizeBytes !== sizeBytes || (unfinished && !isSame(unfinished, stat))) continue;
    checking();
    const found = await host.hasher.hashFile(name, pieceBytes, options);
    if (found.root !== root) continue;
    await host.disk.syncFolder(path.dirname(name));
    await keeper.save({ path: name, identity: identityOf(found.stat), claimed: '', replaces: undefined });
    return true;
  }
  return false;
}

/**
 * Copies what is right of the damaged file, so that only the rest is fetched. The damaged file is
 * only read.
 */
async function takeWhatIsRight(
  host: DownloadHost,
  copy: Copy,
  { path: damaged, replaces }: TransferRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  const stat = await host.disk.stat(damaged);
  if (!stat || !replaces || whyUnlike(replaces, stat) !== undefined) return;
  const file = await openToRead(host.disk, damaged);
  try {
    for (let piece = 0; piece < copy.shape.pieces && !signal?.aborted; piece++) {
      const bytes = new Uint8Array(new SharedArrayBuffer(lengthOf(copy.shape, piece)));
      if (
        copy.pieces.state(piece) !== 'missing' ||
        (await file.read(bytes, piece * copy.shape.pieceBytes)) !== bytes.length
      ) {
        continue;
      }
      await storeOwn(copy, piece, bytes);
    }
  } finally {
    await file.close();
  }
}
