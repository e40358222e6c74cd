// What a command is, and what it works with.
import * as vscode from 'vscode';
import type { Ask } from '../prompts/pickers.ts';
import type { EngineLauncher } from '../engineClient/engineLauncher.ts';
import type { Inspectors } from '../inspector/inspectorPanels.ts';
import type { LocalPairs } from '../engineClient/localTrackers.ts';
import type { FilesView } from '../views/filesViewState.ts';
import type { Memory } from '../common/savedState.ts';
import type { Notices } from '../prompts/notifications.ts';
import type { OpenWhenDone } from '../state/openWhenDone.ts';
import type { SharedReader } from '../remoteFiles/fileReader.ts';
import type { Store } from '../engineClient/store.ts';
import type { RowTree } from '../views/treeProvider.ts';
import type { Walkthrough } from '../contributions/walkthrough.ts';
import type { Row, Subject } from '../views/row.ts';

export interface Tools {
  readonly store: Store;
  readonly reader: SharedReader;
  readonly ask: Ask;
  readonly launcher: EngineLauncher;
  readonly pairs: LocalPairs;
  readonly memory: Memory;
  readonly notices: Notices;
  readonly walkthrough: Walkthrough;
  readonly inspectors: Inspectors;
  readonly log: vscode.LogOutputChannel;
  readonly views: { readonly groups: RowTree; readonly files: RowTree; readonly downloads: RowTree };
  /** How the view Files is looked at. */
  readonly files: FilesView;
  readonly opening: OpenWhenDone;
  readonly extension: vscode.ExtensionContext;
}

/** What a row of ours is about: all that a command takes of it. */
interface About {
  readonly row: RowGiven;
}
/** Without a context it fits every command. */
export type RowGiven = Pick<Row, 'subject'> & Partial<Pick<Row, 'context' | 'label'>>;

/**
 * What a menu gives a command: a row of ours and the rows selected with it, or a file of the
 * workspace and those selected with it.
 */
export type Given = About | vscode.Uri | undefined;
export type GivenAll = readonly About[] | readonly vscode.Uri[] | undefined;

/** What a keybinding gives: the view whose selected rows are meant. */
export interface SelectedIn {
  readonly selectedIn: keyof Tools['views'];
}

/**
 * Asks, sends, ends. What goes wrong is thrown; the one place that runs commands (registry.ts)
 * turns it into words.
 */
export type Command = (tools: Tools, given?: Given, all?: GivenAll) => Promise<void>;

/**
 * What a menu calls a command with: our trees and the explorer with one and then all that are
 * selected, source control with each of its changes as an argument of its own (extensions/git in VS
 * Code), a palette with none, a key with the view whose selected rows are meant.
 */
export function givenBy(
  args: readonly unknown[],
  { views }: Pick<Tools, 'views'>,
): { readonly given: Given | 'nothing'; readonly all: GivenAll } {
  const [first] = args;
  if (isKey(first)) {
    const { selection } = views[first.selectedIn].view;
    return { given: selection[0] ?? 'nothing', all: selection };
  }
  const changes = args.flatMap((one) => (isChange(one) ? [one.resourceUri] : []));
  if (changes.length > 0) return { given: changes[0], all: changes };
  const all: readonly unknown[] = Array.isArray(args[1]) ? args[1] : [];
  // Whatever else a keybinding or another extension gives counts as nothing: then the person is
  // asked.
  return { given: isFit(first) ? first : undefined, all: all.length > 0 ? (all.filter(isFit) as GivenAll) : undefined };
}

const isFit = (one: unknown): one is About | vscode.Uri =>
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
export const subjectsOf = (given: Given, all?: GivenAll, word?: string): readonly Subject[] =>
  rowsOf(given, all)
    .filter((row) => word === undefined || is(row, word))
    .map(({ subject }) => subject);

/** The rows that a command was given. */
export function rowsOf(given: Given, all?: GivenAll): readonly RowGiven[] {
  const nodes = all && all.length > 0 ? all : given ? [given] : [];
  return nodes.flatMap((node) => ('row' in node ? [node.row] : []));
}

export const is = ({ context }: RowGiven, word: string): boolean => context?.split(' ').includes(word) ?? true;

/**
 * Does the same with each. One that fails does not keep those behind it; the first failure is
 * thrown in the end.
 */
export async function withEach<T>(all: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = [];
  for (const one of all) await act(one).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
