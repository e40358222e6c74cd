// Who may be in a swarm besides those who take part: whom trackers have named, who is being asked now, and who is left alone. Owns these three lists and
// says whom to reach next; dials nobody and asks nobody itself.
import type { Pin } from '../../protocol/ids.ts';
import type { SwarmPeer } from '../../protocol/trackerLink.ts';

/** Members from which on no more are looked for: what each has costs a word to every other, and a piece is never more than some steps away. */
const REACHED_MAX = 16;

/** Somebody who is left alone, and why. */
export interface BannedPeer {
  readonly user: string;
  readonly why: string;
}

export class Contacts {
  readonly #named = new Map<Pin, SwarmPeer>();
  /** Peers who have been asked to take part and have not answered. */
  readonly #asked = new Set<Pin>();
  /** Peers left alone: they sent something wrong. */
  readonly #banned = new Map<Pin, BannedPeer>();

  /** Peers that a tracker knows in this swarm. */
  get named(): readonly SwarmPeer[] {
    return [...this.#named.values()];
  }
  add(peers: readonly SwarmPeer[]): void {
    for (const peer of peers) this.#named.set(peer.pin, peer);
  }
  remove(pins: readonly Pin[]): void {
    for (const pin of pins) this.#named.delete(pin);
  }

  get banned(): ReadonlyMap<Pin, BannedPeer> {
    return this.#banned;
  }
  ban(pin: Pin, peer: BannedPeer): void {
    this.#banned.set(pin, peer);
  }

  /** A peer is asked to take part. */
  asking(pin: Pin): void {
    this.#asked.add(pin);
  }
  /** It has answered, or cannot. */
  answered(pin: Pin): void {
    this.#asked.delete(pin);
  }
  /** Whether a peer may be asked to take part now. */
  mayBeAsked(pin: Pin): boolean {
    return !this.#banned.has(pin) && !this.#asked.has(pin);
  }

  /**
   * Whom to reach so that enough take part: those with most of the file first, each of us beginning elsewhere among equals, so that not all come to
   * the same ones.
   *
   * @param here  those who take part
   * @param turn  where we begin: any u32
   */
  toReach(here: ReadonlySet<Pin>, turn: number): readonly SwarmPeer[] {
    const place = (pin: Pin): number => (parseInt(pin.slice(0, 8), 16) ^ turn) >>> 0;
    const others = this.named.filter(({ pin }) => !here.has(pin) && !this.#banned.has(pin));
    const sorted = others.sort((a, b) => Number(a.leftBytes > 0) - Number(b.leftBytes > 0) || place(a.pin) - place(b.pin));
    // Those who are being asked may well take part in a moment.
    return sorted.slice(0, Math.max(0, REACHED_MAX - here.size)).filter(({ pin }) => !this.#asked.has(pin));
  }
}
