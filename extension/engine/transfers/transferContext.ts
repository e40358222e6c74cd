// What a transfer needs of those who hold it: the outside, its turn, its swarm, and ears for what
// becomes of it.
import type { Home } from '../../../protocol/home/homeLayout.ts';
import type { World } from '../../../protocol/base/world.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import type { Hasher } from '../hashing/hasher.ts';
import type { FilePool } from '../storage/filePool.ts';
import type { SwarmRegistry } from '../swarm/swarmRegistry.ts';
import type { SwarmContext } from '../swarm/swarmContext.ts';
import type { TransferRecord } from '../transferFiles/transferRecord.ts';

export interface TransferContext {
  readonly world: World;
  readonly home: Home;
  readonly hasher: Hasher;
  readonly filePool: FilePool;
  readonly swarmContext: SwarmContext;
  readonly registry: SwarmRegistry;
  /** Makes the share known to the group. @throws ShoalError */
  announceShare(record: TransferRecord): Promise<void>;
  /** Complete stores of other transfers, the likeliest to have pieces of this one first. */
  completeStores(not: TransferRecord): readonly PieceStore[];
  /** Something of it has changed; it may want to fetch now, or fetch no more. */
  onChange(id: number): void;
  /** Where it stands among the unfinished downloads, from 1; 0 for others. */
  placeOf(id: number): number;
  /** What we have of some file has changed in a way that the trackers should hear. */
  onPresenceChanged(): void;
  onFinished(id: number): void;
  onFailed(id: number): void;
}
