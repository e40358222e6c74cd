// What tests derive from a schema: random values, one typical value, bytes written by a second hand
// (the rules of protocol/README.md, written down once more and independently), and every way to
// pass one of its bounds.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { AnySchema } from '../../../protocol/base/schema.ts';

/** A value whose type only its schema knows. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each use looks at the schema's shape first
type Value = any;

/** Random values of a schema, its edges among them. */
export function arbitraryOf({ shape }: AnySchema): fc.Arbitrary<unknown> {
  switch (shape.is) {
    case 'number':
      return fc.oneof(fc.constantFrom(0, 1, shape.max - 1, shape.max), fc.integer({ min: 0, max: shape.max }));
    case 'bool':
      return fc.boolean();
    case 'text':
      return fc.oneof(
        { weight: 9, arbitrary: fc.string({ unit: 'binary', maxLength: Math.min(Math.floor(shape.max / 4), 20) }) },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            '',
            'x'.repeat(shape.max),
            '\u{1F41F}'.repeat(Math.floor(shape.max / 4)),
            '\uFFFD',
            '\uFEFFx',
          ),
        },
      );
    case 'bytes':
      return fc.oneof(
        { weight: 9, arbitrary: fc.uint8Array({ maxLength: Math.min(shape.max, 40) }) },
        { weight: 1, arbitrary: fc.constant(new Uint8Array(Math.min(shape.max, 10_000)).fill(0xa5)) },
      );
    case 'hex':
      return fc
        .uint8Array({ minLength: shape.max, maxLength: shape.max })
        .map((bytes) => Buffer.from(bytes).toString('hex'));
    case 'oneOf':
      return fc.constantFrom(...shape.words);
    case 'optional':
      return fc.option(arbitraryOf(shape.of), { nil: undefined });
    case 'list':
      return fc.array(arbitraryOf(shape.of), { maxLength: Math.min(shape.max, 3) });
    case 'struct':
      return fc.record(Object.fromEntries(shape.fields.map(({ name, schema }) => [name, arbitraryOf(schema)])), {
        noNullPrototype: true,
      });
  }
}

/**
 * One value that has everything: options present, two of each list, no two fields alike. The same
 * every time.
 */
export function typicalOf(schema: AnySchema): unknown {
  let count = 0;
  const make = ({ shape }: AnySchema, name: string): unknown => {
    count++;
    switch (shape.is) {
      case 'number':
        return Math.min(shape.max, shape.max > 2 ** 32 ? 2 ** 40 + count : 1000 + count);
      case 'bool':
        return true;
      case 'text':
        return Buffer.from(`${name} ${count} ü`)
          .toString('utf8')
          .slice(0, Math.min(20, shape.max - 1));
      case 'bytes':
        return Uint8Array.of(count, 0, 0xff).subarray(0, shape.max);
      case 'hex':
        return Buffer.alloc(shape.max, count).toString('hex');
      case 'oneOf':
        return shape.words[count % shape.words.length];
      case 'optional':
        return make(shape.of, name);
      case 'list':
        return Array.from({ length: Math.min(2, shape.max) }, () => make(shape.of, name));
      case 'struct':
        return Object.fromEntries(shape.fields.map((field) => [field.name, make(field.schema, field.name)]));
    }
  };
  return make(schema, 'value');
}

/**
 * A length or count within written bytes: where it stands, what it may be, and of which field it
 * is.
 */
export interface Mark {
  readonly offset: number;
  readonly max: number;
  readonly path: string;
}

/**
 * Writes a value by the rules of the wire, with no help from protocol/base/schema.ts; tells where
 * the lengths stand.
 */
export function writeByHand(
  schema: AnySchema,
  value: unknown,
): { readonly bytes: Buffer; readonly marks: readonly Mark[] } {
  const marks: Mark[] = [];
  const number = (bits: number, held: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(held));
    return bytes.subarray(8 - bits / 8);
  };
  const sized = (content: Buffer): Buffer => Buffer.concat([number(32, content.length), content]);

  const write = (inner: AnySchema, held: Value, offset: number, path: string): Buffer => {
    const { shape } = inner;
    const mark = (max: number): void => void marks.push({ offset, max, path });
    switch (shape.is) {
      case 'number':
        return number(inner.maxBytes * 8, held);
      case 'bool':
        return number(8, held ? 1 : 0);
      case 'text':
        return (mark(shape.max), sized(Buffer.from(held, 'utf8')));
      case 'bytes':
        return (mark(shape.max), sized(Buffer.from(held)));
      case 'hex':
        return Buffer.from(held, 'hex');
      case 'oneOf':
        return number(8, shape.words.indexOf(held));
      case 'optional':
        return held === undefined
          ? number(8, 0)
          : Buffer.concat([number(8, 1), nested(shape.of, held, offset + 1, path)]);
      case 'list': {
        mark(shape.max);
        let bytes = number(32, held.length);
        for (const [place, one] of held.entries()) {
          bytes = Buffer.concat([bytes, nested(shape.of, one, offset + bytes.length, `${path}[${place}]`)]);
        }
        return bytes;
      }
      case 'struct': {
        let bytes = Buffer.alloc(0);
        for (const field of shape.fields) {
          bytes = Buffer.concat([
            bytes,
            nested(field.schema, held[field.name], offset + bytes.length, `${path}.${field.name}`),
          ]);
        }
        return bytes;
      }
    }
  };
  const nested = (inner: AnySchema, held: unknown, offset: number, path: string): Buffer =>
    inner.shape.is === 'struct' ? sized(write(inner, held, offset + 4, path)) : write(inner, held, offset, path);

  return { bytes: write(schema, value, 0, ''), marks };
}

/** A value that no writer may put on the wire, and where in it the fault is. */
export interface Spoilt {
  readonly path: string;
  readonly value: unknown;
}

/** A good value with one fault at a time: each bound passed by one, each set left. */
export function* spoiltOf({ shape }: AnySchema, value: Value, path = ''): Generator<Spoilt> {
  const faults = (...values: unknown[]): Spoilt[] => values.map((fault) => ({ path, value: fault }));
  switch (shape.is) {
    case 'number':
      return yield* faults(shape.max + 1, -1, 0.5, NaN, Infinity);
    case 'bool':
      return;
    case 'text':
      return yield* faults('x'.repeat(shape.max + 1), '\ud800');
    case 'bytes':
      return yield* faults(new Uint8Array(shape.max + 1));
    case 'hex':
      return yield* faults(
        '',
        'ab'.repeat(shape.max - 1),
        'ab'.repeat(shape.max + 1),
        'AB'.repeat(shape.max),
        'xy'.repeat(shape.max),
        '../'.repeat(shape.max).slice(0, 2 * shape.max),
      );
    case 'oneOf':
      return yield* faults('nonsense', 'other', '__proto__', 'constructor').filter(
        (fault) => !shape.words.includes(fault.value as string),
      );
    case 'optional':
      return yield* spoiltOf(shape.of, value, `${path}?`);
    case 'list':
      yield* faults(new Array(shape.max + 1).fill(value[0]));
      for (const { path: inside, value: fault } of spoiltOf(shape.of, value[0], `${path}[0]`)) {
        yield { path: inside, value: [fault, ...value.slice(1)] };
      }
      return;
    case 'struct':
      for (const { name, schema } of shape.fields) {
        for (const { path: inside, value: fault } of spoiltOf(schema, value[name], `${path}.${name}`)) {
          yield { path: inside, value: { ...value, [name]: fault } };
        }
      }
  }
}

/** A value as JSON can hold it: bytes as hex, nothing as null. */
export function toJson({ shape }: AnySchema, value: Value): unknown {
  switch (shape.is) {
    case 'bytes':
      return Buffer.from(value).toString('hex');
    case 'optional':
      return value === undefined ? null : toJson(shape.of, value);
    case 'list':
      return value.map((one: unknown) => toJson(shape.of, one));
    case 'struct':
      return Object.fromEntries(shape.fields.map(({ name, schema }) => [name, toJson(schema, value[name])]));
    default:
      return value;
  }
}

/** The way back. A field that the JSON does not have gets its default. */
export function fromJson({ shape }: AnySchema, json: Value): unknown {
  switch (shape.is) {
    case 'bytes':
      return Uint8Array.from(Buffer.from(json, 'hex'));
    case 'optional':
      return json === null ? undefined : fromJson(shape.of, json);
    case 'list':
      return json.map((one: unknown) => fromJson(shape.of, one));
    case 'struct':
      return Object.fromEntries(
        shape.fields.map(({ name, schema, hasDefault, value }) => [
          name,
          name in json || !hasDefault ? fromJson(schema, json[name]) : value,
        ]),
      );
    default:
      return json;
  }
}

/** Whether the JSON of a value has every field that the schema has now. */
export const isWhole = (schema: AnySchema, json: unknown): boolean =>
  isDeepStrictEqual(toJson(schema, fromJson(schema, json)), json);
