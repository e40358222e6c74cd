// The state as bytes and back: JSON, one line for each account, each group and each thousand
// operations, so that neither side ever holds all of it as one text. Everything of a state is plain
// data; maps and sets are marked, because their order counts.
import { ShoalError } from '../../protocol/base/errors.ts';
import type { OperationId } from '../../protocol/base/ids.ts';
import { SortedMap } from './sortedMap.ts';
import type { Account, End, Group, Outcome, State } from './state.ts';
import { emptyState } from './state.ts';

/** Of the form of these lines; a newer one is refused. */
const FORMAT = 1;
const OPERATIONS_PER_LINE = 1_000;

type Line =
  | ({ readonly format: number } & Record<keyof State, number> & { readonly foldVersion: number })
  | readonly [keyof State, readonly (readonly [string, unknown])[]];

/** @returns lines, each with its end */
export function* encodeState(state: State): Generator<string> {
  const ids = new Map<Outcome, OperationId>();
  for (const [id, outcome] of state.operations) ids.set(outcome, id);
  const line = (value: unknown): string =>
    `${JSON.stringify(value, (key, inner: unknown) => plain(key, inner, ids))}\n`;
  yield line({ format: FORMAT, ...Object.fromEntries(mapsOf(state).map(([name, map]) => [name, map.size])) });
  for (const [name, map] of mapsOf(state)) {
    const perLine = name === 'groups' || name === 'accounts' ? 1 : OPERATIONS_PER_LINE;
    let rows: (readonly [string, unknown])[] = [];
    for (const row of map) {
      rows.push(row);
      if (rows.length < perLine) continue;
      yield line([name, rows]);
      rows = [];
    }
    if (rows.length > 0) yield line([name, rows]);
  }
}

/** @throws ShoalError badMessage */
export function decodeState(lines: Iterable<string>): State {
  const state = emptyState();
  const maps = new Map(mapsOf(state));
  let counts: Readonly<Record<string, number>> | undefined;
  try {
    for (const text of lines) {
      const line = JSON.parse(text, revive) as Line;
      if (!Array.isArray(line)) {
        counts = line as unknown as Readonly<Record<string, number>>;
        if (counts['format'] !== FORMAT) throw new Error(`its format is ${counts['format']}`);
        continue;
      }
      const [name, rows] = line as readonly [keyof State, readonly (readonly [string, unknown])[]];
      const map = maps.get(name);
      if (!map) throw new Error(`it has ${name}`);
      for (const [key, value] of rows) map.set(key, value);
    }
    for (const [name, map] of maps) {
      if (counts?.[name] !== map.size) throw new Error(`${map.size} of ${name} are there, not ${counts?.[name]}`);
    }
    for (const account of state.accounts.values()) link(account, state);
    for (const group of state.groups.values()) linkEnds(group, state);
  } catch (error) {
    throw new ShoalError('badMessage', { type: 'snapshot', why: (error as Error).message }, { cause: error });
  }
  return state;
}

type AnyMap = Iterable<readonly [string, unknown]> & {
  readonly size: number;
  set(key: string, value: unknown): unknown;
};
const mapsOf = (state: State): (readonly [string, AnyMap])[] =>
  Object.entries(state).filter(([, part]) => typeof part === 'object');

/**
 * Several ends speak of one operation's outcome, and of that very one that stands with the
 * operations.
 */
function plain(key: string, value: unknown, ids: ReadonlyMap<Outcome, OperationId>): unknown {
  if (key === 'outcome') return ids.get(value as Outcome) ?? value;
  if (value instanceof SortedMap) return { sorted: [...(value as Iterable<unknown>)] };
  if (value instanceof Map) return { map: [...(value as Iterable<unknown>)] };
  if (value instanceof Set) return { set: [...(value as Iterable<unknown>)] };
  return value;
}

function revive(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { map, set, sorted } = value as {
    readonly map?: [unknown, unknown][];
    readonly set?: unknown[];
    readonly sorted?: [string, unknown][];
  };
  if (Array.isArray(map)) return new Map(map);
  if (Array.isArray(set)) return new Set(set);
  if (!Array.isArray(sorted)) return value;
  const all = new SortedMap<unknown>();
  for (const [key, one] of sorted) all.set(key, one);
  return all;
}

function link(account: Account, state: State): void {
  linkEnds(account, state);
  for (const change of account.passwordChanges) linkOne(change, state);
}

function linkEnds({ ends }: Account | Group, state: State): void {
  for (const all of (ends as ReadonlyMap<string, readonly End[]>).values()) for (const end of all) linkOne(end, state);
}

function linkOne(end: { outcome: Outcome }, state: State): void {
  if (typeof end.outcome !== 'string') return; // of an operation that is forgotten by now
  const outcome = state.operations.get(end.outcome);
  if (!outcome) throw new Error('an end has no operation');
  end.outcome = outcome;
}
