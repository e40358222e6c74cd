// Commands of sharing: a file of this machine becomes one of a group's, and stops being one.
import path from 'node:path';
import * as vscode from 'vscode';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { isShoalError, ShoalError } from '../../protocol/base/errors.ts';
import { confirmSharing } from '../prompts/confirmSharing.ts';
import { fileNamed } from '../state/localCopies.ts';
import { reportFailures, shareDone, shareEach } from '../state/shareResults.ts';
import { withSharingProgress } from '../prompts/sharingProgress.ts';
import type { SharingProgress } from '../prompts/sharingProgress.ts';
import { myGroups } from '../state/state.ts';
import type { WindowState } from '../state/state.ts';
import type { Subject } from '../views/row.ts';
import type { Choice } from '../prompts/quickInput.ts';
import { plural, inMessage, printableName, withoutIcons, t } from '../common/l10n.ts';
import { updateSetting } from '../common/settings.ts';
import type { Command, CommandArgument, CommandSelection, CommandContext } from './context.ts';
import { subjectsOf, forEach } from './context.ts';
import { newGroup } from './groups.ts';

/** In the list of groups: one that is yet to be made. */
const NEW_GROUP = '\0new group';

export const shareFile: Command = async (context, argument, selection) =>
  shareAll(context, await urisOf(argument, selection, 'files'), 'files');

/** A folder becomes one share, with all that is in it. */
export const shareFolder: Command = async (context, argument, selection) =>
  shareAll(context, await urisOf(argument, selection, 'folders'), 'folders');

async function shareAll(
  context: CommandContext,
  uris: readonly vscode.Uri[],
  what: 'files' | 'folders',
): Promise<void> {
  if (uris.length === 0) return;
  const names = uris.map((uri) => path.basename(uri.fsPath));
  const placeholder =
    uris.length === 1
      ? t(
          'Share {0} in which group? Nothing is uploaded: the group is told that you have it.',
          inMessage(names[0] ?? ''),
        )
      : what === 'files'
        ? t('Share {0} files in which group? Nothing is uploaded: the group is told that you have them.', uris.length)
        : t(
            'Share {0} folders in which group? Nothing is uploaded: the group is told that you have them.',
            uris.length,
          );
  const extra: readonly Choice<string>[] = [
    { label: `$(add) ${t('Create Group…')}`, value: NEW_GROUP, alwaysShow: true },
  ];
  const chosen = await context.pickers.group(
    what === 'files' ? t('Share File in Group') : t('Share Folder in Group'),
    placeholder,
    undefined,
    extra,
  );
  const group = chosen === NEW_GROUP ? await newGroup(context) : chosen;
  if (group !== undefined) await shareIn(context, group, uris);
}

/** Shares files and folders of this machine in a group, once nothing speaks against it. */
export async function shareIn(context: CommandContext, group: string, uris: readonly vscode.Uri[]): Promise<void> {
  if (!(await confirmSharing(uris, group))) return;
  const files = uris.map(({ fsPath }) => fsPath);
  const { shared, failures } = await withSharingProgress(context.store, files, (progress) =>
    shareEach(files, async (file) => (progress.signal.aborted ? undefined : shareOne(context, group, file, progress))),
  );
  // Side by side: what is told of those that were shared stays until somebody answers.
  await Promise.all([
    notifyShared(
      context,
      group,
      shared.map(({ name }) => name),
    ),
    reportFailures(failures, uris.length),
  ]);
}

/** What was dropped on a group, or beside all of them. */
export async function shareDropped(
  context: CommandContext,
  group: string | undefined,
  uris: readonly vscode.Uri[],
): Promise<void> {
  localUris(uris);
  if (group === undefined) return shareAll(context, uris, 'files');
  await shareIn(context, group, uris);
}

/**
 * The files and folders that a menu gave, or those that the person chooses. Only files of this
 * machine can be shared: others have no bytes here.
 */
async function urisOf(
  argument: CommandArgument,
  selection: CommandSelection,
  what: 'files' | 'folders',
): Promise<readonly vscode.Uri[]> {
  const several = selection?.filter((one): one is vscode.Uri => !('row' in one)) ?? [];
  const chosen =
    several.length > 0
      ? several
      : argument && !('row' in argument)
        ? [argument]
        : ((await vscode.window.showOpenDialog({
            title: what === 'files' ? t('Share Files') : t('Share Folder'),
            openLabel: t('Share'),
            canSelectMany: true,
            canSelectFiles: what === 'files',
            canSelectFolders: what === 'folders',
            ...(vscode.workspace.workspaceFolders?.[0] && { defaultUri: vscode.workspace.workspaceFolders[0].uri }),
          })) ?? []);
  localUris(chosen);
  return chosen;
}

/** @throws ShoalError usage when one is on no disk of this machine */
function localUris(uris: readonly vscode.Uri[]): void {
  const foreign = uris.find(({ scheme }) => scheme !== 'file');
  if (foreign) {
    throw new ShoalError('usage', {
      why: t(
        '{0} is in a virtual workspace ({1}), not on a disk of this machine, so it cannot be shared',
        path.posix.basename(foreign.path),
        foreign.scheme,
      ),
    });
  }
}

/** The share when the group knows of it; undefined when the person changed their mind. */
async function shareOne(
  context: CommandContext,
  group: string,
  file: string,
  progress: SharingProgress,
  replace = false,
): Promise<Transfer | undefined> {
  const { store } = context;
  const { transfer: id } = await store.call('share', { group, path: file, name: undefined, replace });
  try {
    progress.onStart(file, id);
    return await store.until(shareDone(id, file), progress.signal);
  } catch (error) {
    if (isShoalError(error, 'cancelled')) return void (await forget(context, id));
    if (!isShoalError(error, 'fileExists')) throw error;
    await forget(context, id);
    const answer = t('Share as New Version');
    const detail = t(
      '{0} shared another content under this name. Your file would become its newest version; theirs stays with those who have it.',
      inMessage(String(error.fields['user'] ?? '?')),
    );
    const question = t('{0} is in {1} already.', inMessage(path.basename(file)), inMessage(group));
    return (await vscode.window.showWarningMessage(question, { modal: true, detail }, answer)) === answer
      ? shareOne(context, group, file, progress, true)
      : undefined;
  }
}

async function forget({ store }: CommandContext, id: number): Promise<void> {
  await store.call('cancelTransfer', { transfer: id }).catch(() => undefined); // it was gone already
}

async function notifyShared(
  { savedState, store }: CommandContext,
  group: string,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const summary = plural(
    names.length,
    'Shared {1} in {2}',
    'Shared {0} files',
    inMessage(names[0] ?? ''),
    inMessage(group),
  );
  void vscode.window.setStatusBarMessage(`$(check) ${withoutIcons(summary)}`, 5000);
  if (await savedState.markShown('shared', 'everywhere')) return;
  const keep = t('Keep Sharing When Closed');
  const message = store.state.isEngineHere
    ? t('{0}. Others can download it as long as this window is open.', summary)
    : t('{0}. Others can download it as long as VS Code is open.', summary);
  if ((await vscode.window.showInformationMessage(message, ...(store.state.isEngineHere ? [] : [keep]))) === keep) {
    await updateSetting('keepSharing', true);
  }
}

export const stopSharing: Command = async ({ pickers, store }, argument, selection) => {
  const picked = argument
    ? undefined
    : await pickers.transfer(
        t('Stop Sharing'),
        t('Stop sharing which file?'),
        ({ kind, state }) => kind === 'share' || state === 'seeding',
      );
  const chosen = picked ? [{ group: picked.groupName, file: picked.name }] : named(subjectsOf(argument, selection));
  const others = chosen.length === 1 && chosen[0] ? otherSharesOf(store.state, chosen[0]) : undefined;
  await forEach(chosen, ({ group, file }) => store.call('stopShare', { group, name: file, remove: false }));
  const [first] = chosen;
  if (first) {
    void vscode.window.setStatusBarMessage(
      `$(circle-slash) ${withoutIcons(stoppedText(first.file, chosen.length, others))}`,
      5000,
    );
  }
};

interface Named {
  readonly group: string;
  readonly file: string;
}

const named = (subjects: readonly Subject[]): readonly Named[] =>
  subjects.flatMap(({ group, file }) => (group !== undefined && file !== undefined ? [{ group, file }] : []));

/** How many others have all of it now; undefined where that was not read. */
function otherSharesOf(state: WindowState, { group: name, file }: Named): number | undefined {
  const group = myGroups(state).find((one) => one.name === name)?.group;
  const row = group && fileNamed(state, group, file);
  return row && Math.max(0, row.seeders - 1);
}

function stoppedText(file: string, files: number, others: number | undefined): string {
  if (files > 1) return plural(files, 'Stopped sharing {0} file', 'Stopped sharing {0} files');
  if (others === undefined) return t('Stopped sharing {0}', printableName(file));
  return others === 0
    ? t('Stopped sharing {0}; nobody else who is online has it', printableName(file))
    : plural(
        others,
        'Stopped sharing {1}; {0} other seeder has it',
        'Stopped sharing {1}; {0} other seeders have it',
        printableName(file),
      );
}

export const removeFile: Command = async ({ pickers, store }, argument, selection) => {
  const found = argument
    ? undefined
    : await pickers.file(t('Remove File from Group'), {
        placeholder: t('Remove which file?'),
        fits: ({ iShare }) => iShare,
      });
  const chosen = found
    ? [{ group: found.group, file: found.file.name }]
    : named(subjectsOf(argument, selection, 'removable'));
  const [first] = chosen;
  if (!first) return;
  const remove = t('Remove');
  const question = plural(
    chosen.length,
    'Remove {1} from {2}?',
    'Remove {0} files from their groups?',
    inMessage(first.file),
    inMessage(first.group),
  );
  const detail =
    chosen.length === 1
      ? t('The group no longer lists it, and nobody can begin to download it. Copies that members have stay with them.')
      : t(
          'The groups no longer list them, and nobody can begin to download them. Copies that members have stay with them.',
        );
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
  await forEach(chosen, ({ group, file }) => store.call('stopShare', { group, name: file, remove: true }));
};
