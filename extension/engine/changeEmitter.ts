// Who is told that something changed: everybody who asked, at once; merging is theirs.
import type { GroupId } from '../../protocol/base/ids.ts';
import type { Change, EngineEvent } from './engineApi.ts';

export class ChangeEmitter {
  readonly #changes = new Set<(change: Change) => void>();
  readonly #events = new Set<(event: EngineEvent) => void>();

  /** Returns how to stop it. */
  onChange(listener: (change: Change) => void): () => void {
    this.#changes.add(listener);
    return () => this.#changes.delete(listener);
  }
  /** Returns how to stop it. */
  onEvent(listener: (event: EngineEvent) => void): () => void {
    this.#events.add(listener);
    return () => this.#events.delete(listener);
  }

  overview(): void {
    this.#emit({ overview: true, transfers: new Set(), gone: [], presence: [] });
  }
  /** @param withOverview  rates of the whole engine moved with them */
  transfers(ids: readonly number[], withOverview = false): void {
    this.#emit({ overview: withOverview, transfers: new Set(ids), gone: [], presence: [] });
  }
  gone(ids: readonly number[]): void {
    this.#emit({ overview: true, transfers: new Set(), gone: ids, presence: [] });
  }
  presence(groups: readonly GroupId[]): void {
    this.#emit({ overview: false, transfers: new Set(), gone: [], presence: groups });
  }
  event(
    what: Exclude<EngineEvent['what'], 'other'>,
    group: string,
    name: string,
    user = '',
    conflict?: EngineEvent['conflict'],
  ): void {
    for (const listener of this.#events) listener({ what, group, user, name, conflict });
  }

  #emit(change: Change): void {
    for (const listener of this.#changes) listener(change);
  }
}
