// Whom this engine serves at this moment, by person and file: what one wants to know before others
// are cut off. Counts and lists; decides nothing.
import type { Downloader } from '../../../protocol/messages/engineLink.ts';
import { SERVED_MAX } from '../../../protocol/messages/engineLink.ts';
import type { Clock } from '../../../protocol/base/world.ts';
import type { PeerConnection, PeerSwarm } from './peerConnection.ts';
import { RateMeter } from './rateMeter.ts';

/**
 * Who got nothing for so long, in ms, gets its pieces elsewhere or has paused: nobody is waited for
 * who only might come back.
 */
const INACTIVE_MS = 15_000;

interface ActiveUpload {
  readonly peer: PeerConnection;
  readonly swarm: PeerSwarm;
  readonly names: Omit<Downloader, 'bytesPerS'>;
  readonly rate: RateMeter;
  lastSentMs: number;
}

export class ActiveUploads {
  readonly #clock: Clock;
  /** By peer and swarm. */
  readonly #rows = new Map<PeerConnection, Map<PeerSwarm, ActiveUpload>>();
  #lastListed = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes of a piece went to a peer. */
  onSent(peer: PeerConnection, swarm: PeerSwarm, names: Pick<Downloader, 'group' | 'name'>, bytes: number): void {
    const bySwarm = this.#rows.get(peer) ?? new Map<PeerSwarm, ActiveUpload>();
    this.#rows.set(peer, bySwarm);
    const nowMs = this.#clock.monotonicMs();
    const row = bySwarm.get(swarm) ?? {
      peer,
      swarm,
      names: { user: peer.userIn(swarm.key.group), ...names },
      rate: new RateMeter(this.#clock),
      lastSentMs: nowMs,
    };
    bySwarm.set(swarm, row);
    row.rate.count(bytes);
    row.lastSentMs = nowMs;
  }

  /** Those who have not got all they want, the fastest first; as many as a message takes. */
  list(): readonly Downloader[] {
    this.#removeInactive();
    const rows = [...this.#rows.values()].flatMap((bySwarm) => [...bySwarm.values()]);
    return rows
      .map(({ names, rate }) => ({ ...names, bytesPerS: rate.bytesPerS }))
      .sort((a, b) => b.bytesPerS - a.bytesPerS)
      .slice(0, SERVED_MAX);
  }

  /** Whether others are served than at the last look. */
  refresh(): boolean {
    const before = this.#lastListed;
    this.#lastListed = this.list()
      .map(({ user, group, name }) => JSON.stringify([user, group, name]))
      .sort()
      .join('\n');
    return this.#lastListed !== before;
  }

  #removeInactive(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [connection, bySwarm] of this.#rows) {
      for (const [swarm, { lastSentMs }] of bySwarm) {
        if (nowMs - lastSentMs > INACTIVE_MS || !swarm.isWantedBy(connection)) bySwarm.delete(swarm);
      }
      if (bySwarm.size === 0) this.#rows.delete(connection);
    }
  }
}
