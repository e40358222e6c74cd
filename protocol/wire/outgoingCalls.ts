// The calls that this side makes over one link: their numbers, deadlines, cancellation, and which
// answer belongs to which. connection.ts writes the frames and hands the answers in.
import { asShoalError, ShoalError } from '../base/errors.ts';
import { wireError } from '../base/fields.ts';
import { CALL_MS_DEFAULT } from '../base/limits.ts';
import { decode, encode, struct, u32 } from '../base/schema.ts';
import type { Clock, Timer } from '../base/world.ts';
import { encodeBody } from './encodeBody.ts';
import type { Frame, FrameHead, RawTarget } from './frame.ts';
import type { MessageRow } from './table.ts';
import { nothing } from './table.ts';
import { fromWire } from './wireErrors.ts';

export type RawInto = Uint8Array | (() => Uint8Array);

export interface CallOptions {
  /** Default CALL_MS_DEFAULT. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /**
   * For a row with raw bytes: the memory they land in, or how to get it in the moment in which they
   * begin to arrive. Once it was given it must not be used for anything else after the call failed:
   * bytes may still arrive.
   */
  readonly into?: RawInto;
}

interface Pending {
  readonly name: string;
  readonly row: MessageRow;
  readonly into: RawInto | undefined;
  readonly timer: Timer;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: ShoalError) => void;
  readonly forget: () => void;
}

/** What a caller sends when it no longer wants an answer. */
export const cancel = struct({ call: u32 });

export class OutgoingCalls {
  readonly #clock: Clock;
  readonly #send: (head: FrameHead, body: Uint8Array) => void;
  readonly #pending = new Map<number, Pending>();
  #lastCall = 0;
  /** Why no call can be made any more. */
  #ended: ShoalError | undefined;

  constructor(clock: Clock, send: (head: FrameHead, body: Uint8Array) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /**
   * Asks the other side; resolves to the fields of the reply.
   *
   * @throws ShoalError as `Connection.call` does
   */
  call(name: string, row: MessageRow, body: unknown, options: CallOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      if (options.signal?.aborted) return reject(new ShoalError('cancelled'));
      const call = (this.#lastCall = (this.#lastCall % 0xffff_ffff) + 1);
      let written: Uint8Array;
      try {
        written = encodeBody(name, row.body, body);
      } catch (error) {
        return reject(asShoalError(error));
      }
      const giveUp = (error: ShoalError): void => {
        if (!this.#pending.delete(call)) return;
        pending.forget();
        this.#send({ type: 'cancel', kind: 'notice', call: 0 }, encode(cancel, { call }));
        reject(error);
      };
      const onAbort = (): void => giveUp(new ShoalError('cancelled'));
      const deadlineMs = options.deadlineMs ?? CALL_MS_DEFAULT;
      const pending: Pending = {
        name,
        row,
        into: options.into,
        timer: this.#clock.after(deadlineMs, () => giveUp(new ShoalError('deadline', { ms: deadlineMs }))),
        resolve,
        reject,
        forget: () => {
          pending.timer.cancel();
          options.signal?.removeEventListener('abort', onAbort);
        },
      };
      options.signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(call, pending);
      this.#send({ type: name, kind: 'request', call }, written);
    });
  }

  /** Where the raw bytes of an answer go. */
  rawTarget(head: FrameHead): RawTarget | undefined {
    const pending = this.#pending.get(head.call);
    if (pending?.row.rawBytesMax === undefined || pending.name !== head.type || !pending.into) return undefined;
    return {
      bodyBytes: pending.row.reply?.minBytes ?? 0,
      into: typeof pending.into === 'function' ? pending.into() : pending.into,
    };
  }

  /**
   * An answer or an error has come. @throws ShoalError badFrame, badMessage: then the link must end
   */
  onAnswer(frame: Frame): void {
    const pending = this.#pending.get(frame.call);
    if (!pending) return; // cancelled, or its deadline passed, while the answer was on its way
    if (pending.name !== frame.type) throw new ShoalError('badFrame', { why: 'an answer to another call' });
    this.#pending.delete(frame.call);
    pending.forget();
    try {
      if (frame.kind === 'error') return pending.reject(fromWire(decode(wireError, frame.body, frame.type)));
      const reply: unknown = decode(pending.row.reply ?? nothing, frame.body, frame.type);
      pending.resolve(
        pending.row.rawBytesMax === undefined ? reply : { ...(reply as object), rawBytes: frame.rawBytes },
      );
    } catch (error) {
      pending.reject(asShoalError(error));
      throw error;
    }
  }

  /** The link has ended: fails what waits, and every later call. */
  end(error: ShoalError): void {
    this.#ended = error;
    for (const pending of this.#pending.values()) {
      pending.forget();
      pending.reject(error);
    }
    this.#pending.clear();
  }
}
