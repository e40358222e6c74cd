// Commands of links that people send each other (shareLink.ts): making one, and following one. What
// a link says is shown and confirmed before anything is done, and asked of the tracker, not
// believed.
import * as vscode from 'vscode';
import { formatBytes } from '../../protocol/frontend/format.ts';
import { asShoalError, ShoalError } from '../../protocol/base/errors.ts';
import { nameKey } from '../../protocol/base/names.ts';
import { addressText } from '../../protocol/base/address.ts';
import { realmUrlText } from '../../protocol/messages/realm.ts';
import { looksLikeShareLink, parseShareLink, pinnedTracker, shareLinkText } from '../../protocol/frontend/shareLink.ts';
import type { PinnedTracker, ShareLink } from '../../protocol/frontend/shareLink.ts';
import type { FileRow, GroupView } from '../../protocol/messages/trackerLink.ts';
import { describeError } from '../messages/errorMessages.ts';
import { phaseOf } from '../state/state.ts';
import { inMessage, plural, t } from '../common/l10n.ts';
import { addressesOf, createAccountAt, signInAt, signOut } from './account.ts';
import type { Command, CommandContext } from './context.ts';
import { subjectsOf } from './context.ts';
import { showInFiles } from './search.ts';
import { downloadFile } from './download.ts';

/** For a status bar message, in ms. */
const STATUS_MESSAGE_MS = 5000;

export const copyInvitationLink: Command = async (context, argument) => {
  const group =
    subjectsOf(argument)[0]?.group ?? (await context.pickers.group(t('Copy Invitation Link'), t('Into which group?')));
  if (group === undefined) return;
  await copyInvitation(context, group);
  void vscode.window.setStatusBarMessage(`$(clippy) ${t('Invitation link copied')}`, STATUS_MESSAGE_MS);
};

/** Puts a link into a group on the clipboard. @throws ShoalError trackerUnknown */
export async function copyInvitation(context: CommandContext, group: string): Promise<void> {
  await vscode.env.clipboard.writeText(
    shareLinkText({ is: 'join', tracker: trackerInUse(context), group }, vscode.env.uriScheme),
  );
}

/** Of several files one link a line. */
export const copyFileLink: Command = async (context, argument, selection) => {
  const picked = argument
    ? undefined
    : await context.pickers.file(t('Copy File Link'), { placeholder: t('A link to which file?') });
  const chosen = picked ? [{ group: picked.group, file: picked.file.name }] : subjectsOf(argument, selection);
  const links: string[] = [];
  for (const { group, file: name } of chosen) {
    if (group === undefined || name === undefined) continue;
    const { root } = await context.store.call('findFile', { group, name });
    links.push(shareLinkText({ is: 'open', tracker: trackerInUse(context), group, name, root }, vscode.env.uriScheme));
  }
  if (links.length === 0) return;
  await vscode.env.clipboard.writeText(links.join('\n'));
  void vscode.window.setStatusBarMessage(
    `$(clippy) ${plural(links.length, 'Link to the file copied', '{0} links to files copied')}`,
    STATUS_MESSAGE_MS,
  );
};

/** @throws ShoalError trackerUnknown */
function trackerInUse({ store }: CommandContext): PinnedTracker {
  const tracker = pinnedTracker(store.state.overview?.trackerUrl ?? '');
  if (!tracker) throw new ShoalError('trackerUnknown');
  return tracker;
}

/** With an address: what the system gave VS Code to open. Without: a box to paste one into. */
export const openLink: Command = async (context, argument) => {
  const text = argument instanceof vscode.Uri ? textOf(argument) : await promptLink(context);
  if (text === undefined) return;
  const link = parseShareLink(text);
  context.log.info('opening a link', { route: link.is }); // and nothing else of it
  if (!(await isSignedInAt(context, link))) return;
  await (link.is === 'join' ? join(context, link) : open(context, link));
};

/** As it was before VS Code took it apart; it is made so that decoding does not change it. */
const textOf = ({ scheme, authority, path, query }: vscode.Uri): string =>
  `${scheme}://${authority}${path}${query === '' ? '' : `?${query}`}`;

async function promptLink({ pickers }: CommandContext): Promise<string | undefined> {
  const copied = await vscode.env.clipboard.readText();
  return pickers.text(t('Open Link'), {
    prompt: t('Paste an invitation or a link to a file.'),
    placeholder: `${vscode.env.uriScheme}://shoal.shoal/…`,
    value: looksLikeShareLink(copied) ? copied.trim() : '',
    check: (text) => {
      try {
        parseShareLink(text);
        return undefined;
      } catch (error) {
        return describeError(asShoalError(error)).sentence;
      }
    },
  });
}

// Who one has to be

/** Whether somebody is signed in at the link's tracker, if need be after asking for it. */
async function isSignedInAt(context: CommandContext, link: ShareLink): Promise<boolean> {
  const { store } = context;
  await whenSettled(context);
  const { account, trackerUrl = '' } = store.state.overview ?? {};
  if (account && pinnedTracker(trackerUrl)?.realm === link.tracker.realm) return true;
  if (account && !(await signOutFor(context, link, account.user, trackerUrl))) return false;
  if (!(await signInFor(context, link, account !== undefined))) return false;
  await whenSettled(context);
  return (
    pinnedTracker(store.state.overview?.trackerUrl ?? '')?.realm === link.tracker.realm &&
    store.state.overview?.account !== undefined
  );
}

/** Waits until it is known who is signed in and what the tracker says of the groups. */
const whenSettled = ({ store }: CommandContext): Promise<true> =>
  store.until((state) => (phaseOf(state) === 'starting' ? undefined : true));

const describeTarget = (link: ShareLink): string =>
  link.is === 'join'
    ? t('This link leads into the group {0}.', inMessage(link.group))
    : t('This link leads to {0} in the group {1}.', inMessage(link.name), inMessage(link.group));
const trackerLine = ({ tracker }: ShareLink): string =>
  t('Tracker: {0}', inMessage(tracker.addresses.map(addressText).join(', ')));

async function signOutFor(
  context: CommandContext,
  link: ShareLink,
  user: string,
  trackerUrl: string,
): Promise<boolean> {
  const out = t('Sign Out and Sign In There');
  const detail = [
    describeTarget(link),
    trackerLine(link),
    '',
    t(
      'You are signed in as {0} at {1}. Shoal is signed in at one tracker at a time: to follow the ' +
        'link, sign out here. What you share and download here stops until you sign in here again.',
      inMessage(user),
      inMessage(addressesOf(trackerUrl)),
    ),
  ].join('\n');
  if (
    (await vscode.window.showWarningMessage(
      t('This link belongs to another tracker.'),
      { modal: true, detail },
      out,
    )) !== out
  ) {
    return false;
  }
  await signOut(context);
  return context.store.state.overview?.account === undefined;
}

/** @param isAgreed  the person has said already that they want to sign in there */
async function signInFor(context: CommandContext, link: ShareLink, isAgreed: boolean): Promise<boolean> {
  const url = realmUrlText(link.tracker);
  if (isAgreed) return signInAt(context, url);
  const signIn = t('Sign In');
  const create = t('Create Account');
  const detail = [
    trackerLine(link),
    '',
    t('You are not signed in. Sign in at this tracker, or create an account there, to go on.'),
  ].join('\n');
  const answer = await vscode.window.showInformationMessage(
    describeTarget(link),
    { modal: true, detail },
    signIn,
    create,
  );
  if (answer === create) return createAccountAt(context, url);
  return answer === signIn && signInAt(context, url);
}

// What it leads to

async function join(context: CommandContext, link: ShareLink): Promise<void> {
  const mine = myView(context, link.group);
  if (mine && mine.role !== 'applicant') return showMember(mine);
  if (mine) return showWaiting(mine);
  await askToJoin(
    context,
    link,
    t('Ask to join the group {0}?', inMessage(link.group)),
    t('The owner sees your name and decides.'),
  );
}

const myView = ({ store }: CommandContext, group: string): GroupView | undefined =>
  store.state.groups.find(({ name, role }) => role !== 'stranger' && nameKey(name) === nameKey(group));

async function showMember({ name }: GroupView): Promise<void> {
  const show = t('Show Files');
  if (
    (await vscode.window.showInformationMessage(t('You are a member of {0} already.', inMessage(name)), show)) === show
  ) {
    await vscode.commands.executeCommand('shoal.files.focus');
  }
}

async function showWaiting({ name, owner }: GroupView): Promise<void> {
  await vscode.window.showInformationMessage(
    t('You have asked to join {0}; {1} has not answered yet.', inMessage(name), inMessage(owner)),
  );
}

/**
 * Shows the group as its tracker describes it, and asks to join if that is wanted. @throws
 * ShoalError unknownGroup
 */
async function askToJoin({ store }: CommandContext, link: ShareLink, question: string, then: string): Promise<void> {
  const row = (await store.listings.allGroups()).find(({ name }) => nameKey(name) === nameKey(link.group));
  if (!row) throw new ShoalError('unknownGroup', { group: link.group });
  const ask = t('Ask to Join');
  const people = [
    t('Owner: {0}', inMessage(row.owner)),
    plural(row.members, '{0} member', '{0} members'),
    t('{0} online', row.online),
  ].join(' · ');
  const detail = [people, trackerLine(link), '', then].join('\n');
  if ((await vscode.window.showInformationMessage(question, { modal: true, detail }, ask)) !== ask) return;
  await store.call('joinGroup', { group: row.name });
  void vscode.window.setStatusBarMessage(`$(watch) ${t('Asked to join {0}', inMessage(row.name))}`, STATUS_MESSAGE_MS);
}

async function open(context: CommandContext, link: ShareLink & { readonly is: 'open' }): Promise<void> {
  const mine = myView(context, link.group);
  if (mine?.role === 'applicant') return showWaiting(mine);
  if (!mine) {
    return askToJoin(
      context,
      link,
      t('{0} is shared in the group {1}. Ask to join it?', inMessage(link.name), inMessage(link.group)),
      t('The owner sees your name and decides. When you are a member, open the link again.'),
    );
  }
  const file = await context.store.call('findFile', { group: mine.name, name: link.name });
  const download = t('Download');
  const show = t('Show in Files');
  const answer = await vscode.window.showInformationMessage(
    t('Download {0}?', inMessage(file.name)),
    { modal: true, detail: describe(link, mine, file) },
    download,
    show,
  );
  if (answer === download) await downloadFile(context, { row: { subject: { group: mine.name, file: file.name } } });
  if (answer === show) await showFile(context, mine, file);
}

function describe(
  link: ShareLink & { readonly is: 'open' },
  group: GroupView,
  { root, sizeBytes, author, seeders }: FileRow,
): string {
  return [
    [
      formatBytes(sizeBytes),
      t('shared by {0}', inMessage(author)),
      seeders > 0 ? plural(seeders, '{0} seeder', '{0} seeders') : t('nobody online has it'),
    ].join(' · '),
    t('Group: {0}', inMessage(group.name)),
    trackerLine(link),
    ...(root === link.root
      ? []
      : ['', t('The link was made for another version; this is the one that is shared now.')]),
  ].join('\n');
}

async function showFile(context: CommandContext, { group, name }: GroupView, file: FileRow): Promise<void> {
  await vscode.commands.executeCommand('shoal.files.focus');
  await context.store.until(({ files }) => files.get(group)?.isLoaded);
  await showInFiles(context, { group: name, file });
}
