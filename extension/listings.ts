// The lists that are asked for in pages: files and members of groups. Read when somebody looks at them, read again when the group has
// changed since; never on a timer.
import type { engineLink } from '../protocol/engineLink.ts';
import { asShoalError } from '../protocol/errors.ts';
import type { GroupId } from '../protocol/ids.ts';
import type { BodyOf, ReplyOf } from '../protocol/table.ts';
import type { FileRow, GroupView, MemberRow } from '../protocol/trackerLink.ts';
import type { EngineCalls } from './store.ts';
import type { Listing, WindowState } from './state.ts';
import { myGroups, phaseOf } from './state.ts';

export interface ListingsHost {
  readonly call: <K extends EngineCalls>(name: K, body: BodyOf<typeof engineLink, K>) => Promise<ReplyOf<typeof engineLink, K>>;
  readonly change: (apply: (state: WindowState) => Partial<WindowState>) => void;
  readonly state: () => WindowState;
}

/** How long a list rests before it is read again because of presence, in ms for each row: 20 s for 10,000 files. */
const REST_MS_PER_ROW = 2;

/** What is listed. */
type Kind = 'files' | 'members';

export class Listings {
  readonly #host: ListingsHost;
  /** Who looks at what. */
  readonly #watched: Record<Kind, boolean> = { files: false, members: false };
  /** What of a group was listed last, and what it looked like then. */
  readonly #seen = new Map<string, string>();
  readonly #underWay = new Map<string, Promise<void>>();
  /** Lists that wait to be read again because of presence. */
  readonly #due = new Map<string, NodeJS.Timeout>();
  /** Lists that changed while they were read. */
  readonly #again = new Set<string>();

  constructor(host: ListingsHost) {
    this.#host = host;
  }

  /** Somebody looks at these lists, or no longer does. Looking again reads again: who is online is not told by itself. */
  watch(kind: Kind, isWatched: boolean): void {
    const begins = isWatched && !this.#watched[kind];
    this.#watched[kind] = isWatched;
    if (!begins) return;
    for (const key of [...this.#seen.keys()]) if (key.startsWith(kind)) this.#seen.delete(key);
    this.refresh();
  }

  /** Reads what is looked at and has changed. */
  refresh(): void {
    const state = this.#host.state();
    if (phaseOf(state) !== 'ready') return;
    for (const group of myGroups(state)) {
      for (const kind of ['files', 'members'] as const) {
        if (this.#watched[kind] && this.#seen.get(`${kind} ${group.group}`) !== lookOf(kind, group)) void this.#read(kind, group);
      }
    }
  }

  /** Reads the files of these groups again: who seeds them has changed. */
  refreshFilesOf(groups: ReadonlySet<GroupId>): void {
    for (const group of groups) this.#seen.delete(`files ${group}`);
    this.refresh();
  }

  /** Who is online, or who seeds what, has changed: read again, the longer a list the later, so that a large one costs little. */
  presenceChanged(groups: readonly GroupId[]): void {
    for (const group of groups) {
      for (const kind of ['files', 'members'] as const) {
        const key = `${kind} ${group}`;
        if (!this.#watched[kind] || this.#due.has(key)) continue;
        const rows = this.#host.state()[kind].get(group)?.rows.length ?? 0;
        this.#due.set(key, setTimeout(() => {
          this.#due.delete(key);
          this.#seen.delete(key);
          this.refresh();
        }, rows * REST_MS_PER_ROW));
      }
    }
  }

  close(): void {
    for (const timer of this.#due.values()) clearTimeout(timer);
    this.#due.clear();
  }

  /** All lists of one kind, read now: for a command that searches them, or a person who asks. */
  async readAll(kind: Kind): Promise<void> {
    await Promise.all(myGroups(this.#host.state()).map((group) => this.#read(kind, group)));
  }

  #read(kind: Kind, group: GroupView): Promise<void> {
    const key = `${kind} ${group.group}`;
    this.#seen.set(key, lookOf(kind, group));
    const underWay = this.#underWay.get(key);
    if (underWay) {
      this.#again.add(key);
      return underWay;
    }
    const reading = this.#readOnce(kind, group).then(() => {
      this.#underWay.delete(key);
      const now = this.#host.state().groups.find((other) => other.group === group.group);
      if (this.#again.delete(key) && now) return this.#read(kind, now);
      return undefined;
    });
    this.#underWay.set(key, reading);
    return reading;
  }

  async #readOnce(kind: Kind, { group, name }: GroupView): Promise<void> {
    const put = <Row>(listings: ReadonlyMap<GroupId, Listing<Row>>, listing: Listing<Row>): ReadonlyMap<GroupId, Listing<Row>> => new Map(listings).set(group, listing);
    try {
      const rows = kind === 'files' ? await this.#files(name) : await this.#members(name);
      this.#host.change((state) => ({ [kind]: put<FileRow | MemberRow>(state[kind], { rows, isLoaded: true, error: undefined }) }));
    } catch (error) {
      this.#seen.delete(`${kind} ${group}`); // so that the next occasion tries again
      this.#host.change((state) => {
        const { rows = [], isLoaded = false } = state[kind].get(group) ?? {};
        return { [kind]: put<FileRow | MemberRow>(state[kind], { rows, isLoaded, error: asShoalError(error) }) };
      });
    }
  }

  async #files(group: string): Promise<readonly FileRow[]> {
    const rows: FileRow[] = [];
    for (let more = true; more;) {
      const page = await this.#host.call('listFiles', { group, after: rows.at(-1)?.name ?? '' });
      rows.push(...page.files);
      more = page.more && page.files.length > 0;
    }
    return rows;
  }

  async #members(group: string): Promise<readonly MemberRow[]> {
    const rows: MemberRow[] = [];
    for (let more = true; more;) {
      const page = await this.#host.call('listMembers', { group, after: rows.at(-1)?.user ?? '' });
      rows.push(...page.members);
      more = page.more && page.members.length > 0;
    }
    return rows;
  }
}

/** What of a group tells that its list is another one now. */
const lookOf = (kind: Kind, { filesVersion, members, owner, role, requests }: GroupView): string =>
  (kind === 'files' ? String(filesVersion) : [members, owner, role, requests.length].join(' '));
