// How it stands in the swarm of a transfer, as frontends are shown it. Worked out when it is asked
// for, so that a swarm nobody looks at pays nothing. Reads swarm, board and members; changes none
// of them.
import type { Pin } from '../../../protocol/base/ids.ts';
import type { SwarmPeerView, SwarmView } from '../../../protocol/messages/swarmView.ts';
import { CELLS_MAX, PEERS_SHOWN_MAX } from '../../../protocol/messages/swarmView.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import { isLoopback } from '../../../protocol/base/address.ts';
import type { Clock } from '../../../protocol/base/world.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import type { PeerState } from '../swarm/peerState.ts';
import { unavailablePieces } from '../swarm/availability.ts';
import type { PieceStates } from '../storage/pieceStates.ts';
import type { Swarm } from '../swarm/swarm.ts';
import type { Transfer } from './transfer.ts';

/** What is known of peers beyond one swarm. */
export interface SwarmViewContext {
  readonly clock: Clock;
  readonly isUnreachable: (pin: Pin) => boolean;
}

export function swarmViewOf(
  { id, record, store, swarm }: Pick<Transfer, 'id' | 'record' | 'store' | 'swarm'>,
  around: SwarmViewContext,
): SwarmView {
  const states = store?.states;
  const pieces = states?.size ?? 0;
  const held = states?.held.count ?? 0;
  const requested = states?.requested.size ?? 0;
  const verifying = states?.verifyingCount ?? 0;
  const missing = states?.missingCount ?? 0;
  const peers = swarm && store ? peersOf(swarm, store, around) : [];
  return {
    transfer: id,
    pieces,
    pieceBytes: record.pieceBytes,
    heldPieces: held,
    requestedPieces: requested,
    verifyingPieces: verifying,
    missingPieces: missing,
    unwantedPieces: pieces - held - requested - verifying - missing,
    ...mapOf(states),
    nowhere: states && unavailablePieces(states, swarm?.departedPeers),
    peers: peers.slice(0, PEERS_SHOWN_MAX),
    peersCount: peers.length,
    hasHashes: store?.pieceHashes !== undefined,
    isDiskBusy: swarm?.isDiskBusy ?? false,
  };
}

function mapOf(states: PieceStates | undefined): Pick<SwarmView, 'cellPieces' | 'cells'> {
  const pieces = states?.size ?? 0;
  const cellPieces = Math.max(1, Math.ceil(pieces / CELLS_MAX));
  const count = Math.ceil(pieces / cellPieces);
  const column = (): Uint8Array => new Uint8Array(count);
  const cells = {
    held: column(),
    requested: column(),
    verifying: column(),
    unwanted: column(),
    nowhere: column(),
    peers: column().fill(255),
  };
  for (let piece = 0; states && piece < pieces; piece++) {
    const cell = Math.floor(piece / cellPieces);
    const state = states.state(piece);
    const holders = states.holders(piece);
    const name = state !== 'missing' ? state : holders === 0 ? 'nowhere' : undefined;
    if (name) cells[name][cell] = (cells[name][cell] ?? 0) + 1;
    cells.peers[cell] = Math.min(cells.peers[cell] ?? 0, holders);
  }
  return { cellPieces, cells };
}

/** Whoever takes part, then whoever might, then whoever did; in each part who moves most first. */
function peersOf(
  swarm: Swarm,
  { shape }: PieceStore,
  { clock, isUnreachable }: SwarmViewContext,
): readonly SwarmPeerView[] {
  const nowMs = clock.monotonicMs();
  const peers = swarm.peers;
  const here = new Set(peers.map(({ connection }) => connection.pin));
  const gave = (pin: Pin): number => swarm.sources.get(pin)?.bytes ?? 0;
  const nothing = {
    place: 'unknown',
    askedPieces: 0,
    downBytesPerS: 0,
    upBytesPerS: 0,
    tookBytes: 0,
    leftAtMs: 0,
    why: '',
  } as const;
  const piecesLeft = ({ leftBytes }: SwarmPeer): number =>
    Math.max(0, shape.pieces - Math.ceil(leftBytes / shape.pieceBytes));
  const views = {
    members: peers.map((peer): SwarmPeerView => ({
      ...nothing,
      pin: peer.connection.pin,
      user: peer.connection.userIn(swarm.key.group),
      state: stateOf(peer, nowMs),
      place: networkOf(peer.connection.host),
      pieces: peer.pieces.count,
      askedPieces: peer.pending.size,
      downBytesPerS: peer.downRate.bytesPerS,
      upBytesPerS: peer.upRate.bytesPerS,
      gaveBytes: gave(peer.connection.pin),
      tookBytes: peer.sentBytes,
    })),
    // Whoever has everything has no use for those who have it, too.
    candidates: swarm.isComplete
      ? []
      : swarm.candidates
          .filter(({ pin }) => !here.has(pin) && !swarm.banned.has(pin))
          .map((peer): SwarmPeerView => ({
            ...nothing,
            pin: peer.pin,
            user: peer.user,
            state: isUnreachable(peer.pin) ? 'unreachable' : 'joining',
            pieces: piecesLeft(peer),
            gaveBytes: gave(peer.pin),
          })),
    banned: [...swarm.banned].map(([pin, { user, why }]): SwarmPeerView => ({
      ...nothing,
      pin,
      user,
      state: 'wrong',
      pieces: 0,
      gaveBytes: gave(pin),
      why,
    })),
    left: [...swarm.departedPeers.peers]
      .reverse()
      .filter(([pin]) => !swarm.isComplete && !swarm.candidates.some((peer) => peer.pin === pin))
      .map(([pin, { user, had, atMs }]): SwarmPeerView => ({
        ...nothing,
        pin,
        user,
        state: 'left',
        pieces: had.count,
        gaveBytes: gave(pin),
        leftAtMs: atMs,
      })),
  };
  const moves = (peer: SwarmPeerView): number => peer.downBytesPerS + peer.upBytesPerS;
  return [
    ...views.members.sort((a, b) => moves(b) - moves(a) || b.gaveBytes - a.gaveBytes),
    ...views.candidates,
    ...views.banned,
    ...views.left,
  ];
}

function stateOf(peer: PeerState, nowMs: number): SwarmPeerView['state'] {
  if (peer.pending.size > 0) return peer.isArriving || peer.downRate.bytesPerS > 0 ? 'giving' : 'asked';
  if (peer.restsUntilMs > nowMs) return 'resting';
  return peer.upRate.bytesPerS > 0 ? 'taking' : 'idle';
}

/** Networks that are routed nowhere else (RFC 1918, RFC 4193, RFC 3927, RFC 4291). */
const PRIVATE =
  /^(?:::ffff:)?(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.)|^f[cd][\da-f]{2}:|^fe[89ab][\da-f]:/i;

function networkOf(host: string): SwarmPeerView['place'] {
  if (isLoopback(host)) return 'machine';
  return PRIVATE.test(host) ? 'private' : 'public';
}
