// The swarms that this window looks at: who looks at which, and that every engine it meets is told
// so. Keeps no view of a swarm itself.
import type { SwarmView } from '../../protocol/messages/swarmView.ts';

type Listener = (view: SwarmView) => void;

export class SwarmSubscriptions {
  /** Tells the engine, if there is one. */
  readonly #watch: (watch: { readonly transfer: number; readonly on: boolean }) => Promise<unknown> | undefined;
  readonly #listeners = new Map<number, Set<Listener>>();

  constructor(tell: (watch: { readonly transfer: number; readonly on: boolean }) => Promise<unknown> | undefined) {
    this.#watch = tell;
  }

  /** Called now and at every change, until what is returned is called. */
  subscribe(transfer: number, listener: Listener): () => void {
    const listeners = this.#listeners.get(transfer) ?? new Set();
    this.#listeners.set(transfer, listeners);
    listeners.add(listener);
    this.#send(transfer, true); // also for a second one, who wants to know at once, too
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#listeners.delete(transfer);
      this.#send(transfer, false);
    };
  }

  onView(view: SwarmView): void {
    for (const listener of [...(this.#listeners.get(view.transfer) ?? [])]) listener(view);
  }

  /** Another engine was met. */
  renew(): void {
    for (const transfer of this.#listeners.keys()) this.#send(transfer, true);
  }

  #send(transfer: number, on: boolean): void {
    this.#watch({ transfer, on })?.catch(() => undefined); // the engine is gone; the next one is told
  }
}
