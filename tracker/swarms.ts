// Who holds what now: presence, in memory only. An entry lives as long as the link that announced it. Downloaders are told who enters
// and leaves their swarm, a few times a second at most; seeders are told nothing, for they never dial.
import type { AccountId, GroupId, Pin, Root, SwarmKey } from '../protocol/ids.ts';
import { swarmKeyText } from '../protocol/ids.ts';
import { PEERS_PER_REPLY_MAX } from '../protocol/limits.ts';
import type { Address } from '../protocol/nouns.ts';
import type { SwarmPeer } from '../protocol/trackerLink.ts';
import type { Chance, Clock, Timer } from '../protocol/world.ts';
import { isLoopback } from './tries.ts';

/** How long changes of a swarm are collected before its downloaders hear of them, in ms. */
const TELL_MS = 100;

/** An engine as the swarms see it. */
export interface Present {
  readonly pin: Pin;
  readonly account: AccountId;
  readonly user: string;
  /** Where it says that it listens. */
  readonly addresses: readonly Address[];
  /** The address its link comes from. */
  readonly host: string;
  tell(change: { readonly group: GroupId; readonly root: Root; readonly joined: readonly SwarmPeer[]; readonly left: readonly Pin[] }): void;
}

interface SwarmState {
  readonly key: SwarmKey;
  readonly peers: Map<Present, number>;
  seeders: number;
  joined: Set<Present>;
  left: Set<Pin>;
  timer: Timer | undefined;
}

export class Swarms {
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #swarms = new Map<string, SwarmState>();
  readonly #of = new Map<Present, Set<SwarmState>>();
  #presences = 0;

  constructor(clock: Clock, chance: Chance) {
    this.#clock = clock;
    this.#chance = chance;
  }

  /** Peers in swarms, each counted once per swarm. */
  get presences(): number {
    return this.#presences;
  }

  /** An engine has, or still lacks, so much of a file. */
  update(who: Present, key: SwarmKey, leftBytes: number): void {
    const text = swarmKeyText(key);
    let swarm = this.#swarms.get(text);
    if (!swarm) this.#swarms.set(text, (swarm = { key, peers: new Map(), seeders: 0, joined: new Set(), left: new Set(), timer: undefined }));
    const before = swarm.peers.get(who);
    swarm.peers.set(who, leftBytes);
    if (before === 0) swarm.seeders--;
    if (leftBytes === 0) swarm.seeders++;
    if (before !== undefined) return;
    this.#presences++;
    let mine = this.#of.get(who);
    if (!mine) this.#of.set(who, (mine = new Set()));
    mine.add(swarm);
    swarm.joined.add(who);
    this.#tellSoon(swarm);
  }

  /** An engine takes no part in a swarm any more. */
  remove(who: Present, key: SwarmKey): void {
    const swarm = this.#swarms.get(swarmKeyText(key));
    if (swarm) this.#remove(who, swarm);
  }

  /** An engine is gone, or no longer in a group. */
  removeAll(who: Present, group?: GroupId): void {
    for (const swarm of [...(this.#of.get(who) ?? [])]) if (group === undefined || swarm.key.group === group) this.#remove(who, swarm);
  }

  counts(key: SwarmKey): { readonly seeders: number; readonly leechers: number } {
    const swarm = this.#swarms.get(swarmKeyText(key));
    return swarm ? { seeders: swarm.seeders, leechers: swarm.peers.size - swarm.seeders } : { seeders: 0, leechers: 0 };
  }

  /** Others in a swarm, a random choice of them when there are many. */
  others(who: Present, key: SwarmKey): readonly SwarmPeer[] {
    const swarm = this.#swarms.get(swarmKeyText(key));
    if (!swarm) return [];
    const all = [...swarm.peers.keys()].filter((other) => other !== who);
    for (let n = 0; n < Math.min(all.length, PEERS_PER_REPLY_MAX); n++) {
      const m = n + Math.floor(this.#chance.random() * (all.length - n));
      const [a, b] = [all[n], all[m]];
      if (a && b) [all[n], all[m]] = [b, a];
    }
    return all.slice(0, PEERS_PER_REPLY_MAX).map((other) => peerFor(who, other, swarm.peers.get(other) ?? 0));
  }

  #remove(who: Present, swarm: SwarmState): void {
    const left = swarm.peers.get(who);
    if (left === undefined) return;
    swarm.peers.delete(who);
    this.#of.get(who)?.delete(swarm);
    if (this.#of.get(who)?.size === 0) this.#of.delete(who);
    this.#presences--;
    if (left === 0) swarm.seeders--;
    swarm.joined.delete(who);
    swarm.left.add(who.pin);
    if (swarm.peers.size > 0) return this.#tellSoon(swarm);
    swarm.timer?.cancel();
    this.#swarms.delete(swarmKeyText(swarm.key));
  }

  #tellSoon(swarm: SwarmState): void {
    swarm.timer ??= this.#clock.after(TELL_MS, () => {
      swarm.timer = undefined;
      const joined = [...swarm.joined].slice(0, PEERS_PER_REPLY_MAX);
      const left = [...swarm.left].slice(0, PEERS_PER_REPLY_MAX);
      for (const one of joined) swarm.joined.delete(one);
      for (const pin of left) swarm.left.delete(pin);
      for (const [who, leftBytes] of swarm.peers) {
        if (leftBytes === 0) continue;
        const others = joined.filter((one) => one !== who && swarm.peers.has(one)).map((one) => peerFor(who, one, swarm.peers.get(one) ?? 0));
        if (others.length > 0 || left.length > 0) who.tell({ ...swarm.key, joined: others, left });
      }
      if (swarm.joined.size > 0 || swarm.left.size > 0) this.#tellSoon(swarm);
    });
  }
}

/**
 * A peer as another one may dial it: the addresses it reports, and the one its link comes from with its port. Loopback means another
 * machine to everybody else, so it is given only to those who are on this machine too.
 */
export function peerFor(asker: Pick<Present, 'host'>, peer: Omit<Present, 'tell'>, leftBytes: number): SwarmPeer {
  const local = isLoopback(asker.host) && isLoopback(peer.host);
  const port = peer.addresses[0]?.port;
  const seen = port === undefined || isLoopback(peer.host) ? [] : [{ host: peer.host, port }];
  const reported = peer.addresses.filter(({ host }) => local || !isLoopback(host));
  const all = [...seen, ...reported].sort((a, b) => Number(isLoopback(b.host)) - Number(isLoopback(a.host)));
  const addresses = all.filter(({ host, port: at }, n) => all.findIndex((other) => other.host === host && other.port === at) === n);
  return { pin: peer.pin, account: peer.account, user: peer.user, addresses, leftBytes };
}
