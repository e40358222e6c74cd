// Who was still downloading from here when the engine left because no window was open any more: VS
// Code asks nobody before it closes, so the next window says it. Owns its file; says it once.
import { Sequencer } from '../../protocol/async/sequencer.ts';
import type { Downloader } from '../../protocol/messages/engineLink.ts';
import { SERVED_MAX } from '../../protocol/messages/engineLink.ts';
import type { Home } from '../../protocol/home/homeLayout.ts';
import { readSmallFile, textField, writeSmallFile } from '../../protocol/home/homeLayout.ts';
import { isShoalError } from '../../protocol/base/errors.ts';
import type { AccountId } from '../../protocol/base/ids.ts';
import type { Disk, Log } from '../../protocol/base/world.ts';

export class InterruptedUploads {
  readonly #disk: Disk;
  readonly #home: Home;
  readonly #log: Log;
  /** Two windows that ask at once must not both be given them. */
  readonly #takes = new Sequencer();

  constructor(disk: Disk, home: Home, log: Log) {
    this.#disk = disk;
    this.#home = home;
    this.#log = log;
  }

  /**
   * What was kept before stays if this time it was nobody: it has not been said yet. A disk that
   * refuses must not keep the engine from leaving.
   */
  async save(account: AccountId, downloaders: readonly Downloader[]): Promise<void> {
    if (downloaders.length === 0) return;
    await writeSmallFile(this.#disk, this.#home.interruptedUploadsFile, { account, downloaders }).catch(
      (error: unknown) => this.#log.error('who was cut off cannot be kept', { why: String(error) }),
    );
  }

  /** Those of this account, once. @throws ShoalError newerFormat */
  take(account: AccountId): Promise<readonly Downloader[]> {
    return this.#takes.run(() => this.#take(account));
  }

  async #take(account: AccountId): Promise<readonly Downloader[]> {
    const kept = await readSmallFile(this.#disk, this.#home.interruptedUploadsFile, (fields) => ({
      account: textField(fields, 'account'),
      downloaders: downloadersIn(fields['downloaders']),
    })).catch((error: unknown) => {
      if (!isShoalError(error, 'damagedFile')) throw error;
      return undefined; // it was only a word to the person; the next one is written over it
    });
    if (!kept || kept.account !== account || kept.downloaders.length === 0) return [];
    await writeSmallFile(this.#disk, this.#home.interruptedUploadsFile, { account, downloaders: [] });
    return kept.downloaders;
  }
}

function downloadersIn(list: unknown): readonly Downloader[] {
  if (!Array.isArray(list)) throw new Error('no list of downloaders');
  return list.slice(0, SERVED_MAX).map((one) => {
    const fields = Object(one) as Readonly<Record<string, unknown>>;
    return {
      user: textField(fields, 'user'),
      group: textField(fields, 'group'),
      name: textField(fields, 'name'),
      bytesPerS: 0,
    };
  });
}
