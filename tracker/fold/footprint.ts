// Which parts of the state an operation reads and writes, as far as the operation itself says. An
// operation that comes late has nothing to do with those behind it that touch other parts: they
// stay applied. What only shows while a rule runs (whose request it is), the rule notes in its
// undo log.
//
// A part that is missing here is a divergence between two trackers: test/tracker/log/replay.test.ts
// folds everything anew after every late operation.
import type { AccountId, GroupId } from '../../protocol/base/ids.ts';
import type { Pin } from '../../protocol/base/ids.ts';
import { fileNameKey, nameKey } from '../../protocol/base/names.ts';
import type { ReadOperation } from '../../protocol/messages/operations.ts';

/** A part of the state, by kind and key. */
export type Part =
  | `account ${AccountId}` // its name, password and sign-ins
  | `memberships ${AccountId}` // which groups it is in and has asked to join
  | `device ${Pin}` // to which account it is signed in
  | `userName ${string}`
  | `groupName ${string}`
  | `group ${GroupId}` // its name, owner, members and requests
  | `file ${GroupId} ${string}`;

export interface Footprint {
  readonly reads: readonly Part[];
  /** Written parts count as read, too. */
  readonly writes: readonly Part[];
}

export const accountPart = (id: AccountId): Part => `account ${id}`;
export const membershipsPart = (id: AccountId): Part => `memberships ${id}`;
export const devicePart = (pin: Pin): Part => `device ${pin}`;
/** A name and what it is renamed to are one part. */
export const userNamePart = (name: string): Part => `userName ${nameKey(name).replace(/~.*/, '')}`;
export const groupNamePart = (name: string): Part => `groupName ${nameKey(name).replace(/~.*/, '')}`;
const groupPart = (id: GroupId): Part => `group ${id}`;
const filePart = ({ group, name }: { readonly group: GroupId; readonly name: string }): Part =>
  `file ${group} ${fileNameKey(name)}`;

/** Undefined: it may change how everything behind it is folded. */
export function footprintOf(op: ReadOperation): Footprint | undefined {
  const author = devicePart(op.device);
  switch (op.name) {
    case 'createAccount':
      return { reads: [], writes: [accountPart(op.body.account), userNamePart(op.body.name)] };
    case 'signIn':
      return { reads: [], writes: [accountPart(op.account), author] };
    case 'renameAccount':
      return { reads: [author], writes: [accountPart(op.account), userNamePart(op.body.name)] };
    case 'resetPassword':
      return { reads: [], writes: [accountPart(op.body.account)] };
    case 'setFoldVersion':
      return undefined;
    case 'changePassword':
      return { reads: [author], writes: [accountPart(op.account)] };
    case 'signOut':
      return { reads: [author], writes: [accountPart(op.account), devicePart(op.body.device)] };
    case 'createGroup':
      return {
        reads: [author],
        writes: [groupPart(op.body.group), groupNamePart(op.body.name), membershipsPart(op.account)],
      };
    case 'requestJoin':
    case 'cancelRequest':
    case 'leaveGroup':
      return { reads: [author], writes: [groupPart(op.body.group), membershipsPart(op.account)] };
    case 'removeMember':
      return { reads: [author], writes: [groupPart(op.body.group), membershipsPart(op.body.account)] };
    case 'renameGroup':
      return { reads: [author], writes: [groupPart(op.body.group), groupNamePart(op.body.name)] };
    case 'setOwner':
      return { reads: [], writes: [groupPart(op.body.group)] };
    case 'transferGroup':
    case 'deleteGroup':
    case 'acceptRequest':
    case 'rejectRequest':
      return { reads: [author], writes: [groupPart(op.body.group)] };
    case 'shareFile':
    case 'stopShare':
    case 'removeFile':
      return { reads: [author, groupPart(op.body.group)], writes: [filePart(op.body)] };
  }
}

/** Adds to the lists the groups and accounts that these parts belong to. */
export function concerned(parts: Iterable<Part>, groups: Set<GroupId>, accounts: Set<AccountId>): void {
  for (const part of parts) {
    const [kind, id = ''] = part.split(' ', 2);
    if (kind === 'group' || kind === 'file') groups.add(id as GroupId);
    else if (kind === 'account' || kind === 'memberships') accounts.add(id as AccountId);
  }
}
