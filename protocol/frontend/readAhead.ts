// A shared file read from one place to another in order, some calls ahead, so that the line is
// never idle between two of them. The reader gives the call; nothing is kept.
import { READ_BYTES_MAX } from '../base/limits.ts';

/**
 * Calls under way at once: two megabytes, which is what a fast line carries in the time of one
 * round trip.
 */
const READS_AHEAD = 4;

/**
 * How long one call may take, in ms: the engine says much earlier when nothing comes, but under a
 * small limit a piece takes minutes.
 */
export const READ_MS_MAX = 15 * 60_000;

/** One call: fills memory from a place on; how much there was. */
type ReadPart = (fromByte: number, into: Uint8Array, signal: AbortSignal) => Promise<number>;

/**
 * The bytes in order, a call's worth at a time. Who stops asking, or aborts, stops the fetching.
 * @throws what `read` throws
 */
export async function* readAhead(
  read: ReadPart,
  fromByte: number,
  toByte: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const underWay: Promise<Uint8Array>[] = [];
  let next = fromByte;
  const begin = (): void => {
    const into = new Uint8Array(Math.min(READ_BYTES_MAX, toByte - next));
    const reading = read(next, into, either).then((count) => into.subarray(0, count));
    reading.catch(() => undefined); // it is heard of when its turn comes
    underWay.push(reading);
    next += into.length;
  };
  try {
    for (;;) {
      while (next < toByte && underWay.length < READS_AHEAD) begin();
      const bytes = await underWay.shift();
      if (!bytes) return;
      yield bytes;
    }
  } finally {
    stop.abort();
  }
}
