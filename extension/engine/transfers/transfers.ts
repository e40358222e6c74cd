// All files that this engine shares and downloads: begins, finds, forgets them, knows which of them
// stands for which swarm, and tells the downloads whose turn it is. Whose it is decides
// downloadQueue.ts; what happens inside a transfer is transfer.ts's business.
import path from 'node:path';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { AccountId, GroupId, Root, SwarmKey } from '../../../protocol/base/ids.ts';
import { checkSizes } from '../../../protocol/messages/fileSizes.ts';
import { swarmKeyText } from '../../../protocol/base/ids.ts';
import type { PickerMode, QueueMove } from '../../../protocol/messages/engineLink.ts';
import { checkFileName, fileNameKey } from '../../../protocol/base/names.ts';
import type { FileRow } from '../../../protocol/messages/trackerLink.ts';
import type { Timer } from '../../../protocol/base/world.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import { diskError } from '../storage/diskErrors.ts';
import { removePart } from '../storage/partFile.ts';
import type { QueuedDownload } from './downloadQueue.ts';
import { inQueueOrder, placesAfterMove, placesAfterMoveTo, chooseActive } from './downloadQueue.ts';
import { isIdle, isQueued } from './transferStatus.ts';
import { SwarmLease } from './swarmLease.ts';
import { Transfer } from './transfer.ts';
import type { TransferContext } from './transferContext.ts';
import type { TransferRecord } from '../transferFiles/transferRecord.ts';
import { loadRecords, removeRecord, saveRecord } from '../transferFiles/transferRecord.ts';

/**
 * Files that are opened at the same time when an engine starts: some disks' worth of work, whatever
 * the number of shares.
 */
const OPENING_MAX = 16;
/**
 * How long a download may keep its turn while nobody serves it, in ms: peers that the tracker names
 * are reached by then.
 */
const IDLE_MS = 10_000;
/**
 * How soon after a change it is looked whose turn it is, in ms: changes of one moment are looked at
 * once.
 */
const SCHEDULE_DELAY_MS = 50;

export interface TransfersContext extends Omit<
  TransferContext,
  'completeStores' | 'placeOf' | 'onChange' | 'onFinished' | 'onFailed'
> {
  /** How many downloads may fetch at once; 0 for no limit. */
  readonly activeDownloads: () => number;
  /** Stores of previews, of which some pieces may be held. */
  readonly previewStores: (root: Root) => readonly PieceStore[];
  onChange(id: number): void;
  readonly onFinished: (transfer: Transfer) => void;
  readonly onFailed: (transfer: Transfer) => void;
}

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
  readonly only: readonly string[];
  /** Whether it is yet to be said which. */
  readonly choosing?: boolean;
}

/** What a record says of itself while nobody has said otherwise. */
const RECORD_DEFAULTS = {
  only: [],
  choosing: false,
  chosenBytes: 0,
  paused: false,
  part: '',
  claimed: '',
  replaces: undefined,
  identity: undefined,
  downLimitBytesPerS: 0,
  upLimitBytesPerS: 0,
  priority: 'normal',
} as const;

export class Transfers {
  readonly #context: TransferContext;
  readonly #activeDownloads: () => number;
  readonly #all = new Map<number, Transfer>();
  #lastId = 0;
  /** Where each unfinished download stands, from 1. */
  #places: ReadonlyMap<number, number> = new Map();
  /** Since when a download that has its turn is of no use to it, by the monotonic clock. */
  readonly #idleSinceMs = new Map<number, number>();
  /** Which moved bytes when that was last asked. */
  #moving: ReadonlySet<number> = new Set();
  #timer: Timer | undefined;
  #timerAtMs = Infinity;

  constructor({ activeDownloads, previewStores, onFinished, onFailed, ...context }: TransfersContext) {
    this.#activeDownloads = activeDownloads;
    this.#context = {
      ...context,
      onChange: (id) => {
        context.onChange(id);
        this.#scheduleIn(SCHEDULE_DELAY_MS);
      },
      onFinished: (id) => {
        const transfer = this.#all.get(id);
        if (!transfer) return;
        onFinished(transfer);
        for (const other of transfer.key ? this.#ofKey(transfer.key) : []) void other.restartFromLocal();
      },
      onFailed: (id) => {
        const transfer = this.#all.get(id);
        if (transfer) onFailed(transfer);
      },
      placeOf: (id) => this.#places.get(id) ?? 0,
      completeStores: ({ id, root, group, name }) => {
        const complete = this.all.filter((other) => other.id !== id && other.isComplete && other.store);
        const likelihood = ({ record }: Transfer): number =>
          record.root === root ? 0 : record.group === group && fileNameKey(record.name) === fileNameKey(name) ? 1 : 2;
        // Among versions the newest is the nearest.
        return [
          ...(root === '' ? [] : previewStores(root)),
          ...complete.sort((a, b) => likelihood(a) - likelihood(b) || b.id - a.id).flatMap(({ store }) => store ?? []),
        ];
      },
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
    const holder = this.#context.registry.holder(group, root);
    return holder instanceof SwarmLease ? this.#all.get(holder.transferId) : undefined;
  }
  /**
   * What a transfer serves was found to be no longer what it was: it says so, and leaves the swarm
   * to whoever needs those bytes.
   */
  async onSourceLost(store: PieceStore, error: ShoalError): Promise<void> {
    await this.all.find((transfer) => transfer.store === store)?.fail(error, 'gone');
  }
  ofFile(group: GroupId, name: string): readonly Transfer[] {
    return this.all.filter(({ record }) => record.group === group && fileNameKey(record.name) === fileNameKey(name));
  }

  /** Goes on with everything this account had. */
  async load(account: AccountId): Promise<void> {
    const { world, home } = this.#context;
    const records = await loadRecords(world.disk, home, world.log);
    this.#lastId = Math.max(this.#lastId, ...records.map(({ id }) => id));
    const mine = records
      .filter((record) => record.account === account && !this.#all.has(record.id))
      .map((record) => new Transfer(record, this.#context));
    for (const transfer of mine) this.#register(transfer);
    this.schedule();
    // What is whole first: it is served at once. What is to be hashed last: it takes long.
    const rank = ({ isComplete, key }: Transfer): number => (isComplete ? 0 : key ? 1 : 2);
    const line = [...mine].sort((a, b) => rank(a) - rank(b) || a.id - b.id);
    const open = async (): Promise<void> => {
      for (let next = line.shift(); next; next = line.shift()) await next.start();
    };
    for (let n = 0; n < OPENING_MAX; n++) void open();
  }

  /** Closes everything; the records stay. */
  async unload(): Promise<void> {
    const all = this.all;
    this.#all.clear();
    for (const transfer of all) this.#context.registry.remove(transfer.lease);
    this.#timer?.cancel();
    this.#timerAtMs = Infinity;
    this.#idleSinceMs.clear();
    await Promise.all(all.map((transfer) => transfer.close()));
  }

  /** @throws ShoalError badFileName, fileMissing, notAFile, fileUnreadable */
  async share(request: ShareRequest): Promise<Transfer> {
    const { disk } = this.#context.world;
    checkFileName(request.name);
    const stat = await disk.stat(request.path).catch((error: unknown) => {
      throw new ShoalError('fileUnreadable', { path: request.path, why: (error as Error).message });
    });
    if (!stat) throw new ShoalError('fileMissing', { path: request.path });
    if (stat.kind !== 'file' && stat.kind !== 'folder') throw new ShoalError('notAFile', { path: request.path });
    for (const old of this.ofFile(request.group, request.name)) {
      // The same file again: a new version of it, or a second look at one that had changed.
      if (old.record.kind === 'share' && old.record.path === request.path) await this.remove(old);
    }
    return this.#add({
      ...RECORD_DEFAULTS,
      ...request,
      kind: 'share',
      content: stat.kind,
      sizeBytes: stat.kind === 'folder' ? 0 : stat.sizeBytes,
      pieceBytes: 0,
      root: '',
      sha256: '',
      version: 0,
      mode: 'rarest',
      rename: false,
      told: false,
    });
  }

  /**
   * Begins a download; one of the same file to the same place that is under way already is returned
   * instead.
   *
   * @throws ShoalError badFileName, destinationExists, destinationUnwritable
   */
  async download({ file, path: given, asFile, ...request }: DownloadRequest): Promise<Transfer> {
    const { disk } = this.#context.world;
    checkSizes(file);
    // Checked again here: whatever a tracker sends, it must not name a place outside the folder.
    const destination = asFile ? given : path.join(given, ...checkFileName(file.name).split('/'));
    const same = this.#ofKey({ group: request.group, root: file.root }).filter(
      ({ record }) =>
        record.kind === 'download' &&
        record.path === destination &&
        record.only.join('\n') === request.only.join('\n') &&
        record.choosing === (request.choosing ?? false),
    );
    const underWay = same.find((other) => !other.isComplete);
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
    return this.#add({
      ...RECORD_DEFAULTS,
      account: request.account,
      group: request.group,
      groupName: request.groupName,
      name: file.name,
      kind: 'download',
      content: file.content === 'folder' ? 'folder' : 'file',
      only: request.only,
      choosing: request.choosing ?? false,
      path: destination,
      sizeBytes: file.sizeBytes,
      pieceBytes: file.pieceBytes,
      root: file.root,
      sha256: file.sha256,
      version: file.version,
      mode: request.mode,
      rename: request.rename,
      replace: false,
      told: true,
    });
  }

  /**
   * Ends a transfer for good. Files that are whole stay where they are; what was not finished is
   * deleted.
   */
  async remove(transfer: Transfer): Promise<void> {
    const { disk } = this.#context.world;
    this.#all.delete(transfer.id);
    this.#context.registry.remove(transfer.lease);
    await transfer.close(false);
    await removeRecord(disk, this.#context.home, transfer.id);
    if (transfer.record.part !== '') await removePart(disk, transfer.record.part);
  }

  /**
   * Transfers of which the rate that was shown last may no longer be right: those that move bytes,
   * and those that did when this was last asked, so that each is shown once more when it has stopped.
   */
  takeMoving(): readonly number[] {
    const before = this.#moving;
    this.#moving = new Set(
      this.all.filter(({ stats }) => stats.downBytesPerS > 0 || stats.upBytesPerS > 0).map(({ id }) => id),
    );
    return [...this.#moving, ...before];
  }

  /** Moves a download among those of its priority. */
  async move({ id }: Transfer, move: QueueMove): Promise<void> {
    await this.#place(
      placesAfterMove(
        this.#unfinished.map(({ record }) => record),
        id,
        move,
      ),
    );
  }

  /** Moves a download to where another one stands, which gives it its priority, too. */
  async moveTo(transfer: Transfer, { id, record: { priority } }: Transfer): Promise<void> {
    const places = placesAfterMoveTo(
      this.#unfinished.map(({ record }) => record),
      transfer.id,
      id,
    );
    if (transfer.record.priority !== priority) await transfer.adjust({ priority });
    await this.#place(places);
  }

  async #place(places: ReadonlyMap<number, number>): Promise<void> {
    for (const [moved, place] of places) await this.#all.get(moved)?.adjust({ place });
    this.schedule();
  }

  /**
   * Tells every download whether it may fetch now. Called by itself when something changed; from
   * outside when the limit has.
   */
  schedule(): void {
    this.#timer?.cancel();
    this.#timerAtMs = Infinity;
    const unfinished = inQueueOrder(this.#unfinished.map(({ record }) => record));
    const before = this.#places;
    this.#places = new Map(unfinished.map(({ id }, n) => [id, n + 1]));
    const active = chooseActive(
      this.#unfinished.filter(isQueued).map((transfer) => this.#queued(transfer)),
      this.#activeDownloads(),
    );
    for (const { id } of unfinished) this.#all.get(id)?.setScheduled(active.has(id));
    for (const [id, place] of this.#places) {
      const transfer = this.#all.get(id);
      if (transfer && before.get(id) !== place) this.#context.onChange(transfer.id);
    }
    for (const id of this.#idleSinceMs.keys()) if (!this.#places.has(id)) this.#idleSinceMs.delete(id);
  }

  /** A download as the queue sees it. One that has just become idle keeps its turn for a while. */
  #queued(transfer: Transfer): QueuedDownload {
    const {
      id,
      record: { priority, place },
    } = transfer;
    if (!isIdle(transfer)) {
      this.#idleSinceMs.delete(id);
      return { id, priority, place, isIdle: false };
    }
    const now = this.#context.world.clock.monotonicMs();
    const sinceMs = this.#idleSinceMs.get(id) ?? now;
    this.#idleSinceMs.set(id, sinceMs);
    const leftMs = sinceMs + IDLE_MS - now;
    if (leftMs > 0) this.#scheduleIn(leftMs);
    return { id, priority, place, isIdle: leftMs <= 0 };
  }

  #scheduleIn(delayMs: number): void {
    const { clock } = this.#context.world;
    const atMs = clock.monotonicMs() + delayMs;
    if (atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = clock.after(delayMs, () => this.schedule());
  }

  get #unfinished(): readonly Transfer[] {
    return this.all.filter(({ record, isComplete }) => record.kind === 'download' && !isComplete);
  }

  async #add(fields: Omit<TransferRecord, 'id' | 'place'>): Promise<Transfer> {
    const id = ++this.#lastId;
    // Places only ever change hands among downloads, so the newest id is behind them all.
    const record = { id, place: id, ...fields };
    await saveRecord(this.#context.world.disk, this.#context.home, record);
    const transfer = new Transfer(record, this.#context);
    this.#register(transfer);
    this.schedule();
    void transfer.start();
    return transfer;
  }

  #register(transfer: Transfer): void {
    this.#all.set(transfer.id, transfer);
    this.#context.registry.add(transfer.lease);
  }

  #ofKey(key: SwarmKey): readonly Transfer[] {
    return this.all.filter((transfer) => transfer.key && swarmKeyText(transfer.key) === swarmKeyText(key));
  }
}
