// The life of one file that is shared or downloaded: hashing, checking, exchanging, publishing, and what goes wrong on the way. Owns
// its record, its copy and its swarm; the only writer of their state. transfers.ts holds all of them.
import type { Transfer as TransferView } from '../../protocol/engineLink.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import { asShoalError, isShoalError, ShoalError } from '../../protocol/errors.ts';
import type { Sha256, SwarmKey } from '../../protocol/ids.ts';
import type { ManifestFile } from '../../protocol/manifest.ts';
import type { SwarmPeer } from '../../protocol/trackerLink.ts';
import type { Copy } from './copy.ts';
import { Departed } from './departed.ts';
import { diskError } from './diskErrors.ts';
import type { DownloadHost, Keeper } from './download.ts';
import { isThere, openDownload, publishDownload, tidyUp } from './download.ts';
import type { FileIdentity } from './fileIdentity.ts';
import { identityOf } from './fileIdentity.ts';
import { folderIn, headIn } from './folderChoice.ts';
import type { FolderOnDisk } from './folderFile.ts';
import { chooseAndFill } from './neededHere.ts';
import { Retries } from './retries.ts';
import { Swarm } from './swarm.ts';
import { TransferFigures } from './transferFigures.ts';
import type { TransferHost } from './transferHost.ts';
import type { TransferRecord } from './transferRecord.ts';
import { saveLayer, saveRecord } from './transferRecord.ts';
import { folderOnDisk, hashWhole, openWhole, verifyWhole } from './wholeFile.ts';

type State = Exclude<TransferView['state'], 'other'>;

export class Transfer {
  record: TransferRecord;
  error: ShoalError | undefined;
  copy: Copy | undefined;
  swarm: Swarm | undefined;
  readonly figures: TransferFigures;
  readonly #host: TransferHost;
  readonly #disk: DownloadHost;
  readonly #keeper: Keeper;
  readonly #retries: Retries;
  #state: State = 'checking';
  #hasTurn = false;
  /** The failure that the person was told of. */
  #told: ErrorCode | undefined;
  #knownPeers: readonly SwarmPeer[] = [];
  readonly #departed = new Departed();
  #work = new AbortController();
  /** Whether it was hashed in this life of the process. */
  #isHashedNow = false;
  #saving: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(record: TransferRecord, host: TransferHost) {
    this.record = record;
    this.#host = host;
    this.#disk = { ...host.world, hasher: host.hasher, openFiles: host.openFiles, home: host.home };
    const current = (): TransferRecord => this.record;
    this.#keeper = {
      get record() {
        return current();
      },
      save: (changes) => this.#save(changes),
    };
    this.figures = new TransferFigures(host.world.clock);
    this.#retries = new Retries(host.world);
  }

  get id(): number {
    return this.record.id;
  }
  get key(): SwarmKey | undefined {
    const { group, root } = this.record;
    return root === '' ? undefined : { group, root };
  }
  get state(): State {
    // Waiting is downloading with nobody to download from.
    return this.#state === 'downloading' && !this.swarm?.hasProspects ? 'waiting' : this.#state;
  }
  /** Whether everything is here, verified and under its final name. */
  get isWhole(): boolean {
    return this.record.identity !== undefined;
  }
  get isActive(): boolean {
    return this.#state === 'hashing' || this.#state === 'checking' || this.#state === 'downloading';
  }
  /** Whether it is a download that wants to fetch, now or when its turn comes. */
  get isQueued(): boolean {
    return this.record.kind === 'download' && !this.isWhole && (this.isActive || this.#state === 'queued');
  }
  /** Whether it could not fetch now anyway: nobody serves it, or its disk is full. */
  get isIdle(): boolean {
    return this.state === 'waiting' || (this.#state === 'downloading' && this.error !== undefined);
  }
  /** Whether it should have a swarm and has none: another transfer of the same bytes had it first. */
  get wantsSwarm(): boolean {
    return (this.#state === 'seeding' || this.#state === 'downloading') && this.copy !== undefined && this.swarm === undefined && !this.#closed;
  }
  /** Whether it could take part in the swarm, if only to serve what it has, and something that was not a transfer had it first. */
  get lacksSwarm(): boolean {
    return this.copy !== undefined && this.swarm === undefined && !this.#closed && ['seeding', 'downloading', 'paused', 'queued', 'choosing'].includes(this.#state);
  }
  /** Whether it has pieces to fetch, and may. */
  get isFetching(): boolean {
    return !this.isWhole && this.#hasTurn && !this.record.paused;
  }
  /** Whether the swarm is of no more use to it than to serve the part of a folder that it has, or of none now. */
  get canYield(): boolean {
    return this.swarm !== undefined && !this.copy?.pieces.held.isFull && ['seeding', 'paused', 'queued', 'choosing'].includes(this.#state);
  }
  /** What the trackers shall hear of it; undefined when it takes no part in a swarm. */
  get leftBytes(): number | undefined {
    return this.swarm && (this.#state === 'seeding' || this.#state === 'downloading') ? this.swarm.leftBytes : undefined;
  }

  toView(): TransferView {
    return this.figures.view(this, this.#host.placeOf(this));
  }

  /** Begins, or goes on after a restart, a pause or a failure. Resolves when its file is open or it has failed. */
  start(): Promise<void> {
    return this.#run();
  }

  /** Its turn to fetch has come, or is another's. What it holds is served in any case. */
  setTurn(hasTurn: boolean): void {
    if (this.#hasTurn === hasTurn) return;
    this.#hasTurn = hasTurn;
    if (this.#state === 'queued' && hasTurn) {
      if (!this.swarm) return void this.#letGo().then(() => this.start()); // another transfer may have had the swarm
      this.#set('downloading');
      this.swarm.resume();
    } else if (this.#state === 'downloading' && !hasTurn) {
      this.swarm?.pause();
      this.#set('queued');
    } else return;
    this.#host.presenceChanged(); // trackers name to others, and are asked for peers of, what is under way
  }

  /** Changes how it goes, from now on and after a restart. */
  async adjust(changes: Partial<Pick<TransferRecord, 'downLimitBytesPerS' | 'upLimitBytesPerS' | 'mode' | 'priority' | 'place'>>): Promise<void> {
    await this.#save(changes);
    this.#steer();
    this.#host.changed(this);
  }

  /** Tells the swarm what the record says of it. */
  #steer(): void {
    if (!this.swarm) return;
    this.swarm.mode = this.record.mode;
    this.swarm.down.set(this.record.downLimitBytesPerS);
    this.swarm.up.set(this.record.upLimitBytesPerS);
  }

  /** The files of a folder, as soon as its list is here. @throws ShoalError badFolder */
  async folderFiles(): Promise<readonly ManifestFile[] | undefined> {
    if (this.record.content !== 'folder') return undefined;
    const head = this.copy && !this.isWhole ? await headIn(this.copy) : undefined;
    return this.copy && head ? folderIn(this.copy, head).files : (await this.folderOnDisk())?.folder.files;
  }

  /** It has been said which files of a folder are wanted; all, when none is named. @throws ShoalError usage */
  async choose(only: readonly string[]): Promise<void> {
    if (!this.record.choosing) throw new ShoalError('usage', { why: `the files of ${this.record.name} are chosen already` });
    await this.#save({ only, choosing: false });
    await this.#letGo();
    void this.start();
  }

  async pause(): Promise<void> {
    if (this.isWhole || this.record.kind === 'share' || this.#state === 'choosing') return;
    this.#retries.stop();
    this.error = undefined;
    this.swarm?.pause();
    this.#hasTurn = false;
    this.#set('paused');
    this.#host.presenceChanged();
    this.#host.offerSwarm(this);
    try {
      await this.#save({ paused: true });
      await this.copy?.save();
    } catch (error) {
      this.#stuck(asShoalError(error)); // on a full disk it is paused as long as the engine runs
    }
  }

  async resume(): Promise<void> {
    if (this.isActive || this.#state === 'queued') return;
    await this.#save({ paused: false });
    if (this.#state === 'paused' && this.swarm) return this.#set('queued'); // its turn may be now
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
   * @param repair  whether what is wrong in a download is fetched again; a share that has changed is another file, and stays what it is
   * @throws ShoalError integrity, fileMissing, fileUnreadable
   */
  async verify(repair: boolean): Promise<{ readonly sha256: Sha256; readonly sizeBytes: number; readonly repairing: boolean }> {
    const { path: file, kind, content } = this.record;
    try {
      return { ...await verifyWhole(this.#disk, this.record), repairing: false };
    } catch (error) {
      if (!repair || kind === 'share' || content === 'folder' || !(isShoalError(error, 'integrity') || isShoalError(error, 'fileMissing'))) throw error;
      const stat = await this.#disk.disk.stat(file);
      await this.#repair(stat && identityOf(stat));
      return { sha256: this.record.sha256 as Sha256, sizeBytes: this.record.sizeBytes, repairing: true };
    }
  }

  /** Downloads what is wrong into a part file; the damaged file stays as it is until the right one takes its place. */
  async #repair(damaged: FileIdentity | undefined): Promise<void> {
    this.#set('checking');
    await this.#letGo();
    await tidyUp(this.#disk.disk, this.#keeper);
    await this.#save({ replaces: damaged, identity: undefined, claimed: '', paused: false });
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
    const { copy, swarm, key } = this;
    this.swarm = undefined;
    this.copy = undefined;
    // A tracker that does not notice a short absence does not name them again.
    if (swarm) this.#knownPeers = swarm.candidates;
    swarm?.close();
    if (key) this.#host.release(key, this);
    await copy?.close(keep);
    if (swarm) this.#host.presenceChanged();
  }

  async #run(): Promise<void> {
    if (this.#closed) return;
    this.error = undefined;
    const { signal } = this.#work;
    try {
      if (this.record.root === '') await this.#hash(signal);
      if (this.isWhole) await this.#openWhole();
      else await this.#openPart(signal);
    } catch (error) {
      if (signal.aborted || this.#closed) return;
      await this.#failed(diskError(error, this.record.path));
    }
  }

  async #hash(signal: AbortSignal): Promise<void> {
    this.#set('hashing');
    await hashWhole(this.#disk, this.#keeper, this.#host.world.log, { signal, progress: (done) => this.#progress(done) });
    this.#isHashedNow = true;
  }

  /** What is known of the files of a folder; undefined for a file. */
  folderOnDisk(): Promise<FolderOnDisk | undefined> {
    return folderOnDisk(this.#disk, this.record);
  }

  /** A whole file: served as long as it is what it was. */
  async #openWhole(): Promise<void> {
    this.copy = await openWhole(this.#disk, this.#keeper, this.#isHashedNow);
    if (!this.copy) return this.#hash(this.#work.signal).then(() => this.#openWhole());
    const { record } = this;
    if (this.#closed) return this.copy.close();
    this.#joinSwarm();
    // A share is one when the group knows of it; until then it counts as not yet hashed.
    if (record.kind === 'share' && !record.told) return this.#tell();
    this.#seed();
  }

  #seed(): void {
    this.#set('seeding');
    this.#host.presenceChanged();
  }

  async #tell(): Promise<void> {
    try {
      await this.#host.tellShare(this.record);
      await this.#save({ told: true });
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

  /** A download that is not finished: takes up what is on disk, then asks the swarm for the rest. */
  async #openPart(signal: AbortSignal): Promise<void> {
    // What has nothing on disk yet has nothing to serve either: it opens nothing before its turn.
    if (this.record.part === '' && !this.#hasTurn && !this.record.paused) return this.#set('queued');
    this.#set('checking');
    const opened = await openDownload(this.#disk, this.#keeper, {
      signal, progress: (done) => this.#progress(done), checking: () => this.#set('checking'), stuck: (error) => this.#stuck(error),
    });
    if (opened.is === 'published') return this.#openWhole();
    const { copy } = opened;
    if (this.#closed || signal.aborted) return copy.close();
    this.copy = copy;
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

  /** The hashes of a download have come; before anything is asked for, it is looked what of it is here. */
  async #layerKnown(swarm: Swarm, layer: Uint8Array): Promise<void> {
    swarm.pause();
    await saveLayer(this.#host.world.disk, this.#host.home, this.id, layer);
    await this.#goOn(swarm);
  }

  /** Wants what is needed of it, as far as is known, and takes what of that is here. */
  async #choose(copy: Copy): Promise<readonly number[]> {
    const came = await chooseAndFill(copy, this.record, () => this.#host.wholeCopies(this), { ...this.#host.world, home: this.#host.home, signal: this.#work.signal });
    this.figures.ownPieces += came.length;
    return came;
  }

  /** More is known of what is needed, or all of that is here: looks what there is still to do. */
  async #goOn(swarm: Swarm): Promise<void> {
    swarm.tellHave(await this.#choose(swarm.copy));
    if (this.swarm !== swarm) return;
    if (swarm.isWhole) return this.#publish();
    if (this.#state === 'downloading') swarm.resume();
  }

  #joinSwarm(): void {
    const { key, copy, record } = this;
    if (!key || !copy || !this.#host.claim(key, this)) return;
    const swarm: Swarm = new Swarm(key, copy, record.mode, this.#host.swarmHost, {
      changed: () => this.#host.changed(this),
      layerKnown: (layer) => void this.#layerKnown(swarm, layer).catch((error: unknown) => this.#stuck(asShoalError(error))),
      whole: () => void this.#goOn(swarm).catch((error: unknown) => void this.#failed(diskError(error, record.path))),
      stuck: (error) => this.#stuck(error),
      gone: (error) => void this.fail(error, 'gone'),
      received: (bytes) => this.figures.received(bytes),
    }, this.#departed);
    this.swarm = swarm;
    swarm.addCandidates(this.#knownPeers);
    this.#steer();
  }

  /** Leaves the swarm to a transfer that wants more of it. */
  yieldTo(other: Transfer): void {
    other.meet(this.yieldSwarm());
  }

  /** Leaves the swarm. Returns the peers it knew there. */
  yieldSwarm(): readonly SwarmPeer[] {
    const { swarm } = this;
    this.swarm = undefined;
    swarm?.close();
    return swarm?.candidates ?? [];
  }

  /** Peers that a tracker has named to us before this took part in the swarm. */
  meet(peers: readonly SwarmPeer[]): void {
    if (peers.length > 0) this.#knownPeers = peers;
  }

  /** Another transfer, which took part in the swarm, has all that this one waits for. */
  async takeFromOwn(): Promise<void> {
    if (this.#state !== 'downloading' || this.swarm) return;
    await this.#letGo();
    await this.start();
  }

  /** Another transfer gave the swarm up that this one wanted too. */
  takeOverSwarm(): void {
    this.#joinSwarm();
    if (this.#state !== 'downloading') this.swarm?.pause();
    this.#host.presenceChanged();
  }

  async #publish(): Promise<void> {
    const { copy } = this;
    if (!copy) return;
    if (this.record.choosing) {
      this.swarm?.pause();
      return this.#set('choosing');
    }
    await publishDownload(this.#disk, this.#keeper, copy);
    this.#told = undefined;
    if (this.#closed) return;
    if (!this.swarm) this.#joinSwarm();
    this.#seed();
    this.#host.finished(this);
  }

  /** The disk refused while pieces came. */
  #stuck(error: ShoalError): void {
    const why = diskError(error.cause ?? error, this.record.path);
    // On a full disk the pieces that are here go on being served, as long as the open file can be relied on.
    if (why.code !== 'diskFull' || !this.swarm || this.copy?.isBroken) return void this.#failed(error.code === 'syncFailed' ? error : why);
    this.error = why;
    this.#host.changed(this);
    this.#tryAgain(why, this.#missingBytes, () => this.#hasTurn && this.#state === 'downloading' && this.swarm?.resume());
  }

  /** Ends, for now where it can go on by itself. */
  async #failed(why: ShoalError): Promise<void> {
    const isAway = why.code === 'destinationUnwritable' && this.record.part !== '' && !(await isThere(this.#host.world.disk, this.record).catch(() => false));
    const error = isAway ? new ShoalError('placeGone', { path: this.record.path }, { cause: why }) : why;
    const missingBytes = this.#missingBytes;
    await this.fail(error, error.code === 'fileChanged' || error.code === 'fileMissing' ? 'gone' : 'failed');
    // Somebody may have gone on with it meanwhile.
    if (this.#closed || this.record.kind === 'share' || (this.#state !== 'failed' && this.#state !== 'gone')) return;
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

  #set(state: State): void {
    this.#state = state;
    if (state === 'hashing' || state === 'checking') this.figures.readBytes = 0;
    this.#host.changed(this);
  }

  async #save(changes: Partial<TransferRecord>): Promise<void> {
    this.record = { ...this.record, ...changes };
    // One after the other, each as the record is by then: the last that is written must be the newest.
    this.#saving = this.#saving.catch(() => {}).then(() => saveRecord(this.#host.world.disk, this.#host.home, this.record));
    await this.#saving;
  }
}

