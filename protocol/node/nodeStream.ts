// A socket of Node.js as a stream: what is read lands in the receiver's memory where Node allows
// it, what is written leaves together and is not copied when it is large.
import type net from 'node:net';
import type { Address } from '../base/fields.ts';
import type { Pin } from '../base/ids.ts';
import type { ByteStream, StreamReceiver } from '../base/world.ts';

/**
 * Bytes of the memory that a dialled stream reads into before its receiver is known, and when it
 * stops to do so.
 */
const SCRATCH_BYTES = 16 * 1024;
const EARLY_BYTES_MAX = 64 * 1024;

/**
 * Bytes up to which small parts are written together: more, and to copy them costs more than
 * another call.
 */
const COALESCED_BYTES_MAX = 64 * 1024;
/** A queue that was never as long as this becomes empty without a word. */
const LONG_QUEUE_BYTES = 16 * 1024;

/**
 * Memory for a dialled TLS socket: its own until the stream has a receiver, then the receiver's.
 */
export class InPlaceReads {
  receiver: StreamReceiver | undefined;
  paused = false;
  #given: Uint8Array | undefined;
  #givenByReceiver = false;
  readonly #early: Buffer[] = [];
  #earlyBytes = 0;

  next(): Uint8Array {
    this.#givenByReceiver = this.receiver !== undefined;
    this.#given = this.receiver?.target() ?? Buffer.allocUnsafe(SCRATCH_BYTES);
    return this.#given;
  }

  /** Node.js put so many bytes into what `next` gave. Returns whether it may go on reading. */
  took(count: number): boolean {
    if (this.#givenByReceiver) this.receiver?.received(count);
    else this.#store(this.#given?.subarray(0, count) ?? new Uint8Array(0));
    return !this.paused && (this.receiver !== undefined || this.#earlyBytes < EARLY_BYTES_MAX);
  }

  #store(bytes: Uint8Array): void {
    if (this.receiver) return copyTo(this.receiver, bytes);
    this.#early.push(Buffer.from(bytes));
    this.#earlyBytes += bytes.length;
  }

  open(receiver: StreamReceiver): void {
    this.receiver = receiver;
    for (const chunk of this.#early.splice(0)) copyTo(receiver, chunk);
  }
}

function copyTo(receiver: StreamReceiver, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length;) {
    const target = receiver.target();
    const count = Math.min(target.length, chunk.length - at);
    target.set(chunk.subarray(at, at + count));
    at += count;
    receiver.received(count);
  }
}

/** What waits to be written. */
interface Written {
  readonly bytes: Uint8Array;
  readonly taken: (() => void) | undefined;
}

export class NodeStream implements ByteStream {
  readonly pin: Pin | undefined;
  readonly remote: Address;
  readonly dialled: boolean;
  readonly #socket: net.Socket;
  readonly #reads: InPlaceReads | undefined;
  #receiver: StreamReceiver | undefined;
  #error: Error | undefined;
  #closed = false;
  /**
   * Node.js copies together whatever it is given while it writes, and pieces are large. So it is
   * given one thing at a time: a large part alone, small ones together; what else there is waits
   * here.
   */
  readonly #queue: Written[] = [];
  #queueBytes = 0;
  #writingBytes = 0;
  #wasLong = false;
  #isFlushing = false;
  #isEnding = false;

  constructor(socket: net.Socket, pin: Pin | undefined, dialled: boolean, reads?: InPlaceReads) {
    this.#socket = socket;
    this.pin = pin;
    this.dialled = dialled;
    this.#reads = reads;
    // An IPv4 peer of a socket that listens on both families shows as ::ffff:1.2.3.4.
    this.remote = { host: (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, ''), port: socket.remotePort ?? 0 };
    socket.setNoDelay(true);
    socket.on('error', (error) => (this.#error ??= error));
    socket.on('close', () => {
      this.#closed = true;
      this.#queueBytes = 0;
      for (const { taken } of this.#queue.splice(0)) taken?.();
      this.#receiver?.ended(this.#error);
    });
  }

  get queuedBytes(): number {
    return this.#queueBytes + this.#writingBytes;
  }

  open(receiver: StreamReceiver): void {
    this.#receiver = receiver;
    if (this.#reads) {
      this.#reads.open(receiver);
      if (!this.#reads.paused) this.#socket.resume();
    } else this.#socket.on('data', (chunk: Buffer) => copyTo(receiver, chunk));
    if (this.#closed) queueMicrotask(() => receiver.ended(this.#error));
  }

  write(parts: readonly Uint8Array[], taken?: () => void): void {
    if (this.#socket.destroyed || this.#isEnding) return taken?.();
    for (const bytes of parts) {
      this.#queue.push({ bytes, taken: bytes === parts.at(-1) ? taken : undefined });
      this.#queueBytes += bytes.length;
    }
    this.#wasLong ||= this.queuedBytes >= LONG_QUEUE_BYTES;
    if (this.#isFlushing) return;
    // All that is written in this turn of the event loop leaves together.
    this.#isFlushing = true;
    process.nextTick(() => this.#flush());
  }

  pause(): void {
    if (this.#reads) this.#reads.paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (this.#reads) this.#reads.paused = false;
    this.#socket.resume();
  }

  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    if (!this.#isFlushing) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Gives Node.js the next of what waits, until nothing does. */
  #flush(): void {
    const batch: Written[] = [];
    for (
      let next = this.#queue[0];
      next && (batch.length === 0 || this.#writingBytes + next.bytes.length <= COALESCED_BYTES_MAX);
      next = this.#queue[0]
    ) {
      this.#queue.shift();
      batch.push(next);
      this.#writingBytes += next.bytes.length;
    }
    this.#queueBytes -= this.#writingBytes;
    const [first] = batch;
    if (!first) return this.#afterWrite();
    const bytes =
      batch.length === 1
        ? first.bytes
        : Buffer.concat(
            batch.map((one) => one.bytes),
            this.#writingBytes,
          );
    this.#socket.write(bytes, () => {
      this.#writingBytes = 0;
      for (const { taken } of batch) taken?.();
      this.#flush();
    });
  }

  /** Everything that was written is with the system. */
  #afterWrite(): void {
    this.#isFlushing = false;
    if (this.#isEnding) this.#socket.end();
    else if (this.#wasLong) {
      this.#wasLong = false;
      this.#receiver?.drained();
    }
  }
}
