// What a command is, and what it works with.
import * as vscode from 'vscode';
import type { Ask } from '../ask.ts';
import type { EngineLauncher } from '../engineLauncher.ts';
import type { Inspectors } from '../inspector/inspectors.ts';
import type { LocalPairs } from '../localPairs.ts';
import type { Memory } from '../memory.ts';
import type { Notices } from '../notices.ts';
import type { Store } from '../store.ts';
import type { RowTree } from '../views/rowTree.ts';
import type { Walkthrough } from '../walkthrough.ts';
import type { Subject } from '../views/row.ts';

export interface Tools {
  readonly store: Store;
  readonly ask: Ask;
  readonly launcher: EngineLauncher;
  readonly pairs: LocalPairs;
  readonly memory: Memory;
  readonly notices: Notices;
  readonly walkthrough: Walkthrough;
  readonly inspectors: Inspectors;
  readonly log: vscode.LogOutputChannel;
  readonly views: { readonly groups: RowTree; readonly files: RowTree; readonly downloads: RowTree };
  readonly extension: vscode.ExtensionContext;
}

/** What a row of ours is about: all that a command takes of it. */
interface About {
  readonly row: { readonly subject: Subject };
}

/** What a menu gives a command: a row of ours and the rows selected with it, or a file of the workspace and those selected with it. */
export type Given = About | vscode.Uri | undefined;
export type GivenAll = readonly About[] | readonly vscode.Uri[] | undefined;

/** Asks, sends, ends. What goes wrong is thrown; the one place that runs commands (commands.ts) turns it into words. */
export type Command = (tools: Tools, given?: Given, all?: GivenAll) => Promise<void>;

/**
 * What a menu calls a command with: our trees and the explorer with one and then all that are selected, source control with each of its changes as
 * an argument of its own (extensions/git in VS Code), a palette with none.
 */
export function givenBy(args: readonly unknown[]): { readonly given: Given; readonly all: GivenAll } {
  const changes = args.flatMap((one) => (isChange(one) ? [one.resourceUri] : []));
  if (changes.length > 0) return { given: changes[0], all: changes };
  const [given, all] = args as readonly [Given | null, unknown];
  return { given: given ?? undefined, all: Array.isArray(all) ? all as GivenAll : undefined };
}

const isChange = (one: unknown): one is vscode.SourceControlResourceState => typeof one === 'object' && one !== null && 'resourceUri' in one && one.resourceUri instanceof vscode.Uri;

/** What the rows that a command was given are about. None: it was called without one. */
export function subjectsOf(given: Given, all?: GivenAll): readonly Subject[] {
  const nodes = all && all.length > 0 ? all : given ? [given] : [];
  return nodes.flatMap((node) => ('row' in node ? [node.row.subject] : []));
}
