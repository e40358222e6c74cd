// The swarms that one frontend looks at: each is told at once, and then when it looks different, at
// most once a second. While none is looked at there is no timer and nothing is worked out.
import { encode } from '../../../protocol/base/schema.ts';
import type { SwarmView } from '../../../protocol/messages/swarmView.ts';
import { swarmView } from '../../../protocol/messages/swarmView.ts';
import { Throttler } from '../../../protocol/async/throttler.ts';
import type { Clock } from '../../../protocol/base/world.ts';
import type { EngineApi } from '../engineApi.ts';

/**
 * Least time between two reports of a swarm, in ms: rates that tick faster are only restless, and
 * the map of a large file is 40 KiB.
 */
export const REFRESH_MS = 1_000;
/** Swarms that one frontend may look at. */
const SUBSCRIPTIONS_MAX = 16;

/** Where reports go. */
interface Subscriber {
  /** Whether it has taken enough of what it was sent to get more. */
  readonly isWritable: boolean;
  notify(view: SwarmView): void;
}

export class SwarmSubscriptions {
  readonly #api: Pick<EngineApi, 'swarm'>;
  readonly #subscriber: Subscriber;
  /** By transfer: what was told last. */
  readonly #sent = new Map<number, Buffer>();
  readonly #throttler: Throttler;

  constructor(api: Pick<EngineApi, 'swarm'>, clock: Clock, subscriber: Subscriber) {
    this.#api = api;
    this.#subscriber = subscriber;
    this.#throttler = new Throttler(clock, { restMs: 0, delayMs: REFRESH_MS }, () => this.#refreshAll());
  }

  set(transfer: number, on: boolean): void {
    if (!on) this.#sent.delete(transfer);
    else if (this.#sent.size < SUBSCRIPTIONS_MAX) {
      this.#sent.set(transfer, Buffer.alloc(0));
      this.#refresh(transfer);
    }
    this.#schedule();
  }

  stop(): void {
    this.#sent.clear();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#sent.size > 0) this.#throttler.request();
    else this.#throttler.cancel();
  }

  #refreshAll(): void {
    // Who reads slowly gets fewer reports, not older ones.
    if (this.#subscriber.isWritable) for (const transfer of [...this.#sent.keys()]) this.#refresh(transfer);
    this.#schedule();
  }

  #refresh(transfer: number): void {
    const view = this.#api.swarm(transfer);
    if (!view) return void this.#sent.delete(transfer); // that it is gone is told elsewhere
    const bytes = encode(swarmView, view);
    if (this.#sent.get(transfer)?.equals(bytes)) return;
    this.#sent.set(transfer, bytes);
    this.#subscriber.notify(view);
  }
}
