// The life of one file that is shared or downloaded: hashing, checking, exchanging, publishing, and
// what goes wrong on the way. Owns which phase of it this is, and the parts that own the rest: its
// record (keptRecord.ts), what is on disk (transferFiles.ts), its part in the swarm
// (swarmLease.ts). What follows for others from how it stands is in transferStatus.ts; transfers.ts
// holds all of them.
import type { Transfer as TransferView } from '../../../protocol/messages/engineLink.ts';
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { asShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { Sha256, SwarmKey } from '../../../protocol/base/ids.ts';
import type { ManifestFile } from '../../../protocol/messages/manifest.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import { diskError } from '../storage/diskErrors.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import { TransferFiles } from '../transferFiles/transferFiles.ts';
import { RetryTimer } from './retryTimer.ts';
import { SwarmLease } from './swarmLease.ts';
import { canRepair, isRunning, keyOf, shownState } from './transferStatus.ts';
import type { Phase, TransferStatus } from './transferStatus.ts';
import type { Swarm } from '../swarm/swarm.ts';
import { TransferStats } from './transferStats.ts';
import type { TransferContext } from './transferContext.ts';
import { TransferRecordStore } from '../transferFiles/transferRecord.ts';
import type { TransferRecord } from '../transferFiles/transferRecord.ts';

export class Transfer implements TransferStatus {
  error: ShoalError | undefined;
  store: PieceStore | undefined;
  readonly stats: TransferStats;
  readonly lease: SwarmLease;
  readonly #context: TransferContext;
  readonly #recordStore: TransferRecordStore;
  readonly #files: TransferFiles;
  readonly #retryTimer: RetryTimer;
  #phase: Phase = 'checking';
  #isScheduled = false;
  /** The failure that the person was told of. */
  #notifiedError: ErrorCode | undefined;
  #abort = new AbortController();
  #closed = false;

  constructor(record: TransferRecord, context: TransferContext) {
    this.#context = context;
    this.#recordStore = new TransferRecordStore(context.world.disk, context.home, record);
    this.#files = new TransferFiles(this.#recordStore, { ...context.world, ...context });
    this.stats = new TransferStats(context.world.clock);
    this.#retryTimer = new RetryTimer(context.world);
    this.lease = new SwarmLease(this, context, {
      onChange: () => context.onChange(this.id),
      onPieceHashes: (swarm, pieceHashes) =>
        void this.#onPieceHashes(swarm, pieceHashes).catch((error: unknown) => this.#onDiskError(asShoalError(error))),
      onComplete: (swarm) =>
        void this.#continue(swarm).catch((error: unknown) => void this.#onFailed(diskError(error, this.record.path))),
      onDiskError: (error) => this.#onDiskError(error),
      onSourceLost: (error) => void this.fail(error, 'gone'),
      onReceived: (bytes) => this.stats.onReceived(bytes),
    });
  }

  get id(): number {
    return this.record.id;
  }
  get key(): SwarmKey | undefined {
    return keyOf(this);
  }
  get record(): TransferRecord {
    return this.#recordStore.record;
  }
  get swarm(): Swarm | undefined {
    return this.lease.swarm;
  }
  get phase(): Phase {
    return this.#phase;
  }
  get state(): Phase | 'waiting' {
    return shownState(this);
  }
  get isScheduled(): boolean {
    return this.#isScheduled;
  }
  get isClosed(): boolean {
    return this.#closed;
  }
  /** Whether everything is here, verified and under its final name. */
  get isComplete(): boolean {
    return this.record.identity !== undefined;
  }

  toView(): TransferView {
    return this.stats.view(this, this.#context.placeOf(this.id));
  }

  /** Its turn to fetch has come, or is another's. What it holds is served in any case. */
  setScheduled(isScheduled: boolean): void {
    if (this.#isScheduled === isScheduled) return;
    this.#isScheduled = isScheduled;
    if (this.#phase === 'queued' && isScheduled) {
      if (!this.swarm) return void this.#stop().then(() => this.start()); // another transfer may have had the swarm
      this.#setPhase('downloading');
      this.swarm.resume();
    } else if (this.#phase === 'downloading' && !isScheduled) {
      this.swarm?.pause();
      this.#setPhase('queued');
    } else return;
    this.#context.onPresenceChanged(); // trackers name to others, and are asked for peers of, what is under way
  }

  /** Changes how it goes, from now on and after a restart. */
  async adjust(
    changes: Partial<Pick<TransferRecord, 'downLimitBytesPerS' | 'upLimitBytesPerS' | 'mode' | 'priority' | 'place'>>,
  ): Promise<void> {
    await this.#recordStore.save(changes);
    this.lease.configure();
    this.#context.onChange(this.id);
  }

  /** The files of a folder, as soon as its list is here. @throws ShoalError badFolder */
  folderFiles(): Promise<readonly ManifestFile[] | undefined> {
    return this.#files.folderFiles(this.store);
  }

  /**
   * It has been said which files of a folder are wanted; all, when none is named. @throws
   * ShoalError usage
   */
  async selectFiles(only: readonly string[]): Promise<void> {
    if (!this.record.choosing) {
      throw new ShoalError('usage', { why: `the files of ${this.record.name} are chosen already` });
    }
    await this.#recordStore.save({ only, choosing: false });
    await this.#stop();
    void this.start();
  }

  async pause(): Promise<void> {
    if (this.isComplete || this.record.kind === 'share' || this.#phase === 'choosing') return;
    this.#retryTimer.stop();
    this.error = undefined;
    this.swarm?.pause();
    this.#isScheduled = false;
    this.#setPhase('paused');
    this.#context.onPresenceChanged();
    this.lease.offer();
    try {
      await this.#recordStore.save({ paused: true });
      await this.store?.saveCheckpoint();
    } catch (error) {
      this.#onDiskError(asShoalError(error)); // on a full disk it is paused as long as the engine runs
    }
  }

  async resume(): Promise<void> {
    if (isRunning(this) || this.#phase === 'queued') return;
    await this.#recordStore.save({ paused: false });
    if (this.#phase === 'paused' && this.swarm) return this.#setPhase('queued'); // its turn may be now
    await this.#stop();
    void this.start();
  }

  /**
   * Leaves the swarm and closes the file; the record stays, so that a later `start` goes on.
   *
   * @param keep  whether what has arrived shall last
   */
  async close(keep = true): Promise<void> {
    this.#closed = true;
    await this.#stop(keep);
  }

  /**
   * Reads a whole file again and compares.
   *
   * @param repair  whether what is wrong in a download is fetched again; a share that has changed
   *   is another file, and stays what it is
   * @throws ShoalError integrity, fileMissing, fileUnreadable, cancelled
   */
  async verify(
    repair: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly sha256: Sha256; readonly sizeBytes: number; readonly repairing: boolean }> {
    try {
      return { ...(await this.#files.verify(signal)), repairing: false };
    } catch (error) {
      if (!repair || !canRepair(this, error)) throw error;
      await this.#repair(await this.#files.currentIdentity());
      return { sha256: this.record.sha256 as Sha256, sizeBytes: this.record.sizeBytes, repairing: true };
    }
  }

  /**
   * Downloads what is wrong into a part file; the damaged file stays as it is until the right one
   * takes its place.
   */
  async #repair(damaged: FileIdentity | undefined): Promise<void> {
    this.#setPhase('checking');
    await this.#stop();
    await this.#files.cleanUp();
    await this.#recordStore.save({ replaces: damaged, identity: undefined, claimed: '', paused: false });
    void this.start();
  }

  /** Ends with an error. */
  async fail(error: ShoalError, state: 'failed' | 'gone' = 'failed'): Promise<void> {
    this.#context.world.log.warn('a transfer has ended', { id: this.id, state, why: error.message });
    // Of what is tried again by itself, the person is told once.
    const isNew = this.#notifiedError !== error.code;
    this.#notifiedError = error.code;
    this.error = error;
    this.#setPhase(state);
    if (isNew) this.#context.onFailed(this.id);
    await this.#stop();
    this.#context.onChange(this.id);
  }

  async #stop(keep = true): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#retryTimer.stop();
    const { store } = this;
    this.store = undefined;
    const hadSwarm = this.lease.leave();
    await store?.close(keep);
    if (hadSwarm) this.#context.onPresenceChanged();
  }

  /**
   * Begins, or goes on after a restart, a pause or a failure. Resolves when its file is open or it
   * has failed.
   */
  async start(): Promise<void> {
    if (this.#closed) return;
    this.error = undefined;
    const { signal } = this.#abort;
    const { root, part, paused } = this.record;
    // A download that has nothing on disk yet has nothing to serve either: it opens nothing before
    // its turn.
    if (root !== '' && !this.isComplete && part === '' && !this.#isScheduled && !paused) {
      return this.#setPhase('queued');
    }
    try {
      const { isComplete, store } = await this.#files.open(signal, {
        onHashing: () => this.#setPhase('hashing'),
        onChecking: () => this.#setPhase('checking'),
        onProgress: (done) => this.#onProgress(done),
        onDiskError: (error) => this.#onDiskError(error),
      });
      if (this.#closed || (signal.aborted && !isComplete)) return await store.close();
      this.store = store;
      await (isComplete ? this.#serve() : this.#fetch(store, signal));
    } catch (error) {
      if (signal.aborted || this.#closed) return;
      await this.#onFailed(diskError(error, this.record.path));
    }
  }

  /** A whole file: served as long as it is what it was. */
  async #serve(): Promise<void> {
    const { kind, told } = this.record;
    this.lease.join();
    // A share is one when the group knows of it; until then it counts as not yet hashed.
    if (kind === 'share' && !told) return this.#announceShare();
    this.#seed();
  }

  #seed(): void {
    this.#setPhase('seeding');
    this.#context.onPresenceChanged();
  }

  async #announceShare(): Promise<void> {
    try {
      await this.#context.announceShare(this.record);
      await this.#recordStore.save({ told: true });
      this.#seed();
    } catch (error) {
      const why = asShoalError(error);
      if (why.retry === 'never' || this.#closed) throw why;
      this.error = why;
      this.#context.onChange(this.id);
      this.#retryTimer.toAnnounce(() => {
        this.error = undefined;
        this.#announceShare().catch((again: unknown) => void this.fail(asShoalError(again)));
      });
    }
  }

  /**
   * A download that is not finished: takes up what is on disk, then asks the swarm for the rest.
   */
  async #fetch(store: PieceStore, signal: AbortSignal): Promise<void> {
    this.stats.resumedPieces = store.states.held.count;
    await this.#takeLocalPieces(store);
    if (this.#closed || signal.aborted) return;
    if (store.states.isComplete) return this.#finalize();
    this.lease.join();
    const isOff = this.record.paused || !this.#isScheduled;
    if (isOff) this.swarm?.pause();
    this.#setPhase(this.record.paused ? 'paused' : isOff ? 'queued' : 'downloading');
    this.#context.onPresenceChanged();
  }

  /**
   * The hashes of a download have come; before anything is asked for, it is looked what of it is
   * here.
   */
  async #onPieceHashes(swarm: Swarm, pieceHashes: Uint8Array): Promise<void> {
    swarm.pause();
    await this.#files.savePieceHashes(pieceHashes);
    await this.#continue(swarm);
  }

  /** Wants what is needed of it, as far as is known, and takes what of that is here. */
  async #takeLocalPieces(store: PieceStore): Promise<readonly number[]> {
    const complete = (): readonly PieceStore[] => this.#context.completeStores(this.record);
    const came = await this.#files.takeLocalPieces(store, complete, this.#abort.signal);
    this.stats.localPieces += came.length;
    return came;
  }

  /** More is known of what is needed, or all of that is here: looks what there is still to do. */
  async #continue(swarm: Swarm): Promise<void> {
    swarm.announceHave(await this.#takeLocalPieces(swarm.store));
    if (this.swarm !== swarm) return;
    if (swarm.isComplete) return this.#finalize();
    if (this.#phase === 'downloading') swarm.resume();
  }

  /** Another transfer, which took part in the swarm, has all that this one waits for. */
  async restartFromLocal(): Promise<void> {
    if (this.#phase !== 'downloading' || this.swarm) return;
    await this.#stop();
    await this.start();
  }

  async #finalize(): Promise<void> {
    const { store } = this;
    if (!store) return;
    if (this.record.choosing) {
      this.swarm?.pause();
      return this.#setPhase('choosing');
    }
    await this.#files.finalize(store);
    this.#notifiedError = undefined;
    if (this.#closed) return;
    if (!this.swarm) this.lease.join();
    this.#seed();
    this.#context.onFinished(this.id);
  }

  /** The disk refused while pieces came. */
  #onDiskError(error: ShoalError): void {
    const why = diskError(error.cause ?? error, this.record.path);
    // On a full disk the pieces that are here go on being served, as long as the open file can be
    // relied on.
    if (why.code !== 'diskFull' || !this.swarm || this.store?.isBroken) {
      return void this.#onFailed(error.code === 'syncFailed' ? error : why);
    }
    this.error = why;
    this.#context.onChange(this.id);
    this.#retryLater(
      why,
      this.#missingBytes,
      () => this.#isScheduled && this.#phase === 'downloading' && this.swarm?.resume(),
    );
  }

  /** Ends, for now where it can go on by itself. */
  async #onFailed(why: ShoalError): Promise<void> {
    const error = await this.#files.explain(why);
    const missingBytes = this.#missingBytes;
    await this.fail(error, error.code === 'fileChanged' || error.code === 'fileMissing' ? 'gone' : 'failed');
    // Somebody may have gone on with it meanwhile.
    if (this.#closed || this.record.kind === 'share' || (this.#phase !== 'failed' && this.#phase !== 'gone')) return;
    this.#retryLater(error, missingBytes, () => void this.start());
  }

  #retryLater(why: ShoalError, missingBytes: number, again: () => void): void {
    this.#retryTimer.afterRefusal(why, this.record, missingBytes, () => {
      if (this.record.paused) return;
      this.error = undefined;
      this.#context.onChange(this.id);
      again();
    });
  }

  get #missingBytes(): number {
    const { record, store } = this;
    return Math.max(0, record.sizeBytes - (store?.states.held.count ?? 0) * record.pieceBytes);
  }

  #onProgress(doneBytes: number): void {
    this.stats.readBytes = doneBytes;
    this.#context.onChange(this.id);
  }

  #setPhase(phase: Phase): void {
    this.#phase = phase;
    if (phase === 'hashing' || phase === 'checking') this.stats.readBytes = 0;
    this.#context.onChange(this.id);
  }
}
