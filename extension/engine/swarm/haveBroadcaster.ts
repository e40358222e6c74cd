// What we hold is told to the other members: the pieces of some moments together, because to tell
// each one on its own to everybody would cost a large swarm more than the pieces do; and to nobody
// what he has himself. Owns what was not told yet.
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import { PIECES_PER_HAVE_MAX } from '../../../protocol/base/limits.ts';
import type { Clock, Timer } from '../../../protocol/base/world.ts';
import type { Member } from './peerState.ts';

/**
 * How long what is told is collected, in ms: so much for each member, at most so much. Eight hear
 * it within 30 ms.
 */
const WAIT_MS_PER_MEMBER = 4;
const WAIT_MS_MAX = 100;
/** Seeders need nothing of it but to know what nobody has. */
const SEEDERS_WAIT_MS = 250;

export class HaveNews {
  readonly #key: SwarmKey;
  readonly #members: () => Iterable<Member>;
  readonly #clock: Clock;
  readonly #lines: readonly Line[];

  constructor(key: SwarmKey, clock: Clock, members: () => Iterable<Member>) {
    this.#key = key;
    this.#members = members;
    this.#clock = clock;
    this.#lines = [
      new Line(
        clock,
        () => Math.min(WAIT_MS_MAX, WAIT_MS_PER_MEMBER * this.#leechers()),
        (pieces) => this.#tell(false, pieces),
      ),
      new Line(
        clock,
        () => SEEDERS_WAIT_MS,
        (pieces) => this.#tell(true, pieces),
      ),
    ];
  }

  add(pieces: readonly number[]): void {
    for (const line of this.#lines) line.add(pieces, this.#clock.monotonicMs());
  }

  stop(): void {
    for (const line of this.#lines) line.stop();
  }

  #leechers(): number {
    let count = 0;
    for (const { isSeeder } of this.#members()) if (!isSeeder) count++;
    return count;
  }

  #tell(toSeeders: boolean, pieces: readonly number[]): void {
    for (const { isSeeder, theirs, link } of this.#members()) {
      if (isSeeder !== toSeeders) continue;
      const news = isSeeder ? pieces : pieces.filter((piece) => !theirs.has(piece));
      for (let at = 0; at < news.length; at += PIECES_PER_HAVE_MAX) {
        link.connection.notify('have', { ...this.#key, pieces: news.slice(at, at + PIECES_PER_HAVE_MAX) });
      }
    }
  }
}

/** Collects pieces: the first after a rest is told at once, what follows it together. */
class Line {
  readonly #clock: Clock;
  readonly #waitMs: () => number;
  readonly #tell: (pieces: readonly number[]) => void;
  #news: number[] = [];
  #toldMs = -Infinity;
  #timer: Timer | undefined;

  constructor(clock: Clock, waitMs: () => number, tell: (pieces: readonly number[]) => void) {
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#tell = tell;
  }

  add(pieces: readonly number[], nowMs: number): void {
    for (const piece of pieces) this.#news.push(piece);
    if (this.#timer) return;
    const waitMs = this.#toldMs + this.#waitMs() - nowMs;
    if (waitMs <= 0) this.#flush();
    else this.#timer = this.#clock.after(waitMs, () => this.#flush());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#news = [];
  }

  #flush(): void {
    this.#timer = undefined;
    this.#toldMs = this.#clock.monotonicMs();
    this.#tell(this.#news.splice(0));
  }
}
