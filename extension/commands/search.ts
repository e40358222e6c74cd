// Commands of finding a file among many: go to it, filter, sort, and what is new.
import * as vscode from 'vscode';
import type { FileInGroup } from '../state/fileSearch.ts';
import { myGroups } from '../state/state.ts';
import { updateSetting } from '../common/settings.ts';
import type { FilesOrder } from '../common/settings.ts';
import { levelsTo } from '../views/files.ts';
import { t } from '../common/l10n.ts';
import type { Command, CommandContext } from './context.ts';
import { hasContext, subjectsOf } from './context.ts';
import { getFile } from './download.ts';

/** One list over all groups: Enter shows the file in its group, a button gets it. */
export const goToFile: Command = async (context) => {
  const found = await context.pickers.file(t('Go to Shared File'), {
    placeholder: t('Type a part of a name; Enter shows it in its group'),
    buttons: [
      { icon: 'cloud-download', title: t('Download, or open what is here'), action: 'get' },
      { icon: 'list-tree', title: t('Show in Files'), action: 'show' },
    ],
  });
  if (found?.action === 'get') await getFile(context, { group: found.group, name: found.file.name });
  else if (found) await showInFiles(context, found);
};

/** Selects a file in the view, however deep it lies and however many lie beside it. */
export async function showInFiles(
  { store, filesViewState, views }: CommandContext,
  { group: groupName, file: { name } }: FileInGroup,
): Promise<void> {
  const group = myGroups(store.state).find((one) => one.name === groupName)?.group;
  if (group === undefined) return;
  filesViewState.filter('');
  for (const { level, rows } of levelsTo(
    group,
    store.state.files.get(group)?.rows ?? [],
    name,
    filesViewState.options,
  )) {
    filesViewState.showMore(level, rows);
  }
  await vscode.commands.executeCommand('shoal.files.focus');
  await views.files.reveal(({ context, subject }) => {
    if (subject.group !== groupName) return 'no';
    if (subject.file === name) return 'it';
    return context.startsWith('filesGroup') || (subject.folder !== undefined && name.startsWith(subject.folder))
      ? 'below'
      : 'no';
  });
}

/** The view follows what is typed; Esc brings back what was shown before. */
export const filterFiles: Command = async ({ pickers, filesViewState }) => {
  const before = filesViewState.options.filter;
  const kept = await pickers.live(t('Filter Files'), {
    prompt: t('Words that names have; empty for all files'),
    value: before,
    typed: (text) => filesViewState.filter(text),
  });
  if (kept === undefined) filesViewState.filter(before);
};

export const clearFilter: Command = async ({ filesViewState }) => filesViewState.filter('');

/** The view follows the setting. */
const sorting =
  (order: FilesOrder): Command =>
  () =>
    updateSetting('filesOrder', order);
export const sortFilesByName = sorting('name');
export const sortFilesByNewest = sorting('newest');
export const sortFilesBySize = sorting('size');

export const showMoreFiles: Command = async ({ filesViewState }, argument, selection) => {
  for (const { level } of subjectsOf(argument, selection, 'more')) {
    if (level !== undefined) filesViewState.showMore(level);
  }
};

/** Of one group, or of all. */
export const markSeen: Command = async ({ filesViewState, store }, argument) => {
  const name =
    argument && 'row' in argument && hasContext(argument.row, 'filesGroup') ? argument.row.subject.group : undefined;
  filesViewState.markSeen(
    myGroups(store.state)
      .filter((group) => name === undefined || group.name === name)
      .map(({ group }) => group),
  );
};
