// The little that VS Code itself remembers for us, over all workspaces of this machine. Nothing
// secret: who is signed in is the engine's business.
import type * as vscode from 'vscode';
import type { AccountId, GroupId } from '../../protocol/base/ids.ts';
import { GROUPS_PER_ACCOUNT_MAX } from '../../protocol/base/limits.ts';

/** Trackers remembered for the next sign-in. */
const TRACKERS_MAX = 8;
/** Groups whose folder is remembered, in one workspace. */
const FOLDERS_MAX = 100;

/**
 * Where downloads of a group went last, when a person chose it, and whether all of them go there.
 */
export interface GroupFolder {
  readonly folder: string;
  readonly isUsual: boolean;
}

/**
 * Accounts of which it is remembered what they have seen: those of everybody who uses this machine.
 */
const ACCOUNTS_MAX = 8;
/** Downloads that are to be opened when they are done: more than anybody marks. */
const OPENING_MAX = 256;

/** The account that looked last comes first. */
type SeenTimes = readonly (readonly [AccountId, readonly (readonly [GroupId, number])[]])[];

export class SavedState {
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
    await this.#global.update(
      'trackers',
      [url, ...this.trackers.filter((other) => other !== url)].slice(0, TRACKERS_MAX),
    );
  }

  get lastUser(): string {
    return this.#global.get('user', '');
  }
  async rememberUser(user: string): Promise<void> {
    await this.#global.update('user', user);
  }

  /** Kept by workspace: what belongs to one project does not go to another one's folder. */
  folderOf(group: string): GroupFolder | undefined {
    return this.#folders[group];
  }
  /** Without a folder it is forgotten. */
  async rememberFolder(group: string, folder: GroupFolder | undefined): Promise<void> {
    const others = Object.entries(this.#folders).filter(([name]) => name !== group);
    await this.#workspace.update(
      'folders',
      Object.fromEntries([...(folder ? [[group, folder] as const] : []), ...others].slice(0, FOLDERS_MAX)),
    );
  }
  get #folders(): Readonly<Record<string, GroupFolder>> {
    return this.#workspace.get('folders', {});
  }

  /** Whether something that is said once has been said everywhere. */
  wasShown(what: string): boolean {
    return this.#global.get(`said ${what}`, false);
  }
  /** Until when (the trackers' time, in ms) an account has seen the files of its groups. */
  seenMs(account: AccountId): ReadonlyMap<GroupId, number> {
    const all = this.#seen.find(([of]) => of === account)?.[1] ?? [];
    return new Map(all.filter(([, ms]) => Number.isSafeInteger(ms)));
  }
  async rememberSeen(account: AccountId, seenMs: ReadonlyMap<GroupId, number>): Promise<void> {
    const others = this.#seen.filter(([of]) => of !== account);
    await this.#global.update(
      'seen',
      [[account, [...seenMs].slice(0, GROUPS_PER_ACCOUNT_MAX)], ...others].slice(0, ACCOUNTS_MAX),
    );
  }
  get #seen(): SeenTimes {
    return this.#global.get<SeenTimes>('seen', []);
  }

  /** Downloads that this workspace's window opens when they are done. */
  get opening(): ReadonlySet<number> {
    return new Set(this.#workspace.get<readonly number[]>('opening', []).filter((id) => Number.isSafeInteger(id)));
  }
  async rememberOpening(ids: ReadonlySet<number>): Promise<void> {
    await this.#workspace.update('opening', [...ids].slice(-OPENING_MAX));
  }

  /** Whether something that is said once has been said; from now on it has. */
  async markShown(what: string, where: 'everywhere' | 'here'): Promise<boolean> {
    const memento = where === 'here' ? this.#workspace : this.#global;
    const key = `said ${what}`;
    const wasShown = memento.get(key, false);
    if (!wasShown) await memento.update(key, true);
    return wasShown;
  }
}
