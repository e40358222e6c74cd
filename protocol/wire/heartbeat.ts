// Keeps an idle link alive and notices a dead one. Looks at the link's traffic once per interval;
// its owner sends the pings and ends the link.
import { HEARTBEATS_MISSED_MAX } from '../base/limits.ts';
import type { Clock, Timer } from '../base/world.ts';

/** Bytes that came, that were written, and how many of these still wait. */
export interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly queuedBytes: number;
}

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly traffic: () => Traffic;
  /** Whether requests wait until the other side has read more of what is queued for it. */
  readonly isHolding: () => boolean;
  /** Nothing was written for an interval: the other side needs a sign of life. */
  readonly onIdle: () => void;
  /** The other side gave none for HEARTBEATS_MISSED_MAX intervals. Called once, at the end. */
  readonly onSilent: () => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: Timer | undefined;
  #silentIntervals = 0;
  /** What the last tick saw, and how much had been written when it was over. */
  #seen: Traffic;
  #writtenBytes: number;

  /** Begins at once. */
  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#seen = options.traffic();
    this.#writtenBytes = this.#seen.bytesOut;
    this.#start();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #start(): void {
    this.#timer = this.#options.clock.after(this.#options.intervalMs, () => this.#tick());
  }

  #tick(): void {
    const { traffic, isHolding, onIdle, onSilent } = this.#options;
    const seen = this.#seen;
    const now = traffic();
    // A queue that shrinks is a sign of life. A side that takes nothing of it while its requests
    // wait counts as dead, whatever it sends.
    const takes = seen.queuedBytes > 0 && now.bytesOut - now.queuedBytes !== seen.bytesOut - seen.queuedBytes;
    const isAlive = takes || (now.bytesIn !== seen.bytesIn && (!isHolding() || now.queuedBytes === 0));
    this.#silentIntervals = isAlive ? 0 : this.#silentIntervals + 1;
    if (this.#silentIntervals >= HEARTBEATS_MISSED_MAX) return onSilent();
    this.#seen = now;
    if (now.bytesOut === this.#writtenBytes) onIdle();
    this.#writtenBytes = traffic().bytesOut;
    this.#start();
  }
}
