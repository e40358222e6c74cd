// Where downloads go, and saying so once.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { SavedState } from '../common/savedState.ts';
import { openSetting, setting } from '../common/settings.ts';
import { inMessage, t } from '../common/l10n.ts';

/** Folder in a workspace that downloads go to when nothing is set. */
const DEFAULT_NAME = 'downloads';

/**
 * The setting's folder; a relative one, and the default, lie in the workspace. Without a workspace
 * it is the system's downloads folder.
 */
export function downloadFolder(): { readonly folder: string; readonly isDefault: boolean } {
  const set = setting('downloadFolder')
    .trim()
    .replace(/^~(?=$|[/\\])/, os.homedir());
  const workspace = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri.fsPath;
  const folder = path.resolve(
    workspace ?? systemDownloads(),
    set === '' ? (workspace === undefined ? '' : DEFAULT_NAME) : set,
  );
  return { folder, isDefault: set === '' };
}

function systemDownloads(): string {
  const usual = path.join(os.homedir(), 'Downloads');
  return fs.existsSync(usual) ? usual : os.homedir();
}

/** Says where downloads go, once for each workspace, and offers to keep them out of git. */
export async function announceFolderOnce(savedState: SavedState, folder: string): Promise<void> {
  if (await savedState.markShown(`downloads go to ${folder}`, 'here')) return;
  const root = gitRootOf(folder);
  const ignore = t('Add to .gitignore');
  const change = t('Change Folder…');
  const canIgnore = root !== undefined && !isIgnored(root, folder);
  void vscode.window
    .showInformationMessage(t('Downloads go to {0}.', inMessage(folder)), ...(canIgnore ? [ignore] : []), change)
    .then((answer) => {
      if (answer === ignore && root !== undefined) addToIgnored(root, folder);
      if (answer === change) void openSetting('downloadFolder');
    });
}

/**
 * Keeps where downloads of a group went this time, for the next question, and asks once whether all
 * of them shall go there.
 */
export async function rememberGroupFolder(savedState: SavedState, group: string, folder: string): Promise<void> {
  const remembered = savedState.folderOf(group);
  await savedState.rememberFolder(group, {
    folder,
    isUsual: remembered?.isUsual === true && remembered.folder === folder,
  });
  if (remembered?.folder === folder) return;
  const always = t('Always for {0}', inMessage(group));
  void vscode.window
    .showInformationMessage(t('Downloading to {0}.', inMessage(folder)), always)
    .then(async (answer) => {
      if (answer === always) await savedState.rememberFolder(group, { folder, isUsual: true });
    });
}

/** Says where downloads of a group go when that is not the usual folder, once for each. */
export async function announceGroupFolderOnce(savedState: SavedState, group: string, folder: string): Promise<void> {
  if (await savedState.markShown(`downloads of ${group} go to ${folder}`, 'here')) return;
  const usual = t('Use the Usual Folder');
  void vscode.window
    .showInformationMessage(t('Downloads of {0} go to {1}.', inMessage(group), inMessage(folder)), usual)
    .then(async (answer) => {
      if (answer === usual) await savedState.rememberFolder(group, undefined);
    });
}

/** The folder above it that git keeps; undefined when there is none. */
export function gitRootOf(folder: string): string | undefined {
  for (let at = path.dirname(folder); ; at = path.dirname(at)) {
    if (fs.existsSync(path.join(at, '.git'))) return at;
    if (at === path.dirname(at)) return undefined;
  }
}

const lineFor = (root: string, folder: string): string => `/${path.relative(root, folder).split(path.sep).join('/')}/`;

/**
 * Whether a line for it, in one of its usual forms, is there. What other patterns mean is git's
 * business; a second line does no harm.
 */
export function isIgnored(root: string, folder: string): boolean {
  const line = lineFor(root, folder);
  const forms = [line, line.slice(1), line.slice(0, -1), line.slice(1, -1)];
  try {
    return fs
      .readFileSync(path.join(root, '.gitignore'), 'utf8')
      .split(/\r?\n/)
      .some((text) => forms.includes(text.trim()));
  } catch {
    return false;
  }
}

/** Appends a line; what is there stays as it is. */
export function addToIgnored(root: string, folder: string): void {
  const file = path.join(root, '.gitignore');
  const before = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  const newline = before.includes('\r\n') ? '\r\n' : '\n';
  fs.appendFileSync(file, `${before === '' || before.endsWith('\n') ? '' : newline}${lineFor(root, folder)}${newline}`);
}
