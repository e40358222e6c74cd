// What a window knows: one plain value. store.ts is its only writer; views, status bar and context
// keys are functions of it.
import type { Overview, Transfer } from '../../protocol/messages/engineLink.ts';
import type { ShoalError } from '../../protocol/base/errors.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import type { FileRow, GroupView, MemberRow } from '../../protocol/messages/trackerLink.ts';

/**
 * How this window stands to the engine. `idle`: nobody is signed in, so no engine is needed.
 * `outdated`: the engine is newer than this window.
 */
export type EngineLink = 'unknown' | 'idle' | 'connecting' | 'up' | 'stopped' | 'failed' | 'outdated';

/** A list that is asked for in pages. */
export interface Listing<Row> {
  readonly rows: readonly Row[];
  /** Whether it was read to its end at least once. */
  readonly isLoaded: boolean;
  readonly error: ShoalError | undefined;
}

export interface WindowState {
  readonly engine: EngineLink;
  readonly failure: ShoalError | undefined;
  /**
   * Whether the engine works in this window and ends with it, because no process could be started.
   */
  readonly isEngineHere: boolean;
  /** Whether this home has ever been given a tracker. */
  readonly knowsTracker: boolean;
  readonly overview: Overview | undefined;
  /** As the trackers told last; kept while none can be reached. */
  readonly groups: readonly GroupView[];
  /** Whether a tracker has told of the groups since this window came. */
  readonly knowsGroups: boolean;
  readonly transfers: ReadonlyMap<number, Transfer>;
  readonly files: ReadonlyMap<GroupId, Listing<FileRow>>;
  readonly members: ReadonlyMap<GroupId, Listing<MemberRow>>;
}

export const INITIAL_STATE: WindowState = {
  engine: 'unknown',
  failure: undefined,
  isEngineHere: false,
  knowsTracker: false,
  overview: undefined,
  groups: [],
  knowsGroups: false,
  transfers: new Map(),
  files: new Map(),
  members: new Map(),
};

/**
 * What a person would call the situation; each has its welcome text. `starting` has none: nothing
 * wrong shall flash up.
 */
export type Phase = 'starting' | 'noTracker' | 'signedOut' | 'stopped' | 'failed' | 'outdated' | 'offline' | 'ready';

export function phaseOf({ engine, overview, knowsTracker, knowsGroups }: WindowState): Phase {
  if (engine === 'idle') return knowsTracker ? 'signedOut' : 'noTracker';
  if (engine === 'stopped' || engine === 'failed' || engine === 'outdated') return engine;
  if (!overview) return 'starting';
  if (!overview.account) return overview.trackerUrl === '' ? 'noTracker' : 'signedOut';
  if (overview.trackers.some(({ link }) => link === 'up')) return knowsGroups ? 'ready' : 'starting';
  return overview.trackers.some(({ link }) => link === 'connecting') && !knowsGroups ? 'starting' : 'offline';
}

/** Groups whose files I may see. */
export const myGroups = ({ groups }: WindowState): readonly GroupView[] =>
  groups.filter(({ role }) => role === 'member' || role === 'owner');

/** Requests that wait for my answer. */
export const waitingRequests = ({
  groups,
}: WindowState): readonly { readonly group: GroupView; readonly user: string; readonly request: string }[] =>
  groups
    .filter(({ role }) => role === 'owner')
    .flatMap((group) => group.requests.map(({ user, request }) => ({ group, user, request })));

/** Whether a tracker has told of the groups; it may be away now. */
export const hasKnownGroups = (state: WindowState): boolean => ['ready', 'offline'].includes(phaseOf(state));

/** Whether I am in a group, all catalogues were read, and there is no file in any. */
export function hasNoFiles(state: WindowState): boolean {
  const catalogues = myGroups(state).map(({ group }) => state.files.get(group));
  return (
    hasKnownGroups(state) &&
    catalogues.length > 0 &&
    catalogues.every((files) => files?.isLoaded === true && files.rows.length === 0)
  );
}
