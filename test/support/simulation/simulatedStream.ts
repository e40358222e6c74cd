// A stream between two simulated programs, each end one object. Bytes pass in order and cut at
// random places; a reader that does not read fills the window and then the writer's queue; a path
// that is cut holds everything back until it is healed, as TCP does. An end that has read to the
// other's end closes by itself, as Node's sockets do.
import type { Pin } from '../../../protocol/base/ids.ts';
import type { Address } from '../../../protocol/base/fields.ts';
import type { ByteStream, StreamReceiver } from '../../../protocol/base/world.ts';
import type { SeededChance } from './seededChance.ts';
import type { SimulatedNetwork } from './simulatedNetwork.ts';
import type { Life } from './machine.ts';

/** A queue that was never as long as this becomes empty without a word, as Node's do. */
const LONG_QUEUE_BYTES = 16 * 1024;
/**
 * Bytes that may be on their way or unread at the other end: what real systems keep between two
 * sockets.
 */
const WINDOW_BYTES = 256 * 1024;
const CHUNK_BYTES_MAX = 64 * 1024;

type Packet = { readonly is: 'data'; readonly bytes: Buffer } | { readonly is: 'end' } | { readonly is: 'reset' };

export interface StreamEnd {
  readonly life: Life;
  readonly pin: Pin | undefined;
  readonly remote: Address;
  readonly dialled: boolean;
}

export class SimulatedStream implements ByteStream {
  readonly pin: Pin | undefined;
  readonly remote: Address;
  readonly dialled: boolean;
  readonly life: Life;
  other!: SimulatedStream;
  readonly #network: SimulatedNetwork;
  readonly #chance: SeededChance;
  /** Written, not yet taken by the system. */
  readonly #queue: Written[] = [];
  #queuedBytes = 0;
  #wasLong = false;
  #isTaking = false;
  /** On their way to the other end, in order. */
  readonly #packets: Packet[] = [];
  /** Packets and acknowledgements that came to a place where the path was cut. */
  #stalled = 0;
  #unacknowledgedBytes = 0;
  #consumedBytes = 0;
  #isAcknowledging = false;
  /** Here, not yet given to the receiver. */
  readonly #arrived: Buffer[] = [];
  #receiver: StreamReceiver | undefined;
  #isPaused = false;
  #isDelivering = false;
  #wroteEnd = false;
  #sentEnd = false;
  #sawEnd = false;
  #closed: { readonly error: Error | undefined } | undefined;
  #toldEnded = false;

  constructor(network: SimulatedNetwork, chance: SeededChance, { life, pin, remote, dialled }: StreamEnd) {
    this.#network = network;
    this.#chance = chance;
    this.life = life;
    this.pin = pin;
    this.remote = remote;
    this.dialled = dialled;
    life.streams.add(this);
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isOpen(): boolean {
    return this.#closed === undefined;
  }

  open(receiver: StreamReceiver): void {
    if (this.#receiver) throw new Error('the stream is open already');
    this.#receiver = receiver;
    if (this.#closed) this.#soon(() => this.#tellEnded());
    // A dialled TLS socket may have bytes at hand, all others give them later.
    else if (this.#chance.oneIn(2)) this.#deliver();
    else this.#soon(() => this.#deliver());
  }

  write(parts: readonly Uint8Array[], taken?: () => void): void {
    if (this.#closed || this.#wroteEnd) return taken?.();
    for (const bytes of parts) {
      this.#queue.push({ bytes, taken: undefined });
      this.#queuedBytes += bytes.length;
    }
    this.#queue.push({ bytes: NOTHING, taken });
    this.#wasLong ||= this.#queuedBytes >= LONG_QUEUE_BYTES;
    this.#takeSoon();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#soon(() => this.#deliver());
  }

  end(): void {
    if (this.#closed || this.#wroteEnd) return;
    this.#wroteEnd = true;
    this.#takeSoon();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#send({ is: this.#arrived.some(({ length }) => length > 0) ? 'reset' : 'end' });
    this.#close(undefined);
  }

  /** The program at this end is gone. `silence`: nobody tells the other end. */
  abandon(how: 'end' | 'reset' | 'silence'): void {
    if (!this.#closed && how !== 'silence') this.#send({ is: how });
    this.#close(undefined);
  }

  /** The network breaks the connection: both ends learn it now. */
  break(): void {
    for (const end of [this, this.other]) end.#close(resetError());
  }

  /** The path may be open again: what was held back sets out once more. */
  retry(): void {
    for (let n = this.#stalled; n > 0; n--) this.#schedule(() => this.#arrive());
    this.#stalled = 0;
    if (this.#consumedBytes > 0) this.#acknowledge();
  }

  get #site() {
    return this.life.machine.site;
  }

  #soon(run: () => void): void {
    this.#network.after(0, () => this.life.isAlive && run());
  }

  #takeSoon(): void {
    if (this.#isTaking || this.#closed) return;
    this.#isTaking = true;
    this.#soon(() => {
      this.#isTaking = false;
      this.#take();
    });
  }

  /**
   * The system takes what fits into the window, in chunks that know nothing of where a write began.
   */
  #take(): void {
    if (this.#closed) return;
    while (this.#queuedBytes > 0 && this.#unacknowledgedBytes < WINDOW_BYTES) {
      const most = Math.min(this.#queuedBytes, WINDOW_BYTES - this.#unacknowledgedBytes, CHUNK_BYTES_MAX);
      const size = this.#chance.oneIn(4)
        ? 1 + this.#chance.below(Math.min(most, 24))
        : this.#chance.oneIn(3)
          ? 1 + this.#chance.below(most)
          : most;
      this.#unacknowledgedBytes += size;
      this.#send({ is: 'data', bytes: this.#takeBytes(size) });
    }
    this.#forgetTaken();
    if (this.#queuedBytes > 0) return;
    if (this.#wroteEnd && !this.#sentEnd) {
      this.#sentEnd = true;
      this.#send({ is: 'end' });
      this.#closeIfDone();
    } else if (this.#wasLong) {
      this.#wasLong = false;
      this.#receiver?.drained();
    }
  }

  #takeBytes(size: number): Buffer {
    const bytes = Buffer.allocUnsafe(size);
    for (let at = 0; at < size;) {
      this.#forgetTaken();
      const first = this.#queue[0];
      if (!first) throw new Error('the queue is shorter than it says');
      const count = Math.min(first.bytes.length, size - at);
      bytes.set(first.bytes.subarray(0, count), at);
      at += count;
      this.#queue[0] = { ...first, bytes: first.bytes.subarray(count) };
    }
    this.#queuedBytes -= size;
    return bytes;
  }

  /** Gives back the memory of what the system has now. */
  #forgetTaken(): void {
    for (let first = this.#queue[0]; first?.bytes.length === 0; first = this.#queue[0]) {
      this.#queue.shift();
      if (this.life.isAlive) first.taken?.();
    }
  }

  #send(packet: Packet): void {
    this.#packets.push(packet);
    this.#schedule(() => this.#arrive(), packet.is === 'data' ? packet.bytes.length : 0);
  }

  #schedule(run: () => void, bytes = 0): void {
    this.#network.after(this.#network.travelMs(this.#site, this.other.#site, bytes), run);
  }

  /** The first packet on its way reaches the other end. */
  #arrive(): void {
    const packet = this.#packets[0];
    if (!packet) return;
    if (this.#network.isCut(this.#site, this.other.#site)) return void this.#stalled++;
    this.#packets.shift();
    this.other.#receive(packet);
  }

  #receive(packet: Packet): void {
    if (this.#closed) {
      // Nobody is here any more: whoever sends learns it.
      if (packet.is === 'data') this.#send({ is: 'reset' });
      return;
    }
    if (packet.is === 'reset') return this.#close(resetError());
    this.#arrived.push(packet.is === 'data' ? packet.bytes : EVERYTHING_CAME);
    this.#deliver();
  }

  #deliver(): void {
    const receiver = this.#receiver;
    if (!receiver || this.#isDelivering) return;
    this.#isDelivering = true;
    for (let first = this.#arrived[0]; first && !this.#isPaused && !this.#closed; first = this.#arrived[0]) {
      if (first === EVERYTHING_CAME) {
        this.#arrived.shift();
        this.#sawEnd = true;
        this.end();
        this.#closeIfDone();
        break;
      }
      const target = receiver.target();
      if (target.length === 0) throw new Error('a receiver named a place of no size');
      const count = Math.min(target.length, first.length);
      target.set(first.subarray(0, count));
      if (count === first.length) this.#arrived.shift();
      else this.#arrived[0] = first.subarray(count);
      this.#consumedBytes += count;
      receiver.received(count);
    }
    this.#isDelivering = false;
    if (this.#consumedBytes > 0) this.#acknowledge();
  }

  /** The other end learns how much was read, and may send as much again. */
  #acknowledge(): void {
    if (this.#isAcknowledging) return;
    this.#isAcknowledging = true;
    this.#schedule(() => {
      this.#isAcknowledging = false;
      if (this.#network.isCut(this.#site, this.other.#site)) return; // `retry` sends it again
      this.other.#unacknowledgedBytes -= this.#consumedBytes;
      this.#consumedBytes = 0;
      if (this.other.life.isAlive) this.other.#takeSoon();
    });
  }

  #closeIfDone(): void {
    if (this.#sawEnd && this.#sentEnd) this.#close(undefined);
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = { error };
    this.#queuedBytes = 0;
    for (const { taken } of this.#queue.splice(0)) if (taken) this.#soon(taken);
    this.#arrived.length = 0;
    this.life.streams.delete(this);
    this.#network.forget(this);
    this.#soon(() => this.#tellEnded());
  }

  #tellEnded(): void {
    if (!this.#receiver || this.#toldEnded) return;
    this.#toldEnded = true;
    this.#receiver.ended(this.#closed?.error);
  }
}

/** Bytes that wait, and whom to tell when they no longer do. */
interface Written {
  readonly bytes: Uint8Array;
  readonly taken: (() => void) | undefined;
}

const NOTHING = new Uint8Array(0);

/** Stands behind the last bytes of a stream. */
const EVERYTHING_CAME = Buffer.alloc(0);

const resetError = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
