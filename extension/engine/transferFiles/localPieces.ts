// Pieces that need not be fetched because this machine has them: in the same file under another
// name, in an older version of it, in any other whole file. A new version so costs only what has
// changed. Finds and copies them, verified like those that peers send; whose copies may be looked
// at, transfers.ts says.
import { asShoalError } from '../../../protocol/base/errors.ts';
import { HASH_BYTES } from '../../../protocol/base/ids.ts';
import type { Log } from '../../../protocol/base/world.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import { expectedHash } from '../hashing/hasher.ts';
import { lengthOf } from '../hashing/merkleTree.ts';

/**
 * Hashes of own files that are compared for one download: a look at so many takes some 100 ms. The
 * files that are looked at first are the likeliest.
 */
const CANDIDATES_MAX = 2 ** 20;

interface LocalPiece {
  readonly store: PieceStore;
  readonly piece: number;
}

/** Where missing pieces of a download lie on this machine, by their hashes. */
export function findLocalPieces(wanting: PieceStore, own: readonly PieceStore[]): ReadonlyMap<number, LocalPiece> {
  const found = new Map<number, LocalPiece>();
  const { pieceHashes } = wanting;
  if (!pieceHashes) return found;
  const wanted = new Map<number, number[]>();
  for (let piece = 0; piece < wanting.shape.pieces; piece++) {
    if (wanting.states.state(piece) === 'missing') {
      wanted.set(keyOf(pieceHashes, piece), [...(wanted.get(keyOf(pieceHashes, piece)) ?? []), piece]);
    }
  }
  let looks = 0;
  for (const store of own) {
    if (!store.pieceHashes || store.shape.pieceBytes !== wanting.shape.pieceBytes) continue;
    for (let piece = 0; piece < store.shape.pieces && looks < CANDIDATES_MAX; piece++, looks++) {
      for (const missing of wanted.get(keyOf(store.pieceHashes, piece)) ?? []) {
        if (!found.has(missing) && store.states.held.has(piece) && isSamePiece(wanting, missing, store, piece)) {
          found.set(missing, { store, piece });
        }
      }
    }
  }
  return found;
}

/** Enough of a hash to find it in a map: 48 bits, which a number holds. */
const keyOf = (pieceHashes: Uint8Array, piece: number): number =>
  Buffer.from(pieceHashes.buffer, pieceHashes.byteOffset, pieceHashes.byteLength).readUIntBE(piece * HASH_BYTES, 6);

function isSamePiece(a: PieceStore, pieceOfA: number, b: PieceStore, pieceOfB: number): boolean {
  if (!a.pieceHashes || !b.pieceHashes || lengthOf(a.shape, pieceOfA) !== lengthOf(b.shape, pieceOfB)) return false;
  return Buffer.compare(expectedHash(a.pieceHashes, pieceOfA), expectedHash(b.pieceHashes, pieceOfB)) === 0;
}

/**
 * Copies them into the download. Returns those that came; one that cannot be read here is left to
 * the peers.
 *
 * @throws what the disk throws when it is written
 */
export async function copyLocalPieces(
  wanting: PieceStore,
  own: readonly PieceStore[],
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<readonly number[]> {
  const came: number[] = [];
  const useless = new Set<PieceStore>();
  for (const [missing, { store, piece }] of findLocalPieces(wanting, own)) {
    if (signal.aborted) break;
    if (useless.has(store)) continue;
    const bytes = new Uint8Array(new SharedArrayBuffer(lengthOf(store.shape, piece)));
    try {
      await store.read(piece, 0, bytes);
    } catch (error) {
      // That file was moved or changed.
      log.info('an own file is of no use', { why: asShoalError(error).message });
      useless.add(store);
      continue;
    }
    if (!signal.aborted && (await storeLocalPiece(wanting, missing, bytes))) came.push(missing);
  }
  return came;
}

/** Takes a piece that was found on this machine, if it is still missing and right. */
export async function storeLocalPiece(store: PieceStore, piece: number, bytes: Uint8Array): Promise<boolean> {
  if (store.states.state(piece) !== 'missing') return false;
  store.states.move(piece, 'request');
  store.states.move(piece, 'verify');
  return store.store(piece, bytes);
}
