// What a simulated file system is made of: files and folders that know which part of them would
// survive a power cut. A file survives as it was when it was last synced, a name in a folder as it
// was when the folder was.
import type { SeededChance } from './seededChance.ts';

/**
 * What a power cut leaves of that which was not synced. `someOfIt`: each write and each change of a
 * name by chance. `tornSectors`: of each write each sector by chance, some of them with garbage in
 * them; of names as before.
 */
export type Survival = 'nothing' | 'someOfIt' | 'tornSectors' | 'everything';

const PAGE_BYTES = 4096;
const SECTOR_BYTES = 512;
/**
 * Of the sectors that are hit while they are written, one in so many is left with garbage, of at
 * most so many bytes.
 */
const GARBAGE_ONE_IN = 2;
const GARBAGE_BYTES_MAX = 16;

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
  /** How many changes there were, and how many of the first of them are no longer unsynced. */
  #changes = 0;
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
    for (let free = freeBytes; fits < from.length;) {
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

  /** For a sync that begins now. */
  get changes(): number {
    return this.#changes;
  }

  /** Ends a sync: what came after it began is not in it. */
  sync(changes = this.#changes): void {
    for (const change of this.#unsynced.splice(0, Math.max(0, this.#unsynced.length - (this.#changes - changes)))) {
      this.#synced.apply(change);
    }
  }

  /**
   * A sync that fails: some of it reached the disk, and the system forgets that the rest did not.
   * What is read is still what was written.
   */
  failSync(chance: SeededChance): void {
    for (const change of this.#unsynced.splice(0)) if (survives('someOfIt', chance)) this.#synced.apply(change);
  }

  powerCut(survival: Survival, chance: SeededChance): void {
    const changes = this.#unsynced.flatMap((change) =>
      survival === 'tornSectors' ? sectorsOf(change, chance) : survives(survival, chance) ? [change] : [],
    );
    this.#unsynced = [];
    for (const change of changes) this.#synced.apply(change);
    this.#now = this.#synced.copy();
  }

  #change(change: Change): void {
    this.#now.apply(change);
    this.#unsynced.push(change);
    this.#changes++;
  }
}

/**
 * What is left of a write that was under way. Its length decides how often chance is asked, and
 * nothing about the others.
 */
function sectorsOf(change: Change, all: SeededChance): Change[] {
  const chance = all.fork(`write ${all.random()}`);
  if ('length' in change) return chance.oneIn(2) ? [change] : [];
  const left: Change[] = [];
  for (let from = 0; from < change.bytes.length;) {
    const at = change.at + from;
    const lengthBytes = Math.min(SECTOR_BYTES - (at % SECTOR_BYTES), change.bytes.length - from);
    const bytes = change.bytes.subarray(from, from + lengthBytes);
    from += lengthBytes;
    if (chance.oneIn(2)) continue;
    left.push({ at, bytes });
    if (!chance.oneIn(GARBAGE_ONE_IN)) continue;
    const garbageAt = chance.below(lengthBytes);
    left.push({
      at: at + garbageAt,
      bytes: chance.bytes(Math.min(lengthBytes - garbageAt, 1 + chance.below(GARBAGE_BYTES_MAX))),
    });
  }
  return left;
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

  /** Takes a name away as if it had never been there. */
  uproot(name: string): void {
    this.names.delete(name);
    this.synced.delete(name);
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

const survives = (survival: Survival, chance: SeededChance): boolean =>
  survival === 'everything' || (survival !== 'nothing' && chance.oneIn(2));
