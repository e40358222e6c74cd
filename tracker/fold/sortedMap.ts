// A map whose keys can also be walked in order from any place: what a list that is read by pages
// needs.

/**
 * Order is that of UTF-16 code units. Setting a new key costs a move of the keys behind it, about
 * 50 µs at 100,000.
 */
export class SortedMap<V> implements Iterable<[string, V]> {
  readonly #values = new Map<string, V>();
  readonly #keys: string[] = [];

  get size(): number {
    return this.#values.size;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  set(key: string, value: V): void {
    if (!this.#values.has(key)) this.#keys.splice(this.#firstAfter(key), 0, key);
    this.#values.set(key, value);
  }

  delete(key: string): boolean {
    if (!this.#values.delete(key)) return false;
    this.#keys.splice(this.#firstAfter(key) - 1, 1);
    return true;
  }

  values(): IterableIterator<V> {
    return this.#values.values();
  }

  *[Symbol.iterator](): Generator<[string, V]> {
    for (const key of this.#keys) yield [key, this.#values.get(key) as V];
  }

  /**
   * At most so many values whose keys come after `key`, which need not exist ('' for the first),
   * and whether there are more.
   */
  page(key: string, max: number): { readonly values: V[]; readonly more: boolean } {
    const from = this.#firstAfter(key);
    const keys = this.#keys.slice(from, from + max);
    return { values: keys.map((each) => this.#values.get(each) as V), more: from + keys.length < this.#keys.length };
  }

  /** Place of the first key behind this one. */
  #firstAfter(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] as string) <= key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
