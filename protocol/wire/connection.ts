// Two programs exchanging the messages of one table over one link: notices, the other side's calls
// (outgoingCalls.ts has ours), back-pressure, a clean and an unclean end. Owns the link after its
// greeting; knows no message itself.
import { asShoalError, isShoalError, ShoalError } from '../base/errors.ts';
import type { Frame, FrameHead, FrameLink, FrameReceiver, RawBytes, RawTarget } from './frame.ts';
import { PAYLOAD_HEAD_BYTES } from './frame.ts';
import { bye } from './greeting.ts';
import {
  ADDED_FIELDS_BYTES_MAX,
  CALLS_UNDER_WAY_MAX,
  FRAME_PAYLOAD_BYTES_MAX,
  QUEUED_BYTES_MAX,
} from '../base/limits.ts';
import { wireError } from '../base/fields.ts';
import { decode, encode } from '../base/schema.ts';
import { encodeBody } from './encodeBody.ts';
import { Heartbeat } from './heartbeat.ts';
import type { CallOptions } from './outgoingCalls.ts';
import { cancel, OutgoingCalls } from './outgoingCalls.ts';
import { nothing } from './table.ts';
import type {
  BodyOf,
  CallContext,
  CallsOf,
  HandlersOf,
  MessageRow,
  NoticesOf,
  ReplyOf,
  SideOf,
  Table,
} from './table.ts';
import { fromWire, toWire } from './wireErrors.ts';
import type { ByteStream, Clock, Log } from '../base/world.ts';

export interface ConnectionOptions<T extends Table, S extends SideOf<T>> {
  readonly table: T;
  /** Which side this program is. */
  readonly side: S;
  readonly handlers: HandlersOf<T, S>;
  readonly heartbeatMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Called before the first message is handled, for handlers that use the connection themselves.
   */
  readonly onOpen?: (connection: Connection<T, S>) => void;
}

/** How a connection ended. `error` is missing after a clean end without a reason. */
export interface Ending {
  readonly clean: boolean;
  readonly error?: ShoalError;
}

/** A handler seen without its types, which the table has checked already. */
type AnyHandler = (body: unknown, call: CallContext) => unknown;

export class Connection<T extends Table, S extends SideOf<T>> implements FrameReceiver {
  /** Settles once, when the link is closed. */
  readonly whenEnded: Promise<Ending>;
  readonly #link: FrameLink;
  readonly #options: ConnectionOptions<T, S>;
  readonly #outgoing: OutgoingCalls;
  readonly #heartbeat: Heartbeat;
  readonly #running = new Map<number, Running>();
  /** Requests that wait until the other side has taken some of what is queued for it. */
  readonly #held = new Map<number, Frame>();
  /** Raw bytes that the answers to what is running may add to the queue. */
  #promisedBytes = 0;
  readonly #waitingForIdle: (() => void)[] = [];
  readonly #waitingToWrite: (() => void)[] = [];
  #ending: Ending | undefined;
  #settle: (ending: Ending) => void = () => {};

  /**
   * Takes over a link whose greeting is done. Messages that came since are handled before this
   * returns.
   */
  constructor(link: FrameLink, options: ConnectionOptions<T, S>) {
    this.#link = link;
    this.#options = options;
    this.whenEnded = new Promise((resolve) => (this.#settle = resolve));
    this.#outgoing = new OutgoingCalls(options.clock, (head, body) => this.#send(head, body));
    this.#heartbeat = new Heartbeat({
      clock: options.clock,
      intervalMs: options.heartbeatMs,
      traffic: () => ({ ...this.counts, queuedBytes: this.stream.queuedBytes }),
      isHolding: () => this.#held.size > 0,
      onIdle: () => this.#send({ type: 'ping', kind: 'notice', call: 0 }, new Uint8Array(0)),
      onSilent: () => this.destroy(new ShoalError('linkSilent')),
    });
    options.onOpen?.(this);
    link.receive(this);
  }

  get stream(): ByteStream {
    return this.#link.stream;
  }

  get counts(): FrameLink['counts'] {
    return this.#link.counts;
  }

  get isOpen(): boolean {
    return this.#ending === undefined;
  }

  /**
   * Asks the other side.
   *
   * @throws ShoalError what the other side answered, or deadline, cancelled, linkClosed,
   *   linkSilent, badMessage
   */
  call<K extends CallsOf<T, S>>(name: K, body: BodyOf<T, K>, options: CallOptions = {}): Promise<ReplyOf<T, K>> {
    const row = this.#options.table.rows[name];
    if (!row) throw new Error(`no row ${name}`);
    return this.#outgoing.call(name, row, body, options) as Promise<ReplyOf<T, K>>;
  }

  /**
   * Tells the other side; nothing comes back. Does nothing on a closed link.
   *
   * @throws ShoalError badMessage
   */
  notify<K extends NoticesOf<T, S>>(name: K, body: BodyOf<T, K>): void {
    const row = this.#options.table.rows[name];
    if (!row) throw new Error(`no row ${name}`);
    this.#send({ type: name, kind: 'notice', call: 0 }, encodeBody(name, row.body, body));
  }

  /** Whether the other side has taken enough of what was written to get more. */
  get isWritable(): boolean {
    return this.stream.queuedBytes <= QUEUED_BYTES_MAX / 4;
  }

  /** Resolves when it has, at the latest when the link ends. */
  async writable(): Promise<void> {
    while (this.isOpen && !this.isWritable) await new Promise<void>((resolve) => this.#waitingToWrite.push(resolve));
  }

  /**
   * Resolves when nothing that the other side has asked waits for its answer, at the latest when
   * the link ends.
   */
  async idle(): Promise<void> {
    while (this.isOpen && this.#running.size + this.#held.size > 0) {
      await new Promise<void>((resolve) => this.#waitingForIdle.push(resolve));
    }
  }

  /**
   * Ends the link cleanly: what was written still arrives, then a bye with the reason if one is
   * given.
   */
  close(reason?: ShoalError): void {
    this.#endWhenIdle(reason, true);
  }

  #endWhenIdle(reason: ShoalError | undefined, clean: boolean): void {
    if (this.#ending) return;
    this.#send({ type: 'bye', kind: 'notice', call: 0 }, encode(bye, { error: reason && toWire(reason) }));
    this.#link.finish(this.#options.clock);
    this.#end({ clean, ...(reason && { error: reason }) });
  }

  /** Ends the link at once. */
  destroy(error: ShoalError = new ShoalError('linkClosed')): void {
    this.#end({ clean: false, error });
    this.stream.destroy();
  }

  // From here on: what the link tells us (FrameReceiver).

  payloadBytesMax(head: FrameHead): number {
    const fields = PAYLOAD_HEAD_BYTES + ADDED_FIELDS_BYTES_MAX;
    if (head.kind === 'error') return fields + wireError.maxBytes;
    if (head.kind === 'answer') {
      const row = this.#options.table.rows[head.type];
      return Math.min(FRAME_PAYLOAD_BYTES_MAX, fields + (row?.reply?.maxBytes ?? 0) + (row?.rawBytesMax ?? 0));
    }
    return Math.min(
      FRAME_PAYLOAD_BYTES_MAX,
      fields + (this.#incoming(head.type)?.body.maxBytes ?? (head.type === 'bye' ? bye.maxBytes : 0)),
    );
  }

  rawTarget(head: FrameHead): RawTarget | undefined {
    return head.kind === 'answer' ? this.#outgoing.rawTarget(head) : undefined;
  }

  frame(frame: Frame): void {
    if (this.#ending) return;
    try {
      if (frame.kind === 'request') this.#onRequest(frame);
      else if (frame.kind === 'notice') this.#onNotice(frame);
      else this.#outgoing.onAnswer(frame);
    } catch (error) {
      // What cannot be read here was not a call, so nobody waits for an answer: the other side is
      // broken or hostile, and is told why.
      this.#endWhenIdle(asShoalError(error), false);
    }
  }

  drained(): void {
    this.#handleHeld();
    for (const go of this.#waitingToWrite.splice(0)) go();
  }

  ended(error?: Error): void {
    this.#end({
      clean: false,
      error: isShoalError(error) ? error : new ShoalError('linkClosed', {}, { cause: error }),
    });
  }

  #onRequest(frame: Frame): void {
    const { call } = frame;
    if (this.#running.has(call) || this.#held.has(call)) {
      throw new ShoalError('badFrame', { why: 'a call number is used twice' });
    }
    const isQueueFull = this.#isQueueFull(this.#incoming(frame.type));
    if (this.#running.size + this.#held.size >= CALLS_UNDER_WAY_MAX) {
      // A side that asks on and on without reading is not even told.
      return isQueueFull ? this.destroy(new ShoalError('busy')) : this.#answerError(frame, new ShoalError('busy'));
    }
    if (isQueueFull) this.#held.set(call, { ...frame, body: Buffer.from(frame.body) });
    else this.#handle(frame);
  }

  /**
   * Whether requests wait for the other side to read what it asked for before. (We read on
   * meanwhile: if both sides stopped reading, each would wait for the other for ever.)
   */
  #isQueueFull(row: MessageRow | undefined): boolean {
    // What other calls will add counts for those that add as much; a small answer does not wait
    // behind all the large ones.
    return this.stream.queuedBytes + (row?.rawBytesMax === undefined ? 0 : this.#promisedBytes) > QUEUED_BYTES_MAX;
  }

  #handleHeld(): void {
    for (const [call, frame] of this.#held) {
      if (this.#isQueueFull(this.#incoming(frame.type))) return;
      this.#held.delete(call);
      this.#handle(frame);
    }
  }

  #handle(frame: Frame): void {
    const { type, call } = frame;
    const row = this.#incoming(type);
    if (!row?.reply) return this.#answerError(frame, new ShoalError('unknownMessage', { type }));
    const running = new Running();
    let answer: unknown;
    try {
      const body: unknown = decode(row.body, frame.body, type);
      answer = (this.#options.handlers as unknown as Record<string, AnyHandler>)[type]?.(body, running);
    } catch (error) {
      return this.#answerError(frame, error);
    }
    if (!(answer instanceof Promise)) return this.#answer(frame, row, answer);
    this.#running.set(call, running);
    this.#promisedBytes += row.rawBytesMax ?? 0;
    const done = (respond: () => void): void => {
      this.#running.delete(call);
      this.#promisedBytes -= row.rawBytesMax ?? 0;
      respond();
      this.#handleHeld();
      this.#notifyIdle();
    };
    answer.then(
      (value: unknown) => done(() => this.#answer(frame, row, value)),
      (error: unknown) => done(() => this.#answerError(frame, error)),
    );
  }

  #answer({ type, call }: FrameHead, row: MessageRow, answer: unknown): void {
    const raw = row.rawBytesMax === undefined ? undefined : (answer as RawBytes);
    try {
      this.#send({ type, kind: 'answer', call }, encodeBody(type, row.reply ?? nothing, answer), raw);
    } catch (error) {
      raw?.taken?.();
      this.#answerError({ type, kind: 'answer', call }, error);
    }
  }

  #answerError({ type, call }: FrameHead, error: unknown): void {
    if (this.#ending) return;
    if (!isShoalError(error) || error.code === 'internal') this.#options.log.error('call failed', { type, error });
    this.#send({ type, kind: 'error', call }, encode(wireError, toWire(asShoalError(error))));
  }

  #onNotice(frame: Frame): void {
    if (frame.type === 'ping') return;
    if (frame.type === 'cancel') {
      const { call } = decode(cancel, frame.body, 'cancel');
      this.#held.delete(call);
      return this.#running.get(call)?.abort();
    }
    if (frame.type === 'bye') {
      const { error } = decode(bye, frame.body, 'bye');
      this.#link.finish(this.#options.clock);
      return this.#end({ clean: true, ...(error && { error: fromWire(error) }) });
    }
    const row = this.#incoming(frame.type);
    if (!row || row.reply) return; // a newer version's notice; its sender expects nothing
    const body: unknown = decode(row.body, frame.body, frame.type);
    (this.#options.handlers as unknown as Record<string, AnyHandler>)[frame.type]?.(body, NO_CALL);
  }

  /** The row of a message that the other side may send. */
  #incoming(type: string): MessageRow | undefined {
    const { table, side } = this.#options;
    const row = Object.hasOwn(table.rows, type) ? table.rows[type] : undefined;
    return row && row.from === table.sides[side] ? row : undefined;
  }

  #send(head: FrameHead, body: Uint8Array, raw?: RawBytes): void {
    if (this.#ending) return raw?.taken?.();
    this.#link.send(head, body, raw);
  }

  #end(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#heartbeat.stop();
    this.#outgoing.end(ending.error ?? new ShoalError('linkClosed'));
    for (const running of this.#running.values()) running.abort();
    this.#running.clear();
    this.#held.clear();
    for (const go of this.#waitingToWrite.splice(0)) go();
    this.#notifyIdle();
    this.#settle(ending);
  }

  #notifyIdle(): void {
    if (this.#running.size + this.#held.size > 0) return;
    for (const go of this.#waitingForIdle.splice(0)) go();
  }
}

/**
 * A call of the other side. Its AbortController is made only for handlers that look: most are done
 * at once.
 */
class Running implements CallContext {
  #controller: AbortController | undefined;
  #aborted = false;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }
}

const NO_CALL: CallContext = { signal: new AbortController().signal };
