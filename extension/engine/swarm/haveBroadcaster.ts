// What we hold is told to the other members: the pieces of some moments together, because to tell
// each one on its own to everybody would cost a large swarm more than the pieces do; and to nobody
// what he has himself. Owns what was not told yet.
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import { PIECES_PER_HAVE_MAX } from '../../../protocol/base/limits.ts';
import type { Clock, Timer } from '../../../protocol/base/world.ts';
import type { PeerState } from './peerState.ts';

/**
 * How long what is told is collected, in ms: so much for each member, at most so much. Eight hear
 * it within 30 ms.
 */
const WAIT_MS_PER_PEER = 4;
const WAIT_MS_MAX = 100;
/** Seeders need nothing of it but to know what nobody has. */
const SEEDERS_WAIT_MS = 250;

export class HaveBroadcaster {
  readonly #key: SwarmKey;
  readonly #peers: () => Iterable<PeerState>;
  readonly #clock: Clock;
  readonly #queues: readonly HaveQueue[];

  constructor(key: SwarmKey, clock: Clock, peers: () => Iterable<PeerState>) {
    this.#key = key;
    this.#peers = peers;
    this.#clock = clock;
    this.#queues = [
      new HaveQueue(
        clock,
        () => Math.min(WAIT_MS_MAX, WAIT_MS_PER_PEER * this.#leechers()),
        (pieces) => this.#send(false, pieces),
      ),
      new HaveQueue(
        clock,
        () => SEEDERS_WAIT_MS,
        (pieces) => this.#send(true, pieces),
      ),
    ];
  }

  add(pieces: readonly number[]): void {
    for (const line of this.#queues) line.add(pieces, this.#clock.monotonicMs());
  }

  stop(): void {
    for (const line of this.#queues) line.stop();
  }

  #leechers(): number {
    let count = 0;
    for (const { isSeeder } of this.#peers()) if (!isSeeder) count++;
    return count;
  }

  #send(toSeeders: boolean, pieces: readonly number[]): void {
    for (const { isSeeder, pieces: theirs, connection } of this.#peers()) {
      if (isSeeder !== toSeeders) continue;
      const news = isSeeder ? pieces : pieces.filter((piece) => !theirs.has(piece));
      for (let at = 0; at < news.length; at += PIECES_PER_HAVE_MAX) {
        connection.rpc.notify('have', { ...this.#key, pieces: news.slice(at, at + PIECES_PER_HAVE_MAX) });
      }
    }
  }
}

/** Collects pieces: the first after a rest is told at once, what follows it together. */
class HaveQueue {
  readonly #clock: Clock;
  readonly #waitMs: () => number;
  readonly #send: (pieces: readonly number[]) => void;
  #pieces: number[] = [];
  #sentMs = -Infinity;
  #timer: Timer | undefined;

  constructor(clock: Clock, waitMs: () => number, send: (pieces: readonly number[]) => void) {
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#send = send;
  }

  add(pieces: readonly number[], nowMs: number): void {
    for (const piece of pieces) this.#pieces.push(piece);
    if (this.#timer) return;
    const waitMs = this.#sentMs + this.#waitMs() - nowMs;
    if (waitMs <= 0) this.#flush();
    else this.#timer = this.#clock.after(waitMs, () => this.#flush());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#pieces = [];
  }

  #flush(): void {
    this.#timer = undefined;
    this.#sentMs = this.#clock.monotonicMs();
    this.#send(this.#pieces.splice(0));
  }
}
