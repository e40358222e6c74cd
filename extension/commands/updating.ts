// Commands of versions: what lies here in an older version than the group has.
import path from 'node:path';
import * as vscode from 'vscode';
import type { Update } from '../state/localCopies.ts';
import { updatesOf } from '../state/localCopies.ts';
import { t } from '../common/l10n.ts';
import type { Command, Tools } from './context.ts';
import { subjectsOf } from './context.ts';
import type { Wanted } from './download.ts';
import { downloadInto, downloadUsual, isMeant } from './download.ts';

/**
 * Gets the group's newest version of what is here in an older one: beside it, because nothing that
 * is here is overwritten.
 */
export const downloadUpdate: Command = async (tools, given, all) => {
  const wanted = subjectsOf(given, all, 'update');
  const asked = given ? undefined : await askUpdate(tools);
  const isWanted = (update: Update): boolean =>
    [...wanted, ...(asked ? [asked] : [])].some(
      ({ group, file }) => group === update.group && file === update.file.name,
    );
  await getAll(tools, updatesOf(tools.store.state).filter(isWanted));
};

export const downloadAllUpdates: Command = async (tools) => {
  await tools.store.listings.readAll('files');
  const updates = updatesOf(tools.store.state);
  if (updates.length === 0) {
    return void vscode.window.showInformationMessage(t('Of everything that is here you have the newest version.'));
  }
  if (await isMeant(tools, updates.map(wantedOf))) await getAll(tools, updates);
};

async function askUpdate({
  ask,
  store,
}: Tools): Promise<{ readonly group: string; readonly file: string } | undefined> {
  const behind = new Set(updatesOf(store.state).map(({ file }) => file));
  const found = await ask.file(t('Download Update'), {
    placeholder: t('Of which file?'),
    fits: (file) => behind.has(file),
  });
  return found && { group: found.group, file: found.file.name };
}

/** A download goes beside the one that is there; what was shared from here has no such place. */
async function getAll(tools: Tools, updates: readonly Update[]): Promise<void> {
  const byFolder = Map.groupBy(updates, ({ older, file }) =>
    older.kind === 'download' ? above(older.path, file.name) : undefined,
  );
  for (const [folder, some] of byFolder) {
    if (folder === undefined) await downloadUsual(tools, some.map(wantedOf));
    else await downloadInto(tools, some.map(wantedOf), { folder, isDefault: false });
  }
}

/** The folder that a file of this name was downloaded into. */
const above = (file: string, name: string): string => name.split('/').reduce((at) => path.dirname(at), file);

const wantedOf = ({ group, file }: Update): Wanted => ({ group, name: file.name });
