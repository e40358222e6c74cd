// Tables on the command line, whatever is in them.
import assert from 'node:assert/strict';
import { table, truncate, widthOf } from '../../../../extension/engine/cli/table.ts';

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
