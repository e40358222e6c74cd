// Transfers as the command line lists them: as a table, or in one classic line each. Pure.
import { printable } from '../../../protocol/base/errors.ts';
import { formatBytes, formatPercent } from '../../../protocol/frontend/format.ts';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import { isComplete } from '../../../protocol/frontend/transferState.ts';
import { table } from './table.ts';

export function transferTable(transfers: readonly Transfer[]): readonly string[] {
  return table(transfers, [
    { title: 'ID', align: 'right', of: ({ id }) => id },
    {
      title: 'STATE',
      of: (transfer) => (isComplete(transfer) && transfer.state === 'seeding' ? 'complete' : transfer.state),
    },
    { title: 'GROUP', of: ({ groupName }) => groupName },
    { title: 'NAME', of: ({ name }) => name },
    { title: 'SIZE', align: 'right', of: ({ sizeBytes }) => formatBytes(sizeBytes) },
    { title: 'DONE', align: 'right', of: ({ doneBytes, sizeBytes }) => `${formatPercent(doneBytes, sizeBytes)} %` },
    {
      title: 'DOWN',
      align: 'right',
      of: ({ state, downBytesPerS }) =>
        state === 'downloading' && downBytesPerS > 0 ? `${formatBytes(downBytesPerS)}/s` : '-',
    },
    { title: 'UP', align: 'right', of: ({ upBytesPerS }) => (upBytesPerS > 0 ? `${formatBytes(upBytesPerS)}/s` : '-') },
    {
      title: 'TURN',
      align: 'right',
      of: ({ place, priority }) => (place === 0 ? '-' : priority === 'normal' ? place : `${priority} ${place}`),
    },
    { title: 'PEERS', align: 'right', of: ({ peers }) => peers },
    { title: 'PATH', of: ({ path: at }) => at },
  ]);
}

/** `[D] [group] name` while unfinished, `[C] [group] name` then. */
export const classicLine = (transfer: Transfer): string =>
  `[${isComplete(transfer) ? 'C' : 'D'}] [${printable(transfer.groupName)}] ${printable(transfer.name)}`;
