// What it takes to keep a transfer on this machine's disk.
import type { Chance, Log } from '../../../protocol/base/world.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import type { PieceStoreContext } from '../storage/pieceStore.ts';

export interface StorageContext extends PieceStoreContext {
  readonly chance: Chance;
  readonly log: Log;
  readonly home: Home;
}
