// protocol/README.md against the code: its messages, its limits and its example of a frame.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeFrame, FRAME_START, KINDS, TYPE_BYTES_MAX } from '../../protocol/wire/frame.ts';
import * as limits from '../../protocol/base/limits.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import { encode } from '../../protocol/base/schema.ts';
import { BUILT_IN_NAMES } from '../../protocol/wire/table.ts';
import type { Table } from '../../protocol/wire/table.ts';
import { trackerLink } from '../../protocol/messages/trackerLink.ts';
import { tables } from './messages/wireTypes.ts';

const readme = readFileSync(join(import.meta.dirname, '../../protocol/README.md'), 'utf8');

/** A table's rows of the README: one for each side that sends something. */
const messageRows = (name: string, { sides, rows }: Table): string[] =>
  Object.keys(sides).flatMap((side) => {
    const own = Object.entries(rows).filter(([, row]) => row.from === side);
    const names = (isCall: boolean): string =>
      own
        .filter(([, row]) => (row.reply !== undefined) === isCall)
        .map(([row]) => row)
        .join(' ');
    return own.length > 0 ? [`| \`${name}\` | ${side} | ${names(true)} | ${names(false)} |`] : [];
  });

describe('the page about the wire', () => {
  for (const [name, table] of Object.entries(tables)) {
    it(`lists the messages of ${name}`, () => {
      for (const row of messageRows(name, table)) {
        assert.ok(readme.split('\n').includes(row), `this line is missing or old:\n${row}`);
      }
    });
  }

  it('lists no table that is gone, and the messages of every link', () => {
    const listed = [...readme.matchAll(/^\| `(\w+)` \| [a-z]+ \|/gm)].map(([, name]) => name ?? '');
    assert.deepEqual(
      listed.filter((name) => !(name in tables)),
      [],
    );
    for (const name of BUILT_IN_NAMES) assert.ok(readme.includes(`\`${name}\``), name);
  });

  it('gives the limits as they are', () => {
    const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| ([\d,]+) \|/gm)];
    assert.ok(rows.length > 8, `${rows.length} limits`);
    for (const [, name = '', value = ''] of rows) {
      assert.equal(Number(value.replaceAll(',', '')), (limits as Record<string, unknown>)[name], name);
    }
  });

  it('shows a frame that is one', () => {
    const [, example = ''] = /For example `findFile`, call 7:\n\n```\n([^`]*)```/.exec(readme) ?? [];
    const shown = example
      .split('\n')
      .map((line) => /^(?:[0-9a-f]{2} {1,2})+/.exec(`${line} `)?.[0].replaceAll(' ', '') ?? '')
      .join('');
    const body = encode(trackerLink.rows.findFile.body, {
      group: '00112233445566778899aabbccddeeff' as GroupId,
      name: 'dump.sql',
    });
    assert.equal(
      shown,
      Buffer.concat(encodeFrame({ type: 'findFile', kind: 'request', call: 7 }, body)).toString('hex'),
    );
  });

  it('names the kinds, the start and the length of a name as they are', () => {
    assert.ok(
      readme
        .replaceAll(/\s+/g, ' ')
        .includes(`\`kind\`: ${KINDS.map((kind, place) => `${place} ${kind}`).join(', ')}.`),
    );
    assert.ok(
      readme.includes(`\`start\` is 0x${FRAME_START.toString(16)}`) &&
        readme.includes(`(1 to ${TYPE_BYTES_MAX} ASCII letters)`),
    );
  });
});
