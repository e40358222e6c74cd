// What nobody at hand has of a file, and who last had it. Pure: reads the board and who has left.
import type { Nowhere } from '../../protocol/swarmView.ts';
import { RANGES_MAX } from '../../protocol/swarmView.ts';
import type { Departed } from './departed.ts';
import type { Pieces } from './pieces.ts';

/** Undefined when somebody at hand has whatever is missing. */
export function nowhereOf(pieces: Pieces, departed: Departed | undefined): Nowhere | undefined {
  if (pieces.nowhereCount === 0) return undefined;
  // The latest first, so that among equals it stays.
  const had = [...(departed?.peers.values() ?? [])].reverse().map((peer) => ({ peer, pieces: 0 }));
  const ranges: { first: number; last: number }[] = [];
  for (let piece = pieces.nextMissing(0); piece !== undefined; piece = pieces.nextMissing(piece + 1)) {
    if (pieces.holders(piece) > 0) continue;
    for (const one of had) if (one.peer.theirs.has(piece)) one.pieces++;
    const last = ranges.at(-1);
    if (last?.last === piece - 1) last.last = piece;
    else if (ranges.length < RANGES_MAX) ranges.push({ first: piece, last: piece });
  }
  const most = had.reduce<(typeof had)[number] | undefined>((best, one) => (one.pieces > (best?.pieces ?? 0) ? one : best), undefined);
  return { pieces: pieces.nowhereCount, ranges, lastHad: most && { user: most.peer.user, atMs: most.peer.atMs, pieces: most.pieces } };
}
