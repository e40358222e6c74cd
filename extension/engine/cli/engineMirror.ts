// The engine's state as a command sees it: what `watch` answered and every change since.
import { isShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { EngineEvent, Overview, Transfer } from '../../../protocol/messages/engineLink.ts';
import { fileNameKey, nameKey } from '../../../protocol/base/names.ts';
import type { EngineConnection, FrontendHandlers } from '../../../protocol/home/connectEngine.ts';

export class EngineMirror {
  readonly transfers = new Map<number, Transfer>();
  /** Handlers for the link whose engine this shall be the state of. */
  readonly handlers: FrontendHandlers;
  #overview: Overview | undefined;
  readonly #gone = new Set<number>();
  readonly #changed = new Set<() => void>();
  readonly #events = new Set<(event: EngineEvent) => void>();

  constructor() {
    this.handlers = {
      overviewChanged: (overview) => {
        this.#overview = overview;
        this.#emit();
      },
      transfersChanged: ({ changed, gone }) => {
        for (const transfer of changed) this.transfers.set(transfer.id, transfer);
        for (const id of gone) {
          this.transfers.delete(id);
          this.#gone.add(id);
        }
        this.#emit();
      },
      presenceChanged: () => {}, // no command shows it as it changes
      swarmChanged: () => {}, // nor that
      event: (event) => {
        for (const take of this.#events) take(event);
      },
    };
  }

  /** Begins to watch; from here on the engine stays while the link is open. */
  async start({ connection }: Pick<EngineConnection, 'connection'>): Promise<void> {
    const { overview, transfers, more } = await connection.call('watch', {});
    // Changes that came right behind the answer were handled before this line runs: they are newer.
    this.#overview ??= overview;
    for (const transfer of transfers) {
      if (!this.transfers.has(transfer.id) && !this.#gone.has(transfer.id)) this.transfers.set(transfer.id, transfer);
    }
    void connection.whenEnded.then(() => this.#emit());
    if (more) await connection.call('status', {}); // what did not fit comes behind the first answer, so before this one
  }

  get overview(): Overview {
    if (!this.#overview) throw new Error('not watching yet');
    return this.#overview;
  }

  /** Whether a transfer was there and is no more. */
  isGone(id: number): boolean {
    return this.#gone.has(id);
  }

  /** Calls `run` after every change. Returns how to stop it. */
  onChange(run: () => void): () => void {
    this.#changed.add(run);
    return () => this.#changed.delete(run);
  }

  onEvent(take: (event: EngineEvent) => void): () => void {
    this.#events.add(take);
    return () => this.#events.delete(take);
  }

  /**
   * What `look` gives once it gives something; it is asked now and after every change.
   *
   * @throws ShoalError linkClosed when the engine ends, cancelled
   */
  until<T>(connection: EngineConnection['connection'], look: () => T | undefined, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        stop();
        signal?.removeEventListener('abort', check);
      };
      const check = (): void => {
        try {
          const found = look();
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
      check();
    });
  }

  /** A transfer by its group's and its own name; of several versions the newest. */
  find(group: string, name: string): Transfer | undefined {
    const fits = [...this.transfers.values()].filter(
      (transfer) => nameKey(transfer.groupName) === nameKey(group) && fileNameKey(transfer.name) === fileNameKey(name),
    );
    return fits.sort((a, b) => b.id - a.id)[0];
  }

  #emit(): void {
    for (const run of [...this.#changed]) run();
  }
}
