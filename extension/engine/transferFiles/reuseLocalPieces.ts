// Before anything of a download is asked for: which of its pieces are wanted at all, and which of
// those this machine has. What the one says may depend on what the other has brought, the list of a
// folder above all, so they take turns. Asks no peer.
import type { Home } from '../../../protocol/home/homeLayout.ts';
import type { Disk, Log } from '../../../protocol/base/world.ts';
import type { Copy } from '../storage/pieceStore.ts';
import { fillFromOwn } from './localPieces.ts';
import { neededPieces } from './fileSelection.ts';
import type { TransferRecord } from './transferRecord.ts';
import { saveLayer } from './transferRecord.ts';

interface Here {
  readonly disk: Disk;
  readonly home: Home;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Wants what is needed of a download, as far as is known, and takes what of that is here. Returns
 * the pieces that came.
 *
 * @param own  whole copies of other transfers, the likeliest first, as they are when they are asked
 *   for
 * @throws ShoalError badFolder, unknownFile; what the disk throws
 */
export async function chooseAndFill(
  copy: Copy,
  record: TransferRecord,
  own: () => readonly Copy[],
  here: Here,
): Promise<readonly number[]> {
  let came: readonly number[] = [];
  for (let before = -1; before !== copy.pieces.wantedCount;) {
    before = copy.pieces.wantedCount;
    if (record.only.length > 0 || record.choosing) copy.want(await neededPieces(copy, record));
    if (!copy.pieces.isWhole) came = came.concat(await fill(copy, record.id, own(), here));
    if (!copy.pieces.isWhole) break;
  }
  return came;
}

/**
 * What of it lies on this machine already, in the same file under another name or in another
 * version, need not be fetched.
 */
async function fill(
  copy: Copy,
  id: number,
  own: readonly Copy[],
  { disk, home, log, signal }: Here,
): Promise<readonly number[]> {
  const same = own.find(({ root, layer }) => root === copy.root && layer !== undefined);
  if (!copy.layer && same?.layer && copy.takeLayer(same.layer)) await saveLayer(disk, home, id, same.layer);
  return fillFromOwn(copy, own, { signal, log });
}
