// Downloads that this window opens when they are done. Owns which; remembered by the workspace, so
// that a reload does not forget them.
import type { Log } from '../../protocol/base/world.ts';
import { isComplete } from '../../protocol/frontend/transferState.ts';
import type { WindowState } from './state.ts';

/** Remembers them; Memory is one. */
export interface OpenWhenDoneStore {
  readonly opening: ReadonlySet<number>;
  rememberOpening(ids: ReadonlySet<number>): Promise<void>;
}

export class OpenWhenDone {
  ids: ReadonlySet<number>;
  /** Those that were done in this window's life. */
  readonly #opened = new Set<number>();
  readonly #store: OpenWhenDoneStore;
  readonly #open: (file: string) => Promise<void>;
  readonly #onChange: () => void;
  readonly #log: Pick<Log, 'info'>;

  /** @param onChange  told when the rows of downloads may look different */
  constructor(
    store: OpenWhenDoneStore,
    open: (file: string) => Promise<void>,
    onChange: () => void,
    log: Pick<Log, 'info'>,
  ) {
    this.ids = store.opening;
    this.#store = store;
    this.#open = open;
    this.#onChange = onChange;
    this.#log = log;
  }

  /** Whether this window opens it, or has. */
  opens(id: number): boolean {
    return this.ids.has(id) || this.#opened.has(id);
  }

  async mark(ids: readonly number[], opens: boolean): Promise<void> {
    const now = new Set(this.ids);
    for (const id of ids) {
      if (opens) now.add(id);
      else now.delete(id);
    }
    this.ids = now;
    this.#onChange();
    await this.#store.rememberOpening(now);
  }

  /**
   * The state has changed: opens what is done. Marks of downloads that never come to that are few,
   * and their ids are never given again.
   */
  update({ engine, overview, transfers }: WindowState, before: WindowState): void {
    if (this.ids.size === 0 || transfers === before.transfers || engine !== 'up' || overview?.account === undefined) {
      return;
    }
    const done = [...this.ids].flatMap((id) => transfers.get(id) ?? []).filter(isComplete);
    if (done.length === 0) return;
    for (const { id } of done) this.#opened.add(id);
    void this.mark(
      done.map(({ id }) => id),
      false,
    );
    for (const { path, state } of done) {
      if (state !== 'gone') {
        this.#open(path).catch((error: unknown) =>
          this.#log.info('cannot open a finished download', { why: (error as Error).message }),
        );
      }
    }
  }
}
