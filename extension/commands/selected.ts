// What the keys of a list do there: Delete takes the selected rows away, in the sense that each kind of row has, and Enter opens. A key acts on
// what is selected, which need not be what the eye is on: so Delete asks wherever its command does not.
import * as vscode from 'vscode';
import { inMessage, plural, t } from '../words.ts';
import type { Row } from '../views/row.ts';
import type { Command } from './command.ts';
import { is, rowsOf } from './command.ts';
import { downloadFile, openFile } from './downloading.ts';
import { cancelRequest, leaveGroup, rejectRequest, removeMember } from './groups.ts';
import { cancelDownload, clearTransfer } from './queueing.ts';
import { stopSharing } from './sharing.ts';

interface Way {
  readonly run: Command;
  /** What is asked first, where the command itself asks nothing. */
  readonly question?: { readonly words: (rows: readonly Row[]) => string; readonly answer: () => string };
}

const named = (rows: readonly Row[]): string => inMessage(rows[0]?.label ?? '');
const stopping: Way['question'] = { words: (rows) => (rows.length === 1 ? t('Stop sharing {0}?', named(rows)) : plural(rows.length, 'Stop sharing {0} file?', 'Stop sharing {0} files?')), answer: () => t('Stop Sharing') };

/** By a word of the row's context; the first that fits. */
const DELETE: readonly (readonly [word: string, way: Way])[] = [
  ['request', { run: rejectRequest, question: { words: (rows) => (rows.length === 1 ? t('Reject the request of {0}?', named(rows)) : plural(rows.length, 'Reject {0} request?', 'Reject {0} requests?')), answer: () => t('Reject Request') } }],
  ['removable person', { run: removeMember }], ['applied', { run: cancelRequest, question: { words: (rows) => t('Take back your request to join {0}?', named(rows)), answer: () => t('Cancel Request') } }], ['group', { run: leaveGroup }],
  ['partial download', { run: cancelDownload }],
  ['download', { run: clearTransfer, question: { words: (rows) => (rows.length === 1 ? t('Remove {0} from the list?', named(rows)) : plural(rows.length, 'Remove {0} download from the list?', 'Remove {0} downloads from the list?')), answer: () => t('Remove from List') } }],
  ['share', { run: stopSharing, question: stopping }], ['served', { run: stopSharing, question: stopping }],
];

/** Does with the selected rows what Delete means for the first of them, and only with those of its kind. */
export const deleteSelected: Command = async (tools, given, all) => {
  const [first] = rowsOf(given, all);
  const [words, way] = DELETE.find(([wanted]) => first && fits(first, wanted)) ?? [];
  if (!first || words === undefined || !way) return;
  const nodes = (all ?? []).filter((node) => 'row' in node).filter(({ row }) => fits(row, words) && DELETE.find(([wanted]) => fits(row, wanted))?.[1] === way);
  const rows = nodes.map(({ row }) => row);
  const { question } = way;
  if (question && await vscode.window.showWarningMessage(question.words(rows), { modal: true }, question.answer()) !== question.answer()) return;
  await way.run(tools, nodes[0], nodes);
};

const fits = (row: Row, words: string): boolean => words.split(' ').every((word) => is(row, word));

/** Opens what is here, and gets what is not. */
export const openSelected: Command = async (tools, given, all) => {
  const [first] = rowsOf(given, all);
  if (first && is(first, 'here')) await openFile(tools, given, all);
  else if (first && is(first, 'file') && is(first, 'remote')) await downloadFile(tools, given, all);
};
