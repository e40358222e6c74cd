// How long to wait before trying again what has failed several times in a row. Pure.

export interface Backoff {
  /** Delay after the first failure, in ms. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** Growth from one failure to the next. */
  readonly factor: number;
  /**
   * The delay is multiplied by a random number from here to `jitterMax`, both included at most:
   * without it, all who lost the same partner would return in the same moment.
   */
  readonly jitterMin: number;
  readonly jitterMax: number;
}

/**
 * Delay before the next try, in ms.
 *
 * @param failures  in a row, from 1
 */
export function backoffMs(
  { firstMs, maxMs, factor, jitterMin, jitterMax }: Backoff,
  failures: number,
  random: () => number,
): number {
  // Infinity is fine: the minimum bounds it.
  return Math.min(maxMs, firstMs * factor ** (failures - 1)) * (jitterMin + (jitterMax - jitterMin) * random());
}
