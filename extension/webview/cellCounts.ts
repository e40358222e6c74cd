// What one cell of the piece map stands for. Pure.
import type { Kind, ShownMap } from './messages.ts';

/** How many pieces of a cell are of each kind, and how many peers have the one that fewest have. */
export type CellCounts = Readonly<Record<Kind, number>> & { readonly size: number; readonly peers: number };

export function countsOf({ pieces, cellPieces, cells }: ShownMap, cell: number): CellCounts {
  const size = Math.min(pieces, (cell + 1) * cellPieces) - cell * cellPieces;
  const [held, requested, verifying, unwanted, nowhere] = [
    cells.held[cell] ?? 0,
    cells.requested[cell] ?? 0,
    cells.verifying[cell] ?? 0,
    cells.unwanted[cell] ?? 0,
    cells.nowhere[cell] ?? 0,
  ];
  return {
    size,
    peers: cells.peers[cell] ?? 0,
    held,
    requested,
    verifying,
    unwanted,
    nowhere,
    missing: Math.max(0, size - held - requested - verifying - unwanted - nowhere),
  };
}
