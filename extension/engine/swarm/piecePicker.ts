// Which piece to ask of one peer next: what somebody waits for, then rarest first with random ties,
// a random one at the very beginning, and near the end a piece that another peer was asked for
// already (endgame). Pure: reads the board, returns a choice, keeps nothing.
import type { Bitfield } from '../../../protocol/messages/bitfield.ts';
import type { PickerMode } from '../../../protocol/messages/engineLink.ts';
import type { PieceStates } from '../storage/pieceStates.ts';

/**
 * Pieces looked at for one choice. Among so many random ones the rarest is rare enough, and a file
 * of a million pieces costs no more than one of thousands.
 */
export const CANDIDATES_MAX = 4096;

/** Peers that may be asked for the same piece at the end. */
export const ENDGAME_PEERS_MAX = 2;

export interface InFlight {
  /** How many were asked for a piece and may still send it soon. */
  readonly peersAsked: number;
  /** Whether this peer is one of them. */
  readonly isFromThisPeer: boolean;
  /**
   * Whether it may be asked of one more although something else is missing: it takes too long, or
   * who was asked has better things to send.
   */
  readonly mayMove: boolean;
  /** Whether its bytes are coming already: then nobody else is asked. */
  readonly isArriving: boolean;
}

export interface PickRequest {
  readonly states: Pick<
    PieceStates,
    'state' | 'missingCount' | 'missingAt' | 'nextMissing' | 'holders' | 'requested' | 'held'
  >;
  readonly peerHas: Bitfield;
  readonly mode: PickerMode;
  /** Pieces that somebody waits for, the first of them first: before anything else. */
  readonly urgent: readonly number[];
  /** Whether nothing else is to be asked for. */
  readonly onlyUrgent: boolean;
  readonly random: () => number;
  /**
   * How many others say that they have asked a seeder for a piece: each is as good as a copy that
   * is on its way.
   */
  readonly announcedRequests: (piece: number) => number;
  /** What is known of a piece that was asked for. */
  readonly inFlight: (piece: number) => InFlight;
}

/** The piece to ask this peer for; undefined if it has nothing that we want from it now. */
export function pickPiece(request: PickRequest): number | undefined {
  const urgent = pickUrgent(request);
  if (urgent !== undefined || request.onlyUrgent) return urgent;
  return (request.mode === 'sequential' ? pickNext(request) : pickMissing(request)) ?? pickInFlight(request);
}

/**
 * The first urgent piece that the peer has and nobody was asked for, or else one that has not begun
 * to come from elsewhere.
 */
function pickUrgent({ states, peerHas, urgent, inFlight }: PickRequest): number | undefined {
  const has = urgent.filter((piece) => peerHas.has(piece));
  return (
    has.find((piece) => states.state(piece) === 'missing') ??
    has.find((piece) => {
      if (states.state(piece) !== 'requested') return false;
      const { peersAsked, isFromThisPeer, mayMove, isArriving } = inFlight(piece);
      return !isFromThisPeer && peersAsked < ENDGAME_PEERS_MAX && (mayMove || !isArriving);
    })
  );
}

/** The first missing piece that the peer has. */
function pickNext({ states, peerHas }: PickRequest): number | undefined {
  let piece = states.nextMissing(0);
  while (piece !== undefined && !peerHas.has(piece)) piece = states.nextMissing(piece + 1);
  return piece;
}

function pickMissing({ states, peerHas, mode, random, announcedRequests }: PickRequest): number | undefined {
  const count = states.missingCount;
  const start = Math.floor(random() * count);
  // A random first piece is one that many have: it arrives fast, and then there is something to
  // give (BEP 3's reason). A seeder has all of them; of that one the rarest is asked from the first
  // piece on, so that it sends each once before it sends any twice.
  const rarest = mode === 'rarest' && (states.held.count > 0 || peerHas.isFull);
  const samples = Math.min(count, CANDIDATES_MAX);
  let best: number | undefined;
  let bestScore = Infinity;
  // The first of the best: the list has no order and the start is random, so that is a random one
  // of them.
  for (let n = 0; n < samples && bestScore > 0; n++) {
    const piece = states.missingAt((start + n) % count);
    if (!peerHas.has(piece)) continue;
    const score = rarest ? states.holders(piece) + announcedRequests(piece) : 0;
    if (score >= bestScore) continue;
    bestScore = score;
    best = piece;
  }
  if (best === undefined && samples < count) return pickAnywhere(states, peerHas, start + samples, count - samples);
  return best;
}

/** The first missing piece that the peer has, where the sample had none. */
function pickAnywhere(
  states: PickRequest['states'],
  theirs: Bitfield,
  start: number,
  looks: number,
): number | undefined {
  for (let n = 0; n < looks; n++) {
    const piece = states.missingAt((start + n) % states.missingCount);
    if (theirs.has(piece)) return piece;
  }
  return undefined;
}

/**
 * A piece that somebody else was asked for: one that may move, or, when nothing else is missing at
 * all, any.
 */
function pickInFlight({ states, peerHas, random, inFlight }: PickRequest): number | undefined {
  const endgame = states.missingCount === 0;
  let best: number | undefined;
  let ties = 0;
  for (const piece of states.requested) {
    if (!peerHas.has(piece)) continue;
    const { peersAsked, isFromThisPeer, mayMove, isArriving } = inFlight(piece);
    if (isFromThisPeer || peersAsked >= ENDGAME_PEERS_MAX || !(mayMove || (endgame && !isArriving))) continue;
    ties++;
    if (random() * ties < 1) best = piece;
  }
  return best;
}
