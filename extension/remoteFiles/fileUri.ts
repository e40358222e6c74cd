// What names a shared file, or a file in a shared folder, in VS Code:
// shoal://GROUP/NAME/PATH?root=…&name=PARTS. The root says which version, so what a URI names never
// changes; `name` says how many parts of the path are the shared name. Pure. A URI can come from
// anywhere (a link, a dragged text, a restored window), so whatever is not exactly of this form is
// none.
import type { Root } from '../../protocol/base/ids.ts';
import { validateFileName } from '../../protocol/base/names.ts';

/** Whole files, and the beginnings of those that are too large to be opened. */
export const SCHEME = 'shoal';
export const HEAD_SCHEME = 'shoal-head';

export interface SharedFileLocation {
  readonly group: string;
  readonly name: string;
  readonly root: Root;
  /** Within a shared folder; '' for what is shared itself. */
  readonly path: string;
}

/** The parts of a URI as VS Code's `Uri` has them. */
export interface UriParts {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string;
}

export function sharedUri({ group, name, root, path }: SharedFileLocation, scheme = SCHEME): UriParts {
  return {
    scheme,
    authority: group,
    path: `/${name}${path === '' ? '' : `/${path}`}`,
    query: `root=${root}&name=${name.split('/').length}`,
  };
}

/**
 * Undefined for what is no such URI. VS Code writes a group's name in small letters, which names
 * the same group.
 */
export function parseSharedUri({
  scheme,
  authority,
  path,
  query,
  fragment = '',
}: UriParts & { readonly fragment?: string }): SharedFileLocation | undefined {
  if ((scheme !== SCHEME && scheme !== HEAD_SCHEME) || fragment !== '') return undefined;
  if (!/^[A-Za-z0-9._~-]{1,80}$/.test(authority)) return undefined;
  const [, root, names] = /^root=([0-9a-f]{64})&name=([1-9]\d?)$/.exec(query) ?? [];
  if (root === undefined || names === undefined || !path.startsWith('/')) return undefined;
  const parts = path.slice(1).replace(/\/$/, '').split('/');
  const name = parts.slice(0, Number(names)).join('/');
  const inside = parts.slice(Number(names)).join('/');
  if (
    parts.length < Number(names) ||
    validateFileName(name) !== undefined ||
    (inside !== '' && validateFileName(inside) !== undefined)
  ) {
    return undefined;
  }
  return { group: authority, name, root: root as Root, path: inside };
}
