// Conflicts that the person was told of: a tracker tells them again at every link, and the other
// tracker as well. Owns its file.
import type { Disk } from '../../../protocol/base/world.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import { readSmallFile, writeSmallFile } from '../../../protocol/home/homeLayout.ts';
import type { Conflict } from '../../../protocol/messages/trackerLink.ts';

/** So many are remembered; trackers tell those of a week. */
const REMEMBERED_MAX = 500;

export class SeenConflicts {
  readonly #disk: Disk;
  readonly #home: Home;
  #seen: readonly string[] = [];

  constructor(disk: Disk, home: Home) {
    this.#disk = disk;
    this.#home = home;
  }

  async load(): Promise<void> {
    this.#seen =
      (await readSmallFile(this.#disk, this.#home.conflictsFile, (fields) => {
        const told = fields['told'];
        if (!Array.isArray(told)) throw new Error('no list of conflicts');
        return told.map(String);
      })) ?? [];
  }

  /** Those that the person has not been told of. They are remembered when it resolves. */
  async unseen(conflicts: readonly Conflict[]): Promise<readonly Conflict[]> {
    const fresh = conflicts.filter((conflict) => !this.#seen.includes(keyOf(conflict)));
    if (fresh.length === 0) return fresh;
    this.#seen = [...this.#seen, ...fresh.map(keyOf)].slice(-REMEMBERED_MAX);
    await writeSmallFile(this.#disk, this.#home.conflictsFile, { told: this.#seen });
    return fresh;
  }
}

/** It may come to something else again. */
const keyOf = ({ operation, result }: Conflict): string => `${operation} ${result}`;
