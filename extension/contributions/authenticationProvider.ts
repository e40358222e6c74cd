// The account in VS Code's Accounts menu. Who is signed in is the engine's business: this shows it
// there, and runs the commands that change it. Nobody is asked to sign in there: such an entry
// comes with a badge that stays, and the welcome view says it better. A session's token is made of
// chance for each session, kept nowhere else, and opens nothing: what counts is the device's key,
// which no window has.
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import type { WindowState } from '../state/state.ts';
import type { Store } from '../engineClient/store.ts';
import { printableName } from '../common/l10n.ts';

const ID = 'shoal';

export class AuthenticationProvider implements vscode.AuthenticationProvider, vscode.Disposable {
  readonly onDidChangeSessions: vscode.Event<vscode.AuthenticationProviderAuthenticationSessionsChangeEvent>;
  readonly #store: Store;
  readonly #changed = new vscode.EventEmitter<vscode.AuthenticationProviderAuthenticationSessionsChangeEvent>();
  readonly #registered: vscode.Disposable;
  readonly #stop: () => void;
  #session: vscode.AuthenticationSession | undefined;

  constructor(store: Store) {
    this.#store = store;
    this.onDidChangeSessions = this.#changed.event;
    this.#registered = vscode.authentication.registerAuthenticationProvider(ID, 'Shoal', this, {
      supportsMultipleAccounts: false,
    });
    this.#stop = store.onChange((state) => this.#update(state));
  }

  getSessions(): Promise<vscode.AuthenticationSession[]> {
    return Promise.resolve(this.#session ? [this.#session] : []);
  }

  /**
   * Asks for tracker, name and password. @throws CancellationError when the person changed their
   * mind
   */
  async createSession(): Promise<vscode.AuthenticationSession> {
    if (!this.#session) await vscode.commands.executeCommand('shoal.signIn');
    if (!this.#session) throw new vscode.CancellationError();
    return this.#session;
  }

  /**
   * Logs out; asks first if somebody is downloading. @throws CancellationError when the person
   * changed their mind
   */
  async removeSession(id: string): Promise<void> {
    if (this.#session?.id !== id) return;
    await vscode.commands.executeCommand('shoal.signOut');
    if (this.#session?.id === id) throw new vscode.CancellationError();
  }

  dispose(): void {
    this.#stop();
    this.#registered.dispose();
    this.#changed.dispose();
  }

  #update({ overview, engine }: WindowState): void {
    if (!overview && engine === 'connecting') return; // an engine that is being replaced is no sign-out
    const before = this.#session;
    const { account, user } = overview?.account ?? {};
    if (
      before?.account.id === account &&
      (before === undefined || before.account.label === printableName(user ?? ''))
    ) {
      return;
    }
    this.#session =
      account === undefined
        ? undefined
        : {
            id: randomUUID(),
            accessToken: randomUUID(),
            account: { id: account, label: printableName(user ?? '') },
            scopes: [],
          };
    this.#changed.fire({ added: this.#session ? [this.#session] : [], removed: before ? [before] : [], changed: [] });
  }
}
