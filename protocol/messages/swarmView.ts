// What a frontend is shown of one transfer's swarm: how it stands with every piece, who takes part
// and what moves between us, and what nobody at hand has. Bounded whatever the size of the file: of
// many pieces, some are counted together.
import { name, pin } from '../base/fields.ts';
import type { Of } from '../base/schema.ts';
import { bool, bytes, list, oneOf, optional, struct, text, u32, u53 } from '../base/schema.ts';

/**
 * Cells of the map of pieces. PIECES_MAX in so many are 128 to a cell, so that a count of them fits
 * into a byte.
 */
export const CELLS_MAX = 8192;
/** Peers in one report: more than a person reads, and than a swarm reaches by itself. */
export const PEERS_SHOWN_MAX = 64;
/** Ranges of pieces that a sentence names. */
export const RANGES_MAX = 4;

/** Pieces from `first` to `last`, both among them, counted from 0. */
const pieceRange = struct({ first: u32, last: u32 });

/**
 * Pieces that we miss and nobody at hand has: how many, and where the first of them are. `lastHad`:
 * who had the most of them and is gone, the latest among equals, as far as this engine has seen
 * since it runs; `pieces` of them.
 */
export const nowhere = struct({
  pieces: u32,
  ranges: list(pieceRange, RANGES_MAX),
  lastHad: optional(struct({ user: name, atMs: u53, pieces: u32 })),
});
export type UnavailablePieces = Of<typeof nowhere>;

/**
 * How it stands between us and a peer. giving: what we asked for comes; asked: we stand in its
 * line; resting: it refused or was too slow, and is left in peace for a moment; taking: it takes
 * from us; idle: neither; joining: a tracker names it, and it is being dialled; unreachable:
 * dialling it failed; wrong: it sent what was wrong and is left alone; left: it was here.
 */
const peerState = oneOf('giving', 'asked', 'resting', 'taking', 'idle', 'joining', 'unreachable', 'wrong', 'left');

export const swarmPeer = struct({
  pin,
  user: name,
  state: peerState,
  /** Where it is: on this machine, in a private network, elsewhere. */
  place: oneOf('unknown', 'machine', 'private', 'public'),
  /** Pieces it has, as it or a tracker says. */
  pieces: u32,
  /** Pieces that it was asked for and owes. */
  askedPieces: u32,
  downBytesPerS: u53,
  upBytesPerS: u53,
  /** Verified bytes from it in this run of the engine; bytes to it since it is connected. */
  gaveBytes: u53,
  tookBytes: u53,
  /** Since when it is gone; 0 while it is not. */
  leftAtMs: u53,
  /** What it sent that was wrong. */
  why: text(200),
});
export type SwarmPeerView = Of<typeof swarmPeer>;

/**
 * For each cell one byte: how many of its pieces are in a state, or missing and with nobody (the
 * rest is missing); and how many peers have the piece that fewest have.
 */
const cells = struct({
  held: bytes(CELLS_MAX),
  requested: bytes(CELLS_MAX),
  verifying: bytes(CELLS_MAX),
  unwanted: bytes(CELLS_MAX),
  nowhere: bytes(CELLS_MAX),
  peers: bytes(CELLS_MAX),
});

/** Retired: `peersCount` is no longer read. */
export const swarmView = struct({
  transfer: u32,
  pieces: u32,
  pieceBytes: u32,
  heldPieces: u32,
  requestedPieces: u32,
  verifyingPieces: u32,
  missingPieces: u32,
  unwantedPieces: u32,
  /** Pieces that one cell stands for; the last may stand for fewer. */
  cellPieces: u32,
  cells,
  nowhere: optional(nowhere),
  /** Those that move something first. */
  peers: list(swarmPeer, PEERS_SHOWN_MAX),
  peersCount: u32,
  /** Whether the hashes of the pieces are here, without which none is asked for. */
  hasHashes: bool,
  /** Whether pieces that have come wait for the disk. */
  isDiskBusy: bool,
});
export type SwarmView = Of<typeof swarmView>;

/** `17-20, 25`, as people count, from 1; … where there are more. */
export function rangesText({ pieces, ranges }: Pick<UnavailablePieces, 'pieces' | 'ranges'>): string {
  const named = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const text = ranges
    .map(({ first, last }) => (first === last ? String(first + 1) : `${first + 1}-${last + 1}`))
    .join(', ');
  return named < pieces ? `${text} …` : text;
}
