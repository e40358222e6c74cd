// How the person sees the view Files: order, filter, how much of long levels, and what of it was
// there when they looked last. The one writer of that; views/files.ts makes the rows of it. Nothing
// here is the engine's business.
import type { AccountId, GroupId } from '../../protocol/base/ids.ts';
import type { FileRow } from '../../protocol/messages/trackerLink.ts';
import type { Listing, WindowState } from '../state/state.ts';
import { myGroups } from '../state/state.ts';
import type { FilesOrder } from '../common/settings.ts';
import type { FilesViewOptions } from './files.ts';
import { LEVEL_ROWS, DEFAULT_OPTIONS } from './files.ts';

/** Remembers what an account has seen; Memory is one. */
export interface SeenStore {
  seenMs(account: AccountId): ReadonlyMap<GroupId, number>;
  rememberSeen(account: AccountId, seenMs: ReadonlyMap<GroupId, number>): Promise<void>;
}

/** Rows that one level shows at most: beyond them there is the filter. */
const LEVEL_ROWS_MAX = 20_000;

export class FilesViewState {
  options: FilesViewOptions;
  readonly #store: SeenStore;
  readonly #state: () => WindowState;
  readonly #onChange: () => void;
  #account: AccountId | undefined;

  /** @param onChange  told when the rows may look different */
  constructor(store: SeenStore, order: FilesOrder, stateNow: () => WindowState, onChange: () => void) {
    this.options = { ...DEFAULT_OPTIONS, order };
    this.#store = store;
    this.#state = stateNow;
    this.#onChange = onChange;
  }

  sort(order: FilesOrder): void {
    this.#set({ order });
  }

  filter(filter: string): void {
    this.#set({ filter: filter.trim(), rowsMax: new Map() });
  }

  /** Another screenful of a level, or as many rows as lead to one that was asked for. */
  showMore(level: string, rows = (this.options.rowsMax.get(level) ?? LEVEL_ROWS) + LEVEL_ROWS): void {
    this.#set({ rowsMax: new Map(this.options.rowsMax).set(level, Math.min(LEVEL_ROWS_MAX, rows)) });
  }

  /**
   * The state has changed: somebody else may have signed in, and a catalogue that comes for the
   * first time has nothing new in it.
   */
  update(): void {
    const state = this.#state();
    const account = state.overview?.account?.account;
    if (account !== this.#account) {
      this.#account = account;
      this.#set({
        seenMs: account === undefined ? new Map() : this.#store.seenMs(account),
        filter: '',
        rowsMax: new Map(),
      });
    }
    const first = myGroups(state).filter(
      ({ group }) => !this.options.seenMs.has(group) && state.files.get(group)?.isLoaded,
    );
    if (first.length > 0) this.#updateSeen(first.map(({ group }) => group));
  }

  /** What is there now is new no longer: the person has looked at it, or says so. */
  markSeen(groups: readonly GroupId[] = myGroups(this.#state()).map(({ group }) => group)): void {
    this.#updateSeen(groups);
  }

  #updateSeen(groups: readonly GroupId[]): void {
    const { files } = this.#state();
    const seenMs = new Map(this.options.seenMs);
    // Another window may have shown more of it meanwhile.
    for (const [group, ms] of this.#account === undefined ? [] : this.#store.seenMs(this.#account)) {
      seenMs.set(group, Math.max(seenMs.get(group) ?? 0, ms));
    }
    for (const group of groups) {
      const listing = files.get(group);
      if (listing?.isLoaded) seenMs.set(group, Math.max(seenMs.get(group) ?? 0, newestMs(listing)));
    }
    if ([...seenMs].every(([group, ms]) => this.options.seenMs.get(group) === ms)) return;
    this.#set({ seenMs });
    if (this.#account !== undefined) void this.#store.rememberSeen(this.#account, seenMs);
  }

  #set(change: Partial<FilesViewOptions>): void {
    this.options = { ...this.options, ...change };
    this.#onChange();
  }
}

const newestMs = ({ rows }: Listing<FileRow>): number => rows.reduce((newest, { atMs }) => Math.max(newest, atMs), 0);
