// A list that is answered in pages: read to its end, and no further than whoever answers may lead.
import assert from 'node:assert/strict';
import { readPages } from '../../../protocol/frontend/pagination.ts';
import type { PagesOptions } from '../../../protocol/frontend/pagination.ts';

/** Pages of two names each, in order; remembers behind which names it was asked. */
function pagesOf(names: readonly string[]): Pick<PagesOptions<string>, 'page'> & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    page: async (after) => {
      asked.push(after);
      const rest = names.filter((name) => name > after);
      return { rows: rest.slice(0, 2), more: rest.length > 2 };
    },
  };
}
const usual = { call: 'listNames', nameOf: (name: string) => name, keyOf: (name: string) => name, rowsMax: 100 };
const NAMES = ['a', 'b', 'c', 'd', 'e'];

describe('a list in pages', () => {
  it('is read to its end', async () => {
    const { page, asked } = pagesOf(NAMES);
    assert.deepEqual([await readPages({ ...usual, page }), asked], [NAMES, ['', 'b', 'd']]);
  });

  it('is empty when nothing is there, whatever is promised', async () => {
    assert.deepEqual(await readPages({ ...usual, page: async () => ({ rows: [], more: true }) }), []);
  });

  it('leaves out what does not fit', async () => {
    const fits = (name: string): boolean => name !== 'b';
    assert.deepEqual(await readPages({ ...usual, ...pagesOf(NAMES), fits }), ['a', 'c', 'd', 'e']);
  });

  it('is read no further than to the page with a row that is enough', async () => {
    const { page, asked } = pagesOf(NAMES);
    const found = await readPages({ ...usual, page, isLast: (name) => name === 'c' });
    assert.deepEqual(
      [found, asked],
      [
        ['a', 'b', 'c', 'd'],
        ['', 'b'],
      ],
    );
  });

  it('is read no further than so many rows', async () => {
    const { page, asked } = pagesOf(NAMES);
    await readPages({ ...usual, page, rowsMax: 3 });
    assert.deepEqual(asked, ['', 'b']);
  });

  it('has each name once, as it came last', async () => {
    const rows = [
      { name: 'a', n: 1 },
      { name: 'a', n: 2 },
    ];
    const nameOf = ({ name }: { readonly name: string }): string => name;
    assert.deepEqual(await readPages({ ...usual, nameOf, page: async () => ({ rows, more: false }) }), [rows[1]]);
  });

  it('is given up when a page does not get on', async () => {
    const page = async (): Promise<{ rows: string[]; more: boolean }> => ({ rows: ['a'], more: true });
    await assert.rejects(readPages({ ...usual, page }), { code: 'badMessage' });
  });

  it('shows what came so far, each time twice as much', async () => {
    const seen: number[] = [];
    const names = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i));
    await readPages({ ...usual, ...pagesOf(names), onProgress: ({ length }) => seen.push(length) });
    assert.deepEqual(seen, [2, 4, 8, 16]);
  });
});
