// Bytes of values being written and read: numbers are big-endian, every step of reading checks what
// is left. Knows no schema.

/**
 * Why a value cannot be read or written; `Connection` turns it into `badMessage` with the message's
 * name.
 */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

export const refuse = (why: string): never => {
  throw new SchemaError(why);
};

/** Bytes being written; grows as needed. */
export class Writer {
  #bytes = Buffer.allocUnsafe(256);
  length = 0;

  /** Makes room for so many bytes and returns where they begin. */
  #reserve(count: number): number {
    const at = this.length;
    if (at + count > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, at + count));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.length = at + count;
    return at;
  }

  u8(value: number): void {
    const at = this.#reserve(1); // may replace #bytes, so not within the assignment
    this.#bytes[at] = value;
  }
  u16(value: number): void {
    const at = this.#reserve(2);
    this.#bytes.writeUInt16BE(value, at);
  }
  u32(value: number): void {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32BE(value, at);
  }
  u53(value: number): void {
    const at = this.#reserve(8);
    this.#bytes.writeUInt32BE(Math.floor(value / 2 ** 32), at);
    this.#bytes.writeUInt32BE(value % 2 ** 32, at + 4);
  }
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }
  hex(text: string): void {
    const at = this.#reserve(text.length / 2);
    this.#bytes.write(text, at, 'hex');
  }
  utf8(text: string, bytes: number): void {
    const at = this.#reserve(bytes);
    this.#bytes.write(text, at, 'utf8');
  }
  /** Writes a number into a place that was reserved before. */
  patchU32(at: number, value: number): void {
    this.#bytes.writeUInt32BE(value, at);
  }

  /** The bytes written so far. The writer must not be used afterwards. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }
}

/** Bytes being read; every step checks what is left. */
export class Reader {
  readonly #bytes: Buffer;
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#end = bytes.byteLength;
  }

  get leftBytes(): number {
    return this.#end - this.#at;
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#end - at) refuse('it ends too early');
    this.#at = at + count;
    return at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }
  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }
  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }
  u53(): number {
    const at = this.#take(8);
    const high = this.#bytes.readUInt32BE(at);
    if (high >= 2 ** 21) refuse('a number is too large');
    return high * 2 ** 32 + this.#bytes.readUInt32BE(at + 4);
  }
  /** A view, not a copy: valid as long as the frame's buffer. */
  raw(count: number): Buffer {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }
  hex(count: number): string {
    const at = this.#take(count);
    return this.#bytes.toString('hex', at, at + count);
  }
  utf8(count: number): string {
    const at = this.#take(count);
    const bytes = this.#bytes.subarray(at, at + count);
    const text = bytes.toString('utf8');
    // Node replaces what is not UTF-8; a byte sequence that does not come back is refused rather
    // than altered.
    if (text.includes('\uFFFD') && !Buffer.from(text, 'utf8').equals(bytes)) refuse('a text is not UTF-8');
    return text;
  }

  /** Reads with the end moved to `count` bytes from here, then skips what was not read. */
  within<T>(count: number, read: () => T): T {
    const outer = this.#end;
    const end = this.#at + count;
    if (end > outer) refuse('it ends too early');
    this.#end = end;
    const value = read();
    this.#at = end;
    this.#end = outer;
    return value;
  }
}
