// What one transfer has on this machine: opened, hashed first where it is not known what it is,
// checked where a run has left it unfinished; verified, published, tidied up after. Owns nothing
// but whether it was hashed in this life of the process; when any of that is done is transfer.ts's
// business.
import type { Sha256 } from '../../../protocol/base/ids.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { ManifestFile } from '../../../protocol/messages/manifest.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import type { StorageContext } from './storageContext.ts';
import type { RecordStore } from './transferRecord.ts';
import { hasDestinationFolder, openDownload, finalizeDownload, cleanUp } from './downloadFiles.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import { identityOf } from '../hashing/fileIdentity.ts';
import { folderOf, folderHeadOf } from './fileSelection.ts';
import { reuseLocalPieces } from './reuseLocalPieces.ts';
import { savePieceHashes } from './transferRecord.ts';
import { folderOnDisk, hashSource, openComplete, verifyComplete } from './completeFiles.ts';

interface OpenEvents {
  /** Told before something is read that may take long. */
  onHashing(): void;
  onChecking(): void;
  onProgress(doneBytes: number): void;
  /** Told when a checkpoint that was due could not be taken. */
  onDiskError(error: ShoalError): void;
}

interface Opened {
  /** Whether it is under its final name, and not a part file. */
  readonly isComplete: boolean;
  readonly store: PieceStore;
}

export class TransferFiles {
  readonly #recordStore: RecordStore;
  readonly #context: StorageContext;
  #isJustHashed = false;

  constructor(recordStore: RecordStore, context: StorageContext) {
    this.#recordStore = recordStore;
    this.#context = context;
  }

  /**
   * Opens it with what is there of it. @throws ShoalError as `hashSource`, `openComplete`,
   * `openDownload`
   */
  async open(signal: AbortSignal, events: OpenEvents): Promise<Opened> {
    if (this.#recordStore.record.root === '') await this.#hash(signal, events);
    if (this.#recordStore.record.identity) return this.#openComplete(signal, events);
    events.onChecking();
    const opened = await openDownload(this.#context, this.#recordStore, {
      signal,
      progress: (done) => events.onProgress(done),
      onChecking: () => events.onChecking(),
      onDiskError: (error) => events.onDiskError(error),
    });
    return opened.is === 'open' ? { isComplete: false, store: opened.store } : this.#openComplete(signal, events);
  }

  /** Gives a download whose pieces are all held its final name. @throws ShoalError as `finalize` */
  finalize(store: PieceStore): Promise<void> {
    return finalizeDownload(this.#context, this.#recordStore, store);
  }

  /**
   * Reads a whole file again and compares. @throws ShoalError integrity, fileMissing,
   * fileUnreadable, cancelled
   */
  verify(signal: AbortSignal): Promise<{ readonly sha256: Sha256; readonly sizeBytes: number }> {
    return verifyComplete(this.#context, this.#recordStore.record, signal);
  }

  /** What lies under its final name now. */
  async currentIdentity(): Promise<FileIdentity | undefined> {
    const stat = await this.#context.disk.stat(this.#recordStore.record.path);
    return stat && identityOf(stat);
  }

  /** What a refusal of the disk means: the drive or folder of a download may be gone. */
  async explain(why: ShoalError): Promise<ShoalError> {
    const { record } = this.#recordStore;
    if (why.code !== 'destinationUnwritable' || record.part === '') return why;
    const isThere = await hasDestinationFolder(this.#context.disk, record).catch(() => false);
    return isThere ? why : new ShoalError('placeGone', { path: record.path }, { cause: why });
  }

  /**
   * Wants the pieces that are needed, as far as is known, and copies those that other files of this
   * machine have. Returns what it copied.
   */
  takeLocalPieces(
    store: PieceStore,
    completeStores: () => readonly PieceStore[],
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    return reuseLocalPieces(store, this.#recordStore.record, completeStores, { ...this.#context, signal });
  }

  /** Removes what a finished download may have left. */
  cleanUp(): Promise<void> {
    return cleanUp(this.#context.disk, this.#recordStore);
  }

  /** Its piece hashes have come. */
  savePieceHashes(pieceHashes: Uint8Array): Promise<void> {
    return savePieceHashes(this.#context.disk, this.#context.home, this.#recordStore.record.id, pieceHashes);
  }

  /**
   * The files of a folder, as soon as its list is here; undefined for a file. @throws ShoalError
   * badFolder
   */
  async folderFiles(store: PieceStore | undefined): Promise<readonly ManifestFile[] | undefined> {
    const { record } = this.#recordStore;
    if (record.content !== 'folder') return undefined;
    const head = store && !record.identity ? await folderHeadOf(store) : undefined;
    return store && head ? folderOf(store, head).files : (await folderOnDisk(this.#context, record))?.folder.files;
  }

  async #hash(signal: AbortSignal, events: OpenEvents): Promise<void> {
    events.onHashing();
    await hashSource(this.#context, this.#recordStore, {
      signal,
      progress: (done) => events.onProgress(done),
    });
    this.#isJustHashed = true;
  }

  async #openComplete(signal: AbortSignal, events: OpenEvents): Promise<Opened> {
    for (;;) {
      const store = await openComplete(this.#context, this.#recordStore, this.#isJustHashed);
      if (store) return { isComplete: true, store };
      await this.#hash(signal, events);
    }
  }
}
