// What a command is, and what it works with.
import * as vscode from 'vscode';
import type { Pickers } from '../prompts/pickers.ts';
import type { EngineLauncher } from '../engineClient/engineLauncher.ts';
import type { InspectorPanels } from '../inspector/inspectorPanels.ts';
import type { LocalTrackers } from '../engineClient/localTrackers.ts';
import type { FilesViewState } from '../views/filesViewState.ts';
import type { SavedState } from '../common/savedState.ts';
import type { Notifications } from '../prompts/notifications.ts';
import type { OpenWhenDone } from '../state/openWhenDone.ts';
import type { SharedFileReader } from '../remoteFiles/fileReader.ts';
import type { Store } from '../engineClient/store.ts';
import type { TreeProvider } from '../views/treeProvider.ts';
import type { Walkthrough } from '../contributions/walkthrough.ts';
import type { Row, Subject } from '../views/row.ts';

export interface CommandContext {
  readonly store: Store;
  readonly reader: SharedFileReader;
  readonly pickers: Pickers;
  readonly launcher: EngineLauncher;
  readonly localTrackers: LocalTrackers;
  readonly savedState: SavedState;
  readonly notifications: Notifications;
  readonly walkthrough: Walkthrough;
  readonly inspectorPanels: InspectorPanels;
  readonly log: vscode.LogOutputChannel;
  readonly views: { readonly groups: TreeProvider; readonly files: TreeProvider; readonly downloads: TreeProvider };
  /** How the view Files is looked at. */
  readonly filesViewState: FilesViewState;
  readonly openWhenDone: OpenWhenDone;
  readonly extension: vscode.ExtensionContext;
}

/** What a row of ours is about: all that a command takes of it. */
interface RowArgument {
  readonly row: CommandRow;
}
/** Without a context it fits every command. */
export type CommandRow = Pick<Row, 'subject'> & Partial<Pick<Row, 'context' | 'label'>>;

/**
 * What a menu gives a command: a row of ours and the rows selected with it, or a file of the
 * workspace and those selected with it.
 */
export type CommandArgument = RowArgument | vscode.Uri | undefined;
export type CommandSelection = readonly RowArgument[] | readonly vscode.Uri[] | undefined;

/** What a keybinding gives: the view whose selected rows are meant. */
export interface SelectedIn {
  readonly selectedIn: keyof CommandContext['views'];
}

/**
 * Asks, sends, ends. What goes wrong is thrown; the one place that runs commands (registry.ts)
 * turns it into words.
 */
export type Command = (
  context: CommandContext,
  argument?: CommandArgument,
  selection?: CommandSelection,
) => Promise<void>;

/**
 * What a menu calls a command with: our trees and the explorer with one and then all that are
 * selected, source control with each of its changes as an argument of its own (extensions/git in VS
 * Code), a palette with none, a key with the view whose selected rows are meant.
 */
export function parseArguments(
  args: readonly unknown[],
  { views }: Pick<CommandContext, 'views'>,
): { readonly argument: CommandArgument | 'nothing'; readonly selection: CommandSelection } {
  const [first] = args;
  if (isKey(first)) {
    const { selection } = views[first.selectedIn].view;
    return { argument: selection[0] ?? 'nothing', selection };
  }
  const changes = args.flatMap((one) => (isChange(one) ? [one.resourceUri] : []));
  if (changes.length > 0) return { argument: changes[0], selection: changes };
  const all: readonly unknown[] = Array.isArray(args[1]) ? args[1] : [];
  // Whatever else a keybinding or another extension gives counts as nothing: then the person is
  // asked.
  return {
    argument: isArgument(first) ? first : undefined,
    selection: all.length > 0 ? (all.filter(isArgument) as CommandSelection) : undefined,
  };
}

const isArgument = (one: unknown): one is RowArgument | vscode.Uri =>
  one instanceof vscode.Uri || (typeof one === 'object' && one !== null && 'row' in one);

const isKey = (one: unknown): one is SelectedIn => typeof one === 'object' && one !== null && 'selectedIn' in one;
const isChange = (one: unknown): one is vscode.SourceControlResourceState =>
  typeof one === 'object' && one !== null && 'resourceUri' in one && one.resourceUri instanceof vscode.Uri;

/**
 * What the rows that a command was given are about. None: it was called without one.
 *
 * @param word  of rows that are selected together, only those with this word in their context are
 *   meant
 */
export const subjectsOf = (
  argument: CommandArgument,
  selection?: CommandSelection,
  word?: string,
): readonly Subject[] =>
  rowsOf(argument, selection)
    .filter((row) => word === undefined || hasContext(row, word))
    .map(({ subject }) => subject);

/** The rows that a command was given. */
export function rowsOf(argument: CommandArgument, selection?: CommandSelection): readonly CommandRow[] {
  const nodes = selection && selection.length > 0 ? selection : argument ? [argument] : [];
  return nodes.flatMap((node) => ('row' in node ? [node.row] : []));
}

export const hasContext = ({ context }: CommandRow, word: string): boolean =>
  context?.split(' ').includes(word) ?? true;

/**
 * Does the same with each. One that fails does not keep those behind it; the first failure is
 * thrown in the end.
 */
export async function forEach<T>(all: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = [];
  for (const one of all) await act(one).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
