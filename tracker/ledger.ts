// The one writer of the tracker's durable facts: takes operations in, stamps them, makes them durable, folds them into the state and
// tells what changed. Operations of the partner are merged in their place in the total order; when one comes late, those behind it are taken back
// and applied again. Knows neither links nor messages.
import { asShoalError, isShoalError, ShoalError } from '../protocol/errors.ts';
import type { Origin, Pin } from '../protocol/ids.ts';
import type { SignedOperation } from '../protocol/nouns.ts';
import type { Entry, Place, ReadOperation, Stamp } from '../protocol/operations.ts';
import { checkOperation, compareStamps, decodeEntry, encodeEntry, entryHash, readOperation } from '../protocol/operations.ts';
import type { Clock, Log } from '../protocol/world.ts';
import { differences, standingOf } from './fold/differences.ts';
import { apply, check } from './fold/fold.ts';
import type { Journal } from './fold/journal.ts';
import type { Changes, Instance, Outcome, State } from './fold/state.ts';
import { emptyState, noChanges, placeOf } from './fold/state.ts';
import type { LogEntry, OpLog } from './opLog.ts';

/** What a hybrid clock counts within one ms before it takes the next. */
const COUNTER_MAX = 0xffff;

/** Operations that can be taken back, the latest ones; for what comes later still, everything is folded anew. About 1 KiB each. */
const RECENT_MAX = 20_000;

/** An operation that stands in the state, and how to take it back. */
interface Applied {
  readonly place: Place;
  readonly op: ReadOperation;
  readonly entry: Entry;
  readonly touched: Changes;
  readonly journal: Journal;
}

/** How durable an operation is that was taken in; with `one`, its entry. */
export interface Acknowledged {
  readonly durability: 'both' | 'one';
  readonly entry: Uint8Array | undefined;
}

export interface LedgerOptions {
  readonly log: OpLog;
  readonly realm: Pin;
  readonly clock: Clock;
  readonly logger: Log;
  /** Resolves to whether the other disk of the pair has an entry too, at the latest when that takes too long. */
  readonly onBoth: (origin: Origin, seq: number) => Promise<boolean>;
  /** Entries are on our disk and may be sent. */
  readonly committed: () => void;
  /** The log cannot be written any more; this tracker must end. */
  readonly broken: (error: Error) => void;
}

export class Ledger {
  readonly log: OpLog;
  readonly #options: LedgerOptions;
  readonly #listeners = new Set<(changes: Changes) => void>();
  #state: State = emptyState();
  /** The last operations that were applied, in their order. */
  #recent: Applied[] = [];
  /** How many stand in the state. */
  #applied = 0;
  #clockMs: number;
  #clockCounter = 0;
  /** Numbers that the state has, by origin: what an operation that is checked against it has seen. */
  readonly #folded = new Map<Origin, number>();
  /** Numbers that are on the disk, by origin. */
  readonly #durable = new Map<Origin, number>();

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.log = options.log;
    for (const [origin, seq] of this.log.have()) this.#durable.set(origin, seq);
    this.#clockMs = this.log.ceilingMs;
    this.#state = this.#foldAll();
  }

  get realm(): Pin {
    return this.#options.realm;
  }
  get state(): State {
    return this.#state;
  }
  /** What is on our disk, by origin. */
  get durable(): ReadonlyMap<Origin, number> {
    return this.#durable;
  }
  /** Called after changes became durable. */
  onChange(listener: (changes: Changes) => void): void {
    this.#listeners.add(listener);
  }

  /** Reads an operation that somebody sent and checks whose it is. @throws ShoalError badMessage, wrongRealm */
  read(signed: SignedOperation): ReadOperation {
    const op = checkOperation(signed);
    if (op.realm !== this.#options.realm) throw new ShoalError('wrongRealm', { address: 'this tracker', ours: op.realm.slice(0, 8), theirs: this.#options.realm.slice(0, 8) });
    return op;
  }

  /** Whether an operation is in the log, whatever it came to there. */
  knows(op: ReadOperation): boolean {
    return this.#state.operations.has(op.id);
  }

  /** @throws ShoalError why an operation cannot be taken in now */
  check(op: ReadOperation): void {
    const refused = check(this.#state, op);
    if (refused) throw new ShoalError(refused.code, refused.fields);
  }

  /**
   * Takes an operation in. The same one again (by its id) gives the same answer.
   *
   * @param added  what the tracker itself puts in
   * @throws ShoalError why its rule refuses it; then nothing is logged
   */
  async ingest(signed: SignedOperation, op: ReadOperation, added: Uint8Array = new Uint8Array(0)): Promise<Acknowledged> {
    const known = this.#state.operations.get(op.id);
    if (known && known.result !== 'ok' && known.result !== 'renamed') throw new ShoalError(known.result);
    if (known) return this.#known(known);
    this.check(op);
    return this.#take(signed, op, added);
  }

  /**
   * Takes in again what a tracker of this realm has acknowledged, and may have lost with its disk since. It is logged whatever the state says of
   * it now, because an answer was given; what it comes to, the fold decides (`trust.md` L10).
   */
  restore(entry: Entry, op: ReadOperation): Promise<Acknowledged> {
    const known = this.#state.operations.get(op.id);
    return known ? this.#known(known) : this.#take(entry, op, entry.added);
  }

  async #known({ instances: [instance] }: Outcome): Promise<Acknowledged> {
    if (!instance) throw new ShoalError('internal', { why: 'an operation without a place' });
    // It may have come a moment ago by another link: no answer before it is on the disk.
    if ((this.#durable.get(instance.origin) ?? 0) < instance.seq) await this.#append([]);
    return this.#receipt(instance);
  }

  async #take({ operation, signature }: SignedOperation, op: ReadOperation, added: Uint8Array): Promise<Acknowledged> {
    const stamp = this.#stamp();
    const entry: Entry = { operation, signature, added, stamp };
    const changes = noChanges();
    // Folded before it is on the disk, so that the next operation is checked against it; told to nobody before.
    this.#apply(this.#state, op, entry, changes);
    await this.#append([{ stamp, bytes: encodeEntry(entry) }]);
    this.#tell(changes);
    return this.#receipt(stamp);
  }

  /**
   * Takes entries of the partner: per origin without a gap, each signed by its author and chained to the one before.
   *
   * @throws ShoalError badMessage; then the link must end
   */
  async merge(encoded: readonly Uint8Array[]): Promise<void> {
    const fresh: { readonly line: LogEntry; readonly entry: Entry; readonly op: ReadOperation }[] = [];
    const last = new Map<Origin, LogEntry | undefined>();
    for (const bytes of encoded) {
      const entry = decodeEntry(bytes);
      const { origin, seq, previous } = entry.stamp;
      const before = last.has(origin) ? last.get(origin) : this.log.last(origin);
      const haveSeq = before?.stamp.seq ?? 0;
      if (seq <= haveSeq) {
        this.#checkSame(origin, seq, bytes);
        continue;
      }
      const chained = before ? entryHash(before.bytes) : Buffer.alloc(32);
      if (seq !== haveSeq + 1 || !chained.equals(previous)) throw new ShoalError('badMessage', { type: 'append', why: `entry ${seq} of ${origin} does not follow ${haveSeq}` });
      const line = { bytes, stamp: entry.stamp };
      fresh.push({ line, entry, op: this.read(entry) });
      last.set(origin, line);
    }
    if (fresh.length === 0) return;
    for (const { line } of fresh) this.#learn(line.stamp);
    // Of our own origin and not known here: this log was restored from an older copy, whose next numbers were given already (`trust.md` L7).
    if (last.has(this.log.origin)) this.log.renewOrigin();
    await this.#append(fresh.map(({ line }) => line));
    fresh.sort((a, b) => compareStamps(a.entry.stamp, b.entry.stamp));
    const changes = noChanges();
    this.#place(fresh, changes);
    this.#tell(changes);
  }

  #checkSame(origin: Origin, seq: number, bytes: Uint8Array): void {
    const [held] = this.log.entries(origin, seq, 1);
    if (!held || Buffer.compare(held.bytes, bytes) === 0) return;
    this.#options.logger.error('two trackers hold different entries under one number', { origin, seq });
    throw new ShoalError('badMessage', { type: 'append', why: `entry ${seq} of ${origin} is another one here: the log has forked` });
  }

  async #append(entries: readonly LogEntry[]): Promise<void> {
    try {
      await this.log.append(entries);
    } catch (error) {
      this.#options.broken(error as Error);
      throw isShoalError(error) ? error : new ShoalError('unavailable', { why: 'its disk failed' }, { cause: error });
    }
    for (const { stamp } of entries) this.#durable.set(stamp.origin, Math.max(stamp.seq, this.#durable.get(stamp.origin) ?? 0));
    this.#options.committed();
  }

  async #receipt({ origin, seq }: Instance): Promise<Acknowledged> {
    if (await this.#options.onBoth(origin, seq)) return { durability: 'both', entry: undefined };
    return { durability: 'one', entry: this.log.entries(origin, seq, 1)[0]?.bytes };
  }

  /** The next stamp: later than everything here, and than the clock ever was. */
  #stamp(): Stamp {
    const wall = this.#options.clock.now();
    if (wall > this.#clockMs) {
      this.#clockMs = wall;
      this.#clockCounter = 0;
    } else if (++this.#clockCounter > COUNTER_MAX) {
      this.#clockMs++;
      this.#clockCounter = 0;
    }
    const { origin } = this.log;
    const before = this.log.last(origin);
    // What the partner has sent and is still being written is not seen: the check did not know it.
    const seen = [...this.#folded].filter(([other]) => other !== origin).map(([other, seq]) => ({ origin: other, seq }));
    return {
      ms: this.#clockMs, counter: this.#clockCounter, origin, seq: (before?.stamp.seq ?? 0) + 1, seen,
      previous: before ? entryHash(before.bytes) : Buffer.alloc(32),
    };
  }

  /** The hybrid clock never falls behind what it has seen. */
  #learn({ ms, counter }: Stamp): void {
    if (ms > this.#clockMs || (ms === this.#clockMs && counter > this.#clockCounter)) {
      this.#clockMs = ms;
      this.#clockCounter = counter;
    }
  }

  #apply(state: State, op: ReadOperation, entry: Entry, changes: Changes): void {
    const { stamp, added } = entry;
    const touched = noChanges();
    const journal = apply(state, op, stamp, added, touched);
    for (const group of touched.groups) changes.groups.add(group);
    for (const account of touched.accounts) changes.accounts.add(account);
    changes.ended.push(...touched.ended);
    this.#applied++;
    this.#recent.push({ place: placeOf(stamp), op, entry, touched, journal });
    if (this.#recent.length > 2 * RECENT_MAX) this.#recent.splice(0, this.#recent.length - RECENT_MAX);
    this.#folded.set(stamp.origin, stamp.seq);
  }

  /** Applies operations, in their order, at their places. */
  #place(fresh: readonly { readonly op: ReadOperation; readonly entry: Entry }[], changes: Changes): void {
    const [first] = fresh;
    const isBehind = ({ place }: Applied): boolean => first !== undefined && compareStamps(place, first.entry.stamp) > 0;
    const from = this.#recent.findLastIndex((one) => !isBehind(one)) + 1;
    if (from === 0 && this.#recent.length < this.#applied) return this.#refold(changes);
    const back = this.#recent.splice(from);
    this.#applied -= back.length;
    if (back.length === 0) {
      for (const { op, entry } of fresh) this.#apply(this.#state, op, entry, changes);
      return;
    }
    const groups = new Set([...back.flatMap(({ touched }) => [...touched.groups]), ...fresh.flatMap(({ op }) => ('group' in op.body ? [op.body.group] : []))]);
    const accounts = new Set([...back.flatMap(({ op, touched }) => [op.account, ...touched.accounts]), ...fresh.map(({ op }) => op.account)]);
    const before = standingOf(this.#state, groups, accounts);
    for (const { journal } of back.toReversed()) journal.undo();
    const all = [...back, ...fresh].sort((a, b) => compareStamps(a.entry.stamp, b.entry.stamp));
    // What ended is found by comparing: most of what is applied again has been told before.
    const again = noChanges();
    for (const { op, entry } of all) this.#apply(this.#state, op, entry, again);
    for (const group of again.groups) changes.groups.add(group);
    for (const account of again.accounts) changes.accounts.add(account);
    differences(before, this.#state, changes);
  }

  #foldAll(): State {
    this.#recent = [];
    this.#applied = 0;
    const state = emptyState();
    const changes = noChanges();
    for (const { bytes } of this.log.all()) {
      const entry = decodeEntry(bytes);
      this.#learn(entry.stamp);
      this.#apply(state, readOperation(entry.operation), entry, changes);
    }
    return state;
  }

  /** Folds everything anew and finds what is different now. */
  #refold(changes: Changes): void {
    const before = standingOf(this.#state, this.#state.groups.keys(), this.#state.accounts.keys());
    this.#state = this.#foldAll();
    for (const group of this.#state.groups.keys()) changes.groups.add(group);
    for (const account of this.#state.accounts.keys()) changes.accounts.add(account);
    differences(before, this.#state, changes);
    this.#options.logger.info('everything was folded anew', { operations: this.log.count });
  }

  #tell(changes: Changes): void {
    for (const listener of this.#listeners) {
      try {
        listener(changes);
      } catch (error) {
        this.#options.logger.error('telling of a change failed', { why: asShoalError(error).message });
      }
    }
  }
}
