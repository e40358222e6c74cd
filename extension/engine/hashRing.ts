// Pieces of a file on their way from the thread that reads and sums it to one that makes its tree: a ring of shared memory, into which the
// one reads and out of which the other takes. Both wait in place: they are threads that do nothing else.
import { ShoalError } from '../../protocol/errors.ts';
import { PIECE_BYTES_DEFAULT } from '../../protocol/limits.ts';

/** Pieces that one thread may be ahead of the other. */
const PLACES = 4;
/** Words in front of the pieces: how many were put in, how many taken out, how it stands, and how long each place's piece is. */
const [PUT, TAKEN, STATE, LENGTHS] = [0, 1, 2, 3];
const HEAD_BYTES = 64;
/** A ring that ends or is given up between a look and the wait is noticed after so long, in ms. */
const LOOK_MS = 20;
const OPEN = 0;
const ENDED = 1;
const GIVEN_UP = 2;

export const createRing = (): SharedArrayBuffer => new SharedArrayBuffer(HEAD_BYTES + PLACES * PIECE_BYTES_DEFAULT);

/** Nobody shall wait any longer: the other thread has failed. */
export function giveUpRing(ring: SharedArrayBuffer): void {
  const head = new Int32Array(ring, 0, HEAD_BYTES / 4);
  Atomics.compareExchange(head, STATE, OPEN, GIVEN_UP);
  Atomics.notify(head, PUT);
}

export class RingWriter {
  readonly #ring: SharedArrayBuffer;
  readonly #head: Int32Array;
  #put = 0;

  constructor(ring: SharedArrayBuffer) {
    this.#ring = ring;
    this.#head = new Int32Array(ring, 0, HEAD_BYTES / 4);
  }

  /** Memory for the next piece; waits until there is some. @throws ShoalError cancelled when the ring was given up */
  place(bytes: number): Buffer {
    for (let taken = Atomics.load(this.#head, TAKEN); this.#put - taken >= PLACES; taken = Atomics.load(this.#head, TAKEN)) {
      if (Atomics.load(this.#head, STATE) === GIVEN_UP) throw new ShoalError('cancelled');
      Atomics.wait(this.#head, TAKEN, taken, LOOK_MS);
    }
    return Buffer.from(this.#ring, HEAD_BYTES + (this.#put % PLACES) * PIECE_BYTES_DEFAULT, bytes);
  }

  /** The last place is filled. It stays as it is until so many more were that it comes round. */
  put(bytes: number): void {
    this.#head[LENGTHS + (this.#put % PLACES)] = bytes;
    Atomics.store(this.#head, PUT, ++this.#put);
    Atomics.notify(this.#head, PUT);
  }

  end(): void {
    Atomics.store(this.#head, STATE, ENDED);
    Atomics.notify(this.#head, PUT);
  }
}

/** Takes all that is put into a ring, until it ends. @throws ShoalError cancelled when it was given up */
export function takeAll(ring: SharedArrayBuffer, take: (bytes: Uint8Array) => void): void {
  const head = new Int32Array(ring, 0, HEAD_BYTES / 4);
  for (let taken = 0; ;) {
    const state = Atomics.load(head, STATE);
    const put = Atomics.load(head, PUT);
    if (state === GIVEN_UP) throw new ShoalError('cancelled');
    if (taken === put) {
      if (state === ENDED) return;
      Atomics.wait(head, PUT, put, LOOK_MS);
      continue;
    }
    const place = taken % PLACES;
    take(new Uint8Array(ring, HEAD_BYTES + place * PIECE_BYTES_DEFAULT, head[LENGTHS + place]));
    Atomics.store(head, TAKEN, ++taken);
    Atomics.notify(head, TAKEN);
  }
}
