// Links that people send each other: into a group, and to a file of it. They name, and give
// nothing: a person who opens one signs in and asks like all others. What a link says is somebody
// else's word and is checked here, field by field. Pure.
import { ShoalError } from '../base/errors.ts';
import type { Pin, Root } from '../base/ids.ts';
import { HASH_BYTES, isHexOf } from '../base/ids.ts';
import { NAME_CHARS_MAX } from '../base/limits.ts';
import { isName, validateFileName } from '../base/names.ts';
import type { RealmUrl } from '../messages/realm.ts';
import { parseRealmUrl, realmUrlText } from '../messages/realm.ts';

/** A tracker that proves who it is: a bare address in a link would be whatever answers there. */
export type PinnedTracker = RealmUrl & { readonly realm: Pin };

/**
 * `join`: an invitation to ask. `open`: a file under its name in a group, as it was (`root`) when
 * the link was made.
 */
export type ShareLink =
  | { readonly is: 'join'; readonly tracker: PinnedTracker; readonly group: string }
  | {
      readonly is: 'open';
      readonly tracker: PinnedTracker;
      readonly group: string;
      readonly name: string;
      readonly root: Root;
    };

/** What programs like VS Code hand on to this extension: `publisher.name`. */
const AUTHORITY = 'shoal.shoal';
/** The longest name a file may have, every byte of it escaped, and the rest. */
const LINK_CHARS_MAX = 8192;
/** The longest tracker URL that engineLink takes. */
const TRACKER_CHARS_MAX = 1024;

/** @param scheme  of the program that opens it: `vscode.env.uriScheme` */
export function shareLinkText(link: ShareLink, scheme = 'vscode'): string {
  const { is, tracker, group } = link;
  const fields = { tracker: realmUrlText(tracker), group, ...(is === 'open' && { name: link.name, root: link.root }) };
  return `${scheme}://${AUTHORITY}/${is}?${Object.entries(fields)
    .map(([key, value]) => `${key}=${escaped(value)}`)
    .join('&')}`;
}

/** Whether a text looks as if it were meant to be one: what a box may be filled with. */
export const looksLikeShareLink = (text: string): boolean =>
  text.length <= LINK_CHARS_MAX && /^[a-z][a-z0-9+.-]*:\/\/shoal\.shoal\/\S+$/i.test(text.trim());

/** @throws ShoalError badLink */
export function parseShareLink(text: string): ShareLink {
  if (text.length > LINK_CHARS_MAX) throw bad('it is too long');
  const [, route = '', query = ''] =
    /^[a-z][a-z0-9+.-]*:\/\/shoal\.shoal\/([\w.-]*)(?:\?([^#]*))?$/i.exec(text.trim()) ?? [];
  if (route === '') throw bad('it does not begin like one');
  if (route !== 'join' && route !== 'open') throw bad('it asks for something that this version does not know');
  const fields = fieldsOf(query);
  const tracker = trackerOf(fields.get('tracker') ?? '');
  const group = fields.get('group') ?? '';
  if (!isGroupName(group)) throw bad('it names no group');
  if (route === 'join') return { is: 'join', tracker, group };
  const name = fields.get('name') ?? '';
  const why = validateFileName(name);
  if (why !== undefined) throw bad(`the name of its file cannot be used, because ${why}`);
  const root = fields.get('root') ?? '';
  if (!isHexOf(root, HASH_BYTES)) throw bad('it does not say which version of the file is meant');
  return { is: 'open', tracker, group, name, root: root as Root };
}

/** The tracker of a URL that says who must answer there; undefined for any other. */
export function pinnedTracker(url: string): PinnedTracker | undefined {
  try {
    const { realm, addresses } = parseRealmUrl(url);
    return realm && { realm, addresses };
  } catch {
    return undefined; // none at all
  }
}

const bad = (why: string): ShoalError => new ShoalError('badLink', { why });

/** A group's name, also one that the fold made (`name~k3f9`). */
const isGroupName = (text: string): boolean =>
  text.length <= NAME_CHARS_MAX + 5 && isName(text.replace(/~[a-z0-9]{4}$/, ''));

function trackerOf(text: string): PinnedTracker {
  if (text.length > TRACKER_CHARS_MAX) throw bad('the URL of its tracker is too long');
  const tracker = pinnedTracker(text);
  if (!tracker) throw bad('it names no tracker, or does not say how that one proves who it is');
  return tracker;
}

/**
 * Fields that are not known are another version's and count for nothing; one that comes twice could
 * mean either.
 */
function fieldsOf(query: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const part of query.split('&')) {
    const at = part.indexOf('=');
    const key = at < 0 ? part : part.slice(0, at);
    if (fields.has(key)) throw bad('it says something twice');
    fields.set(key, at < 0 ? '' : plain(part.slice(at + 1)));
  }
  return fields;
}

/**
 * Every byte but letters, digits, `.`, `_` and `-` as `~` and two digits. Not `%`: VS Code decodes
 * a link before it hands it on, and then nobody could tell an `&` of a file's name from the one
 * between two fields.
 */
const escaped = (value: string): string =>
  [...Buffer.from(value)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9._-]/.test(char) ? char : `~${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');

/** Also what a person wrote by hand, with `%` or without any escape. */
function plain(text: string): string {
  try {
    const decoded = decodeURIComponent(text.replace(/~([0-9a-f]{2})/g, '%$1'));
    if (decoded.isWellFormed()) return decoded;
  } catch {
    // half an escape
  }
  throw bad('it is damaged');
}
