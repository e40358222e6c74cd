// What a swarm needs of its engine. No code.
import type { GroupId, Pin } from '../../../protocol/base/ids.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { PeerConnection, PeerSwarm } from '../peers/peerConnection.ts';
import type { RateLimiter } from '../peers/rateLimiter.ts';
import type { PieceFetcherContext } from './pieceFetcher.ts';

export interface SwarmContext extends Omit<PieceFetcherContext, 'downloadLimiters' | 'urgentPieces'> {
  /** The limit of what all downloads take. */
  readonly downloadLimiter: RateLimiter;
  /** A link to a peer, dialled now if need be; undefined while there is none. */
  readonly connectTo: (peer: SwarmPeer, swarm: PeerSwarm) => PeerConnection | undefined;
  /** Whether the last try to reach a peer has failed, and whether there is a link to it. */
  readonly isUnreachable: (pin: Pin) => boolean;
  readonly isConnected: (pin: Pin) => boolean;
  /** Links to members of a group, whatever swarms they are in. */
  readonly connectionsIn: (group: GroupId) => readonly PeerConnection[];
}
