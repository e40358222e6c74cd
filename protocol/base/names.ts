// Which names are allowed: of users and groups, and of shared files. One validator for files, used
// when sharing, on receipt and before opening: a name that passes means the same on every system
// and cannot leave the folder it is put in.
import { ShoalError } from './errors.ts';
import {
  FILE_NAME_BYTES_MAX,
  FILE_NAME_COMPONENT_BYTES_MAX,
  FILE_NAME_COMPONENTS_MAX,
  NAME_CHARS_MAX,
} from './limits.ts';

/**
 * Whether a new user or group may have this name. Names that the fold made (`name~k3f9`) are not
 * for choosing.
 */
export const isName = (text: string): boolean =>
  text.length <= NAME_CHARS_MAX && /^[A-Za-z0-9._-]+$/.test(text) && !/^\.+$/.test(text);

/** @throws ShoalError badName */
export function checkName(text: string): string {
  if (!isName(text)) throw new ShoalError('badName', { name: text.slice(0, 2 * NAME_CHARS_MAX), max: NAME_CHARS_MAX });
  return text;
}

/** Two names with the same key are the same name: without case. */
export const nameKey = (text: string): string => text.toLowerCase();

/**
 * Two file names with the same key would be one file on some system: without case, composed (NFC).
 */
export const fileNameKey = (text: string): string =>
  // lower first: the upper case of ẞ is ẞ, that of ß is SS
  text.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');

/**
 * Names of devices on Windows, with or without an extension; the superscript digits too
 * (CVE-2023-45284).
 */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³])$/i;
/**
 * Folders whose content other programs execute or trust, also by the short names that Windows gives
 * them (`GIT~1`).
 */
const TRUSTED_FOLDER = /^(?:\.(?:git|vscode|idea|husky|ssh|shoal.*)|(?:git|vscode|idea|husky|ssh|shoal.*)~\d+)$/i;
/**
 * Invisible characters that emoji and Persian or Indic words need: joiners and variation selectors.
 * HFS+ does not see them (CVE-2014-9390).
 */
const NEEDED_INVISIBLE = /[\u200C\u200D\uFE0E\uFE0F]/gu;

/**
 * Why a file name (components joined by `/`) cannot be shared or written, in words that continue
 * "it cannot be used:"; undefined when it can.
 */
export function validateFileName(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (!text.isWellFormed()) return 'it contains half a character';
  if (text.normalize('NFC') !== text) {
    return 'its accents are written in a form that other systems change (it is not NFC)';
  }
  if (Buffer.byteLength(text) > FILE_NAME_BYTES_MAX) return `it is longer than ${FILE_NAME_BYTES_MAX} bytes`;
  const components = text.split('/');
  if (components.length > FILE_NAME_COMPONENTS_MAX) return `it has more than ${FILE_NAME_COMPONENTS_MAX} folders`;
  for (const [place, component] of components.entries()) {
    const why = validateComponent(component);
    if (why !== undefined) return why;
    if (place === 0 && isTrustedFolder(component)) return `${component} is a folder that other programs trust`;
  }
  return undefined;
}

/**
 * Whether other programs execute or trust what lies in a folder, or behind a file, of this name.
 */
export const isTrustedFolder = (component: string): boolean => TRUSTED_FOLDER.test(withoutInvisible(component));

const withoutInvisible = (text: string): string => text.replace(NEEDED_INVISIBLE, '');

function validateComponent(component: string): string | undefined {
  if (component === '') return 'it has an empty part between slashes';
  const visible = withoutInvisible(component);
  if (visible === '.' || visible === '..') return 'it contains . or .. as a folder';
  if (Buffer.byteLength(component) > FILE_NAME_COMPONENT_BYTES_MAX) {
    return `a part of it is longer than ${FILE_NAME_COMPONENT_BYTES_MAX} bytes`;
  }
  if (/\p{Cc}|[\p{Zl}\p{Zp}]/u.test(component)) return 'it contains control characters';
  if (/\p{Bidi_Control}/u.test(component)) return 'it contains characters that turn the direction of text';
  if (/[<>:"|?*\\]/.test(component)) return 'it contains one of < > : " | ? * \\ , which not every system allows';
  if (/\p{Default_Ignorable_Code_Point}/u.test(visible)) return 'it contains invisible characters';
  if (visible.trim() === '') return 'a part of it is invisible';
  if (/^\s|[\s.]$/u.test(visible)) return 'a part of it begins with a space or ends with a space or a dot';
  if (WINDOWS_DEVICE.test((visible.split('.')[0] ?? '').trim())) return 'a part of it names a device on Windows';
  return undefined;
}

/** @throws ShoalError badFileName */
export function checkFileName(text: string): string {
  const why = validateFileName(text);
  if (why !== undefined) throw new ShoalError('badFileName', { name: text.slice(0, 300).toWellFormed(), why });
  return text;
}
