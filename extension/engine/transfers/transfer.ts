// The life of one file that is shared or downloaded: hashing, checking, exchanging, publishing, and
// what goes wrong on the way. Owns which phase of it this is, and the parts that own the rest: its
// record (keptRecord.ts), what is on disk (transferFiles.ts), its part in the swarm
// (swarmLease.ts). What follows for others from how it stands is in transferStatus.ts; transfers.ts
// holds all of them.
import type { Transfer as TransferView } from '../../../protocol/messages/engineLink.ts';
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { asShoalError, isShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { Sha256, SwarmKey } from '../../../protocol/base/ids.ts';
import type { ManifestFile } from '../../../protocol/messages/manifest.ts';
import type { Copy } from '../storage/pieceStore.ts';
import { diskError } from '../storage/diskErrors.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import { KeptRecord } from '../transferFiles/keptRecord.ts';
import { chooseAndFill } from '../transferFiles/reuseLocalPieces.ts';
import { OnDisk } from '../transferFiles/transferFiles.ts';
import { Retries } from './retryTimer.ts';
import { Seat } from './swarmLease.ts';
import { isActive, shownState } from './transferStatus.ts';
import type { Phase } from './transferStatus.ts';
import type { Swarm } from '../swarm/swarm.ts';
import { TransferFigures } from './transferStats.ts';
import type { TransferHost } from './transferContext.ts';
import type { TransferRecord } from '../transferFiles/transferRecord.ts';

export class Transfer {
  error: ShoalError | undefined;
  copy: Copy | undefined;
  readonly figures: TransferFigures;
  readonly seat: Seat;
  readonly #host: TransferHost;
  readonly #kept: KeptRecord;
  readonly #onDisk: OnDisk;
  readonly #retries: Retries;
  #phase: Phase = 'checking';
  #hasTurn = false;
  /** The failure that the person was told of. */
  #told: ErrorCode | undefined;
  #work = new AbortController();
  #closed = false;

  constructor(record: TransferRecord, host: TransferHost) {
    this.#host = host;
    this.#kept = new KeptRecord(host.world.disk, host.home, record);
    this.#onDisk = new OnDisk(this.#kept, host);
    this.figures = new TransferFigures(host.world.clock);
    this.#retries = new Retries(host.world);
    this.seat = new Seat({
      swarmHost: host.swarmHost,
      claim: (key) => host.claim(key, this),
      release: (key) => host.release(key, this),
      changed: () => host.changed(this),
      layerKnown: (swarm, layer) =>
        void this.#layerKnown(swarm, layer).catch((error: unknown) => this.#stuck(asShoalError(error))),
      whole: (swarm) =>
        void this.#goOn(swarm).catch((error: unknown) => void this.#failed(diskError(error, this.record.path))),
      stuck: (error) => this.#stuck(error),
      gone: (error) => void this.fail(error, 'gone'),
      received: (bytes) => this.figures.received(bytes),
    });
  }

  get id(): number {
    return this.record.id;
  }
  get key(): SwarmKey | undefined {
    const { group, root } = this.record;
    return root === '' ? undefined : { group, root };
  }
  get record(): TransferRecord {
    return this.#kept.record;
  }
  get swarm(): Swarm | undefined {
    return this.seat.swarm;
  }
  get phase(): Phase {
    return this.#phase;
  }
  get state(): Phase | 'waiting' {
    return shownState(this);
  }
  get hasTurn(): boolean {
    return this.#hasTurn;
  }
  get isClosed(): boolean {
    return this.#closed;
  }
  /** Whether everything is here, verified and under its final name. */
  get isWhole(): boolean {
    return this.record.identity !== undefined;
  }

  toView(): TransferView {
    return this.figures.view(this, this.#host.placeOf(this));
  }

  /**
   * Begins, or goes on after a restart, a pause or a failure. Resolves when its file is open or it
   * has failed.
   */
  start(): Promise<void> {
    return this.#run();
  }

  /** Its turn to fetch has come, or is another's. What it holds is served in any case. */
  setTurn(hasTurn: boolean): void {
    if (this.#hasTurn === hasTurn) return;
    this.#hasTurn = hasTurn;
    if (this.#phase === 'queued' && hasTurn) {
      if (!this.swarm) return void this.#letGo().then(() => this.start()); // another transfer may have had the swarm
      this.#set('downloading');
      this.swarm.resume();
    } else if (this.#phase === 'downloading' && !hasTurn) {
      this.swarm?.pause();
      this.#set('queued');
    } else return;
    this.#host.presenceChanged(); // trackers name to others, and are asked for peers of, what is under way
  }

  /** Changes how it goes, from now on and after a restart. */
  async adjust(
    changes: Partial<Pick<TransferRecord, 'downLimitBytesPerS' | 'upLimitBytesPerS' | 'mode' | 'priority' | 'place'>>,
  ): Promise<void> {
    await this.#kept.save(changes);
    this.seat.steer(this.record);
    this.#host.changed(this);
  }

  /** The files of a folder, as soon as its list is here. @throws ShoalError badFolder */
  folderFiles(): Promise<readonly ManifestFile[] | undefined> {
    return this.#onDisk.folderFiles(this.copy);
  }

  /**
   * It has been said which files of a folder are wanted; all, when none is named. @throws
   * ShoalError usage
   */
  async choose(only: readonly string[]): Promise<void> {
    if (!this.record.choosing) {
      throw new ShoalError('usage', { why: `the files of ${this.record.name} are chosen already` });
    }
    await this.#kept.save({ only, choosing: false });
    await this.#letGo();
    void this.start();
  }

  async pause(): Promise<void> {
    if (this.isWhole || this.record.kind === 'share' || this.#phase === 'choosing') return;
    this.#retries.stop();
    this.error = undefined;
    this.swarm?.pause();
    this.#hasTurn = false;
    this.#set('paused');
    this.#host.presenceChanged();
    this.#host.offerSwarm(this);
    try {
      await this.#kept.save({ paused: true });
      await this.copy?.save();
    } catch (error) {
      this.#stuck(asShoalError(error)); // on a full disk it is paused as long as the engine runs
    }
  }

  async resume(): Promise<void> {
    if (isActive(this) || this.#phase === 'queued') return;
    await this.#kept.save({ paused: false });
    if (this.#phase === 'paused' && this.swarm) return this.#set('queued'); // its turn may be now
    await this.#letGo();
    void this.start();
  }

  /**
   * Leaves the swarm and closes the file; the record stays, so that a later `start` goes on.
   *
   * @param keep  whether what has arrived shall last
   */
  async close(keep = true): Promise<void> {
    this.#closed = true;
    await this.#letGo(keep);
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
    const { kind, content } = this.record;
    try {
      return { ...(await this.#onDisk.verify(signal)), repairing: false };
    } catch (error) {
      if (
        !repair ||
        kind === 'share' ||
        content === 'folder' ||
        !(isShoalError(error, 'integrity') || isShoalError(error, 'fileMissing'))
      ) {
        throw error;
      }
      await this.#repair(await this.#onDisk.found());
      return { sha256: this.record.sha256 as Sha256, sizeBytes: this.record.sizeBytes, repairing: true };
    }
  }

  /**
   * Downloads what is wrong into a part file; the damaged file stays as it is until the right one
   * takes its place.
   */
  async #repair(damaged: FileIdentity | undefined): Promise<void> {
    this.#set('checking');
    await this.#letGo();
    await this.#onDisk.tidyUp();
    await this.#kept.save({ replaces: damaged, identity: undefined, claimed: '', paused: false });
    void this.start();
  }

  /** Ends with an error. */
  async fail(error: ShoalError, state: 'failed' | 'gone' = 'failed'): Promise<void> {
    this.#host.world.log.warn('a transfer has ended', { id: this.id, state, why: error.message });
    // Of what is tried again by itself, the person is told once.
    const isNews = this.#told !== error.code;
    this.#told = error.code;
    this.error = error;
    this.#set(state);
    if (isNews) this.#host.failed(this);
    await this.#letGo();
    this.#host.changed(this);
  }

  async #letGo(keep = true): Promise<void> {
    this.#work.abort();
    this.#work = new AbortController();
    this.#retries.stop();
    const { copy } = this;
    this.copy = undefined;
    const tookPart = this.seat.leave(this.key);
    await copy?.close(keep);
    if (tookPart) this.#host.presenceChanged();
  }

  async #run(): Promise<void> {
    if (this.#closed) return;
    this.error = undefined;
    const { signal } = this.#work;
    const { root, part, paused } = this.record;
    // A download that has nothing on disk yet has nothing to serve either: it opens nothing before
    // its turn.
    if (root !== '' && !this.isWhole && part === '' && !this.#hasTurn && !paused) return this.#set('queued');
    try {
      const { isWhole, copy } = await this.#onDisk.open(signal, {
        hashing: () => this.#set('hashing'),
        checking: () => this.#set('checking'),
        progress: (done) => this.#progress(done),
        stuck: (error) => this.#stuck(error),
      });
      if (this.#closed || (signal.aborted && !isWhole)) return await copy.close();
      this.copy = copy;
      await (isWhole ? this.#serve() : this.#fetch(copy, signal));
    } catch (error) {
      if (signal.aborted || this.#closed) return;
      await this.#failed(diskError(error, this.record.path));
    }
  }

  /** A whole file: served as long as it is what it was. */
  async #serve(): Promise<void> {
    const { kind, told } = this.record;
    this.#joinSwarm();
    // A share is one when the group knows of it; until then it counts as not yet hashed.
    if (kind === 'share' && !told) return this.#tell();
    this.#seed();
  }

  #seed(): void {
    this.#set('seeding');
    this.#host.presenceChanged();
  }

  async #tell(): Promise<void> {
    try {
      await this.#host.tellShare(this.record);
      await this.#kept.save({ told: true });
      this.#seed();
    } catch (error) {
      const why = asShoalError(error);
      if (why.retry === 'never' || this.#closed) throw why;
      this.error = why;
      this.#host.changed(this);
      this.#retries.toTell(() => {
        this.error = undefined;
        this.#tell().catch((again: unknown) => void this.fail(asShoalError(again)));
      });
    }
  }

  /**
   * A download that is not finished: takes up what is on disk, then asks the swarm for the rest.
   */
  async #fetch(copy: Copy, signal: AbortSignal): Promise<void> {
    this.figures.resumedPieces = copy.pieces.held.count;
    await this.#choose(copy);
    if (this.#closed || signal.aborted) return;
    if (copy.pieces.isWhole) return this.#publish();
    this.#joinSwarm();
    const isOff = this.record.paused || !this.#hasTurn;
    if (isOff) this.swarm?.pause();
    this.#set(this.record.paused ? 'paused' : isOff ? 'queued' : 'downloading');
    this.#host.presenceChanged();
  }

  /**
   * The hashes of a download have come; before anything is asked for, it is looked what of it is
   * here.
   */
  async #layerKnown(swarm: Swarm, layer: Uint8Array): Promise<void> {
    swarm.pause();
    await this.#onDisk.keepLayer(layer);
    await this.#goOn(swarm);
  }

  /** Wants what is needed of it, as far as is known, and takes what of that is here. */
  async #choose(copy: Copy): Promise<readonly number[]> {
    const came = await chooseAndFill(copy, this.record, () => this.#host.wholeCopies(this), {
      ...this.#host.world,
      home: this.#host.home,
      signal: this.#work.signal,
    });
    this.figures.ownPieces += came.length;
    return came;
  }

  /** More is known of what is needed, or all of that is here: looks what there is still to do. */
  async #goOn(swarm: Swarm): Promise<void> {
    swarm.tellHave(await this.#choose(swarm.copy));
    if (this.swarm !== swarm) return;
    if (swarm.isWhole) return this.#publish();
    if (this.#phase === 'downloading') swarm.resume();
  }

  #joinSwarm(): void {
    if (this.key && this.copy) this.seat.take(this.key, this.copy, this.record);
  }

  /** Another transfer, which took part in the swarm, has all that this one waits for. */
  async takeFromOwn(): Promise<void> {
    if (this.#phase !== 'downloading' || this.swarm) return;
    await this.#letGo();
    await this.start();
  }

  /** Another transfer gave the swarm up that this one wanted too. */
  takeOverSwarm(): void {
    this.#joinSwarm();
    if (this.#phase !== 'downloading') this.swarm?.pause();
    this.#host.presenceChanged();
  }

  async #publish(): Promise<void> {
    const { copy } = this;
    if (!copy) return;
    if (this.record.choosing) {
      this.swarm?.pause();
      return this.#set('choosing');
    }
    await this.#onDisk.publish(copy);
    this.#told = undefined;
    if (this.#closed) return;
    if (!this.swarm) this.#joinSwarm();
    this.#seed();
    this.#host.finished(this);
  }

  /** The disk refused while pieces came. */
  #stuck(error: ShoalError): void {
    const why = diskError(error.cause ?? error, this.record.path);
    // On a full disk the pieces that are here go on being served, as long as the open file can be
    // relied on.
    if (why.code !== 'diskFull' || !this.swarm || this.copy?.isBroken) {
      return void this.#failed(error.code === 'syncFailed' ? error : why);
    }
    this.error = why;
    this.#host.changed(this);
    this.#tryAgain(
      why,
      this.#missingBytes,
      () => this.#hasTurn && this.#phase === 'downloading' && this.swarm?.resume(),
    );
  }

  /** Ends, for now where it can go on by itself. */
  async #failed(why: ShoalError): Promise<void> {
    const isAway = why.code === 'destinationUnwritable' && this.record.part !== '' && !(await this.#onDisk.hasPlace());
    const error = isAway ? new ShoalError('placeGone', { path: this.record.path }, { cause: why }) : why;
    const missingBytes = this.#missingBytes;
    await this.fail(error, error.code === 'fileChanged' || error.code === 'fileMissing' ? 'gone' : 'failed');
    // Somebody may have gone on with it meanwhile.
    if (this.#closed || this.record.kind === 'share' || (this.#phase !== 'failed' && this.#phase !== 'gone')) return;
    this.#tryAgain(error, missingBytes, () => void this.start());
  }

  #tryAgain(why: ShoalError, missingBytes: number, again: () => void): void {
    this.#retries.afterRefusal(why, this.record, missingBytes, () => {
      if (this.record.paused) return;
      this.error = undefined;
      this.#host.changed(this);
      again();
    });
  }

  get #missingBytes(): number {
    const { record, copy } = this;
    return Math.max(0, record.sizeBytes - (copy?.pieces.held.count ?? 0) * record.pieceBytes);
  }

  #progress(doneBytes: number): void {
    this.figures.readBytes = doneBytes;
    this.#host.changed(this);
  }

  #set(phase: Phase): void {
    this.#phase = phase;
    if (phase === 'hashing' || phase === 'checking') this.figures.readBytes = 0;
    this.#host.changed(this);
  }
}
