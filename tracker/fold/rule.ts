// What a rule of the fold is, and what several of them share.
import type { AccountId, GroupId } from '../../protocol/base/ids.ts';
import type { OperationName, ReadOperation, Stamp } from '../../protocol/messages/operations.ts';
import { nameKey } from '../../protocol/base/names.ts';
import { base32 } from '../../protocol/base/base32.ts';
import { short } from '../../protocol/base/ids.ts';
import type { UndoLog } from './undoLog.ts';
import type { Changes, Group, Outcome, Refusal, State } from './state.ts';
import { refusal } from './state.ts';

/** An operation of one name. */
export type Op<N extends OperationName> = Extract<ReadOperation, { readonly name: N }>;

/** Where and how an operation is being applied. */
export interface ApplyContext {
  readonly stamp: Stamp;
  /** What the tracker that took it in added to it. */
  readonly added: Uint8Array;
  /** Of this very operation. An effect may still set it to `renamed`. */
  readonly outcome: Outcome;
  readonly changes: Changes;
  /** Through it, and by nothing else, an effect writes. */
  readonly undoLog: UndoLog;
}

/** What one kind of operation needs and does. Its author's sign-in is checked before (fold.ts). */
export interface Rule<N extends OperationName = OperationName> {
  /** Why a new one is refused. */
  check(state: State, op: Op<N>): Refusal | undefined;
  /**
   * Why one that is in the log has no effect at its place in the order. Where a rule does not say,
   * the same as `check`.
   */
  checkInOrder?(state: State, op: Op<N>, at: ApplyContext): Refusal | undefined;
  /** Runs only when nothing refuses it. */
  effect(state: State, op: Op<N>, at: ApplyContext): void;
}

export const isSignedIn = (state: State, op: ReadOperation): boolean => state.devices.get(op.device) === op.account;

/**
 * The refusal of something whose id is taken: no honest program makes two of the same 128 random
 * bits.
 */
export const idTaken = (type: OperationName): Refusal => refusal('badMessage', { type, why: 'its id is taken' });

/** The group of an operation, or the refusal when there is none (any more). */
export function liveGroup(state: State, id: GroupId): Group | Refusal {
  const group = state.groups.get(id);
  return group && !group.isArchived ? group : refusal('unknownGroup', { group: group?.name ?? short(id) });
}

export const isRefusal = (value: Group | Refusal): value is Refusal => 'code' in value;

/** The user name of an account; its id where the account is not known (yet). */
export const userOf = (state: State, account: AccountId): string => state.accounts.get(account)?.name ?? short(account);

/**
 * `name`, or when it is taken `name~` and four characters of the id: the first in order keeps a
 * name.
 */
export function freeName(name: string, id: string, isTaken: (key: string) => boolean): string {
  if (!isTaken(nameKey(name))) return name;
  const chars = base32(Buffer.from(id, 'hex'));
  for (let from = 0; ; from++) {
    const renamed = `${name}~${(chars + chars).slice(from % chars.length).slice(0, 4)}`;
    // Four characters that meet the same four again are one in a million; a window that meets all
    // 26 of an id is none at all.
    if (!isTaken(nameKey(renamed)) || from > chars.length) return renamed;
  }
}
