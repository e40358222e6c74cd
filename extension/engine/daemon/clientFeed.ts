// What one frontend is told of the engine's changes: the first at once, then merged, so that a busy
// engine costs every window a few messages a second. A frontend that reads slowly gets fewer, not
// older ones.
import type { Connection } from '../../../protocol/wire/connection.ts';
import type { engineLink, Transfer } from '../../../protocol/messages/engineLink.ts';
import type { GroupId } from '../../../protocol/base/ids.ts';
import {
  FRAME_PAYLOAD_BYTES_MAX,
  GROUPS_PER_ACCOUNT_MAX,
  TRANSFERS_PER_NOTICE_MAX,
} from '../../../protocol/base/limits.ts';
import type { BodyOf, ReplyOf } from '../../../protocol/wire/table.ts';
import type { Clock, Log } from '../../../protocol/base/world.ts';
import { wait } from '../../../protocol/async/wait.ts';
import type { Change, EngineApi } from '../engineApi.ts';
import { SwarmSubscriptions } from './swarmSubscriptions.ts';

/**
 * Least time between two messages of changes to one frontend, in ms: what an eye follows, and no
 * more work for a window.
 */
export const UPDATE_INTERVAL_MS = 250;

/** Bytes of transfers in one message: leaves room for an overview beside them. */
const TRANSFERS_BYTES_MAX = FRAME_PAYLOAD_BYTES_MAX / 2;

export class ClientFeed {
  /** When this frontend came, by the monotonic clock. */
  readonly sinceMs: number;
  /** The swarms that it looks at. */
  readonly swarms: SwarmSubscriptions;
  readonly #api: EngineApi;
  readonly #clock: Clock;
  readonly #log: Log;
  #connection: Connection<typeof engineLink, 'engine'> | undefined;
  #watched = false;
  #overview = false;
  readonly #changed = new Set<number>();
  readonly #gone = new Set<number>();
  readonly #presence = new Set<GroupId>();
  #sending = false;

  constructor(api: EngineApi, clock: Clock, log: Log) {
    this.#api = api;
    this.#clock = clock;
    this.#log = log;
    this.sinceMs = clock.monotonicMs();
    const isWritable = (): boolean => this.#connection?.isWritable === true;
    this.swarms = new SwarmSubscriptions(api, clock, {
      get isWritable() {
        return isWritable();
      },
      notify: (view) => this.#connection?.notify('swarmChanged', view),
    });
  }

  /**
   * Sets where to send. Whoever makes the connection needs the feed for its handlers, so this comes
   * second.
   */
  connect(connection: Connection<typeof engineLink, 'engine'>): void {
    this.#connection = connection;
    void connection.whenEnded.then(() => this.swarms.stop());
  }

  /** Whether this frontend is there and wants to know: then it holds the engine. */
  get isWatched(): boolean {
    return this.#watched && this.#connection?.isOpen !== false;
  }

  /** The state now. Transfers that do not fit follow as changes, behind the answer. */
  watch(): ReplyOf<typeof engineLink, 'watch'> {
    this.#watched = true;
    const { first, rest } = fittingPrefix(this.#api.transfers());
    for (const { id } of rest) this.#changed.add(id);
    this.#send();
    return { overview: this.#api.overview(), transfers: first, more: rest.length > 0 };
  }

  change({ overview, transfers, gone, presence }: Change): void {
    if (!this.#watched) return;
    this.#overview ||= overview;
    for (const id of transfers) this.#changed.add(id);
    for (const group of presence) this.#presence.add(group);
    for (const id of gone) {
      this.#changed.delete(id);
      this.#gone.add(id);
    }
    this.#send();
  }

  event(event: BodyOf<typeof engineLink, 'event'>): void {
    if (this.#watched) this.#connection?.notify('event', event);
  }

  /** Ends the link cleanly. */
  close(): void {
    this.#connection?.close();
  }

  get #hasChanges(): boolean {
    return this.#overview || this.#changed.size > 0 || this.#gone.size > 0 || this.#presence.size > 0;
  }

  #send(): void {
    if (this.#sending || !this.#hasChanges) return;
    this.#sending = true;
    this.#sendAll().catch((error: unknown) => {
      this.#log.error('changes could not be sent', { error });
      this.#connection?.destroy(); // it would show a state that is no more; the frontend comes back and gets all anew
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#hasChanges) {
      await Promise.resolve(); // behind the answer to `watch`; and the rest of what is changing at this moment joins
      const connection = this.#connection;
      await connection?.writable();
      if (!connection?.isOpen) return;
      this.#flush(connection);
      await wait(this.#clock, UPDATE_INTERVAL_MS);
    }
    this.#sending = false;
  }

  #flush(connection: Connection<typeof engineLink, 'engine'>): void {
    if (this.#overview) connection.notify('overviewChanged', this.#api.overview());
    this.#overview = false;
    if (this.#presence.size > 0) {
      connection.notify('presenceChanged', { groups: [...this.#presence].slice(0, GROUPS_PER_ACCOUNT_MAX) });
    }
    this.#presence.clear();
    let changed: readonly Transfer[] = [...this.#changed]
      .map((id) => this.#api.transfer(id))
      .filter((transfer) => transfer !== undefined);
    let gone = [...this.#gone];
    this.#changed.clear();
    this.#gone.clear();
    while (changed.length > 0 || gone.length > 0) {
      const { first, rest } = fittingPrefix(changed);
      connection.notify('transfersChanged', { changed: first, gone: gone.slice(0, TRANSFERS_PER_NOTICE_MAX) });
      changed = rest;
      gone = gone.slice(TRANSFERS_PER_NOTICE_MAX);
    }
  }
}

/** As many transfers as one message takes, by number and by bytes. */
export function fittingPrefix(transfers: readonly Transfer[]): {
  readonly first: readonly Transfer[];
  readonly rest: readonly Transfer[];
} {
  let bytes = 0;
  let count = 0;
  for (const transfer of transfers) {
    bytes += bytesOf(transfer);
    if (count > 0 && (count === TRANSFERS_PER_NOTICE_MAX || bytes > TRANSFERS_BYTES_MAX)) break;
    count++;
  }
  return { first: transfers.slice(0, count), rest: transfers.slice(count) };
}

/**
 * Bytes of a transfer in a message, at most: three for each UTF-16 unit, and its numbers and ids.
 */
function bytesOf({ path, name, groupName, error }: Transfer): number {
  const units = path.length + name.length + groupName.length + (error ? JSON.stringify(error).length : 0);
  return 3 * units + 700;
}
