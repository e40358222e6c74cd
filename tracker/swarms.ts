// Who holds what now: presence, in memory only. An entry lives as long as the link that announced it. Downloaders are told who enters
// and leaves their swarm, a few times a second at most; seeders are told nothing, for they never dial. Nothing here takes time in
// proportion to a swarm: in a large one, everybody hears of some.
import type { AccountId, GroupId, Pin, Root, SwarmKey } from '../protocol/ids.ts';
import { swarmKeyText } from '../protocol/ids.ts';
import { PEERS_PER_REPLY_MAX } from '../protocol/limits.ts';
import type { Address } from '../protocol/nouns.ts';
import { isLoopback } from '../protocol/realm.ts';
import type { SwarmPeer } from '../protocol/trackerLink.ts';
import type { Chance, Clock, Timer } from '../protocol/world.ts';
import { Crowd } from './crowd.ts';

/** How long changes of a swarm are collected before its downloaders hear of them, in ms. */
const TELL_MS = 100;
/** Downloaders that hear of one change; of more, so many at random. Each newcomer gets a choice of peers anyway, and nobody dials more. */
const TOLD_MAX = 64;

/** How long somebody who still lacks something goes on with the peers it was given, in ms, before it is given others: those of a large swarm change. */
const OTHERS_MS = 60_000;

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
  /** Bytes each one lacks, and when it was given peers last. */
  readonly here: Map<Present, { readonly leftBytes: number; readonly givenAtMs: number }>;
  readonly seeders: Crowd<Present>;
  readonly leechers: Crowd<Present>;
  readonly entered: Set<Present>;
  readonly gone: Set<Pin>;
  timer: Timer | undefined;
}

export class Swarms {
  readonly #clock: Clock;
  readonly #chance: Chance;
  /** Told when somebody begins to seed or to download in a group, or ends it. */
  readonly #changed: (group: GroupId) => void;
  readonly #swarms = new Map<string, SwarmState>();
  readonly #of = new Map<Present, Set<SwarmState>>();
  #presences = 0;

  constructor(clock: Clock, chance: Chance, changed: (group: GroupId) => void = () => {}) {
    this.#clock = clock;
    this.#chance = chance;
    this.#changed = changed;
  }

  /** Peers in swarms, each counted once per swarm. */
  get presences(): number {
    return this.#presences;
  }

  /** How many swarms an engine is in. */
  countOf(who: Present): number {
    return this.#of.get(who)?.size ?? 0;
  }

  /** An engine has, or still lacks, so much of a file. Returns whether it is to be given `others` now. */
  update(who: Present, key: SwarmKey, leftBytes: number): boolean {
    const text = swarmKeyText(key);
    let swarm = this.#swarms.get(text);
    if (!swarm) {
      swarm = { key, here: new Map(), seeders: new Crowd(), leechers: new Crowd(), entered: new Set(), gone: new Set(), timer: undefined };
      this.#swarms.set(text, swarm);
    }
    const before = swarm.here.get(who);
    const nowMs = this.#clock.monotonicMs();
    const isDue = leftBytes > 0 && nowMs - (before?.givenAtMs ?? -OTHERS_MS) >= OTHERS_MS;
    swarm.here.set(who, { leftBytes, givenAtMs: isDue ? nowMs : before?.givenAtMs ?? -OTHERS_MS });
    swarm[leftBytes === 0 ? 'leechers' : 'seeders'].remove(who);
    swarm[leftBytes === 0 ? 'seeders' : 'leechers'].add(who);
    if (before === undefined || (before.leftBytes === 0) !== (leftBytes === 0)) this.#changed(key.group);
    if (before) return isDue;
    this.#presences++;
    let mine = this.#of.get(who);
    if (!mine) this.#of.set(who, (mine = new Set()));
    mine.add(swarm);
    this.#enter(who, swarm);
    return isDue;
  }

  /** An engine listens elsewhere now: its swarms hear of it as of somebody new. */
  moved(who: Present): void {
    for (const swarm of this.#of.get(who) ?? []) this.#enter(who, swarm);
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
    return { seeders: swarm?.seeders.size ?? 0, leechers: swarm?.leechers.size ?? 0 };
  }

  /** Others in a swarm, chosen at random; half of them have the whole file, if there are so many. */
  others(who: Present, key: SwarmKey, max = PEERS_PER_REPLY_MAX): readonly SwarmPeer[] {
    const swarm = this.#swarms.get(swarmKeyText(key));
    if (!swarm) return [];
    const seeders = Math.min(swarm.seeders.size, Math.max(Math.ceil(max / 2), max - swarm.leechers.size));
    // One more: the one who asks may be among them.
    const chosen = [...swarm.seeders.choose(seeders, this.#chance), ...swarm.leechers.choose(max - seeders + 1, this.#chance)];
    return chosen.filter((other) => other !== who).slice(0, max).map((other) => peerFor(who, other, leftOf(swarm, other)));
  }

  #enter(who: Present, swarm: SwarmState): void {
    swarm.entered.add(who);
    swarm.gone.delete(who.pin);
    this.#tellSoon(swarm);
  }

  #remove(who: Present, swarm: SwarmState): void {
    if (!swarm.here.delete(who)) return;
    this.#changed(swarm.key.group);
    swarm.seeders.remove(who);
    swarm.leechers.remove(who);
    swarm.entered.delete(who);
    swarm.gone.add(who.pin);
    const mine = this.#of.get(who);
    mine?.delete(swarm);
    if (mine?.size === 0) this.#of.delete(who);
    this.#presences--;
    if (swarm.here.size > 0) return this.#tellSoon(swarm);
    swarm.timer?.cancel();
    this.#swarms.delete(swarmKeyText(swarm.key));
  }

  #tellSoon(swarm: SwarmState): void {
    swarm.timer ??= this.#clock.after(TELL_MS, () => {
      swarm.timer = undefined;
      this.#tell(swarm);
      if (swarm.entered.size > 0 || swarm.gone.size > 0) this.#tellSoon(swarm);
    });
  }

  /** Tells as much as one message takes; the rest follows with the next. */
  #tell(swarm: SwarmState): void {
    const entered = take(swarm.entered, PEERS_PER_REPLY_MAX);
    const gone = take(swarm.gone, PEERS_PER_REPLY_MAX);
    for (const who of swarm.leechers.choose(TOLD_MAX, this.#chance)) {
      const joined = entered.filter((one) => one !== who).map((one) => peerFor(who, one, leftOf(swarm, one)));
      const left = gone.filter((pin) => pin !== who.pin);
      if (joined.length > 0 || left.length > 0) who.tell({ ...swarm.key, joined, left });
    }
  }
}

const leftOf = (swarm: SwarmState, who: Present): number => swarm.here.get(who)?.leftBytes ?? 0;

function take<T>(from: Set<T>, max: number): T[] {
  const taken: T[] = [];
  for (const each of from) {
    if (taken.length === max) break;
    taken.push(each);
    from.delete(each);
  }
  return taken;
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
