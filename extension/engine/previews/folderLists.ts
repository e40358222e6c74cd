// The lists of shared folders that were read: each is read once, kept in memory while it is used,
// and forgotten a while after. Owns them; how a list is read is up to sharedFileReader.ts.
import type { Root } from '../../../protocol/base/ids.ts';
import type { Clock, Timer } from '../../../protocol/base/world.ts';
import type { Folder } from '../../../protocol/messages/manifest.ts';
import { byPath } from '../transferFiles/fileSelection.ts';
import { LISTS_MAX, PREVIEW_IDLE_MS } from './previewLimits.ts';

export class FolderLists {
  readonly #clock: Clock;
  /** The one that was read last comes last. */
  readonly #lists = new Map<Root, Folder>();
  /** Those that are being read. */
  readonly #reading = new Map<Root, Promise<Folder>>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The list of a folder, its files in the order of their names. A window asks for many files of a
   * folder at once: its list is read once.
   *
   * @param check  called after every wait; throws when the caller may not have the list
   * @throws what `check` or `read` throws
   */
  async get(root: Root, check: () => void, read: () => Promise<Folder>): Promise<Folder> {
    for (let reading = this.#reading.get(root); reading; reading = this.#reading.get(root)) {
      await reading.catch(() => undefined);
    }
    check();
    const known = this.#lists.get(root);
    if (known) return known;
    const reading = read().then((folder) => this.#keep(root, folder));
    this.#reading.set(root, reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(root);
    }
  }

  clear(): void {
    this.#timer?.cancel();
    this.#lists.clear();
  }

  #keep(root: Root, folder: Folder): Folder {
    const sorted = { ...folder, files: byPath(folder.files) };
    this.#lists.set(root, sorted);
    for (const oldest of this.#lists.keys()) if (this.#lists.size > LISTS_MAX) this.#lists.delete(oldest);
    this.#timer?.cancel();
    this.#timer = this.#clock.after(PREVIEW_IDLE_MS, () => this.#lists.clear());
    return sorted;
  }
}
