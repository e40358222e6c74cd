// Commands of downloading: a group's file becomes one on this machine.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../protocol/frontend/format.ts';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { validateFileName } from '../../protocol/base/names.ts';
import { isShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { FileRow, GroupView } from '../../protocol/messages/trackerLink.ts';
import { downloadResultsOf } from '../state/downloadResults.ts';
import {
  downloadFolder,
  rememberGroupFolder,
  announceFolderOnce,
  announceGroupFolderOnce,
} from '../prompts/downloadFolder.ts';
import { setting } from '../common/settings.ts';
import { fileNamed, LocalCopies, isHere } from '../state/localCopies.ts';
import { isComplete } from '../state/state.ts';
import type { WindowState } from '../state/state.ts';
import { inMessage, plural, t } from '../common/l10n.ts';
import { askAllOrSome, chooseFilesOf } from './fileSelection.ts';
import type { Command, CommandContext } from './context.ts';
import { subjectsOf, forEach } from './context.ts';

export interface FileRef {
  readonly group: string;
  readonly name: string;
}

/** Files that are downloaded at one wish without a question. */
const UNASKED_MAX = 20;
/**
 * Downloads begun at one wish that the setting `shoal.openWhenDone` opens: nobody wants a hundred
 * editors.
 */
const OPENED_MAX = 5;

/**
 * The files of the rows that were given: of a folder of the view those that are neither here nor on
 * their way.
 */
const fileRefsOf = (
  { store: { state } }: CommandContext,
  argument: Parameters<Command>[1],
  selection: Parameters<Command>[2],
): readonly FileRef[] =>
  subjectsOf(argument, selection).flatMap(({ group, file, folder }) => {
    if (group === undefined) return [];
    if (file !== undefined) return [{ group, name: file }];
    const id = folder === undefined ? undefined : groupOf(state, group)?.group;
    if (folder === undefined || id === undefined) return [];
    const localCopies = new LocalCopies(id, state);
    const lacks = (row: FileRow): boolean =>
      !row.iShare && [undefined, 'gone', 'failed'].includes(localCopies.ofVersion(row)?.state);
    return (state.files.get(id)?.rows ?? [])
      .filter((row) => row.name.startsWith(folder) && lacks(row))
      .map(({ name }) => ({ group, name }));
  });

async function pickFiles({ pickers }: CommandContext, title: string): Promise<readonly FileRef[]> {
  const found = await pickers.file(title, { placeholder: t('Type a part of a name; Enter downloads') });
  return found ? [{ group: found.group, name: found.file.name }] : [];
}

export const downloadFile: Command = async (context, argument, selection) => {
  const chosen = fileRefsOf(context, argument, selection);
  if (chosen.length === 0 && argument) {
    return void vscode.window.showInformationMessage(t('All of it is here already, or on its way.'));
  }
  const fileRefs = argument ? chosen : await pickFiles(context, t('Download File'));
  if (fileRefs.length > 0 && (await isDownloadable(context, fileRefs))) await downloadToUsualFolder(context, fileRefs);
};

/** Whether so many files are wanted: of a few nobody is asked. */
export async function isDownloadable(
  { store: { state } }: CommandContext,
  fileRefs: readonly FileRef[],
): Promise<boolean> {
  if (fileRefs.length <= UNASKED_MAX) return true;
  const bytes = fileRefs.reduce((sum, one) => sum + (rowOf(state, one)?.sizeBytes ?? 0), 0);
  const download = t('Download');
  return (
    (await vscode.window.showInformationMessage(
      t('Download {0} files?', fileRefs.length.toLocaleString()),
      { modal: true, detail: t('Together they have {0}.', formatBytes(bytes)) },
      download,
    )) === download
  );
}

/**
 * Into the folder of each group, or the usual one. What is here already is not downloaded again,
 * unless it is all that is wanted.
 */
export async function downloadToUsualFolder(context: CommandContext, fileRefs: readonly FileRef[]): Promise<void> {
  await forEach([...byGroup(fileRefs)], async ([group, some]) => {
    const own = context.savedState.folderOf(group);
    if (!own?.isUsual) await downloadInto(context, some, downloadFolder());
    else if (await downloadInto(context, some, { folder: own.folder, isDefault: false })) {
      await announceGroupFolderOnce(context.savedState, group, own.folder);
    }
  });
}

function byGroup(fileRefs: readonly FileRef[]): ReadonlyMap<string, readonly FileRef[]> {
  return Map.groupBy(fileRefs, ({ group }) => group);
}

/** Downloads one file, or opens it where it is here already. */
export async function getFile(context: CommandContext, fileRef: FileRef): Promise<void> {
  const here = completeHere(context, fileRef);
  if (here) await openPath(here.path);
  else await downloadToUsualFolder(context, [fileRef]);
}

export const downloadTo: Command = async (context, argument, selection) => {
  const chosen = fileRefsOf(context, argument, selection);
  const fileRefs = argument ? chosen : await pickFiles(context, t('Download To'));
  if (fileRefs.length === 0 || !(await isDownloadable(context, fileRefs))) return;
  const folders = await vscode.window.showOpenDialog({
    title: t('Download To'),
    openLabel: t('Download Here'),
    canSelectFolders: true,
    canSelectFiles: false,
    defaultUri: vscode.Uri.file(
      existingParent(context.savedState.folderOf(fileRefs[0]?.group ?? '')?.folder ?? downloadFolder().folder),
    ),
  });
  const folder = folders?.[0];
  if (folder && folder.scheme !== 'file') {
    throw new ShoalError('usage', { why: t('a download needs a folder on a disk of this machine') });
  }
  if (!folder || !(await downloadInto(context, fileRefs, { folder: folder.fsPath, isDefault: false }))) return;
  for (const group of byGroup(fileRefs).keys()) await rememberGroupFolder(context.savedState, group, folder.fsPath);
};

function existingParent(folder: string): string {
  return existsSync(folder) || path.dirname(folder) === folder ? folder : existingParent(path.dirname(folder));
}

/**
 * Whether any download has begun. One that cannot be begun does not keep the others; what went
 * wrong first is thrown when they are on their way.
 */
export async function downloadInto(
  context: CommandContext,
  fileRefs: readonly FileRef[],
  { folder, isDefault }: { readonly folder: string; readonly isDefault: boolean },
): Promise<boolean> {
  const { savedState, views } = context;
  const begun: number[] = [];
  const beginning = forEach(await notYetHere(context, fileRefs), async (one) => {
    const id = await begin(context, one, folder);
    if (id !== undefined) begun.push(id);
  });
  const failure = await beginning.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (begun.length > 0) {
    if (setting('openWhenDone') && begun.length <= OPENED_MAX) await context.openWhenDone.mark(begun, true);
    await vscode.commands.executeCommand('shoal.downloads.focus', { preserveFocus: true });
    views.downloads.refresh();
    void follow(context, begun, folder);
    if (isDefault) await announceFolderOnce(savedState, folder);
  }
  if (failure) throw failure.error;
  return begun.length > 0;
}

/**
 * Those that are not here. Somebody who wants a single one that is here is asked; of several nobody
 * is: a question would keep the others waiting.
 */
async function notYetHere(context: CommandContext, fileRefs: readonly FileRef[]): Promise<readonly FileRef[]> {
  const [first] = fileRefs;
  if (first && fileRefs.length === 1) {
    const here = completeHere(context, first);
    return !here || (await retry(here)) ? fileRefs : [];
  }
  const lacking = fileRefs.filter((one) => !completeHere(context, one));
  if (lacking.length === 0) void vscode.window.showInformationMessage(t('All of it is here already, or on its way.'));
  return lacking;
}

/** Its transfer; undefined when the person changed their mind. */
async function begin(context: CommandContext, { group, name }: FileRef, folder: string): Promise<number | undefined> {
  const { store } = context;
  const row = rowOf(store.state, { group, name });
  const howMuch = row?.content === 'folder' ? await askAllOrSome(context, name, row.sizeBytes) : 'all';
  if (howMuch === undefined) return undefined;
  const wish = { group, name, path: folder, rename: true, mode: setting('pieceSelection') };
  const { transfer } = await (howMuch === 'all'
    ? store.call('download', { ...wish, asFile: false, only: [] })
    : store.call('downloadSome', wish));
  return howMuch === 'some' && !(await chooseFilesOf(context, transfer)) ? undefined : transfer;
}

/** The file as it was downloaded or shared before, if it is still the group's newest version. */
function completeHere(context: CommandContext, fileRef: FileRef): Transfer | undefined {
  const { state } = context.store;
  const view = groupOf(state, fileRef.group);
  const file = rowOf(state, fileRef);
  return [...state.transfers.values()].find(
    (transfer) =>
      transfer.group === view?.group &&
      transfer.root === file?.root &&
      transfer.sizeBytes >= file.sizeBytes &&
      isHere(transfer),
  );
}

const groupOf = (state: WindowState, group: string): GroupView | undefined =>
  state.groups.find((one) => one.name === group);

/** What the group says of the file, as far as that was read. */
function rowOf(state: WindowState, { group, name }: FileRef): FileRow | undefined {
  const view = groupOf(state, group);
  return view && fileNamed(state, view.group, name);
}

async function retry({ name, path: file }: Transfer): Promise<boolean> {
  const open = t('Open');
  const anyway = t('Download Again');
  const answer = await vscode.window.showInformationMessage(
    t('{0} is on this machine already: {1}', inMessage(name), inMessage(file)),
    open,
    anyway,
  );
  if (answer === open) await openPath(file);
  return answer === anyway;
}

/**
 * Says when they are there, once for all, in the window that asked for them and nowhere else. What
 * this window opens needs no words.
 */
async function follow(
  { store, log, openWhenDone }: CommandContext,
  ids: readonly number[],
  folder: string,
): Promise<void> {
  try {
    const came = (await store.until(downloadResultsOf(ids))).filter(({ id }) => !openWhenDone.opens(id));
    const [first] = came;
    if (!first) return;
    const open = t('Open');
    const reveal = t('Show in Folder');
    const words = plural(came.length, 'Downloaded {1}', 'Downloaded {0} files', inMessage(first.name));
    const answer = await vscode.window.showInformationMessage(words, ...(came.length === 1 ? [open] : []), reveal);
    if (answer === open) await openPath(first.path);
    if (answer === reveal) await revealPath(came.length === 1 ? first.path : folder);
  } catch (error) {
    log.info('what was downloaded cannot be shown', { why: (error as Error).message });
  }
}

export const openFile: Command = async ({ pickers }, argument, selection) => {
  const paths = subjectsOf(argument, selection).flatMap(({ path: file }) => (file === undefined ? [] : [file]));
  const asked = paths.length > 0 ? undefined : await pickers.transfer(t('Open File'), t('Open which file?'), isHere);
  for (const file of asked ? [asked.path] : paths) await openPath(file);
};

export const revealFile: Command = async ({ pickers }, argument) => {
  const file =
    subjectsOf(argument)[0]?.path ?? (await pickers.transfer(t('Show in Folder'), t('Show which file?'), isHere))?.path;
  if (file !== undefined) await revealPath(file);
};

/** Opens a file of this machine; a folder is shown. @throws ShoalError badFileName, fileMissing */
export async function openPath(file: string): Promise<void> {
  // Whatever a tracker called it: it is opened only under a name that means a plain file
  // everywhere.
  const why = validateFileName(path.basename(file));
  if (why !== undefined) throw new ShoalError('badFileName', { name: path.basename(file), why });
  if (!existsSync(file)) throw new ShoalError('fileMissing', { path: file });
  if (statSync(file).isDirectory()) return revealPath(file);
  await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(file));
}

async function revealPath(file: string): Promise<void> {
  if (!existsSync(file)) throw new ShoalError('fileMissing', { path: file });
  const uri = vscode.Uri.file(file);
  // The explorer of VS Code where it has the file: the system's own one is another machine's in a
  // remote window.
  const inExplorer =
    vscode.workspace.getWorkspaceFolder(uri) !== undefined ||
    vscode.env.remoteName !== undefined ||
    vscode.env.uiKind === vscode.UIKind.Web;
  await vscode.commands.executeCommand(inExplorer ? 'revealInExplorer' : 'revealFileInOS', uri);
}

export const showDownloads: Command = async () => {
  await vscode.commands.executeCommand('shoal.downloads.focus');
};

export const verifyFile: Command = async ({ pickers, store }, argument) => {
  const id =
    subjectsOf(argument)[0]?.transfer ??
    (
      await pickers.transfer(
        t('Verify File'),
        t('Read which file again and compare it?'),
        (one) => isComplete(one) || one.kind === 'share',
      )
    )?.id;
  const transfer = id === undefined ? undefined : store.state.transfers.get(id);
  if (!transfer) return;
  const options = {
    location: vscode.ProgressLocation.Notification,
    cancellable: true,
    title: t('Verifying {0}', inMessage(transfer.name)),
  };
  const verify = (repair: boolean, token?: vscode.CancellationToken): Promise<{ readonly sha256: string }> => {
    const stop = new AbortController();
    token?.onCancellationRequested(() => stop.abort());
    return store.call('verify', { transfer: transfer.id, repair }, { isLong: true, signal: stop.signal });
  };
  const found = await vscode.window.withProgress(options, (_, token) =>
    verify(false, token).catch((error: unknown) => {
      const isMended =
        transfer.kind === 'download' &&
        transfer.content === 'file' &&
        (isShoalError(error, 'integrity') || isShoalError(error, 'fileMissing'));
      if (isMended) return error;
      throw error;
    }),
  );
  if (found instanceof ShoalError) {
    const repair = t('Repair');
    const isGone = isShoalError(found, 'fileMissing');
    const question = isGone
      ? t('{0} is gone.', inMessage(transfer.path))
      : t('{0} is not what was shared.', inMessage(transfer.name));
    const detail = isGone
      ? t('It is downloaded again.')
      : t(
          'What is wrong is downloaded again, and the file is replaced when it is right. Changes that you made to it are lost.',
        );
    if ((await vscode.window.showErrorMessage(question, { modal: true, detail }, repair)) === repair) {
      await verify(true);
    }
    return;
  }
  const { sha256 } = found;
  const copy = t('Copy SHA-256');
  const answer = await vscode.window.showInformationMessage(
    t('{0} is exactly what was shared.', inMessage(transfer.name)),
    copy,
  );
  if (answer === copy) await vscode.env.clipboard.writeText(sha256);
};
