// The links of a tracker: accepts as many as it may have, greets, and tells the other side why it
// refuses. The server decides which handlers a link gets.
import { isLoopback } from '../../protocol/base/address.ts';
import { asShoalError } from '../../protocol/base/errors.ts';
import type { Pin } from '../../protocol/base/ids.ts';
import type { ByteStream, World } from '../../protocol/base/world.ts';
import type { Ending } from '../../protocol/wire/connection.ts';
import type { GreetedLink } from '../../protocol/wire/openConnection.ts';
import { openLink } from '../../protocol/wire/openConnection.ts';

/**
 * Links at one time, and from one address: an office of 200 people behind one address fits twice.
 * This machine itself is exempt.
 */
const CONNECTIONS_MAX = 10_000;
const CONNECTIONS_PER_HOST_MAX = 1_000;

export interface LinksContext {
  readonly world: World;
  readonly program: string;
  /**
   * Serves a link that has greeted; resolves when it has ended. @throws what the other side is told
   */
  readonly serve: (link: GreetedLink, pin: Pin) => Promise<void>;
}

/** Any connection, as far as it matters here. */
interface OpenConnection {
  readonly whenEnded: Promise<Ending>;
  close(): void;
}

export class Links {
  readonly #context: LinksContext;
  readonly #open = new Set<OpenConnection>();
  readonly #countByHost = new Map<string, number>();
  #closed = false;

  constructor(context: LinksContext) {
    this.#context = context;
  }

  async accept(stream: ByteStream): Promise<void> {
    const { world, program, serve } = this.#context;
    const { pin } = stream;
    const { host } = stream.remote;
    const fromHere = this.#countByHost.get(host) ?? 0;
    const isFull = !isLoopback(host) && (fromHere >= CONNECTIONS_PER_HOST_MAX || this.#open.size >= CONNECTIONS_MAX);
    if (this.#closed || pin === undefined || isFull) return stream.destroy();
    this.#countByHost.set(host, fromHere + 1);
    let link: GreetedLink | undefined;
    try {
      link = await openLink(stream, { world, role: 'tracker', accepts: ['engine', 'tracker', 'operator'], program });
      await serve(link, pin);
    } catch (error) {
      const why = asShoalError(error);
      world.log.debug('link refused', { host, why: why.message });
      link?.refuse(why);
    } finally {
      const left = (this.#countByHost.get(host) ?? 1) - 1;
      if (left > 0) this.#countByHost.set(host, left);
      else this.#countByHost.delete(host);
    }
  }

  /** Counts a connection among those that are open, until it has ended. */
  async hold(connection: OpenConnection): Promise<void> {
    this.#open.add(connection);
    await connection.whenEnded;
    this.#open.delete(connection);
  }

  /** Ends every connection cleanly; accepts no more. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#open) connection.close();
  }
}
