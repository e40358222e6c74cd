// The one writer of the tracker's durable facts: takes operations in, stamps them, makes them
// durable, folds them into the state and tells what changed. Operations of the partner are merged
// in their place in the total order; what stands behind one that comes late, and has to do with it,
// is taken back and applied again (replay.ts). Knows neither links nor messages.
import { Emitter } from '../../protocol/async/emitter.ts';
import { Sequencer } from '../../protocol/async/sequencer.ts';
import type { ErrorCode } from '../../protocol/base/errors.ts';
import { asShoalError, isShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { Origin, Pin } from '../../protocol/base/ids.ts';
import { OPERATION_AGE_MS_MAX } from '../../protocol/base/limits.ts';
import type { SignedOperation } from '../../protocol/base/fields.ts';
import type { Entry, LogPosition, ReadOperation, Stamp } from '../../protocol/messages/operations.ts';
import {
  compareStamps,
  encodeEntry,
  readOperation,
  signatureFits,
  TRACKER_OPERATIONS,
} from '../../protocol/messages/operations.ts';
import type { Clock, Log } from '../../protocol/base/world.ts';
import type { MembershipSnapshot } from '../fold/stateDiff.ts';
import { diffState, snapshotOf } from '../fold/stateDiff.ts';
import { check } from '../fold/fold.ts';
import type { Changes, Instance, Outcome, State } from '../fold/state.ts';
import { noChanges } from '../fold/state.ts';
import { checkEntries, checkSnapshot } from './entryMerge.ts';
import { foldLog } from './foldLog.ts';
import type { Replay, Source } from './replay.ts';
import type { Moment } from './hybridClock.ts';
import { HybridClock, later } from './hybridClock.ts';
import type { LogEntry, OpLog, Snapshot } from './opLog.ts';
import { entryAt } from './opLog.ts';

/**
 * How durable an operation is that was taken in; with `one`, its entry. `final`: nothing can come
 * before it any more.
 */
export interface Acknowledged {
  readonly durability: 'both' | 'one';
  readonly entry: Uint8Array | undefined;
  readonly final: boolean;
  readonly at: Instance;
}

export interface LedgerOptions {
  readonly log: OpLog;
  readonly realm: Pin;
  readonly clock: Clock;
  readonly logger: Log;
  /**
   * Resolves to whether the other disk of the pair has an entry too, at the latest when that takes
   * too long.
   */
  readonly whenOnBoth: (origin: Origin, seq: number) => Promise<boolean>;
  /** Whether a device has signed an operation; default: looked at once, in this thread. */
  readonly signatureFits?: (device: Pin, signed: SignedOperation) => boolean | Promise<boolean>;
  /** Whether a key is that of a tracker of the realm, now or once. */
  readonly isTracker: (pin: Pin) => boolean;
  /** Entries are on our disk and may be sent. */
  readonly onCommitted: () => void;
  /** The log cannot be written any more; this tracker must end. */
  readonly onLogFailed: (error: Error) => void;
}

export class Ledger {
  readonly log: OpLog;
  readonly #options: LedgerOptions;
  readonly #changes = new Emitter<[Changes]>();
  #replay: Replay;
  readonly #clock: HybridClock;
  /**
   * Numbers that the state has, by origin: what an operation that is checked against it has seen.
   */
  readonly #folded = new Map<Origin, number>();
  /** Numbers that are on the disk, by origin. */
  readonly #durable = new Map<Origin, number>();
  /**
   * Merges and snapshots of the partner, one after the other, whatever link they come by: what
   * comes next must follow what came last, and what a snapshot brings must not be applied twice.
   */
  readonly #merging = new Sequencer();
  /** The latest moment of what is on the disk. */
  #durableMoment: Moment = { ms: 0, counter: 0 };

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.log = options.log;
    for (const [origin, seq] of this.log.have()) this.#durable.set(origin, seq);
    this.#clock = new HybridClock(this.log.ceilingMs);
    this.#replay = this.#foldAll();
  }

  get realm(): Pin {
    return this.#options.realm;
  }
  get state(): State {
    return this.#replay.state;
  }
  /** What is on our disk, by origin. */
  get durable(): ReadonlyMap<Origin, number> {
    return this.#durable;
  }
  /** Up to there nothing comes late any more, as far as is known. */
  get frontier(): LogPosition | undefined {
    return this.log.frontier;
  }
  /** Operations that can still change what they came to. */
  get unsettled(): number {
    return this.#replay.size;
  }
  /** How far the hybrid clock is ahead of ours, in ms: by so much some clock was, or is, wrong. */
  get aheadMs(): number {
    return Math.max(0, this.#clock.now.ms - this.#options.clock.now());
  }
  /** What is on our disk and in the state. */
  get seen(): readonly Instance[] {
    return [...this.#durable].map(([origin, seq]) => ({ origin, seq: Math.min(seq, this.#folded.get(origin) ?? 0) }));
  }
  /** Called after changes became durable. */
  onChange(listener: (changes: Changes) => void): void {
    this.#changes.on((changes) => {
      try {
        listener(changes);
      } catch (error) {
        this.#options.logger.error('change listener failed', { why: asShoalError(error).message });
      }
    });
  }

  /**
   * Reads an operation that was sent and checks its signature. @throws ShoalError badMessage,
   * wrongRealm
   */
  read(signed: SignedOperation): ReadOperation {
    const op = this.readUnchecked(signed);
    if (!signatureFits(op.device, signed)) throw NOT_SIGNED();
    return op;
  }

  /** Resolves when the signature was checked. @throws ShoalError badMessage */
  async checkSignature(op: ReadOperation, signed: SignedOperation): Promise<void> {
    if (!(await (this.#options.signatureFits ?? signatureFits)(op.device, signed))) throw NOT_SIGNED();
  }

  /** The same before its signature was checked. @throws ShoalError badMessage, wrongRealm */
  readUnchecked(signed: SignedOperation): ReadOperation {
    const op = readOperation(signed.operation);
    if (op.realm !== this.#options.realm) {
      throw new ShoalError('wrongRealm', {
        address: 'this tracker',
        ours: op.realm.slice(0, 8),
        theirs: this.#options.realm.slice(0, 8),
      });
    }
    if (TRACKER_OPERATIONS.includes(op.name) && !this.#options.isTracker(op.device)) {
      throw new ShoalError('badMessage', { type: op.name, why: 'no tracker has signed it' });
    }
    return op;
  }

  /** Whether an operation is in the log, whatever it came to there. */
  knows(op: ReadOperation): boolean {
    return this.state.operations.has(op.id);
  }

  /** @throws ShoalError why an operation cannot be taken in now */
  check(op: ReadOperation): void {
    const refused = check(this.state, op);
    if (refused) throw new ShoalError(refused.code, refused.fields);
  }

  /**
   * Takes an operation in. The same one again (by its id) gives the same answer.
   *
   * @param added  what the tracker itself puts in
   * @throws ShoalError why its rule refuses it; then nothing is logged
   */
  async ingest(
    signed: SignedOperation,
    op: ReadOperation,
    added: Uint8Array = new Uint8Array(0),
  ): Promise<Acknowledged> {
    const known = this.state.operations.get(op.id);
    if (known && known.result !== 'ok' && known.result !== 'renamed') throw new ShoalError(known.result);
    if (known) return this.#known(known);
    this.#checkAge(op);
    this.check(op);
    return this.#take(signed, op, added);
  }

  /**
   * Takes in again what a tracker of this realm has acknowledged, and may have lost with its disk
   * since. It is logged whatever the state says of it now, because an answer was given; what it
   * comes to, the fold decides.
   */
  restore(entry: Entry, op: ReadOperation): Promise<Acknowledged> {
    const known = this.state.operations.get(op.id);
    if (!known) this.#checkAge(op);
    return known ? this.#known(known) : this.#take(entry, op, entry.added);
  }

  /**
   * What we promise: whatever of ours is not on the disk yet is stamped later than this. It
   * survives a restart, because it was taken from what is on the disk; and what is still on its way
   * there was stamped after that, because the log writes in the order of its appends.
   */
  get promise(): Moment {
    return this.#durableMoment;
  }

  /** Both trackers have promised: up to this moment nothing comes late any more. */
  advance({ ms, counter }: Moment): void {
    const frontier = behind({ ms, counter });
    if (this.log.frontier && compareStamps(frontier, this.log.frontier) <= 0) return;
    this.log.frontier = frontier;
    this.#replay.forget(frontier);
  }

  /** Goes on from what the partner's operations have come to, of which it no longer has each. */
  adopt(snapshot: Snapshot, chunks: readonly Uint8Array[]): Promise<void> {
    return this.#merging.run(() => this.#adopt(snapshot, chunks));
  }

  async #adopt(snapshot: Snapshot, chunks: readonly Uint8Array[]): Promise<void> {
    const before = this.#snapshotOf();
    checkSnapshot(snapshot, chunks, this.log, this.#durable);
    await this.#written(this.log.compact(snapshot, chunks), 'busy');
    for (const [origin, { seq }] of snapshot.heads) {
      this.#durable.set(origin, Math.max(seq, this.#durable.get(origin) ?? 0));
    }
    this.#clock.learn(snapshot.place);
    await this.#refold(before);
  }

  /**
   * An operation that is older than what is remembered of its time could undo what was decided
   * since.
   */
  #checkAge({ createdAtMs }: ReadOperation): void {
    if (this.#options.clock.now() - createdAtMs > OPERATION_AGE_MS_MAX) throw new ShoalError('expired');
  }

  async #known({ instances: [instance] }: Outcome): Promise<Acknowledged> {
    if (!instance) throw new ShoalError('internal', { why: 'an operation without a place' });
    // It may have come a moment ago by another link: no answer before it is on the disk.
    if ((this.#durable.get(instance.origin) ?? 0) < instance.seq) await this.#append([]);
    return this.#receipt(instance, entryAt(this.log, instance));
  }

  async #take({ operation, signature }: SignedOperation, op: ReadOperation, added: Uint8Array): Promise<Acknowledged> {
    const stamp = this.#stamp();
    const entry: Entry = { operation, signature, added, stamp };
    const changes = noChanges();
    // Folded before it is on the disk, so that the next operation is checked against it; told to
    // nobody before.
    this.#replay.append({ op, entry }, changes);
    this.#folded.set(stamp.origin, stamp.seq);
    const line = { stamp, bytes: encodeEntry(entry) };
    await this.#append([line]);
    this.#options.onCommitted();
    this.#changes.emit(changes);
    return this.#receipt({ origin: stamp.origin, seq: stamp.seq }, line);
  }

  /**
   * Takes entries of the partner: per origin without a gap, each signed by its author and chained
   * to the one before.
   *
   * @returns the last number of each origin among them
   * @throws ShoalError badMessage, clocksApart; then the link must end
   */
  merge(encoded: readonly Uint8Array[]): Promise<readonly Instance[]> {
    return this.#merging.run(() => this.#merge(encoded));
  }

  async #merge(encoded: readonly Uint8Array[]): Promise<readonly Instance[]> {
    const { last, fresh } = checkEntries(encoded, {
      log: this.log,
      clock: this.#options.clock,
      logger: this.#options.logger,
      read: (signed) => this.readUnchecked(signed),
    });
    if (fresh.length === 0) return last;
    await Promise.all(fresh.map(({ op, entry }) => this.checkSignature(op, entry)));
    for (const { line } of fresh) this.#clock.learn(line.stamp);
    // Of our own origin and not known here: this log was restored from an older copy, whose next
    // numbers were given already.
    if (fresh.some(({ line }) => line.stamp.origin === this.log.origin)) this.log.renewOrigin();
    await this.#append(fresh.map(({ line }) => line));
    await this.#place(fresh.toSorted((a, b) => compareStamps(a.entry.stamp, b.entry.stamp)));
    this.#options.onCommitted();
    return last;
  }

  async #append(entries: readonly LogEntry[]): Promise<void> {
    await this.#written(this.log.append(entries));
    for (const { stamp } of entries) {
      this.#durable.set(stamp.origin, Math.max(stamp.seq, this.#durable.get(stamp.origin) ?? 0));
      this.#durableMoment = later(this.#durableMoment, stamp);
    }
  }

  /** @param except  what may go wrong without the disk being of no use any more */
  async #written(work: Promise<void>, except?: ErrorCode): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (except && isShoalError(error, except)) throw error;
      this.#options.onLogFailed(error as Error);
      throw isShoalError(error) ? error : new ShoalError('unavailable', { why: 'its disk failed' }, { cause: error });
    }
  }

  /** @param line  undefined: a snapshot has taken its place */
  async #receipt(at: Instance, line: LogEntry | undefined): Promise<Acknowledged> {
    const isFinal = (): boolean =>
      !line || (this.log.frontier !== undefined && compareStamps(line.stamp, this.log.frontier) <= 0);
    // What is final is on both: nothing becomes so before.
    const both = isFinal() || (await this.#options.whenOnBoth(at.origin, at.seq));
    return { durability: both ? 'both' : 'one', entry: both ? undefined : line?.bytes, final: isFinal(), at };
  }

  /** The next stamp: later than everything here, and than the clock ever was. */
  #stamp(): Stamp {
    const { origin } = this.log;
    const before = this.log.head(origin);
    // What the partner has sent and is still being written is not seen: the check did not know it.
    const seen = [...this.#folded]
      .filter(([other]) => other !== origin)
      .map(([other, seq]) => ({ origin: other, seq }));
    return {
      ...this.#clock.next(this.#options.clock.now()),
      origin,
      seq: (before?.seq ?? 0) + 1,
      seen,
      previous: before?.hash ?? Buffer.alloc(32),
    };
  }

  /** Applies operations, in their order, at their places. */
  async #place(fresh: readonly Source[]): Promise<void> {
    const [first] = fresh;
    if (!first) return;
    if (this.log.frontier && compareStamps(first.entry.stamp, this.log.frontier) <= 0) {
      this.#options.logger.error('operation came behind the frontier', {
        origin: first.entry.stamp.origin,
        seq: first.entry.stamp.seq,
      });
    }
    if (!this.#replay.reaches(first.entry.stamp)) return this.#refold(this.#snapshotOf());
    const changes = noChanges();
    this.#replay.place(fresh, changes);
    for (const { entry } of fresh) this.#folded.set(entry.stamp.origin, entry.stamp.seq);
    this.#changes.emit(changes);
  }

  #foldAll(): Replay {
    const { replay, folded, latest } = foldLog(this.log);
    for (const [origin, seq] of folded) this.#folded.set(origin, seq);
    this.#clock.learn(latest);
    this.#durableMoment = later(this.#durableMoment, latest);
    return replay;
  }

  #snapshotOf(): MembershipSnapshot {
    return snapshotOf(this.state, this.state.groups.keys(), this.state.accounts.keys());
  }

  /** Folds everything anew and tells what is different now. */
  async #refold(before: MembershipSnapshot): Promise<void> {
    // What is still on its way to the disk would not be read from there.
    do await this.#written(this.log.append([]));
    while ([...this.log.have()].some(([origin, seq]) => (this.#durable.get(origin) ?? 0) < seq));
    this.#replay = this.#foldAll();
    const changes = noChanges();
    for (const group of this.state.groups.keys()) changes.groups.add(group);
    for (const account of this.state.accounts.keys()) changes.accounts.add(account);
    for (const id of this.state.operations.keys()) changes.outcomes.add(id);
    diffState(before, this.state, changes);
    this.#options.logger.info('whole log folded again', { operations: this.log.count });
    this.#changes.emit(changes);
  }
}

const NOT_SIGNED = (): ShoalError =>
  new ShoalError('badMessage', { type: 'operation', why: 'its signature does not fit' });

/** The place behind all that could be stamped at a moment. */
const behind = ({ ms, counter }: Moment): LogPosition => ({
  ms,
  counter,
  origin: 'f'.repeat(16) as Origin,
  seq: Number.MAX_SAFE_INTEGER,
});
