// Marks in the explorer: which files of this machine are shared, which are coming, which changed and are served no more. Looks only into a map
// that is made anew when transfers change; asks no disk. One writer of that map: `update`.
import * as vscode from 'vscode';
import { Merger } from './merger.ts';
import { setting } from './settings.ts';
import type { WindowState } from './state.ts';
import { marksOf } from './views/marks.ts';
import type { Mark } from './views/marks.ts';

/** Least time between two updates, in ms. */
const UPDATE_MS = 1000;

export class Decorations implements vscode.FileDecorationProvider, vscode.Disposable {
  readonly onDidChangeFileDecorations: vscode.Event<vscode.Uri[]>;
  readonly #changed = new vscode.EventEmitter<vscode.Uri[]>();
  readonly #state: () => WindowState;
  readonly #merger = new Merger(UPDATE_MS, () => this.#update());
  readonly #all: vscode.Disposable;
  /** By URI. */
  #marks: ReadonlyMap<string, Mark> = new Map();
  #seen: WindowState['transfers'] | undefined;

  constructor(state: () => WindowState) {
    this.#state = state;
    this.onDidChangeFileDecorations = this.#changed.event;
    this.#all = vscode.Disposable.from(
      this.#changed, this.#merger, vscode.window.registerFileDecorationProvider(this),
      vscode.workspace.onDidChangeConfiguration((change) => change.affectsConfiguration('shoal.decorations') && this.#update()));
  }

  /** The state may look different now. */
  refresh(): void {
    if (this.#state().transfers !== this.#seen) this.#merger.ask();
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const mark = uri.scheme === 'file' ? this.#marks.get(uri.toString()) : undefined;
    return mark && new vscode.FileDecoration(mark.badge, mark.tooltip);
  }

  dispose(): void {
    this.#all.dispose();
  }

  #update(): void {
    const before = this.#marks;
    this.#seen = this.#state().transfers;
    this.#marks = new Map(setting('decorations') ? [...marksOf(this.#state())].map(([file, mark]) => [vscode.Uri.file(file).toString(), mark]) : []);
    const changed = [...new Set([...before.keys(), ...this.#marks.keys()])].filter((uri) => {
      const [a, b] = [before.get(uri), this.#marks.get(uri)];
      return a?.badge !== b?.badge || a?.tooltip !== b?.tooltip;
    });
    if (changed.length > 0) this.#changed.fire(changed.map((uri) => vscode.Uri.parse(uri)));
  }
}
