// Commands of downloading: a group's file becomes one on this machine, and what lies here in an
// older version gets the newest.
import { existsSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../protocol/frontend/format.ts';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import type { FileRow, GroupView } from '../../protocol/messages/trackerLink.ts';
import { downloadResultsOf } from '../state/downloadResults.ts';
import {
  downloadFolder,
  rememberGroupFolder,
  announceFolderOnce,
  announceGroupFolderOnce,
} from '../prompts/downloadFolder.ts';
import { setting } from '../common/settings.ts';
import type { Update } from '../state/localCopies.ts';
import { fileNamed, LocalCopies, isHere, updatesOf } from '../state/localCopies.ts';
import type { WindowState } from '../state/state.ts';
import { inMessage, plural, t } from '../common/l10n.ts';
import { askAllOrSome, chooseFilesOf } from './fileSelection.ts';
import type { Command, CommandContext } from './context.ts';
import { subjectsOf, forEach } from './context.ts';
import { openPath, revealPath } from './localFiles.ts';

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
async function isDownloadable({ store: { state } }: CommandContext, fileRefs: readonly FileRef[]): Promise<boolean> {
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
async function downloadInto(
  context: CommandContext,
  fileRefs: readonly FileRef[],
  { folder, isDefault }: { readonly folder: string; readonly isDefault: boolean },
): Promise<boolean> {
  const { savedState, views } = context;
  const started: number[] = [];
  const starting = forEach(await notYetHere(context, fileRefs), async (one) => {
    const id = await startDownload(context, one, folder);
    if (id !== undefined) started.push(id);
  });
  const failure = await starting.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (started.length > 0) {
    if (setting('openWhenDone') && started.length <= OPENED_MAX) await context.openWhenDone.mark(started, true);
    await vscode.commands.executeCommand('shoal.downloads.focus', { preserveFocus: true });
    views.downloads.refresh();
    void notifyWhenDone(context, started, folder);
    if (isDefault) await announceFolderOnce(savedState, folder);
  }
  if (failure) throw failure.error;
  return started.length > 0;
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
async function startDownload(
  context: CommandContext,
  { group, name }: FileRef,
  folder: string,
): Promise<number | undefined> {
  const { store } = context;
  const row = rowOf(store.state, { group, name });
  const howMuch = row?.content === 'folder' ? await askAllOrSome(context, name, row.sizeBytes) : 'all';
  if (howMuch === undefined) return undefined;
  const request = { group, name, path: folder, rename: true, mode: setting('pieceSelection') };
  const { transfer } = await (howMuch === 'all'
    ? store.call('download', { ...request, asFile: false, only: [] })
    : store.call('downloadSome', request));
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
async function notifyWhenDone(
  { store, log, openWhenDone }: CommandContext,
  ids: readonly number[],
  folder: string,
): Promise<void> {
  try {
    const completed = (await store.until(downloadResultsOf(ids))).filter(({ id }) => !openWhenDone.opens(id));
    const [first] = completed;
    if (!first) return;
    const open = t('Open');
    const reveal = t('Show in Folder');
    const message = plural(completed.length, 'Downloaded {1}', 'Downloaded {0} files', inMessage(first.name));
    const answer = await vscode.window.showInformationMessage(
      message,
      ...(completed.length === 1 ? [open] : []),
      reveal,
    );
    if (answer === open) await openPath(first.path);
    if (answer === reveal) await revealPath(completed.length === 1 ? first.path : folder);
  } catch (error) {
    log.info('cannot show finished downloads', { why: (error as Error).message });
  }
}

/**
 * Gets the group's newest version of what is here in an older one: beside it, because nothing that
 * is here is overwritten.
 */
export const downloadUpdate: Command = async (context, argument, selection) => {
  const selected = subjectsOf(argument, selection, 'update');
  const picked = argument ? undefined : await askUpdate(context);
  const isWanted = (update: Update): boolean =>
    [...selected, ...(picked ? [picked] : [])].some(
      ({ group, file }) => group === update.group && file === update.file.name,
    );
  await getAll(context, updatesOf(context.store.state).filter(isWanted));
};

export const downloadAllUpdates: Command = async (context) => {
  await context.store.listings.readAll('files');
  const updates = updatesOf(context.store.state);
  if (updates.length === 0) {
    return void vscode.window.showInformationMessage(t('Of everything that is here you have the newest version.'));
  }
  if (await isDownloadable(context, updates.map(fileRefOf))) await getAll(context, updates);
};

async function askUpdate({
  pickers,
  store,
}: CommandContext): Promise<{ readonly group: string; readonly file: string } | undefined> {
  const outdated = new Set(updatesOf(store.state).map(({ file }) => file));
  const found = await pickers.file(t('Download Update'), {
    placeholder: t('Of which file?'),
    fits: (file) => outdated.has(file),
  });
  return found && { group: found.group, file: found.file.name };
}

/** A download goes beside the one that is there; what was shared from here has no such place. */
async function getAll(context: CommandContext, updates: readonly Update[]): Promise<void> {
  const byFolder = Map.groupBy(updates, ({ older, file }) =>
    older.kind === 'download' ? folderOf(older.path, file.name) : undefined,
  );
  for (const [folder, some] of byFolder) {
    if (folder === undefined) await downloadToUsualFolder(context, some.map(fileRefOf));
    else await downloadInto(context, some.map(fileRefOf), { folder, isDefault: false });
  }
}

/** The folder that a file of this name was downloaded into. */
const folderOf = (file: string, name: string): string => name.split('/').reduce((at) => path.dirname(at), file);

const fileRefOf = ({ group, file }: Update): FileRef => ({ group, name: file.name });

export const showDownloads: Command = async () => {
  await vscode.commands.executeCommand('shoal.downloads.focus');
};
