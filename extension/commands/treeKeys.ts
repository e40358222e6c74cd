// What the keys of a list do there: Delete takes the selected rows away, in the sense that each
// kind of row has, and Enter opens. A key acts on what is selected, which need not be what the eye
// is on: so Delete asks wherever its command does not.
import * as vscode from 'vscode';
import { inMessage, plural, t } from '../common/l10n.ts';
import type { Command, RowGiven, SelectedIn, Tools } from './context.ts';
import { is, rowsOf } from './context.ts';
import { openFile } from './download.ts';
import { cancelRequest, leaveGroup, rejectRequest, removeMember } from './groups.ts';
import { previewFile } from './preview.ts';
import { cancelDownload, clearTransfer } from './transfers.ts';
import { stopSharing } from './share.ts';

interface Way {
  readonly run: Command;
  /** What is asked first, where the command itself asks nothing. */
  readonly question?: (rows: readonly RowGiven[]) => {
    readonly words: string;
    readonly detail: string;
    readonly answer: string;
  };
}

const named = (rows: readonly RowGiven[]): string => inMessage(rows[0]?.label ?? '');

const stop: Way = {
  run: stopSharing,
  question: (rows) => ({
    words: plural(rows.length, 'Stop sharing {1}?', 'Stop sharing {0} files?', named(rows)),
    detail: t('This machine no longer serves it to the group. Files stay where they are.'),
    answer: t('Stop Sharing'),
  }),
};
const reject: Way = {
  run: rejectRequest,
  question: (rows) => ({
    words: plural(rows.length, 'Reject the request of {1}?', 'Reject {0} requests?', named(rows)),
    detail: t('Whoever is rejected may ask again.'),
    answer: t('Reject Request'),
  }),
};
const takeBack: Way = {
  run: cancelRequest,
  question: (rows) => ({
    words: plural(rows.length, 'Take back your request to join {1}?', 'Take back {0} requests to join?', named(rows)),
    detail: t('You may ask again.'),
    answer: t('Cancel Request'),
  }),
};
const clear: Way = {
  run: clearTransfer,
  question: (rows) => ({
    words: plural(rows.length, 'Remove {1} from the list?', 'Remove {0} downloads from the list?', named(rows)),
    detail: t('This machine no longer serves it to the group. Files stay where they are.'),
    answer: t('Remove from List'),
  }),
};

/** By words of the row's context; the first that fits. */
const DELETE: readonly (readonly [words: string, way: Way])[] = [
  ['request', reject],
  ['person removable', { run: removeMember }],
  ['applied', takeBack],
  ['group', { run: leaveGroup }],
  ['download partial', { run: cancelDownload }],
  ['download', clear],
  ['share', stop],
  ['served', stop],
];

const wayOf = (row: RowGiven | undefined): Way | undefined =>
  row && DELETE.find(([words]) => words.split(' ').every((word) => is(row, word)))?.[1];

/**
 * A click or Enter on a row of Files opens what it is, here or not; on one of Downloads what has
 * come or is shared.
 */
export const openFilesRow: Command = async (tools) => openRow(tools, 'files', previewFile);
export const openDownloadsRow: Command = async (tools) => openRow(tools, 'downloads', openFile);

async function openRow(tools: Tools, view: SelectedIn['selectedIn'], open: Command): Promise<void> {
  const [row] = tools.views[view].view.selection;
  if (row) await open(tools, row);
}

/**
 * Does with the selected rows what Delete means for the first of them, and only with those for
 * which it means the same.
 */
export const deleteSelected: Command = async (tools, given, all) => {
  const way = wayOf(rowsOf(given, all)[0]);
  if (!way) return;
  const nodes = (all ?? []).filter((node) => 'row' in node).filter(({ row }) => wayOf(row) === way);
  const question = way.question?.(nodes.map(({ row }) => row));
  if (
    question &&
    (await vscode.window.showWarningMessage(
      question.words,
      { modal: true, detail: question.detail },
      question.answer,
    )) !== question.answer
  ) {
    return;
  }
  await way.run(tools, nodes[0], nodes);
};
