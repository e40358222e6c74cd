// What one transfer has on this machine: opened, hashed first where it is not known what it is,
// checked where a run has left it unfinished; verified, published, tidied up after. Owns nothing
// but whether it was hashed in this life of the process; when any of that is done is transfer.ts's
// business.
import type { Sha256 } from '../../../protocol/base/ids.ts';
import type { ShoalError } from '../../../protocol/base/errors.ts';
import type { ManifestFile } from '../../../protocol/messages/manifest.ts';
import type { World } from '../../../protocol/base/world.ts';
import type { Copy } from '../storage/pieceStore.ts';
import type { DownloadHost, Keeper } from './downloadFiles.ts';
import { isThere, openDownload, publishDownload, tidyUp } from './downloadFiles.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import { identityOf } from '../hashing/fileIdentity.ts';
import { folderIn, headIn } from './fileSelection.ts';
import type { TransferHost } from '../transfers/transferContext.ts';
import { saveLayer } from './transferRecord.ts';
import { folderOnDisk, hashWhole, openWhole, verifyWhole } from './completeFiles.ts';

interface OpenEvents {
  /** Told before something is read that may take long. */
  hashing(): void;
  checking(): void;
  progress(doneBytes: number): void;
  /** Told when a checkpoint that was due could not be taken. */
  stuck(error: ShoalError): void;
}

interface Opened {
  /** Whether it is under its final name, and not a part file. */
  readonly isWhole: boolean;
  readonly copy: Copy;
}

export class OnDisk {
  readonly #keeper: Keeper;
  readonly #world: World;
  readonly #host: DownloadHost;
  #isHashedNow = false;

  constructor(
    keeper: Keeper,
    { world, home, hasher, openFiles }: Pick<TransferHost, 'world' | 'home' | 'hasher' | 'openFiles'>,
  ) {
    this.#keeper = keeper;
    this.#world = world;
    this.#host = { ...world, hasher, openFiles, home };
  }

  /**
   * Opens it with what is there of it. @throws ShoalError as `hashWhole`, `openWhole`,
   * `openDownload`
   */
  async open(signal: AbortSignal, events: OpenEvents): Promise<Opened> {
    if (this.#keeper.record.root === '') await this.#hash(signal, events);
    if (this.#keeper.record.identity) return this.#openWhole(signal, events);
    events.checking();
    const opened = await openDownload(this.#host, this.#keeper, {
      signal,
      progress: (done) => events.progress(done),
      checking: () => events.checking(),
      stuck: (error) => events.stuck(error),
    });
    return opened.is === 'open' ? { isWhole: false, copy: opened.copy } : this.#openWhole(signal, events);
  }

  /** Gives a download whose pieces are all held its final name. @throws ShoalError as `publish` */
  publish(copy: Copy): Promise<void> {
    return publishDownload(this.#host, this.#keeper, copy);
  }

  /**
   * Reads a whole file again and compares. @throws ShoalError integrity, fileMissing,
   * fileUnreadable, cancelled
   */
  verify(signal: AbortSignal): Promise<{ readonly sha256: Sha256; readonly sizeBytes: number }> {
    return verifyWhole(this.#host, this.#keeper.record, signal);
  }

  /** What lies under its final name now. */
  async found(): Promise<FileIdentity | undefined> {
    const stat = await this.#host.disk.stat(this.#keeper.record.path);
    return stat && identityOf(stat);
  }

  /** Whether the folder that it belongs into is there. */
  hasPlace(): Promise<boolean> {
    return isThere(this.#host.disk, this.#keeper.record).catch(() => false);
  }

  /** Removes what a finished download may have left. */
  tidyUp(): Promise<void> {
    return tidyUp(this.#host.disk, this.#keeper);
  }

  /** Its piece hashes have come. */
  keepLayer(layer: Uint8Array): Promise<void> {
    return saveLayer(this.#host.disk, this.#host.home, this.#keeper.record.id, layer);
  }

  /**
   * The files of a folder, as soon as its list is here; undefined for a file. @throws ShoalError
   * badFolder
   */
  async folderFiles(copy: Copy | undefined): Promise<readonly ManifestFile[] | undefined> {
    const { record } = this.#keeper;
    if (record.content !== 'folder') return undefined;
    const head = copy && !record.identity ? await headIn(copy) : undefined;
    return copy && head ? folderIn(copy, head).files : (await folderOnDisk(this.#host, record))?.folder.files;
  }

  async #hash(signal: AbortSignal, events: OpenEvents): Promise<void> {
    events.hashing();
    await hashWhole(this.#host, this.#keeper, this.#world.log, { signal, progress: (done) => events.progress(done) });
    this.#isHashedNow = true;
  }

  async #openWhole(signal: AbortSignal, events: OpenEvents): Promise<Opened> {
    for (;;) {
      const copy = await openWhole(this.#host, this.#keeper, this.#isHashedNow);
      if (copy) return { isWhole: true, copy };
      await this.#hash(signal, events);
    }
  }
}
