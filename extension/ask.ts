// What a command needs and was not given: which group, which member, which file. Each asks only when there is a choice to make.
import * as vscode from 'vscode';
import { amount } from '../protocol/amounts.ts';
import type { Transfer } from '../protocol/engineLink.ts';
import { ShoalError } from '../protocol/errors.ts';
import type { FileRow, GroupView } from '../protocol/trackerLink.ts';
import { isComplete, myGroups, waitingRequests } from './state.ts';
import type { Store } from './store.ts';
import { progressOf } from './views/downloads.ts';
import { BACK, askChoice, askSeveral, askText } from './wizard.ts';
import type { Choice, ChoiceQuestion, SeveralQuestion, TextQuestion } from './wizard.ts';
import { plural, shown, shownWithIcons, t } from './words.ts';

/** A file in a group's catalogue. */
export interface FileInGroup {
  readonly group: string;
  readonly file: FileRow;
}

export class Ask {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** A text; undefined when the person changed their mind. */
  async text(title: string, question: TextQuestion): Promise<string | undefined> {
    const answer = await askText({ title, step: 1, steps: 1 }, question);
    return answer === BACK ? undefined : answer;
  }

  async choice<T>(title: string, question: ChoiceQuestion<T>): Promise<T | undefined> {
    const answer = await askChoice({ title, step: 1, steps: 1 }, question);
    return answer === BACK ? undefined : answer;
  }

  async several<T>(title: string, question: SeveralQuestion<T>): Promise<readonly T[] | undefined> {
    return askSeveral(title, question);
  }

  /** One of my groups. */
  async group(title: string, placeholder: string, fits: (group: GroupView) => boolean = () => true, extra: readonly Choice<string>[] = []): Promise<string | undefined> {
    const groups = [...myGroups(this.#store.state)].filter(fits).sort((a, b) => a.name.localeCompare(b.name));
    const items = groups.map((group): Choice<string> => ({ label: `$(organization) ${shownWithIcons(group.name)}`, description: plural(group.members, '{0} member', '{0} members'), value: group.name }));
    return this.choice(title, { placeholder, items: [...items, ...extra], empty: t('There is no such group') });
  }

  /** A group of mine that I wait to be let into. */
  async appliedGroup(title: string): Promise<string | undefined> {
    const groups = this.#store.state.groups.filter(({ role }) => role === 'applicant');
    const items = groups.map((group): Choice<string> => ({ label: shownWithIcons(group.name), description: t('waiting for {0}', shownWithIcons(group.owner)), value: group.name }));
    return this.choice(title, { placeholder: t('Whose request to take back?'), items, empty: t('You have not asked to join any group') });
  }

  /** A group I am not in, out of all groups of the trackers. */
  async strangeGroup(title: string): Promise<string | undefined> {
    const load = async (): Promise<readonly Choice<string>[]> => {
      const rows = await this.#store.listings.allGroups();
      return rows.filter(({ role }) => role === 'stranger').map(({ name, owner, members, online }) => ({
        label: `$(organization) ${shownWithIcons(name)}`, value: name,
        description: [t('owned by {0}', shownWithIcons(owner)), plural(members, '{0} member', '{0} members'), t('{0} online', online)].join(' · '),
      }));
    };
    return this.choice(title, { placeholder: t('Which group do you want to join? Its owner decides.'), items: [], load, empty: t('There is no group that you are not in') });
  }

  /** Somebody who asks to join a group of mine. */
  async request(title: string): Promise<{ readonly group: string; readonly user: string } | undefined> {
    const items = waitingRequests(this.#store.state).map(({ group, user }) => ({ label: `$(person-add) ${shownWithIcons(user)}`, description: shownWithIcons(group.name), value: { group: group.name, user } }));
    return this.choice(title, { placeholder: t('Whose request?'), items, empty: t('Nobody asks to join a group of yours') });
  }

  /** A member of a group of mine. */
  async member(title: string, question = (group: string): string => t('Remove whom from {0}?', group)): Promise<{ readonly group: string; readonly user: string } | undefined> {
    const group = await this.group(title, t('In which group?'), ({ role }) => role === 'owner');
    if (group === undefined) return undefined;
    const me = this.#store.state.overview?.account?.account;
    const load = async (): Promise<readonly Choice<string>[]> => {
      await this.#store.listings.readAll('members');
      const id = myGroups(this.#store.state).find(({ name }) => name === group)?.group;
      const members = (id && this.#store.state.members.get(id)?.rows) ?? [];
      return members.filter(({ account, role }) => account !== me && role !== 'applicant').map(({ user, online }) => ({ label: `$(account) ${shownWithIcons(user)}`, description: online ? t('online') : t('offline'), value: user }));
    };
    const user = await this.choice(title, { placeholder: question(shown(group)), items: [], load, empty: t('You are its only member') });
    return user === undefined ? undefined : { group, user };
  }

  /** A file of any of my groups: type a part of its name. */
  async file(title: string, placeholder: string, fits: (file: FileRow) => boolean = () => true): Promise<FileInGroup | undefined> {
    const { state, listings } = this.#store;
    const items = (): readonly Choice<FileInGroup>[] => [...myGroups(this.#store.state)].sort((a, b) => a.name.localeCompare(b.name)).flatMap((group) => {
      const rows = (this.#store.state.files.get(group.group)?.rows ?? []).filter(fits);
      const separator: Choice<FileInGroup> = { label: shownWithIcons(group.name), kind: vscode.QuickPickItemKind.Separator };
      return rows.length === 0 ? [] : [separator, ...rows.map((file) => fileChoice(group.name, file))];
    });
    const isKnown = myGroups(state).every(({ group }) => state.files.get(group)?.isLoaded);
    const load = async (): Promise<readonly Choice<FileInGroup>[]> => {
      await listings.readAll('files');
      for (const { group } of myGroups(this.#store.state)) {
        const error = this.#store.state.files.get(group)?.error;
        if (error instanceof ShoalError && !this.#store.state.files.get(group)?.isLoaded) throw error;
      }
      return items();
    };
    return this.choice(title, { placeholder, items: isKnown ? items() : [], load, empty: t('There is no such file in your groups') });
  }

  /** A transfer of this machine. */
  async transfer(title: string, placeholder: string, fits: (transfer: Transfer) => boolean): Promise<Transfer | undefined> {
    const items = [...this.#store.state.transfers.values()].filter(fits).sort((a, b) => b.id - a.id).map((transfer) => ({
      label: shownWithIcons(transfer.name), description: [isComplete(transfer) ? amount(transfer.sizeBytes) : progressOf(transfer), shownWithIcons(transfer.groupName)].join(' · '), value: transfer,
    }));
    return this.choice(title, { placeholder, items, empty: t('There is none') });
  }
}

function fileChoice(group: string, file: FileRow): Choice<FileInGroup> {
  const seeds = file.seeders > 0 ? plural(file.seeders, '{0} seeder', '{0} seeders') : t('nobody online has it');
  return {
    label: shownWithIcons(file.name), description: [amount(file.sizeBytes), seeds, shownWithIcons(file.author)].join(' · '),
    iconPath: file.content === 'folder' ? vscode.ThemeIcon.Folder : vscode.ThemeIcon.File, value: { group, file },
  };
}
