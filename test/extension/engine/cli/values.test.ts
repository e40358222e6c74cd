// How the command line reads and writes values: pure, as data.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import {
  parseListen,
  parseRate,
  parseSeconds,
  parseTrackerInfo,
  readTracker,
} from '../../../../extension/engine/cli/arguments.ts';
import { formatBytes, formatDuration, formatPercent } from '../../../../protocol/frontend/format.ts';
import { truncate, table, widthOf } from '../../../../extension/engine/cli/table.ts';
import { barLine, plainLine, ProgressBar } from '../../../../extension/engine/cli/progressBar.ts';
import { readHidden } from '../../../../protocol/node/passwordPrompt.ts';
import { classicLine } from '../../../../extension/engine/cli/transferTable.ts';
import { eventText } from '../../../../extension/engine/cli/commands/serve.ts';
import { statusLines } from '../../../../extension/engine/cli/statusText.ts';
import type { Transfer } from '../../../../protocol/messages/engineLink.ts';
import { ShoalError } from '../../../../protocol/base/errors.ts';
import { toWire } from '../../../../protocol/wire/wireErrors.ts';
import { aConflict, aGroup, anOverview, aTransfer } from '../../../support/fakes/fakeEngine.ts';
import { FakeTerminal } from '../../../support/fakes/fakeTerminal.ts';
import { ManualClock } from '../../../support/simulation/manualClock.ts';

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/**
 * Checks a function on rows of what it is given and what it gives, or the code of what it throws.
 */
function gives<A, B>(
  name: string,
  run: (given: A) => B,
  rows: readonly (readonly [given: A, expected: B | RegExp])[],
): void {
  describe(name, () => {
    for (const [given, expected] of rows) {
      it(`${JSON.stringify(given)} → ${expected instanceof RegExp ? String(expected) : JSON.stringify(expected)}`, () => {
        if (expected instanceof RegExp) {
          assert.throws(
            () => run(given),
            (error: Error) => expected.test(error.message),
          );
        } else assert.deepEqual(run(given), expected);
      });
    }
  });
}

gives('amounts', formatBytes, [
  [0, '0 B'],
  [1, '1 B'],
  [1000, '1000 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [1536, '1.50 KiB'],
  [10 * KIB, '10.0 KiB'],
  [100 * KIB, '100 KiB'],
  [1000 * KIB, '1000 KiB'],
  [MIB - 1, '1.00 MiB'],
  [512 * KIB, '512 KiB'],
  [MIB, '1.00 MiB'],
  [1.4 * GIB, '1.40 GiB'],
  [5e15, '4.44 PiB'],
]);
gives('durations', formatDuration, [
  [0, '0 s'],
  [59.4, '59 s'],
  [59.6, '1 min 00 s'],
  [200, '3 min 20 s'],
  [3600, '1 h 00 min'],
  [7500, '2 h 05 min'],
  [1e6, '12 days'],
]);
gives('per cents', ([done, of]: [number, number]) => formatPercent(done, of), [
  [[0, 10], 0],
  [[0, 0], 100],
  [[999, 1000], 99],
  [[1000, 1000], 100],
  [[1, 3], 33],
]);
gives('rates', parseRate, [
  ['0', 0],
  ['none', 0],
  ['500', 500],
  ['500k', 500 * KIB],
  ['1.5M', 1.5 * MIB],
  ['2MiB/s', 2 * MIB],
  ['1g', GIB],
  ['2 mb', 2 * MIB],
  ['fast', /^fast is not a rate/],
  ['-1', /not a rate/],
  ['1T', /not a rate/],
  ['', /not a rate/],
]);
gives('addresses to listen on', parseListen, [
  ['7000', { host: '', port: 7000 }],
  [':7000', { host: '', port: 7000 }],
  ['*:7000', { host: '', port: 7000 }],
  ['10.0.0.1:7000', { host: '10.0.0.1', port: 7000 }],
  ['[::1]:7000', { host: '::1', port: 7000 }],
  ['0', { host: '', port: 0 }],
  ['host', /not an address to listen on/],
  ['h:70000', /not an address/],
  ['', /not an address/],
  ['a b:1', /not an address/],
]);
gives('times', parseSeconds, [
  ['30', 30],
  ['1.5s', 1.5],
  ['5min', 300],
  ['5m', 300],
  ['1h', 3600],
  ['soon', /not a time/],
]);
gives('tracker_info.txt', (content: string) => parseTrackerInfo(content, 'tracker_info.txt'), [
  ['127.0.0.1:7070\n127.0.0.1:7071\n', '127.0.0.1:7070,127.0.0.1:7071'],
  ['\r\n a.example:1 # first\r\n\r\n# more\r\n[::1]:2\r\n', 'a.example:1,[::1]:2'],
  ['10.0.0.1 7070', '10.0.0.1:7070'],
  ['shoal://abc@h:1\n', 'shoal://abc@h:1'],
  ['', /names 0 trackers/],
  ['a:1\nb:2\nc:3', /names 3 trackers/],
  ['hello world', /expected host:port, found "hello world"/],
  ['<html>', /expected host:port/],
]);

describe('--tracker', () => {
  it('is a file when there is one of that name, else an address', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-'));
    fs.writeFileSync(path.join(folder, 'tracker_info.txt'), 'localhost:7070\n');
    assert.equal(readTracker('tracker_info.txt', folder), 'localhost:7070');
    assert.equal(readTracker('localhost:7071', folder), 'localhost:7071');
    assert.throws(() => readTracker('other.txt', folder), /there is no file .*other\.txt/);
    fs.rmSync(folder, { recursive: true });
  });
});

describe('a table', () => {
  it('is aligned, whatever the names are made of', () => {
    const rows = [
      { name: 'a', size: 1 },
      { name: '日本語.txt', size: 20 },
      { name: 'e\u0301\u0302', size: 3 },
      { name: '👩‍👩‍👧.png', size: 4 },
    ];
    const lines = table(rows, [
      { title: 'NAME', of: ({ name }) => name },
      { title: 'SIZE', align: 'right', of: ({ size }) => size },
    ]);
    assert.deepEqual(
      lines.map(widthOf),
      lines.map(() => 16),
    );
    assert.equal(lines[0], 'NAME        SIZE');
  });
  it('shows names that try to move the cursor', () =>
    assert.equal(
      table([{ n: 'a\x1b[2J\nb\u202e' }], [{ title: 'N', of: ({ n }) => n }])[1],
      'a\\u{1b}[2J\\u{a}b\\u{202e}',
    ));
  it('cuts by cells, not by characters', () => {
    assert.equal(truncate('日本語', 5), '日本…');
    assert.equal(truncate('日本語', 4), '日…');
    assert.equal(truncate('abc', 3), 'abc');
    assert.equal(truncate('abc', 2), 'a…');
    assert.equal(truncate('abc', 0), '');
  });
});

describe('the progress bar', () => {
  const running = aTransfer({ sizeBytes: 4 * GIB, doneBytes: 3 * GIB, downBytesPerS: 8 * MIB, peers: 5 });
  const rows: [columns: number, line: string][] = [
    [
      120,
      `dump.sql  ${'█'.repeat(22)}${'░'.repeat(8)}   75 %  8.00 MiB/s  3.00 GiB of 4.00 GiB  5 peers    2 min 08 s left`,
    ],
    [
      90,
      `dump.sql  ${'█'.repeat(6)}${'░'.repeat(3)}   75 %  8.00 MiB/s  3.00 GiB of 4.00 GiB  5 peers    2 min 08 s left`,
    ],
    [60, `dump.sql  ${'█'.repeat(6)}${'░'.repeat(2)}   75 %  8.00 MiB/s  3.00 GiB of 4.00 GiB`],
    [35, `dump.sql  ${'█'.repeat(12)}${'░'.repeat(5)}   75 %`],
    [8, '75 %'],
  ];
  for (const [columns, line] of rows) {
    it(`in ${columns} columns`, () => assert.equal(barLine(running, columns, false), line));
  }

  it('never is wider than the terminal', () =>
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
        fc.nat(6 * GIB),
        fc.nat(5 * GIB),
        fc.integer({ min: 2, max: 200 }),
        fc.nat(1e9),
        (name, doneBytes, sizeBytes, columns, downBytesPerS) => {
          const line = barLine(
            aTransfer({ name, doneBytes: Math.min(doneBytes, sizeBytes), sizeBytes, downBytesPerS }),
            columns,
            false,
          );
          assert.ok(widthOf(line) < columns, `${widthOf(line)} cells: ${line}`);
        },
      ),
    ));

  it('says what is happening when nothing comes', () => {
    assert.match(plainLine(aTransfer({ state: 'waiting' })), /^dump\.sql: 50 %, waiting/);
    assert.match(plainLine(aTransfer({ state: 'hashing' })), /hashing, 512 KiB of 1\.00 MiB/);
    assert.match(plainLine(aTransfer({ peers: 1 })), /1 peer,/);
  });

  it('is a plain line every five seconds where nothing can be redrawn', async () => {
    const terminal = new FakeTerminal();
    const clock = new ManualClock();
    const progress = new ProgressBar(terminal, clock, false);
    for (let s = 0; s <= 12; s++, await clock.advance(1000)) progress.show(aTransfer({ sizeBytes: 100, doneBytes: s }));
    assert.deepEqual(terminal.stderr.match(/\d+ %/g), ['2 %', '7 %', '12 %']);
    await clock.advance(10_000);
    progress.show(aTransfer({ sizeBytes: 100, doneBytes: 12 }));
    assert.equal(terminal.stderr.split('\n').length, 4, 'said something that was said before');
    assert.equal(terminal.stdout, '');
  });

  it('is NDJSON on stdout with --json', () => {
    const terminal = new FakeTerminal();
    new ProgressBar(terminal, new ManualClock(), true).show(aTransfer());
    assert.deepEqual(JSON.parse(terminal.stdout), {
      progress: {
        transfer: 1,
        state: 'downloading',
        doneBytes: 524288,
        sizeBytes: 1048576,
        heldPieces: 1,
        pieces: 2,
        downBytesPerS: 0,
        peers: 1,
      },
    });
  });
});

gives('show_downloads', (fields: Partial<Transfer>) => classicLine(aTransfer(fields)), [
  [{}, '[D] [team] dump.sql'],
  [{ state: 'seeding' }, '[C] [team] dump.sql'],
  [{ state: 'waiting' }, '[D] [team] dump.sql'],
  [{ state: 'paused' }, '[D] [team] dump.sql'],
  [{ state: 'checking' }, '[D] [team] dump.sql'],
  [{ state: 'failed', heldPieces: 2 }, '[D] [team] dump.sql'],
  [{ state: 'gone', heldPieces: 2 }, '[C] [team] dump.sql'],
  [{ name: 'a\nb' }, '[D] [team] a\\u{a}b'],
]);

gives(
  'events',
  (event: Partial<Parameters<typeof eventText>[0]>) =>
    eventText({ what: 'other', group: 'team', user: '', name: '', conflict: undefined, ...event }),
  [
    [
      { what: 'requestReceived', group: 'team', user: 'bob', name: '' },
      'bob asks to join team: shoal accept_request team bob',
    ],
    [{ what: 'removed', group: 'team', user: '', name: '' }, 'you were removed from team'],
    [{ what: 'downloaded', group: 'team', user: '', name: 'a\x07' }, 'downloaded a\\u{7} of team'],
    [
      { what: 'renamed', conflict: aConflict() },
      'two groups took the name team at the same moment; yours is team~k3f9 now. Choose another with: shoal rename_group team~k3f9 NAME',
    ],
    [
      { what: 'renamed', conflict: aConflict({ isMine: false }) },
      'two groups took the name team at the same moment; the one you are in is team~k3f9 now',
    ],
    [
      { what: 'renamed', conflict: aConflict({ what: 'createAccount', wanted: 'ann', name: 'ann~k3f9', group: '' }) },
      'two people took the name ann at the same moment; you are ann~k3f9 now. Choose another with: shoal rename_account NAME',
    ],
    [
      {
        what: 'conflict',
        conflict: aConflict({ what: 'acceptRequest', result: 'notOwner', group: 'team', wanted: '', name: '' }),
      },
      'accepting a request in team has had no effect in the end, because something else was done at the same moment at the other tracker: only the owner of team can do that',
    ],
    [
      {
        what: 'conflict',
        conflict: aConflict({ what: 'shareFile', result: 'notMember', group: 'te\nam', wanted: 'f', name: 'f' }),
      },
      'sharing in te\\u{a}am (f) has had no effect in the end, because something else was done at the same moment at the other tracker: you are not a member of te\\u{a}am; ask to join it first',
    ],
  ],
);

describe('status', () => {
  it('shows trackers, account, groups, rates and transfers', () =>
    assert.deepEqual(
      statusLines(
        '/h',
        anOverview({
          groups: [aGroup(), aGroup({ name: 'other', role: 'member', owner: 'carol', members: 1 })],
          upLimitBytesPerS: MIB,
          outbox: 1,
          trackers: [
            { address: { host: 'a.example', port: 7070 }, link: 'up', inUse: true, error: undefined, pair: 'whole' },
            {
              address: { host: 'b.example', port: 7070 },
              link: 'refused',
              inUse: false,
              error: toWire(new ShoalError('pinMismatch', { address: 'b.example:7070' })),
              pair: 'unknown',
            },
          ],
        }),
        [aTransfer({ state: 'failed', error: toWire(new ShoalError('destinationExists', { path: '/x' })) })],
      ),
      [
        'home       /h',
        'engine     shoal 0.1.0, process 4711',
        'realm      shoal://pin@a.example:7070,b.example:7070',
        'trackers   a.example:7070  up, in use, has the other one',
        '           b.example:7070  refused: the key of b.example:7070 is not the one expected; it may be another machine, or somebody between you. Nothing was sent',
        'account    alice',
        'listening  192.168.1.5:40123',
        'groups     team  owner, 3 members, 1 request waiting',
        '           other  member, 1 member, owner carol',
        'rates      down 0 B/s, up 0 B/s (limit 1.00 MiB/s)',
        'outbox     1 change that only one tracker has yet',
        '',
        'ID  STATE   GROUP  NAME          SIZE  DONE  DOWN  UP  TURN  PEERS  PATH',
        ' 1  failed  team   dump.sql  1.00 MiB  50 %     -   -     -      1  /work/downloads/dump.sql',
        '1: /x exists already; nothing was overwritten. Name another place or use --rename',
      ],
    ));
});

describe('a hidden password', () => {
  const typing = async (
    ...keys: (string | Buffer)[]
  ): Promise<{ typed: string | undefined; shown: string; raw: boolean[] }> => {
    const raw: boolean[] = [];
    let take: (keys: Buffer) => void = () => {};
    let shown = '';
    const input = {
      // on before the question, or what is typed at once is shown
      setRawMode: (on: boolean) => raw.push(on && shown === ''),
      on: (_: 'data', to: (keys: Buffer) => void) => (take = to),
      off: () => (take = () => {}),
      resume() {},
      pause() {},
    };
    const typed = readHidden(input, { write: (text: string) => (shown += text) }, 'password: ');
    for (const key of keys) take(Buffer.from(key as string));
    return { typed: await typed, shown, raw };
  };
  const utf8 = Buffer.from('ä\r');
  const rows: [what: string, keys: (string | Buffer)[], typed: string | undefined][] = [
    ['as typed', ['s', 'e', 'c', '\r'], 'sec'],
    ['pasted at once', ['secret\nrest'], 'secret'],
    ['with a key taken back', ['sx\x7f', 'ec\r'], 'sec'],
    ['begun anew', ['wrong\x15right\r'], 'right'],
    ['of letters that came in two parts', [utf8.subarray(0, 1), utf8.subarray(1)], 'ä'],
    ['given up', ['abc\x03'], undefined],
    ['ended', ['\x04'], undefined],
    ['without control characters', ['a\x1b\x00b\r'], 'ab'],
  ];
  for (const [what, keys, typed] of rows) {
    it(`is read ${what}`, async () =>
      assert.deepEqual(await typing(...keys), { typed, shown: 'password: \n', raw: [true, false] }));
  }
});
