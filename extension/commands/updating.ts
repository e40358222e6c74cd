// Commands of versions: what lies here in an older version than the group has.
import path from 'node:path';
import * as vscode from 'vscode';
import type { Update } from '../state/localCopies.ts';
import { updatesOf } from '../state/localCopies.ts';
import { t } from '../common/l10n.ts';
import type { Command, CommandContext } from './context.ts';
import { subjectsOf } from './context.ts';
import type { FileRef } from './download.ts';
import { downloadInto, downloadToUsualFolder, isDownloadable } from './download.ts';

/**
 * Gets the group's newest version of what is here in an older one: beside it, because nothing that
 * is here is overwritten.
 */
export const downloadUpdate: Command = async (context, argument, selection) => {
  const wanted = subjectsOf(argument, selection, 'update');
  const asked = argument ? undefined : await askUpdate(context);
  const isWanted = (update: Update): boolean =>
    [...wanted, ...(asked ? [asked] : [])].some(
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
  if (await isDownloadable(context, updates.map(fileRefsOf))) await getAll(context, updates);
};

async function askUpdate({
  pickers,
  store,
}: CommandContext): Promise<{ readonly group: string; readonly file: string } | undefined> {
  const behind = new Set(updatesOf(store.state).map(({ file }) => file));
  const found = await pickers.file(t('Download Update'), {
    placeholder: t('Of which file?'),
    fits: (file) => behind.has(file),
  });
  return found && { group: found.group, file: found.file.name };
}

/** A download goes beside the one that is there; what was shared from here has no such place. */
async function getAll(context: CommandContext, updates: readonly Update[]): Promise<void> {
  const byFolder = Map.groupBy(updates, ({ older, file }) =>
    older.kind === 'download' ? above(older.path, file.name) : undefined,
  );
  for (const [folder, some] of byFolder) {
    if (folder === undefined) await downloadToUsualFolder(context, some.map(fileRefsOf));
    else await downloadInto(context, some.map(fileRefsOf), { folder, isDefault: false });
  }
}

/** The folder that a file of this name was downloaded into. */
const above = (file: string, name: string): string => name.split('/').reduce((at) => path.dirname(at), file);

const fileRefsOf = ({ group, file }: Update): FileRef => ({ group, name: file.name });
