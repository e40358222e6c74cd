// Who holds what now: presence, in memory only. An entry lives as long as the link that announced
// it. Downloaders are told who enters and leaves their swarm, a few times a second at most; seeders
// are told nothing, for they never dial. Nothing here takes time in proportion to a swarm: in a
// large one, each hears of some.
import type { AccountId, GroupId, Pin, Root, SwarmKey } from '../../protocol/base/ids.ts';
import { PEERS_PER_REPLY_MAX } from '../../protocol/base/limits.ts';
import type { Address } from '../../protocol/base/fields.ts';
import { isLoopback } from '../../protocol/base/address.ts';
import type { SwarmPeer } from '../../protocol/messages/trackerLink.ts';
import type { Chance, Clock, Timer } from '../../protocol/base/world.ts';

/** How long changes of a swarm are collected before its downloaders hear of them, in ms. */
const NOTIFY_MS = 100;
/**
 * Downloaders that hear of one change; of more, so many at random. Each newcomer gets a choice of
 * peers anyway, and nobody dials more.
 */
const NOTIFIED_MAX = 64;

/**
 * How long an engine that still lacks something keeps the peers it was given, in ms, before it
 * is given others: those of a large swarm change.
 */
const OTHERS_MS = 60_000;

/** An engine as the swarms see it. */
export interface PresentPeer {
  readonly pin: Pin;
  readonly account: AccountId;
  readonly user: string;
  /** Where it says that it listens. */
  readonly addresses: readonly Address[];
  /** The address its link comes from. */
  readonly host: string;
  notify(change: {
    readonly group: GroupId;
    readonly root: Root;
    readonly joined: readonly SwarmPeer[];
    readonly left: readonly Pin[];
  }): void;
}

/**
 * A swarm, in arrays: a presence is four numbers and no object, since there are as many as files
 * times people.
 */
interface SwarmState {
  readonly key: SwarmKey;
  /** First all seeders, then all leechers. */
  readonly here: PresentPeer[];
  /** Bytes each one lacks, and when it was given peers last, by its place in `here`. */
  readonly leftBytes: number[];
  readonly givenAtMs: number[];
  seeders: number;
  /** What its downloaders have not been told of yet; undefined when that is nothing. */
  entered: Set<PresentPeer> | undefined;
  gone: Set<Pin> | undefined;
  timer: Timer | undefined;
}

export class Swarms {
  readonly #clock: Clock;
  readonly #chance: Chance;
  /** Told when an engine begins to seed or to download in a group, or ends it. */
  readonly #onChange: (group: GroupId) => void;
  readonly #swarms = new Map<GroupId, Map<Root, SwarmState>>();
  /** The swarms that an engine is in, and its place in each. */
  readonly #of = new Map<PresentPeer, Map<SwarmState, number>>();
  #presences = 0;

  constructor(clock: Clock, chance: Chance, onChange: (group: GroupId) => void = () => {}) {
    this.#clock = clock;
    this.#chance = chance;
    this.#onChange = onChange;
  }

  /** Peers in swarms, each counted once per swarm. */
  get presences(): number {
    return this.#presences;
  }

  /** How many swarms an engine is in. */
  countOf(who: PresentPeer): number {
    return this.#of.get(who)?.size ?? 0;
  }

  /**
   * An engine has, or still lacks, so much of a file. Returns whether it is to be given `others`
   * now.
   */
  update(who: PresentPeer, key: SwarmKey, leftBytes: number): boolean {
    const swarm = this.#find(key);
    const place = swarm && this.#placeOf(swarm, who);
    if (!swarm || place === undefined) {
      this.#join(who, key, leftBytes, swarm);
      return leftBytes > 0;
    }
    const nowMs = this.#clock.monotonicMs();
    // Who had it all and lacks something again (it repairs a file) knows nobody.
    const isDue = leftBytes > 0 && (swarm.leftBytes[place] === 0 || nowMs - (swarm.givenAtMs[place] ?? 0) >= OTHERS_MS);
    swarm.leftBytes[place] = leftBytes;
    if (isDue) swarm.givenAtMs[place] = nowMs;
    if (place < swarm.seeders !== (leftBytes === 0)) {
      this.#sort(swarm, place, leftBytes === 0);
      this.#onChange(key.group);
    }
    return isDue;
  }

  /** An engine listens elsewhere now: its swarms hear of it as of a new one. */
  moved(who: PresentPeer): void {
    for (const swarm of this.#of.get(who)?.keys() ?? []) this.#enter(who, swarm);
  }

  /** An engine takes no part in a swarm any more. */
  remove(who: PresentPeer, key: SwarmKey): void {
    const swarm = this.#find(key);
    if (swarm) this.#remove(who, swarm);
  }

  /** An engine is gone, or no longer in a group. */
  removeAll(who: PresentPeer, group?: GroupId): void {
    for (const swarm of [...(this.#of.get(who)?.keys() ?? [])]) {
      if (group === undefined || swarm.key.group === group) this.#remove(who, swarm);
    }
  }

  counts(key: SwarmKey): { readonly seeders: number; readonly leechers: number } {
    const swarm = this.#find(key);
    return { seeders: swarm?.seeders ?? 0, leechers: swarm ? leechersIn(swarm) : 0 };
  }

  /**
   * Others in a swarm, chosen at random; half of them have the whole file, if there are so many.
   */
  others(who: PresentPeer, key: SwarmKey, max = PEERS_PER_REPLY_MAX): readonly SwarmPeer[] {
    const swarm = this.#find(key);
    if (!swarm) return [];
    const leechers = leechersIn(swarm);
    const seeders = Math.min(swarm.seeders, Math.max(Math.ceil(max / 2), max - leechers));
    // One more: the one who asks may be among them.
    const places = [
      ...this.#choose(0, swarm.seeders, seeders),
      ...this.#choose(swarm.seeders, leechers, max - seeders + 1),
    ];
    const chosen = places.filter((place) => swarm.here[place] !== who).slice(0, max);
    return chosen.map((place) => peerFor(who, swarm.here[place] as PresentPeer, swarm.leftBytes[place] ?? 0));
  }

  #find({ group, root }: SwarmKey): SwarmState | undefined {
    return this.#swarms.get(group)?.get(root);
  }

  #placeOf(swarm: SwarmState, who: PresentPeer): number | undefined {
    return this.#of.get(who)?.get(swarm);
  }

  #join(who: PresentPeer, key: SwarmKey, leftBytes: number, known: SwarmState | undefined): void {
    const givenAtMs = leftBytes > 0 ? this.#clock.monotonicMs() : -OTHERS_MS;
    const swarm = known ?? this.#make(key, who, leftBytes, givenAtMs);
    const place = known ? known.here.push(who) - 1 : 0;
    known?.leftBytes.push(leftBytes);
    known?.givenAtMs.push(givenAtMs);
    const mine = this.#of.get(who);
    if (mine) mine.set(swarm, place);
    else this.#of.set(who, new Map([[swarm, place]]));
    if (leftBytes === 0) this.#sort(swarm, place, true);
    this.#presences++;
    this.#onChange(key.group);
    this.#enter(who, swarm);
  }

  /**
   * A swarm with its first peer. Most have only that one: an array that is made with one value has
   * room for no more, one that it is pushed into for 17.
   */
  #make(key: SwarmKey, who: PresentPeer, leftBytes: number, givenAtMs: number): SwarmState {
    const swarm: SwarmState = {
      key,
      here: [who],
      leftBytes: [leftBytes],
      givenAtMs: [givenAtMs],
      seeders: 0,
      entered: undefined,
      gone: undefined,
      timer: undefined,
    };
    const ofGroup = this.#swarms.get(key.group);
    if (ofGroup) ofGroup.set(key.root, swarm);
    else this.#swarms.set(key.group, new Map([[key.root, swarm]]));
    return swarm;
  }

  /** Moves an engine over the border between leechers and seeders. */
  #sort(swarm: SwarmState, place: number, toSeeders: boolean): void {
    if (toSeeders) this.#swap(swarm, place, swarm.seeders++);
    else this.#swap(swarm, place, --swarm.seeders);
  }

  #swap(swarm: SwarmState, a: number, b: number): void {
    if (a === b) return;
    for (const all of [swarm.here, swarm.leftBytes, swarm.givenAtMs] as unknown[][]) {
      [all[a], all[b]] = [all[b], all[a]];
    }
    for (const place of [a, b]) this.#of.get(swarm.here[place] as PresentPeer)?.set(swarm, place);
  }

  /**
   * So many different places from `first` on, or all of them in any order when there are no more.
   */
  #choose(first: number, size: number, count: number): readonly number[] {
    // The beginning of a Fisher-Yates shuffle that remembers only what was moved.
    const moved = new Map<number, number>();
    return Array.from({ length: Math.min(count, size) }, (_, n) => {
      const m = n + Math.floor(this.#chance.random() * (size - n));
      const chosen = moved.get(m) ?? m;
      moved.set(m, moved.get(n) ?? n);
      return first + chosen;
    });
  }

  #enter(who: PresentPeer, swarm: SwarmState): void {
    (swarm.entered ??= new Set()).add(who);
    swarm.gone?.delete(who.pin);
    this.#notifySoon(swarm);
  }

  #remove(who: PresentPeer, swarm: SwarmState): void {
    const mine = this.#of.get(who);
    const place = mine?.get(swarm);
    if (!mine || place === undefined) return;
    // To the end of the seeders if it is one, then to the end of all.
    if (place < swarm.seeders) this.#sort(swarm, place, false);
    this.#swap(swarm, mine.get(swarm) ?? place, swarm.here.length - 1);
    for (const all of [swarm.here, swarm.leftBytes, swarm.givenAtMs]) all.pop();
    mine.delete(swarm);
    if (mine.size === 0) this.#of.delete(who);
    this.#presences--;
    this.#onChange(swarm.key.group);
    swarm.entered?.delete(who);
    (swarm.gone ??= new Set()).add(who.pin);
    if (swarm.here.length > 0) return this.#notifySoon(swarm);
    swarm.timer?.cancel();
    const { group, root } = swarm.key;
    const ofGroup = this.#swarms.get(group);
    ofGroup?.delete(root);
    if (ofGroup?.size === 0) this.#swarms.delete(group);
  }

  #notifySoon(swarm: SwarmState): void {
    swarm.timer ??= this.#clock.after(NOTIFY_MS, () => {
      swarm.timer = undefined;
      this.#notify(swarm);
      if (swarm.entered?.size === 0) swarm.entered = undefined;
      if (swarm.gone?.size === 0) swarm.gone = undefined;
      if (swarm.entered || swarm.gone) this.#notifySoon(swarm);
    });
  }

  /** Tells as much as one message takes; the rest follows with the next. */
  #notify(swarm: SwarmState): void {
    const entered = takeSome(swarm.entered, PEERS_PER_REPLY_MAX);
    const gone = takeSome(swarm.gone, PEERS_PER_REPLY_MAX);
    for (const place of this.#choose(swarm.seeders, leechersIn(swarm), NOTIFIED_MAX)) {
      const who = swarm.here[place] as PresentPeer;
      const joined = entered
        .filter((one) => one !== who)
        .map((one) => peerFor(who, one, swarm.leftBytes[this.#placeOf(swarm, one) ?? -1] ?? 0));
      const left = gone.filter((pin) => pin !== who.pin);
      if (joined.length > 0 || left.length > 0) who.notify({ ...swarm.key, joined, left });
    }
  }
}

const leechersIn = (swarm: SwarmState): number => swarm.here.length - swarm.seeders;

function takeSome<T>(from: Set<T> | undefined, max: number): T[] {
  const taken: T[] = [];
  for (const each of from ?? []) {
    if (taken.length === max) break;
    taken.push(each);
    from?.delete(each);
  }
  return taken;
}

/**
 * A peer as another one may dial it: the addresses it reports, and the one its link comes from with
 * its port. Loopback means another machine to all others, so it is given only to those who are
 * on this machine too.
 */
export function peerFor(
  asker: Pick<PresentPeer, 'host'>,
  peer: Omit<PresentPeer, 'notify'>,
  leftBytes: number,
): SwarmPeer {
  const local = isLoopback(asker.host) && isLoopback(peer.host);
  const port = peer.addresses[0]?.port;
  const seen = port === undefined || isLoopback(peer.host) ? [] : [{ host: peer.host, port }];
  const reported = peer.addresses.filter(({ host }) => local || !isLoopback(host));
  const all = [...seen, ...reported].sort((a, b) => Number(isLoopback(b.host)) - Number(isLoopback(a.host)));
  const addresses = all.filter(
    ({ host, port: at }, n) => all.findIndex((other) => other.host === host && other.port === at) === n,
  );
  return { pin: peer.pin, account: peer.account, user: peer.user, addresses, leftBytes };
}
