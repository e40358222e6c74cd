// Pieces that need not be fetched because this machine has them: in the same file under another
// name, in an older version of it, in any other whole file. A new version so costs only what has
// changed. Finds and copies them, verified like those that peers send; whose copies may be looked
// at, transfers.ts says.
import { asShoalError } from '../../../protocol/base/errors.ts';
import { HASH_BYTES } from '../../../protocol/base/ids.ts';
import type { Log } from '../../../protocol/base/world.ts';
import type { Copy } from '../storage/pieceStore.ts';
import { expectedHash } from '../hashing/hasher.ts';
import { lengthOf } from '../hashing/merkleTree.ts';

/**
 * Hashes of own files that are compared for one download: a look at so many takes some 100 ms. The
 * files that are looked at first are the likeliest.
 */
const LOOKS_MAX = 2 ** 20;

interface OwnPiece {
  readonly copy: Copy;
  readonly piece: number;
}

/** Where missing pieces of a download lie on this machine, by their hashes. */
export function ownPieces(wanting: Copy, own: readonly Copy[]): ReadonlyMap<number, OwnPiece> {
  const found = new Map<number, OwnPiece>();
  const { layer } = wanting;
  if (!layer) return found;
  const wanted = new Map<number, number[]>();
  for (let piece = 0; piece < wanting.shape.pieces; piece++) {
    if (wanting.pieces.state(piece) === 'missing') {
      wanted.set(keyOf(layer, piece), [...(wanted.get(keyOf(layer, piece)) ?? []), piece]);
    }
  }
  let looks = 0;
  for (const copy of own) {
    if (!copy.layer || copy.shape.pieceBytes !== wanting.shape.pieceBytes) continue;
    for (let piece = 0; piece < copy.shape.pieces && looks < LOOKS_MAX; piece++, looks++) {
      for (const missing of wanted.get(keyOf(copy.layer, piece)) ?? []) {
        if (!found.has(missing) && copy.pieces.held.has(piece) && isSamePiece(wanting, missing, copy, piece)) {
          found.set(missing, { copy, piece });
        }
      }
    }
  }
  return found;
}

/** Enough of a hash to find it in a map: 48 bits, which a number holds. */
const keyOf = (layer: Uint8Array, piece: number): number =>
  Buffer.from(layer.buffer, layer.byteOffset, layer.byteLength).readUIntBE(piece * HASH_BYTES, 6);

function isSamePiece(a: Copy, pieceOfA: number, b: Copy, pieceOfB: number): boolean {
  if (!a.layer || !b.layer || lengthOf(a.shape, pieceOfA) !== lengthOf(b.shape, pieceOfB)) return false;
  return Buffer.compare(expectedHash(a.layer, pieceOfA), expectedHash(b.layer, pieceOfB)) === 0;
}

/**
 * Copies them into the download. Returns those that came; one that cannot be read here is left to
 * the peers.
 *
 * @throws what the disk throws when it is written
 */
export async function fillFromOwn(
  wanting: Copy,
  own: readonly Copy[],
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<readonly number[]> {
  const came: number[] = [];
  const useless = new Set<Copy>();
  for (const [missing, { copy, piece }] of ownPieces(wanting, own)) {
    if (signal.aborted) break;
    if (useless.has(copy)) continue;
    const bytes = new Uint8Array(new SharedArrayBuffer(lengthOf(copy.shape, piece)));
    try {
      await copy.read(piece, 0, bytes);
    } catch (error) {
      // That file was moved or changed.
      log.info('an own file is of no use', { why: asShoalError(error).message });
      useless.add(copy);
      continue;
    }
    if (!signal.aborted && (await storeOwn(wanting, missing, bytes))) came.push(missing);
  }
  return came;
}

/** Takes a piece that was found on this machine, if it is still missing and right. */
export async function storeOwn(copy: Copy, piece: number, bytes: Uint8Array): Promise<boolean> {
  if (copy.pieces.state(piece) !== 'missing') return false;
  copy.pieces.move(piece, 'request');
  copy.pieces.move(piece, 'verify');
  return copy.store(piece, bytes);
}
