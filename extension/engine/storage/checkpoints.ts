// When what has arrived is made to last, and where that is written down: two slots beside the part
// file, the older of which is written each time, so that one that is torn by a power cut leaves the
// other. Owns the slots and the order in which things reach the disk.
//
// They lie beside the part file and not in the home: what vouches for bytes shares their fate. A
// volume that is taken out takes both, a folder that is deleted takes both, and one sync of that
// folder makes the names of all of them last.
import path from 'node:path';
import { Sequencer } from '../../../protocol/async/sequencer.ts';
import type { Bitfield } from '../../../protocol/messages/bitfield.ts';
import { ShoalError, systemCode } from '../../../protocol/base/errors.ts';
import type { Clock, Disk, DiskFile, Timer } from '../../../protocol/base/world.ts';
import { decodeCheckpoint, encodeCheckpoint } from './checkpointFormat.ts';
import type { CheckpointSubject } from './checkpointFormat.ts';
import { diskError } from './diskErrors.ts';

/**
 * How much may be lost by a power cut: so many bytes, or what came in so many ms, whichever is
 * less. A sync costs some 10 ms, so that is nothing.
 */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;
const CHECKPOINT_MS = 5_000;

/** Where the two checkpoints of a part file lie. */
export const slotsOf = (part: string): readonly [string, string] => [`${part}.ck0`, `${part}.ck1`];

export class Checkpoints {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #part: { readonly path: string; readonly file: DiskFile };
  readonly #subject: CheckpointSubject;
  /** What an earlier run vouches for. */
  readonly durableAtOpen: Bitfield | undefined;
  #newest: { readonly slot: 0 | 1; readonly generation: number } | undefined;
  readonly #exists: [boolean, boolean];
  /** Whose names are on the disk for certain. What an earlier run left may be in memory only. */
  readonly #isNameDurable: [boolean, boolean] = [false, false];
  /** The pieces held now; set by whoever stores them. */
  #held: Bitfield | undefined;
  #unsavedBytes = 0;
  #timer: Timer | undefined;
  readonly #saves = new Sequencer();
  #broken: ShoalError | undefined;
  #onFailed: (error: ShoalError) => void = () => {};

  private constructor(
    disk: Disk,
    clock: Clock,
    part: { readonly path: string; readonly file: DiskFile },
    subject: CheckpointSubject,
    found: readonly (Buffer | undefined)[],
  ) {
    this.#disk = disk;
    this.#clock = clock;
    this.#part = part;
    this.#subject = subject;
    this.#exists = [found[0] !== undefined, found[1] !== undefined];
    for (const slot of [0, 1] as const) {
      const checkpoint = found[slot] && decodeCheckpoint(found[slot], subject);
      if (!checkpoint || checkpoint.generation <= (this.#newest?.generation ?? 0)) continue;
      this.#newest = { slot, generation: checkpoint.generation };
      this.durableAtOpen = checkpoint.held;
    }
  }

  /** Of a part file that has its full size. */
  static async open(
    disk: Disk,
    clock: Clock,
    part: { readonly path: string; readonly file: DiskFile },
    subject: CheckpointSubject,
  ): Promise<Checkpoints> {
    const slots = slotsOf(part.path);
    return new Checkpoints(disk, clock, part, subject, [
      await readSlot(disk, slots[0]),
      await readSlot(disk, slots[1]),
    ]);
  }

  /**
   * Whether a sync has failed. The descriptor is of no use then: the next sync would say that all
   * is well.
   */
  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  /**
   * From now on these are the pieces that count.
   *
   * @param onFailed  told when one that was due could not be taken
   */
  start(held: Bitfield, onFailed: (error: ShoalError) => void): void {
    this.#held = held;
    this.#onFailed = onFailed;
  }

  /** So many bytes of verified pieces were written. */
  onWritten(bytes: number): void {
    this.#unsavedBytes += bytes;
    if (this.#broken) return;
    if (this.#unsavedBytes >= CHECKPOINT_BYTES) this.#saveInBackground();
    else this.#timer ??= this.#clock.after(CHECKPOINT_MS, () => this.#saveInBackground());
  }

  /**
   * Takes one now, unless nothing has come since the last; one at a time.
   *
   * @throws ShoalError syncFailed, diskFull, destinationUnwritable
   */
  save(): Promise<void> {
    return this.#saves.run(() => this.#saveNow());
  }

  /**
   * Makes everything that was written last, without a word of it: for the moment before the part
   * file gets its final name, which says as much.
   *
   * @throws ShoalError syncFailed, diskFull
   */
  sync(): Promise<void> {
    return this.#saves.run(async () => {
      if (this.#broken) throw this.#broken;
      await this.#sync(this.#part.file);
    });
  }

  /** No more by themselves. */
  stop(): void {
    this.#timer?.cancel();
    this.#onFailed = () => {};
  }

  #saveInBackground(): void {
    this.save().catch((error: unknown) => this.#onFailed(diskError(error, this.#part.path)));
  }

  async #saveNow(): Promise<void> {
    if (this.#broken) throw this.#broken;
    this.#timer?.cancel();
    this.#timer = undefined;
    // A run that was killed may have left its last slot in memory only; the other must not be
    // overwritten before that lasts.
    if (this.#newest && !this.#isNameDurable[this.#newest.slot]) await this.#writeSlot(this.#newest.slot, undefined);
    const bytes = this.#unsavedBytes;
    if (bytes === 0 || !this.#held) return;
    // Pieces go on arriving while the disk works; only those that are written by now are synced for
    // certain.
    const bits = this.#held.bytes();
    this.#unsavedBytes = 0;
    try {
      await this.#sync(this.#part.file);
      await this.#writeOlderSlot(bits);
    } catch (error) {
      this.#unsavedBytes += bytes;
      throw error;
    }
  }

  async #writeOlderSlot(bits: Uint8Array): Promise<void> {
    const slot = this.#newest?.slot === 0 ? 1 : 0;
    const generation = (this.#newest?.generation ?? 0) + 1;
    await this.#writeSlot(slot, encodeCheckpoint(this.#subject, generation, bits));
    this.#newest = { slot, generation };
  }

  /** Makes a slot last; with new content, if there is any. */
  async #writeSlot(slot: 0 | 1, content: Uint8Array | undefined): Promise<void> {
    const name = slotsOf(this.#part.path)[slot];
    const file = await this.#disk.open(name, this.#exists[slot] ? 'write' : 'create');
    this.#exists[slot] = true;
    try {
      if (content) await file.write(content, 0);
      await this.#sync(file);
    } catch (error) {
      // What can be read of it now may never have reached the disk, so the next run must not take
      // it for the newest.
      if (this.#broken) await this.#disk.remove(name).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
    if (!this.#isNameDurable[slot]) await this.#sync({ sync: () => this.#disk.syncFolder(path.dirname(name)) });
    this.#isNameDurable[slot] = true;
  }

  async #sync(what: Pick<DiskFile, 'sync'>): Promise<void> {
    try {
      await what.sync();
    } catch (error) {
      const why = diskError(error, this.#part.path);
      throw (this.#broken =
        why.code === 'diskFull'
          ? why
          : new ShoalError(
              'syncFailed',
              { path: this.#part.path, why: systemCode(error) ?? why.message },
              { cause: error },
            ));
    }
  }
}

async function readSlot(disk: Disk, name: string): Promise<Buffer | undefined> {
  try {
    return await disk.readFile(name);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
