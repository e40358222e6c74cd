// A list that is answered in pages, read to its end. Whoever answers is not trusted to come to one:
// each page has to get on, and only so many rows are read.
import { ShoalError } from '../base/errors.ts';

export interface PagesOptions<Row> {
  /** The call that answers, for its error. */
  readonly call: string;
  /** The rows behind a name, '' for the first; and whether there are more. */
  readonly page: (after: string) => Promise<{ readonly rows: readonly Row[]; readonly more: boolean }>;
  readonly nameOf: (row: Row) => string;
  /** What the list is in order of: the key by which the tracker finds the rows behind a name. */
  readonly keyOf: (name: string) => string;
  /** No page is asked for when so many rows came. */
  readonly rowsMax: number;
  /** Rows that do not fit are left out. */
  readonly fits?: (row: Row) => boolean;
  /** No page is asked for behind the one with such a row: for whoever looks for one. */
  readonly isLast?: (row: Row) => boolean;
  /**
   * Told what came so far, after the first page and whenever it is twice as much as before: so that
   * the beginning of a long list can be shown early.
   */
  readonly onProgress?: (rows: readonly Row[]) => void;
}

/**
 * The rows, one for each name. @throws ShoalError badMessage when a page ends where it began or
 * before, or what `page` throws
 */
export async function readPages<Row>({
  call,
  page,
  nameOf,
  keyOf,
  rowsMax,
  fits = () => true,
  isLast = () => false,
  onProgress,
}: PagesOptions<Row>): Promise<readonly Row[]> {
  const found = new Map<string, Row>();
  let after = '';
  let told = 0;
  for (let read = 0; read < rowsMax;) {
    const { rows, more } = await page(after);
    for (const row of rows) if (fits(row)) found.set(nameOf(row), row);
    const last = rows.at(-1);
    if (!more || !last || rows.some(isLast)) break;
    if (keyOf(nameOf(last)) <= keyOf(after)) {
      throw new ShoalError('badMessage', { type: call, why: 'its pages go round in circles' });
    }
    after = nameOf(last);
    read += rows.length;
    if (onProgress && found.size >= 2 * told) {
      told = found.size;
      onProgress([...found.values()]);
    }
  }
  return [...found.values()];
}
