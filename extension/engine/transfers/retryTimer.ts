// How a transfer goes on by itself after a refusal: what it waits for, and how often it is looked
// whether that has come. Owns the one timer for it; what the refusal means to the transfer, and
// what to do then, is transfer.ts's business.
import path from 'node:path';
import type { ShoalError } from '../../../protocol/base/errors.ts';
import type { Timer, World } from '../../../protocol/base/world.ts';
import { hasDestinationFolder } from '../transferFiles/downloadFiles.ts';
import { hasRoom } from '../storage/partFile.ts';
import type { TransferRecord } from '../transferFiles/transferRecord.ts';

/** How often it is looked whether a full disk has room, or a drive is back, in ms. */
const RECHECK_MS = 5_000;
/** How long after a disk that refused for another reason it is tried again, in ms. */
const RETRY_MS = 60_000;
/**
 * How long after a tracker refused to be told of a share for want of a link it is tried again, in
 * ms.
 */
const ANNOUNCE_RETRY_MS = 2_000;

export class RetryTimer {
  readonly #world: Pick<World, 'clock' | 'disk'>;
  #timer: Timer | undefined;
  /**
   * Counts what is waited for, so that a look that is under way when another begins, or all stop,
   * leads to nothing.
   */
  #generation = 0;

  constructor(world: Pick<World, 'clock' | 'disk'>) {
    this.#world = world;
  }

  /**
   * Calls once a download that the disk refused can go on; never where that is the person's to
   * decide.
   *
   * @param missingBytes  what has still to find room
   */
  afterRefusal({ code }: ShoalError, record: TransferRecord, missingBytes: number, then: () => void): void {
    const { disk } = this.#world;
    if (code === 'diskFull') this.#recheck(() => hasRoom(disk, path.dirname(record.path), missingBytes), then);
    if (code === 'placeGone') this.#recheck(() => hasDestinationFolder(disk, record), then);
    if (code === 'destinationUnwritable') this.#after(RETRY_MS, then);
  }

  /** Calls when the trackers may be told again. */
  toAnnounce(then: () => void): void {
    this.#after(ANNOUNCE_RETRY_MS, then);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#generation++;
  }

  #after(delayMs: number, then: () => void): void {
    this.stop();
    this.#timer = this.#world.clock.after(delayMs, then);
  }

  #recheck(canGoOn: () => Promise<boolean>, then: () => void): void {
    const look = async (): Promise<void> => {
      const wait = this.#generation;
      const can = await canGoOn().catch(() => false);
      if (wait !== this.#generation) return;
      if (can) then();
      else this.#recheck(canGoOn, then);
    };
    this.#after(RECHECK_MS, () => void look());
  }
}
