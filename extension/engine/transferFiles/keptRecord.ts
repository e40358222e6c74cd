// The record of one transfer as it stands now, in memory and in the home. The only writer of both;
// what the changes mean is the transfer's business.
import type { Home } from '../../../protocol/home/homeLayout.ts';
import type { Disk } from '../../../protocol/base/world.ts';
import type { RecordStore } from './downloadFiles.ts';
import type { TransferRecord } from './transferRecord.ts';
import { saveRecord } from './transferRecord.ts';

export class TransferRecordStore implements RecordStore {
  readonly #disk: Disk;
  readonly #home: Home;
  #record: TransferRecord;
  #saving: Promise<void> = Promise.resolve();

  constructor(disk: Disk, home: Home, record: TransferRecord) {
    this.#disk = disk;
    this.#home = home;
    this.#record = record;
  }

  get record(): TransferRecord {
    return this.#record;
  }

  /** Changed at once; on the disk when it resolves. */
  async save(changes: Partial<TransferRecord>): Promise<void> {
    this.#record = { ...this.#record, ...changes };
    // One after the other, each as the record is by then: the last that is written must be the
    // newest.
    this.#saving = this.#saving.catch(() => {}).then(() => saveRecord(this.#disk, this.#home, this.#record));
    await this.#saving;
  }
}
