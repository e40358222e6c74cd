// What nobody at hand has of a file, and who last had it. Pure: reads the board and who has left.
import type { UnavailablePieces } from '../../../protocol/messages/swarmView.ts';
import { RANGES_MAX } from '../../../protocol/messages/swarmView.ts';
import type { DepartedPeers } from './departedPeers.ts';
import type { PieceStates } from '../storage/pieceStates.ts';

/** Undefined when somebody at hand has whatever is missing. */
export function unavailablePieces(
  pieces: PieceStates,
  departedPeers: DepartedPeers | undefined,
): UnavailablePieces | undefined {
  if (pieces.unavailableCount === 0) return undefined;
  // The latest first, so that among equals it stays. Who had everything had all of these: a large
  // file is not gone through for that.
  const had = [...(departedPeers?.peers.values() ?? [])]
    .reverse()
    .map((peer) => ({ peer, pieces: peer.had.isFull ? pieces.unavailableCount : 0 }));
  const hadSome = had.filter(({ peer }) => !peer.had.isFull);
  const ranges: { first: number; last: number }[] = [];
  for (let piece = pieces.nextMissing(0); piece !== undefined; piece = pieces.nextMissing(piece + 1)) {
    if (pieces.holders(piece) > 0) continue;
    for (const one of hadSome) if (one.peer.had.has(piece)) one.pieces++;
    const last = ranges.at(-1);
    if (last?.last === piece - 1) last.last = piece;
    else if (ranges.length < RANGES_MAX) ranges.push({ first: piece, last: piece });
    else if (hadSome.length === 0) break;
  }
  const most = had.reduce<(typeof had)[number] | undefined>(
    (best, one) => (one.pieces > (best?.pieces ?? 0) ? one : best),
    undefined,
  );
  return {
    pieces: pieces.unavailableCount,
    ranges,
    lastHad: most && { user: most.peer.user, atMs: most.peer.atMs, pieces: most.pieces },
  };
}
