// Commands of files that lie on this machine: opening them, showing where they are, and comparing
// them with what was shared.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { isShoalError, ShoalError } from '../../protocol/base/errors.ts';
import { validateFileName } from '../../protocol/base/names.ts';
import { isComplete } from '../../protocol/frontend/transferState.ts';
import { inMessage, t } from '../common/l10n.ts';
import { isHere } from '../state/localCopies.ts';
import type { Command } from './context.ts';
import { subjectsOf } from './context.ts';

export const openFile: Command = async ({ pickers }, argument, selection) => {
  const paths = subjectsOf(argument, selection).flatMap(({ path: file }) => (file === undefined ? [] : [file]));
  const picked = paths.length > 0 ? undefined : await pickers.transfer(t('Open File'), t('Open which file?'), isHere);
  for (const file of picked ? [picked.path] : paths) await openPath(file);
};

export const revealFile: Command = async ({ pickers }, argument) => {
  const file =
    subjectsOf(argument)[0]?.path ?? (await pickers.transfer(t('Show in Folder'), t('Show which file?'), isHere))?.path;
  if (file !== undefined) await revealPath(file);
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

/** Shows where it lies. @throws ShoalError fileMissing */
export async function revealPath(file: string): Promise<void> {
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
