// Waiting on the world's clock.
import { ShoalError } from '../base/errors.ts';
import type { Clock } from '../base/world.ts';

/** Resolves after a delay. @throws ShoalError cancelled */
export function wait(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new ShoalError('cancelled'));
    const onAbort = (): void => {
      timer.cancel();
      reject(new ShoalError('cancelled'));
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
