// How often a person may try a password or make an account: a bucket per key that fills with time.
// An office behind one address is not a burglar, so the buckets are deep; this machine itself is
// exempt.
import { isLoopback } from '../../protocol/base/address.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import type { Clock } from '../../protocol/base/world.ts';

/**
 * Tries at a password for one account from one address: a person who does not remember which one it
 * was.
 */
export const PASSWORDS_PER_USER = { depth: 10, perMinute: 10 } as const;
/** Tries at passwords from one address: a whole office that mistypes it on Monday. */
export const PASSWORDS_PER_HOST = { depth: 200, perMinute: 60 } as const;
/** New accounts from one address: a team of 200 on its first day. */
export const ACCOUNTS_PER_HOST = { depth: 500, perMinute: 10 } as const;

/** Keys remembered; when there are more, all begin anew: memory matters more than a few tries. */
const KEYS_MAX = 20_000;

export class AttemptLimiter {
  readonly #clock: Clock;
  readonly #burstMax: number;
  readonly #perMinute: number;
  readonly #buckets = new Map<string, { left: number; atMs: number }>();

  constructor(clock: Clock, { depth, perMinute }: { readonly depth: number; readonly perMinute: number }) {
    this.#clock = clock;
    this.#burstMax = depth;
    this.#perMinute = perMinute;
  }

  /** Counts a try. @throws ShoalError rateLimited */
  take(key: string, host: string): void {
    if (isLoopback(host)) return;
    const bucket = this.#bucket(key);
    if (bucket.left < 1) {
      throw new ShoalError('rateLimited', { seconds: Math.ceil(((1 - bucket.left) * 60) / this.#perMinute) });
    }
    bucket.left--;
  }

  /** The try was right: it does not count. */
  giveBack(key: string): void {
    const bucket = this.#buckets.get(key);
    if (bucket) bucket.left = Math.min(this.#burstMax, bucket.left + 1);
  }

  #bucket(key: string): { left: number; atMs: number } {
    const now = this.#clock.monotonicMs();
    if (this.#buckets.size > KEYS_MAX) this.#buckets.clear();
    const bucket = this.#buckets.get(key) ?? { left: this.#burstMax, atMs: now };
    bucket.left = Math.min(this.#burstMax, bucket.left + ((now - bucket.atMs) * this.#perMinute) / 60_000);
    bucket.atMs = now;
    this.#buckets.set(key, bucket);
    return bucket;
  }
}
