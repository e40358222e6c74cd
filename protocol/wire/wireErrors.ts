// Errors as they cross a link: the code and its fields; the words are made anew at the other end
// from its own rows.
import { isErrorCode, ShoalError } from '../base/errors.ts';
import type { WireError } from '../base/fields.ts';

/** Cuts a text to so many bytes of UTF-8 without halving a character. */
function cut(text: string, bytesMax: number): string {
  const whole = text.toWellFormed();
  if (Buffer.byteLength(whole) <= bytesMax) return whole;
  return Buffer.from(whole)
    .subarray(0, bytesMax)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}

export function toWire(error: ShoalError): WireError {
  const fields = Object.entries(error.fields)
    .slice(0, 8)
    .map(([name, value]) => ({ name: cut(name, 32), value: cut(String(value), 1100) }));
  return { code: error.code, text: cut(error.message, 2048), fields };
}

export function fromWire(error: WireError): ShoalError {
  const fields = Object.fromEntries(error.fields.map(({ name, value }) => [name, value]));
  return isErrorCode(error.code) ? new ShoalError(error.code, fields) : new ShoalError('other', { text: error.text });
}
