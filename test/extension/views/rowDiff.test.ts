// What of two states' rows has to be asked for again.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { childrenOf } from '../../../extension/views/row.ts';
import type { Row } from '../../../extension/views/row.ts';
import { diffRows } from '../../../extension/views/rowDiff.ts';

describe('what differs between two states', () => {
  const base: Omit<Row, 'id'> = {
    label: 'l',
    description: '',
    tooltip: [],
    icon: { theme: 'x' },
    context: '',
    subject: {},
    spoken: '',
  };
  const leaf = fc
    .record({ id: fc.constantFrom('a', 'b', 'c', 'd'), description: fc.constantFrom('', 'x', 'y') })
    .map((fields): Row => ({ ...base, ...fields }));
  const unique = <T extends { readonly id: string }>(rows: readonly T[]): readonly T[] => [
    ...new Map(rows.map((row) => [row.id, row])).values(),
  ];
  const tree = fc
    .array(fc.tuple(leaf, fc.option(fc.array(leaf, { maxLength: 3 }), { nil: undefined })), { maxLength: 4 })
    .map((rows) =>
      unique(
        rows.map(([row, children]): Row =>
          children
            ? { ...row, children: unique(children).map((child) => ({ ...child, id: `${row.id}/${child.id}` })) }
            : row,
        ),
      ),
    );

  /** What somebody shows who asks again only for what was named. */
  const follow = (before: readonly Row[], after: readonly Row[]): readonly Row[] => {
    const { root, rows } = diffRows(before, after);
    if (root) return after;
    const named = new Map(rows.map((row) => [row.id, row]));
    const refreshed = (row: Row): Row =>
      named.get(row.id) ?? (row.children ? { ...row, children: childrenOf(row).map(refreshed) } : row);
    return before.map(refreshed);
  };
  it('is all that has to be asked for again', () =>
    fc.assert(fc.property(tree, tree, (before, after) => assert.deepEqual(follow(before, after), after))));
  it('is nothing between equal states', () =>
    fc.assert(
      fc.property(tree, (rows) => assert.deepEqual(diffRows(rows, structuredClone<readonly Row[]>(rows)).rows, [])),
    ));
  it('is one row when one says something else', () => {
    const rows = (description: string): readonly Row[] => [
      {
        ...base,
        id: 'a',
        children: [
          { ...base, id: 'a/1', description },
          { ...base, id: 'a/2' },
        ],
      },
    ];
    assert.deepEqual(
      diffRows(rows('1 %'), rows('2 %')).rows.map(({ id }) => id),
      ['a/1'],
    );
  });
  it('is the row above when very many say something else, and that one only', () => {
    const rows = (description: string): readonly Row[] =>
      ['a', 'b'].map((id) => ({
        ...base,
        id,
        children: Array.from({ length: 500 }, (_, n) => ({
          ...base,
          id: `${id}/${n}`,
          description: id === 'a' || n < 2 ? description : '',
        })),
      }));
    assert.deepEqual(
      diffRows(rows('1 seeder'), rows('2 seeders')).rows.map(({ id }) => id),
      ['a', 'b/0', 'b/1'],
    );
  });
  it('names a row that now wants to be open', () =>
    assert.deepEqual(
      diffRows([{ ...base, id: 'a', isCollapsed: true }], [{ ...base, id: 'a', isCollapsed: false }]).opened.map(
        ({ id }) => id,
      ),
      ['a'],
    ));
});
