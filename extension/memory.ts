// The little that VS Code itself remembers for us, over all workspaces of this machine. Nothing secret: who is signed in is the engine's business.
import type * as vscode from 'vscode';

/** Trackers remembered for the next sign-in. */
const TRACKERS_MAX = 8;

export class Memory {
  readonly #global: vscode.Memento;
  readonly #workspace: vscode.Memento;

  constructor({ globalState, workspaceState }: Pick<vscode.ExtensionContext, 'globalState' | 'workspaceState'>) {
    this.#global = globalState;
    this.#workspace = workspaceState;
  }

  /** URLs of trackers that were signed in to, the last one first. */
  get trackers(): readonly string[] {
    return this.#global.get<readonly string[]>('trackers', []).filter((url) => typeof url === 'string');
  }
  async rememberTracker(url: string): Promise<void> {
    await this.#global.update('trackers', [url, ...this.trackers.filter((other) => other !== url)].slice(0, TRACKERS_MAX));
  }

  get lastUser(): string {
    return this.#global.get('user', '');
  }
  async rememberUser(user: string): Promise<void> {
    await this.#global.update('user', user);
  }

  /** Whether something that is said once has been said; from now on it has. */
  async saidBefore(what: string, where: 'everywhere' | 'here'): Promise<boolean> {
    const memento = where === 'here' ? this.#workspace : this.#global;
    const key = `said ${what}`;
    const said = memento.get(key, false);
    if (!said) await memento.update(key, true);
    return said;
  }
}
