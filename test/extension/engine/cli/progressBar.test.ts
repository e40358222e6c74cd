// Progress on a terminal, without one, and for programs.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { barLine, plainLine, ProgressBar } from '../../../../extension/engine/cli/progressBar.ts';
import { widthOf } from '../../../../extension/engine/cli/table.ts';
import { aTransfer } from '../../../support/fakes/fakeEngine.ts';
import { FakeTerminal } from '../../../support/fakes/fakeTerminal.ts';
import { ManualClock } from '../../../support/simulation/manualClock.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

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

  it('has colours where the terminal does', () => {
    const half = aTransfer({ sizeBytes: 2, doneBytes: 1, downBytesPerS: 0 });
    const bar = /\S*█\S*/.exec(barLine(half, 50, true))?.[0];
    assert.equal(bar, `\x1b[36m${'█'.repeat(6)}\x1b[39m\x1b[90m${'░'.repeat(6)}\x1b[39m`);
  });

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
