// Who may be in a swarm besides those who take part: whom trackers have named, who is being asked
// now, and who is left alone. Owns these three lists and says whom to reach next; dials nobody and
// asks nobody itself.
import type { Pin } from '../../../protocol/base/ids.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';

/**
 * Members from which on no more are looked for: what each has costs a word to every other, and a
 * piece is never more than some steps away.
 */
const PEERS_WANTED_MAX = 16;
/**
 * For how long the same ones are reached for, in ms: longer than it takes to find out that somebody
 * cannot be.
 */
const ROTATION_MS = 10_000;

/** Somebody who is left alone, and why. */
export interface BannedPeer {
  readonly user: string;
  readonly why: string;
}

/** What the choice depends on besides. */
export interface SelectionContext {
  readonly nowMs: number;
  readonly random: () => number;
  /** Whether the last try to reach somebody has failed, and there is no link that they dialled. */
  readonly isUnreachable: (pin: Pin) => boolean;
  /** Whether there is a link to somebody. */
  readonly isConnected: (pin: Pin) => boolean;
}

export class PeerCandidates {
  readonly #candidates = new Map<Pin, SwarmPeer>();
  /** Peers who have been asked to take part and have not answered. */
  readonly #joining = new Set<Pin>();
  /** Peers left alone: they sent something wrong. */
  readonly #banned = new Map<Pin, BannedPeer>();
  /** Where we begin among equals: any u32. */
  #rotation = 0;
  #rotationEndsMs = -Infinity;

  /** Peers that a tracker knows in this swarm. */
  get all(): readonly SwarmPeer[] {
    return [...this.#candidates.values()];
  }
  add(peers: readonly SwarmPeer[]): void {
    for (const peer of peers) this.#candidates.set(peer.pin, peer);
  }
  remove(pins: readonly Pin[]): void {
    for (const pin of pins) this.#candidates.delete(pin);
  }

  get banned(): ReadonlyMap<Pin, BannedPeer> {
    return this.#banned;
  }
  ban(pin: Pin, peer: BannedPeer): void {
    this.#banned.set(pin, peer);
  }

  /** A peer is asked to take part. */
  onJoinStarted(pin: Pin): void {
    this.#joining.add(pin);
  }
  /** It has answered, or cannot. */
  onJoinEnded(pin: Pin): void {
    this.#joining.delete(pin);
  }
  /** Whether a peer may be asked to take part now. */
  mayJoin(pin: Pin): boolean {
    return !this.#banned.has(pin) && !this.#joining.has(pin);
  }

  /**
   * Whom to reach so that enough take part: those with most of the file first, each of us beginning
   * elsewhere among equals, so that not all come to the same ones. Who cannot be reached comes
   * last, and who does not answer makes room for others after a while.
   *
   * @param connected  those who take part
   */
  select(
    connected: ReadonlySet<Pin>,
    { nowMs, random, isUnreachable, isConnected }: SelectionContext,
  ): readonly SwarmPeer[] {
    if (nowMs >= this.#rotationEndsMs) {
      this.#rotation = Math.floor(random() * 2 ** 32);
      this.#rotationEndsMs = nowMs + ROTATION_MS;
    }
    const place = (pin: Pin): number => (parseInt(pin.slice(0, 8), 16) ^ this.#rotation) >>> 0;
    const rank = ({ pin, leftBytes }: SwarmPeer): number => (isUnreachable(pin) ? 2 : Math.min(1, leftBytes));
    const others = this.all.filter(({ pin }) => !connected.has(pin) && !this.#banned.has(pin));
    const sorted = others.sort((a, b) => rank(a) - rank(b) || place(a.pin) - place(b.pin));
    // Who has everything and is linked to us is asked however many take part: it may have dialled
    // us because nobody can dial it, and be the only one.
    const reached = sorted.filter(
      ({ pin, leftBytes }, n) => n < PEERS_WANTED_MAX - connected.size || (leftBytes === 0 && isConnected(pin)),
    );
    // Those who are being asked may well take part in a moment.
    return reached.filter(({ pin }) => !this.#joining.has(pin));
  }
}
