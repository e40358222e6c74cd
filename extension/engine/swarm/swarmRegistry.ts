// Every swarm this engine takes part in, whether for a transfer or for what is only read, and what
// of it the trackers shall hear. Looks; owns nothing and changes nothing.
import type { GroupId, Root, SwarmKey } from '../../../protocol/base/ids.ts';
import { swarmKeyText } from '../../../protocol/base/ids.ts';
import type { PreviewCache } from '../previews/previewCache.ts';
import { announcedBytes } from '../transfers/transferStatus.ts';
import type { Swarm } from './swarm.ts';
import type { Transfers } from '../transfers/transfers.ts';

export class SwarmRegistry {
  readonly #transfers: Transfers;
  readonly #previews: PreviewCache;

  constructor(transfers: Transfers, previews: PreviewCache) {
    this.#transfers = transfers;
    this.#previews = previews;
  }

  get all(): readonly Swarm[] {
    return [...this.#transfers.all, ...this.#previews.all].flatMap(({ swarm }) => swarm ?? []);
  }
  of(group: GroupId, root: Root): Swarm | undefined {
    return this.#transfers.ofSwarm(group, root)?.swarm ?? this.#previews.get({ group, root })?.swarm;
  }

  /** What is left of each, in bytes. */
  presence(): ReadonlyMap<string, { readonly key: SwarmKey; readonly leftBytes: number }> {
    const presence = new Map<string, { key: SwarmKey; leftBytes: number }>();
    for (const transfer of this.#transfers.all) {
      const { key, record } = transfer;
      const leftBytes = announcedBytes(transfer);
      // A share is announced when the group knows of it; what it is announced for must be in the
      // catalogue.
      if (key && leftBytes !== undefined && record.told) presence.set(swarmKeyText(key), { key, leftBytes });
    }
    for (const {
      file: { key },
      leftBytes,
    } of this.#previews.all) {
      if (!presence.has(swarmKeyText(key))) presence.set(swarmKeyText(key), { key, leftBytes });
    }
    return presence;
  }
}
