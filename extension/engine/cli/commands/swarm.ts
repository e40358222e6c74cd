// `shoal swarm`: who takes part in a transfer, how it stands with each piece, and why it is not
// faster.
import { formatBytes, formatCount, formatPercent, formatRate } from '../../../../protocol/frontend/format.ts';
import { printable } from '../../../../protocol/base/errors.ts';
import { slowReasons } from '../../../../protocol/frontend/slowReasons.ts';
import { slowReasonText } from '../../../../protocol/frontend/slowReasonText.ts';
import { findTransfer } from './transferArguments.ts';
import type { Session } from '../session.ts';
import { MAP_LEGEND, peerTable, pieceMap } from '../swarmText.ts';
import type { CommandInput } from './command.ts';

/** Cells of the map at most: one line of a wide terminal. */
const MAP_CELLS_MAX = 100;

export async function showSwarm(session: Session, { args }: CommandInput): Promise<void> {
  const transfer = await findTransfer(session, args);
  const { overview } = await session.watch();
  const view = await session.call('swarm', { transfer: transfer.id });
  const reasons = slowReasons(transfer, overview, view);
  const nowMs = session.clock.now();
  const { name, groupName, doneBytes, sizeBytes, downBytesPerS, upBytesPerS } = transfer;
  const {
    pieces,
    heldPieces,
    requestedPieces,
    verifyingPieces,
    missingPieces,
    unwantedPieces,
    nowhere,
    peers,
    cells,
    cellPieces,
  } = view;
  const sentences = reasons.map((reason) => slowReasonText(reason, transfer, nowMs));
  const counts = [
    [heldPieces, 'held'],
    [requestedPieces, 'asked for'],
    [verifyingPieces, 'being verified'],
    [missingPieces, 'missing'],
    [unwantedPieces, 'not wanted'],
  ] as const;
  session.print(
    [
      `${printable(name)} in ${printable(groupName)}: ${formatPercent(doneBytes, sizeBytes)} % of ` +
        `${formatBytes(sizeBytes)}, down ${formatRate(downBytesPerS)}, up ${formatRate(upBytesPerS)}`,
      ...(pieces === 0
        ? []
        : [
            pieceMap(view, Math.min(MAP_CELLS_MAX, session.terminal.columns() - 1)),
            MAP_LEGEND,
            `${formatCount(pieces, 'piece')}: ${counts
              .filter(([count]) => count > 0)
              .map(([count, what]) => `${count} ${what}`)
              .join(', ')}`,
          ]),
      ...sentences,
      ...(peers.length === 0 ? [] : ['', ...peerTable(view, nowMs)]),
    ],
    {
      transfer: transfer.id,
      group: groupName,
      name,
      state: transfer.state,
      pieces,
      heldPieces,
      requestedPieces,
      verifyingPieces,
      missingPieces,
      unwantedPieces,
      why: reasons,
      sentences,
      nowhere,
      peers,
      cellPieces,
      cells: Object.fromEntries(Object.entries(cells).map(([column, values]) => [column, [...values]])),
    },
  );
}
