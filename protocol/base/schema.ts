// How values become bytes and back, under bounds. A schema is written once in a message's row and
// gives both directions and the type. Reading never allocates more than the bytes at hand justify,
// and never trusts a length.
//
// Evolution (protocol/README.md, Values): a struct that stands inside another value carries its
// length, so a reader skips fields it does not know; a field added later has a default; an unknown
// `oneOf` value reads as 'other'.
import { Reader, refuse, SchemaError, Writer } from './binary.ts';
import { ShoalError } from './errors.ts';
import { isHexOf } from './ids.ts';

export interface Schema<T> {
  readonly minBytes: number;
  readonly maxBytes: number;
  /** What it is made of: for documents and tests. */
  readonly shape: Shape;
  write(to: Writer, value: T): void;
  read(from: Reader): T;
}

/**
 * A schema of whatever; `unknown` would shut out every schema, because `write` takes its type. Only
 * type inference looks inside.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
export type AnySchema = Schema<any>;

export type Shape =
  | { readonly is: 'number' | 'text' | 'bytes' | 'hex'; readonly max: number }
  | { readonly is: 'bool' }
  | { readonly is: 'oneOf'; readonly words: readonly string[] }
  | { readonly is: 'optional'; readonly of: AnySchema }
  | { readonly is: 'list'; readonly of: AnySchema; readonly max: number }
  | { readonly is: 'struct'; readonly fields: readonly Field[] };

/**
 * A field of a struct. With `hasDefault` it was added later, and is `value` where it is missing.
 */
export interface Field {
  readonly name: string;
  readonly schema: AnySchema;
  readonly hasDefault: boolean;
  readonly value: unknown;
}

/** The type of the values of a schema. */
export type Of<S> = S extends Schema<infer T> ? T : never;

const unsigned = (
  bits: number,
  max: number,
  write: (to: Writer, value: number) => void,
  read: (from: Reader) => number,
): Schema<number> => ({
  minBytes: bits / 8,
  maxBytes: bits / 8,
  shape: { is: 'number', max },
  write(to, value) {
    if (!Number.isInteger(value) || value < 0 || value > max) refuse(`${value} is not a whole number up to ${max}`);
    write(to, value);
  },
  read,
});

export const u8 = unsigned(
  8,
  2 ** 8 - 1,
  (to, value) => to.u8(value),
  (from) => from.u8(),
);
export const u16 = unsigned(
  16,
  2 ** 16 - 1,
  (to, value) => to.u16(value),
  (from) => from.u16(),
);
export const u32 = unsigned(
  32,
  2 ** 32 - 1,
  (to, value) => to.u32(value),
  (from) => from.u32(),
);
/** A whole number that JavaScript holds exactly, in 8 bytes. */
export const u53 = unsigned(
  64,
  Number.MAX_SAFE_INTEGER,
  (to, value) => to.u53(value),
  (from) => from.u53(),
);

export const bool: Schema<boolean> = {
  minBytes: 1,
  maxBytes: 1,
  shape: { is: 'bool' },
  write: (to, value) => to.u8(value ? 1 : 0),
  read: (from) => from.u8() !== 0,
};

/** UTF-8 text of at most so many bytes (u32 length, then the bytes). */
export function text(maxBytes: number): Schema<string> {
  return {
    minBytes: 4,
    maxBytes: 4 + maxBytes,
    shape: { is: 'text', max: maxBytes },
    write(to, value) {
      const bytes = Buffer.byteLength(value, 'utf8');
      if (bytes > maxBytes) refuse(`a text has ${bytes} bytes, at most ${maxBytes} are allowed`);
      if (!value.isWellFormed()) refuse('a text has half a character');
      to.u32(bytes);
      to.utf8(value, bytes);
    },
    read(from) {
      const bytes = from.u32();
      if (bytes > maxBytes) refuse(`a text has ${bytes} bytes, at most ${maxBytes} are allowed`);
      return from.utf8(bytes);
    },
  };
}

/**
 * At most so many bytes (u32 length, then the bytes). What is read is a copy: it outlives the
 * frame.
 */
export function bytes(max: number): Schema<Uint8Array> {
  return {
    minBytes: 4,
    maxBytes: 4 + max,
    shape: { is: 'bytes', max },
    write(to, value) {
      if (value.length > max) refuse(`${value.length} bytes, at most ${max} are allowed`);
      to.u32(value.length);
      to.raw(value);
    },
    read(from) {
      const count = from.u32();
      if (count > max) refuse(`${count} bytes, at most ${max} are allowed`);
      return new Uint8Array(from.raw(count));
    },
  };
}

/** Exactly so many bytes, held as lower-case hex: an id, a hash, a pin. */
export function hex<Name extends string>(count: number): Schema<Name> {
  return {
    minBytes: count,
    maxBytes: count,
    shape: { is: 'hex', max: count },
    write(to, value) {
      if (!isHexOf(value, count)) refuse(`not the hex form of ${count} bytes`);
      to.hex(value);
    },
    read: (from) => from.hex(count) as Name,
  };
}

/**
 * One of a fixed set of words, as its place in the row (u8). Words are only ever added at the end;
 * an unknown one reads as 'other'.
 */
export function oneOf<const Words extends readonly string[]>(...words: Words): Schema<Words[number] | 'other'> {
  const places = new Map<string, number>(words.map((word, place) => [word, place]));
  return {
    minBytes: 1,
    maxBytes: 1,
    shape: { is: 'oneOf', words },
    write(to, value) {
      to.u8(places.get(value) ?? refuse(`${value} is none of ${words.join(', ')}`));
    },
    read: (from) => words[from.u8()] ?? 'other',
  };
}

/** A value or nothing (u8 0 or 1, then the value). */
export function optional<T>(inner: Schema<T>): Schema<T | undefined> {
  const held = nested(inner);
  return {
    minBytes: 1,
    maxBytes: 1 + held.maxBytes,
    shape: { is: 'optional', of: inner },
    write(to, value) {
      to.u8(value === undefined ? 0 : 1);
      if (value !== undefined) held.write(to, value);
    },
    read: (from) => (from.u8() === 0 ? undefined : held.read(from)),
  };
}

/** At most so many values (u32 count, then each). */
export function list<T>(inner: Schema<T>, max: number): Schema<readonly T[]> {
  const held = nested(inner);
  return {
    minBytes: 4,
    maxBytes: 4 + max * held.maxBytes,
    shape: { is: 'list', of: inner, max },
    write(to, values) {
      if (values.length > max) refuse(`a list of ${values.length}, at most ${max} are allowed`);
      to.u32(values.length);
      for (const value of values) held.write(to, value);
    },
    read(from) {
      const count = from.u32();
      if (count > max) refuse(`a list of ${count}, at most ${max} are allowed`);
      // Before anything is allocated: the bytes for so many values must be there.
      if (count * held.minBytes > from.leftBytes) refuse('it ends too early');
      const values: T[] = [];
      for (let n = 0; n < count; n++) values.push(held.read(from));
      return values;
    },
  };
}

const isStruct = Symbol('struct');
const fallback = Symbol('default');

/**
 * A field that an earlier version did not have: read as `value` where it is missing. Stands behind
 * all older fields.
 */
export function added<T>(inner: Schema<T>, value: T): Schema<T> {
  return Object.assign({ ...nested(inner) }, { [fallback]: value });
}

type Fields = Readonly<Record<string, Schema<never>>>;
// `never` in Fields lets any schema in (write's parameter is contravariant); the inferred type is
// exact.
type Struct<F> = { readonly [K in keyof F]: F[K] extends Schema<infer T> ? T : never };

/**
 * Named fields in the order written. What follows the known fields is skipped: a newer version
 * added it.
 */
export function struct<F extends Record<string, AnySchema>>(fields: F): Schema<Struct<F>> {
  const rows = Object.entries(fields as unknown as Fields).map(([name, schema]) => ({
    name,
    schema: schema as AnySchema,
    held: nested(schema as unknown as Schema<unknown>),
    hasDefault: fallback in schema,
    value: (schema as { [fallback]?: unknown })[fallback],
  }));
  const firstAdded = rows.findIndex((row) => row.hasDefault);
  if (firstAdded >= 0 && rows.slice(firstAdded).some((row) => !row.hasDefault)) {
    throw new Error('a field without default stands behind one with');
  }
  const schema: Schema<Struct<F>> = {
    minBytes: rows.reduce((sum, row) => sum + (row.hasDefault ? 0 : row.held.minBytes), 0),
    maxBytes: rows.reduce((sum, row) => sum + row.held.maxBytes, 0),
    shape: { is: 'struct', fields: rows },
    write(to, value) {
      for (const row of rows) row.held.write(to, (value as Record<string, unknown>)[row.name]);
    },
    read(from) {
      const value: Record<string, unknown> = {};
      for (const row of rows) {
        value[row.name] = row.hasDefault && from.leftBytes === 0 ? row.value : row.held.read(from);
      }
      return value as Struct<F>;
    },
  };
  return Object.assign(schema, { [isStruct]: true });
}

/**
 * A schema as it stands inside another: a struct gets its length (u32) in front, everything else
 * stays as it is.
 */
function nested<T>(inner: Schema<T>): Schema<T> {
  if (!(isStruct in inner)) return inner;
  return {
    minBytes: 4 + inner.minBytes,
    maxBytes: 4 + inner.maxBytes,
    shape: inner.shape,
    write(to, value) {
      const at = to.length;
      to.u32(0);
      inner.write(to, value);
      to.patchU32(at, to.length - at - 4);
    },
    read: (from) => from.within(from.u32(), () => inner.read(from)),
  };
}

/** The bytes of a value. Throws SchemaError when it passes a bound. */
export function encode<T>(schema: Schema<T>, value: T): Buffer {
  const to = new Writer();
  schema.write(to, value);
  return to.done();
}

/**
 * The value of some bytes. What follows a struct's known fields is skipped.
 *
 * @param what  names the thing in the error
 * @throws ShoalError badMessage
 */
export function decode<T>(schema: Schema<T>, from: Uint8Array, what: string): T {
  try {
    return schema.read(new Reader(from));
  } catch (error) {
    if (error instanceof SchemaError) {
      throw new ShoalError('badMessage', { type: what, why: error.message }, { cause: error });
    }
    throw error;
  }
}
