// What we hold is told to the other members: the pieces of some moments together, because to tell
// each one on its own to everybody would cost a large swarm more than the pieces do; and to nobody
// what he has himself. Owns what was not told yet.
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import { PIECES_PER_HAVE_MAX } from '../../../protocol/base/limits.ts';
import { Throttler } from '../../../protocol/async/throttler.ts';
import type { Clock } from '../../../protocol/base/world.ts';
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
  readonly #queues: readonly HaveQueue[];

  constructor(key: SwarmKey, clock: Clock, peers: () => Iterable<PeerState>) {
    this.#key = key;
    this.#peers = peers;
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
    for (const queue of this.#queues) queue.add(pieces);
  }

  stop(): void {
    for (const queue of this.#queues) queue.stop();
  }

  #leechers(): number {
    let count = 0;
    for (const { isSeeder } of this.#peers()) if (!isSeeder) count++;
    return count;
  }

  #send(toSeeders: boolean, pieces: readonly number[]): void {
    for (const { isSeeder, pieces: has, connection } of this.#peers()) {
      if (isSeeder !== toSeeders) continue;
      const lacking = isSeeder ? pieces : pieces.filter((piece) => !has.has(piece));
      for (let at = 0; at < lacking.length; at += PIECES_PER_HAVE_MAX) {
        connection.rpc.notify('have', { ...this.#key, pieces: lacking.slice(at, at + PIECES_PER_HAVE_MAX) });
      }
    }
  }
}

/** Collects pieces: the first after a rest is sent at once, what follows it together. */
class HaveQueue {
  readonly #send: (pieces: readonly number[]) => void;
  readonly #throttler: Throttler;
  #pieces: number[] = [];

  constructor(clock: Clock, restMs: () => number, send: (pieces: readonly number[]) => void) {
    this.#send = send;
    this.#throttler = new Throttler(clock, { restMs }, () => this.#send(this.#pieces.splice(0)));
  }

  add(pieces: readonly number[]): void {
    for (const piece of pieces) this.#pieces.push(piece);
    this.#throttler.request();
  }

  stop(): void {
    this.#throttler.cancel();
    this.#pieces = [];
  }
}
