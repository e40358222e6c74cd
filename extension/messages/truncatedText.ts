// The beginning of a file that is too large to be opened: whether it is text at all, and what of it
// is shown. Pure.
import { formatBytes } from '../../protocol/frontend/format.ts';
import { printableName, t } from '../common/l10n.ts';

/**
 * How much of a large file is shown: what an editor opens without delay, and a reader looks
 * through.
 */
export const HEAD_BYTES = 1024 * 1024;
/** How much is looked at to tell text from other things. */
const SNIFF_BYTES = 8 * 1024;
/**
 * Of so many characters one may be none that UTF-8 knows: a text with a few wrong bytes is text.
 */
const CHARS_PER_WRONG_MIN = 100;

/**
 * Whether bytes look like text: no zero byte, and nearly all of them UTF-8. A character that is cut
 * off at the end does not count.
 */
export function isTextLike(bytes: Uint8Array): boolean {
  const look = bytes.subarray(0, SNIFF_BYTES);
  if (look.includes(0)) return false;
  const text = new TextDecoder().decode(look, { stream: true });
  const wrong = text.split('\uFFFD').length - 1;
  return wrong * CHARS_PER_WRONG_MIN <= text.length;
}

/**
 * The first line says what is shown, and how to get the rest; then the beginning, up to the end of
 * a line.
 */
export function truncatedText(
  bytes: Uint8Array,
  { name, group, sizeBytes }: { readonly name: string; readonly group: string; readonly sizeBytes: number },
): Uint8Array {
  const end = bytes.length < sizeBytes ? bytes.lastIndexOf(0x0a) + 1 : bytes.length;
  const head = end > 0 ? bytes.subarray(0, end) : wholeCharacters(bytes);
  const line = t(
    'The first {0} of {1}. Download {2} from {3} to get all of it.',
    formatBytes(head.length),
    formatBytes(sizeBytes),
    printableName(name),
    printableName(group),
  );
  return Buffer.concat([Buffer.from(`${line}\n\n`), head]);
}

/** Without a character at the end that is cut off. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes.length - end < 4 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  return ((bytes[end - 1] ?? 0) & 0xc0) === 0xc0 ? bytes.subarray(0, end - 1) : bytes;
}
