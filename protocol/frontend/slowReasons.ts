// Why a transfer is not faster, or stands still: what an engine tells of it, as reasons, the most
// telling first. Pure, and without words: slowReasonText.ts says each reason in a sentence.
import type { Overview, Transfer } from '../messages/engineLink.ts';
import type { UnavailablePieces, SwarmPeerView, SwarmView } from '../messages/swarmView.ts';

export type SlowReason =
  | { readonly is: 'paused' | 'checking' | 'hashing' | 'choosing' }
  /** The transfer's own error says it. */
  | { readonly is: 'trouble' }
  /** Others download first. */
  | { readonly is: 'turn'; readonly place: number }
  /** Some pieces are with nobody at hand. `only`: everything else is here. */
  | {
      readonly is: 'nowhere';
      readonly nowhere: UnavailablePieces;
      readonly pieces: number;
      readonly peers: number;
      readonly only: boolean;
    }
  /** Nobody is at hand who has any of it. */
  | { readonly is: 'nobody'; readonly nowhere: UnavailablePieces | undefined; readonly pieces: number }
  /** Trackers name these, and no connection to them comes about. */
  | { readonly is: 'unreachable'; readonly users: readonly string[] }
  | { readonly is: 'connecting'; readonly peers: number }
  | { readonly is: 'hashes' }
  /** `own`: that of this file; `common`: that of all together. */
  | { readonly is: 'downLimit' | 'upLimit'; readonly whose: 'own' | 'common'; readonly bytesPerS: number }
  | { readonly is: 'disk' }
  /** All who were asked have others in line before us. */
  | { readonly is: 'busy'; readonly peers: number }
  /** It comes as fast as these send it. */
  | { readonly is: 'senders'; readonly users: readonly string[]; readonly bytesPerS: number }
  /** No tracker answers; who is connected stays. */
  | { readonly is: 'trackersAway'; readonly peers: number }
  | { readonly is: 'wrong'; readonly users: readonly string[] }
  | { readonly is: 'nobodyTakes' }
  | { readonly is: 'takers'; readonly users: readonly string[]; readonly bytesPerS: number };

/** From this part of a limit on it is the limit that holds. */
const AT_LIMIT = 0.8;

/** @param swarm  undefined where it is not known yet: then of what needs it nothing is said */
export function slowReasons(
  transfer: Transfer,
  overview: Pick<Overview, 'downBytesPerS' | 'upBytesPerS' | 'downLimitBytesPerS' | 'upLimitBytesPerS' | 'trackers'>,
  swarm: SwarmView | undefined,
): readonly SlowReason[] {
  const still = stateReason(transfer);
  if (still) return [still];
  const peers = swarm?.peers ?? [];
  const here = peers.filter(isHere);
  const isServing = transfer.state === 'seeding';
  return [
    ...(isServing ? servingReasons(transfer, overview, here) : fetchingReasons(transfer, overview, swarm, here)),
    ...(!isServing && peers.some(({ state }) => state === 'wrong')
      ? [{ is: 'wrong', users: usersOf(peers.filter(({ state }) => state === 'wrong')) } as const]
      : []),
    ...(overview.trackers.length > 0 && overview.trackers.every(({ link }) => link !== 'up')
      ? [{ is: 'trackersAway', peers: here.length } as const]
      : []),
  ];
}

/** What stands in the transfer itself. */
function stateReason({ state, error, place }: Transfer): SlowReason | undefined {
  switch (state) {
    case 'paused':
    case 'checking':
    case 'hashing':
    case 'choosing':
      return { is: state };
    case 'queued':
      return { is: 'turn', place };
    case 'failed':
    case 'gone':
      return { is: 'trouble' };
    default:
      return error ? { is: 'trouble' } : undefined;
  }
}

function fetchingReasons(
  transfer: Transfer,
  overview: Parameters<typeof slowReasons>[1],
  swarm: SwarmView | undefined,
  here: readonly SwarmPeerView[],
): readonly SlowReason[] {
  const { downBytesPerS, downLimitBytesPerS: own, pieces } = transfer;
  const nowhere = swarm ? swarm.nowhere : transfer.nowhere;
  const isOver = swarm
    ? swarm.missingPieces === nowhere?.pieces && swarm.requestedPieces + swarm.verifyingPieces === 0
    : nowhere !== undefined;
  const having = here.filter((peer) => peer.pieces > 0);
  if (swarm && having.length === 0) return unavailableReasons(swarm, nowhere, pieces);
  if (!swarm) {
    return [
      nowhere && transfer.peers > 0
        ? { is: 'nowhere', nowhere, pieces, peers: transfer.peers, only: true }
        : { is: 'nobody', nowhere, pieces },
    ];
  }
  const rest: readonly SlowReason[] = nowhere
    ? [{ is: 'nowhere', nowhere, pieces, peers: here.length, only: isOver }]
    : [];
  if (isOver && nowhere) return rest;
  if (!swarm.hasHashes) return [{ is: 'hashes' }];
  const giving = here.filter((peer) => peer.downBytesPerS > 0);
  const asked = here.filter(({ state }) => state === 'asked' || state === 'resting');
  const first: SlowReason | undefined = isAt(downBytesPerS, own)
    ? { is: 'downLimit', whose: 'own', bytesPerS: own }
    : isAt(overview.downBytesPerS, overview.downLimitBytesPerS)
      ? { is: 'downLimit', whose: 'common', bytesPerS: overview.downLimitBytesPerS }
      : swarm.isDiskBusy
        ? { is: 'disk' }
        : giving.length > 0
          ? {
              is: 'senders',
              users: usersOf(giving),
              bytesPerS: giving.reduce((sum, peer) => sum + peer.downBytesPerS, 0),
            }
          : asked.length > 0
            ? { is: 'busy', peers: asked.length }
            : undefined;
  return [...(first ? [first] : []), ...rest];
}

/** Nobody at hand has anything. */
function unavailableReasons(
  { peers }: SwarmView,
  nowhere: UnavailablePieces | undefined,
  pieces: number,
): readonly SlowReason[] {
  const joining = peers.filter(({ state }) => state === 'joining');
  const unreachable = peers.filter(({ state }) => state === 'unreachable');
  if (unreachable.length > 0) return [{ is: 'unreachable', users: usersOf(unreachable) }];
  return [joining.length > 0 ? { is: 'connecting', peers: joining.length } : { is: 'nobody', nowhere, pieces }];
}

function servingReasons(
  { upLimitBytesPerS: own, upBytesPerS }: Transfer,
  overview: Parameters<typeof slowReasons>[1],
  here: readonly SwarmPeerView[],
): readonly SlowReason[] {
  const takers = here.filter((peer) => peer.upBytesPerS > 0);
  if (takers.length === 0) return [{ is: 'nobodyTakes' }];
  if (isAt(upBytesPerS, own)) return [{ is: 'upLimit', whose: 'own', bytesPerS: own }];
  if (isAt(overview.upBytesPerS, overview.upLimitBytesPerS)) {
    return [{ is: 'upLimit', whose: 'common', bytesPerS: overview.upLimitBytesPerS }];
  }
  return [{ is: 'takers', users: usersOf(takers), bytesPerS: takers.reduce((sum, peer) => sum + peer.upBytesPerS, 0) }];
}

const isAt = (bytesPerS: number, limit: number): boolean => limit > 0 && bytesPerS >= AT_LIMIT * limit;
const isHere = ({ state }: SwarmPeerView): boolean =>
  state === 'giving' || state === 'asked' || state === 'resting' || state === 'taking' || state === 'idle';
/** One person may have several machines. */
const usersOf = (peers: readonly SwarmPeerView[]): readonly string[] => [...new Set(peers.map(({ user }) => user))];
