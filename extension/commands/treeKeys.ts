// What the keys of a list do there: Delete takes the selected rows away, in the sense that each
// kind of row has, and Enter opens. A key acts on what is selected, which need not be what the eye
// is on: so Delete asks wherever its command does not.
import * as vscode from 'vscode';
import { inMessage, plural, t } from '../common/l10n.ts';
import type { Command, CommandRow, SelectedIn, CommandContext } from './context.ts';
import { hasContext, rowsOf } from './context.ts';
import { cancelRequest, leaveGroup, rejectRequest, removeMember } from './groups.ts';
import { openFile } from './localFiles.ts';
import { previewFile } from './preview.ts';
import { cancelDownload, clearTransfer } from './transfers.ts';
import { stopSharing } from './share.ts';

interface KeyAction {
  readonly run: Command;
  /** What is asked first, where the command itself asks nothing. */
  readonly question?: (rows: readonly CommandRow[]) => {
    readonly message: string;
    readonly detail: string;
    readonly answer: string;
  };
}

const named = (rows: readonly CommandRow[]): string => inMessage(rows[0]?.label ?? '');

const stop: KeyAction = {
  run: stopSharing,
  question: (rows) => ({
    message: plural(rows.length, 'Stop sharing {1}?', 'Stop sharing {0} files?', named(rows)),
    detail: t('This machine no longer serves it to the group. Files stay where they are.'),
    answer: t('Stop Sharing'),
  }),
};
const reject: KeyAction = {
  run: rejectRequest,
  question: (rows) => ({
    message: plural(rows.length, 'Reject the request of {1}?', 'Reject {0} requests?', named(rows)),
    detail: t('Whoever is rejected may ask again.'),
    answer: t('Reject Request'),
  }),
};
const withdraw: KeyAction = {
  run: cancelRequest,
  question: (rows) => ({
    message: plural(rows.length, 'Take back your request to join {1}?', 'Take back {0} requests to join?', named(rows)),
    detail: t('You may ask again.'),
    answer: t('Cancel Request'),
  }),
};
const clear: KeyAction = {
  run: clearTransfer,
  question: (rows) => ({
    message: plural(rows.length, 'Remove {1} from the list?', 'Remove {0} downloads from the list?', named(rows)),
    detail: t('This machine no longer serves it to the group. Files stay where they are.'),
    answer: t('Remove from List'),
  }),
};

/** By words of the row's context; the first that fits. */
const DELETE: readonly (readonly [words: string, keyAction: KeyAction])[] = [
  ['request', reject],
  ['person removable', { run: removeMember }],
  ['applied', withdraw],
  ['group', { run: leaveGroup }],
  ['download partial', { run: cancelDownload }],
  ['download', clear],
  ['share', stop],
  ['served', stop],
];

const keyActionOf = (row: CommandRow | undefined): KeyAction | undefined =>
  row && DELETE.find(([words]) => words.split(' ').every((word) => hasContext(row, word)))?.[1];

/**
 * A click or Enter on a row of Files opens what it is, here or not; on one of Downloads what has
 * come or is shared.
 */
export const openFilesRow: Command = async (context) => openRow(context, 'files', previewFile);
export const openDownloadsRow: Command = async (context) => openRow(context, 'downloads', openFile);

async function openRow(context: CommandContext, view: SelectedIn['selectedIn'], open: Command): Promise<void> {
  const [row] = context.views[view].view.selection;
  if (row) await open(context, row);
}

/**
 * Does with the selected rows what Delete means for the first of them, and only with those for
 * which it means the same.
 */
export const deleteSelected: Command = async (context, argument, selection) => {
  const keyAction = keyActionOf(rowsOf(argument, selection)[0]);
  if (!keyAction) return;
  const nodes = (selection ?? []).filter((node) => 'row' in node).filter(({ row }) => keyActionOf(row) === keyAction);
  const question = keyAction.question?.(nodes.map(({ row }) => row));
  if (
    question &&
    (await vscode.window.showWarningMessage(
      question.message,
      { modal: true, detail: question.detail },
      question.answer,
    )) !== question.answer
  ) {
    return;
  }
  await keyAction.run(context, nodes[0], nodes);
};
