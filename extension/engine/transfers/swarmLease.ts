// A transfer's part in its swarm: claims it, gives it up, and remembers whom it knew there and who
// left with what. Owns the swarm and these memories; what happens among peers is up to swarm.ts, and
// what follows from it, up to transfer.ts.
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import { DepartedPeers } from '../swarm/departedPeers.ts';
import { Swarm } from '../swarm/swarm.ts';
import type { SwarmContext } from '../swarm/swarmContext.ts';
import type { SwarmEvents } from '../swarm/swarm.ts';
import type { SwarmClaimant, SwarmRegistry } from '../swarm/swarmRegistry.ts';
import { announcedBytes, canRelease, isFetching, keyOf, lacksSwarm, wantsSwarm } from './transferStatus.ts';
import type { TransferStatus } from './transferStatus.ts';

export interface SwarmLeaseContext {
  readonly registry: SwarmRegistry;
  readonly swarmContext: SwarmContext;
  /** What the trackers are told has changed. */
  onPresenceChanged(): void;
}

export class SwarmLease implements SwarmClaimant {
  readonly #transfer: TransferStatus;
  readonly #context: SwarmLeaseContext;
  readonly #events: SwarmEvents;
  readonly #departedPeers = new DepartedPeers();
  #swarm: Swarm | undefined;
  /** Peers that were known in the swarm before this took part in it, or when it last did. */
  #knownPeers: readonly SwarmPeer[] = [];

  constructor(transfer: TransferStatus, context: SwarmLeaseContext, events: SwarmEvents) {
    this.#transfer = transfer;
    this.#context = context;
    this.#events = events;
  }

  get transferId(): number {
    return this.#transfer.record.id;
  }
  get swarm(): Swarm | undefined {
    return this.#swarm;
  }
  get key(): SwarmKey | undefined {
    return keyOf(this.#transfer);
  }
  get store(): PieceStore | undefined {
    return this.#transfer.store;
  }
  get isFetching(): boolean {
    return isFetching(this.#transfer);
  }
  get wantsSwarm(): boolean {
    return wantsSwarm(this.#transfer);
  }
  get lacksSwarm(): boolean {
    return lacksSwarm(this.#transfer);
  }
  get announcedBytes(): number | undefined {
    return announcedBytes(this.#transfer);
  }
  canReleaseTo(other: SwarmClaimant): boolean {
    return other.isFetching && canRelease(this.#transfer);
  }

  /** Takes part, if the file is open and no other claimant needs the swarm for itself. */
  join(): void {
    const { key, store } = this;
    if (!key || !store) return;
    const peers = this.#context.registry.claim(this);
    if (!peers) return;
    if (peers.length > 0) this.#knownPeers = peers;
    const { mode } = this.#transfer.record;
    this.#swarm = new Swarm(key, store, mode, this.#context.swarmContext, this.#events, this.#departedPeers);
    this.#swarm.addCandidates(this.#knownPeers);
    this.configure();
  }

  takeOver(): void {
    this.join();
    if (this.#transfer.phase !== 'downloading') this.#swarm?.pause();
    this.#context.onPresenceChanged();
  }

  /** Tells the swarm what the record says of it. */
  configure(): void {
    if (!this.#swarm) return;
    const { mode, downLimitBytesPerS, upLimitBytesPerS } = this.#transfer.record;
    this.#swarm.mode = mode;
    this.#swarm.downloadLimiter.set(downLimitBytesPerS);
    this.#swarm.uploadLimiter.set(upLimitBytesPerS);
  }

  /** It fetches no more for now: another claimant of the same bytes may have the swarm. */
  offer(): void {
    this.#context.registry.offer(this);
  }

  /** Takes part no more, and lets another claimant have the swarm. Returns whether it took part. */
  leave(): boolean {
    const swarm = this.#swarm;
    const peers = this.release();
    // A tracker that does not notice a short absence does not name them again.
    if (swarm) this.#knownPeers = peers;
    this.#context.registry.release(this);
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
