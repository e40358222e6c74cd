// What `when` clauses of package.json read: the context keys, and which steps of the walkthrough
// are done. Pure functions of the state; statusIndicators.ts and walkthrough.ts set them.
import { isComplete } from '../../protocol/frontend/transferState.ts';
import { comparableNames } from '../state/comparableNames.ts';
import type { Phase, WindowState } from '../state/state.ts';
import { hasKnownGroups, hasNoFiles, myGroups, phaseOf, waitingRequests } from '../state/state.ts';

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
  const isKnown = hasKnownGroups(state);
  return {
    'shoal.phase': phase,
    'shoal.signedIn': state.overview?.account !== undefined,
    'shoal.canShare': phase === 'ready' && mine.length > 0,
    'shoal.wasRenamed': isKnown && (state.overview?.account?.user.includes('~') ?? false),
    'shoal.ownsGroup': isKnown && mine.some(({ role }) => role === 'owner'),
    'shoal.hasRequests': isKnown && waitingRequests(state).length > 0,
    'shoal.hasApplied': isKnown && state.groups.some(({ role }) => role === 'applicant'),
    'shoal.hasGroups': isKnown && mine.length > 0,
    'shoal.noFiles': hasNoFiles(state),
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
