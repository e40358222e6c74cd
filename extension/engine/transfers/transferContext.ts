// What a transfer needs of those who hold it: the outside, its turn, its swarm, and ears for what
// becomes of it.
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import type { World } from '../../../protocol/base/world.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import type { Hasher } from '../hashing/hasher.ts';
import type { FilePool } from '../storage/filePool.ts';
import type { SwarmContext } from '../swarm/swarm.ts';
import type { Transfer } from './transfer.ts';
import type { TransferRecord } from '../transferFiles/transferRecord.ts';

export interface TransferContext {
  readonly world: World;
  readonly home: Home;
  readonly hasher: Hasher;
  readonly filePool: FilePool;
  readonly swarmContext: SwarmContext;
  /** Makes the share known to the group. @throws ShoalError */
  announceShare(record: TransferRecord): Promise<void>;
  /** Takes a swarm for this transfer unless another transfer has it. */
  claim(key: SwarmKey, by: Transfer): boolean;
  release(key: SwarmKey, by: Transfer): void;
  /** It fetches no more for now: another that wants the same bytes may have the swarm. */
  offerSwarm(by: Transfer): void;
  /** Whole copies of other transfers, the likeliest to have pieces of this one first. */
  completeStores(not: Transfer): readonly PieceStore[];
  /** Something of it has changed; it may want a turn now, or give its own up. */
  onChange(transfer: Transfer): void;
  /** Where it stands among the unfinished downloads, from 1; 0 for others. */
  placeOf(transfer: Transfer): number;
  /** What we have of some file has changed in a way that the trackers should hear. */
  onPresenceChanged(): void;
  onFinished(transfer: Transfer): void;
  onFailed(transfer: Transfer): void;
}
