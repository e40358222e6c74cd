// What a command needs and was not given: which group, which member, which file. Says so where
// there is none to choose.
import * as vscode from 'vscode';
import { formatBytes } from '../../protocol/frontend/format.ts';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import type { FileRow, GroupView } from '../../protocol/messages/trackerLink.ts';
import { isComplete } from '../../protocol/frontend/transferState.ts';
import { myGroups, waitingRequests } from '../state/state.ts';
import type { FileInGroup } from '../state/fileSearch.ts';
import { FOUND_MAX, fileSearch } from '../state/fileSearch.ts';
import type { FileInFolder } from '../remoteFiles/folderEntries.ts';
import type { Searchable } from '../state/fuzzySearch.ts';
import { bestOf, searchable } from '../state/fuzzySearch.ts';
import type { Store } from '../engineClient/store.ts';
import { progressText } from '../messages/transferText.ts';
import { iconPath } from '../views/row.ts';
import { BACK, askChoice, askFound, askSeveral, askText } from './quickInput.ts';
import type { Choice, ChoiceOptions, SeveralOptions, TextOptions } from './quickInput.ts';
import { plural, printableName, withoutIcons, t } from '../common/l10n.ts';

/** How a file is asked for. */
export interface FilePickOptions {
  readonly placeholder: string;
  readonly fits?: (file: FileRow) => boolean;
  /** Other ways to answer with a file than Enter. */
  readonly buttons?: readonly { readonly icon: string; readonly title: string; readonly action: string }[];
}

export interface LivePickOptions {
  readonly prompt: string;
  readonly value: string;
  readonly typed: (text: string) => void;
}

export interface FoundFile extends FileInGroup {
  /** The button that was pressed. */
  readonly action?: string;
}

export class Pickers {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** A text; undefined when the person changed their mind. */
  async text(title: string, question: TextOptions): Promise<string | undefined> {
    const answer = await askText({ title, step: 1, steps: 1 }, question);
    return answer === BACK ? undefined : answer;
  }

  /** A text that is looked at while it is typed; undefined when the person changed their mind. */
  async live(title: string, { typed, ...question }: LivePickOptions): Promise<string | undefined> {
    const answer = await askText(
      { title, step: 1, steps: 1 },
      { ...question, mayBeEmpty: true, check: (text) => void typed(text) },
    );
    return answer === BACK ? undefined : answer;
  }

  async choice<T>(title: string, question: ChoiceOptions<T>): Promise<T | undefined> {
    const answer = await askChoice({ title, step: 1, steps: 1 }, question);
    return answer === BACK ? undefined : answer;
  }

  async several<T>(title: string, question: SeveralOptions<T>): Promise<readonly T[] | undefined> {
    return askSeveral(title, question);
  }

  /** One of my groups. */
  async group(
    title: string,
    placeholder: string,
    fits: (group: GroupView) => boolean = () => true,
    extra: readonly Choice<string>[] = [],
  ): Promise<string | undefined> {
    const groups = [...myGroups(this.#store.state)].filter(fits).sort((a, b) => a.name.localeCompare(b.name));
    const items = groups.map((group): Choice<string> => ({
      label: `$(organization) ${withoutIcons(group.name)}`,
      description: plural(group.members, '{0} member', '{0} members'),
      value: group.name,
    }));
    return this.choice(title, { placeholder, items: [...items, ...extra], empty: t('There is no such group') });
  }

  /** A group of mine that I wait to be let into. */
  async appliedGroup(title: string): Promise<string | undefined> {
    const groups = this.#store.state.groups.filter(({ role }) => role === 'applicant');
    const items = groups.map((group): Choice<string> => ({
      label: withoutIcons(group.name),
      description: t('waiting for {0}', withoutIcons(group.owner)),
      value: group.name,
    }));
    return this.choice(title, {
      placeholder: t('Whose request to take back?'),
      items,
      empty: t('You have not asked to join any group'),
    });
  }

  /** A group I am not in, out of all groups of the trackers. */
  async strangeGroup(title: string): Promise<string | undefined> {
    const load = async (): Promise<readonly Choice<string>[]> => {
      const rows = await this.#store.listings.allGroups();
      return rows
        .filter(({ role }) => role === 'stranger')
        .map(({ name, owner, members, online }) => ({
          label: `$(organization) ${withoutIcons(name)}`,
          value: name,
          description: [
            t('owned by {0}', withoutIcons(owner)),
            plural(members, '{0} member', '{0} members'),
            t('{0} online', online),
          ].join(' · '),
        }));
    };
    return this.choice(title, {
      placeholder: t('Which group do you want to join? Its owner decides.'),
      items: [],
      load,
      empty: t('There is no group that you are not in'),
    });
  }

  /** Somebody who asks to join a group of mine. */
  async request(title: string): Promise<{ readonly group: string; readonly user: string } | undefined> {
    const items = waitingRequests(this.#store.state).map(({ group, user }) => ({
      label: `$(person-add) ${withoutIcons(user)}`,
      description: withoutIcons(group.name),
      value: { group: group.name, user },
    }));
    return this.choice(title, {
      placeholder: t('Whose request?'),
      items,
      empty: t('Nobody asks to join a group of yours'),
    });
  }

  /** A member of a group of mine. */
  async member(
    title: string,
    question = (group: string): string => t('Remove whom from {0}?', group),
  ): Promise<{ readonly group: string; readonly user: string } | undefined> {
    const group = await this.group(title, t('In which group?'), ({ role }) => role === 'owner');
    if (group === undefined) return undefined;
    const me = this.#store.state.overview?.account?.account;
    const load = async (): Promise<readonly Choice<string>[]> => {
      await this.#store.listings.readAll('members');
      const id = myGroups(this.#store.state).find(({ name }) => name === group)?.group;
      const members = (id && this.#store.state.members.get(id)?.rows) ?? [];
      return members
        .filter(({ account, role }) => account !== me && role !== 'applicant')
        .map(({ user, online }) => ({
          label: `$(account) ${withoutIcons(user)}`,
          description: online ? t('online') : t('offline'),
          value: user,
        }));
    };
    const user = await this.choice(title, {
      placeholder: question(printableName(group)),
      items: [],
      load,
      empty: t('You are its only member'),
    });
    return user === undefined ? undefined : { group, user };
  }

  /** A file of any of my groups: type a part of its name. */
  async file(title: string, { placeholder, fits, buttons = [] }: FilePickOptions): Promise<FoundFile | undefined> {
    const { listings } = this.#store;
    const pressable = buttons.map(({ icon, title: tooltip, action }) => ({
      iconPath: new vscode.ThemeIcon(icon),
      tooltip,
      action,
    }));
    let search = fileSearch(this.#store.state, fits);
    const load = async (): Promise<void> => {
      await listings.readAll('files');
      for (const { group } of myGroups(this.#store.state)) {
        const error = this.#store.state.files.get(group)?.error;
        if (error instanceof ShoalError && !this.#store.state.files.get(group)?.isLoaded) throw error;
      }
      search = fileSearch(this.#store.state, fits);
    };
    const find = (typed: string): readonly Choice<FoundFile>[] =>
      fileChoices(search(typed), typed.trim() === '', myGroups(this.#store.state).length > 1).map((choice) =>
        choice.value ? { ...choice, buttons: pressable } : choice,
      );
    const pressed = (found: FoundFile, button: vscode.QuickInputButton): FoundFile => ({
      ...found,
      action: pressable.find((one) => one === button)?.action ?? '',
    });
    return askFound<FoundFile>(title, {
      placeholder,
      find,
      load,
      pressed,
      empty: t('There is no such file in your groups'),
    });
  }

  /**
   * A file of a shared folder: type a part of its path. There may be a hundred thousand, of which
   * VS Code is handed the best.
   */
  async fileInside(title: string, read: () => Promise<readonly FileInFolder[]>): Promise<string | undefined> {
    let files: readonly Searchable<FileInFolder>[] = [];
    const load = async (): Promise<void> => {
      files = (await read()).map((file) => searchable(file.path, file));
    };
    const find = (typed: string): readonly Choice<string>[] =>
      bestOf(files, typed, FOUND_MAX).map(({ path, sizeBytes }) => ({
        label: withoutIcons(path),
        description: formatBytes(sizeBytes),
        ...iconOf(path, false),
        value: path,
      }));
    return askFound(title, {
      placeholder: t('Type a part of a name; Enter opens'),
      find,
      load,
      empty: t('There is no such file in this folder'),
    });
  }

  /** A transfer of this machine. */
  async transfer(
    title: string,
    placeholder: string,
    fits: (transfer: Transfer) => boolean,
  ): Promise<Transfer | undefined> {
    const items = [...this.#store.state.transfers.values()]
      .filter(fits)
      .sort((a, b) => b.id - a.id)
      .map((transfer) => ({
        label: withoutIcons(transfer.name),
        description: [
          isComplete(transfer) ? formatBytes(transfer.sizeBytes) : progressText(transfer),
          withoutIcons(transfer.groupName),
        ].join(' · '),
        value: transfer,
      }));
    return this.choice(title, { placeholder, items, empty: t('There is none') });
  }
}

/**
 * Group by group under a line with its name, or each with its group behind it, where there are
 * several.
 */
function fileChoices(
  found: readonly FileInGroup[],
  isByGroup: boolean,
  areSeveral: boolean,
): readonly Choice<FoundFile>[] {
  return found.flatMap((one, n): readonly Choice<FoundFile>[] => {
    const choice = fileChoice(one, areSeveral && !isByGroup);
    return isByGroup && found[n - 1]?.group !== one.group
      ? [{ label: withoutIcons(one.group), kind: vscode.QuickPickItemKind.Separator }, choice]
      : [choice];
  });
}

function fileChoice(found: FileInGroup, withGroup: boolean): Choice<FoundFile> {
  const {
    group,
    file: { name, sizeBytes, seeders, author, content },
  } = found;
  const seeds = seeders > 0 ? plural(seeders, '{0} seeder', '{0} seeders') : t('nobody online has it');
  const cut = name.lastIndexOf('/');
  const details = [
    ...(cut < 0 ? [] : [withoutIcons(name.slice(0, cut))]),
    ...(withGroup ? [withoutIcons(group)] : []),
    formatBytes(sizeBytes),
    seeds,
    withoutIcons(author),
  ];
  return {
    label: withoutIcons(name.slice(cut + 1)),
    description: details.join(' · '),
    ...iconOf(name, content === 'folder'),
    value: found,
  };
}

/**
 * The icon that the person's theme has for such a file: VS Code takes it of `resourceUri`, which
 * its older versions pass over.
 */
function iconOf(name: string, isFolder: boolean): Partial<vscode.QuickPickItem> {
  if (isFolder) return { iconPath: vscode.ThemeIcon.Folder };
  const themed = {
    iconPath: vscode.ThemeIcon.File,
    resourceUri: vscode.Uri.from({ scheme: 'shoal', path: iconPath(name) }),
  };
  return themed;
}
