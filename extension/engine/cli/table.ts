// How tables look on the command line. Pure; every text that came from elsewhere goes through
// `printable`.
import stringWidth from 'string-width';
import { printable } from '../../../protocol/base/errors.ts';

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'right';
  readonly of: (row: Row) => string | number;
}

/**
 * An aligned table with a line of titles; two spaces between columns, none at the end of a line.
 */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): readonly string[] {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ of }) => printable(String(of(row))))),
  ];
  const widths = columns.map((_, i) => cells.reduce((widest, line) => Math.max(widest, widthOf(line[i] ?? '')), 0));
  return cells.map((line) =>
    line
      .map((cell, i) => {
        const space = ' '.repeat((widths[i] ?? 0) - widthOf(cell));
        return columns[i]?.align === 'right' ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Cells a text takes in a terminal. Most of a long table is ASCII, which costs next to nothing. */
export const widthOf = (text: string): number => (/^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text));

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** A text cut to so many cells, with … where something is missing. */
export function truncate(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text;
  let kept = '';
  let width = 1; // of the …
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
    if (width > cells) break;
    kept += segment;
  }
  return cells < 1 ? '' : `${kept}…`;
}

/** What a JSON reader gets: the value on one line. */
export const jsonLine = (value: unknown): string => `${JSON.stringify(value)}\n`;
