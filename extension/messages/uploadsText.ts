// Who downloads from here, as a sentence: whom it concerns when one logs out, stops the engine or
// closes the last window. Pure.
import type { Downloader } from '../../protocol/messages/engineLink.ts';
import { inMessage, plural, t } from '../common/l10n.ts';

/** `bob and carol are downloading big.bin and 2 more from you.` Undefined when nobody does. */
export function uploadsText(served: readonly Downloader[], show = inMessage): string | undefined {
  const { users, people, files } = named(served, show);
  if (users === 0) return undefined;
  return users === 1
    ? t('{0} is downloading {1} from you.', people, files)
    : t('{0} are downloading {1} from you.', people, files);
}

/** The same of those who were at it when the last window closed. */
export function interruptedUploadsText(cutOff: readonly Downloader[], show = inMessage): string | undefined {
  const { users, people, files } = named(cutOff, show);
  if (users === 0) return undefined;
  return users === 1
    ? t('When the last window closed, {0} was still downloading {1} from you.', people, files)
    : t('When the last window closed, {0} were still downloading {1} from you.', people, files);
}

function named(
  served: readonly Downloader[],
  show: (name: string) => string,
): { readonly users: number; readonly people: string; readonly files: string } {
  const users = [...new Set(served.map(({ user }) => user))];
  const files = [...new Map(served.map(({ group, name }) => [`${group}/${name}`, name])).values()];
  const [first = '', second = '', third = ''] = users.map(show);
  const people =
    users.length < 2
      ? first
      : users.length === 2
        ? t('{0} and {1}', first, second)
        : users.length === 3
          ? t('{0}, {1} and {2}', first, second, third)
          : plural(users.length - 2, '{1}, {2} and {0} other', '{1}, {2} and {0} others', first, second);
  const [file = ''] = files.map(show);
  return {
    users: users.length,
    people,
    files: files.length < 2 ? file : plural(files.length - 1, '{1} and {0} more', '{1} and {0} more', file),
  };
}
