// The operations that stand in the state and may still have to make room for one that comes late:
// all that are not final. One that comes late takes back those behind it that have to do with what
// it touches, and applies them again: what that costs depends on how much happened in the same
// group, not on how late it comes. Writes the state through the fold, and decides nothing about it.
import { ShoalError } from '../../protocol/base/errors.ts';
import type { AccountId, GroupId, OperationId, Origin, Pin } from '../../protocol/base/ids.ts';
import type { Entry, LogPosition, ReadOperation } from '../../protocol/messages/operations.ts';
import { compareStamps } from '../../protocol/messages/operations.ts';
import { apply, undo } from '../fold/fold.ts';
import type { Part } from '../fold/footprint.ts';
import { concerned, footprintOf } from '../fold/footprint.ts';
import { diffState, snapshotOf } from '../fold/stateDiff.ts';
import type { UndoLog } from '../fold/undoLog.ts';
import type { Changes, Instance, Member, Outcome, State } from '../fold/state.ts';
import { noChanges, placeOf } from '../fold/state.ts';

/**
 * Operations that can be taken back; for what comes later still, everything is folded anew. About 1
 * KiB each, and only while a split lasts.
 */
const KEPT_MAX = 1_200_000;
/**
 * Of so many of the last ones what they say is kept, too: of the others it is read from the log
 * again. About 1.5 KiB each.
 */
const SOURCES_MAX = 20_000;

/** An operation and how it stands in the log. */
export interface Source {
  readonly op: ReadOperation;
  readonly entry: Entry;
}

interface Applied {
  readonly place: LogPosition;
  readonly id: OperationId;
  /** Undefined: read it again. */
  source: Source | undefined;
  undoLog: UndoLog | undefined;
  readonly reads: readonly Track[];
  readonly writes: readonly Track[];
  noted: readonly Track[];
}

/** Who reads and who writes one part of the state, in their order. */
interface Track {
  readonly part: Part;
  readonly reads: Applied[];
  readonly writes: Applied[];
}

export interface ReplayOptions {
  readonly state: State;
  /** What an operation of the log says; undefined when it is not in the log any more. */
  readonly read: (instance: Instance) => Source | undefined;
}

export class Replay {
  readonly state: State;
  readonly #read: ReplayOptions['read'];
  /** In the order in which they came. */
  readonly #all = new Set<Applied>();
  #withSource: Applied[] = [];
  readonly #tracks = new Map<Part, Track>();
  readonly #origins = new Map<Origin, Origin>();
  /** Those that may change how everything behind them is folded. */
  readonly #wholes: Applied[] = [];
  /** The last of all places. */
  #last: LogPosition | undefined;
  /** The last place of those that are not kept: nothing can be put before it. */
  #floor: LogPosition | undefined;

  constructor({ state, read }: ReplayOptions) {
    this.state = state;
    this.#read = read;
  }

  /** How many operations are kept. */
  get size(): number {
    return this.#all.size;
  }

  /** Whether an operation can be put at a place. */
  reaches(place: LogPosition): boolean {
    return this.#floor === undefined || compareStamps(this.#floor, place) < 0;
  }

  /** Applies an operation that stands behind all others. */
  append(source: Source, changes: Changes): void {
    const applied = this.#enter(source);
    this.#apply(applied, source, changes);
    this.#last = applied.place;
    this.#shrink();
  }

  /** Applies one that stands behind all others and is final. */
  appendForGood({ op, entry: { stamp, added } }: Source): void {
    apply(this.state, op, stamp, added, noChanges());
    this.#floor = this.#last = placeOf(stamp);
  }

  /** Applies operations at their places, in their order. Each place must be in reach. */
  place(sources: readonly Source[], changes: Changes): void {
    const late = sources.filter(({ entry }) => this.#last && compareStamps(entry.stamp, this.#last) < 0);
    if (late.length > 0) this.#insert(late, changes);
    for (const source of sources.slice(late.length)) this.append(source, changes);
  }

  /** Up to there nothing comes late any more. */
  forget(upTo: LogPosition): void {
    for (const applied of this.#all) {
      if (compareStamps(applied.place, upTo) > 0) return;
      this.#drop(applied);
    }
  }

  #insert(sources: readonly Source[], changes: Changes): void {
    const fresh = sources.map((source) => this.#enter(source));
    const again = new Set<Applied>();
    if (
      fresh.some((one) => this.#isAnother(one)) ||
      this.#wholes.some(({ place }) => fresh.some((one) => compareStamps(one.place, place) <= 0))
    ) {
      this.#addAllBehind(fresh, again);
    } else this.#addConcerned(fresh, again);
    const results = new Map<Applied, Outcome['result'] | undefined>();
    const memberships = {
      groups: new Map<GroupId, ReadonlyMap<AccountId, Member>>(),
      accounts: new Map<AccountId, ReadonlyMap<Pin, LogPosition>>(),
    };
    const remember = (): void => {
      const [groups, accounts] = [new Set<GroupId>(), new Set<AccountId>()];
      for (const applied of [...fresh, ...again]) {
        concerned(partsOf(applied), groups, accounts);
        if (!results.has(applied)) results.set(applied, applied.undoLog && this.#resultOf(applied));
      }
      const now = snapshotOf(
        this.state,
        [...groups].filter((id) => !memberships.groups.has(id)),
        [...accounts].filter((id) => !memberships.accounts.has(id)),
      );
      for (const [id, members] of now.groups) memberships.groups.set(id, members);
      for (const [id, devices] of now.accounts) memberships.accounts.set(id, devices);
    };
    // What ended is found by comparing: most of what is applied again has been told before.
    let changed: Changes;
    for (;;) {
      remember();
      for (const applied of [...again].sort(newestFirst)) this.#undo(applied);
      changed = noChanges();
      const inOrder = [...again, ...fresh].sort((a, b) => compareStamps(a.place, b.place));
      for (const applied of inOrder) this.#apply(applied, this.#sourceOf(applied), changed);
      const more = new Set(again);
      this.#addConcerned(inOrder, more);
      for (const one of fresh) more.delete(one);
      if (more.size === again.size) break;
      // It turned out to touch more than it says. Once more, with those that have to do with that.
      for (const applied of inOrder.toReversed()) this.#undo(applied);
      for (const one of more) again.add(one);
    }
    for (const group of changed.groups) changes.groups.add(group);
    for (const account of changed.accounts) changes.accounts.add(account);
    for (const [applied, before] of results) {
      if (this.#resultOf(applied) !== (before ?? 'ok')) changes.outcomes.add(applied.id);
    }
    diffState(memberships, this.state, changes);
    this.#shrink();
  }

  #resultOf({ id }: Applied): Outcome['result'] | undefined {
    return this.state.operations.get(id)?.result;
  }

  /**
   * Adds everybody behind these who writes what they read, or has to do with what they write, and
   * so on.
   */
  #addConcerned(from: readonly Applied[], into: Set<Applied>): void {
    const visited = new Map<Track, { uses?: LogPosition; writes?: LogPosition }>();
    const queue = [...from];
    const add = (applied: Applied): void => {
      if (into.has(applied)) return;
      into.add(applied);
      queue.push(applied);
    };
    for (let one = queue.pop(); one; one = queue.pop()) {
      const { place } = one;
      const visit = (track: Track, kind: 'uses' | 'writes'): void => {
        const seen = visited.get(track) ?? {};
        visited.set(track, seen);
        for (const list of kind === 'uses' ? [track.reads, track.writes] : [track.writes]) {
          addBetween(list, place, seen[kind], add);
        }
        if (!seen[kind] || compareStamps(place, seen[kind]) < 0) seen[kind] = place;
      };
      for (const track of one.reads) visit(track, 'writes');
      for (const track of one.writes) visit(track, 'uses');
      for (const track of one.noted) visit(track, 'uses');
    }
    for (const one of from) if (!one.undoLog) into.delete(one);
  }

  #addAllBehind(fresh: readonly Applied[], into: Set<Applied>): void {
    const first = fresh.reduce((a, b) => (compareStamps(a.place, b.place) < 0 ? a : b)).place;
    for (const applied of this.#all) if (applied.undoLog && compareStamps(applied.place, first) > 0) into.add(applied);
  }

  /** Whether another operation has the same id: an author who signs two under one id gets one. */
  #isAnother(fresh: Applied): boolean {
    const { operation } = this.#sourceOf(fresh).entry;
    return (this.state.operations.get(fresh.id)?.instances ?? []).some((instance) => {
      const known = this.#read(instance);
      return !known || Buffer.compare(known.entry.operation, operation) !== 0;
    });
  }

  #enter(source: Source): Applied {
    const { op, entry } = source;
    const footprint = footprintOf(op);
    const applied: Applied = {
      place: this.#placeOf(entry.stamp),
      id: op.id,
      source,
      undoLog: undefined,
      reads: this.#tracksOf(footprint?.reads),
      writes: this.#tracksOf(footprint?.writes),
      noted: NO_TRACKS,
    };
    for (const track of applied.reads) insert(track.reads, applied);
    for (const track of applied.writes) insert(track.writes, applied);
    if (!footprint) insert(this.#wholes, applied);
    this.#all.add(applied);
    this.#withSource.push(applied);
    return applied;
  }

  #apply(applied: Applied, { op, entry: { stamp, added } }: Source, changes: Changes): void {
    applied.undoLog = apply(this.state, op, { ...stamp, origin: applied.place.origin }, added, changes);
    if (this.#resultOf(applied) !== 'ok') changes.outcomes.add(applied.id);
    for (const track of applied.noted) remove(track.writes, applied);
    applied.noted = this.#tracksOf(
      applied.undoLog.noted.filter((part) => !applied.writes.some((track) => track.part === part)),
    );
    for (const track of applied.noted) insert(track.writes, applied);
  }

  #undo(applied: Applied): void {
    if (applied.undoLog) undo(this.state, applied.id, applied.undoLog);
    applied.undoLog = undefined;
  }

  #sourceOf({ source, place }: Applied): Source {
    const found = source ?? this.#read(place);
    if (!found) {
      throw new ShoalError('internal', {
        why: `entry ${place.seq} of ${place.origin} is not final and is not in the log`,
      });
    }
    return found;
  }

  #shrink(): void {
    if (this.#withSource.length > 2 * SOURCES_MAX) {
      for (const applied of this.#withSource.splice(0, this.#withSource.length - SOURCES_MAX)) {
        applied.source = undefined;
      }
    }
    for (const applied of this.#all) {
      if (this.#all.size <= KEPT_MAX) return;
      this.#drop(applied);
    }
  }

  #drop(applied: Applied): void {
    this.#all.delete(applied);
    applied.source = undefined;
    for (const track of applied.reads) remove(track.reads, applied);
    for (const track of [...applied.writes, ...applied.noted]) remove(track.writes, applied);
    for (const track of [...applied.reads, ...applied.writes, ...applied.noted]) {
      if (track.reads.length + track.writes.length === 0) this.#tracks.delete(track.part);
    }
    remove(this.#wholes, applied);
    if (!this.#floor || compareStamps(this.#floor, applied.place) < 0) this.#floor = applied.place;
  }

  /** The place alone, without what else a stamp says; origins are few. */
  #placeOf({ ms, counter, origin, seq }: LogPosition): LogPosition {
    const known = this.#origins.get(origin) ?? origin;
    if (known === origin) this.#origins.set(origin, origin);
    return { ms, counter, origin: known, seq };
  }

  #tracksOf(parts: readonly Part[] = []): readonly Track[] {
    return parts.length === 0 ? NO_TRACKS : parts.map((part) => this.#track(part));
  }

  #track(part: Part): Track {
    const known = this.#tracks.get(part);
    if (known) return known;
    const track: Track = { part, reads: [], writes: [] };
    this.#tracks.set(part, track);
    return track;
  }
}

const NO_TRACKS: readonly Track[] = [];

const partsOf = ({ reads, writes, noted }: Applied): Part[] => [...reads, ...writes, ...noted].map(({ part }) => part);

const newestFirst = (a: Applied, b: Applied): number => compareStamps(b.place, a.place);

/** Where the first stands that comes behind a place. */
function firstBehind(list: readonly Applied[], place: LogPosition): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compareStamps((list[middle] as Applied).place, place) > 0) to = middle;
    else from = middle + 1;
  }
  return from;
}

function insert(list: Applied[], applied: Applied): void {
  const last = list.at(-1);
  if (!last || compareStamps(last.place, applied.place) < 0) list.push(applied);
  else list.splice(firstBehind(list, applied.place), 0, applied);
}

function remove(list: Applied[], applied: Applied): void {
  const at = firstBehind(list, applied.place) - 1;
  if (list[at] === applied) list.splice(at, 1);
}

/** Those behind a place, as far as another one behind which all have been looked at. */
function addBetween(
  list: readonly Applied[],
  from: LogPosition,
  to: LogPosition | undefined,
  add: (applied: Applied) => void,
): void {
  for (let n = firstBehind(list, from); n < list.length; n++) {
    const applied = list[n] as Applied;
    if (to && compareStamps(applied.place, to) > 0) return;
    add(applied);
  }
}
