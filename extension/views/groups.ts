// The view Groups: my groups with their members and those who ask to join; groups that I asked to join. Pure.
import type { GroupView, MemberRow } from '../../protocol/trackerLink.ts';
import { phraseOf } from '../errorWords.ts';
import type { WindowState } from '../state.ts';
import { plural, shown, t } from '../words.ts';
import type { Row } from './row.ts';

export const groupRows = (state: WindowState): readonly Row[] =>
  [...state.groups].filter(({ role }) => role !== 'stranger' && role !== 'other').sort((a, b) => a.name.localeCompare(b.name))
    .map((group) => (group.role === 'applicant' ? applied(group) : groupRow(group, state)));

function groupRow(group: GroupView, state: WindowState): Row {
  const { group: id, name, role, owner, members, requests } = group;
  const isOwner = role === 'owner';
  const people = plural(members, '{0} member', '{0} members');
  const waiting = isOwner && requests.length > 0 ? plural(requests.length, '{0} request', '{0} requests') : '';
  const mine = isOwner ? t('owner') : t('member');
  const listed = state.members.get(id);
  return {
    id: `group:${id}`, label: shown(name), description: [mine, people, waiting].filter((text) => text !== '').join(' · '),
    tooltip: [shown(name), isOwner ? t('You own this group.') : t('Owned by {0}.', shown(owner)), people, ...(waiting === '' ? [] : [t('Asking to join: {0}', requests.map(({ user }) => shown(user)).join(', '))])],
    icon: { theme: 'organization' }, context: `group ${isOwner ? 'owner' : 'member'}${waiting === '' ? '' : ' asked'}`, subject: { group: name },
    isCollapsed: waiting === '',
    children: [
      ...(isOwner ? requests.map(({ request, user }) => requestRow(request, group, user)) : []),
      ...inOrder((listed?.rows ?? []).filter((member) => member.role !== 'applicant')).map((member) => memberRow(group, member, state)),
      ...(listed?.error ? [troubleRow(`group:${id}:error`, phraseOf(listed.error))] : []),
    ],
    spoken: [t('Group {0}', shown(name)), mine, people, waiting].filter((text) => text !== '').join(', '),
  };
}

/** The owner, then who is here, then who is not. */
function inOrder(members: readonly MemberRow[]): readonly MemberRow[] {
  const rank = ({ role, online }: MemberRow): number => (role === 'owner' ? 0 : online ? 1 : 2);
  return [...members].sort((a, b) => rank(a) - rank(b) || a.user.localeCompare(b.user));
}

function applied({ group, name, owner }: GroupView): Row {
  const waiting = t('waiting for {0}', shown(owner));
  return {
    id: `group:${group}`, label: shown(name), description: waiting, tooltip: [shown(name), t('You asked to join; {0} decides.', shown(owner))],
    icon: { theme: 'watch' }, context: 'group applied', subject: { group: name }, spoken: t('Group {0}, {1}', shown(name), waiting),
  };
}

function requestRow(request: string, { name }: GroupView, user: string): Row {
  return {
    id: `request:${request}`, label: shown(user), description: t('asks to join'), tooltip: [t('{0} asks to join {1}.', shown(user), shown(name))],
    icon: { theme: 'person-add', color: 'list.warningForeground' }, context: 'request', subject: { group: name, user },
    spoken: t('{0} asks to join {1}', shown(user), shown(name)),
  };
}

function memberRow({ name, role }: GroupView, { account, user, role: theirs, online }: MemberRow, { overview }: WindowState): Row {
  const isMe = overview?.account?.account === account;
  const words = [isMe ? t('you') : '', theirs === 'owner' ? t('owner') : '', online ? t('online') : t('offline')].filter((text) => text !== '');
  return {
    id: `member:${name}:${account}`, label: shown(user), description: words.join(' · '), tooltip: [shown(user), words.join(', ')],
    icon: { theme: 'account', color: online ? 'charts.green' : 'disabledForeground' },
    context: `person${role === 'owner' && !isMe ? ' removable' : ''}`, subject: { group: name, user }, spoken: `${shown(user)}, ${words.join(', ')}`,
  };
}

/** Something that could not be shown, and why. */
export const troubleRow = (id: string, why: string): Row => ({
  id, label: why, description: '', tooltip: [why], icon: { theme: 'warning' }, context: 'trouble', subject: {}, spoken: why,
});
