// A disk in memory behind the interface that programs use, with what real ones do to them: names
// that are taken, links, no room, faults on demand, and power cuts. Several programs may share it;
// a test reaches in with `put`, `peek`, `names`.
import path from 'node:path';
import type { Disk, DiskFile, DiskStat } from '../../../protocol/base/world.ts';
import type { SeededChance } from './seededChance.ts';
import { FileInode, FolderInode, LinkInode } from './simulatedFile.ts';
import type { Inode, Survival } from './simulatedFile.ts';

export type { Survival } from './simulatedFile.ts';

/** Every call takes up to so long: what two programs do at once happens in either order. */
const CALL_MS_MAX = 0.1;
const LINKS_FOLLOWED_MAX = 8;

interface Time {
  readonly nowMs: number;
  after(delayMs: number, run: () => void): unknown;
}

/** A place in a folder; `inode` is what is there now. */
interface Place {
  readonly folder: FolderInode;
  readonly name: string;
  readonly inode: Inode | undefined;
}

export class SimulatedDisk {
  /** Room in all. Files take whole pages of 4 KiB; what was never written takes none. */
  capacityBytes = Infinity;
  /**
   * Asked before each call with its name in `Disk` or `DiskFile` and its path; a code that it
   * returns (`EIO`, `EACCES`) is thrown.
   */
  fault: ((call: string, path: string) => string | undefined) | undefined;
  readonly #time: Time;
  readonly #chance: SeededChance;
  readonly #delays: SeededChance;
  readonly #order: SeededChance;
  readonly #names: SeededChance;
  readonly #root = new FolderInode(0o777, 0n);
  readonly #open = new Set<FileInode>();
  #ticks = 0n;
  /** Power cuts and failed syncs, each of which has a chance of its own. */
  #accidents = 0;

  constructor(time: Time, chance: SeededChance) {
    this.#time = time;
    this.#chance = chance;
    this.#delays = chance.fork('delays');
    this.#order = chance.fork('order');
    this.#names = chance.fork('names');
  }

  // For tests: at once, and durable.

  /** Puts a file there, with its folders. */
  put(name: string, content: Uint8Array | string): void {
    this.#makeFolders(path.posix.dirname(name), true);
    const { folder, name: last, inode } = this.#place(name, 'write');
    const file = inode instanceof FileInode ? inode : new FileInode(0o644, this.#nowNs());
    folder.plant(last, file);
    file.truncate(0);
    file.write(Buffer.from(content), 0, Infinity);
    file.touch(this.#nowNs());
    file.sync();
  }

  putLink(name: string, target: string): void {
    const { folder, name: last } = this.#place(name, 'link');
    folder.plant(last, new LinkInode(target, this.#nowNs()));
  }

  /** Takes a name away. */
  drop(name: string): void {
    const { folder, name: last } = this.#place(name, 'rm');
    folder.uproot(last);
  }

  /** A file's content, or undefined. */
  peek(name: string): Buffer | undefined {
    const inode = this.#find(name);
    return inode instanceof FileInode ? inode.bytes() : undefined;
  }

  /** The paths of all files in a folder and below. */
  names(folder = '/'): string[] {
    const inode = this.#find(folder);
    if (!(inode instanceof FolderInode)) return [];
    return [...inode.names]
      .flatMap(([name, held]) => {
        const full = path.posix.join(folder, name);
        return held instanceof FolderInode ? this.names(full) : [full];
      })
      .sort();
  }

  /** Permission bits of what is there. */
  mode(name: string): number | undefined {
    return this.#find(name)?.mode;
  }

  powerCut(survival: Survival): void {
    const all = [...this.#all('alsoForgotten')];
    const folders = all.filter((inode) => inode instanceof FolderInode);
    const files = all.filter((inode) => inode instanceof FileInode);
    const chance = this.#accident();
    for (const folder of folders) folder.powerCut(survival, chance);
    for (const folder of folders) folder.reset();
    for (const file of files) file.powerCut(survival, chance);
    this.#open.clear();
  }

  /** The disk as one program sees it, for as long as that lives. */
  of(life: { readonly isAlive: boolean }): Disk {
    /** Does one call after its time, unless the program is gone or a fault is asked for. */
    const call = async <T>(callName: string, on: string, run: () => T, failed?: () => void): Promise<T> => {
      await new Promise<void>((resolve) =>
        this.#time.after(this.#delays.random() * CALL_MS_MAX, () => life.isAlive && resolve()),
      );
      const code = this.fault?.(callName, on);
      if (code === undefined) return run();
      failed?.();
      throw systemError(code, callName, on);
    };

    const fileOf = (inode: Inode, name: string, isReadOnly: boolean): DiskFile => {
      const file = (callName: string): FileInode => {
        if (inode instanceof FileInode) return inode;
        throw systemError('EISDIR', callName, name);
      };
      return {
        descriptor: undefined,
        read: (into, at) => call('read', name, () => file('read').read(into, at)),
        write: (from, at) =>
          call('write', name, () => {
            if (isReadOnly) throw systemError('EBADF', 'write', name);
            this.#write(file('write'), from, at, name);
          }),
        truncate: (bytes) =>
          call('truncate', name, () => {
            file('truncate').truncate(bytes);
            inode.touch(this.#nowNs());
          }),
        sync: () => {
          if (!(inode instanceof FileInode)) return call('sync', name, () => syncInode(inode));
          const { changes } = inode;
          return call(
            'sync',
            name,
            () => inode.sync(changes),
            () => inode.failSync(this.#accident()),
          );
        },
        stat: () => call('stat', name, () => statOf(inode)),
        close: () =>
          call('close', name, () => {
            if (inode instanceof FileInode) this.#open.delete(inode);
          }),
      };
    };

    const disk: Disk = {
      open: (name, how) =>
        call('open', name, () => {
          const inode = how === 'create' ? this.#create(name, 0o600) : this.#existing(name, 'open', 'refuse');
          if (how === 'write' && inode instanceof FolderInode) throw systemError('EISDIR', 'open', name);
          if (inode instanceof FileInode) this.#open.add(inode);
          return fileOf(inode, name, how === 'read');
        }),
      stat: (name, follow) =>
        call('stat', name, () => {
          try {
            return statOf(this.#existing(name, 'stat', follow ?? 'show'));
          } catch (error) {
            if (['ENOENT', 'ENOTDIR'].includes((error as { code?: string }).code ?? '')) return undefined;
            throw error;
          }
        }),
      readFile: (name) =>
        call('readFile', name, () => {
          const inode = this.#existing(name, 'open', 'follow');
          if (inode instanceof FileInode) return inode.bytes();
          throw systemError('EISDIR', 'read', name);
        }),
      replaceFile: async (name, content, mode = 0o600) => {
        const beside = `${name}.${this.#names.bytes(4).toString('hex')}.new`;
        try {
          const file = await call('replaceFile', name, () => this.#create(beside, mode));
          await call('write', name, () => this.#write(file, content, 0, beside));
          await call('sync', name, () => file.sync());
          await call('rename', name, () => this.#rename(beside, name));
        } catch (error) {
          await call('remove', beside, () => this.#remove(beside));
          throw error;
        }
        await disk.syncFolder(path.posix.dirname(name));
      },
      link: (from, to) =>
        call('link', to, () => {
          const inode = this.#existing(from, 'link', 'show');
          if (inode instanceof FolderInode) throw systemError('EPERM', 'link', from);
          const place = this.#place(to, 'link');
          if (place.inode) throw systemError('EEXIST', 'link', to);
          FolderInode.change(this.#nowNs(), { ...place, inode });
          inode.changedNs = this.#nowNs();
        }),
      rename: (from, to) => call('rename', to, () => this.#rename(from, to)),
      remove: (name) => call('remove', name, () => this.#remove(name)),
      removeFolder: (name) => call('removeFolder', name, () => this.#remove(name, 'folderToo')),
      makeFolder: (name) => call('makeFolder', name, () => this.#makeFolders(name)),
      listFolder: (name) =>
        call('listFolder', name, () => this.#order.shuffled(this.#folder(name, 'scandir').names.keys())),
      syncFolder: (name) => call('syncFolder', name, () => syncInode(this.#existing(name, 'open', 'follow'))),
      freeBytes: (name) => call('freeBytes', name, () => (this.#existing(name, 'statfs', 'follow'), this.#freeBytes())),
    };
    return disk;
  }

  #accident(): SeededChance {
    return this.#chance.fork(`accident ${this.#accidents++}`);
  }

  #write(file: FileInode, from: Uint8Array, at: number, name: string): void {
    const written = file.write(from, at, this.#freeBytes());
    file.touch(this.#nowNs());
    if (written < from.length) throw systemError('ENOSPC', 'write', name);
  }

  #create(name: string, mode: number): FileInode {
    const place = this.#place(name, 'open');
    if (place.inode) throw systemError('EEXIST', 'open', name);
    const inode = new FileInode(mode, this.#nowNs());
    FolderInode.change(this.#nowNs(), { ...place, inode });
    return inode;
  }

  #rename(from: string, to: string): void {
    const [source, target] = [this.#place(from, 'rename'), this.#place(to, 'rename')];
    const fail = (code: string): never => {
      throw systemError(code, 'rename', to);
    };
    if (!source.inode) return fail('ENOENT');
    if (source.inode === target.inode) return;
    if (target.inode instanceof FolderInode && !(source.inode instanceof FolderInode)) fail('EISDIR');
    if (target.inode && !(target.inode instanceof FolderInode) && source.inode instanceof FolderInode) fail('ENOTDIR');
    if (target.inode instanceof FolderInode && target.inode.names.size > 0) fail('ENOTEMPTY');
    FolderInode.change(this.#nowNs(), { ...source, inode: undefined }, { ...target, inode: source.inode });
    source.inode.changedNs = this.#nowNs();
  }

  #remove(name: string, folderToo?: 'folderToo'): void {
    let place: Place;
    try {
      place = this.#place(name, 'rm');
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return;
      throw error;
    }
    if (place.inode instanceof FolderInode && !folderToo) throw systemError('ERR_FS_EISDIR', 'rm', name);
    if (place.inode) FolderInode.change(this.#nowNs(), { ...place, inode: undefined });
  }

  #makeFolders(name: string, isDurable = false): void {
    let folder = this.#root;
    const all = parts(name);
    for (const [depth, part] of all.entries()) {
      const named = folder.names.get(part);
      const held = named instanceof LinkInode ? this.#find(`/${all.slice(0, depth + 1).join('/')}`) : named;
      const isFolder = held instanceof FolderInode;
      if (named && !isFolder) throw systemError(depth === all.length - 1 ? 'EEXIST' : 'ENOTDIR', 'mkdir', name);
      const next = isFolder ? held : new FolderInode(0o777, this.#nowNs());
      if (!isFolder && !isDurable) FolderInode.change(this.#nowNs(), { folder, name: part, inode: next });
      if (isDurable) folder.plant(part, next);
      folder = next;
    }
  }

  /** What a path names, links on the way followed, a link at its end too. Undefined if nothing. */
  #find(name: string): Inode | undefined {
    try {
      return this.#existing(name, 'stat', 'follow');
    } catch {
      return undefined;
    }
  }

  #existing(name: string, callName: string, lastLink: 'follow' | 'refuse' | 'show', depth = 0): Inode {
    if (parts(name).length === 0) return this.#root;
    const { inode } = this.#place(name, callName, depth);
    if (!inode) throw systemError('ENOENT', callName, name);
    if (!(inode instanceof LinkInode) || lastLink === 'show') return inode;
    if (lastLink === 'refuse' || depth >= LINKS_FOLLOWED_MAX) throw systemError('ELOOP', callName, name);
    return this.#existing(path.posix.resolve(path.posix.dirname(name), inode.target), callName, 'follow', depth + 1);
  }

  #place(name: string, callName: string, depth = 0): Place {
    const last = path.posix.basename(name);
    const folder = this.#folder(path.posix.dirname(name), callName, depth);
    return { folder, name: last, inode: folder.names.get(last) };
  }

  #folder(name: string, callName: string, depth = 0): FolderInode {
    const inode = this.#existing(name, callName, 'follow', depth);
    if (inode instanceof FolderInode) return inode;
    throw systemError('ENOTDIR', callName, name);
  }

  #freeBytes(): number {
    if (this.capacityBytes === Infinity) return 2 ** 50;
    let used = 0;
    for (const inode of this.#all()) if (inode instanceof FileInode) used += inode.usedBytes;
    return Math.max(0, this.capacityBytes - used);
  }

  /** Everything that has a name or is open; also what a power cut would bring back. */
  #all(forgotten?: 'alsoForgotten'): Set<Inode> {
    const all = new Set<Inode>(this.#open);
    const add = (inode: Inode): void => {
      if (all.has(inode)) return;
      all.add(inode);
      if (!(inode instanceof FolderInode)) return;
      for (const held of inode.names.values()) add(held);
      if (forgotten) for (const held of inode.synced.values()) add(held);
    };
    add(this.#root);
    return all;
  }

  /** No two moments are equal: a change is always visible. */
  #nowNs(): bigint {
    return BigInt(Math.floor(this.#time.nowMs)) * 1_000_000n + ++this.#ticks;
  }
}

function syncInode(inode: Inode): void {
  if (inode instanceof FileInode || inode instanceof FolderInode) inode.sync();
}

const parts = (name: string): string[] =>
  path.posix
    .resolve('/', name)
    .split('/')
    .filter((part) => part !== '');

function statOf(inode: Inode): DiskStat {
  const kind = inode instanceof FileInode ? 'file' : inode instanceof FolderInode ? 'folder' : 'link';
  return {
    kind,
    sizeBytes: inode instanceof FileInode ? inode.sizeBytes : 0,
    device: 1n,
    inode: inode.number,
    modifiedNs: inode.modifiedNs,
    changedNs: inode.changedNs,
  };
}

/** An error as Node.js throws it. */
function systemError(code: string, syscall: string, name: string): Error {
  return Object.assign(new Error(`${code}: ${syscall} '${name}'`), { code, syscall, path: name });
}
