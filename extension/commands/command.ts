// What a command is, and what it works with.
import type * as vscode from 'vscode';
import type { Ask } from '../ask.ts';
import type { EngineLauncher } from '../engineLauncher.ts';
import type { LocalPairs } from '../localPairs.ts';
import type { Memory } from '../memory.ts';
import type { Notices } from '../notices.ts';
import type { Store } from '../store.ts';
import type { Node, RowTree } from '../views/rowTree.ts';
import type { Subject } from '../views/row.ts';

export interface Tools {
  readonly store: Store;
  readonly ask: Ask;
  readonly launcher: EngineLauncher;
  readonly pairs: LocalPairs;
  readonly memory: Memory;
  readonly notices: Notices;
  readonly log: vscode.LogOutputChannel;
  readonly views: { readonly groups: RowTree; readonly files: RowTree; readonly downloads: RowTree };
  readonly extension: vscode.ExtensionContext;
}

/** What a menu gives a command: a row of ours and the rows selected with it, or a file of the workspace and those selected with it. */
export type Given = Node | vscode.Uri | undefined;
export type GivenAll = readonly Node[] | readonly vscode.Uri[] | undefined;

/** Asks, sends, ends. What goes wrong is thrown; the one place that runs commands (commands.ts) turns it into words. */
export type Command = (tools: Tools, given?: Given, all?: GivenAll) => Promise<void>;

/** What the rows that a command was given are about. None: it was called without one. */
export function subjectsOf(given: Given, all?: GivenAll): readonly Subject[] {
  const nodes = all && all.length > 0 ? all : given ? [given] : [];
  return nodes.flatMap((node) => ('row' in node ? [node.row.subject] : []));
}
