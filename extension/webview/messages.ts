// What a window and the page of its swarm inspector say to each other. The window makes all words
// and knows all facts; the page draws, and says which button was pressed. Whatever comes is checked
// at the door, here and there: a page could be made to say anything.

/** What a person can do from the page, by the command that does it. */
export const ACTIONS = ['pauseDownload', 'resumeDownload', 'verifyFile', 'limitSpeed'] as const;
export type Action = (typeof ACTIONS)[number];

export type FromPage = { readonly is: 'ready' } | { readonly is: 'act'; readonly action: Action };

/**
 * How it can stand with a piece, in the order of the legend. `nowhere`: missing, and nobody
 * connected has it.
 */
export const KINDS = ['held', 'requested', 'verifying', 'missing', 'nowhere', 'unwanted'] as const;
export type Kind = (typeof KINDS)[number];

/** Columns of the table of peers. */
export const COLUMNS = ['name', 'has', 'down', 'up', 'gave', 'took', 'state'] as const;
export type Column = (typeof COLUMNS)[number];

/** Fixed words of the page; `{0}` is the first value. */
export interface PageText {
  readonly language: string;
  readonly pieces: string;
  readonly peers: string;
  readonly speed: string;
  readonly noPeers: string;
  readonly noPieces: string;
  readonly kinds: Readonly<Record<Kind, string>>;
  readonly columns: Readonly<Record<Column, string>>;
  /** `Piece {0}: {1}; {2}`, and `Pieces {0} to {1}: {2}; {3}`. */
  readonly onePiece: string;
  readonly somePieces: string;
  /** Who has a piece: nobody, one, several; and of several pieces the one that fewest have. */
  readonly nobodyHas: string;
  readonly oneHas: string;
  readonly someHave: string;
  readonly fewestHave: string;
  /** How to walk over the map. */
  readonly mapHelp: string;
  readonly down: string;
  readonly up: string;
}

/** One byte for each cell, as in the view of a swarm (protocol/messages/swarmView.ts). */
export interface CellColumns {
  readonly held: Uint8Array;
  readonly requested: Uint8Array;
  readonly verifying: Uint8Array;
  readonly unwanted: Uint8Array;
  readonly nowhere: Uint8Array;
  readonly peers: Uint8Array;
}

export interface ShownMap {
  readonly pieces: number;
  readonly cellPieces: number;
  readonly cells: CellColumns;
  /** How many pieces there are of each kind, as the legend says it. */
  readonly counts: Readonly<Record<Kind, number>>;
}

export interface ShownPeer {
  readonly pin: string;
  /** What its cell says in each column, and what it is sorted by. */
  readonly cells: Readonly<Record<Column, string>>;
  readonly values: Readonly<Record<Column, number | string>>;
  /** More about whom it is, behind the name. */
  readonly about: string;
  readonly tone: 'active' | 'quiet' | 'bad';
}

export interface Shown {
  readonly title: string;
  readonly about: string;
  readonly progress: string;
  /** Of the bytes that shall come, from 0 to 1. */
  readonly share: number;
  readonly reasons: readonly string[];
  readonly actions: readonly { readonly action: Action; readonly label: string }[];
  readonly map: ShownMap | undefined;
  readonly peers: readonly ShownPeer[];
  /** What each line of the plot says now: down, up. */
  readonly rates: readonly string[];
}

/**
 * Rates of the last minutes, the latest last; `ageS` is how long ago each was, as a number below 0.
 */
export interface Rates {
  readonly ageS: readonly number[];
  readonly down: readonly number[];
  readonly up: readonly number[];
}

export type ToPage =
  | { readonly is: 'words'; readonly transfer: number; readonly words: PageText }
  | { readonly is: 'show'; readonly shown: Shown }
  | { readonly is: 'rates'; readonly rates: Rates }
  | { readonly is: 'nothing'; readonly text: string };

/** What the page keeps for the next time it is made. */
export interface SavedPageState {
  readonly transfer: number;
  readonly sortBy: Column | undefined;
  readonly isDescending: boolean;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const areNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'number' && Number.isFinite(one));
const isOneOf = <T extends string>(all: readonly T[], value: unknown): value is T =>
  isText(value) && (all as readonly string[]).includes(value);
const areAllTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const areTexts = (value: unknown, keys: readonly string[]): boolean =>
  isObject(value) && keys.every((key) => isText(value[key]));

/** A message of the page; undefined for anything else. */
export function fromPage(message: unknown): FromPage | undefined {
  if (!isObject(message)) return undefined;
  if (message['is'] === 'ready') return { is: 'ready' };
  return message['is'] === 'act' && isOneOf(ACTIONS, message['action'])
    ? { is: 'act', action: message['action'] }
    : undefined;
}

/** A message of the window; undefined for anything else. */
export function toPage(message: unknown): ToPage | undefined {
  if (!isObject(message)) return undefined;
  const isGood =
    message['is'] === 'words'
      ? isCount(message['transfer']) && isPageText(message['words'])
      : message['is'] === 'show'
        ? isShown(message['shown'])
        : message['is'] === 'rates'
          ? areRates(message['rates'])
          : message['is'] === 'nothing' && isText(message['text']);
  return isGood ? (message as unknown as ToPage) : undefined;
}

/** What a page kept; undefined for anything else. */
export function parseSavedState(value: unknown): SavedPageState | undefined {
  if (!isObject(value) || !isCount(value['transfer'])) return undefined;
  return {
    transfer: value['transfer'],
    sortBy: isOneOf(COLUMNS, value['sortBy']) ? value['sortBy'] : undefined,
    isDescending: value['isDescending'] === true,
  };
}

const PAGE_TEXT_KEYS = [
  'language',
  'pieces',
  'peers',
  'speed',
  'noPeers',
  'noPieces',
  'onePiece',
  'somePieces',
  'nobodyHas',
  'oneHas',
  'someHave',
  'fewestHave',
  'mapHelp',
  'down',
  'up',
] as const satisfies readonly (keyof PageText)[];
const isPageText = (value: unknown): boolean =>
  isObject(value) &&
  areTexts(value, PAGE_TEXT_KEYS) &&
  areTexts(value['kinds'], KINDS) &&
  areTexts(value['columns'], COLUMNS);

function isShown(value: unknown): boolean {
  return (
    isObject(value) &&
    areTexts(value, ['title', 'about', 'progress']) &&
    typeof value['share'] === 'number' &&
    areAllTexts(value['reasons']) &&
    areAllTexts(value['rates']) &&
    Array.isArray(value['actions']) &&
    value['actions'].every((one) => isObject(one) && isOneOf(ACTIONS, one['action']) && isText(one['label'])) &&
    (value['map'] === undefined || isMap(value['map'])) &&
    Array.isArray(value['peers']) &&
    value['peers'].every(isPeer)
  );
}

function isMap(value: unknown): boolean {
  if (
    !isObject(value) ||
    !isCount(value['pieces']) ||
    !isCount(value['cellPieces']) ||
    value['cellPieces'] === 0 ||
    !isObject(value['cells']) ||
    !isObject(value['counts'])
  ) {
    return false;
  }
  const { cells, counts } = value;
  const count = Math.ceil(value['pieces'] / value['cellPieces']);
  return (
    KINDS.every((kind) => isCount(counts[kind])) &&
    ['held', 'requested', 'verifying', 'unwanted', 'nowhere', 'peers'].every((name) => {
      const column = cells[name];
      return column instanceof Uint8Array && column.length === count;
    })
  );
}

const isPeer = (value: unknown): boolean =>
  isObject(value) &&
  areTexts(value, ['pin', 'about']) &&
  areTexts(value['cells'], COLUMNS) &&
  isObject(value['values']) &&
  isOneOf(['active', 'quiet', 'bad'], value['tone']);

function areRates(value: unknown): boolean {
  if (!isObject(value) || !areNumbers(value['ageS']) || !areNumbers(value['down']) || !areNumbers(value['up'])) {
    return false;
  }
  return value['ageS'].length === value['down'].length && value['down'].length === value['up'].length;
}

/** Values put into words: `{0}` is the first. */
export const fill = (template: string, ...values: readonly (string | number)[]): string =>
  template.replace(/\{(\d+)\}/g, (_, n: string) => String(values[Number(n)] ?? ''));
