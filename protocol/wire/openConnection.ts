// From a stream to a connection, the same way on every link: frames over the stream, a greeting,
// then the messages of a table. Between the greeting and the messages the caller may still refuse,
// or choose the table by the other side's role; what arrives meanwhile waits.
import type { ShoalError } from '../base/errors.ts';
import { encode } from '../base/schema.ts';
import type { ByteStream, World } from '../base/world.ts';
import type { ConnectionOptions } from './connection.ts';
import { Connection } from './connection.ts';
import { FrameLink } from './frame.ts';
import type { Greeted, GreetOptions } from './greeting.ts';
import { bye, greet } from './greeting.ts';
import type { SideOf, Table } from './table.ts';
import { toWire } from './wireErrors.ts';

type LinkWorld = Pick<World, 'clock' | 'chance' | 'log'>;

export interface LinkOptions extends Pick<GreetOptions, 'role' | 'accepts' | 'program' | 'secret'> {
  readonly world: LinkWorld;
}

/** What a connection needs besides what its link knows already. */
export type MessageOptions<T extends Table, S extends SideOf<T>> = Omit<ConnectionOptions<T, S>, 'clock' | 'log'>;

/** A link whose greeting is done. It ends in `connect`, in `refuse`, or with its stream. */
export class GreetedLink implements Greeted {
  readonly stream: ByteStream;
  readonly role: Greeted['role'];
  readonly version: number;
  readonly program: string;
  readonly #frames: FrameLink;
  readonly #world: LinkWorld;

  constructor(frames: FrameLink, { role, version, program }: Greeted, world: LinkWorld) {
    this.stream = frames.stream;
    this.role = role;
    this.version = version;
    this.program = program;
    this.#frames = frames;
    this.#world = world;
  }

  /** Handles messages from now on; those that have arrived already, before this returns. */
  connect<T extends Table, S extends SideOf<T>>(options: MessageOptions<T, S>): Connection<T, S> {
    const { clock, log } = this.#world;
    return new Connection<T, S>(this.#frames, { ...options, clock, log });
  }

  /** Ends the link and tells the other side why. */
  refuse(reason: ShoalError): void {
    this.#frames.send({ type: 'bye', kind: 'notice', call: 0 }, encode(bye, { error: toWire(reason) }));
    this.#frames.finish(this.#world.clock);
  }
}

/**
 * Exchanges greetings over a stream that was dialled or accepted. When it rejects, the stream is
 * closed.
 *
 * @throws ShoalError as `greet` does
 */
export async function openLink(stream: ByteStream, { world, ...who }: LinkOptions): Promise<GreetedLink> {
  const { clock, chance } = world;
  const frames = new FrameLink(stream);
  return new GreetedLink(frames, await greet(frames, { ...who, clock, chance }), world);
}

/**
 * Greets and connects, for a caller that has nothing to decide in between.
 *
 * @throws ShoalError as `greet` does
 */
export async function openConnection<T extends Table, S extends SideOf<T>>(
  stream: ByteStream,
  link: LinkOptions,
  messages: MessageOptions<T, S>,
): Promise<Connection<T, S>> {
  return (await openLink(stream, link)).connect(messages);
}
