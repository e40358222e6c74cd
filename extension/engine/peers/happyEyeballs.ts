// One of a machine's addresses, whichever answers: each is dialled a little after the one before,
// as RFC 8305 (Happy Eyeballs) has it. Knows nothing of who is dialled and what for.
import { asShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { Pin } from '../../../protocol/base/ids.ts';
import type { Address } from '../../../protocol/base/fields.ts';
import type { ByteStream, Timer, World } from '../../../protocol/base/world.ts';

/** How long a dial to one address may take, in ms. */
const DIAL_MS = 5_000;
/**
 * After how long the next address is tried beside one that has not answered, in ms (RFC 8305,
 * section 8).
 */
const STAGGER_MS = 250;
/**
 * And beside one that has answered and proves its key: a machine with much to do takes its time,
 * and two handshakes are no faster than one.
 */
const HANDSHAKE_MS = 2_000;

/**
 * The first stream to somebody with this pin; all other attempts are given up then.
 *
 * @throws ShoalError unreachable, pinMismatch: what the last of them came to
 */
export function dialFastest(
  { clock, network }: Pick<World, 'clock' | 'network'>,
  addresses: readonly Address[],
  expect: Pin,
): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const abort = new AbortController();
    const waiting = [...addresses];
    let open = 0;
    let timer: Timer | undefined;
    const after = (waitMs: number): void => {
      timer?.cancel();
      timer = waiting.length > 0 && !abort.signal.aborted ? clock.after(waitMs, next) : undefined;
    };
    const next = (): void => {
      const address = waiting.shift();
      if (!address) return;
      open++;
      after(STAGGER_MS);
      network
        .dial(address, { expect, timeoutMs: DIAL_MS, signal: abort.signal, answered: () => after(HANDSHAKE_MS) })
        .then(won, failed);
    };
    const won = (stream: ByteStream): void => {
      if (abort.signal.aborted) return stream.destroy();
      abort.abort();
      timer?.cancel();
      resolve(stream);
    };
    const failed = (error: unknown): void => {
      open--;
      if (abort.signal.aborted) return;
      if (waiting.length > 0) return after(0);
      if (open === 0) reject(asShoalError(error));
    };
    if (waiting.length === 0) {
      return reject(new ShoalError('unreachable', { address: 'a peer', why: 'it has no address' }));
    }
    next();
  });
}
