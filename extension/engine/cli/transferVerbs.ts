// Verbs of one transfer, named by its group and file or by its number.
import { printable, ShoalError } from '../../../protocol/errors.ts';
import type { Transfer } from '../../../protocol/engineLink.ts';
import { isComplete } from './follow.ts';
import { amount } from '../../../protocol/amounts.ts';
import type { Session } from './session.ts';
import { LONG_CALL_MS_MAX } from './session.ts';
import type { Topic } from './verb.ts';

const ABOUT = 'Named by group and file, or by the number that `shoal status` and `shoal show_downloads --long` show.';

export const transferVerbs: Topic = {
  title: 'Downloads under way:',
  verbs: [
    {
      use: 'pause <group|number> [name]', summary: 'pause a download', about: ABOUT, json: '{"transfer", "state": "paused"}',
      examples: ['pause team dump.sql', 'pause 3'],
      async run(session, { words }) {
        const transfer = await namedTransfer(session, words);
        const { id, name } = transfer;
        if (transfer.kind !== 'download' || isComplete(transfer)) throw new ShoalError('usage', { why: `${name} is not being downloaded; to end sharing it use stop_share` });
        await session.call('pause', { transfer: id });
        session.print(`Paused ${printable(name)}; it goes on with: shoal resume ${id}`, { transfer: id, state: 'paused' });
      },
    },
    {
      use: 'resume <group|number> [name]', summary: 'go on with a paused or failed one', about: ABOUT, json: '{"transfer", "state": "resumed"}',
      async run(session, { words }) {
        const { id, name } = await namedTransfer(session, words);
        await session.call('resume', { transfer: id });
        session.print(`Going on with ${printable(name)}.`, { transfer: id, state: 'resumed' });
      },
    },
    {
      use: 'cancel <group|number> [name]', summary: 'forget a download and delete what is unfinished', json: '{"transfer", "state": "cancelled"}',
      about: `${ABOUT} A finished file stays where it is.`,
      async run(session, { words }) {
        const transfer = await namedTransfer(session, words);
        const { id, name, kind } = transfer;
        if (kind === 'share') throw new ShoalError('usage', { why: `${name} is a share of yours; end it with stop_share` });
        await session.call('cancelTransfer', { transfer: id });
        session.print(isComplete(transfer) ? `Forgot ${printable(name)}, which was complete: the file stays, you do not share it any more.` : `Cancelled ${printable(name)}.`, { transfer: id, state: 'cancelled' });
      },
    },
    {
      use: 'verify <group|number> [name]', summary: 'read a file again and compare it with what was shared', json: '{"transfer", "name", "path", "sha256", "sizeBytes", "intact": true}',
      about: `${ABOUT} Exit code 6 when it differs.`,
      async run(session, { words }) {
        const { id, name, path } = await namedTransfer(session, words);
        if (!session.json && session.terminal.hasScreen) session.terminal.err(`Reading ${printable(path)} …\n`);
        const { sha256, sizeBytes } = await session.call('verify', { transfer: id }, LONG_CALL_MS_MAX);
        session.print([`${printable(path)} is exactly what was shared (${amount(sizeBytes)}).`, `SHA-256 ${sha256}`], { transfer: id, name, path, sha256, sizeBytes, intact: true });
      },
    },
  ],
};

/** @throws ShoalError unknownDownload, usage */
async function namedTransfer(session: Session, [first = '', name]: readonly string[]): Promise<Transfer> {
  const watched = await session.watch();
  if (!watched.overview.account) throw new ShoalError('notSignedIn');
  if (name !== undefined) {
    const found = watched.find(first, name);
    if (!found) throw new ShoalError('unknownDownload', { name, group: first });
    return found;
  }
  if (!/^\d+$/.test(first)) throw new ShoalError('usage', { why: 'name a group and a file, or the number of a transfer' });
  const found = watched.transfers.get(Number(first));
  if (!found) throw new ShoalError('unknownDownload', { name: `number ${first}`, group: 'this home' });
  return found;
}
