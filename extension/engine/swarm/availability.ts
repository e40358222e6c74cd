// What nobody at hand has of a file, and who last had it. Pure: reads the board and who has left.
import type { Nowhere } from '../../../protocol/messages/swarmView.ts';
import { RANGES_MAX } from '../../../protocol/messages/swarmView.ts';
import type { Departed } from './departedPeers.ts';
import type { Pieces } from '../storage/pieceStates.ts';

/** Undefined when somebody at hand has whatever is missing. */
export function nowhereOf(pieces: Pieces, departed: Departed | undefined): Nowhere | undefined {
  if (pieces.nowhereCount === 0) return undefined;
  // The latest first, so that among equals it stays. Who had everything had all of these: a large
  // file is not gone through for that.
  const had = [...(departed?.peers.values() ?? [])]
    .reverse()
    .map((peer) => ({ peer, pieces: peer.theirs.isFull ? pieces.nowhereCount : 0 }));
  const hadSome = had.filter(({ peer }) => !peer.theirs.isFull);
  const ranges: { first: number; last: number }[] = [];
  for (let piece = pieces.nextMissing(0); piece !== undefined; piece = pieces.nextMissing(piece + 1)) {
    if (pieces.holders(piece) > 0) continue;
    for (const one of hadSome) if (one.peer.theirs.has(piece)) one.pieces++;
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
    pieces: pieces.nowhereCount,
    ranges,
    lastHad: most && { user: most.peer.user, atMs: most.peer.atMs, pieces: most.pieces },
  };
}
