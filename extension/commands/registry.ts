// Every command: its name and what runs. package.json says where each is shown; a test compares the
// two. This is the one place that runs commands, and so the one that says what went wrong.
import * as vscode from 'vscode';
import { asShoalError, isShoalError } from '../../protocol/base/errors.ts';
import { changePassword, createAccount, signIn, signOut } from './account.ts';
import { chooseFiles } from './fileSelection.ts';
import { parseArguments } from './context.ts';
import type { Command, CommandContext } from './context.ts';
import { downloadAllUpdates, downloadFile, downloadTo, downloadUpdate, showDownloads } from './download.ts';
import {
  clearFilter,
  filterFiles,
  goToFile,
  markSeen,
  showMoreFiles,
  sortFilesByName,
  sortFilesByNewest,
  sortFilesBySize,
} from './search.ts';
import {
  acceptAllRequests,
  acceptRequest,
  cancelRequest,
  createGroup,
  joinGroup,
  deleteGroup,
  leaveGroup,
  rejectRequest,
  reviewRequests,
  removeMember,
  renameAccount,
  renameGroup,
  transferGroup,
} from './groups.ts';
import { copyDiagnostics, getStarted, openKeepSharing, refresh, showLog, startEngine, stopEngine } from './help.ts';
import { copyFileLink, copyInvitationLink, openLink } from './links.ts';
import { openFile, revealFile, verifyFile } from './localFiles.ts';
import { compareFile, compareWithShared, downloadShown, previewFile } from './preview.ts';
import {
  cancelDownload,
  clearCompleted,
  clearTransfer,
  doNotOpenWhenDone,
  inspectSwarm,
  limitSpeed,
  moveDown,
  moveToBottom,
  moveToTop,
  moveUp,
  openWhenDone,
  pauseAll,
  pauseDownload,
  resumeAll,
  resumeDownload,
  retryDownload,
  setPriority,
} from './transfers.ts';
import { deleteSelected, openDownloadsRow, openFilesRow } from './treeKeys.ts';
import { removeFile, shareFile, shareFolder, stopSharing } from './share.ts';
import { copyTrackerUrl, startLocalPair, stopLocalPair } from './trackers.ts';
import { describeError } from '../messages/errorMessages.ts';
import { signedIn } from '../engineClient/whenReady.ts';

/** Commands for whoever is signed in, by the name behind `shoal.`. Others are told to sign in. */
const FOR_MEMBERS = {
  signOut,
  changePassword,
  renameAccount,
  createGroup,
  joinGroup,
  cancelRequest,
  leaveGroup,
  transferGroup,
  renameGroup,
  deleteGroup,
  removeMember,
  acceptRequest,
  rejectRequest,
  acceptAllRequests,
  reviewRequests,
  shareFile,
  shareFolder,
  stopSharing,
  removeFile,
  goToFile,
  filterFiles,
  clearFilter,
  sortFilesByName,
  sortFilesByNewest,
  sortFilesBySize,
  showMoreFiles,
  markSeen,
  previewFile,
  compareFile,
  compareWithShared,
  downloadFile,
  downloadFolder: downloadFile,
  downloadShown,
  downloadUpdate,
  downloadAllUpdates,
  downloadTo,
  chooseFiles,
  openFile,
  revealFile,
  pauseDownload,
  resumeDownload,
  retryDownload,
  cancelDownload,
  clearTransfer,
  clearCompleted,
  verifyFile,
  pauseAll,
  resumeAll,
  moveToTop,
  moveUp,
  moveDown,
  moveToBottom,
  setPriority,
  limitSpeed,
  openWhenDone,
  doNotOpenWhenDone,
  inspectSwarm,
  deleteSelected,
  openFilesRow,
  openDownloadsRow,
  copyInvitationLink,
  copyFileLink,
  refresh,
} as const satisfies Record<string, Command>;

/** Commands for everybody. */
const FOR_ALL = {
  signIn,
  createAccount,
  openLink,
  startLocalPair,
  stopLocalPair,
  copyTrackerUrl,
  showDownloads,
  startEngine,
  stopEngine,
  getStarted,
  openKeepSharing,
  showLog,
  copyDiagnostics,
} as const satisfies Record<string, Command>;

export const COMMAND_NAMES: readonly string[] = [...Object.keys(FOR_MEMBERS), ...Object.keys(FOR_ALL)];

export function registerCommands(context: CommandContext): vscode.Disposable {
  const all = Object.entries<Command>({ ...FOR_MEMBERS, ...FOR_ALL }).map(([name, command]) =>
    vscode.commands.registerCommand(`shoal.${name}`, async (...args: readonly unknown[]) => {
      const { argument, selection } = parseArguments(args, context);
      if (argument === 'nothing') return; // a key where nothing is selected
      await runWithErrors(context, name, async () => {
        if (name in FOR_MEMBERS) await signedIn(context.store);
        await command(context, argument, selection);
      });
    }),
  );
  return vscode.Disposable.from(...all);
}

/** Does something that no menu named, as a drop is, and says what went wrong. */
export async function runWithErrors(
  tools: Pick<CommandContext, 'log'>,
  name: string,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    showError(error, name, tools);
  }
}

function showError(error: unknown, name: string, { log }: Pick<CommandContext, 'log'>): void {
  // the person changed their mind
  if (error instanceof vscode.CancellationError || isShoalError(error, 'cancelled')) return;
  const failure = asShoalError(error);
  if (isShoalError(error)) log.warn(`${name}: ${failure.code}`, failure.message);
  else log.error(name, failure.cause ?? failure);
  const { sentence, actions } = describeError(failure);
  // Not waited for: the command is over, whatever becomes of the message.
  void vscode.window.showErrorMessage(sentence, ...actions.map(({ label }) => label)).then((answer) => {
    const action = actions.find(({ label }) => label === answer);
    if (action) void vscode.commands.executeCommand(action.command);
  });
}
