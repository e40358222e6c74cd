// Tables: what may not stand in one is found when its module loads.
import assert from 'node:assert/strict';
import { added, struct, u32, u8 } from '../../../protocol/base/schema.ts';
import { BUILT_IN_NAMES, nothing, table } from '../../../protocol/wire/table.ts';
import type { Rows } from '../../../protocol/wire/table.ts';
import { FRAME_PAYLOAD_BYTES_MAX, GREETING_PAYLOAD_BYTES_MAX } from '../../../protocol/base/limits.ts';
import { greeting, proof } from '../../../protocol/wire/greeting.ts';
import { PAYLOAD_HEAD_BYTES } from '../../../protocol/wire/frame.ts';
import { tables } from '../messages/wireTypes.ts';

const sides = { left: 'right', right: 'left' } as const;
const number = struct({ n: u32 });

describe('a table', () => {
  const refused: readonly [what: string, rows: Rows, why: RegExp][] = [
    ['a name with a digit', { note1: { from: 'left', body: nothing } }, /note1 cannot name a message/],
    ['an empty name', { '': { from: 'left', body: nothing } }, /cannot name a message/],
    ['a name that is too long', { ['x'.repeat(33)]: { from: 'left', body: nothing } }, /cannot name a message/],
    ...BUILT_IN_NAMES.map((name): [string, Rows, RegExp] => [
      `the name ${name}`,
      { [name]: { from: 'left', body: nothing } },
      /cannot name a message/,
    ]),
    ['a sender that is no side', { note: { from: 'middle', body: nothing } }, /middle is not a side of this table/],
    [
      'raw bytes without a reply before them',
      { piece: { from: 'left', body: nothing, reply: struct({ n: added(u8, 1), m: added(u8, 2) }), rawBytesMax: 5 } },
      /raw bytes follow only a reply of fixed size/,
    ],
  ];
  for (const [what, rows, why] of refused) {
    it(`may not have ${what}`, () => assert.throws(() => table(sides, rows), why));
  }

  it('may have the rest', () => {
    const rows = {
      note: { from: 'left', body: number },
      [`${'x'.repeat(32)}`]: { from: 'right', body: nothing, reply: number, rawBytesMax: 5 },
    } as const;
    assert.equal(table(sides, rows).rows.note.body, number);
  });

  for (const [name, { rows }] of Object.entries(tables)) {
    it(`${name} has raw bytes only where they fit into a frame`, () => {
      for (const { reply, rawBytesMax = 0 } of Object.values(rows)) {
        if (rawBytesMax > 0) {
          assert.ok(PAYLOAD_HEAD_BYTES + (reply?.maxBytes ?? 0) + rawBytesMax <= FRAME_PAYLOAD_BYTES_MAX);
        }
      }
    });
  }

  /**
   * Rows whose lists together could be longer than a frame: their senders make pages, or say so. A
   * new one is thought about before it is added here.
   */
  const PAGED = [
    'trackerLink session',
    'trackerLink announce',
    'partnerLink append',
    'engineLink watch',
    'engineLink overviewChanged',
    'engineLink transfersChanged',
    'engineLink status',
  ];
  it('has few rows that may be larger than a frame, and they are known', () => {
    const large = Object.entries(tables).flatMap(([name, { rows }]) =>
      Object.entries(rows)
        .filter(
          ([, { body, reply }]) =>
            PAYLOAD_HEAD_BYTES + Math.max(body.maxBytes, reply?.maxBytes ?? 0) > FRAME_PAYLOAD_BYTES_MAX,
        )
        .map(([row]) => `${name} ${row}`),
    );
    assert.deepEqual(
      large.filter((row) => !PAGED.includes(row)),
      [],
    );
  });
});

describe('the messages of every link', () => {
  it('fit into what a stranger may send', () => {
    for (const schema of [greeting, proof]) {
      assert.ok(PAYLOAD_HEAD_BYTES + schema.maxBytes <= GREETING_PAYLOAD_BYTES_MAX);
    }
  });
});
