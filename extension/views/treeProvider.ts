// Rows as a tree of VS Code. Compares the rows of two states and fires only for what differs, at
// most twice a second: every fire shows the view's progress bar, and one for the whole tree would
// drop what is selected. What nobody has opened is not made.
import * as vscode from 'vscode';
import type { WindowState } from '../state/state.ts';
import { nodeClock } from '../../protocol/node/nodeWorld.ts';
import { Throttler } from '../../protocol/async/throttler.ts';
import type { Head, Row } from './row.ts';
import { childrenOf, iconPath, linesOf } from './row.ts';
import { diffRows } from './rowDiff.ts';

/**
 * A row of a tree with an identity that outlives its content: what commands in its menu are given.
 */
export class Node {
  readonly parent: Node | undefined;
  row: Row;
  /** Whether VS Code has asked for the rows below it. */
  isOpened = false;

  constructor(row: Row, parent: Node | undefined) {
    this.row = row;
    this.parent = parent;
  }
}

/** Least time between two updates of one view, in ms. */
const UPDATE_MS = 500;

export interface TreeProviderOptions {
  readonly id: string;
  readonly rowsOf: (state: WindowState) => readonly Row[];
  /** What the view says above these rows. */
  readonly headerOf?: (rows: readonly Row[]) => Head;
  readonly state: () => WindowState;
  /** Told when the view comes into sight or leaves it. */
  readonly onVisible?: (isVisible: boolean) => void;
  /** What may be dragged from its rows, and dropped on them. */
  readonly dragAndDrop?: vscode.TreeDragAndDropController<Node>;
}

export class TreeProvider implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  readonly view: vscode.TreeView<Node>;
  readonly onDidChangeTreeData: vscode.Event<Node | undefined>;
  readonly #options: TreeProviderOptions;
  readonly #changed = new vscode.EventEmitter<Node | undefined>();
  readonly #nodes = new Map<string, Node>();
  readonly #throttler: Throttler;
  #rows: readonly Row[];

  constructor(options: TreeProviderOptions) {
    this.#options = options;
    this.#rows = options.rowsOf(options.state());
    this.onDidChangeTreeData = this.#changed.event;
    this.#throttler = new Throttler(nodeClock, { restMs: UPDATE_MS }, () => this.#update());
    this.view = vscode.window.createTreeView(options.id, {
      treeDataProvider: this,
      showCollapseAll: true,
      canSelectMany: true,
      ...(options.dragAndDrop && { dragAndDropController: options.dragAndDrop }),
    });
    this.view.onDidChangeVisibility(({ visible }) => this.#onVisibility(visible));
    this.#onVisibility(this.view.visible);
  }

  /** The state may look different now. */
  refresh(): void {
    if (this.view.visible) this.#throttler.request();
  }

  /**
   * Selects a row, and opens what it is in.
   *
   * @param find  of each row from the top: whether it is the one, or the one is below it
   * @returns whether it is there
   */
  async reveal(find: (row: Row) => 'it' | 'below' | 'no'): Promise<boolean> {
    this.#update(); // what was learned within the last half second counts
    const search = (rows: readonly Row[], parent: Node | undefined): Node | undefined => {
      for (const row of rows) {
        const is = find(row);
        if (is === 'no') continue;
        const node = this.#nodeOf(row, parent);
        if (is === 'it') return node;
        node.isOpened = true;
        return search(childrenOf(row), node);
      }
      return undefined;
    };
    const node = search(this.#rows, undefined);
    if (node) await this.view.reveal(node, { select: true, focus: true });
    return node !== undefined;
  }

  getChildren(node?: Node): Node[] {
    if (node) node.isOpened = true;
    return (node ? childrenOf(node.row) : this.#rows).map((row) => this.#nodeOf(row, node));
  }

  getParent(node: Node): Node | undefined {
    return node.parent;
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const { row } = node;
    const { id, label, highlights, description, icon, context, children, isCollapsed, spoken } = row;
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const text = highlights
      ? { label, highlights: highlights.map(([from, to]): [number, number] => [from, to]) }
      : label;
    const item = new vscode.TreeItem(text, !children ? None : isCollapsed ? Collapsed : Expanded);
    item.id = id;
    item.description = description;
    item.contextValue = context;
    item.accessibilityInformation = { label: spoken };
    // Without arguments, which VS Code would forget while it asks for the row anew: a click just
    // then would only say that a command was not found.
    if (row.command !== undefined) item.command = { command: `shoal.${row.command}`, title: label };
    if ('file' in icon) {
      // Only the name counts for the icon; a place of its own, which names no file, keeps
      // decorations of open and of workspace files away.
      item.resourceUri = vscode.Uri.from({ scheme: 'shoal', path: iconPath(icon.file) });
      item.iconPath = vscode.ThemeIcon.File;
    } else {
      item.iconPath = new vscode.ThemeIcon(
        icon.theme,
        icon.color === undefined ? undefined : new vscode.ThemeColor(icon.color),
      );
    }
    return item;
  }

  resolveTreeItem(item: vscode.TreeItem, { row }: Node): vscode.TreeItem {
    item.tooltip = tooltipOf(linesOf(row));
    return item;
  }

  dispose(): void {
    this.#throttler.cancel();
    this.view.dispose();
    this.#changed.dispose();
  }

  #onVisibility(isVisible: boolean): void {
    if (isVisible) this.#update();
    this.#options.onVisible?.(isVisible);
  }

  #update(): void {
    const before = this.#rows;
    this.#rows = this.#options.rowsOf(this.#options.state());
    this.#showMessage();
    const { root, rows, opened } = diffRows(before, this.#rows);
    this.#keep(this.#rows);
    if (root) this.#changed.fire(undefined);
    for (const row of rows) {
      const node = this.#nodes.get(row.id);
      if (node) this.#changed.fire(node);
    }
    // VS Code remembers for each row whether it is open; what has something new to say is opened
    // once more.
    for (const row of opened) {
      const node = this.#nodes.get(row.id);
      if (node && this.view.visible) {
        void this.view.reveal(node, { select: false, focus: false, expand: true }).then(undefined, () => undefined);
      } // it may be gone again
    }
  }

  #showMessage(): void {
    if (!this.#options.headerOf) return;
    const { message, description } = this.#options.headerOf(this.#rows);
    if (this.view.message !== message) this.view.message = message;
    if (this.view.description !== description) this.view.description = description;
  }

  /** Nodes that VS Code holds get their new rows; those of rows that are gone are let go. */
  #keep(rows: readonly Row[]): void {
    const ids = new Set<string>();
    const visit = (row: Row): void => {
      ids.add(row.id);
      const node = this.#nodes.get(row.id);
      if (node) node.row = row;
      if (node?.isOpened) childrenOf(row).forEach(visit);
    };
    rows.forEach(visit);
    for (const id of this.#nodes.keys()) if (!ids.has(id)) this.#nodes.delete(id);
  }

  #nodeOf(row: Row, parent: Node | undefined): Node {
    const known = this.#nodes.get(row.id);
    if (known) return known;
    const node = new Node(row, parent);
    this.#nodes.set(row.id, node);
    return node;
  }
}

/** Lines as Markdown in which nothing that people wrote means anything. */
export function tooltipOf(lines: readonly string[]): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  for (const [i, line] of lines.entries()) {
    if (i > 0) text.appendMarkdown('\n\n');
    // it leaves entities as they are, which would be read as what they stand for
    text.appendText(line.replaceAll('&', '&amp;'));
  }
  return text;
}
