// The list of the realm's trackers as this tracker knows it. It changes while it runs: an operator,
// the partner, or a tracker at the partner's address shows a newer one that the realm has signed
// (`shoal-tracker replace`, `retire`). Has one writer and tells who listens.
import { Sequencer } from '../../protocol/async/sequencer.ts';
import type { Pin } from '../../protocol/base/ids.ts';
import type { Descriptor, SignedDescriptor } from '../../protocol/messages/realm.ts';
import { checkDescriptor } from '../../protocol/messages/realm.ts';
import type { TicketKeys } from '../../protocol/messages/ticket.ts';
import type { TrackerConfig } from '../admin/config.ts';
import type { PartnerAddress } from './partner.ts';

export class TrackerList {
  readonly #config: TrackerConfig;
  readonly #save: (list: SignedDescriptor) => Promise<void>;
  readonly #onChange: () => void;
  #descriptor: Descriptor;
  #signed: SignedDescriptor;
  /** Takes one list over after the other: what is written last is the newest. */
  readonly #adopting = new Sequencer();

  /** @param save  writes a new one to the disk before it counts */
  constructor(config: TrackerConfig, save: (list: SignedDescriptor) => Promise<void>, onChange: () => void) {
    this.#config = config;
    this.#save = save;
    this.#onChange = onChange;
    this.#descriptor = config.descriptor;
    this.#signed = config.signedDescriptor;
  }

  get signed(): SignedDescriptor {
    return this.#signed;
  }
  get version(): number {
    return this.#descriptor.version;
  }
  get trackers(): Descriptor['trackers'] {
    return this.#descriptor.trackers;
  }
  /** Whose tickets and receipts count. */
  get keys(): TicketKeys {
    return new Map(this.trackers.map((tracker) => [tracker.pin, tracker.ticketKey]));
  }
  /** Whether this tracker is no longer in it. */
  get isRetired(): boolean {
    return !this.trackers.some(({ pin }) => pin === this.#config.identity.pin);
  }
  get partner(): PartnerAddress | undefined {
    return this.isRetired ? undefined : this.trackers.find(({ pin }) => pin !== this.#config.identity.pin);
  }

  /** Whether this is, or was, a tracker of the realm. */
  isTracker(pin: Pin): boolean {
    return this.#descriptor.former.includes(pin) || this.trackers.some((tracker) => tracker.pin === pin);
  }

  /**
   * Takes a list over if it is newer than ours. Resolves when it counts here. @throws
   * ShoalError wrongRealm, badDescriptor
   */
  async adopt(list: SignedDescriptor): Promise<void> {
    const shown = checkDescriptor(list, this.#config.realm, this.trackers[0]?.address ?? { host: '', port: 0 });
    await this.#adopting.run(async () => {
      if (shown.version <= this.version) return;
      await this.#save(list);
      this.#descriptor = shown;
      this.#signed = list;
      this.#onChange();
    });
  }
}
