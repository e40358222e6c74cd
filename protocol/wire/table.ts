// A table lists every message of one kind of link: who sends it, what it carries, what comes back.
// Both programs take their types from it, so a handler that is missing, or a field that is
// misspelt, does not compile.
import type { RawBytes } from './frame.ts';
import type { AnySchema, Of } from '../base/schema.ts';
import { struct } from '../base/schema.ts';

export interface MessageRow {
  /** The side that sends it. On a link of equals both sides have the same name. */
  readonly from: string;
  readonly body: AnySchema;
  /** What a call is answered with; a row without it is a notice. */
  readonly reply?: AnySchema;
  /**
   * The answer ends with this many raw bytes at most. Its `reply` then keeps its fields for good
   * and has a fixed size.
   */
  readonly rawBytesMax?: number;
}

export type Rows = Readonly<Record<string, MessageRow>>;

export interface Table<
  Sides extends Readonly<Record<string, string>> = Readonly<Record<string, string>>,
  R extends Rows = Rows,
> {
  /** Each side's name and the name of the side at its other end. */
  readonly sides: Sides;
  readonly rows: R;
}

/** The sides of a table. */
export type SideOf<T extends Table> = keyof T['sides'] & string;
/** The other end of a side. */
export type OtherOf<T extends Table, S extends SideOf<T>> = T['sides'][S];

type NamesFrom<T extends Table, S extends string> = {
  [K in keyof T['rows']]: T['rows'][K]['from'] extends S ? K : never;
}[keyof T['rows']] &
  string;
type HasReply<T extends Table, K extends string> = T['rows'][K] extends { readonly reply: AnySchema } ? true : false;

/** Names of the calls a side may make. */
export type CallsOf<T extends Table, S extends SideOf<T>> = {
  [K in NamesFrom<T, S>]: HasReply<T, K> extends true ? K : never;
}[NamesFrom<T, S>];
/** Names of the notices a side may send. */
export type NoticesOf<T extends Table, S extends SideOf<T>> = {
  [K in NamesFrom<T, S>]: HasReply<T, K> extends true ? never : K;
}[NamesFrom<T, S>];

export type BodyOf<T extends Table, K extends string> = Of<T['rows'][K]['body']>;
/**
 * What a caller gets: the reply's fields; for a row with raw bytes also how many of them were put
 * into its buffer.
 */
export type ReplyOf<T extends Table, K extends string> = T['rows'][K] extends { readonly reply: infer R }
  ? T['rows'][K] extends { readonly rawBytesMax: number }
    ? Of<R> & { readonly rawBytes: number }
    : Of<R>
  : void;
/**
 * What a handler gives: the reply's fields; for a row with raw bytes also these, and what to do
 * when their memory may be used again.
 */
export type AnswerOf<T extends Table, K extends string> = T['rows'][K] extends { readonly reply: infer R }
  ? T['rows'][K] extends { readonly rawBytesMax: number }
    ? Of<R> & RawBytes
    : Of<R>
  : void;

/** What a handler learns about the call besides its body. */
export interface CallContext {
  /** Aborts when the caller cancelled, its deadline passed, or the link closed. */
  readonly signal: AbortSignal;
}

/** One handler for every message that the side `S` receives. */
export type HandlersOf<T extends Table, S extends SideOf<T>> = {
  readonly [K in NamesFrom<T, OtherOf<T, S>>]: HasReply<T, K> extends true
    ? (body: BodyOf<T, K>, call: CallContext) => AnswerOf<T, K> | Promise<AnswerOf<T, K>>
    : (body: BodyOf<T, K>) => void;
};

/** Names that every table understands without listing them: see connection.ts. */
export const BUILT_IN_NAMES: readonly string[] = ['greeting', 'proof', 'ping', 'cancel', 'bye'];

/** What a message without fields carries. Fields can be added to it later like to any other. */
export const nothing = struct({});

/**
 * Makes a table.
 *
 * @param sides  each side's name and the name of its other end: `{ engine: 'tracker', tracker:
 *   'engine' }`
 * @throws Error when a row breaks a rule of the frame: a programming mistake, found when the module
 *   loads
 */
export function table<const Sides extends Readonly<Record<string, string>>, const R extends Rows>(
  sides: Sides,
  rows: R,
): Table<Sides, R> {
  for (const [name, row] of Object.entries(rows)) {
    if (!/^[a-zA-Z]{1,32}$/.test(name) || BUILT_IN_NAMES.includes(name)) {
      throw new Error(`${name} cannot name a message`);
    }
    if (!(row.from in sides)) throw new Error(`${name}: ${row.from} is not a side of this table`);
    if (row.rawBytesMax !== undefined && row.reply?.minBytes !== row.reply?.maxBytes) {
      throw new Error(`${name}: raw bytes follow only a reply of fixed size`);
    }
  }
  return { sides, rows };
}
