// A folder as the one run of bytes that is hashed and served (manifest.ts): its list, the bytes of
// its files, zeros between them. Reads the files where they lie, through the pool of open files,
// and gives nothing of one that has changed. Writes nothing.
import path from 'node:path';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Folder } from '../../../protocol/messages/manifest.ts';
import type { Disk, DiskFile, DiskStat } from '../../../protocol/base/world.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import { identityMismatch } from '../hashing/fileIdentity.ts';
import type { FilePool } from './filePool.ts';
import { readOnly, statOf } from './filePool.ts';

/** What is known of a folder on disk. */
export interface FolderOnDisk {
  /** The bytes it begins with: its list. */
  readonly head: Uint8Array;
  readonly folder: Folder;
  /**
   * Each file as it was when it was hashed or written, in the order of the list; null for one that
   * was not chosen.
   */
  readonly identities: readonly (FileIdentity | null)[];
}

export class FolderFile implements DiskFile {
  readonly descriptor = undefined;
  readonly #disk: Disk;
  readonly #filePool: FilePool;
  readonly #path: string;
  readonly #content: FolderOnDisk;
  readonly #files = new Map<number, DiskFile>();

  constructor(disk: Disk, filePool: FilePool, path: string, content: FolderOnDisk) {
    this.#disk = disk;
    this.#filePool = filePool;
    this.#path = path;
    this.#content = content;
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    const {
      head,
      folder: { files, sizeBytes },
    } = this.#content;
    const wanted = into.subarray(0, Math.max(0, Math.min(into.length, sizeBytes - at)));
    wanted.fill(0);
    if (at < head.length) wanted.set(head.subarray(at, at + wanted.length));
    for (let n = firstAfter(files, at); n < files.length; n++) {
      const file = files[n];
      if (!file || file.at >= at + wanted.length) break;
      const from = Math.max(at, file.at);
      const to = Math.min(at + wanted.length, file.at + file.sizeBytes);
      if (to > from) await this.#readFile(n, wanted.subarray(from - at, to - at), from - file.at);
    }
    return wanted.length;
  }

  /** Whether so many bytes from there on are here: all but those of files that were not chosen. */
  has(at: number, bytes: number): boolean {
    const {
      folder: { files },
      identities,
    } = this.#content;
    for (let n = firstAfter(files, at); n < files.length; n++) {
      const file = files[n];
      if (!file || file.at >= at + bytes) break;
      if (file.sizeBytes > 0 && !identities[n]) return false;
    }
    return true;
  }

  /** Looks at every file whether it is what it was. @throws ShoalError fileChanged, fileMissing */
  async check(): Promise<void> {
    for (let n = 0; n < this.#content.folder.files.length; n++) {
      if (this.#content.identities[n]) await this.#checkFile(n);
    }
  }

  stat(): Promise<DiskStat> {
    return statOf(this.#disk, this.#path);
  }

  readonly write = readOnly;
  readonly truncate = readOnly;
  readonly sync = readOnly;

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
    this.#files.clear();
  }

  async #readFile(n: number, into: Uint8Array, at: number): Promise<void> {
    const place = await this.#checkFile(n);
    const identity = this.#content.identities[n];
    let file = this.#files.get(n);
    if (!file && identity) this.#files.set(n, (file = this.#filePool.file(place, identity)));
    if ((await file?.read(into, at)) !== into.length) throw new ShoalError('fileChanged', { name: place });
  }

  async #checkFile(n: number): Promise<string> {
    const [file, identity] = [this.#content.folder.files[n], this.#content.identities[n]];
    const place = path.join(this.#path, ...(file?.path.split('/') ?? []));
    const stat = await statOf(this.#disk, place);
    if (!identity || identityMismatch(identity, stat) !== undefined) {
      throw new ShoalError('fileChanged', { name: place });
    }
    return place;
  }
}

/** The first file that ends behind a place. */
function firstAfter(files: Folder['files'], at: number): number {
  let [low, high] = [0, files.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const file = files[middle];
    if (file && file.at + file.sizeBytes <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
