// Which transfers the words of a verb mean: a group and a file, or numbers.
import type { Transfer } from '../../../../protocol/messages/engineLink.ts';
import { ShoalError } from '../../../../protocol/base/errors.ts';
import type { Session } from '../session.ts';

export const TRANSFER_ARGUMENT_HELP =
  'Named by group and file, or by the number that `shoal status` and `shoal show_downloads --long` show.';

/** One by group and name, or several by their numbers. @throws ShoalError unknownDownload, usage */
export async function findTransfers(session: Session, args: readonly string[]): Promise<readonly Transfer[]> {
  const isNumber = (word: string): boolean => /^\d+$/.test(word);
  const { mirror } = session;
  await session.watch();
  // Groups and files may be called by numbers, too.
  if (args.length <= 2 && !(args.every(isNumber) && mirror.find(args[0] ?? '', args[1] ?? '') === undefined)) {
    return [await findTransfer(session, args)];
  }
  return Promise.all([...new Set(args)].map((word) => findTransfer(session, [word])));
}

/** @throws ShoalError unknownDownload, usage */
export async function findTransfer(session: Session, [first = '', name]: readonly string[]): Promise<Transfer> {
  const mirror = await session.watch();
  if (!mirror.overview.account) throw new ShoalError('notSignedIn');
  if (name !== undefined) {
    const found = mirror.find(first, name);
    if (!found) throw new ShoalError('unknownDownload', { name, group: first });
    return found;
  }
  if (!/^\d+$/.test(first)) {
    throw new ShoalError('usage', { why: 'name a group and a file, or the number of a transfer' });
  }
  const found = mirror.transfers.get(Number(first));
  if (!found) throw new ShoalError('unknownDownload', { name: `number ${first}`, group: 'this home' });
  return found;
}
