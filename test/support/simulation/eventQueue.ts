// What is still to happen in a simulation, in the order of its time; what is due at the same time
// happens in the order it was asked for.
import type { Timer } from '../../../protocol/base/world.ts';

export interface Event extends Timer {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** A binary heap. A cancelled event stays in it without its work. */
export class EventQueue {
  readonly #heap: Event[] = [];
  #order = 0;
  #waiting = 0;

  /** Events that are neither done nor cancelled. */
  get size(): number {
    return this.#waiting;
  }

  add(atMs: number, run: () => void): Event {
    const event: Event = {
      atMs,
      run,
      order: this.#order++,
      cancel: () => {
        if (event.run) this.#waiting--;
        event.run = undefined;
      },
    };
    this.#waiting++;
    this.#rise(event);
    return event;
  }

  /** Takes out what is next, with its work. */
  next(): { readonly atMs: number; readonly run: () => void } | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (!first) return undefined;
      const last = this.#heap.pop();
      if (last && last !== first) this.#sink(last);
      const { atMs, run } = first;
      if (!run) continue;
      first.run = undefined;
      this.#waiting--;
      return { atMs, run };
    }
  }

  #rise(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || isBefore(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #sink(event: Event): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const smaller = right && left && isBefore(right, left) ? right : left;
      if (!smaller || isBefore(event, smaller)) break;
      heap[at] = smaller;
      at = 2 * at + (smaller === left ? 1 : 2);
    }
    heap[at] = event;
  }
}

const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
