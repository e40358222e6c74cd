// The last step of a folder's download: from the one run of bytes that has come (manifest.ts) its
// files are made in a folder beside the part file, each compared with its own hash and synced; then
// that folder gets its final name in one step that never takes anything's place. Until then nothing
// is to be seen of it, and a crash at any moment only means to do it again.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { ShoalError, systemCode } from '../../../protocol/base/errors.ts';
import type { Folder, ManifestFile } from '../../../protocol/messages/manifest.ts';
import type { Disk } from '../../../protocol/base/world.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import { diskError } from '../storage/diskErrors.ts';
import type { StorageContext } from './storageContext.ts';
import type { RecordStore } from './transferRecord.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import { identityOf } from '../hashing/fileIdentity.ts';
import { chosenBytes, fileMatcher, folderOf, folderHeadOf } from './fileSelection.ts';
import { FolderFile } from '../storage/folderFile.ts';
import { sha256Of } from '../storage/folderHasher.ts';
import { saveFolder } from './folderRecord.ts';
import { isZero } from '../hashing/hasher.ts';
import { pieceBytesFor } from '../hashing/merkleTree.ts';
import { statOf } from '../storage/filePool.ts';
import { hasRoom, removePart, unpackedOf } from '../storage/partFile.ts';
import { numbered, RENAMES_MAX } from '../storage/finalize.ts';

/** Bytes of a file that are copied at once. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Makes the files of a folder whose pieces are all held, and gives it its final name.
 *
 * @throws ShoalError badFolder, destinationExists, destinationUnwritable, diskFull; what has come
 *   is kept
 */
export async function finalizeFolder(
  context: StorageContext,
  recordStore: RecordStore,
  store: PieceStore,
): Promise<void> {
  const { disk, home } = context;
  const { id, path: destination, part, claimed, only } = recordStore.record;
  const isChosen = fileMatcher(only);
  const { head, folder } = await readFolderHead(store);
  if (sha256Of(head) !== recordStore.record.sha256) {
    throw new ShoalError('badFolder', { why: 'its list is not the one that was shared' });
  }
  let made: { readonly place: string; readonly identities: Identities } | undefined;
  try {
    // After a crash behind the last step it has its name already.
    const before = claimed === '' ? undefined : await identitiesOnDisk(context, claimed, folder, isChosen);
    if (before) made = { place: claimed, identities: before };
    else {
      const unpacked = unpackedOf(part);
      await disk.removeFolder(unpacked);
      if (!(await hasRoom(disk, path.dirname(part), chosenBytes(folder, only)))) {
        throw new ShoalError('diskFull', { path: destination });
      }
      const identities = await makeFiles(disk, store, folder, unpacked, isChosen);
      made = { place: await takeName(disk, recordStore, unpacked), identities };
    }
    await disk.syncFolder(path.dirname(made.place));
  } catch (error) {
    throw diskError(error, destination);
  }
  const content = { head, folder, identities: made.identities };
  const stat = await statOf(disk, made.place);
  await saveFolder(disk, home, id, content);
  const identity = identityOf(stat);
  await store.serveFolder(made.place, identity, new FolderFile(disk, context.filePool, made.place, content));
  await recordStore.save({ path: made.place, identity, claimed: '', chosenBytes: chosenBytes(folder, only) });
  await removePart(disk, part);
}

type Identities = readonly (FileIdentity | null)[];

/** The list at the beginning of what has come. @throws ShoalError badFolder */
async function readFolderHead(store: PieceStore): Promise<{ readonly head: Uint8Array; readonly folder: Folder }> {
  const head = await folderHeadOf(store);
  if (!head) throw new ShoalError('badFolder', { why: 'its list has not come' });
  const folder = folderOf(store, head);
  // Who serves the folder makes the zeros between the files; they must be what was hashed.
  let end = head.length;
  for (const { at, sizeBytes: bytes } of folder.files) {
    const gap = new Uint8Array(at - end);
    await readHeld(store, gap, end);
    if (!isZero(gap)) throw new ShoalError('badFolder', { why: 'something is hidden between its files' });
    end = at + bytes;
  }
  return { head, folder };
}

/** What is held of a part of the whole; zeros for the rest, which nobody will be sent. */
async function readHeld(store: PieceStore, into: Uint8Array, at: number): Promise<void> {
  const { pieceBytes } = store.shape;
  for (let done = 0, bytes; done < into.length; done += bytes) {
    const piece = Math.floor((at + done) / pieceBytes);
    bytes = Math.min(into.length - done, (piece + 1) * pieceBytes - at - done);
    if (store.states.held.has(piece)) await store.readAt(into.subarray(done, done + bytes), at + done);
  }
}

/** Makes the chosen files below a folder, durable. Returns what they are. */
async function makeFiles(
  disk: Disk,
  store: PieceStore,
  { files }: Folder,
  into: string,
  isChosen: (path: string) => boolean,
): Promise<Identities> {
  const folders = new Set([into]);
  await disk.makeFolder(into, 0o777);
  const identities: (FileIdentity | null)[] = [];
  for (const file of files) {
    if (!isChosen(file.path)) {
      identities.push(null);
      continue;
    }
    const place = path.join(into, ...file.path.split('/'));
    if (!folders.has(path.dirname(place))) await disk.makeFolder(path.dirname(place), 0o777);
    for (let above = path.dirname(place); !folders.has(above); above = path.dirname(above)) folders.add(above);
    identities.push(await makeFile(disk, store, file, place));
  }
  for (const made of folders) await disk.syncFolder(made);
  return identities;
}

async function makeFile(
  disk: Disk,
  store: PieceStore,
  { path: name, at, sizeBytes, sha256 }: ManifestFile,
  place: string,
): Promise<FileIdentity> {
  const file = await disk.open(place, 'create');
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, sizeBytes));
    for (let done = 0; done < sizeBytes; done += CHUNK_BYTES) {
      const bytes = buffer.subarray(0, Math.min(CHUNK_BYTES, sizeBytes - done));
      await store.readAt(bytes, at + done);
      hash.update(bytes);
      await file.write(bytes, done);
    }
    if (hash.digest('hex') !== sha256) {
      throw new ShoalError('badFolder', { why: `${name} in it is not what its list says` });
    }
    await file.sync();
    return identityOf(await file.stat());
  } finally {
    await file.close();
  }
}

/**
 * Gives the folder its name, if nothing has it: a folder never takes the place of a file, nor of a
 * folder in which there is something.
 */
async function takeName(disk: Disk, recordStore: RecordStore, from: string): Promise<string> {
  const { path: destination, rename } = recordStore.record;
  for (let n = 1; n <= (rename ? RENAMES_MAX : 1); n++) {
    const name = n === 1 ? destination : numbered(destination, n);
    if (await disk.stat(name)) continue;
    await recordStore.save({ claimed: name });
    try {
      await disk.rename(from, name);
      return name;
    } catch (error) {
      // Somebody was faster.
      if (
        !['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM', 'EACCES'].includes(systemCode(error) ?? '') ||
        !(await disk.stat(name))
      ) {
        throw error;
      }
    }
  }
  throw new ShoalError('destinationExists', { path: destination });
}

/** The files of a folder that was given this name, if they are all there and right. */
async function identitiesOnDisk(
  { disk, hasher }: StorageContext,
  place: string,
  { files }: Folder,
  isChosen: (path: string) => boolean,
): Promise<Identities | undefined> {
  const identities: (FileIdentity | null)[] = [];
  for (const { path: name, sizeBytes, sha256 } of files) {
    if (!isChosen(name)) {
      identities.push(null);
      continue;
    }
    const at = path.join(place, ...name.split('/'));
    const stat = await disk.stat(at);
    if (
      stat?.kind !== 'file' ||
      stat.sizeBytes !== sizeBytes ||
      (await hasher.hashFile(at, pieceBytesFor(sizeBytes))).sha256 !== sha256
    ) {
      return undefined;
    }
    identities.push(identityOf(stat));
  }
  return (await disk.stat(place))?.kind === 'folder' ? identities : undefined;
}
