// A transfer's part in its swarm: takes it when no other transfer of the same bytes has it, gives
// it up, and remembers whom it knew there and who left with what. Owns the swarm and these
// memories; what happens among peers is swarm.ts's business, and what it comes to, transfer.ts's.
import type { ShoalError } from '../../../protocol/base/errors.ts';
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { Copy } from '../storage/pieceStore.ts';
import { Departed } from '../swarm/departedPeers.ts';
import { Swarm } from '../swarm/swarm.ts';
import type { SwarmHost } from '../swarm/swarm.ts';
import type { TransferRecord } from '../transferFiles/transferRecord.ts';

export interface SeatHost {
  readonly swarmHost: SwarmHost;
  /** Takes a swarm unless another transfer has it. */
  claim(key: SwarmKey): boolean;
  release(key: SwarmKey): void;
  changed(): void;
  /** The piece layer was fetched and proven. */
  layerKnown(swarm: Swarm, layer: Uint8Array): void;
  /** The last piece is held. */
  whole(swarm: Swarm): void;
  stuck(error: ShoalError): void;
  gone(error: ShoalError): void;
  received(bytes: number): void;
}

export class Seat {
  readonly #host: SeatHost;
  readonly #departed = new Departed();
  #swarm: Swarm | undefined;
  #knownPeers: readonly SwarmPeer[] = [];

  constructor(host: SeatHost) {
    this.#host = host;
  }

  get swarm(): Swarm | undefined {
    return this.#swarm;
  }

  /** Takes part, unless another transfer does. */
  take(key: SwarmKey, copy: Copy, record: TransferRecord): void {
    const host = this.#host;
    if (!host.claim(key)) return;
    const swarm: Swarm = new Swarm(
      key,
      copy,
      record.mode,
      host.swarmHost,
      {
        changed: () => host.changed(),
        layerKnown: (layer) => host.layerKnown(swarm, layer),
        whole: () => host.whole(swarm),
        stuck: (error) => host.stuck(error),
        gone: (error) => host.gone(error),
        received: (bytes) => host.received(bytes),
      },
      this.#departed,
    );
    this.#swarm = swarm;
    swarm.addCandidates(this.#knownPeers);
    this.steer(record);
  }

  /** Tells the swarm what the record says of it. */
  steer({ mode, downLimitBytesPerS, upLimitBytesPerS }: TransferRecord): void {
    if (!this.#swarm) return;
    this.#swarm.mode = mode;
    this.#swarm.down.set(downLimitBytesPerS);
    this.#swarm.up.set(upLimitBytesPerS);
  }

  /** Takes part no more, and lets another have the swarm. Returns whether it took part. */
  leave(key: SwarmKey | undefined): boolean {
    const swarm = this.#swarm;
    const peers = this.yield();
    // A tracker that does not notice a short absence does not name them again.
    if (swarm) this.#knownPeers = peers;
    if (key) this.#host.release(key);
    return swarm !== undefined;
  }

  /** Leaves the swarm to one that wants more of it. Returns the peers it knew there. */
  yield(): readonly SwarmPeer[] {
    const swarm = this.#swarm;
    this.#swarm = undefined;
    swarm?.close();
    return swarm?.candidates ?? [];
  }

  /** Peers that were known in the swarm before this took part in it. */
  meet(peers: readonly SwarmPeer[]): void {
    if (peers.length > 0) this.#knownPeers = peers;
  }
}
