// Everything that crosses a wire or is kept in its bytes, by name: a new table, or a new row of an
// old one, is tested without being listed anywhere else.
import { engineLink } from '../../../protocol/messages/engineLink.ts';
import { bye, greeting, proof } from '../../../protocol/wire/greeting.ts';
import { address, wireError } from '../../../protocol/base/fields.ts';
import { entry, operations, stamp } from '../../../protocol/messages/operations.ts';
import { operatorLink, partnerLink } from '../../../protocol/messages/partnerLink.ts';
import { peerLink } from '../../../protocol/messages/peerLink.ts';
import { descriptor } from '../../../protocol/messages/realm.ts';
import type { AnySchema } from '../../../protocol/base/schema.ts';
import type { Table } from '../../../protocol/wire/table.ts';
import { trackerLink } from '../../../protocol/messages/trackerLink.ts';

export const tables: Readonly<Record<string, Table>> = { trackerLink, peerLink, partnerLink, operatorLink, engineLink };

const nouns: Readonly<Record<string, AnySchema>> = {
  greeting,
  proof,
  bye,
  wireError,
  address,
  stamp,
  entry,
  descriptor,
};

export interface Thing {
  /** `trackerLink announce body` */
  readonly name: string;
  readonly schema: AnySchema;
}

export const things: readonly Thing[] = [
  ...Object.entries(tables).flatMap(([table, { rows }]) =>
    Object.entries(rows).flatMap(([row, { body, reply }]) => [
      { name: `${table} ${row} body`, schema: body },
      ...(reply ? [{ name: `${table} ${row} reply`, schema: reply }] : []),
    ]),
  ),
  ...Object.entries(operations).map(([name, schema]) => ({ name: `operation ${name}`, schema: schema as AnySchema })),
  ...Object.entries(nouns).map(([name, schema]) => ({ name, schema })),
];
