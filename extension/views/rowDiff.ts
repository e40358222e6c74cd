// What differs between the rows of two states. Pure; looks only at rows that somebody may have
// seen.
import type { Row } from './row.ts';
import { childrenOf, LazyRows } from './row.ts';

export interface RowDiff {
  /** Whether rows at the top came, went or moved: then everything is asked for again. */
  readonly root: boolean;
  /** Rows of which something differs; those below one that is named are asked for with it. */
  readonly rows: readonly Row[];
  /** Rows at the top that want to be open from now on. */
  readonly opened: readonly Row[];
}

/**
 * Rows below one that are named one by one. VS Code looks for each that is named among all that
 * are: with thousands, for seconds.
 */
const NAMED_MAX = 100;

export function diffRows(before: readonly Row[], after: readonly Row[]): RowDiff {
  const closed = new Set(before.filter(({ isCollapsed }) => isCollapsed).map(({ id }) => id));
  const opened = after.filter(({ id, isCollapsed }) => isCollapsed === false && closed.has(id));
  if (!sameIds(before, after)) return { root: true, rows: [], opened };
  return { root: false, rows: after.flatMap((row, i) => changesIn(before[i], row)), opened };
}

function changesIn(before: Row | undefined, after: Row): readonly Row[] {
  if (before === after) return [];
  if (!before || !sameFace(before, after)) return [after];
  if (before.children === after.children || isUnseen(before)) return [];
  const [was, is] = [childrenOf(before), childrenOf(after)];
  if (!sameIds(was, is)) return [after];
  const below = is.flatMap((child, i) => changesIn(was[i], child));
  return below.length > NAMED_MAX ? [after] : below;
}

/** Whether the rows below it were never asked for: then there is nothing to say of them. */
const isUnseen = ({ children }: Row): boolean => children instanceof LazyRows && !children.isCreated;

const sameIds = (a: readonly Row[], b: readonly Row[]): boolean =>
  a === b || (a.length === b.length && a.every(({ id }, i) => id === b[i]?.id));

const sameFace = (a: Row, b: Row): boolean =>
  a.label === b.label &&
  a.description === b.description &&
  a.context === b.context &&
  a.spoken === b.spoken &&
  (a.children === undefined) === (b.children === undefined) &&
  JSON.stringify([a.icon, a.highlights, factsOf(a), a.subject]) ===
    JSON.stringify([b.icon, b.highlights, factsOf(b), b.subject]);

const factsOf = ({ tooltip }: Row): string | readonly string[] => ('facts' in tooltip ? tooltip.facts : tooltip);
