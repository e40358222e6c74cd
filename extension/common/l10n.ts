// Words for people, and other people's words among them. Pure: VS Code's translator is handed in at
// activation, so that views and their tests need no VS Code.
import { printable } from '../../protocol/base/errors.ts';

type Translate = (message: string, ...values: readonly (string | number)[]) => string;

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

/**
 * A name that somebody else chose, safe wherever VS Code shows plain text: no control characters,
 * no marks that turn the direction of text.
 */
export const printableName = printable;

/**
 * The same for messages, prompts and titles of progress, where VS Code makes a link of
 * `[text](address)`.
 */
export const inMessage = (name: string): string => printableName(name).replaceAll('](', '] (');

/** The same where `$(name)` would become an icon: quick picks and the status bar. */
export const withoutIcons = (name: string): string => printableName(name).replaceAll('$(', '\\$(');
