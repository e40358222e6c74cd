// Keeps our membership tickets fresh: fetched when something about our groups changed, and again
// before half their time is over.
import type { Pin } from '../../../protocol/base/ids.ts';
import { TICKET_MS } from '../../../protocol/base/limits.ts';
import type { Timer, World } from '../../../protocol/base/world.ts';
import type { Tickets } from './tickets.ts';
import type { TrackerClient } from './trackerClient.ts';

/** How long after no tracker could be asked it is tried again, in ms. */
const RETRY_MS = 5_000;

export class TicketRenewal {
  readonly #world: World;
  readonly #device: Pin;
  readonly #tickets: Tickets;
  readonly #trackers: TrackerClient;
  /** New tickets are here: show them wherever the old ones were. */
  readonly #renewed: () => void;
  #timer: Timer | undefined;
  #wanted = false;

  constructor(world: World, device: Pin, tickets: Tickets, trackers: TrackerClient, renewed: () => void) {
    this.#world = world;
    this.#device = device;
    this.#tickets = tickets;
    this.#trackers = trackers;
    this.#renewed = renewed;
  }

  /** Fetches them now, and from now on whenever it is time. */
  async renew(): Promise<void> {
    this.#wanted = true;
    // Spread, so that all engines of a tracker that restarted do not come back at the same moment.
    const spread = 0.9 + 0.2 * this.#world.chance.random();
    let againMs = (TICKET_MS / 2) * spread;
    try {
      const { tickets, nowMs } = await this.#trackers.call('tickets', {});
      if (!this.#wanted) return;
      this.#tickets.setTime(nowMs);
      this.#tickets.setMine(tickets, this.#device);
      this.#renewed();
    } catch {
      againMs = RETRY_MS * spread;
    }
    this.#timer?.cancel();
    if (this.#wanted) this.#timer = this.#world.clock.after(againMs, () => void this.renew());
  }

  /** Forgets them and asks no more. */
  stop(): void {
    this.#wanted = false;
    this.#timer?.cancel();
    this.#tickets.dropMine();
  }
}
