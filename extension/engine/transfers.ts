// All files that this engine shares and downloads: begins, finds, forgets them, and knows which of them stands for which swarm.
// What happens inside one is transfer.ts's business.
import path from 'node:path';
import { ShoalError } from '../../protocol/errors.ts';
import type { AccountId, GroupId, Root, SwarmKey } from '../../protocol/ids.ts';
import { swarmKeyText } from '../../protocol/ids.ts';
import type { PickerMode } from '../../protocol/engineLink.ts';
import { checkFileName, fileNameKey } from '../../protocol/names.ts';
import type { FileRow } from '../../protocol/trackerLink.ts';
import { diskError } from './diskErrors.ts';
import { removePart } from './partFile.ts';
import { Transfer } from './transfer.ts';
import type { TransferHost } from './transfer.ts';
import type { TransferRecord } from './transferRecord.ts';
import { loadRecords, removeRecord, saveRecord } from './transferRecord.ts';

export type TransfersHost = Omit<TransferHost, 'claim' | 'release' | 'wholeCopy'>;

export interface ShareRequest {
  readonly account: AccountId;
  readonly group: GroupId;
  readonly groupName: string;
  readonly path: string;
  readonly name: string;
  readonly replace: boolean;
}
export interface DownloadRequest {
  readonly account: AccountId;
  readonly group: GroupId;
  readonly groupName: string;
  readonly file: FileRow;
  readonly path: string;
  readonly asFile: boolean;
  readonly rename: boolean;
  readonly mode: PickerMode;
}

export class Transfers {
  readonly #host: TransferHost;
  readonly #all = new Map<number, Transfer>();
  readonly #swarms = new Map<string, Transfer>();
  #lastId = 0;

  constructor(host: TransfersHost) {
    this.#host = {
      ...host,
      claim: (key, by) => {
        const text = swarmKeyText(key);
        const holder = this.#swarms.get(text) ?? by;
        this.#swarms.set(text, holder);
        return holder === by;
      },
      release: (key, by) => {
        if (this.#swarms.get(swarmKeyText(key)) !== by) return;
        this.#swarms.delete(swarmKeyText(key));
        const heir = [...this.#all.values()].find((other) => other !== by && other.wantsSwarm && other.key && swarmKeyText(other.key) === swarmKeyText(key));
        heir?.takeOverSwarm();
      },
      wholeCopy: (key, not) => this.#ofKey(key).find((other) => other !== not && other.isWhole && other.copy)?.copy,
    };
  }

  get all(): readonly Transfer[] {
    return [...this.#all.values()];
  }
  get(id: number): Transfer | undefined {
    return this.#all.get(id);
  }
  /** The transfer that takes part in a swarm. */
  ofSwarm(group: GroupId, root: Root): Transfer | undefined {
    return this.#swarms.get(swarmKeyText({ group, root }));
  }
  ofFile(group: GroupId, name: string): readonly Transfer[] {
    return this.all.filter(({ record }) => record.group === group && fileNameKey(record.name) === fileNameKey(name));
  }

  /** Goes on with everything this account had. */
  async load(account: AccountId): Promise<void> {
    const { world, home } = this.#host;
    const records = await loadRecords(world.disk, home, world.log);
    this.#lastId = Math.max(this.#lastId, ...records.map(({ id }) => id));
    for (const record of records) {
      if (record.account !== account || this.#all.has(record.id)) continue;
      const transfer = new Transfer(record, this.#host);
      this.#all.set(record.id, transfer);
      transfer.start();
    }
  }

  /** Closes everything; the records stay. */
  async unload(): Promise<void> {
    const all = this.all;
    this.#all.clear();
    await Promise.all(all.map((transfer) => transfer.close()));
    this.#swarms.clear();
  }

  /** @throws ShoalError badFileName, fileMissing, notAFile, fileUnreadable */
  async share(request: ShareRequest): Promise<Transfer> {
    const { disk } = this.#host.world;
    checkFileName(request.name);
    const stat = await disk.stat(request.path).catch((error: unknown) => {
      throw new ShoalError('fileUnreadable', { path: request.path, why: (error as Error).message });
    });
    if (!stat) throw new ShoalError('fileMissing', { path: request.path });
    if (stat.kind !== 'file') throw new ShoalError('notAFile', { path: request.path });
    for (const old of this.ofFile(request.group, request.name)) {
      // The same file again: a new version of it, or a second look at one that had changed.
      if (old.record.kind === 'share' && old.record.path === request.path) await this.forget(old);
    }
    return this.#begin({
      ...request, kind: 'share', sizeBytes: stat.sizeBytes, pieceBytes: 0, root: '', sha256: '', mode: 'rarest', rename: false, paused: false, told: false, part: '', claimed: '', replaces: undefined, identity: undefined,
    });
  }

  /**
   * Begins a download; one of the same file to the same place that is under way already is returned instead.
   *
   * @throws ShoalError badFileName, destinationExists, destinationUnwritable
   */
  async download({ file, path: given, asFile, ...request }: DownloadRequest): Promise<Transfer> {
    const { disk } = this.#host.world;
    // Checked again here: whatever a tracker sends, it must not name a place outside the folder.
    const destination = asFile ? given : path.join(given, ...checkFileName(file.name).split('/'));
    const same = this.#ofKey({ group: request.group, root: file.root }).filter(({ record }) => record.kind === 'download' && record.path === destination);
    const underWay = same.find((other) => !other.isWhole);
    if (underWay) {
      await underWay.resume();
      return underWay;
    }
    // It may have become whole while it was asked for.
    const whole = same.find(({ error }) => error === undefined);
    if (whole && !request.rename) return whole;
    const taken = await disk.stat(destination).catch((error: unknown) => {
      throw diskError(error, destination);
    });
    if (taken && !request.rename) throw new ShoalError('destinationExists', { path: destination });
    return this.#begin({
      account: request.account, group: request.group, groupName: request.groupName, name: file.name, kind: 'download', path: destination, sizeBytes: file.sizeBytes,
      pieceBytes: file.pieceBytes, root: file.root, sha256: file.sha256, mode: request.mode, rename: request.rename, replace: false, paused: false, told: true, part: '', claimed: '', replaces: undefined, identity: undefined,
    });
  }

  /** Ends a transfer for good. Files that are whole stay where they are; what was not finished is deleted. */
  async forget(transfer: Transfer): Promise<void> {
    const { disk } = this.#host.world;
    this.#all.delete(transfer.id);
    await transfer.close(false);
    await removeRecord(disk, this.#host.home, transfer.id);
    if (transfer.record.part !== '') await removePart(disk, transfer.record.part);
  }

  async #begin(fields: Omit<TransferRecord, 'id'>): Promise<Transfer> {
    const record = { id: ++this.#lastId, ...fields };
    await saveRecord(this.#host.world.disk, this.#host.home, record);
    const transfer = new Transfer(record, this.#host);
    this.#all.set(record.id, transfer);
    transfer.start();
    return transfer;
  }

  #ofKey(key: SwarmKey): readonly Transfer[] {
    return this.all.filter((transfer) => transfer.key && swarmKeyText(transfer.key) === swarmKeyText(key));
  }
}
