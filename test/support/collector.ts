// The plain end of a stream in tests: gathers what comes, in memory of random or fixed size.
import type { ByteStream, StreamReceiver } from '../../protocol/base/world.ts';

export class Collector implements StreamReceiver {
  readonly stream: ByteStream;
  /** How the stream ended: undefined while it is open. */
  end: { readonly error: Error | undefined } | undefined;
  drains = 0;
  /** How many bytes came. */
  length = 0;
  readonly #chunks: Buffer[] = [];
  readonly #target: Buffer;

  constructor(stream: ByteStream, targetBytes = 4096) {
    this.stream = stream;
    this.#target = Buffer.alloc(targetBytes);
    stream.open(this);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get chunkCount(): number {
    return this.#chunks.length;
  }

  target(): Uint8Array {
    return this.#target;
  }

  received(count: number): void {
    this.length += count;
    this.#chunks.push(Buffer.from(this.#target.subarray(0, count)));
  }

  drained(): void {
    this.drains++;
  }

  ended(error?: Error): void {
    if (this.end) throw new Error('ended twice');
    this.end = { error };
  }
}
