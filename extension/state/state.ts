// What a window knows: one plain value. store.ts is its only writer; views, status bar and context
// keys are functions of it.
import type { Overview, Transfer } from '../../protocol/messages/engineLink.ts';
import type { ShoalError } from '../../protocol/base/errors.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import type { FileRow, GroupView, MemberRow } from '../../protocol/messages/trackerLink.ts';
import { comparableNames } from './comparableNames.ts';

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

/** Whether a download is there, whole and under its name. */
export const isComplete = ({ kind, state, pieces, heldPieces }: Transfer): boolean =>
  kind === 'download' &&
  (state === 'seeding' || state === 'gone' || (state === 'paused' && pieces > 0 && heldPieces === pieces));

export const isUnfinished = (transfer: Transfer): boolean => transfer.kind === 'download' && !isComplete(transfer);

/** Whether bytes are being hashed or moved at this moment. */
export const isRunning = ({ state }: Transfer): boolean =>
  state === 'hashing' || state === 'checking' || state === 'downloading';

/** The values of `when` clauses: what package.json shows and enables. */
export interface ContextKeys {
  readonly 'shoal.phase': Phase;
  readonly 'shoal.signedIn': boolean;
  /** Member of a group while a tracker can be reached. */
  readonly 'shoal.canShare': boolean;
  readonly 'shoal.ownsGroup': boolean;
  /**
   * The account has a name that nobody chose, because somebody else took the same at the same
   * moment.
   */
  readonly 'shoal.wasRenamed': boolean;
  readonly 'shoal.hasRequests': boolean;
  readonly 'shoal.hasApplied': boolean;
  readonly 'shoal.hasGroups': boolean;
  /** All catalogues were read, and there is no file in any. */
  readonly 'shoal.noFiles': boolean;
  readonly 'shoal.hasDownloads': boolean;
  /** Shares or downloads. */
  readonly 'shoal.hasTransfers': boolean;
  /** Names of files that can be compared with a shared version. */
  readonly 'shoal.sharedNames': readonly string[];
}

export function contextKeysOf(state: WindowState): ContextKeys {
  const phase = phaseOf(state);
  const mine = myGroups(state);
  const isKnown = phase === 'ready' || phase === 'offline';
  const catalogues = mine.map(({ group }) => state.files.get(group));
  return {
    'shoal.phase': phase,
    'shoal.signedIn': state.overview?.account !== undefined,
    'shoal.canShare': phase === 'ready' && mine.length > 0,
    'shoal.wasRenamed': isKnown && (state.overview?.account?.user.includes('~') ?? false),
    'shoal.ownsGroup': isKnown && mine.some(({ role }) => role === 'owner'),
    'shoal.hasRequests': isKnown && waitingRequests(state).length > 0,
    'shoal.hasApplied': isKnown && state.groups.some(({ role }) => role === 'applicant'),
    'shoal.hasGroups': isKnown && mine.length > 0,
    'shoal.noFiles':
      isKnown && mine.length > 0 && catalogues.every((files) => files?.isLoaded === true && files.rows.length === 0),
    'shoal.hasDownloads': [...state.transfers.values()].some(({ kind }) => kind === 'download'),
    'shoal.hasTransfers': state.transfers.size > 0,
    'shoal.sharedNames': comparableNames(state),
  };
}

/** Which steps of the walkthrough are done, by the keys that package.json ticks them off by. */
export interface DoneSteps {
  readonly 'shoal.done.signIn': boolean;
  readonly 'shoal.done.group': boolean;
  readonly 'shoal.done.share': boolean;
  readonly 'shoal.done.download': boolean;
  readonly 'shoal.done.stay': boolean;
}

export function doneSteps(state: WindowState): DoneSteps {
  const transfers = [...state.transfers.values()];
  return {
    'shoal.done.signIn': state.overview?.account !== undefined,
    'shoal.done.group': myGroups(state).length > 0,
    'shoal.done.share': transfers.some(({ kind, state: is }) => kind === 'share' && is === 'seeding'),
    'shoal.done.download': transfers.some(isComplete),
    'shoal.done.stay': state.overview?.keepSharing ?? false,
  };
}
