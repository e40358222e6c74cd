// Commands that open a shared file before it is downloaded, and compare one with a file of this
// machine.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../protocol/frontend/format.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import { fileNameKey, nameKey } from '../../protocol/base/names.ts';
import type { FileRow } from '../../protocol/messages/trackerLink.ts';
import { isHere } from '../state/localCopies.ts';
import { isTextLike } from '../messages/truncatedText.ts';
import { openSetting } from '../common/settings.ts';
import { openLimitBytes } from '../remoteFiles/fileSystemProvider.ts';
import type { SharedFileLocation } from '../remoteFiles/fileUri.ts';
import { parseSharedUri, HEAD_SCHEME, sharedUri } from '../remoteFiles/fileUri.ts';
import { myGroups } from '../state/state.ts';
import { inMessage, printableName, withoutIcons, t } from '../common/l10n.ts';
import type { Command, CommandContext } from './context.ts';
import { subjectsOf } from './context.ts';
import { downloadToUsualFolder } from './download.ts';
import { openPath } from './localFiles.ts';

/** Bytes that tell text from other things. */
const SNIFF_BYTES = 8 * 1024;

/** A file of the catalogue and the group it is in. */
interface SharedFileRef {
  readonly group: string;
  readonly file: FileRow;
}

export const previewFile: Command = async (context, argument, selection) => {
  const subjects = subjectsOf(argument, selection);
  for (const { group, file, path: here } of subjects) {
    if (group === undefined || file === undefined) continue;
    if (here !== undefined && !isFolder(here)) await openPath(here);
    else await preview(context, { group, file: await context.store.call('findFile', { group, name: file }) });
  }
  if (subjects.length > 0) return;
  const found = await context.pickers.file(t('Open Without Downloading'), {
    placeholder: t('Type a part of a name; Enter opens'),
  });
  if (found) await preview(context, found);
};

const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;

async function preview(context: CommandContext, found: SharedFileRef): Promise<void> {
  const location = await placeOf(context, found);
  if (!location) return;
  const { sizeBytes } = await context.reader.info(location);
  checkSeeders(context, found.file);
  if (sizeBytes <= openLimitBytes()) {
    return void (await vscode.commands.executeCommand('vscode.open', vscode.Uri.from(sharedUri(location))));
  }
  const start = await context.reader.bytes(location, Math.min(SNIFF_BYTES, sizeBytes));
  if (isTextLike(start)) {
    return void (await vscode.commands.executeCommand(
      'vscode.open',
      vscode.Uri.from(sharedUri(location, HEAD_SCHEME)),
    ));
  }
  await offerDownload(context, found, sizeBytes);
}

/**
 * Nobody who is online has it, and nothing of it is here: it is said at once, and not after a look
 * round. @throws ShoalError nobodyServes
 */
function checkSeeders({ store: { state } }: CommandContext, { name, root, seeders, leechers }: FileRow): void {
  if (
    seeders + leechers === 0 &&
    ![...state.transfers.values()].some(
      (transfer) => transfer.root === root && (isHere(transfer) || transfer.heldPieces > 0),
    )
  ) {
    throw new ShoalError('nobodyServes', { name });
  }
}

/** No dialog: a click on a row that was meant to select it shall not stand in anybody's way. */
async function offerDownload(
  context: CommandContext,
  { group, file }: SharedFileRef,
  sizeBytes: number,
): Promise<void> {
  const download = t('Download');
  const change = t('Change Limit…');
  const answer = await vscode.window.showInformationMessage(
    t('{0} is too large to be opened without downloading it ({1}).', inMessage(file.name), formatBytes(sizeBytes)),
    download,
    change,
  );
  if (answer === download) await downloadToUsualFolder(context, [{ group, name: file.name }]);
  if (answer === change) await openSetting('openLimit');
}

/** The file itself, or one of a folder that the person chooses. */
async function placeOf(
  { pickers, reader }: CommandContext,
  { group, file: { name, root, content } }: SharedFileRef,
): Promise<SharedFileLocation | undefined> {
  const place = { group, name, root, path: '' };
  if (content !== 'folder') return place;
  const inside = await pickers.fileInside(t('Open a File of {0}', inMessage(name)), () => reader.files(place));
  return inside === undefined ? undefined : { ...place, path: inside };
}

/**
 * Downloads what an editor shows without its being here: by the button in its title, or by the link
 * where somebody types into it.
 */
export const downloadShown: Command = async (context, argument) => {
  const { store, pickers } = context;
  const uri = argument instanceof vscode.Uri ? argument : uriShown();
  const location = uri && parseSharedUri(uri);
  const group = location && myGroups(store.state).find(({ name }) => nameKey(name) === nameKey(location.group))?.name;
  const picked = location
    ? undefined
    : await pickers.file(t('Download File'), { placeholder: t('Type a part of a name; Enter downloads') });
  if (location) await downloadToUsualFolder(context, [{ group: group ?? location.group, name: location.name }]);
  else if (picked) await downloadToUsualFolder(context, [{ group: picked.group, name: picked.file.name }]);
};

function uriShown(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom ? input.uri : undefined;
}

/** From the explorer: its title is another one. */
export const compareWithShared: Command = (context, argument) => compareFile(context, argument);

export const compareFile: Command = async (context, argument) => {
  const found = await sharedFileOf(context, argument);
  const location = found && (await placeOf(context, found));
  if (!found || !location) return;
  const { sizeBytes } = await context.reader.info(location);
  const limit = openLimitBytes();
  if (sizeBytes > limit) {
    throw new ShoalError('usage', {
      why: t(
        '{0} has {1}, and only files up to {2} are compared (shoal.openLimit)',
        printableName(location.name),
        formatBytes(sizeBytes),
        formatBytes(limit),
      ),
    });
  }
  checkSeeders(context, found.file);
  const mine = argument instanceof vscode.Uri ? argument : await localFileOf(context, found, location);
  if (!mine) return;
  const title = t(
    '{0}: {1}, version {2} ↔ mine',
    printableName(path.posix.basename(`${location.name}/${location.path}`)),
    printableName(found.group),
    found.file.version,
  );
  await vscode.commands.executeCommand('vscode.diff', vscode.Uri.from(sharedUri(location)), mine, title);
};

/** The shared file that a row is about, or that a file of the workspace may be a version of. */
async function sharedFileOf(
  context: CommandContext,
  argument: Parameters<Command>[1],
): Promise<SharedFileRef | undefined> {
  const { store, pickers } = context;
  if (!(argument instanceof vscode.Uri)) {
    const [subject] = subjectsOf(argument);
    if (subject?.group === undefined || subject.file === undefined) {
      return pickers.file(t('Compare with My File'), {
        placeholder: t('Compare which file?'),
        fits: ({ content }) => content !== 'folder',
      });
    }
    return { group: subject.group, file: await store.call('findFile', { group: subject.group, name: subject.file }) };
  }
  await store.listings.readAll('files');
  const copies = [...store.state.transfers.values()].filter((transfer) => transfer.path === argument.fsPath);
  const fits = (group: string, { name, content }: FileRow): boolean =>
    content !== 'folder' &&
    (copies.length > 0
      ? copies.some((transfer) => transfer.groupName === group && fileNameKey(transfer.name) === fileNameKey(name))
      : fileNameKey(path.posix.basename(name)) === fileNameKey(path.basename(argument.fsPath)));
  const all = myGroups(store.state).flatMap(({ group, name }) =>
    (store.state.files.get(group)?.rows ?? [])
      .filter((file) => fits(name, file))
      .map((file) => ({ group: name, file })),
  );
  if (all.length === 0) {
    throw new ShoalError('usage', {
      why: t('no group of yours shares a file named {0}', printableName(path.basename(argument.fsPath))),
    });
  }
  if (all.length === 1) return all[0];
  return pickers.choice(t('Compare with Shared Version'), {
    placeholder: t('Compare with which file?'),
    items: all.map((value) => ({
      label: withoutIcons(value.file.name),
      description: [withoutIcons(value.group), withoutIcons(value.file.author)].join(' · '),
      value,
    })),
  });
}

/**
 * The file on this machine that was shared or downloaded under this name, the latest first;
 * otherwise one that the person names.
 */
async function localFileOf(
  { store: { state } }: CommandContext,
  { group, file }: SharedFileRef,
  location: SharedFileLocation,
): Promise<vscode.Uri | undefined> {
  const here = [...state.transfers.values()]
    .filter((transfer) => transfer.groupName === group && fileNameKey(transfer.name) === fileNameKey(file.name))
    .sort((a, b) => b.id - a.id)
    .map((transfer) => path.join(transfer.path, ...location.path.split('/')))
    .find((at) => existsSync(at) && !isFolder(at));
  if (here !== undefined) return vscode.Uri.file(here);
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: t('Compare {0} with', printableName(file.name)),
      openLabel: t('Compare'),
      canSelectMany: false,
    })) ?? [];
  return chosen;
}
