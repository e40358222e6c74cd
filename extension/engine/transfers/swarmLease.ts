// A transfer's part in its swarm: claims it, gives it up, and remembers whom it knew there and who
// left with what. Owns the swarm and these memories; what happens among peers is up to swarm.ts, and
// what follows from it, up to transfer.ts.
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import { DepartedPeers } from '../swarm/departedPeers.ts';
import { Swarm } from '../swarm/swarm.ts';
import type { SwarmContext, SwarmEvents } from '../swarm/swarm.ts';
import type { SwarmClaimant, SwarmRegistry } from '../swarm/swarmRegistry.ts';
import type { TransferRecord } from '../transferFiles/transferRecord.ts';

export class SwarmLease {
  readonly #claimant: SwarmClaimant;
  readonly #registry: SwarmRegistry;
  readonly #swarmContext: SwarmContext;
  readonly #events: SwarmEvents;
  readonly #departedPeers = new DepartedPeers();
  #swarm: Swarm | undefined;
  /** Peers that were known in the swarm before this took part in it, or when it last did. */
  #knownPeers: readonly SwarmPeer[] = [];

  constructor(claimant: SwarmClaimant, registry: SwarmRegistry, swarmContext: SwarmContext, events: SwarmEvents) {
    this.#claimant = claimant;
    this.#registry = registry;
    this.#swarmContext = swarmContext;
    this.#events = events;
  }

  get swarm(): Swarm | undefined {
    return this.#swarm;
  }

  /** Takes part, unless another claimant needs the swarm for itself. */
  join(store: PieceStore, record: TransferRecord): void {
    const { key } = this.#claimant;
    const peers = key && this.#registry.claim(this.#claimant);
    if (!peers) return;
    if (peers.length > 0) this.#knownPeers = peers;
    this.#swarm = new Swarm(key, store, record.mode, this.#swarmContext, this.#events, this.#departedPeers);
    this.#swarm.addCandidates(this.#knownPeers);
    this.configure(record);
  }

  /** Tells the swarm what the record says of it. */
  configure({ mode, downLimitBytesPerS, upLimitBytesPerS }: TransferRecord): void {
    if (!this.#swarm) return;
    this.#swarm.mode = mode;
    this.#swarm.downloadLimiter.set(downLimitBytesPerS);
    this.#swarm.uploadLimiter.set(upLimitBytesPerS);
  }

  /** Takes part no more, and lets another one have the swarm. Returns whether it took part. */
  leave(): boolean {
    const swarm = this.#swarm;
    const peers = this.release();
    // A tracker that does not notice a short absence does not name them again.
    if (swarm) this.#knownPeers = peers;
    this.#registry.release(this.#claimant);
    return swarm !== undefined;
  }

  /** Leaves the swarm to one that wants more of it. Returns the peers it knew there. */
  release(): readonly SwarmPeer[] {
    const swarm = this.#swarm;
    this.#swarm = undefined;
    swarm?.close();
    return swarm?.candidates ?? [];
  }
}
