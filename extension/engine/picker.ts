// Which piece to ask of one peer next: rarest first with random ties, a random one at the very beginning, and near the end a
// piece that another peer was asked for already (endgame). Pure: reads the board, returns a choice, keeps nothing.
import type { Bitfield } from '../../protocol/bitfield.ts';
import type { PickerMode } from '../../protocol/engineLink.ts';
import type { Pieces } from './pieces.ts';

/** Pieces looked at for one choice. Among so many random ones the rarest is rare enough, and a file of a million pieces costs no more than one of thousands. */
export const CANDIDATES_MAX = 4096;

/** Peers that may be asked for the same piece at the end. */
export const ENDGAME_PEERS_MAX = 2;

export interface Asked {
  /** Who was asked for a piece. */
  readonly peers: number;
  /** Whether this peer is one of them. */
  readonly byThisPeer: boolean;
  /** Whether the answer takes much longer than it should. */
  readonly overdue: boolean;
}

export interface Question {
  readonly board: Pick<Pieces, 'missingCount' | 'missingAt' | 'holders' | 'requested' | 'held'>;
  readonly theirs: Bitfield;
  readonly mode: PickerMode;
  readonly random: () => number;
  /** What is known of a piece that was asked for. */
  readonly asked: (piece: number) => Asked;
}

/** The piece to ask this peer for; undefined if it has nothing that we want from it now. */
export function pick(question: Question): number | undefined {
  return pickMissing(question) ?? pickAsked(question);
}

function pickMissing({ board, theirs, mode, random }: Question): number | undefined {
  const count = board.missingCount;
  const start = Math.floor(random() * count);
  // A random first piece is one that many have: it arrives fast, and then there is something to give (BEP 3's reason).
  const rarest = mode === 'rarest' && board.held.count > 0;
  const looks = mode === 'sequential' ? count : Math.min(count, CANDIDATES_MAX);
  let best: number | undefined;
  let bestScore = Infinity;
  let ties = 0;
  for (let n = 0; n < looks; n++) {
    const piece = board.missingAt((start + n) % count);
    if (!theirs.has(piece)) continue;
    const score = mode === 'sequential' ? piece : rarest ? board.holders(piece) : 0;
    if (score > bestScore) continue;
    ties = score < bestScore ? 1 : ties + 1;
    bestScore = score;
    // Each of the ties is kept with the same chance, without a list of them.
    if (ties === 1 || random() * ties < 1) best = piece;
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

/** A piece that somebody else was asked for: one that is overdue, or, when nothing else is missing at all, any. */
function pickAsked({ board, theirs, random, asked }: Question): number | undefined {
  const endgame = board.missingCount === 0;
  let best: number | undefined;
  let ties = 0;
  for (const piece of board.requested) {
    if (!theirs.has(piece)) continue;
    const { peers, byThisPeer, overdue } = asked(piece);
    if (byThisPeer || peers >= ENDGAME_PEERS_MAX || !(endgame || overdue)) continue;
    ties++;
    if (random() * ties < 1) best = piece;
  }
  return best;
}
