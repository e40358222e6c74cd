// Chance that a seed decides: the same seed gives the same run. Each user of chance takes a fork of
// its own, so that one that draws more often does not change what all others see.
import { createHash } from 'node:crypto';
import type { Chance } from '../../../protocol/base/world.ts';

export class SeededChance implements Chance {
  readonly #name: string;
  /** sfc32 (PractRand): small, fast, and good enough for everything but secrets. */
  readonly #state: Uint32Array;

  constructor(seed: number | string) {
    this.#name = String(seed);
    const digest = createHash('sha256').update(this.#name).digest();
    this.#state = Uint32Array.from({ length: 4 }, (_, word) => digest.readUInt32LE(word * 4));
  }

  /**
   * Another chance that depends on this seed and the name, and on nothing that was drawn so far.
   */
  fork(name: string): SeededChance {
    return new SeededChance(`${this.#name}/${name}`);
  }

  random(): number {
    return (this.#next() * 2 ** 21 + (this.#next() >>> 11)) / 2 ** 53;
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(Math.ceil(count / 4) * 4);
    for (let at = 0; at < count; at += 4) bytes.writeUInt32LE(this.#next(), at);
    return bytes.subarray(0, count);
  }

  /** A whole number from 0, below `limit`. */
  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.random() * times < 1;
  }

  shuffled<T>(values: Iterable<T>): T[] {
    const left = [...values];
    const taken: T[] = [];
    while (left.length > 0) taken.push(...left.splice(this.below(left.length), 1));
    return taken;
  }

  #next(): number {
    const state = this.#state;
    const [a = 0, b = 0, c = 0, counter = 0] = state;
    const result = (a + b + counter) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + result;
    state[3] = counter + 1;
    return result >>> 0;
  }
}
