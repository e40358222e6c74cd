// A transfer's part in its swarm: takes it when no other transfer of the same bytes has it, gives
// it up, and remembers whom it knew there and who left with what. Owns the swarm and these
// memories; what happens among peers is swarm.ts's business, and what it comes to, transfer.ts's.
import type { ShoalError } from '../../../protocol/base/errors.ts';
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import { DepartedPeers } from '../swarm/departedPeers.ts';
import { Swarm } from '../swarm/swarm.ts';
import type { SwarmContext } from '../swarm/swarm.ts';
import type { TransferRecord } from '../transferFiles/transferRecord.ts';

export interface SwarmLeaseContext {
  readonly swarmHost: SwarmContext;
  /** Takes a swarm unless another transfer has it. */
  claim(key: SwarmKey): boolean;
  release(key: SwarmKey): void;
  onChange(): void;
  /** The piece layer was fetched and proven. */
  onPieceHashes(swarm: Swarm, pieceHashes: Uint8Array): void;
  /** The last piece is held. */
  onComplete(swarm: Swarm): void;
  onDiskError(error: ShoalError): void;
  onSourceLost(error: ShoalError): void;
  onReceived(bytes: number): void;
}

export class SwarmLease {
  readonly #context: SwarmLeaseContext;
  readonly #departedPeers = new DepartedPeers();
  #swarm: Swarm | undefined;
  #knownPeers: readonly SwarmPeer[] = [];

  constructor(context: SwarmLeaseContext) {
    this.#context = context;
  }

  get swarm(): Swarm | undefined {
    return this.#swarm;
  }

  /** Takes part, unless another transfer does. */
  join(key: SwarmKey, store: PieceStore, record: TransferRecord): void {
    const context = this.#context;
    if (!context.claim(key)) return;
    const swarm: Swarm = new Swarm(
      key,
      store,
      record.mode,
      context.swarmHost,
      {
        onChange: () => context.onChange(),
        onPieceHashes: (pieceHashes) => context.onPieceHashes(swarm, pieceHashes),
        onComplete: () => context.onComplete(swarm),
        onDiskError: (error) => context.onDiskError(error),
        onSourceLost: (error) => context.onSourceLost(error),
        onReceived: (bytes) => context.onReceived(bytes),
      },
      this.#departedPeers,
    );
    this.#swarm = swarm;
    swarm.addCandidates(this.#knownPeers);
    this.configure(record);
  }

  /** Tells the swarm what the record says of it. */
  configure({ mode, downLimitBytesPerS, upLimitBytesPerS }: TransferRecord): void {
    if (!this.#swarm) return;
    this.#swarm.mode = mode;
    this.#swarm.downloadLimiter.set(downLimitBytesPerS);
    this.#swarm.uploadLimiter.set(upLimitBytesPerS);
  }

  /** Takes part no more, and lets another have the swarm. Returns whether it took part. */
  leave(key: SwarmKey | undefined): boolean {
    const swarm = this.#swarm;
    const peers = this.release();
    // A tracker that does not notice a short absence does not name them again.
    if (swarm) this.#knownPeers = peers;
    if (key) this.#context.release(key);
    return swarm !== undefined;
  }

  /** Leaves the swarm to one that wants more of it. Returns the peers it knew there. */
  release(): readonly SwarmPeer[] {
    const swarm = this.#swarm;
    this.#swarm = undefined;
    swarm?.close();
    return swarm?.candidates ?? [];
  }

  /** Peers that were known in the swarm before this took part in it. */
  addKnownPeers(peers: readonly SwarmPeer[]): void {
    if (peers.length > 0) this.#knownPeers = peers;
  }
}
