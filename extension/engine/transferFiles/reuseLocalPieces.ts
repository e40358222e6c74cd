// Before anything of a download is asked for: which of its pieces are wanted at all, and which of
// those this machine has. What the one says may depend on what the other has brought, the list of a
// folder above all, so they take turns. Asks no peer.
import type { Home } from '../../../protocol/home/homeLayout.ts';
import type { Disk, Log } from '../../../protocol/base/world.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import { copyLocalPieces } from './localPieces.ts';
import { neededPieces } from './fileSelection.ts';
import type { TransferRecord } from './transferRecord.ts';
import { savePieceHashes } from './transferRecord.ts';

interface ReuseContext {
  readonly disk: Disk;
  readonly home: Home;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Wants what is needed of a download, as far as is known, and takes what of that is here. Returns
 * the pieces that came.
 *
 * @param localStores  whole copies of other transfers, the likeliest first, as they are when they are asked
 *   for
 * @throws ShoalError badFolder, unknownFile; what the disk throws
 */
export async function reuseLocalPieces(
  store: PieceStore,
  record: TransferRecord,
  localStores: () => readonly PieceStore[],
  context: ReuseContext,
): Promise<readonly number[]> {
  let came: readonly number[] = [];
  for (let before = -1; before !== store.states.wantedCount;) {
    before = store.states.wantedCount;
    if (record.only.length > 0 || record.choosing) store.want(await neededPieces(store, record));
    if (!store.states.isComplete) came = came.concat(await fillFromLocal(store, record.id, localStores(), context));
    if (!store.states.isComplete) break;
  }
  return came;
}

/**
 * What of it lies on this machine already, in the same file under another name or in another
 * version, need not be fetched.
 */
async function fillFromLocal(
  store: PieceStore,
  id: number,
  own: readonly PieceStore[],
  { disk, home, log, signal }: ReuseContext,
): Promise<readonly number[]> {
  const same = own.find(({ root, pieceHashes }) => root === store.root && pieceHashes !== undefined);
  if (!store.pieceHashes && same?.pieceHashes && store.setPieceHashes(same.pieceHashes)) {
    await savePieceHashes(disk, home, id, same.pieceHashes);
  }
  return copyLocalPieces(store, own, { signal, log });
}
