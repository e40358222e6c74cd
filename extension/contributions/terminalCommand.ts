// Makes `shoal` a command of VS Code's terminals. Owns a folder of two files in the extension's
// storage and what the extension puts before the PATH there; touches no terminal's own settings. VS
// Code remembers it, so that mostly there is nothing to do.
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Log } from '../../protocol/base/world.ts';
import { setting } from '../common/settings.ts';
import { shims } from './commandShims.ts';
import { t } from '../common/l10n.ts';

/**
 * The shells that read their own start files put the PATH together anew: there it is put in front
 * once more.
 */
const OPTIONS = { applyAtProcessCreation: true, applyAtShellIntegration: true };

export function offerInTerminals(extension: vscode.ExtensionContext, log: Log): vscode.Disposable {
  const refresh = (): void => {
    update(extension).catch((error: unknown) => log.warn('cannot offer the command in terminals', { error }));
  };
  const soon = setImmediate(refresh); // not while VS Code waits for the activation
  const listening = vscode.workspace.onDidChangeConfiguration(
    (change) => change.affectsConfiguration('shoal.terminalPath') && refresh(),
  );
  return vscode.Disposable.from(listening, { dispose: () => clearImmediate(soon) });
}

async function update({
  environmentVariableCollection: variables,
  globalStorageUri,
  extensionPath,
}: vscode.ExtensionContext): Promise<void> {
  if (!setting('terminalPath')) return variables.clear();
  const folder = path.join(globalStorageUri.fsPath, 'bin');
  for (const { name, text, mode } of shims(
    process.execPath,
    path.join(extensionPath, 'dist', 'engine.js'),
    process.platform === 'win32',
  )) {
    await writeIfChanged(path.join(folder, name), text, mode);
  }
  const value = `${folder}${path.delimiter}`;
  if (variables.get('PATH')?.value !== value) variables.prepend('PATH', value, OPTIONS);
  const home = setting('home') === '' ? undefined : path.resolve(os.homedir(), setting('home'));
  if (home === undefined) variables.delete('SHOAL_HOME');
  else if (variables.get('SHOAL_HOME')?.value !== home) variables.replace('SHOAL_HOME', home, OPTIONS);
  variables.description = t('Adds the command shoal.');
}

/** Writes a file that is not so already, whole: a terminal may be running it. */
async function writeIfChanged(file: string, text: string, mode: number): Promise<void> {
  const now = await fs.readFile(file, 'utf8').catch(() => undefined);
  if (now === text) return;
  await fs.mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  await fs.writeFile(temporary, text, { mode });
  await fs.rename(temporary, file);
}
