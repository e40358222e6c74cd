// Asks peers to take part in a swarm: those that trackers name, dialled if need be, and those that
// are connected anyway. Chooses nobody itself (peerCandidates.ts), and owns no peers (swarm.ts).
import { asShoalError } from '../../../protocol/base/errors.ts';
import type { PeerConnection, PeerSwarm } from '../peers/peerConnection.ts';
import type { PeerCandidates } from './peerCandidates.ts';
import type { SwarmContext } from './swarmContext.ts';

/** Who takes part already. */
type Taking = ReadonlyMap<PeerConnection, unknown>;

export class PeerJoiner {
  readonly #swarm: PeerSwarm;
  readonly #candidates: PeerCandidates;
  readonly #context: SwarmContext;
  readonly #onAsked: (connection: PeerConnection) => void;

  /** @param onAsked  called when a peer was asked, before it answers */
  constructor(
    swarm: PeerSwarm,
    candidates: PeerCandidates,
    context: SwarmContext,
    onAsked: (connection: PeerConnection) => void,
  ) {
    this.#swarm = swarm;
    this.#candidates = candidates;
    this.#context = context;
    this.#onAsked = onAsked;
  }

  /** Sees to it that there is a connection to all who may have something. */
  joinCandidates(taking: Taking): void {
    const { clock, chance, isUnreachable, isConnected, connectTo } = this.#context;
    const connected = new Set([...taking.keys()].map(({ pin }) => pin));
    for (const peer of this.#candidates.select(connected, {
      nowMs: clock.monotonicMs(),
      random: () => chance.random(),
      isUnreachable,
      isConnected,
    })) {
      const connection = connectTo(peer, this.#swarm);
      if (connection && !taking.has(connection)) void this.join(connection);
    }
  }

  /** Peers that are connected anyway may be in this swarm, before a tracker can say so. */
  joinConnected(taking: Taking): void {
    for (const connection of this.#context.connectionsIn(this.#swarm.key.group)) {
      if (!taking.has(connection) && this.#candidates.mayJoin(connection.pin)) void this.join(connection);
    }
  }

  /** Asks one peer. Never throws: while a tracker names it, it is asked again. */
  async join(connection: PeerConnection): Promise<void> {
    this.#candidates.onJoinStarted(connection.pin);
    try {
      const joined = connection.join(this.#swarm);
      this.#onAsked(connection);
      await joined;
    } catch (error) {
      // Not ready yet (its ticket, its file), not in this swarm, or gone.
      this.#context.log.debug('peer not joined', { peer: connection.pin, why: asShoalError(error).code });
    } finally {
      this.#candidates.onJoinEnded(connection.pin);
    }
  }
}
