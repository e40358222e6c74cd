// What all operations of the log come to: plain data, the same on both trackers. Only the rules of
// this folder write it.
import { createHash } from 'node:crypto';
import type { ErrorCode, ErrorFields } from '../../protocol/base/errors.ts';
import type { AccountId, GroupId, OperationId, Origin, Pin, RequestId, Root, Sha256 } from '../../protocol/base/ids.ts';
import type { LogPosition, Stamp } from '../../protocol/messages/operations.ts';
import type { Moment } from '../../protocol/messages/ticket.ts';
import { SortedMap } from './sortedMap.ts';

export interface State {
  /** Version of the rules by which operations are folded from here on (fold.ts). */
  foldVersion: number;
  /**
   * What became of every operation of the log. Those that are not `ok` are the conflicts that
   * people are shown.
   */
  readonly operations: Map<OperationId, Outcome>;
  readonly accounts: Map<AccountId, Account>;
  /** By `nameKey`. */
  readonly userNames: Map<string, AccountId>;
  /** Accounts that lost this name to an earlier one: they may still sign in with it. */
  readonly lostNames: Map<string, readonly AccountId[]>;
  /** Which account a device is signed in to. */
  readonly devices: Map<Pin, AccountId>;
  readonly groups: Map<GroupId, Group>;
  /** By `nameKey`; groups that all have left are not in it. */
  readonly groupNames: SortedMap<GroupId>;
}

/**
 * What an operation came to, and where it stands in the log: more than once if an engine sent it to
 * both trackers while they were apart.
 */
export interface Outcome {
  result: 'ok' | 'renamed' | ErrorCode;
  readonly instances: Instance[];
}
export interface Instance {
  readonly origin: Origin;
  readonly seq: number;
}

export interface Account {
  readonly id: AccountId;
  name: string;
  /** PHC string. */
  passwordHash: string;
  /** Devices that are signed in, and since when. */
  readonly devices: Map<Pin, LogPosition>;
  /** Sign-ins that ended, by device. */
  readonly ends: Map<Pin, readonly End[]>;
  /** Each ended the sign-ins of all devices but its own. */
  readonly passwordChanges: { readonly outcome: Outcome; readonly by: Pin }[];
  readonly groups: Set<GroupId>;
  /** Groups it has asked to join. */
  readonly waitingIn: Set<GroupId>;
}

/** The end of a membership or sign-in: an operation that has not seen it cannot undo it. */
export interface End {
  readonly outcome: Outcome;
  readonly at: LogPosition;
}

export interface Group {
  readonly id: GroupId;
  name: string;
  owner: AccountId;
  /** Their word still counts when it denies something (fail closed). */
  readonly pastOwners: Set<AccountId>;
  /** Everybody has left: nothing can happen in it any more, and its name is free. */
  isArchived: boolean;
  /** In order of standing. */
  readonly members: Map<AccountId, Member>;
  readonly waiting: Map<RequestId, Request>;
  /** Requests that were answered or withdrawn. */
  readonly decided: Map<RequestId, Request & { readonly as: 'accepted' | 'rejected' | 'cancelled' | 'moot' }>;
  /**
   * Denials of requests that are not here (yet): when a lost disk's operations are given back, the
   * denial may come before what it denies.
   */
  readonly deniedAhead: Map<RequestId, { readonly by: AccountId; readonly as: 'rejected' | 'cancelled' }>;
  readonly ends: Map<AccountId, readonly End[]>;
  /** Why an account is no longer member or applicant. */
  readonly gone: Map<AccountId, GoneWhy>;
  /** By `fileNameKey`. */
  readonly files: SortedMap<SharedFile>;
  /** Grows with every operation that could change the catalog. */
  filesVersion: number;
}
export type GoneWhy = 'left' | 'removed' | 'rejected' | 'cancelled' | 'deleted';

export interface Member {
  readonly since: LogPosition;
  /** The request that led to it; none for who made the group. */
  readonly request: RequestId | undefined;
}

export interface Request {
  readonly account: AccountId;
  readonly at: LogPosition;
}

/** The current version of a file. */
export interface SharedFile {
  readonly name: string;
  readonly version: number;
  readonly root: Root;
  readonly sizeBytes: number;
  readonly pieceBytes: number;
  readonly sha256: Sha256;
  /** Only of what is no file: a state of an older version says nothing of it. */
  readonly content?: 'folder';
  readonly author: AccountId;
  readonly atMs: number;
  /** Who promised to share it, first come first. */
  readonly sharers: Set<AccountId>;
}

/** What applying operations has changed, for those who have to be told. */
export interface Changes {
  readonly groups: Set<GroupId>;
  readonly accounts: Set<AccountId>;
  readonly ended: Ended[];
  /** Operations that came to something else than their authors meant, or than it looked before. */
  readonly outcomes: Set<OperationId>;
}
/** A membership (with `group`) or a sign-in (with `device`) that began at `since` has ended. */
export interface Ended {
  readonly account: AccountId;
  readonly group?: GroupId;
  readonly device?: Pin;
  readonly since: Moment;
  readonly at: Moment;
}

/** Why an operation is refused. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly fields: ErrorFields;
}
export const refusal = (code: ErrorCode, fields: ErrorFields = {}): Refusal => ({ code, fields });

export const emptyState = (): State => ({
  foldVersion: 1,
  operations: new Map(),
  accounts: new Map(),
  userNames: new Map(),
  lostNames: new Map(),
  devices: new Map(),
  groups: new Map(),
  groupNames: new SortedMap(),
});

export const noChanges = (): Changes => ({ groups: new Set(), accounts: new Set(), ended: [], outcomes: new Set() });

export const placeOf = ({ ms, counter, origin, seq }: Stamp): LogPosition => ({ ms, counter, origin, seq });

/** Whether the tracker that took an operation in had another one in its log already. */
export function hasSeen(by: Stamp, what: Outcome): boolean {
  return what.instances.some(({ origin, seq }) =>
    origin === by.origin ? seq < by.seq : by.seen.some((have) => have.origin === origin && have.seq >= seq),
  );
}

/**
 * SHA-256 over everything: two trackers that hold the same operations have the same. Takes time in
 * proportion to the state.
 */
export function stateHash(state: State): Buffer {
  const hash = createHash('sha256');
  for (const [name, part] of Object.entries(state)) {
    hash.update(`\n${name}`);
    // The order of these maps says nothing: it is that in which operations came to be applied for
    // good.
    if (typeof part === 'number') {
      hash.update(String(part));
      continue;
    }
    const rows = [...(part as Iterable<readonly [string, unknown]>)].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const row of rows) hash.update(JSON.stringify(row, plain));
  }
  return hash.digest();
}

function plain(_: string, value: unknown): unknown {
  return value instanceof Map || value instanceof Set || value instanceof SortedMap
    ? [...(value as Iterable<unknown>)]
    : value;
}
