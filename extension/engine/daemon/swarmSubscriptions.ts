// The swarms that one frontend looks at: each is told at once, and then when it looks different, at
// most once a second. While none is looked at there is no timer and nothing is worked out.
import { encode } from '../../../protocol/base/schema.ts';
import type { SwarmView } from '../../../protocol/messages/swarmView.ts';
import { swarmView } from '../../../protocol/messages/swarmView.ts';
import type { Clock, Timer } from '../../../protocol/base/world.ts';
import type { EngineApi } from '../engineApi.ts';

/**
 * Least time between two reports of a swarm, in ms: rates that tick faster are only restless, and
 * the map of a large file is 40 KiB.
 */
export const SWARM_MS = 1_000;
/** Swarms that one frontend may look at. */
const WATCHED_MAX = 16;

/** Where reports go. */
interface Reader {
  /** Whether it has taken enough of what it was sent to get more. */
  readonly isWritable: boolean;
  tell(view: SwarmView): void;
}

export class SwarmWatches {
  readonly #api: Pick<EngineApi, 'swarm'>;
  readonly #clock: Clock;
  readonly #reader: Reader;
  /** By transfer: what was told last. */
  readonly #told = new Map<number, Buffer>();
  #timer: Timer | undefined;

  constructor(api: Pick<EngineApi, 'swarm'>, clock: Clock, reader: Reader) {
    this.#api = api;
    this.#clock = clock;
    this.#reader = reader;
  }

  set(transfer: number, on: boolean): void {
    if (!on) this.#told.delete(transfer);
    else if (this.#told.size < WATCHED_MAX) {
      this.#told.set(transfer, Buffer.alloc(0));
      this.#look(transfer);
    }
    this.#keepLooking();
  }

  stop(): void {
    this.#told.clear();
    this.#keepLooking();
  }

  #keepLooking(): void {
    if (this.#told.size === 0) this.#timer?.cancel();
    if (this.#told.size === 0) this.#timer = undefined;
    else {
      this.#timer ??= this.#clock.after(SWARM_MS, () => {
        this.#timer = undefined;
        // Who reads slowly gets fewer reports, not older ones.
        if (this.#reader.isWritable) for (const transfer of [...this.#told.keys()]) this.#look(transfer);
        this.#keepLooking();
      });
    }
  }

  #look(transfer: number): void {
    const view = this.#api.swarm(transfer);
    if (!view) return void this.#told.delete(transfer); // that it is gone is told elsewhere
    const bytes = encode(swarmView, view);
    if (this.#told.get(transfer)?.equals(bytes)) return;
    this.#told.set(transfer, bytes);
    this.#reader.tell(view);
  }
}
