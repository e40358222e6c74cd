// What a row takes of names that others chose.
import assert from 'node:assert/strict';
import { iconPath } from '../../../extension/views/row.ts';

describe('names of others', () => {
  it('are a path that VS Code takes', () =>
    assert.deepEqual(['a.txt', 'b/a.txt', '/x', '//host/x', '///'].map(iconPath), [
      '/a.txt',
      '/b/a.txt',
      '/x',
      '/host/x',
      '/',
    ]));
});
