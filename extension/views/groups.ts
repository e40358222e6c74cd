// The view Groups: my groups with their members and those who ask to join; groups that I asked to
// join. Pure.
import type { GroupView, MemberRow } from '../../protocol/messages/trackerLink.ts';
import { errorPhrase } from '../messages/errorMessages.ts';
import type { AccountId } from '../../protocol/base/ids.ts';
import type { Listing, WindowState } from '../state/state.ts';
import { plural, printableName, t } from '../common/l10n.ts';
import { LazyRows } from './row.ts';
import type { Row } from './row.ts';

export const groupRows = (state: WindowState): readonly Row[] =>
  [...state.groups]
    .filter(({ role }) => role !== 'stranger' && role !== 'other')
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((group) => (group.role === 'applicant' ? applied(group) : groupRow(group, state)));

function groupRow(group: GroupView, state: WindowState): Row {
  const { group: id, name, role, owner, members, requests } = group;
  const isOwner = role === 'owner';
  const people = plural(members, '{0} member', '{0} members');
  const waiting = isOwner && requests.length > 0 ? plural(requests.length, '{0} request', '{0} requests') : '';
  const mine = isOwner ? t('owner') : t('member');
  const listed = state.members.get(id);
  return {
    id: `group:${id}`,
    label: printableName(name),
    description: [mine, people, waiting].filter((text) => text !== '').join(' · '),
    tooltip: [
      printableName(name),
      isOwner ? t('You own this group.') : t('Owned by {0}.', printableName(owner)),
      people,
      ...(waiting === '' ? [] : [t('Asking to join: {0}', requests.map(({ user }) => printableName(user)).join(', '))]),
    ],
    icon: { theme: 'organization' },
    context: `group ${isOwner ? 'owner' : 'member'}${waiting === '' ? '' : ' asked'}`,
    subject: { group: name },
    isCollapsed: waiting === '',
    children: peopleOf(group, listed, state.overview?.account?.account),
    spoken: [t('Group {0}', printableName(name)), mine, people, waiting].filter((text) => text !== '').join(', '),
  };
}

const rowCache = new WeakMap<
  Listing<MemberRow>,
  { readonly group: GroupView; readonly me: AccountId | undefined; readonly rows: LazyRows }
>();
const NOBODY: Listing<MemberRow> = { rows: [], isLoaded: false, error: undefined };

/**
 * Those who ask, then the members. Made again only when they have changed, and only when somebody
 * looks: a group may have a thousand.
 */
function peopleOf(group: GroupView, listed: Listing<MemberRow> | undefined, me: AccountId | undefined): LazyRows {
  const cached = listed && rowCache.get(listed);
  if (cached?.group === group && cached.me === me) return cached.rows;
  const { rows: members, error } = listed ?? NOBODY;
  const rows = new LazyRows(() => [
    ...(group.role === 'owner' ? group.requests.map(({ request, user }) => requestRow(request, group, user)) : []),
    ...inOrder(members.filter(({ role }) => role !== 'applicant')).map((member) => memberRow(group, member, me)),
    ...(error ? [problemRow(`group:${group.group}:error`, errorPhrase(error))] : []),
  ]);
  if (listed) rowCache.set(listed, { group, me, rows });
  return rows;
}

/** The owner, then who is here, then who is not. */
function inOrder(members: readonly MemberRow[]): readonly MemberRow[] {
  const rank = ({ role, online }: MemberRow): number => (role === 'owner' ? 0 : online ? 1 : 2);
  return [...members].sort((a, b) => rank(a) - rank(b) || a.user.localeCompare(b.user));
}

function applied({ group, name, owner }: GroupView): Row {
  const waiting = t('waiting for {0}', printableName(owner));
  return {
    id: `group:${group}`,
    label: printableName(name),
    description: waiting,
    tooltip: [printableName(name), t('You asked to join; {0} decides.', printableName(owner))],
    icon: { theme: 'watch' },
    context: 'group applied',
    subject: { group: name },
    spoken: t('Group {0}, {1}', printableName(name), waiting),
  };
}

function requestRow(request: string, { name }: GroupView, user: string): Row {
  return {
    id: `request:${request}`,
    label: printableName(user),
    description: t('asks to join'),
    tooltip: [t('{0} asks to join {1}.', printableName(user), printableName(name))],
    icon: { theme: 'person-add', color: 'list.warningForeground' },
    context: 'request',
    subject: { group: name, user },
    spoken: t('{0} asks to join {1}', printableName(user), printableName(name)),
  };
}

function memberRow(
  { name, role }: GroupView,
  { account, user, role: theirs, online }: MemberRow,
  me: AccountId | undefined,
): Row {
  const isMe = me === account;
  const facts = [
    isMe ? t('you') : '',
    theirs === 'owner' ? t('owner') : '',
    online ? t('online') : t('offline'),
  ].filter((text) => text !== '');
  return {
    id: `member:${name}:${account}`,
    label: printableName(user),
    description: facts.join(' · '),
    tooltip: [printableName(user), facts.join(', ')],
    icon: { theme: 'account', color: online ? 'charts.green' : 'disabledForeground' },
    context: `person${role === 'owner' && !isMe ? ' removable' : ''}`,
    subject: { group: name, user },
    spoken: `${printableName(user)}, ${facts.join(', ')}`,
  };
}

/** Something that could not be shown, and why. */
export const problemRow = (id: string, why: string): Row => ({
  id,
  label: why,
  description: '',
  tooltip: [why],
  icon: { theme: 'warning' },
  context: 'trouble',
  subject: {},
  spoken: why,
});
