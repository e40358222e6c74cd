// What this machine holds of one file: its bytes on disk, its board of pieces and its piece layer.
// Owns the file that is open; the only one that reads and writes it. Knows no network.
import { Bitfield } from '../../../protocol/messages/bitfield.ts';
import type { Root } from '../../../protocol/base/ids.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Clock, Disk, DiskFile } from '../../../protocol/base/world.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import { identityOf, identityMismatch } from '../hashing/fileIdentity.ts';
import type { FolderFile } from './folderFile.ts';
import type { Hasher, HashOptions } from '../hashing/hasher.ts';
import { expectedHash } from '../hashing/hasher.ts';
import type { HashRange, Levels, Shape } from '../hashing/merkleTree.ts';
import { pieceHashesOfRoot, lengthOf, levelsOf, rangeOf, rootOf } from '../hashing/merkleTree.ts';
import type { FilePool } from './filePool.ts';
import type { PartFile } from './partFile.ts';
import type { FinalizeRequest } from './finalize.ts';
import { finalize } from './finalize.ts';
import { PieceStates } from './pieceStates.ts';

/**
 * How long a look at the file counts while it is served, in ms: two calls for each piece cost as
 * much as reading it.
 */
const CHECK_MS = 250;

export interface PieceStoreContext {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly hasher: Hasher;
  readonly filePool: FilePool;
}

export class PieceStore {
  readonly root: Root;
  readonly shape: Shape;
  readonly states: PieceStates;
  readonly #context: PieceStoreContext;
  #pieceHashes: Uint8Array | undefined;
  #levels: Levels | undefined;
  #file: DiskFile;
  /** The part file while the copy is not published. */
  #part: PartFile | undefined;
  /** Path and identity of a whole file, checked while it is served. */
  #completeFile:
    { readonly path: string; readonly identity: FileIdentity; readonly folder: FolderFile | undefined } | undefined;
  #checkedMs = -Infinity;
  /**
   * Pieces that were right in this life of the process. A disk may lose what it once had; nobody
   * shall be sent that.
   */
  readonly #proven: Bitfield;
  /**
   * What is at work on the open file: its descriptor must not be closed, and given to another file,
   * meanwhile.
   */
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  private constructor(context: PieceStoreContext, root: Root, shape: Shape, file: DiskFile) {
    this.#context = context;
    this.root = root;
    this.shape = shape;
    this.#file = file;
    this.states = new PieceStates(shape.pieces);
    this.#proven = new Bitfield(shape.pieces);
  }

  /**
   * A whole file, or folder, that is as it was hashed.
   *
   * @param folder  the files of it, which are looked at one by one
   * @param isProven  whether that was in this life of the process: then its pieces need not be
   *   verified again before they are sent
   * @throws ShoalError fileMissing, fileUnreadable, notAFile, fileChanged
   */
  static async forFile(
    context: PieceStoreContext,
    root: Root,
    shape: Shape,
    pieceHashes: Uint8Array,
    path: string,
    identity: FileIdentity,
    { isProven = false, folder }: { readonly isProven?: boolean; readonly folder?: FolderFile | undefined } = {},
  ): Promise<PieceStore> {
    const store = new PieceStore(context, root, shape, folder ?? context.filePool.file(path, identity));
    store.#pieceHashes = pieceHashes;
    store.#completeFile = { path, identity, folder };
    for (let piece = 0; piece < shape.pieces; piece++) {
      store.states.move(
        piece,
        folder === undefined || folder.has(piece * shape.pieceBytes, lengthOf(shape, piece)) ? 'find' : 'skip',
      );
      if (isProven) store.#proven.add(piece);
    }
    try {
      await store.#checkUnchanged();
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  /**
   * A download; nothing counts as held until it is verified.
   *
   * @param onDiskError  told when a checkpoint that was due could not be taken
   */
  static forPart(
    context: PieceStoreContext,
    root: Root,
    shape: Shape,
    part: PartFile,
    pieceHashes: Uint8Array | undefined,
    onDiskError: (error: ShoalError) => void,
  ): PieceStore {
    const store = new PieceStore(context, root, shape, part.file);
    store.#part = part;
    store.#pieceHashes = pieceHashes ?? pieceHashesOfRoot(root, shape);
    part.checkpoints.start(store.states.held, onDiskError);
    return store;
  }

  /**
   * What is read of a file that is not downloaded: an empty file of its size, of which nothing has
   * to last, and of which nothing is wanted until it is.
   */
  static forPreview(
    context: PieceStoreContext,
    root: Root,
    shape: Shape,
    file: DiskFile,
    pieceHashes: Uint8Array | undefined,
  ): PieceStore {
    const store = new PieceStore(context, root, shape, file);
    store.#pieceHashes = pieceHashes ?? pieceHashesOfRoot(root, shape);
    store.want(new Set());
    return store;
  }

  /** The piece hashes; undefined until a peer has sent and the root has proven them. */
  get pieceHashes(): Uint8Array | undefined {
    return this.#pieceHashes;
  }

  /**
   * Whether its open file can no longer be relied on, because a sync has failed. Opened anew, the
   * download goes on.
   */
  get isBroken(): boolean {
    return this.#part?.checkpoints.isBroken ?? false;
  }

  /** Takes a complete layer. Returns whether it leads to the root. */
  setPieceHashes(pieceHashes: Uint8Array): boolean {
    if (rootOf(pieceHashes, this.shape) !== this.root) return false;
    this.#pieceHashes = pieceHashes;
    return true;
  }

  /**
   * A range of the piece layer with its proof, for another peer. Undefined while the layer is not
   * known.
   */
  hashes(first: number, count: number): HashRange | undefined {
    if (!this.#pieceHashes) return undefined;
    this.#levels ??= levelsOf(this.#pieceHashes, this.shape);
    return rangeOf(this.#levels, this.shape, first, count);
  }

  /**
   * Takes up what an earlier run has left: what a checkpoint vouches for is held; the rest is read,
   * and held where it is right.
   */
  async checkDisk(options?: HashOptions): Promise<void> {
    const vouched = this.#part?.checkpoints.durableAtOpen ?? new Bitfield(this.shape.pieces);
    for (let piece = 0; piece < this.shape.pieces; piece++) if (vouched.has(piece)) this.states.move(piece, 'find');
    if (!this.#pieceHashes || vouched.isFull) return;
    for (const piece of await this.#run(
      this.#context.hasher.check(this.#file, this.shape, this.#pieceHashes, vouched, options),
    )) {
      if (this.states.state(piece) !== 'missing') continue;
      this.states.move(piece, 'find');
      this.#isRight(piece);
    }
  }

  /**
   * Fills memory with the bytes of a held piece, from an offset within it.
   *
   * @throws ShoalError pieceNotHeld, fileChanged, fileMissing
   */
  async read(piece: number, offset: number, into: Uint8Array): Promise<void> {
    if (this.#closed || !this.states.held.has(piece) || offset + into.length > lengthOf(this.shape, piece)) {
      throw new ShoalError('pieceNotHeld', { piece });
    }
    if (this.#completeFile && this.#context.clock.monotonicMs() - this.#checkedMs >= CHECK_MS) {
      await this.#checkUnchanged();
    }
    if (!this.#proven.has(piece)) return this.#readFirst(piece, offset, into);
    if ((await this.#run(this.#file.read(into, piece * this.shape.pieceBytes + offset))) !== into.length) {
      throw this.#onChanged();
    }
  }

  /**
   * Verifies a piece that has arrived (its state is `verifying`) and writes it. Returns whether it
   * was right; then it is held.
   */
  async store(piece: number, bytes: Uint8Array): Promise<boolean> {
    if (!this.#pieceHashes) throw new Error('no layer to verify with');
    let right = false;
    try {
      if (this.#closed) throw new ShoalError('cancelled');
      right = await this.#run(
        this.#context.hasher.store(this.#file, this.shape, piece, bytes, expectedHash(this.#pieceHashes, piece)),
      );
    } finally {
      this.states.move(piece, right ? 'hold' : 'reject');
    }
    if (right) this.#isRight(piece);
    return right;
  }

  /**
   * Makes what has arrived last, so that not even a power cut takes it. @throws ShoalError
   * syncFailed, diskFull, destinationUnwritable
   */
  async saveCheckpoint(): Promise<void> {
    await this.#part?.checkpoints.save();
  }

  /** Publishes a download whose pieces are all held. @throws ShoalError as `publish`, syncFailed */
  async finalize(request: FinalizeRequest): Promise<{ readonly path: string; readonly identity: FileIdentity }> {
    const part = this.#part;
    if (!part) throw new Error('nothing to publish');
    await part.checkpoints.sync();
    const lost = this.states.isComplete ? undefined : this.states.nextMissing(0); // the disk may have lost one meanwhile
    if (lost !== undefined) throw new ShoalError('pieceNotHeld', { piece: lost });
    const path = await this.#run(finalize(this.#context.disk, part, request));
    part.checkpoints.stop();
    this.#part = undefined;
    this.#completeFile = { path, identity: identityOf(await this.#file.stat()), folder: undefined };
    // from here on it is open only while it is asked for
    this.#file = this.#context.filePool.file(path, this.#completeFile.identity, this.#file);
    return this.#completeFile;
  }

  /** From here on reads the files that were made of what has come. */
  async serveFolder(path: string, identity: FileIdentity, folder: FolderFile): Promise<void> {
    const part = this.#file;
    this.#part?.checkpoints.stop();
    this.#part = undefined;
    this.#completeFile = { path, identity, folder };
    this.#file = folder;
    // Beside a chosen file a piece may hold bytes of another one, which are no longer here.
    for (let piece = 0; piece < this.shape.pieces; piece++) {
      if (!this.states.held.has(piece) || folder.has(piece * this.shape.pieceBytes, lengthOf(this.shape, piece))) {
        continue;
      }
      this.states.move(piece, 'lose');
      this.states.move(piece, 'skip');
    }
    await Promise.allSettled(this.#running);
    await part.close();
  }

  /** From now on these pieces are wanted, and no others. Those that are held stay. */
  want(needed: ReadonlySet<number>): void {
    for (let piece = 0; piece < this.shape.pieces; piece++) {
      const state = this.states.state(piece);
      if (state === 'missing' && !needed.has(piece)) this.states.move(piece, 'skip');
      if (state === 'unwanted' && needed.has(piece)) this.states.move(piece, 'want');
    }
  }

  /**
   * Fills memory with bytes from anywhere in the whole, over the bounds of pieces. @throws
   * ShoalError as `read`
   */
  async readAt(into: Uint8Array, at: number): Promise<void> {
    const { pieceBytes } = this.shape;
    for (let done = 0; done < into.length;) {
      const piece = Math.floor((at + done) / pieceBytes);
      const offset = at + done - piece * pieceBytes;
      const bytes = Math.min(into.length - done, pieceBytes - offset);
      await this.read(piece, offset, into.subarray(done, done + bytes));
      done += bytes;
    }
  }

  /**
   * Closes the file, after what is at work on it.
   *
   * @param keep  whether what has arrived shall last; a download that is given up does not need
   *   that
   */
  async close(keep = true): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#running);
    this.#part?.checkpoints.stop();
    try {
      // What cannot be saved now is found again by reading.
      if (keep) await this.saveCheckpoint().catch(() => {});
    } finally {
      await this.#file.close();
    }
  }

  /** A piece that was not read in this life of the process is read whole and verified. */
  async #readFirst(piece: number, offset: number, into: Uint8Array): Promise<void> {
    const whole =
      into.length === lengthOf(this.shape, piece)
        ? into
        : new Uint8Array(new SharedArrayBuffer(lengthOf(this.shape, piece)));
    const count = await this.#run(this.#file.read(whole, piece * this.shape.pieceBytes));
    // What a checkpoint vouches for before the layer has come cannot be verified, and is not given
    // away.
    if (!this.#pieceHashes) throw new ShoalError('pieceNotHeld', { piece });
    if (
      count !== whole.length ||
      !(await this.#context.hasher.verify(this.shape, whole, expectedHash(this.#pieceHashes, piece)))
    ) {
      throw this.#onDamaged(piece);
    }
    this.#proven.add(piece);
    if (whole !== into) into.set(whole.subarray(offset, offset + into.length));
  }

  /**
   * The disk does not hold what it once held. Of a download that piece is fetched again; of a whole
   * file nothing is served any more.
   */
  #onDamaged(piece: number): ShoalError {
    if (this.#completeFile) return this.#onChanged();
    if (this.states.held.has(piece)) {
      this.states.move(piece, 'lose');
      this.#part?.checkpoints.onWritten(lengthOf(this.shape, piece)); // the last one vouches for it
    }
    return new ShoalError('pieceNotHeld', { piece });
  }

  #onChanged(): ShoalError {
    return new ShoalError('fileChanged', { name: this.#completeFile?.path ?? '' });
  }

  /** A piece is on the disk and right. */
  #isRight(piece: number): void {
    this.#proven.add(piece);
    this.#part?.checkpoints.onWritten(lengthOf(this.shape, piece));
  }

  /** Both what is open and what is under the name must be the file that was hashed. */
  async #checkUnchanged(): Promise<void> {
    const whole = this.#completeFile;
    if (!whole) return;
    // later it looks at what it reads
    if (whole.folder) return this.#checkedMs === -Infinity ? this.#checkFolder(whole.folder) : undefined;
    const nowMs = this.#context.clock.monotonicMs();
    const named = await this.#context.disk.stat(whole.path);
    if (!named) throw new ShoalError('fileMissing', { path: whole.path });
    const why =
      identityMismatch(whole.identity, named) ?? identityMismatch(whole.identity, await this.#run(this.#file.stat()));
    if (why !== undefined) throw this.#onChanged();
    this.#checkedMs = nowMs;
  }

  async #checkFolder(folder: FolderFile): Promise<void> {
    await folder.check();
    this.#checkedMs = this.#context.clock.monotonicMs();
  }

  async #run<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }
}
