// Which names a person may mean by what they type: parts of names, letters left out, a letter
// wrong. Pure.

/** How well a name fits; 0 for not at all. Higher is better. */
const FIT = { whole: 6, start: 5, inLast: 4, inPath: 3, letters: 2, typo: 1, none: 0 } as const;

/** Letters of a word from which on one of them, or two, may be wrong. */
const ONE_TYPO_FROM = 4;
const TWO_TYPOS_FROM = 8;
/** Longer words are compared by their beginning: the comparison works in the bits of one number. */
const WORD_CHARS_MAX = 30;

/** A name, made ready to be searched again and again. */
export interface Searchable<T> {
  readonly name: string;
  /** In small letters. */
  readonly text: string;
  /** Where its last part begins. */
  readonly lastAt: number;
  readonly value: T;
}

export function searchable<T>(name: string, value: T): Searchable<T> {
  const text = name.toLowerCase();
  return { name, text, lastAt: text.lastIndexOf('/') + 1, value };
}

/**
 * The best of them, the best first; those that fit equally in their order. All in their order when
 * nothing was typed.
 *
 * @param most  how many are wanted
 */
export function bestOf<T>(all: readonly Searchable<T>[], typed: string, most: number): readonly T[] {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return all.slice(0, most).map(({ value }) => value);
  const sure = fitting(all, (one) => least(words, (word) => fitOf(word, one)));
  // Typing errors only where there is little without them: they cost the most and find the least
  // that was meant.
  const likeness = new Map(words.map((word) => [word, nearly(word)]));
  const found = new Set(sure);
  const close =
    sure.length >= most
      ? []
      : fitting(
          all.filter((one) => !found.has(one)),
          (one) => least(words, (word) => fitOf(word, one) || (likeness.get(word)?.(one.text) ? FIT.typo : FIT.none)),
        );
  return [...sure, ...close].slice(0, most).map(({ value }) => value);
}

function fitting<T>(all: readonly Searchable<T>[], fit: (one: Searchable<T>) => number): readonly Searchable<T>[] {
  const found = all.flatMap((one, at) => {
    const score = fit(one);
    return score === 0 ? [] : [{ one, at, score }];
  });
  return found
    .sort((a, b) => b.score - a.score || a.one.text.length - b.one.text.length || a.at - b.at)
    .map(({ one }) => one);
}

/** A name fits as well as the word of which it has the least. */
function least(words: readonly string[], fit: (word: string) => number): number {
  let all: number = FIT.whole;
  for (const word of words) {
    all = Math.min(all, fit(word));
    if (all === 0) return 0;
  }
  return all;
}

function fitOf(word: string, { text, lastAt }: Searchable<unknown>): number {
  const at = text.indexOf(word, lastAt);
  if (at === lastAt) return text.length === lastAt + word.length ? FIT.whole : FIT.start;
  if (at > 0) return FIT.inLast;
  if (lastAt > 0 && text.includes(word)) return FIT.inPath;
  return hasLetters(text, word) ? FIT.letters : FIT.none;
}

/** Whether the letters occur in this order, with others between them. */
function hasLetters(text: string, word: string): boolean {
  let from = 0;
  for (const letter of word) {
    const at = text.indexOf(letter, from);
    if (at < 0) return false;
    from = at + letter.length;
  }
  return true;
}

/**
 * Whether something in a text differs from the word by few letters that are wrong, missing or too
 * many (Wu and Manber's shift-and with errors), or by two neighbours that are swapped, the
 * commonest slip of all.
 */
function nearly(word: string): (text: string) => boolean {
  const letters = word.slice(0, WORD_CHARS_MAX);
  const errors = letters.length >= TWO_TYPOS_FROM ? 2 : letters.length >= ONE_TYPO_FROM ? 1 : 0;
  if (errors === 0) return () => false;
  const swapped = Array.from(
    { length: letters.length - 1 },
    (_, n) => `${letters.slice(0, n)}${letters.charAt(n + 1)}${letters.charAt(n)}${letters.slice(n + 2)}`,
  );
  const masks = new Map<number, number>();
  for (let n = 0; n < letters.length; n++) {
    masks.set(letters.charCodeAt(n), (masks.get(letters.charCodeAt(n)) ?? 0) | (1 << n));
  }
  const end = 1 << (letters.length - 1);
  return (text) => {
    // After so many letters of the text: which beginnings of the word end here, with 0, 1 or 2
    // errors.
    let [r0, r1, r2] = [0, 1, 3];
    for (let n = 0; n < text.length; n++) {
      const mask = masks.get(text.charCodeAt(n)) ?? 0;
      const [o0, o1] = [r0, r1];
      r0 = ((r0 << 1) | 1) & mask;
      r1 = (((r1 << 1) | 1) & mask) | o0 | (o0 << 1) | (r0 << 1) | 1;
      r2 = (((r2 << 1) | 1) & mask) | o1 | (o1 << 1) | (r1 << 1) | 3;
      if (((errors === 1 ? r1 : r2) & end) !== 0) return true;
    }
    return errors === 1 && swapped.some((one) => text.includes(one)); // with two errors a swap is among them
  };
}
