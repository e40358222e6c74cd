// What this machine holds of one file: its bytes on disk, its board of pieces and its piece layer. Owns the file that is open; the
// only one that reads and writes it. Knows no network.
import type { Root } from '../../protocol/ids.ts';
import { ShoalError } from '../../protocol/errors.ts';
import type { Disk, DiskFile } from '../../protocol/world.ts';
import type { FileIdentity } from './fileIdentity.ts';
import { identityOf, whyUnlike } from './fileIdentity.ts';
import type { Hasher, HashOptions } from './hashing.ts';
import { expectedHash, openToRead } from './hashing.ts';
import type { HashRange, Levels, Shape } from './hashTree.ts';
import { lengthOf, levelsOf, rangeOf, rootOf } from './hashTree.ts';
import type { PartFile } from './partFile.ts';
import { publish } from './partFile.ts';
import { Pieces } from './pieces.ts';

export class Copy {
  readonly root: Root;
  readonly shape: Shape;
  readonly pieces: Pieces;
  readonly #disk: Disk;
  readonly #hasher: Hasher;
  #layer: Uint8Array | undefined;
  #levels: Levels | undefined;
  #file: DiskFile;
  /** The part file while the copy is not published. */
  #part: PartFile | undefined;
  /** Path and identity of a whole file, checked before it is served. */
  #whole: { readonly path: string; readonly identity: FileIdentity } | undefined;
  #closed = false;

  private constructor(disk: Disk, hasher: Hasher, root: Root, shape: Shape, file: DiskFile) {
    this.#disk = disk;
    this.#hasher = hasher;
    this.root = root;
    this.shape = shape;
    this.#file = file;
    this.pieces = new Pieces(shape.pieces);
  }

  /**
   * A whole file that is as it was hashed.
   *
   * @throws ShoalError fileMissing, fileUnreadable, notAFile, fileChanged
   */
  static async ofFile(disk: Disk, hasher: Hasher, root: Root, shape: Shape, layer: Uint8Array, path: string, identity: FileIdentity): Promise<Copy> {
    const file = await openToRead(disk, path);
    const copy = new Copy(disk, hasher, root, shape, file);
    copy.#layer = layer;
    copy.#whole = { path, identity };
    for (let piece = 0; piece < shape.pieces; piece++) copy.pieces.move(piece, 'find');
    try {
      await copy.#checkUnchanged();
    } catch (error) {
      await copy.close();
      throw error;
    }
    return copy;
  }

  /** A download; nothing counts as held until it is verified. */
  static ofPart(disk: Disk, hasher: Hasher, root: Root, shape: Shape, part: PartFile, layer?: Uint8Array): Copy {
    const copy = new Copy(disk, hasher, root, shape, part.file);
    copy.#part = part;
    copy.#layer = layer ?? (shape.pieces <= 1 ? Buffer.from(root, 'hex').subarray(0, shape.pieces * 32) : undefined);
    return copy;
  }

  /** The piece hashes; undefined until a peer has sent and the root has proven them. */
  get layer(): Uint8Array | undefined {
    return this.#layer;
  }

  /** Takes a complete layer. Returns whether it leads to the root. */
  takeLayer(layer: Uint8Array): boolean {
    if (rootOf(layer, this.shape) !== this.root) return false;
    this.#layer = layer;
    return true;
  }

  /** A range of the piece layer with its proof, for another peer. Undefined while the layer is not known. */
  hashes(first: number, count: number): HashRange | undefined {
    if (!this.#layer) return undefined;
    this.#levels ??= levelsOf(this.#layer, this.shape);
    return rangeOf(this.#levels, this.shape, first, count);
  }

  /** Finds out by reading which pieces are on disk already, and holds them. */
  async checkDisk(options?: HashOptions): Promise<void> {
    if (!this.#layer) return;
    for (const piece of await this.#hasher.check(this.#file, this.shape, this.#layer, options)) {
      if (this.pieces.state(piece) === 'missing') this.pieces.move(piece, 'find');
    }
  }

  /**
   * Fills memory with the bytes of a held piece, from an offset within it.
   *
   * @throws ShoalError pieceNotHeld, fileChanged, fileMissing
   */
  async read(piece: number, offset: number, into: Uint8Array): Promise<void> {
    if (!this.pieces.held.has(piece) || offset + into.length > lengthOf(this.shape, piece)) throw new ShoalError('pieceNotHeld', { piece });
    if (this.#whole) await this.#checkUnchanged();
    const count = await this.#file.read(into, piece * this.shape.pieceBytes + offset);
    if (count !== into.length) throw new ShoalError('fileChanged', { name: this.#whole?.path ?? '' });
  }

  /** Verifies a piece that has arrived (its state is `verifying`) and writes it. Returns whether it was right; then it is held. */
  async store(piece: number, bytes: Uint8Array): Promise<boolean> {
    if (!this.#layer) throw new Error('no layer to verify with');
    let right = false;
    try {
      right = await this.#hasher.store(this.#file, this.shape, piece, bytes, expectedHash(this.#layer, piece));
    } finally {
      this.pieces.move(piece, right ? 'hold' : 'reject');
    }
    return right;
  }

  /** Publishes a download whose pieces are all held. Returns its final path. @throws ShoalError as `publish` */
  async publish(destination: string, rename: boolean): Promise<{ readonly path: string; readonly identity: FileIdentity }> {
    if (!this.#part) throw new Error('nothing to publish');
    const path = await publish(this.#disk, this.#part, destination, rename);
    this.#part = undefined;
    return (this.#whole = { path, identity: identityOf(await this.#file.stat()) });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
  }

  /** Both what is open and what is under the name must be the file that was hashed. */
  async #checkUnchanged(): Promise<void> {
    const whole = this.#whole;
    if (!whole) return;
    const named = await this.#disk.stat(whole.path);
    if (!named) throw new ShoalError('fileMissing', { path: whole.path });
    const why = whyUnlike(whole.identity, named) ?? whyUnlike(whole.identity, await this.#file.stat());
    if (why !== undefined) throw new ShoalError('fileChanged', { name: whole.path });
  }
}
