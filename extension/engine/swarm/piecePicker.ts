// Which piece to ask of one peer next: what somebody waits for, then rarest first with random ties,
// a random one at the very beginning, and near the end a piece that another peer was asked for
// already (endgame). Pure: reads the board, returns a choice, keeps nothing.
import type { Bitfield } from '../../../protocol/messages/bitfield.ts';
import type { PickerMode } from '../../../protocol/messages/engineLink.ts';
import type { Pieces } from '../storage/pieceStates.ts';

/**
 * Pieces looked at for one choice. Among so many random ones the rarest is rare enough, and a file
 * of a million pieces costs no more than one of thousands.
 */
export const CANDIDATES_MAX = 4096;

/** Peers that may be asked for the same piece at the end. */
export const ENDGAME_PEERS_MAX = 2;

export interface Asked {
  /** How many were asked for a piece and may still send it soon. */
  readonly peers: number;
  /** Whether this peer is one of them. */
  readonly byThisPeer: boolean;
  /**
   * Whether it may be asked of one more although something else is missing: it takes too long, or
   * who was asked has better things to send.
   */
  readonly mayMove: boolean;
  /** Whether its bytes are coming already: then nobody else is asked. */
  readonly isComing: boolean;
}

export interface Question {
  readonly board: Pick<
    Pieces,
    'state' | 'missingCount' | 'missingAt' | 'nextMissing' | 'holders' | 'requested' | 'held'
  >;
  readonly theirs: Bitfield;
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
  readonly coming: (piece: number) => number;
  /** What is known of a piece that was asked for. */
  readonly asked: (piece: number) => Asked;
}

/** The piece to ask this peer for; undefined if it has nothing that we want from it now. */
export function pick(question: Question): number | undefined {
  const urgent = pickUrgent(question);
  if (urgent !== undefined || question.onlyUrgent) return urgent;
  return (question.mode === 'sequential' ? pickNext(question) : pickMissing(question)) ?? pickAsked(question);
}

/**
 * The first urgent piece that the peer has and nobody was asked for, or else one that has not begun
 * to come from elsewhere.
 */
function pickUrgent({ board, theirs, urgent, asked }: Question): number | undefined {
  const has = urgent.filter((piece) => theirs.has(piece));
  return (
    has.find((piece) => board.state(piece) === 'missing') ??
    has.find((piece) => {
      if (board.state(piece) !== 'requested') return false;
      const { peers, byThisPeer, mayMove, isComing } = asked(piece);
      return !byThisPeer && peers < ENDGAME_PEERS_MAX && (mayMove || !isComing);
    })
  );
}

/** The first missing piece that the peer has. */
function pickNext({ board, theirs }: Question): number | undefined {
  let piece = board.nextMissing(0);
  while (piece !== undefined && !theirs.has(piece)) piece = board.nextMissing(piece + 1);
  return piece;
}

function pickMissing({ board, theirs, mode, random, coming }: Question): number | undefined {
  const count = board.missingCount;
  const start = Math.floor(random() * count);
  // A random first piece is one that many have: it arrives fast, and then there is something to
  // give (BEP 3's reason). A seeder has all of them; of that one the rarest is asked from the first
  // piece on, so that it sends each once before it sends any twice.
  const rarest = mode === 'rarest' && (board.held.count > 0 || theirs.isFull);
  const looks = Math.min(count, CANDIDATES_MAX);
  let best: number | undefined;
  let bestScore = Infinity;
  // The first of the best: the list has no order and the start is random, so that is a random one
  // of them.
  for (let n = 0; n < looks && bestScore > 0; n++) {
    const piece = board.missingAt((start + n) % count);
    if (!theirs.has(piece)) continue;
    const score = rarest ? board.holders(piece) + coming(piece) : 0;
    if (score >= bestScore) continue;
    bestScore = score;
    best = piece;
  }
  if (best === undefined && looks < count) return pickAnywhere(board, theirs, start + looks, count - looks);
  return best;
}

/** The first missing piece that the peer has, where the sample had none. */
function pickAnywhere(board: Question['board'], theirs: Bitfield, start: number, looks: number): number | undefined {
  for (let n = 0; n < looks; n++) {
    const piece = board.missingAt((start + n) % board.missingCount);
    if (theirs.has(piece)) return piece;
  }
  return undefined;
}

/**
 * A piece that somebody else was asked for: one that may move, or, when nothing else is missing at
 * all, any.
 */
function pickAsked({ board, theirs, random, asked }: Question): number | undefined {
  const endgame = board.missingCount === 0;
  let best: number | undefined;
  let ties = 0;
  for (const piece of board.requested) {
    if (!theirs.has(piece)) continue;
    const { peers, byThisPeer, mayMove, isComing } = asked(piece);
    if (byThisPeer || peers >= ENDGAME_PEERS_MAX || !(mayMove || (endgame && !isComing))) continue;
    ties++;
    if (random() * ties < 1) best = piece;
  }
  return best;
}
