// What a simulated file system is made of: files and folders that know which part of them would survive a power cut. A file survives
// as it was when it was last synced, a name in a folder as it was when the folder was.
import type { SeededChance } from './seededChance.ts';

/** What a power cut leaves of that which was not synced. `someOfIt`: each write and each change of a name by chance. */
export type Survival = 'nothing' | 'someOfIt' | 'everything';

const PAGE_BYTES = 4096;

export abstract class Inode {
  /** No two are born at the same moment. */
  readonly number: bigint;
  mode: number;
  modifiedNs: bigint;
  changedNs: bigint;

  constructor(mode: number, nowNs: bigint) {
    this.number = nowNs;
    this.mode = mode;
    this.modifiedNs = this.changedNs = nowNs;
  }

  touch(nowNs: bigint): void {
    this.modifiedNs = this.changedNs = nowNs;
  }
}

export class LinkInode extends Inode {
  readonly target: string;

  constructor(target: string, nowNs: bigint) {
    super(0o777, nowNs);
    this.target = target;
  }
}

type Change = { readonly at: number; readonly bytes: Buffer } | { readonly length: number };

export class FileInode extends Inode {
  #now = new Content();
  #synced = new Content();
  #unsynced: Change[] = [];
  readonly #pages = new Set<number>();

  get sizeBytes(): number {
    return this.#now.length;
  }

  get usedBytes(): number {
    return this.#pages.size * PAGE_BYTES;
  }

  bytes(): Buffer {
    return Buffer.from(this.#now.view());
  }

  read(into: Uint8Array, at: number): number {
    const found = this.#now.view().subarray(at, at + into.length);
    into.set(found);
    return found.length;
  }

  /** Writes as much as fits into so much free room; returns how much that was. */
  write(from: Uint8Array, at: number, freeBytes: number): number {
    let fits = 0;
    for (let free = freeBytes; fits < from.length; ) {
      const page = Math.floor((at + fits) / PAGE_BYTES);
      if (!this.#pages.has(page)) {
        if (free < PAGE_BYTES) break;
        free -= PAGE_BYTES;
        this.#pages.add(page);
      }
      fits = Math.min(from.length, (page + 1) * PAGE_BYTES - at);
    }
    this.#change({ at, bytes: Buffer.from(from.subarray(0, fits)) });
    return fits;
  }

  truncate(length: number): void {
    for (const page of this.#pages) if (page * PAGE_BYTES >= length) this.#pages.delete(page);
    this.#change({ length });
  }

  sync(): void {
    for (const change of this.#unsynced.splice(0)) this.#synced.apply(change);
  }

  powerCut(survival: Survival, chance: SeededChance): void {
    const kept = this.#unsynced.filter(() => survives(survival, chance));
    this.#unsynced = [];
    for (const change of kept) this.#synced.apply(change);
    this.#now = this.#synced.copy();
  }

  #change(change: Change): void {
    this.#now.apply(change);
    this.#unsynced.push(change);
  }
}

/** Bytes that grow; what was never written is zero. */
class Content {
  length = 0;
  #bytes = Buffer.alloc(0);

  view(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  copy(): Content {
    const copy = new Content();
    copy.#bytes = Buffer.from(this.view());
    copy.length = this.length;
    return copy;
  }

  apply(change: Change): void {
    if ('length' in change) return this.#resize(change.length);
    if (change.bytes.length === 0) return;
    const end = change.at + change.bytes.length;
    if (end > this.length) this.#resize(end);
    this.#bytes.set(change.bytes, change.at);
  }

  #resize(length: number): void {
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#bytes.length));
      larger.set(this.view());
      this.#bytes = larger;
    }
    if (length < this.length) this.#bytes.fill(0, length, this.length);
    this.length = length;
  }
}

/** What a name in a folder stands for from now on; nothing: the name is gone. */
interface NewName {
  readonly folder: FolderInode;
  readonly name: string;
  readonly inode: Inode | undefined;
}

/** What one call did to names, maybe in two folders: after a power cut all of it is so, or none. */
class NameChange {
  readonly #parts: readonly NewName[];
  #isSynced = false;

  constructor(parts: readonly NewName[]) {
    this.#parts = parts;
  }

  sync(): void {
    if (this.#isSynced) return;
    this.#isSynced = true;
    for (const { folder, name, inode } of this.#parts) set(folder.synced, name, inode);
  }
}

export class FolderInode extends Inode {
  names = new Map<string, Inode>();
  readonly synced = new Map<string, Inode>();
  #unsynced: NameChange[] = [];

  /** Changes names, in this folder and maybe others, as one step. */
  static change(nowNs: bigint, ...parts: NewName[]): void {
    const change = new NameChange(parts);
    for (const { folder, name, inode } of parts) {
      set(folder.names, name, inode);
      folder.touch(nowNs);
    }
    for (const folder of new Set(parts.map((part) => part.folder))) folder.#unsynced.push(change);
  }

  /** Puts a name there as if it had always been there. */
  plant(name: string, inode: Inode): void {
    this.names.set(name, inode);
    this.synced.set(name, inode);
  }

  sync(): void {
    for (const change of this.#unsynced.splice(0)) change.sync();
  }

  /** Decides which changes of names survive. Once all folders have, `reset` takes them over. */
  powerCut(survival: Survival, chance: SeededChance): void {
    for (const change of this.#unsynced.splice(0)) if (survives(survival, chance)) change.sync();
  }

  reset(): void {
    this.names = new Map(this.synced);
  }
}

function set(names: Map<string, Inode>, name: string, inode: Inode | undefined): void {
  if (inode) names.set(name, inode);
  else names.delete(name);
}

const survives = (survival: Survival, chance: SeededChance): boolean => survival === 'everything' || (survival === 'someOfIt' && chance.oneIn(2));
