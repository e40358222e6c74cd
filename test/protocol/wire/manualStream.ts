// A stream whose other end is the test itself: it feeds bytes in chunks of its choice and looks at
// what was written. No time passes.
import type { ByteStream, StreamReceiver } from '../../../protocol/base/world.ts';

export class ManualStream implements ByteStream {
  readonly pin = undefined;
  readonly remote = { host: 'test', port: 1 };
  readonly dialled: boolean;
  queuedBytes = 0;
  /** What was written so far. */
  written = Buffer.alloc(0);
  isPaused = false;
  isEnded = false;
  isDestroyed = false;
  /** The size of every place that bytes were put into. */
  readonly targets: number[] = [];
  #receiver: StreamReceiver | undefined;
  #waiting: Buffer = Buffer.alloc(0);

  constructor(dialled = false) {
    this.dialled = dialled;
  }

  open(receiver: StreamReceiver): void {
    this.#receiver = receiver;
  }

  write(parts: readonly Uint8Array[], taken?: () => void): void {
    this.written = Buffer.concat([this.written, ...parts]);
    taken?.();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.feed(this.#waiting);
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.#receiver?.ended();
  }

  /**
   * Gives bytes to the receiver in chunks of these sizes, over and over; while paused or without
   * receiver they wait.
   */
  feed(bytes: Uint8Array, sizes: readonly number[] = [Infinity]): void {
    this.#waiting = Buffer.from(bytes);
    for (let turn = 0; this.#waiting.length > 0 && !this.isPaused && !this.isDestroyed && this.#receiver; turn++) {
      const target = this.#receiver.target();
      if (target.length === 0) throw new Error('a receiver named a place of no size');
      this.targets.push(target.length);
      const count = Math.min(target.length, this.#waiting.length, sizes[turn % sizes.length] ?? Infinity);
      target.set(this.#waiting.subarray(0, count));
      this.#waiting = this.#waiting.subarray(count);
      this.#receiver.received(count);
    }
  }

  /** The other side ends the stream, or it breaks. */
  finish(error?: Error): void {
    this.#receiver?.ended(error);
  }

  drain(): void {
    this.queuedBytes = 0;
    this.#receiver?.drained();
  }
}
