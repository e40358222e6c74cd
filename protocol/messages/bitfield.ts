// Which pieces a peer has: one bit each, the first piece the highest bit of the first byte (BEP
// 3).

export class Bitfield {
  readonly size: number;
  readonly #bytes: Uint8Array;
  #count = 0;

  /** @param size pieces, 0 to PIECES_MAX */
  constructor(size: number) {
    this.size = size;
    this.#bytes = new Uint8Array(Math.ceil(size / 8));
  }

  /**
   * From bytes of the wire or a file. Undefined unless they have exactly the length for `size` and
   * no bit behind the last piece: a peer that sends anything else is wrong or hostile.
   */
  static from(bytes: Uint8Array, size: number): Bitfield | undefined {
    if (bytes.length !== Math.ceil(size / 8)) return undefined;
    const field = new Bitfield(size);
    field.#bytes.set(bytes);
    const spare = field.#bytes.length * 8 - size;
    if (spare > 0 && ((field.#bytes.at(-1) ?? 0) & ((1 << spare) - 1)) !== 0) return undefined;
    for (const byte of field.#bytes) field.#count += ONES[byte] ?? 0;
    return field;
  }

  static full(size: number): Bitfield {
    const field = new Bitfield(size);
    for (let piece = 0; piece < size; piece++) field.add(piece);
    return field;
  }

  has(piece: number): boolean {
    return piece >= 0 && piece < this.size && ((this.#bytes[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0;
  }

  /** Sets a bit. Returns whether it was new. */
  add(piece: number): boolean {
    if (!(piece >= 0 && piece < this.size) || this.has(piece)) return false;
    const at = piece >> 3;
    this.#bytes[at] = (this.#bytes[at] ?? 0) | (0x80 >> (piece & 7));
    this.#count++;
    return true;
  }

  /** Clears a bit. Returns whether it was set. */
  delete(piece: number): boolean {
    if (!this.has(piece)) return false;
    const at = piece >> 3;
    this.#bytes[at] = (this.#bytes[at] ?? 0) & ~(0x80 >> (piece & 7));
    this.#count--;
    return true;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.size;
  }

  equals(other: Bitfield): boolean {
    return (
      this.size === other.size &&
      this.#count === other.#count &&
      this.#bytes.every((byte, n) => byte === other.#bytes[n])
    );
  }

  /** A copy of the bytes, for the wire or a file. */
  bytes(): Uint8Array {
    return this.#bytes.slice();
  }
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);
