// A set of which a few are chosen at random, in time that does not depend on how many there are.
import type { Chance } from '../protocol/world.ts';

export class Crowd<T> {
  readonly #all: T[] = [];
  readonly #places = new Map<T, number>();

  get size(): number {
    return this.#all.length;
  }

  add(one: T): void {
    if (this.#places.has(one)) return;
    this.#places.set(one, this.#all.length);
    this.#all.push(one);
  }

  remove(one: T): void {
    const place = this.#places.get(one);
    if (place === undefined) return;
    this.#places.delete(one);
    const last = this.#all.pop() as T;
    if (last === one) return;
    this.#all[place] = last;
    this.#places.set(last, place);
  }

  /** So many different ones, or all in any order when there are no more. */
  choose(count: number, chance: Chance): readonly T[] {
    const chosen = Math.min(count, this.#all.length);
    // The beginning of a shuffle (Fisher-Yates); the order of the rest does not matter to anybody.
    for (let n = 0; n < chosen; n++) {
      const m = n + Math.floor(chance.random() * (this.#all.length - n));
      this.#put(n, m);
    }
    return this.#all.slice(0, chosen);
  }

  #put(n: number, m: number): void {
    const [a, b] = [this.#all[n] as T, this.#all[m] as T];
    this.#all[n] = b;
    this.#all[m] = a;
    this.#places.set(b, n);
    this.#places.set(a, m);
  }
}
