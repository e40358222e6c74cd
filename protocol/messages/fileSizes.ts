// What sizes a file and its pieces can have. Asked where a file is shared (the tracker's fold), and
// again of whatever a tracker says of one: tables are made in that size before the first byte
// comes. Pure.
import { ShoalError } from '../base/errors.ts';
import { FILE_BYTES_MAX, LEAF_BYTES, PIECE_BYTES_MAX, PIECES_MAX } from '../base/limits.ts';

interface Sizes {
  readonly sizeBytes: number;
  readonly pieceBytes: number;
}

/** What is wrong with the pieces of a file; undefined when nothing is. */
export function validatePieces({ sizeBytes, pieceBytes }: Sizes): string | undefined {
  if (pieceBytes < LEAF_BYTES || pieceBytes > PIECE_BYTES_MAX || !Number.isInteger(Math.log2(pieceBytes))) {
    return 'no piece has that size';
  }
  return Math.ceil(sizeBytes / pieceBytes) > PIECES_MAX ? 'it has too many pieces' : undefined;
}

/** @throws ShoalError badMessage */
export function checkSizes(file: Sizes): void {
  const why = file.sizeBytes > FILE_BYTES_MAX ? 'no file is that large' : validatePieces(file);
  if (why !== undefined) throw new ShoalError('badMessage', { type: 'findFile', why });
}
