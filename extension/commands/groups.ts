// Commands of groups: who shares with whom.
import * as vscode from 'vscode';
import { asShoalError } from '../../protocol/base/errors.ts';
import { NAME_CHARS_MAX } from '../../protocol/base/limits.ts';
import { isName } from '../../protocol/base/names.ts';
import { describeError } from '../messages/errorMessages.ts';
import { waitingRequests } from '../state/state.ts';
import type { Subject } from '../views/row.ts';
import { inMessage, plural, printableName, t } from '../common/l10n.ts';
import type { Command, CommandContext } from './context.ts';
import { hasContext, subjectsOf, forEach } from './context.ts';
import { copyInvitation } from './links.ts';

/** Asks for a name and makes the group. Its name; undefined when the person changed their mind. */
export async function newGroup({ pickers, store }: CommandContext): Promise<string | undefined> {
  const prompt = t('A name that others will find the group by. You decide who joins.');
  return askName(pickers, t('Create Group'), { prompt, placeholder: 'team' }, (name) =>
    store.call('createGroup', { group: name }),
  );
}

/** Asks for a name until it is taken or given up. */
const askName = (
  pickers: CommandContext['pickers'],
  title: string,
  question: { readonly prompt: string; readonly placeholder?: string; readonly value?: string },
  submit: (name: string) => Promise<unknown>,
): Promise<string | undefined> =>
  pickers.text(title, {
    ...question,
    check: (name) =>
      isName(name) ? undefined : t('1 to {0} letters, digits, dots, underscores or hyphens.', NAME_CHARS_MAX),
    async submit(name) {
      try {
        await submit(name);
        return undefined;
      } catch (error) {
        return describeError(asShoalError(error)).sentence;
      }
    },
  });

export const createGroup: Command = async (context) => {
  const name = await newGroup(context);
  if (name === undefined) return;
  await copyInvitation(context, name);
  const share = t('Share a File…');
  const chosen = await vscode.window.showInformationMessage(
    t(
      'Created the group {0}. Its invitation link is on the clipboard; whoever opens it asks to join, and you decide.',
      inMessage(name),
    ),
    share,
  );
  if (chosen === share) await vscode.commands.executeCommand('shoal.shareFile');
};

export const joinGroup: Command = async ({ pickers, store }) => {
  const group = await pickers.strangeGroup(t('Join Group'));
  if (group === undefined) return;
  await store.call('joinGroup', { group });
  void vscode.window.setStatusBarMessage(`$(watch) ${t('Asked to join {0}', inMessage(group))}`, 5000);
};

export const cancelRequest: Command = async ({ pickers, store }, argument, selection) => {
  const rows = groupsIn(subjectsOf(argument, selection, 'applied'));
  const picked = argument ? undefined : await pickers.appliedGroup(t('Cancel Request'));
  await forEach(picked === undefined ? rows : [picked], (group) => store.call('cancelRequest', { group }));
};

const groupsIn = (subjects: readonly Subject[]): readonly string[] => subjects.flatMap(({ group }) => group ?? []);

export const leaveGroup: Command = async (context, argument, selection) => {
  const picked = argument ? undefined : await context.pickers.group(t('Leave Group'), t('Which group?'));
  for (const group of picked === undefined ? groupsIn(subjectsOf(argument, selection, 'group')) : [picked]) {
    if (!(await leaveOne(context, group))) return; // the person changed their mind, of those behind it too
  }
};

async function leaveOne({ store }: CommandContext, group: string): Promise<boolean> {
  const view = store.state.groups.find(({ name }) => name === group);
  const mine = [...store.state.transfers.values()].filter(({ groupName }) => groupName === group).length;
  const leave = t('Leave');
  const detail = [
    view?.role === 'owner' && view.members > 1
      ? t('You own this group; the member who has been in it longest becomes its owner.')
      : '',
    mine > 0
      ? plural(
          mine,
          '{0} file that you share or download there stops.',
          '{0} files that you share or download there stop.',
        )
      : '',
    t('Files on this machine stay where they are.'),
  ]
    .filter((text) => text !== '')
    .join(' ');
  if (
    (await vscode.window.showWarningMessage(
      t('Leave the group {0}?', inMessage(group)),
      { modal: true, detail },
      leave,
    )) !== leave
  ) {
    return false;
  }
  await store.call('leaveGroup', { group });
  return true;
}

export const removeMember: Command = async (context, argument, selection) => {
  const picked = argument ? undefined : await context.pickers.member(t('Remove Member'));
  const chosen = picked
    ? [picked]
    : subjectsOf(argument, selection, 'removable').flatMap(({ group, user }) =>
        group !== undefined && user !== undefined ? [{ group, user }] : [],
      );
  for (const [group, some] of Map.groupBy(chosen, (one) => one.group)) {
    await removeFrom(
      context,
      group,
      some.map(({ user }) => user),
    );
  }
};

async function removeFrom({ store }: CommandContext, group: string, users: readonly string[]): Promise<void> {
  const remove = t('Remove');
  const [first = ''] = users.map(inMessage);
  const question = plural(
    users.length,
    'Remove {1} from {2}?',
    'Remove {0} members from {2}?',
    first,
    inMessage(group),
  );
  const detail =
    users.length === 1
      ? t("From then on nobody serves {0} this group's files. What {0} has downloaded already stays there.", first)
      : t(
          "{0}. From then on nobody serves them this group's files. What they have downloaded already stays there.",
          users.map(inMessage).join(', '),
        );
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
  await forEach(users, (user) => store.call('removeMember', { group, user }));
}

export const transferGroup: Command = async ({ pickers, store }, argument) => {
  const { group, user } =
    subjectsOf(argument)[0] ??
    (await pickers.member(t('Transfer Group'), (name) => t('Who shall own {0}?', name))) ??
    {};
  if (group === undefined || user === undefined) return;
  const transfer = t('Transfer');
  const detail = t('{0} will decide who joins and who leaves. You stay a member.', inMessage(user));
  if (
    (await vscode.window.showWarningMessage(
      t('Make {0} the owner of {1}?', inMessage(user), inMessage(group)),
      { modal: true, detail },
      transfer,
    )) === transfer
  ) {
    await store.call('transferGroup', { group, user });
  }
};

export const deleteGroup: Command = async ({ pickers, store }, argument) => {
  const group =
    subjectsOf(argument)[0]?.group ??
    (await pickers.group(t('Delete Group'), t('Which group?'), ({ role }) => role === 'owner'));
  if (group === undefined) return;
  const remove = t('Delete for Everybody');
  const detail = t(
    "Its list of files goes, for every member, and nobody serves them any more. Files on people's " +
      'disks stay where they are. This cannot be undone.',
  );
  if (
    (await vscode.window.showWarningMessage(
      t('Delete the group {0}?', inMessage(group)),
      { modal: true, detail },
      remove,
    )) === remove
  ) {
    await store.call('deleteGroup', { group });
  }
};

/** What somebody wanted to be called before it became `name~k3f9`. */
const askNewName = (name: string): string => name.replace(/~.*/, '');

export const renameGroup: Command = async (context, argument) => {
  const group =
    subjectsOf(argument)[0]?.group ??
    (await context.pickers.group(t('Rename Group'), t('Which group?'), ({ role }) => role === 'owner'));
  if (group !== undefined) {
    await askName(
      context.pickers,
      t('Rename Group'),
      { prompt: t('Another name for {0}', printableName(group)), value: askNewName(group) },
      (to) => context.store.call('renameGroup', { group, to }),
    );
  }
};

/** Only for an account that got a name nobody chose. */
export const renameAccount: Command = async (context) => {
  const user = context.store.state.overview?.account?.user ?? '';
  const prompt = t('Somebody took your name at the same moment. You are {0} now.', printableName(user));
  await askName(context.pickers, t('Choose Another Name'), { prompt, value: askNewName(user) }, (to) =>
    context.store.call('renameAccount', { to }),
  );
};

const answers =
  (call: 'acceptRequest' | 'rejectRequest', title: () => string): Command =>
  async ({ pickers, store }, argument, selection) => {
    const subjects = subjectsOf(argument, selection, 'request');
    const chosen = subjects.length > 0 ? subjects : [await pickers.request(title())];
    await forEach(
      chosen.flatMap((one) =>
        one?.group !== undefined && one.user !== undefined ? [{ group: one.group, user: one.user }] : [],
      ),
      (request) => store.call(call, request),
    );
  };

export const acceptRequest = answers('acceptRequest', () => t('Accept Request'));
export const rejectRequest = answers('rejectRequest', () => t('Reject Request'));

export const acceptAllRequests: Command = async ({ pickers, store }, argument, selection) => {
  const group = argument
    ? undefined
    : await pickers.group(t('Accept All Requests'), t('Of which group?'), ({ requests }) => requests.length > 0);
  const groups = group === undefined ? groupsIn(subjectsOf(argument, selection, 'asked')) : [group];
  const requests = waitingRequests(store.state).filter((one) => groups.includes(one.group.name));
  await forEach(requests, ({ group: { name }, user }) => store.call('acceptRequest', { group: name, user }));
};

/** Shows the first request that waits, and those behind it. */
export const reviewRequests: Command = async ({ views }) => {
  await vscode.commands.executeCommand('shoal.groups.focus');
  await views.groups.reveal((row) => (hasContext(row, 'request') ? 'it' : hasContext(row, 'asked') ? 'below' : 'no'));
};
