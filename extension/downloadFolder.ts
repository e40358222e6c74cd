// Where downloads go, and saying so once.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Memory } from './memory.ts';
import { setting } from './settings.ts';
import { inMessage, t } from './words.ts';

/** Folder in a workspace that downloads go to when nothing is set. */
const DEFAULT_NAME = 'downloads';

/** The setting's folder; a relative one, and the default, lie in the workspace. Without a workspace it is the system's downloads folder. */
export function downloadFolder(): { readonly folder: string; readonly isDefault: boolean } {
  const set = setting('downloadFolder').trim().replace(/^~(?=$|[/\\])/, os.homedir());
  const workspace = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri.fsPath;
  const folder = path.resolve(workspace ?? systemDownloads(), set === '' ? (workspace === undefined ? '' : DEFAULT_NAME) : set);
  return { folder, isDefault: set === '' };
}

function systemDownloads(): string {
  const usual = path.join(os.homedir(), 'Downloads');
  return fs.existsSync(usual) ? usual : os.homedir();
}

/** Says where downloads go, once for each workspace, and offers to keep them out of git. */
export async function tellFolderOnce(memory: Memory, folder: string): Promise<void> {
  if (await memory.saidBefore(`downloads go to ${folder}`, 'here')) return;
  const root = gitRootOf(folder);
  const ignore = t('Add to .gitignore');
  const change = t('Change Folder…');
  const canIgnore = root !== undefined && !isIgnored(root, folder);
  void vscode.window.showInformationMessage(t('Downloads go to {0}.', inMessage(folder)), ...(canIgnore ? [ignore] : []), change).then((answer) => {
    if (answer === ignore && root !== undefined) addToIgnored(root, folder);
    if (answer === change) void vscode.commands.executeCommand('workbench.action.openSettings', 'shoal.downloadFolder');
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

/** Whether a line for it, in one of its usual forms, is there. What other patterns mean is git's business; a second line does no harm. */
export function isIgnored(root: string, folder: string): boolean {
  const line = lineFor(root, folder);
  const forms = [line, line.slice(1), line.slice(0, -1), line.slice(1, -1)];
  try {
    return fs.readFileSync(path.join(root, '.gitignore'), 'utf8').split(/\r?\n/).some((text) => forms.includes(text.trim()));
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
