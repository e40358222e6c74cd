// The lists that are asked for in pages: files and members of groups. Read when somebody looks at
// them, read again when the group has changed since; never on a timer.
import type { EngineCalls, engineLink } from '../../protocol/messages/engineLink.ts';
import { asShoalError } from '../../protocol/base/errors.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import { MEMBERS_PER_GROUP_MAX } from '../../protocol/base/limits.ts';
import { fileNameKey, nameKey, validateFileName } from '../../protocol/base/names.ts';
import { nodeClock } from '../../protocol/node/nodeWorld.ts';
import { readPages } from '../../protocol/frontend/pagination.ts';
import type { BodyOf, ReplyOf } from '../../protocol/wire/table.ts';
import type { FileRow, GroupRow, GroupView, MemberRow } from '../../protocol/messages/trackerLink.ts';
import type { Clock, Timer } from '../../protocol/base/world.ts';
import type { Listing, WindowState } from '../state/state.ts';
import { myGroups, phaseOf } from '../state/state.ts';

export interface ListingsContext {
  readonly call: <K extends EngineCalls>(
    name: K,
    body: BodyOf<typeof engineLink, K>,
  ) => Promise<ReplyOf<typeof engineLink, K>>;
  readonly change: (apply: (state: WindowState) => Partial<WindowState>) => void;
  readonly state: () => WindowState;
}

/** How long a list rests before it is read again, in ms for each row: 20 s for 10,000 files. */
const REST_MS_PER_ROW = 2;
/**
 * Files of one group that are read: as many as one engine may share. A tracker that goes on and on
 * must not fill the window's memory.
 */
const FILES_READ_MAX = 100_000;
/** Groups that are read to choose one from: more than anybody looks through. */
const GROUPS_READ_MAX = 10_000;

/** What is listed. */
type Kind = 'files' | 'members';

export class Listings {
  readonly #context: ListingsContext;
  readonly #clock: Clock;
  /** Who looks at what. */
  readonly #watched: Record<Kind, boolean> = { files: false, members: false };
  /** What of a group was listed last, and what it looked like then. */
  readonly #seen = new Map<string, string>();
  readonly #underWay = new Map<string, Promise<void>>();
  /** Until when a list rests that was read, by the monotonic clock. */
  readonly #restsUntilMs = new Map<string, number>();
  /** Lists that wait to be read again. */
  readonly #due = new Map<string, Timer>();
  /** Lists that changed while they were read. */
  readonly #changed = new Set<string>();
  /** Lists that somebody asked for while they were read. */
  readonly #requestedAgain = new Set<string>();

  constructor(context: ListingsContext, clock: Clock = nodeClock) {
    this.#context = context;
    this.#clock = clock;
  }

  /**
   * Somebody looks at these lists, or no longer does. Looking again reads again: who is online is
   * not told by itself.
   */
  watch(kind: Kind, isWatched: boolean): void {
    const begins = isWatched && !this.#watched[kind];
    this.#watched[kind] = isWatched;
    if (!begins) return;
    for (const byKey of [this.#seen, this.#restsUntilMs]) {
      for (const key of [...byKey.keys()]) if (key.startsWith(kind)) byKey.delete(key);
    }
    this.refresh();
  }

  /**
   * Reads what is looked at and has changed: at once what has rested since it was read, so that
   * many changes are few readings.
   */
  refresh(): void {
    const state = this.#context.state();
    if (phaseOf(state) !== 'ready') return;
    for (const group of myGroups(state)) {
      for (const kind of ['files', 'members'] as const) {
        if (this.#watched[kind] && this.#seen.get(keyOf(kind, group.group)) !== viewOf(kind, group)) {
          this.#readThrottled(kind, group);
        }
      }
    }
  }

  /** Reads the files of these groups again: who seeds them has changed. */
  refreshFilesOf(groups: ReadonlySet<GroupId>): void {
    for (const group of groups) this.#seen.delete(keyOf('files', group));
    this.refresh();
  }

  /**
   * Who is online, or who seeds what, has changed: read again, the longer a list the later, so that
   * a large one costs little.
   */
  presenceChanged(groups: readonly GroupId[]): void {
    for (const group of groups) {
      for (const kind of ['files', 'members'] as const) {
        if (this.#watched[kind]) this.#readIn(keyOf(kind, group), this.#restMs(kind, group));
      }
    }
  }

  close(): void {
    this.#watched.files = this.#watched.members = false; // what is being read now is the last
    for (const timer of this.#due.values()) timer.cancel();
    this.#due.clear();
  }

  /** All lists of one kind, read now: for a command that searches them, or a person who asks. */
  async readAll(kind: Kind): Promise<void> {
    await Promise.all(myGroups(this.#context.state()).map((group) => this.#read(kind, group)));
  }

  /** All groups of the trackers, read now; nothing of them is kept. */
  allGroups(): Promise<readonly GroupRow[]> {
    return readPages({
      call: 'listGroups',
      nameOf: ({ name }) => name,
      keyOf: nameKey,
      rowsMax: GROUPS_READ_MAX,
      page: async (after) => {
        const { groups: rows, more } = await this.#context.call('listGroups', { after });
        return { rows, more };
      },
    });
  }

  #readThrottled(kind: Kind, group: GroupView): void {
    const key = keyOf(kind, group.group);
    if (this.#underWay.has(key)) return void this.#changed.add(key);
    const restMs = (this.#restsUntilMs.get(key) ?? 0) - this.#clock.monotonicMs();
    if (restMs > 0) this.#readIn(key, restMs);
    else void this.#read(kind, group);
  }

  #readIn(key: string, delayMs: number): void {
    if (this.#due.has(key)) return;
    this.#due.set(
      key,
      this.#clock.after(delayMs, () => {
        this.#due.delete(key);
        this.#seen.delete(key);
        this.refresh();
      }),
    );
  }

  #restMs(kind: Kind, group: GroupId): number {
    return (this.#context.state()[kind].get(group)?.rows.length ?? 0) * REST_MS_PER_ROW;
  }

  #read(kind: Kind, group: GroupView): Promise<void> {
    const key = keyOf(kind, group.group);
    this.#seen.set(key, viewOf(kind, group));
    const underWay = this.#underWay.get(key);
    if (underWay) {
      this.#requestedAgain.add(key);
      return underWay;
    }
    this.#due.get(key)?.cancel();
    this.#due.delete(key);
    const reading = this.#readOnce(kind, group).then(() => {
      this.#underWay.delete(key);
      this.#restsUntilMs.set(key, this.#clock.monotonicMs() + this.#restMs(kind, group.group));
      const now = this.#context.state().groups.find((other) => other.group === group.group);
      if (this.#requestedAgain.delete(key) && now) return this.#read(kind, now);
      if (this.#changed.delete(key)) this.refresh();
      return undefined;
    });
    this.#underWay.set(key, reading);
    return reading;
  }

  async #readOnce(kind: Kind, { group, name }: GroupView): Promise<void> {
    const withListing = <Row>(
      listings: ReadonlyMap<GroupId, Listing<Row>>,
      listing: Listing<Row>,
    ): ReadonlyMap<GroupId, Listing<Row>> => new Map(listings).set(group, listing);
    // Of one that was read before, that is shown until the whole of the new one is there.
    const showPartial = (rows: readonly (FileRow | MemberRow)[]): void => {
      if (this.#context.state()[kind].get(group)?.isLoaded !== true) {
        this.#context.change((state) => ({
          [kind]: withListing<FileRow | MemberRow>(state[kind], { rows, isLoaded: false, error: undefined }),
        }));
      }
    };
    try {
      const rows = kind === 'files' ? await this.#files(name, showPartial) : await this.#members(name, showPartial);
      this.#context.change((state) => ({
        [kind]: withListing<FileRow | MemberRow>(state[kind], { rows, isLoaded: true, error: undefined }),
      }));
    } catch (error) {
      this.#seen.delete(keyOf(kind, group)); // so that the next occasion tries again
      this.#context.change((state) => {
        const { rows = [], isLoaded = false } = state[kind].get(group) ?? {};
        return {
          [kind]: withListing<FileRow | MemberRow>(state[kind], { rows, isLoaded, error: asShoalError(error) }),
        };
      });
    }
  }

  #files(group: string, onProgress: (rows: readonly FileRow[]) => void): Promise<readonly FileRow[]> {
    return readPages({
      onProgress,
      call: 'listFiles',
      nameOf: ({ name }) => name,
      keyOf: fileNameKey,
      rowsMax: FILES_READ_MAX,
      fits: ({ name }) => validateFileName(name) === undefined, // no tracker that is right has another
      page: async (after) => {
        const { files: rows, more } = await this.#context.call('listFiles', { group, after });
        return { rows, more };
      },
    });
  }

  #members(group: string, onProgress: (rows: readonly MemberRow[]) => void): Promise<readonly MemberRow[]> {
    return readPages({
      onProgress,
      call: 'listMembers',
      nameOf: ({ user }) => user,
      keyOf: nameKey,
      rowsMax: MEMBERS_PER_GROUP_MAX,
      page: async (after) => {
        const { members: rows, more } = await this.#context.call('listMembers', { group, after });
        return { rows, more };
      },
    });
  }
}

const keyOf = (kind: Kind, group: GroupId): string => `${kind} ${group}`;

/** What of a group tells that its list is another one now. */
const viewOf = (kind: Kind, { filesVersion, members, owner, role, requests }: GroupView): string =>
  kind === 'files' ? String(filesVersion) : [members, owner, role, requests.length].join(' ');
