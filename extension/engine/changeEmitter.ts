// Tells frontends what has changed in the engine, at once; each merges for itself.
import { Emitter } from '../../protocol/async/emitter.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import type { Change, EngineEvent } from './engineApi.ts';

export class ChangeEmitter {
  readonly #changes = new Emitter<[Change]>();
  readonly #events = new Emitter<[EngineEvent]>();

  /** Returns how to stop it. */
  onChange(listener: (change: Change) => void): () => void {
    return this.#changes.on(listener);
  }
  /** Returns how to stop it. */
  onEvent(listener: (event: EngineEvent) => void): () => void {
    return this.#events.on(listener);
  }

  overview(): void {
    this.#changes.emit({ overview: true, transfers: new Set(), gone: [], presence: [] });
  }
  /** @param withOverview  rates of the whole engine moved with them */
  transfers(ids: readonly number[], withOverview = false): void {
    this.#changes.emit({ overview: withOverview, transfers: new Set(ids), gone: [], presence: [] });
  }
  gone(ids: readonly number[]): void {
    this.#changes.emit({ overview: true, transfers: new Set(), gone: ids, presence: [] });
  }
  presence(groups: readonly GroupId[]): void {
    this.#changes.emit({ overview: false, transfers: new Set(), gone: [], presence: groups });
  }
  event(
    what: Exclude<EngineEvent['what'], 'other'>,
    group: string,
    name: string,
    user = '',
    conflict?: EngineEvent['conflict'],
  ): void {
    this.#events.emit({ what, group, user, name, conflict });
  }
}
