// What applying one operation has changed in the state, so that it can be taken back: every rule
// writes through this. An operation that comes late takes back those that stand behind it, newest
// first, and applies them again (tracker/log/replay.ts).
import type { Part } from './footprint.ts';
import type { SortedMap } from './sortedMap.ts';
import type { Outcome } from './state.ts';

type Step = () => void;

/** There may be a million of them: a split that lasts. */
export class UndoLog {
  /** One alone has no list. */
  #steps: Step | Step[] | undefined;
  #noted: Part[] | undefined;
  #counted: { filesVersion: number } | undefined;
  /** What the operation had come to at an earlier place of its own. */
  resultBefore: Outcome['result'] | undefined;

  /**
   * Parts of the state that the operation turned out to read or write, beyond those that it names
   * itself (footprint.ts).
   */
  get noted(): readonly Part[] {
    return this.#noted ?? NOTHING;
  }

  /** To be called before the part is looked at. */
  note(part: Part): void {
    if (this.#noted?.includes(part)) return;
    (this.#noted ??= []).push(part);
  }

  /** Counts up, once. Taken back in any order, because nobody's rule reads it. */
  count(group: { filesVersion: number }): void {
    group.filesVersion++;
    this.#counted = group;
  }

  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const before = map.get(key);
    this.#add(map.has(key) ? () => map.set(key, before as V) : () => map.delete(key));
    map.set(key, value);
  }

  /**
   * Taken back, the key is at its place in the order again. Takes time in proportion to the map.
   */
  delete<K, V>(map: Map<K, V>, key: K): void {
    if (!map.has(key)) return;
    const place = placeOf(map.keys(), key);
    const value = map.get(key) as V;
    map.delete(key);
    this.#add(() => {
      const behind = [...map].slice(place);
      for (const [other] of behind) map.delete(other);
      map.set(key, value);
      for (const [other, its] of behind) map.set(other, its);
    });
  }

  /** The same for a map whose order says nothing. */
  drop<K, V>(map: Map<K, V>, key: K): void {
    if (!map.has(key)) return;
    const value = map.get(key) as V;
    map.delete(key);
    this.#add(() => map.set(key, value));
  }

  add<T>(set: Set<T>, value: T): void {
    if (set.has(value)) return;
    set.add(value);
    this.#add(() => set.delete(value));
  }

  /**
   * Taken back, the value is at its place in the order again. Takes time in proportion to the set.
   */
  remove<T>(set: Set<T>, value: T): void {
    if (!set.has(value)) return;
    const place = placeOf(set, value);
    set.delete(value);
    this.#add(() => {
      const behind = [...set].slice(place);
      for (const other of behind) set.delete(other);
      for (const other of [value, ...behind]) set.add(other);
    });
  }

  setSorted<V>(map: SortedMap<V>, key: string, value: V): void {
    const before = map.get(key);
    this.#add(map.has(key) ? () => map.set(key, before as V) : () => map.delete(key));
    map.set(key, value);
  }

  dropSorted<V>(map: SortedMap<V>, key: string): void {
    const before = map.get(key);
    if (map.delete(key)) this.#add(() => map.set(key, before as V));
  }

  assign<T, K extends keyof T>(object: T, key: K, value: T[K]): void {
    const before = object[key];
    object[key] = value;
    this.#add(() => (object[key] = before));
  }

  push<T>(list: T[], value: T): void {
    list.push(value);
    this.#add(() => list.pop());
  }

  /** Takes everything back. Only while nobody has changed since what this has changed. */
  undo(): void {
    const steps = this.#steps;
    if (typeof steps === 'function') steps();
    else for (const step of steps?.reverse() ?? []) step();
    if (this.#counted) this.#counted.filesVersion--;
    this.#steps = this.#counted = undefined;
  }

  #add(step: Step): void {
    if (this.#steps === undefined) this.#steps = step;
    else if (typeof this.#steps === 'function') this.#steps = [this.#steps, step];
    else this.#steps.push(step);
  }
}

const NOTHING: readonly Part[] = [];

function placeOf<T>(all: Iterable<T>, wanted: T): number {
  let place = 0;
  for (const one of all) {
    if (one === wanted) return place;
    place++;
  }
  return place;
}
