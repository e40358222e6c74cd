// Whom this engine serves at this moment, by person and file: what one wants to know before others
// are cut off. Counts and lists; decides nothing.
import type { Downloader } from '../../../protocol/messages/engineLink.ts';
import { SERVED_MAX } from '../../../protocol/messages/engineLink.ts';
import type { Clock } from '../../../protocol/base/world.ts';
import type { PeerLink } from './peerConnection.ts';
import { Rate } from './rateMeter.ts';
import type { Swarm } from '../swarm/swarm.ts';

/**
 * Who got nothing for so long, in ms, gets its pieces elsewhere or has paused: nobody is waited for
 * who only might come back.
 */
const SERVED_MS = 15_000;

interface Row {
  readonly link: PeerLink;
  readonly swarm: Swarm;
  readonly names: Omit<Downloader, 'bytesPerS'>;
  readonly rate: Rate;
  lastMs: number;
}

export class Served {
  readonly #clock: Clock;
  /** By peer and swarm. */
  readonly #rows = new Map<PeerLink, Map<Swarm, Row>>();
  #seen = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes of a piece went to a peer. */
  sent(link: PeerLink, swarm: Swarm, names: Pick<Downloader, 'group' | 'name'>, bytes: number): void {
    const bySwarm = this.#rows.get(link) ?? new Map<Swarm, Row>();
    this.#rows.set(link, bySwarm);
    const nowMs = this.#clock.monotonicMs();
    const row = bySwarm.get(swarm) ?? {
      link,
      swarm,
      names: { user: link.userIn(swarm.key.group), ...names },
      rate: new Rate(this.#clock),
      lastMs: nowMs,
    };
    bySwarm.set(swarm, row);
    row.rate.count(bytes);
    row.lastMs = nowMs;
  }

  /** Those who have not got all they want, the fastest first; as many as a message takes. */
  list(): readonly Downloader[] {
    this.#forget();
    const rows = [...this.#rows.values()].flatMap((bySwarm) => [...bySwarm.values()]);
    return rows
      .map(({ names, rate }) => ({ ...names, bytesPerS: rate.bytesPerS }))
      .sort((a, b) => b.bytesPerS - a.bytesPerS)
      .slice(0, SERVED_MAX);
  }

  /** Whether others are served than at the last look. */
  look(): boolean {
    const before = this.#seen;
    this.#seen = this.list()
      .map(({ user, group, name }) => JSON.stringify([user, group, name]))
      .sort()
      .join('\n');
    return this.#seen !== before;
  }

  #forget(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [link, bySwarm] of this.#rows) {
      for (const [swarm, { lastMs }] of bySwarm) {
        if (nowMs - lastMs > SERVED_MS || !swarm.isWantedBy(link)) bySwarm.delete(swarm);
      }
      if (bySwarm.size === 0) this.#rows.delete(link);
    }
  }
}
