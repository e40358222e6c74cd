// What an account gets to see of the state: groups, members, files. Pure functions of the state and
// the presence counts.
import type { AccountId, GroupId, Root } from '../../protocol/base/ids.ts';
import { SHARERS_NAMED_MAX } from '../../protocol/base/limits.ts';
import type { FileRow, GroupRow, GroupView, JoinRequest, MemberRow } from '../../protocol/messages/trackerLink.ts';
import { userOf } from '../fold/rule.ts';
import type { Group, SharedFile, State } from '../fold/state.ts';

export function roleOf(group: Group, account: AccountId | undefined): GroupView['role'] {
  if (account === undefined) return 'stranger';
  if (group.members.has(account)) return group.owner === account ? 'owner' : 'member';
  return [...group.waiting.values()].some((request) => request.account === account) ? 'applicant' : 'stranger';
}

/** A group as one of its members or applicants sees it. */
export function groupView(state: State, group: Group, account: AccountId): GroupView {
  const role = roleOf(group, account);
  const mine = [...group.waiting].filter(([, request]) => role === 'owner' || request.account === account);
  const requests: readonly JoinRequest[] = mine.map(([request, { account: who, at }]) => ({
    request,
    account: who,
    user: userOf(state, who),
    atMs: at.ms,
  }));
  return {
    group: group.id,
    name: group.name,
    role,
    owner: userOf(state, group.owner),
    members: group.members.size,
    filesVersion: role === 'applicant' ? 0 : group.filesVersion,
    requests,
  };
}

export function groupRow(
  state: State,
  group: Group,
  account: AccountId | undefined,
  isOnline: (account: AccountId) => boolean,
): GroupRow {
  const role = roleOf(group, account);
  const online = [...group.members.keys()].filter(isOnline).length;
  return {
    group: group.id,
    name: group.name,
    role,
    owner: userOf(state, group.owner),
    members: group.members.size,
    online,
    files: group.files.size,
  };
}

export function memberRow(
  state: State,
  group: Group,
  account: AccountId,
  isOnline: (account: AccountId) => boolean,
): MemberRow {
  return {
    account,
    user: userOf(state, account),
    role: roleOf(group, account),
    online: isOnline(account),
    sinceMs: group.members.get(account)?.since.ms ?? 0,
  };
}

export function fileRow(
  state: State,
  group: GroupId,
  file: SharedFile,
  account: AccountId,
  counts: (group: GroupId, root: Root) => { readonly seeders: number; readonly leechers: number },
): FileRow {
  const { name, version, root, sizeBytes, pieceBytes, sha256, author, atMs, sharers, content = 'file' } = file;
  return {
    name,
    version,
    root,
    sizeBytes,
    pieceBytes,
    sha256,
    author: userOf(state, author),
    atMs,
    sharers: [...sharers].slice(0, SHARERS_NAMED_MAX).map((sharer) => userOf(state, sharer)),
    sharersCount: sharers.size,
    iShare: sharers.has(account),
    ...counts(group, root),
    content,
  };
}
