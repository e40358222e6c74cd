// Commands that open a shared file before it is downloaded, and compare one with a file of this
// machine.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { amount } from '../../protocol/frontend/format.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import { fileNameKey, nameKey } from '../../protocol/base/names.ts';
import type { FileRow } from '../../protocol/messages/trackerLink.ts';
import { isHere } from '../state/localCopies.ts';
import { isTextLike } from '../messages/truncatedText.ts';
import { openSetting } from '../common/settings.ts';
import { openLimitBytes } from '../remoteFiles/fileSystemProvider.ts';
import type { SharedPlace } from '../remoteFiles/fileUri.ts';
import { placeIn, SHARED_HEAD, sharedUri } from '../remoteFiles/fileUri.ts';
import { myGroups } from '../state/state.ts';
import { inMessage, shown, shownWithIcons, t } from '../common/l10n.ts';
import type { Command, Tools } from './context.ts';
import { subjectsOf } from './context.ts';
import { downloadUsual, openPath } from './download.ts';

/** Bytes that tell text from other things. */
const LOOK_BYTES = 8 * 1024;

/** A file of the catalogue and the group it is in. */
interface Found {
  readonly group: string;
  readonly file: FileRow;
}

export const previewFile: Command = async (tools, given, all) => {
  const subjects = subjectsOf(given, all);
  for (const { group, file, path: here } of subjects) {
    if (group === undefined || file === undefined) continue;
    if (here !== undefined && !isFolder(here)) await openPath(here);
    else await preview(tools, { group, file: await tools.store.call('findFile', { group, name: file }) });
  }
  if (subjects.length > 0) return;
  const found = await tools.ask.file(t('Open Without Downloading'), {
    placeholder: t('Type a part of a name; Enter opens'),
  });
  if (found) await preview(tools, found);
};

const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;

async function preview(tools: Tools, found: Found): Promise<void> {
  const place = await placeOf(tools, found);
  if (!place) return;
  const { sizeBytes } = await tools.reader.info(place);
  checkSomebody(tools, found.file);
  if (sizeBytes <= openLimitBytes()) {
    return void (await vscode.commands.executeCommand('vscode.open', vscode.Uri.from(sharedUri(place))));
  }
  const start = await tools.reader.bytes(place, Math.min(LOOK_BYTES, sizeBytes));
  if (isTextLike(start)) {
    return void (await vscode.commands.executeCommand('vscode.open', vscode.Uri.from(sharedUri(place, SHARED_HEAD))));
  }
  await offerDownload(tools, found, sizeBytes);
}

/**
 * Nobody who is online has it, and nothing of it is here: it is said at once, and not after a look
 * round. @throws ShoalError nobodyServes
 */
function checkSomebody({ store: { state } }: Tools, { name, root, seeders, leechers }: FileRow): void {
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
async function offerDownload(tools: Tools, { group, file }: Found, sizeBytes: number): Promise<void> {
  const download = t('Download');
  const change = t('Change Limit…');
  const answer = await vscode.window.showInformationMessage(
    t('{0} is too large to be opened without downloading it ({1}).', inMessage(file.name), amount(sizeBytes)),
    download,
    change,
  );
  if (answer === download) await downloadUsual(tools, [{ group, name: file.name }]);
  if (answer === change) await openSetting('openLimit');
}

/** The file itself, or one of a folder that the person chooses. */
async function placeOf(
  { ask, reader }: Tools,
  { group, file: { name, root, content } }: Found,
): Promise<SharedPlace | undefined> {
  const place = { group, name, root, path: '' };
  if (content !== 'folder') return place;
  const inside = await ask.fileInside(t('Open a File of {0}', inMessage(name)), () => reader.files(place));
  return inside === undefined ? undefined : { ...place, path: inside };
}

/**
 * Downloads what an editor shows without its being here: by the button in its title, or by the link
 * where somebody types into it.
 */
export const downloadShown: Command = async (tools, given) => {
  const { store, ask } = tools;
  const uri = given instanceof vscode.Uri ? given : uriShown();
  const place = uri && placeIn(uri);
  const group = place && myGroups(store.state).find(({ name }) => nameKey(name) === nameKey(place.group))?.name;
  const asked = place
    ? undefined
    : await ask.file(t('Download File'), { placeholder: t('Type a part of a name; Enter downloads') });
  if (place) await downloadUsual(tools, [{ group: group ?? place.group, name: place.name }]);
  else if (asked) await downloadUsual(tools, [{ group: asked.group, name: asked.file.name }]);
};

function uriShown(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom ? input.uri : undefined;
}

/** From the explorer: its title is another one. */
export const compareWithShared: Command = (tools, given) => compareFile(tools, given);

export const compareFile: Command = async (tools, given) => {
  const found = await sharedOf(tools, given);
  const place = found && (await placeOf(tools, found));
  if (!found || !place) return;
  const { sizeBytes } = await tools.reader.info(place);
  const limit = openLimitBytes();
  if (sizeBytes > limit) {
    throw new ShoalError('usage', {
      why: t(
        '{0} has {1}, and only files up to {2} are compared (shoal.openLimit)',
        shown(place.name),
        amount(sizeBytes),
        amount(limit),
      ),
    });
  }
  checkSomebody(tools, found.file);
  const mine = given instanceof vscode.Uri ? given : await mineOf(tools, found, place);
  if (!mine) return;
  const title = t(
    '{0}: {1}, version {2} ↔ mine',
    shown(path.posix.basename(`${place.name}/${place.path}`)),
    shown(found.group),
    found.file.version,
  );
  await vscode.commands.executeCommand('vscode.diff', vscode.Uri.from(sharedUri(place)), mine, title);
};

/** The shared file that a row is about, or that a file of the workspace may be a version of. */
async function sharedOf(tools: Tools, given: Parameters<Command>[1]): Promise<Found | undefined> {
  const { store, ask } = tools;
  if (!(given instanceof vscode.Uri)) {
    const [subject] = subjectsOf(given);
    if (subject?.group === undefined || subject.file === undefined) {
      return ask.file(t('Compare with My File'), {
        placeholder: t('Compare which file?'),
        fits: ({ content }) => content !== 'folder',
      });
    }
    return { group: subject.group, file: await store.call('findFile', { group: subject.group, name: subject.file }) };
  }
  await store.listings.readAll('files');
  const known = [...store.state.transfers.values()].filter((transfer) => transfer.path === given.fsPath);
  const fits = (group: string, { name, content }: FileRow): boolean =>
    content !== 'folder' &&
    (known.length > 0
      ? known.some((transfer) => transfer.groupName === group && fileNameKey(transfer.name) === fileNameKey(name))
      : fileNameKey(path.posix.basename(name)) === fileNameKey(path.basename(given.fsPath)));
  const all = myGroups(store.state).flatMap(({ group, name }) =>
    (store.state.files.get(group)?.rows ?? [])
      .filter((file) => fits(name, file))
      .map((file) => ({ group: name, file })),
  );
  if (all.length === 0) {
    throw new ShoalError('usage', {
      why: t('no group of yours shares a file named {0}', shown(path.basename(given.fsPath))),
    });
  }
  if (all.length === 1) return all[0];
  return ask.choice(t('Compare with Shared Version'), {
    placeholder: t('Compare with which file?'),
    items: all.map((value) => ({
      label: shownWithIcons(value.file.name),
      description: [shownWithIcons(value.group), shownWithIcons(value.file.author)].join(' · '),
      value,
    })),
  });
}

/**
 * The file on this machine that was shared or downloaded under this name, the latest first;
 * otherwise one that the person names.
 */
async function mineOf(
  { store: { state } }: Tools,
  { group, file }: Found,
  place: SharedPlace,
): Promise<vscode.Uri | undefined> {
  const here = [...state.transfers.values()]
    .filter((transfer) => transfer.groupName === group && fileNameKey(transfer.name) === fileNameKey(file.name))
    .sort((a, b) => b.id - a.id)
    .map((transfer) => path.join(transfer.path, ...place.path.split('/')))
    .find((at) => existsSync(at) && !isFolder(at));
  if (here !== undefined) return vscode.Uri.file(here);
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: t('Compare {0} with', shown(file.name)),
      openLabel: t('Compare'),
      canSelectMany: false,
    })) ?? [];
  return chosen;
}
