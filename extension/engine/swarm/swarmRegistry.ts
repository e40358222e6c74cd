// Which swarms this engine takes part in, and for what: at most one claimant of each, a share, a
// download or a preview. The only owner of that map. Claimants say how they stand, this decides who
// takes part, and tells a claimant to release a swarm or to take one over.
import type { GroupId, Root, SwarmKey } from '../../../protocol/base/ids.ts';
import { swarmKeyText } from '../../../protocol/base/ids.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import type { Swarm } from './swarm.ts';

/** What may take part in a swarm: SwarmLease for a transfer, and Preview. */
export interface SwarmClaimant {
  /** Undefined while the bytes are not known yet. */
  readonly key: SwarmKey | undefined;
  /** While it takes part. */
  readonly swarm: Swarm | undefined;
  readonly store: PieceStore | undefined;
  /** Whether it fetches pieces, or would if it had the swarm. */
  readonly isFetching: boolean;
  /** Whether it should take part and does not: another one of the same bytes was first. */
  readonly wantsSwarm: boolean;
  /** Whether it could take part and does not, if only to serve what it has. */
  readonly lacksSwarm: boolean;
  /** What is left of the file, in bytes, as trackers are told; undefined: they are told nothing. */
  readonly announcedBytes: number | undefined;
  /** Whether it can do without the swarm when another one claims it. */
  canReleaseTo(other: SwarmClaimant): boolean;
  /** Leaves the swarm to another one. Returns the peers it knew there. */
  release(): readonly SwarmPeer[];
  /** The swarm is free: it may claim it now. */
  takeOver(): void;
}

export class SwarmRegistry {
  readonly #claimants = new Set<SwarmClaimant>();
  readonly #holders = new Map<string, SwarmClaimant>();

  add(claimant: SwarmClaimant): void {
    this.#claimants.add(claimant);
  }

  /** It takes over nothing any more. What it holds stays its own until `release`. */
  remove(claimant: SwarmClaimant): void {
    this.#claimants.delete(claimant);
  }

  /** All swarms in which this engine takes part. */
  get swarms(): readonly Swarm[] {
    return [...this.#claimants].flatMap(({ swarm }) => swarm ?? []);
  }
  holder(group: GroupId, root: Root): SwarmClaimant | undefined {
    return this.#holders.get(swarmKeyText({ group, root }));
  }
  get(group: GroupId, root: Root): Swarm | undefined {
    return this.holder(group, root)?.swarm;
  }
  /** The piece hashes of these bytes, if a claimant knows them. */
  pieceHashesOf(root: Root): Uint8Array | undefined {
    for (const { key, store } of this.#claimants) {
      if (key?.root === root && store?.pieceHashes) return store.pieceHashes;
    }
    return undefined;
  }

  /** What the trackers are told: what is left of each, in bytes. */
  presence(): ReadonlyMap<string, { readonly key: SwarmKey; readonly leftBytes: number }> {
    const presence = new Map<string, { key: SwarmKey; leftBytes: number }>();
    for (const { key, announcedBytes } of this.#claimants) {
      if (key && announcedBytes !== undefined) presence.set(swarmKeyText(key), { key, leftBytes: announcedBytes });
    }
    return presence;
  }

  /**
   * Takes a swarm for this claimant. Returns the peers that the one before knew there; undefined
   * when that one needs the swarm for itself.
   */
  claim(by: SwarmClaimant): readonly SwarmPeer[] | undefined {
    if (!by.key) return undefined;
    const text = swarmKeyText(by.key);
    const before = this.#holders.get(text);
    if (before && before !== by && !before.canReleaseTo(by)) return undefined;
    this.#holders.set(text, by);
    return before && before !== by ? before.release() : [];
  }

  /** It takes part no more: one that wants the swarm takes it over. */
  release(by: SwarmClaimant): void {
    if (this.#free(by)) this.offer(by);
  }

  /** It takes part no more, and took part only for a while: one that lacks the swarm takes it over. */
  giveBack(by: SwarmClaimant): void {
    if (this.#free(by)) {
      this.#others(by)
        .find(({ lacksSwarm }) => lacksSwarm)
        ?.takeOver();
    }
  }

  /** It fetches no more for now: one that wants the same bytes may claim the swarm. */
  offer(by: SwarmClaimant): void {
    this.#others(by)
      .find(({ wantsSwarm }) => wantsSwarm)
      ?.takeOver();
  }

  #free(by: SwarmClaimant): boolean {
    if (!by.key || this.#holders.get(swarmKeyText(by.key)) !== by) return false;
    return this.#holders.delete(swarmKeyText(by.key));
  }

  /** The other claimants of the same swarm. */
  #others(by: SwarmClaimant): readonly SwarmClaimant[] {
    const { key } = by;
    if (!key) return [];
    return [...this.#claimants].filter(
      (other) => other !== by && other.key !== undefined && swarmKeyText(other.key) === swarmKeyText(key),
    );
  }
}
