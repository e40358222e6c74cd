// Whole files that are served, of which few are open: one is opened when it is first asked for, and
// closed when it has been idle for a while or others are asked for more. A thousand idle shares
// hold no file of the system's. Owns the open files; whoever serves has a `DiskFile` that opens
// itself.
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Clock, Disk, DiskFile, DiskStat, Timer } from '../../../protocol/base/world.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import { identityMismatch } from '../hashing/fileIdentity.ts';
import { openForReading } from '../hashing/hasher.ts';

/**
 * Files open at one time, if no more are read in the same moment. Systems allow a process at least
 * 256; links and part files need theirs.
 */
const OPEN_MAX = 64;
/**
 * How long a file stays open that nobody reads, in ms: the next piece comes sooner, and a person
 * can move or delete it soon.
 */
const IDLE_MS = 10_000;

export class FilePool {
  readonly #disk: Disk;
  readonly #clock: Clock;
  /** The one that was used last comes last. */
  readonly #open = new Set<PooledFile>();
  #timer: Timer | undefined;

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk;
    this.#clock = clock;
  }

  /**
   * A whole file to read from, not opened yet. What it throws when it is used: ShoalError
   * fileMissing, fileUnreadable, notAFile; fileChanged when another file is in its place.
   *
   * @param open  the file if it is open already
   */
  file(path: string, identity: FileIdentity, open?: DiskFile): DiskFile {
    const file = new PooledFile(
      this.#disk,
      path,
      identity,
      open,
      (used) => this.#onUsed(used),
      (closed) => this.#open.delete(closed),
    );
    if (open) this.#onUsed(file);
    return file;
  }

  #onUsed(file: PooledFile): void {
    file.usedMs = this.#clock.monotonicMs();
    this.#open.delete(file);
    this.#open.add(file);
    for (const other of this.#open) {
      if (this.#open.size <= OPEN_MAX) break;
      if (other !== file && !other.isInUse) other.release();
    }
    this.#timer ??= this.#clock.after(IDLE_MS, () => this.#sweep());
  }

  #sweep(): void {
    this.#timer = undefined;
    const longAgoMs = this.#clock.monotonicMs() - IDLE_MS;
    for (const file of this.#open) if (!file.isInUse && file.usedMs <= longAgoMs) file.release();
    if (this.#open.size > 0) this.#timer = this.#clock.after(IDLE_MS, () => this.#sweep());
  }
}

export const readOnly = (): Promise<never> => Promise.reject(new Error('a file that is served is never written'));

/** What is at a path. @throws ShoalError fileMissing */
export async function statOf(disk: Disk, path: string): Promise<DiskStat> {
  const stat = await disk.stat(path);
  if (!stat) throw new ShoalError('fileMissing', { path });
  return stat;
}

class PooledFile implements DiskFile {
  readonly descriptor = undefined;
  usedMs = 0;
  readonly #disk: Disk;
  readonly #path: string;
  readonly #identity: FileIdentity;
  readonly #onUsed: (file: PooledFile) => void;
  readonly #isReleased: (file: PooledFile) => void;
  /** Open, or about to be. */
  #file: Promise<DiskFile> | undefined;
  #uses = 0;

  constructor(
    disk: Disk,
    path: string,
    identity: FileIdentity,
    open: DiskFile | undefined,
    used: (file: PooledFile) => void,
    letGo: (file: PooledFile) => void,
  ) {
    this.#disk = disk;
    this.#path = path;
    this.#identity = identity;
    this.#onUsed = used;
    this.#isReleased = letGo;
    this.#file = open && Promise.resolve(open);
  }

  get isInUse(): boolean {
    return this.#uses > 0;
  }

  read(into: Uint8Array, at: number): Promise<number> {
    return this.#use((file) => file.read(into, at));
  }

  /** Of what is open, or else of what would be opened. */
  async stat(): Promise<DiskStat> {
    return this.#file ? this.#use((file) => file.stat()) : statOf(this.#disk, this.#path);
  }

  readonly write = readOnly;
  readonly truncate = readOnly;
  readonly sync = readOnly;

  /** Closes the file until it is used again. */
  release(): void {
    const file = this.#file;
    this.#file = undefined;
    this.#isReleased(this);
    // it could not be opened, or a disk is gone: nothing was written
    void file?.then((open) => open.close()).catch(() => undefined);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#isReleased(this);
    await (await file?.catch(() => undefined))?.close();
  }

  async #use<T>(run: (file: DiskFile) => Promise<T>): Promise<T> {
    this.#uses++;
    try {
      const opening = (this.#file ??= this.#openAgain());
      this.#onUsed(this);
      return await run(await opening);
    } finally {
      this.#uses--;
    }
  }

  /** It must still be the file that was hashed: it was not open all the time. */
  async #openAgain(): Promise<DiskFile> {
    try {
      const file = await openForReading(this.#disk, this.#path);
      if (identityMismatch(this.#identity, await file.stat()) === undefined) return file;
      await file.close();
      throw new ShoalError('fileChanged', { name: this.#path });
    } catch (error) {
      this.#file = undefined;
      this.#isReleased(this);
      throw error;
    }
  }
}
