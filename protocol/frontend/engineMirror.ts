// The engine's state as a frontend sees it: what `watch` answered and every change since. One for
// the window's store and for the command line. Asks for nothing but `watch`, and only in start().
import { isShoalError, ShoalError } from '../base/errors.ts';
import { fileNameKey, nameKey } from '../base/names.ts';
import { Emitter } from '../async/emitter.ts';
import type { EngineEvent, engineLink, Overview, Transfer } from '../messages/engineLink.ts';
import type { Connection } from '../wire/connection.ts';
import type { CallOptions } from '../wire/outgoingCalls.ts';
import type { HandlersOf } from '../wire/table.ts';

type EngineLink = Connection<typeof engineLink, 'frontend'>;

/** What a notice of the engine has changed. `before`: the transfers as they were. */
export type MirrorChange =
  | { readonly is: 'overview' }
  | {
      readonly is: 'transfers';
      readonly changed: readonly Transfer[];
      readonly before: ReadonlyMap<number, Transfer>;
    };

export class EngineMirror {
  /** Handlers for the link whose engine this mirrors. */
  readonly handlers: Pick<HandlersOf<typeof engineLink, 'frontend'>, 'overviewChanged' | 'transfersChanged' | 'event'>;
  #overview: Overview | undefined;
  #transfers: ReadonlyMap<number, Transfer> = new Map();
  readonly #gone = new Set<number>();
  readonly #changes = new Emitter<[change: MirrorChange]>();
  readonly #events = new Emitter<[event: EngineEvent]>();

  constructor() {
    this.handlers = {
      overviewChanged: (overview) => {
        this.#overview = overview;
        this.#changes.emit({ is: 'overview' });
      },
      transfersChanged: ({ changed, gone }) => {
        const before = this.#transfers;
        const transfers = new Map(before);
        for (const transfer of changed) transfers.set(transfer.id, transfer);
        for (const id of gone) {
          transfers.delete(id);
          this.#gone.add(id);
        }
        this.#transfers = transfers;
        this.#changes.emit({ is: 'transfers', changed, before });
      },
      event: (event) => this.#events.emit(event),
    };
  }

  /**
   * Begins to watch; from here on the engine stays while the link is open. Calls no listener.
   * Resolves to whether there are transfers that did not fit into the answer: they follow it as a
   * change.
   *
   * @throws ShoalError as the call does
   */
  async start(connection: Pick<EngineLink, 'call'>, options?: CallOptions): Promise<boolean> {
    const { overview, transfers, more } = await connection.call('watch', {}, options);
    // Changes that came right behind the answer were handled before this line runs: they are newer.
    this.#overview ??= overview;
    const first = new Map(transfers.filter(({ id }) => !this.#gone.has(id)).map((transfer) => [transfer.id, transfer]));
    for (const [id, transfer] of this.#transfers) first.set(id, transfer);
    this.#transfers = first;
    return more;
  }

  /** Forgets everything: what comes next is another engine's. Calls no listener. */
  reset(): void {
    this.#overview = undefined;
    this.#transfers = new Map();
    this.#gone.clear();
  }

  /** Must not be read before start() has resolved or an overview was received. */
  get overview(): Overview {
    if (!this.#overview) throw new Error('not watching yet');
    return this.#overview;
  }

  /** A new map after every change. */
  get transfers(): ReadonlyMap<number, Transfer> {
    return this.#transfers;
  }

  /** Whether a transfer was there and is no more. */
  isGone(id: number): boolean {
    return this.#gone.has(id);
  }

  /** A transfer by its group's and its own name; of several versions the newest. */
  find(group: string, name: string): Transfer | undefined {
    const fits = [...this.#transfers.values()].filter(
      (transfer) => nameKey(transfer.groupName) === nameKey(group) && fileNameKey(transfer.name) === fileNameKey(name),
    );
    return fits.sort((a, b) => b.id - a.id)[0];
  }

  /** Calls a listener after every change. Returns how to stop. */
  onChange(listener: (change: MirrorChange) => void): () => void {
    return this.#changes.on(listener);
  }

  onEvent(listener: (event: EngineEvent) => void): () => void {
    return this.#events.on(listener);
  }

  /**
   * Resolves to what `find` returns as soon as that is something; it is called now, after every
   * change, and when the link ends.
   *
   * @throws ShoalError linkClosed when the engine ends, cancelled, or what `find` throws
   */
  until<T>(
    connection: Pick<EngineLink, 'isOpen' | 'whenEnded'>,
    find: () => T | undefined,
    signal?: AbortSignal,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const settle = (): void => {
        isSettled = true;
        stop();
        signal?.removeEventListener('abort', check);
      };
      const check = (): void => {
        if (isSettled) return;
        try {
          const found = find();
          if (found === undefined && signal?.aborted) throw new ShoalError('cancelled');
          if (found === undefined && !connection.isOpen) throw new ShoalError('linkClosed');
          if (found === undefined) return;
          settle();
          resolve(found);
        } catch (error) {
          settle();
          reject(isShoalError(error) ? error : (error as Error));
        }
      };
      const stop = this.onChange(check);
      signal?.addEventListener('abort', check);
      void connection.whenEnded.then(check);
      check();
    });
  }
}
