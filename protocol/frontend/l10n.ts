// Sentences for people, in English as they stand in the source, or in another language. Pure: a
// front end hands in its translator when it starts; without one everything stays English.

export type Translate = (message: string, ...values: readonly (string | number)[]) => string;

/** English, as it stands in the source: `{0}` is the first value. */
const english: Translate = (message, ...values) =>
  message.replace(/\{(\d+)\}/g, (_, n: string) => String(values[Number(n)] ?? ''));

let translate = english;

/** From here on `t` speaks the person's language. */
export function setTranslator(translator: Translate): void {
  translate = translator;
}

/**
 * A sentence in the person's language; the message is the English one and the key of the others.
 */
export const t: Translate = (message, ...values) => translate(message, ...values);

/** One of two sentences by number; `{0}` is the number, `{1}` the first value behind them. */
export const plural = (count: number, one: string, many: string, ...values: readonly (string | number)[]): string =>
  t(count === 1 ? one : many, count, ...values);
