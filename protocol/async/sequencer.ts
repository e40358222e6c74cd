// Runs tasks one after another: each starts when the one before it has ended, whether that one
// succeeded or failed. The one way to keep writers of the same thing in order.
import { ShoalError } from '../base/errors.ts';

export class Sequencer {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Runs a task when all tasks before it have ended. A failure reaches only the caller of that
   * task.
   *
   * @param signal  gives up waiting for the turn; a task that has started is not interrupted
   * @throws ShoalError cancelled, at once while the task waits; otherwise what the task throws
   */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(new ShoalError('cancelled'));
    if (!signal) {
      const result = this.#last.then(task);
      this.#last = result.catch(() => {});
      return result;
    }
    let isWaiting = true;
    const result = this.#last.then(() => {
      isWaiting = false;
      if (signal.aborted) throw new ShoalError('cancelled');
      return task();
    });
    this.#last = result.catch(() => {});
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        if (isWaiting) reject(new ShoalError('cancelled'));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  /** Resolves when all tasks that were queued until now have ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
