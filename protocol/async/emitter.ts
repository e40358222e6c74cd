// Listeners of one kind of event, called in the order in which they came.

export class Emitter<Args extends readonly unknown[]> {
  readonly #listeners = new Set<(...args: Args) => void>();

  /** Calls a listener at every event from now on. Returns how to stop. */
  on(listener: (...args: Args) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** How many listen. */
  get size(): number {
    return this.#listeners.size;
  }

  /** Calls those who listen now: a listener may stop itself or others meanwhile. */
  emit(...args: Args): void {
    for (const listener of [...this.#listeners]) listener(...args);
  }

  /** Forgets all listeners. */
  clear(): void {
    this.#listeners.clear();
  }
}
