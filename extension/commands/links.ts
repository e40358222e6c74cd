// Commands of links that people send each other (shareLink.ts): making one, and following one. What
// a link says is shown and confirmed before anything is done, and asked of the tracker, not
// believed.
import * as vscode from 'vscode';
import { amount } from '../../protocol/frontend/format.ts';
import { asShoalError, ShoalError } from '../../protocol/base/errors.ts';
import { nameKey } from '../../protocol/base/names.ts';
import { addressText, realmUrlText } from '../../protocol/messages/realm.ts';
import { looksLikeShareLink, parseShareLink, pinnedTracker, shareLinkText } from '../../protocol/frontend/shareLink.ts';
import type { PinnedTracker, ShareLink } from '../../protocol/frontend/shareLink.ts';
import type { FileRow, GroupView } from '../../protocol/messages/trackerLink.ts';
import { troubleOf } from '../messages/errorMessages.ts';
import { phaseOf } from '../state/state.ts';
import { inMessage, plural, t } from '../common/l10n.ts';
import { addressesOf, createAccountAt, signInAt, signOut } from './account.ts';
import type { Command, Tools } from './context.ts';
import { subjectsOf } from './context.ts';
import { showInFiles } from './search.ts';
import { downloadFile } from './download.ts';

/** For a status bar message, in ms. */
const SAID_MS = 5000;

export const copyInvitationLink: Command = async (tools, given) => {
  const group =
    subjectsOf(given)[0]?.group ?? (await tools.ask.group(t('Copy Invitation Link'), t('Into which group?')));
  if (group === undefined) return;
  await copyInvitation(tools, group);
  void vscode.window.setStatusBarMessage(`$(clippy) ${t('Invitation link copied')}`, SAID_MS);
};

/** Puts a link into a group on the clipboard. @throws ShoalError trackerUnknown */
export async function copyInvitation(tools: Tools, group: string): Promise<void> {
  await vscode.env.clipboard.writeText(
    shareLinkText({ is: 'join', tracker: trackerInUse(tools), group }, vscode.env.uriScheme),
  );
}

/** Of several files one link a line. */
export const copyFileLink: Command = async (tools, given, all) => {
  const asked = given
    ? undefined
    : await tools.ask.file(t('Copy File Link'), { placeholder: t('A link to which file?') });
  const chosen = asked ? [{ group: asked.group, file: asked.file.name }] : subjectsOf(given, all);
  const links: string[] = [];
  for (const { group, file: name } of chosen) {
    if (group === undefined || name === undefined) continue;
    const { root } = await tools.store.call('findFile', { group, name });
    links.push(shareLinkText({ is: 'open', tracker: trackerInUse(tools), group, name, root }, vscode.env.uriScheme));
  }
  if (links.length === 0) return;
  await vscode.env.clipboard.writeText(links.join('\n'));
  void vscode.window.setStatusBarMessage(
    `$(clippy) ${plural(links.length, 'Link to the file copied', '{0} links to files copied')}`,
    SAID_MS,
  );
};

/** @throws ShoalError trackerUnknown */
function trackerInUse({ store }: Tools): PinnedTracker {
  const tracker = pinnedTracker(store.state.overview?.trackerUrl ?? '');
  if (!tracker) throw new ShoalError('trackerUnknown');
  return tracker;
}

/** With an address: what the system gave VS Code to open. Without: a box to paste one into. */
export const openLink: Command = async (tools, given) => {
  const text = given instanceof vscode.Uri ? textOf(given) : await askLink(tools);
  if (text === undefined) return;
  const link = parseShareLink(text);
  tools.log.info('a link is followed', { route: link.is }); // and nothing else of it
  if (!(await isSignedInThere(tools, link))) return;
  await (link.is === 'join' ? join(tools, link) : open(tools, link));
};

/** As it was before VS Code took it apart; it is made so that decoding does not change it. */
const textOf = ({ scheme, authority, path, query }: vscode.Uri): string =>
  `${scheme}://${authority}${path}${query === '' ? '' : `?${query}`}`;

async function askLink({ ask }: Tools): Promise<string | undefined> {
  const copied = await vscode.env.clipboard.readText();
  return ask.text(t('Open Link'), {
    prompt: t('Paste an invitation or a link to a file.'),
    placeholder: `${vscode.env.uriScheme}://shoal.shoal/…`,
    value: looksLikeShareLink(copied) ? copied.trim() : '',
    check: (text) => {
      try {
        parseShareLink(text);
        return undefined;
      } catch (error) {
        return troubleOf(asShoalError(error)).sentence;
      }
    },
  });
}

// Who one has to be

/** Whether somebody is signed in at the link's tracker, if need be after asking for it. */
async function isSignedInThere(tools: Tools, link: ShareLink): Promise<boolean> {
  const { store } = tools;
  await settled(tools);
  const { account, trackerUrl = '' } = store.state.overview ?? {};
  if (account && pinnedTracker(trackerUrl)?.realm === link.tracker.realm) return true;
  if (account && !(await leaveFor(tools, link, account.user, trackerUrl))) return false;
  if (!(await signInFor(tools, link, account !== undefined))) return false;
  await settled(tools);
  return (
    pinnedTracker(store.state.overview?.trackerUrl ?? '')?.realm === link.tracker.realm &&
    store.state.overview?.account !== undefined
  );
}

/** Waits until it is known who is signed in and what the tracker says of the groups. */
const settled = ({ store }: Tools): Promise<true> =>
  store.until((state) => (phaseOf(state) === 'starting' ? undefined : true));

const leadsTo = (link: ShareLink): string =>
  link.is === 'join'
    ? t('This link leads into the group {0}.', inMessage(link.group))
    : t('This link leads to {0} in the group {1}.', inMessage(link.name), inMessage(link.group));
const trackerLine = ({ tracker }: ShareLink): string =>
  t('Tracker: {0}', inMessage(tracker.addresses.map(addressText).join(', ')));

async function leaveFor(tools: Tools, link: ShareLink, user: string, trackerUrl: string): Promise<boolean> {
  const out = t('Sign Out and Sign In There');
  const detail = [
    leadsTo(link),
    trackerLine(link),
    '',
    t(
      'You are signed in as {0} at {1}. Shoal is signed in at one tracker at a time: to follow the link, sign out here. What you share and download here stops until you sign in here again.',
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
  await signOut(tools);
  return tools.store.state.overview?.account === undefined;
}

/** @param isAgreed  the person has said already that they want to sign in there */
async function signInFor(tools: Tools, link: ShareLink, isAgreed: boolean): Promise<boolean> {
  const url = realmUrlText(link.tracker);
  if (isAgreed) return signInAt(tools, url);
  const signIn = t('Sign In');
  const create = t('Create Account');
  const detail = [
    trackerLine(link),
    '',
    t('You are not signed in. Sign in at this tracker, or create an account there, to go on.'),
  ].join('\n');
  const answer = await vscode.window.showInformationMessage(leadsTo(link), { modal: true, detail }, signIn, create);
  if (answer === create) return createAccountAt(tools, url);
  return answer === signIn && signInAt(tools, url);
}

// What it leads to

async function join(tools: Tools, link: ShareLink): Promise<void> {
  const mine = myView(tools, link.group);
  if (mine && mine.role !== 'applicant') return tellMember(mine);
  if (mine) return tellWaiting(mine);
  await askToJoin(
    tools,
    link,
    t('Ask to join the group {0}?', inMessage(link.group)),
    t('The owner sees your name and decides.'),
  );
}

const myView = ({ store }: Tools, group: string): GroupView | undefined =>
  store.state.groups.find(({ name, role }) => role !== 'stranger' && nameKey(name) === nameKey(group));

async function tellMember({ name }: GroupView): Promise<void> {
  const show = t('Show Files');
  if (
    (await vscode.window.showInformationMessage(t('You are a member of {0} already.', inMessage(name)), show)) === show
  ) {
    await vscode.commands.executeCommand('shoal.files.focus');
  }
}

async function tellWaiting({ name, owner }: GroupView): Promise<void> {
  await vscode.window.showInformationMessage(
    t('You have asked to join {0}; {1} has not answered yet.', inMessage(name), inMessage(owner)),
  );
}

/**
 * Shows the group as its tracker describes it, and asks to join if that is wanted. @throws
 * ShoalError unknownGroup
 */
async function askToJoin({ store }: Tools, link: ShareLink, question: string, then: string): Promise<void> {
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
  void vscode.window.setStatusBarMessage(`$(watch) ${t('Asked to join {0}', inMessage(row.name))}`, SAID_MS);
}

async function open(tools: Tools, link: ShareLink & { readonly is: 'open' }): Promise<void> {
  const mine = myView(tools, link.group);
  if (mine?.role === 'applicant') return tellWaiting(mine);
  if (!mine) {
    return askToJoin(
      tools,
      link,
      t('{0} is shared in the group {1}. Ask to join it?', inMessage(link.name), inMessage(link.group)),
      t('The owner sees your name and decides. When you are a member, open the link again.'),
    );
  }
  const file = await tools.store.call('findFile', { group: mine.name, name: link.name });
  const download = t('Download');
  const show = t('Show in Files');
  const answer = await vscode.window.showInformationMessage(
    t('Download {0}?', inMessage(file.name)),
    { modal: true, detail: describe(link, mine, file) },
    download,
    show,
  );
  if (answer === download) await downloadFile(tools, { row: { subject: { group: mine.name, file: file.name } } });
  if (answer === show) await showFile(tools, mine, file);
}

function describe(
  link: ShareLink & { readonly is: 'open' },
  group: GroupView,
  { root, sizeBytes, author, seeders }: FileRow,
): string {
  return [
    [
      amount(sizeBytes),
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

async function showFile(tools: Tools, { group, name }: GroupView, file: FileRow): Promise<void> {
  await vscode.commands.executeCommand('shoal.files.focus');
  await tools.store.until(({ files }) => files.get(group)?.isLoaded);
  await showInFiles(tools, { group: name, file });
}
