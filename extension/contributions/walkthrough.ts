// The walkthrough: which of its steps are done, by keys that nothing else asks for, and opening it.
import * as vscode from 'vscode';
import { doneSteps } from './contextKeys.ts';
import type { DoneSteps } from './contextKeys.ts';
import type { Store } from '../engineClient/store.ts';

/** `publisher.name#id`, as in package.json. */
const ID = 'shoal.shoal#begin';

export class Walkthrough implements vscode.Disposable {
  readonly #store: Store;
  readonly #stop: () => void;
  readonly #completed = new Map<string, boolean>();

  constructor(store: Store) {
    this.#store = store;
    this.#stop = store.onChange((state) => void this.#update(doneSteps(state)));
  }

  /**
   * Opens it beside what is open. VS Code reads the steps when a walkthrough is opened for the
   * first time, and what is true by then it takes for done before and ticks nothing off: so the
   * keys become true behind it once more.
   */
  async open(): Promise<void> {
    const none = Object.fromEntries(Object.keys(doneSteps(this.#store.state)).map((key) => [key, false]));
    await this.#update(none);
    await vscode.commands.executeCommand('workbench.action.openWalkthrough', ID, false);
    await this.#update(doneSteps(this.#store.state));
  }

  dispose(): void {
    this.#stop();
  }

  async #update(steps: { readonly [Key in keyof DoneSteps]?: boolean }): Promise<void> {
    const changed = Object.entries<boolean>(steps).filter(
      ([key, isDone]) => (this.#completed.get(key) ?? false) !== isDone,
    );
    for (const [key, isDone] of changed) this.#completed.set(key, isDone);
    await Promise.all(changed.map(([key, isDone]) => vscode.commands.executeCommand('setContext', key, isDone)));
  }
}
