// VS Code's lists (trees, quick picks, notifications), which have in the DOM only the rows that are
// in sight: read whole by scrolling, and a row brought into sight before it is clicked.
import type { Locator } from 'playwright-core';

export interface ListRow {
  /** Place in the list as it is now, from 0. */
  readonly index: number;
  readonly label: string;
  readonly description: string;
  /** The second line of a quick pick's item. */
  readonly detail: string;
  /** Name of the product icon before the label, as in `$(name)`. */
  readonly icon: string | undefined;
  /** What a screen reader says; of a tree's row with a plain tooltip, that tooltip. */
  readonly says: string;
  /** Depth in a tree, from 1. */
  readonly level: number;
  /** Undefined for a row without children. */
  readonly expanded: boolean | undefined;
  readonly selected: boolean;
  readonly checked: boolean | undefined;
  /** All that can be read of it. */
  readonly text: string;
}

/** What is used here of the browser's objects: this project's types are Node's, not the page's. */
interface Box {
  readonly top: number;
  readonly bottom: number;
}
interface PageElement {
  readonly textContent: string | null;
  readonly className: string;
  readonly dataset: Readonly<Record<string, string | undefined>>;
  getAttribute(name: string): string | null;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  getBoundingClientRect(): Box;
  dispatchEvent(event: object): boolean;
}
declare const WheelEvent: new (type: string, options: object) => object;

interface Glimpse {
  readonly rows: readonly (ListRow & { readonly isWhole: boolean; readonly isLast: boolean })[];
  readonly height: number;
}

/**
 * VS Code scrolls 50 px for a notch of 120, and takes an event made by a script with the opposite
 * sign.
 */
const WHEEL_PER_PX = -120 / 50;
const SCREENS_MAX = 400;

/** All rows of a list. It is at its top afterwards if it had to be scrolled. */
export async function readRows(list: Locator): Promise<ListRow[]> {
  const found = new Map<number, ListRow>();
  const isShort = await walk(list, ({ rows }) => {
    for (const { isWhole: _, isLast: __, ...row } of rows) found.set(row.index, row);
    return undefined;
  });
  if (isShort !== 'short') await toTop(list);
  return [...found.values()].sort((a, b) => a.index - b.index);
}

/** Brings the first row that fits into sight, whole; undefined if none does. */
export async function revealRow(list: Locator, isIt: (row: ListRow) => boolean): Promise<Locator | undefined> {
  const found = await walk(list, ({ rows }) => rows.find(isIt));
  if (found === undefined || found === 'short') return undefined;
  for (let tries = 0; tries < 5; tries++) {
    const { rows, height } = await glimpse(list, 0);
    const row = rows.find(({ index }) => index === found.index);
    if (row?.isWhole !== false) break;
    await glimpse(list, (row.index === rows[0]?.index ? -1 : 1) * Math.min(40, height / 2));
  }
  return list
    .locator(`> .monaco-scrollable-element > .monaco-list-rows > .monaco-list-row[data-index="${found.index}"]`)
    .filter({ hasText: found.label });
}

/** Shows a list screen by screen from its top until a screen has what is looked for. */
async function walk(
  list: Locator,
  look: (seen: Glimpse) => ListRow | undefined,
): Promise<ListRow | 'short' | undefined> {
  let seen = await glimpse(list, 0);
  if (seen.rows.length > 0 && seen.rows[0]?.index !== 0) seen = await toTop(list);
  for (let screen = 0; screen < SCREENS_MAX; screen++) {
    const found = look(seen);
    if (found) return found;
    if (seen.rows.length === 0 || seen.rows.some(({ isLast, isWhole }) => isLast && isWhole)) {
      return screen === 0 ? 'short' : undefined;
    }
    const next = await glimpse(list, Math.max(20, seen.height - 50));
    if (next.rows[0]?.index === seen.rows[0]?.index && next.rows.at(-1)?.index === seen.rows.at(-1)?.index) {
      return undefined;
    } // it goes no further
    seen = next;
  }
  return undefined;
}

async function toTop(list: Locator): Promise<Glimpse> {
  return glimpse(list, -1_000_000);
}

/**
 * Scrolls, and reads the rows that are in the DOM then; both in one go, so that they belong
 * together.
 */
async function glimpse(list: Locator, byPx: number): Promise<Glimpse> {
  return list.evaluate(look, byPx * WHEEL_PER_PX, { timeout: 1_000 }); // a list that has just gone is not waited for
}

/** Runs in the page: uses nothing of this file. */
function look(list: PageElement, wheel: number): Glimpse {
  const area = list.querySelector(':scope > .monaco-scrollable-element') ?? list;
  if (wheel !== 0) area.dispatchEvent(new WheelEvent('wheel', { deltaY: wheel, bubbles: true, cancelable: true }));
  const textOf = (element: PageElement | null | undefined): string =>
    (element?.textContent ?? '').replace(/\s+/g, ' ').trim();
  const flag = (element: PageElement | null, name: string): boolean | undefined => {
    const value = element?.getAttribute(name);
    return value === 'true' ? true : value === 'false' ? false : undefined;
  };
  // of a quick pick the inner is as high as all its rows
  const [outer, inner] = [list.getBoundingClientRect(), area.getBoundingClientRect()];
  const frame = { top: Math.max(outer.top, inner.top), bottom: Math.min(outer.bottom, inner.bottom) };
  const rows = [...area.querySelectorAll(':scope > .monaco-list-rows > .monaco-list-row')]
    .map((row) => {
      const [first, second] = row.querySelectorAll('.monaco-icon-label-container');
      const icon =
        row.querySelector('.custom-view-tree-node-item-icon') ??
        first?.querySelector('.codicon') ??
        row.querySelector('.notification-list-item-icon');
      const box = row.getBoundingClientRect();
      return {
        index: Number(row.dataset['index']),
        label:
          textOf(first?.querySelector('.monaco-icon-name-container')) +
          textOf(first?.querySelector('.monaco-icon-suffix-container')),
        description: textOf(first?.querySelector('.label-description')),
        detail: textOf(second?.querySelector('.monaco-icon-name-container')),
        icon: /codicon-([\w-]+)/.exec((icon?.className ?? '').replace('codicon-colored', ''))?.[1],
        says: (row.getAttribute('aria-label') ?? '').trim(),
        level: Number(row.getAttribute('aria-level') ?? 1),
        expanded: flag(row, 'aria-expanded'),
        selected: flag(row, 'aria-selected') ?? false,
        checked: flag(row.querySelector('.monaco-checkbox'), 'aria-checked'),
        text: textOf(row),
        isWhole: box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1,
        isLast: row.dataset['lastElement'] === 'true',
      };
    })
    .sort((a, b) => a.index - b.index);
  return { rows, height: frame.bottom - frame.top };
}
