// What of a group's files is on this machine, and of which of them the group has a newer version.
// Pure.
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import type { FileRow } from '../../protocol/messages/trackerLink.ts';
import { isComplete } from '../../protocol/frontend/transferState.ts';
import type { Listing, WindowState } from './state.ts';
import { myGroups } from './state.ts';

/** Whether all of it lies here, as it was when it came or was shared. */
export const isHere = (transfer: Transfer): boolean =>
  transfer.kind === 'share' ? transfer.state === 'seeding' : isComplete(transfer) && transfer.state !== 'gone';

/** What we have of one group. */
export class LocalCopies {
  /** Equal texts mean equal holdings, as far as rows tell of them. */
  readonly key: string;
  readonly #me: string;
  readonly #current = new Map<string, Transfer>();
  readonly #byName = new Map<string, Transfer[]>();

  constructor(group: GroupId, { transfers, overview }: Pick<WindowState, 'transfers' | 'overview'>) {
    this.#me = overview?.account?.user ?? '';
    // Of a folder that is here in part and as a whole, the whole counts.
    const mine = [...transfers.values()]
      .filter((transfer) => transfer.group === group)
      .sort((a, b) => a.sizeBytes - b.sizeBytes);
    for (const transfer of mine) {
      this.#current.set(`${transfer.name}\n${transfer.root}`, transfer);
      this.#byName.set(transfer.name, [...(this.#byName.get(transfer.name) ?? []), transfer]);
    }
    this.key = mine.map(({ id, state, path, root }) => `${id} ${state} ${path} ${root}`).join('\n');
  }

  /** What we have, or are getting, of exactly this version. */
  ofVersion({ name, root }: FileRow): Transfer | undefined {
    return this.#current.get(`${name}\n${root}`);
  }

  /** An older version that lies here while nothing of this one does: an update is to be had. */
  olderThan(file: FileRow): Transfer | undefined {
    const current = this.ofVersion(file);
    if (current && current.state !== 'gone' && current.state !== 'failed') return undefined;
    return this.#byName.get(file.name)?.findLast((transfer) => isHere(transfer) && isOlder(transfer, file, this.#me));
  }
}

/**
 * Whether the group has a newer version of what somebody holds. A share does not know which version
 * it is: whoever made the newest one is not behind.
 */
export const isOlder = ({ root, version, kind }: Transfer, file: FileRow, me: string): boolean =>
  root !== file.root &&
  (version > 0 ? version < file.version : kind === 'download' || (!file.iShare && file.author !== me));

const indexed = new WeakMap<Listing<FileRow>, ReadonlyMap<string, FileRow>>();

/** A group's file by its name, as far as its catalogue was read. */
export function fileNamed(state: WindowState, group: GroupId, name: string): FileRow | undefined {
  const files = state.files.get(group);
  if (!files) return undefined;
  const byName = indexed.get(files) ?? new Map(files.rows.map((file) => [file.name, file]));
  indexed.set(files, byName);
  return byName.get(name);
}

export interface Update {
  readonly file: FileRow;
  readonly group: string;
  /** What lies here. */
  readonly older: Transfer;
}

/** Everything of which the group has a newer version than this machine. */
export function updatesOf(state: WindowState): readonly Update[] {
  return myGroups(state).flatMap(({ group, name }) => {
    const localCopies = new LocalCopies(group, state);
    const names = new Set(
      [...state.transfers.values()].filter((transfer) => transfer.group === group).map((transfer) => transfer.name),
    );
    return [...names].flatMap((file) => {
      const row = fileNamed(state, group, file);
      const older = row && localCopies.olderThan(row);
      return row && older ? [{ file: row, group: name, older }] : [];
    });
  });
}
