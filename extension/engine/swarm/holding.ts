// What peers tell each other of the pieces they hold when they join a swarm. Pure.
import { Bitfield } from '../../../protocol/messages/bitfield.ts';
import type { Holding } from '../peers/peerConnection.ts';

/** What a peer is told: a bitfield only where all or none would not do. */
export function holdingOf(held: Bitfield): Holding {
  if (held.isFull) return { have: 'all', bits: new Uint8Array(0) };
  return held.count === 0 ? { have: 'none', bits: new Uint8Array(0) } : { have: 'some', bits: held.bytes() };
}

/** The pieces that a peer says it holds; undefined when its bitfield is not one of so many pieces. */
export function piecesOf({ have, bits }: Holding, pieces: number): Bitfield | undefined {
  if (have === 'all') return Bitfield.full(pieces);
  return have === 'some' ? Bitfield.from(bits, pieces) : new Bitfield(pieces);
}
