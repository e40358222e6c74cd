// How the person sees the view Files: order, filter, how much of long levels, and what of it was
// there when they looked last. The one writer of that; views/files.ts makes the rows of it. Nothing
// here is the engine's business.
import type { AccountId, GroupId } from '../../protocol/base/ids.ts';
import type { FileRow } from '../../protocol/messages/trackerLink.ts';
import type { Listing, WindowState } from '../state/state.ts';
import { myGroups } from '../state/state.ts';
import type { FilesOrder } from './fileTree.ts';
import type { FilesLook } from './files.ts';
import { LEVEL_ROWS, PLAIN_LOOK } from './files.ts';

/** Remembers what an account has seen; Memory is one. */
export interface SeenKeeper {
  seenMs(account: AccountId): ReadonlyMap<GroupId, number>;
  rememberSeen(account: AccountId, seenMs: ReadonlyMap<GroupId, number>): Promise<void>;
}

/** Rows that one level shows at most: beyond them there is the filter. */
const LEVEL_ROWS_MAX = 20_000;

export class FilesView {
  look: FilesLook;
  readonly #keeper: SeenKeeper;
  readonly #stateNow: () => WindowState;
  readonly #changed: () => void;
  #account: AccountId | undefined;

  /** @param changed  told when the rows may look different */
  constructor(keeper: SeenKeeper, order: FilesOrder, stateNow: () => WindowState, changed: () => void) {
    this.look = { ...PLAIN_LOOK, order };
    this.#keeper = keeper;
    this.#stateNow = stateNow;
    this.#changed = changed;
  }

  sort(order: FilesOrder): void {
    this.#set({ order });
  }

  filter(filter: string): void {
    this.#set({ filter: filter.trim(), rowsMax: new Map() });
  }

  /** Another screenful of a level, or as many rows as lead to one that was asked for. */
  showMore(level: string, rows = (this.look.rowsMax.get(level) ?? LEVEL_ROWS) + LEVEL_ROWS): void {
    this.#set({ rowsMax: new Map(this.look.rowsMax).set(level, Math.min(LEVEL_ROWS_MAX, rows)) });
  }

  /**
   * The state has changed: somebody else may have signed in, and a catalogue that comes for the
   * first time has nothing new in it.
   */
  follow(): void {
    const state = this.#stateNow();
    const account = state.overview?.account?.account;
    if (account !== this.#account) {
      this.#account = account;
      this.#set({
        seenMs: account === undefined ? new Map() : this.#keeper.seenMs(account),
        filter: '',
        rowsMax: new Map(),
      });
    }
    const first = myGroups(state).filter(
      ({ group }) => !this.look.seenMs.has(group) && state.files.get(group)?.isLoaded,
    );
    if (first.length > 0) this.#see(first.map(({ group }) => group));
  }

  /** What is there now is new no longer: the person has looked at it, or says so. */
  seen(groups: readonly GroupId[] = myGroups(this.#stateNow()).map(({ group }) => group)): void {
    this.#see(groups);
  }

  #see(groups: readonly GroupId[]): void {
    const { files } = this.#stateNow();
    const seenMs = new Map(this.look.seenMs);
    // Another window may have shown more of it meanwhile.
    for (const [group, ms] of this.#account === undefined ? [] : this.#keeper.seenMs(this.#account)) {
      seenMs.set(group, Math.max(seenMs.get(group) ?? 0, ms));
    }
    for (const group of groups) {
      const listing = files.get(group);
      if (listing?.isLoaded) seenMs.set(group, Math.max(seenMs.get(group) ?? 0, newestMs(listing)));
    }
    if ([...seenMs].every(([group, ms]) => this.look.seenMs.get(group) === ms)) return;
    this.#set({ seenMs });
    if (this.#account !== undefined) void this.#keeper.rememberSeen(this.#account, seenMs);
  }

  #set(change: Partial<FilesLook>): void {
    this.look = { ...this.look, ...change };
    this.#changed();
  }
}

const newestMs = ({ rows }: Listing<FileRow>): number => rows.reduce((newest, { atMs }) => Math.max(newest, atMs), 0);
