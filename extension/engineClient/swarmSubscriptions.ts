// The swarms that this window looks at: who looks at which, and that every engine it meets is told
// so. Keeps no view of a swarm itself.
import { Emitter } from '../../protocol/async/emitter.ts';
import type { SwarmView } from '../../protocol/messages/swarmView.ts';

export class SwarmSubscriptions {
  /** Tells the engine, if there is one. */
  readonly #watch: (body: { readonly transfer: number; readonly on: boolean }) => Promise<unknown> | undefined;
  readonly #listeners = new Map<number, Emitter<[view: SwarmView]>>();

  constructor(watch: (body: { readonly transfer: number; readonly on: boolean }) => Promise<unknown> | undefined) {
    this.#watch = watch;
  }

  /** Called now and at every change, until what is returned is called. */
  subscribe(transfer: number, listener: (view: SwarmView) => void): () => void {
    const listeners = this.#listeners.get(transfer) ?? new Emitter();
    this.#listeners.set(transfer, listeners);
    const stop = listeners.on(listener);
    this.#send(transfer, true); // also for a second one, who wants to know at once, too
    return () => {
      stop();
      if (listeners.size > 0 || this.#listeners.get(transfer) !== listeners) return;
      this.#listeners.delete(transfer);
      this.#send(transfer, false);
    };
  }

  onView(view: SwarmView): void {
    this.#listeners.get(view.transfer)?.emit(view);
  }

  /** Another engine was met. */
  renew(): void {
    for (const transfer of this.#listeners.keys()) this.#send(transfer, true);
  }

  #send(transfer: number, on: boolean): void {
    this.#watch({ transfer, on })?.catch(() => undefined); // the engine is gone; the next one is told
  }
}
