// What a window says: sentences in the person's language, and other people's words among them, made
// safe for where they are shown. Pure, so that views and their tests need no VS Code.
import { printable } from '../../protocol/base/errors.ts';

export { plural, setTranslator, t } from '../../protocol/frontend/l10n.ts';

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
