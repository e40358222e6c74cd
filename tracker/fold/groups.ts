// Rules of groups: their names, owners, members and the requests to join. Where two operations
// contradict each other because their trackers were apart, the one that lets a person in loses.
import {
  GROUPS_PER_ACCOUNT_MAX,
  MEMBERS_PER_GROUP_MAX,
  NAME_CHARS_MAX,
  REQUESTS_PER_GROUP_MAX,
} from '../../protocol/base/limits.ts';
import type { AccountId, RequestId } from '../../protocol/base/ids.ts';
import { isName, nameKey } from '../../protocol/base/names.ts';
import { compareStamps } from '../../protocol/messages/operations.ts';
import { groupNamePart, membershipsPart } from './footprint.ts';
import type { ApplyContext, Op, Rule } from './rule.ts';
import { freeName, idTaken, isRefusal, liveGroup, userOf } from './rule.ts';
import type { Account, GoneWhy, Group, Refusal, Request, State } from './state.ts';
import { hasSeen, placeOf, refusal } from './state.ts';
import { SortedMap } from './sortedMap.ts';

type GroupOperation =
  | 'createGroup'
  | 'requestJoin'
  | 'cancelRequest'
  | 'acceptRequest'
  | 'rejectRequest'
  | 'leaveGroup'
  | 'removeMember'
  | 'transferGroup'
  | 'setOwner'
  | 'deleteGroup'
  | 'renameGroup';

export const groupRules: { readonly [N in GroupOperation]: Rule<N> } = {
  createGroup: {
    check(state, op) {
      const { name } = op.body;
      return (
        cannotCreate(state, op) ?? (state.groupNames.has(nameKey(name)) ? refusal('nameTaken', { name }) : undefined)
      );
    },
    checkInOrder: cannotCreate,
    effect(state, op, at) {
      const { group: id, name: wanted } = op.body;
      const name = freeName(wanted, id, (key) => state.groupNames.has(key));
      if (name !== wanted) at.outcome.result = 'renamed';
      const group: Group = {
        id,
        name,
        owner: op.account,
        pastOwners: new Set(),
        isArchived: false,
        members: new Map(),
        waiting: new Map(),
        decided: new Map(),
        deniedAhead: new Map(),
        ends: new Map(),
        gone: new Map(),
        files: new SortedMap(),
        filesVersion: 0,
      };
      at.undoLog.setSorted(state.groupNames, nameKey(name), id);
      at.undoLog.set(state.groups, id, group);
      addMember(state, group, op.account, undefined, at);
    },
  },

  requestJoin: {
    check(state, op) {
      const group = liveGroup(state, op.body.group);
      if (isRefusal(group)) return group;
      const asked = [...group.waiting.values()].some((request) => request.account === op.account);
      return cannotRequest(state, op) ?? (asked ? refusal('requestedAlready', { group: group.name }) : undefined);
    },
    checkInOrder: cannotRequest,
    effect(state, op, at) {
      const group = state.groups.get(op.body.group) as Group;
      const request = { account: op.account, at: placeOf(at.stamp) };
      const denied = group.deniedAhead.get(op.body.request);
      if (denied && (denied.as === 'rejected' || denied.by === op.account)) {
        at.undoLog.set(group.decided, op.body.request, { ...request, as: denied.as });
        at.undoLog.set(group.gone, op.account, denied.as);
        return;
      }
      at.undoLog.set(group.waiting, op.body.request, request);
      const account = state.accounts.get(op.account);
      if (account) at.undoLog.add(account.waitingIn, group.id);
    },
  },

  cancelRequest: {
    check: (state, op) => notWaiting(state, op, op.account),
    checkInOrder: (state, op) => requestOfAnother(state, op),
    effect: (state, op, at) => deny(state, op, 'cancelled', at),
  },

  acceptRequest: {
    check: cannotAccept,
    checkInOrder(state, op, { stamp, undoLog }) {
      const applicant = state.groups.get(op.body.group)?.waiting.get(op.body.request)?.account;
      if (applicant !== undefined) undoLog.note(membershipsPart(applicant));
      const refused = cannotAccept(state, op);
      if (refused) return refused;
      const group = state.groups.get(op.body.group) as Group;
      const request = group.waiting.get(op.body.request) as Request;
      const ends = group.ends.get(request.account) ?? [];
      const denied = ends.some((end) => !hasSeen(stamp, end.outcome) || compareStamps(end.at, request.at) > 0);
      return denied
        ? refusal('unknownRequest', { user: userOf(state, request.account), group: group.name })
        : undefined;
    },
    effect(state, op, at) {
      const group = state.groups.get(op.body.group) as Group;
      const request = group.waiting.get(op.body.request) as Request;
      decide(state, group, op.body.request, request, 'accepted', at);
      // Asked on both trackers while they were apart: one answer is enough.
      for (const [id, other] of [...group.waiting]) {
        if (other.account === request.account) decide(state, group, id, other, 'moot', at);
      }
      addMember(state, group, request.account, op.body.request, at);
    },
  },

  rejectRequest: {
    check: (state, op) => notOwner(state, op) ?? notWaiting(state, op),
    checkInOrder: neverOwner,
    effect: (state, op, at) => deny(state, op, 'rejected', at),
  },

  leaveGroup: {
    check: notMember,
    effect: (state, op, at) => endMembership(state, state.groups.get(op.body.group) as Group, op.account, 'left', at),
  },

  removeMember: {
    check(state, op) {
      const refused = notOwner(state, op) ?? removesOwner(state, op);
      if (refused) return refused;
      return state.groups.get(op.body.group)?.members.has(op.body.account)
        ? undefined
        : refusal('unknownUser', { user: userOf(state, op.body.account) });
    },
    checkInOrder: (state, op) => neverOwner(state, op) ?? removesOwner(state, op),
    effect: (state, op, at) =>
      endMembership(state, state.groups.get(op.body.group) as Group, op.body.account, 'removed', at),
  },

  transferGroup: {
    check: (state, op) => notOwner(state, op) ?? notInIt(state, op),
    effect: (state, op, at) => handOver(state.groups.get(op.body.group) as Group, op.body.account, at),
  },

  setOwner: {
    check(state, op) {
      const group = liveGroup(state, op.body.group);
      return isRefusal(group) ? group : notInIt(state, op);
    },
    effect: (state, op, at) => handOver(state.groups.get(op.body.group) as Group, op.body.account, at),
  },

  deleteGroup: {
    check: notOwner,
    effect(state, op, at) {
      const group = state.groups.get(op.body.group) as Group;
      // The owner last: nobody inherits what is going.
      for (const member of [...group.members.keys()].filter((id) => id !== group.owner)) {
        endMembership(state, group, member, 'deleted', at);
      }
      endMembership(state, group, group.owner, 'deleted', at);
    },
  },

  renameGroup: {
    check(state, op) {
      const { group: id, name } = op.body;
      if (!isName(name)) return refusal('badName', { name, max: NAME_CHARS_MAX });
      const has = state.groupNames.get(nameKey(name));
      return notOwner(state, op) ?? (has === undefined || has === id ? undefined : refusal('nameTaken', { name }));
    },
    effect(state, op, { undoLog, changes }) {
      const group = state.groups.get(op.body.group) as Group;
      undoLog.note(groupNamePart(group.name));
      undoLog.dropSorted(state.groupNames, nameKey(group.name));
      undoLog.setSorted(state.groupNames, nameKey(op.body.name), group.id);
      undoLog.assign(group, 'name', op.body.name);
      changes.groups.add(group.id);
    },
  },
};

type InGroup = Op<Exclude<GroupOperation, 'createGroup' | 'setOwner'>>;
type AboutRequest = Op<'cancelRequest' | 'acceptRequest' | 'rejectRequest'>;

function cannotCreate(state: State, op: Op<'createGroup'>): Refusal | undefined {
  const { group, name } = op.body;
  if (!isName(name)) return refusal('badName', { name, max: NAME_CHARS_MAX });
  if (state.groups.has(group)) return idTaken(op.name);
  return tooManyGroups(state, op.account);
}

function cannotRequest(state: State, op: Op<'requestJoin'>): Refusal | undefined {
  const group = liveGroup(state, op.body.group);
  if (isRefusal(group)) return group;
  if (group.members.has(op.account)) return refusal('memberAlready', { group: group.name });
  if (group.waiting.has(op.body.request) || group.decided.has(op.body.request)) return idTaken(op.name);
  if (group.waiting.size >= REQUESTS_PER_GROUP_MAX) {
    return refusal('groupFull', { group: group.name, max: REQUESTS_PER_GROUP_MAX });
  }
  return tooManyGroups(state, op.account) ?? full(group);
}

function cannotAccept(state: State, op: Op<'acceptRequest'>): Refusal | undefined {
  const refused = notOwner(state, op) ?? notWaiting(state, op);
  if (refused) return refused;
  const group = state.groups.get(op.body.group) as Group;
  const { account } = group.waiting.get(op.body.request) as Request;
  if (group.members.has(account)) return refusal('memberAlready', { group: group.name });
  return full(group) ?? tooManyGroups(state, account, 1);
}

/**
 * Groups it is in and groups it has asked to join count together; the one it is about to enter may
 * be among them.
 */
function tooManyGroups(state: State, id: AccountId, except = 0): Refusal | undefined {
  const account = state.accounts.get(id);
  const count = account ? account.groups.size + account.waitingIn.size - except : 0;
  return count >= GROUPS_PER_ACCOUNT_MAX ? refusal('tooManyGroups', { max: GROUPS_PER_ACCOUNT_MAX }) : undefined;
}

const full = (group: Group): Refusal | undefined =>
  group.members.size >= MEMBERS_PER_GROUP_MAX
    ? refusal('groupFull', { group: group.name, max: MEMBERS_PER_GROUP_MAX })
    : undefined;

export function notMember(
  state: State,
  op: { readonly account: AccountId; readonly body: { readonly group: Group['id'] } },
): Refusal | undefined {
  const group = liveGroup(state, op.body.group);
  if (isRefusal(group)) return group;
  return group.members.has(op.account) ? undefined : refusal('notMember', { group: group.name });
}

function notOwner(state: State, op: InGroup): Refusal | undefined {
  const group = liveGroup(state, op.body.group);
  if (isRefusal(group)) return group;
  return group.owner === op.account ? undefined : refusal('notOwner', { group: group.name });
}

/**
 * Who denies may have been the owner on the one tracker while ownership passed on at the other: the
 * denial counts (fail closed).
 */
function neverOwner(state: State, op: InGroup): Refusal | undefined {
  const group = liveGroup(state, op.body.group);
  if (isRefusal(group)) return group;
  return group.owner === op.account || group.pastOwners.has(op.account)
    ? undefined
    : refusal('notOwner', { group: group.name });
}

function removesOwner(state: State, op: Op<'removeMember'>): Refusal | undefined {
  const group = state.groups.get(op.body.group);
  return group?.owner === op.body.account ? refusal('ownerCannotBeRemoved', { group: group.name }) : undefined;
}

/** The next owner of a group must be in it. */
function notInIt(state: State, op: Op<'transferGroup' | 'setOwner'>): Refusal | undefined {
  const group = state.groups.get(op.body.group);
  const { account } = op.body;
  return group?.members.has(account) ? undefined : refusal('unknownUser', { user: userOf(state, account) });
}

/** @param by  whose request it must be */
function notWaiting(state: State, op: AboutRequest, by?: AccountId): Refusal | undefined {
  const group = liveGroup(state, op.body.group);
  if (isRefusal(group)) return group;
  const waits = group.waiting.get(op.body.request);
  if (waits && (by === undefined || waits.account === by)) return undefined;
  const account = by ?? group.decided.get(op.body.request)?.account;
  return refusal('unknownRequest', { user: account === undefined ? '?' : userOf(state, account), group: group.name });
}

/**
 * One that was decided otherwise in the meantime, or is not known yet, may still be its author's.
 */
function requestOfAnother(state: State, op: AboutRequest): Refusal | undefined {
  const group = liveGroup(state, op.body.group);
  if (isRefusal(group)) return group;
  const request = group.waiting.get(op.body.request) ?? group.decided.get(op.body.request);
  return request && request.account !== op.account
    ? refusal('unknownRequest', { user: userOf(state, op.account), group: group.name })
    : undefined;
}

/**
 * Rejects or cancels a request. It always wins over an acceptance, wherever that stands in the
 * order.
 */
function deny(state: State, op: AboutRequest, as: 'rejected' | 'cancelled', at: ApplyContext): void {
  const group = state.groups.get(op.body.group) as Group;
  const request = group.waiting.get(op.body.request) ?? group.decided.get(op.body.request);
  if (!request) return at.undoLog.set(group.deniedAhead, op.body.request, { by: op.account, as });
  decide(state, group, op.body.request, request, as, at);
  if (group.members.get(request.account)?.request === op.body.request) {
    endMembership(state, group, request.account, as, at);
  } else if (!group.members.has(request.account)) at.undoLog.set(group.gone, request.account, as);
}

function decide(
  state: State,
  group: Group,
  id: RequestId,
  { account, at }: Request,
  as: 'accepted' | 'rejected' | 'cancelled' | 'moot',
  { undoLog }: ApplyContext,
): void {
  undoLog.note(membershipsPart(account));
  undoLog.delete(group.waiting, id);
  undoLog.set(group.decided, id, { account, at, as });
  const applicant = state.accounts.get(account);
  if (applicant && ![...group.waiting.values()].some((other) => other.account === account)) {
    undoLog.remove(applicant.waitingIn, group.id);
  }
}

function addMember(
  state: State,
  group: Group,
  id: AccountId,
  request: RequestId | undefined,
  { stamp, changes, undoLog }: ApplyContext,
): void {
  undoLog.set(group.members, id, { since: placeOf(stamp), request });
  undoLog.delete(group.gone, id);
  const account = state.accounts.get(id);
  if (account) undoLog.add(account.groups, group.id);
  changes.groups.add(group.id);
}

/**
 * Ends a membership with all that hangs on it: the shares, and for the owner the group itself,
 * which passes to the longest-standing member or, when nobody is left, is archived. The end is
 * remembered even where there was no membership.
 */
function endMembership(state: State, group: Group, id: AccountId, why: GoneWhy, at: ApplyContext): void {
  const { stamp, outcome, changes, undoLog } = at;
  undoLog.set(group.ends, id, [...(group.ends.get(id) ?? []), { outcome, at: placeOf(stamp) }]);
  const member = group.members.get(id);
  if (!member) return;
  undoLog.note(membershipsPart(id));
  undoLog.delete(group.members, id);
  undoLog.set(group.gone, id, why);
  undoLog.remove((state.accounts.get(id) as Account).groups, group.id);
  for (const file of group.files.values()) undoLog.remove(file.sharers, id);
  changes.groups.add(group.id);
  changes.ended.push({ account: id, group: group.id, since: member.since, at: stamp });
  if (group.owner !== id) return;
  undoLog.add(group.pastOwners, id);
  const [heir] = group.members.keys();
  if (heir !== undefined) undoLog.assign(group, 'owner', heir);
  else archive(state, group, at);
}

function handOver(group: Group, to: AccountId, { undoLog, changes }: ApplyContext): void {
  undoLog.add(group.pastOwners, group.owner);
  undoLog.assign(group, 'owner', to);
  changes.groups.add(group.id);
}

function archive(state: State, group: Group, at: ApplyContext): void {
  const { undoLog } = at;
  undoLog.note(groupNamePart(group.name));
  undoLog.assign(group, 'isArchived', true);
  undoLog.dropSorted(state.groupNames, nameKey(group.name));
  for (const [id, request] of [...group.waiting]) {
    decide(state, group, id, request, 'moot', at);
    undoLog.set(group.gone, request.account, 'deleted');
  }
}
