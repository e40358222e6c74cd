// Marks in the explorer: which files of this machine are shared, which are coming, which changed
// and are served no more. Looks only into a map that is made anew when transfers change; asks no
// disk. One writer of that map: `update`.
import * as vscode from 'vscode';
import { nodeClock } from '../../protocol/node/nodeWorld.ts';
import { Throttler } from '../../protocol/async/throttler.ts';
import { setting } from '../common/settings.ts';
import type { WindowState } from '../state/state.ts';
import { fileMarksOf } from './fileMarks.ts';
import type { FileMark } from './fileMarks.ts';

/** Least time between two updates, in ms. */
const UPDATE_MS = 1000;

export class DecorationProvider implements vscode.FileDecorationProvider, vscode.Disposable {
  readonly onDidChangeFileDecorations: vscode.Event<vscode.Uri[]>;
  readonly #changed = new vscode.EventEmitter<vscode.Uri[]>();
  readonly #state: () => WindowState;
  readonly #throttler = new Throttler(nodeClock, { restMs: UPDATE_MS }, () => this.#update());
  readonly #all: vscode.Disposable;
  /** By path, as transfers have it, and by URI, as VS Code asks. */
  #fileMarks: ReadonlyMap<string, FileMark> = new Map();
  readonly #byUri = new Map<string, FileMark>();
  #seen: WindowState['transfers'] | undefined;

  constructor(state: () => WindowState) {
    this.#state = state;
    this.onDidChangeFileDecorations = this.#changed.event;
    this.#all = vscode.Disposable.from(
      this.#changed,
      { dispose: () => this.#throttler.cancel() },
      vscode.window.registerFileDecorationProvider(this),
      vscode.workspace.onDidChangeConfiguration(
        (change) => change.affectsConfiguration('shoal.decorations') && this.#update(),
      ),
    );
  }

  /** The state may look different now. */
  refresh(): void {
    if (this.#state().transfers !== this.#seen) this.#throttler.request();
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const mark = uri.scheme === 'file' ? this.#byUri.get(uri.toString()) : undefined;
    return mark && new vscode.FileDecoration(mark.badge, mark.tooltip);
  }

  dispose(): void {
    this.#all.dispose();
  }

  #update(): void {
    const before = this.#fileMarks;
    this.#seen = this.#state().transfers;
    this.#fileMarks = setting('decorations') ? fileMarksOf(this.#state()) : new Map();
    // Only of what has changed a URI is made: there may be thousands of shares while one download
    // goes on.
    const changed = [...before.keys(), ...this.#fileMarks.keys()].filter(
      (file) => before.get(file) !== this.#fileMarks.get(file),
    );
    const uris = [...new Set(changed)].map((file) => {
      const [uri, mark] = [vscode.Uri.file(file), this.#fileMarks.get(file)];
      if (mark) this.#byUri.set(uri.toString(), mark);
      else this.#byUri.delete(uri.toString());
      return { uri, isOther: before.get(file)?.badge !== mark?.badge || before.get(file)?.tooltip !== mark?.tooltip };
    });
    const changedUris = uris.filter(({ isOther }) => isOther).map(({ uri }) => uri);
    if (changedUris.length > 0) this.#changed.fire(changedUris);
  }
}
