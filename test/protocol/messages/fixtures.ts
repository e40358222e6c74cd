// Frozen bytes: what was once written must be written and read the same for ever. The files under
// test/fixtures/wire only grow:
//
//   ADD_WIRE_FIXTURES=1 npm test -- frozen
//
// adds what is new (a row, an operation, a field that was added to one) and never touches what is
// there.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode, encode } from '../../../protocol/base/schema.ts';
import type { AnySchema } from '../../../protocol/base/schema.ts';
import { fromJson, isWhole, toJson, typicalOf } from '../base/schemaTools.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/wire');
const MAY_ADD = process.env['ADD_WIRE_FIXTURES'] === '1';

/** A value and its bytes in hex. */
export interface Frozen {
  readonly value: unknown;
  readonly hex: string;
}

/** One file of fixtures: JSON by key. */
export class Fixtures {
  readonly #path: string;
  readonly #held: Record<string, unknown>;

  constructor(file: string) {
    this.#path = join(FOLDER, `${file}.json`);
    this.#held = existsSync(this.#path)
      ? (JSON.parse(readFileSync(this.#path, 'utf8')) as Record<string, unknown>)
      : {};
  }

  get keys(): readonly string[] {
    return Object.keys(this.#held);
  }

  /** What is frozen under a key; when nothing is, it is made and added, if that was asked for. */
  get<T>(key: string, make: () => T): T {
    if (!Object.hasOwn(this.#held, key)) this.#add(key, make());
    return this.#held[key] as T;
  }

  /** All frozen versions of a thing, the oldest first; the last one has every field. */
  versions<T extends { readonly value: unknown }>(key: string, schema: AnySchema, make: () => T): readonly T[] {
    const versions = this.get<T[]>(key, () => [make()]);
    if (!isWhole(schema, versions.at(-1)?.value)) this.#add(key, [...versions, make()]);
    return this.#held[key] as T[];
  }

  /**
   * Checks every frozen version of a thing: all can be read, and the last one is what is written
   * today.
   */
  check(key: string, schema: AnySchema): void {
    const all = this.versions(key, schema, () => frozenOf(schema));
    for (const { value, hex } of all) {
      assert.deepEqual(decode(schema, Buffer.from(hex, 'hex'), key), fromJson(schema, value));
    }
    const last = all.at(-1);
    assert.equal(encode(schema, fromJson(schema, last?.value)).toString('hex'), last?.hex);
  }

  #add(key: string, value: unknown): void {
    assert.ok(MAY_ADD, `${key} is new: run with ADD_WIRE_FIXTURES=1 to freeze it in ${this.#path}`);
    this.#held[key] = value;
    const lines = Object.entries(this.#held).map(
      ([name, held]) => `  ${JSON.stringify(name)}: ${JSON.stringify(held)}`,
    );
    writeFileSync(this.#path, `{\n${lines.join(',\n')}\n}\n`);
  }
}

function frozenOf(schema: AnySchema): Frozen {
  const value = typicalOf(schema);
  return { value: toJson(schema, value), hex: encode(schema, value).toString('hex') };
}
