// The board of one file: each piece is in exactly one of missing, requested, verifying, held,
// unwanted. The only writer of that state; also counts how many peers hold each piece. Asks nobody
// and decides nothing: piecePicker.ts reads it, swarm.ts moves it.
import assert from 'node:assert';
import { Bitfield } from '../../../protocol/messages/bitfield.ts';

export const STATES = ['missing', 'requested', 'verifying', 'held', 'unwanted'] as const;
export type PieceState = (typeof STATES)[number];

/** What may follow what; anything else is a bug. */
const moves = {
  /** Asked of a peer. */
  request: { missing: 'requested' },
  /** The last peer asked gave up or was given up. */
  release: { requested: 'missing' },
  /** All its bytes are here. */
  verify: { requested: 'verifying' },
  /** Verified and written. */
  hold: { verifying: 'held' },
  /** Its bytes were wrong or could not be written. */
  reject: { verifying: 'missing' },
  /** Found on disk and verified. */
  find: { missing: 'held' },
  /** Was on disk, no longer is what it was. */
  lose: { held: 'missing' },
  /** Of a file in the folder that nobody has chosen. */
  skip: { missing: 'unwanted' },
  /** It is needed after all. */
  want: { unwanted: 'missing' },
} as const satisfies Record<string, Partial<Record<PieceState, PieceState>>>;
type Move = keyof typeof moves;

export class PieceStates {
  readonly size: number;
  readonly held: Bitfield;
  readonly #states: Uint8Array;
  readonly #holders: Uint16Array;
  /**
   * Missing pieces in no order, and where each stands in that list: the picker looks at nothing
   * else.
   */
  readonly #missing: Int32Array;
  readonly #placeOf: Int32Array;
  #missingCount: number;
  /** Missing pieces that somebody connected has. */
  #offeredCount = 0;
  /** No piece before this one is missing. */
  #firstMissing = 0;
  readonly #requested = new Set<number>();
  #verifying = 0;
  #unwanted = 0;

  constructor(size: number) {
    this.size = size;
    this.held = new Bitfield(size);
    this.#states = new Uint8Array(size);
    this.#holders = new Uint16Array(size);
    this.#missing = Int32Array.from({ length: size }, (_, piece) => piece);
    this.#placeOf = this.#missing.slice();
    this.#missingCount = size;
  }

  state(piece: number): PieceState {
    return STATES[this.#states[piece] ?? 0] ?? 'missing';
  }

  move(piece: number, move: Move): void {
    const from = this.state(piece);
    const to = (moves[move] as Partial<Record<PieceState, PieceState>>)[from];
    assert(to !== undefined && piece >= 0 && piece < this.size, `piece ${piece} cannot ${move} while ${from}`);
    if (from === 'missing') this.#takeFromMissing(piece);
    if (from === 'requested') this.#requested.delete(piece);
    if (from === 'verifying') this.#verifying--;
    if (from === 'held') this.held.delete(piece);
    if (from === 'unwanted') this.#unwanted--;
    this.#states[piece] = STATES.indexOf(to);
    if (to === 'missing') this.#putToMissing(piece);
    if (to === 'requested') this.#requested.add(piece);
    if (to === 'verifying') this.#verifying++;
    if (to === 'held') this.held.add(piece);
    if (to === 'unwanted') this.#unwanted++;
  }

  /** Pieces nobody was asked for. */
  get missingCount(): number {
    return this.#missingCount;
  }
  /** Those of them that nobody connected has. */
  get unavailableCount(): number {
    return this.#missingCount - this.#offeredCount;
  }
  /** The n-th of them, in no order. */
  missingAt(n: number): number {
    return this.#missing[n] ?? -1;
  }
  /** The first missing piece from there on; undefined if there is none. */
  nextMissing(from: number): number | undefined {
    while (this.#firstMissing < this.size && this.#states[this.#firstMissing] !== 0) this.#firstMissing++;
    for (let piece = Math.max(from, this.#firstMissing); piece < this.size; piece++) {
      if (this.#states[piece] === 0) return piece;
    }
    return undefined;
  }
  get requested(): ReadonlySet<number> {
    return this.#requested;
  }
  get verifyingCount(): number {
    return this.#verifying;
  }
  /** Pieces that shall be here. */
  get wantedCount(): number {
    return this.size - this.#unwanted;
  }
  /** Whether everything that is wanted is held. */
  get isComplete(): boolean {
    return this.held.count === this.wantedCount;
  }

  /** Connected peers that hold a piece. */
  holders(piece: number): number {
    return this.#holders[piece] ?? 0;
  }
  addHolder(piece: number): void {
    this.#setHolders(piece, this.holders(piece) + 1);
  }
  removeHolder(piece: number): void {
    this.#setHolders(piece, this.holders(piece) - 1);
  }
  /** A peer with these pieces came (+1) or went (-1). */
  countHolder(theirs: Bitfield, by: 1 | -1): void {
    for (let piece = 0; piece < this.size; piece++) {
      if (theirs.has(piece)) this.#setHolders(piece, this.holders(piece) + by);
    }
  }

  #setHolders(piece: number, count: number): void {
    if (this.#states[piece] === 0) this.#offeredCount += Number(count > 0) - Number(this.holders(piece) > 0);
    this.#holders[piece] = count;
  }

  #takeFromMissing(piece: number): void {
    if (this.holders(piece) > 0) this.#offeredCount--;
    const place = this.#placeOf[piece] ?? 0;
    const last = this.#missing[--this.#missingCount] ?? 0;
    this.#missing[place] = last;
    this.#placeOf[last] = place;
  }

  #putToMissing(piece: number): void {
    if (this.holders(piece) > 0) this.#offeredCount++;
    this.#firstMissing = Math.min(this.#firstMissing, piece);
    this.#missing[this.#missingCount] = piece;
    this.#placeOf[piece] = this.#missingCount++;
  }
}
