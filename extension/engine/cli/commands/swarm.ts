// `shoal swarm`: who takes part in a transfer, how it stands with each piece, and why it is not
// faster.
import { amount, counted, percent, rate } from '../../../../protocol/frontend/format.ts';
import { printable } from '../../../../protocol/base/errors.ts';
import { whySlow } from '../../../../protocol/frontend/slowReasons.ts';
import { namedTransfer } from './transferArguments.ts';
import type { Session } from '../session.ts';
import { MAP_LEGEND, peerTable, pieceMap, whyText } from '../swarmText.ts';
import type { Given } from './command.ts';

/** Cells of the map at most: one line of a wide terminal. */
const MAP_CELLS_MAX = 100;

export async function showSwarm(session: Session, { words }: Given): Promise<void> {
  const transfer = await namedTransfer(session, words);
  const { overview } = await session.watch();
  const view = await session.call('swarm', { transfer: transfer.id });
  const whys = whySlow(transfer, overview, view);
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
  const sentences = whys.map((why) => whyText(why, transfer, nowMs));
  const counts = [
    [heldPieces, 'held'],
    [requestedPieces, 'asked for'],
    [verifyingPieces, 'being verified'],
    [missingPieces, 'missing'],
    [unwantedPieces, 'not wanted'],
  ] as const;
  session.print(
    [
      `${printable(name)} in ${printable(groupName)}: ${percent(doneBytes, sizeBytes)} % of ${amount(sizeBytes)}, down ${rate(downBytesPerS)}, up ${rate(upBytesPerS)}`,
      ...(pieces === 0
        ? []
        : [
            pieceMap(view, Math.min(MAP_CELLS_MAX, session.terminal.columns() - 1)),
            MAP_LEGEND,
            `${counted(pieces, 'piece')}: ${counts
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
      why: whys,
      sentences,
      nowhere,
      peers,
      cellPieces,
      cells: Object.fromEntries(Object.entries(cells).map(([column, values]) => [column, [...values]])),
    },
  );
}
