// Limits under a clock that only the test moves: whatever is moved, and in whatever portions, ten
// seconds of it are what was set.
import assert from 'node:assert';
import fc from 'fast-check';
import { BufferPool } from '../../../../extension/engine/peers/bufferPool.ts';
import { RateLimiter } from '../../../../extension/engine/peers/rateLimiter.ts';
import { UploadQueue } from '../../../../extension/engine/peers/uploadQueue.ts';
import type { UploadFile, UploadPeer } from '../../../../extension/engine/peers/uploadRequest.ts';
import { RAW_HEAD_ROOM_BYTES } from '../../../../protocol/wire/frame.ts';
import { SPAN_BYTES_MAX } from '../../../../protocol/base/limits.ts';
import { simulate } from '../../../support/simulation/simulatedWorld.ts';
import type { Simulation } from '../../../support/simulation/simulatedWorld.ts';

const TEN_S = 10_000;
/** How far from the limit ten seconds of moving bytes may be. */
const OFF_MAX = 0.02;
const LIMITS = [20_000, 100_000, 1_000_000, 20_000_000, 200_000_000];

const clockOf = (sim: Simulation) => sim.clock({ isAlive: true, skewMs: 0 });

function isClose(movedBytes: number, bytesPerS: number, what: string): void {
  const off = movedBytes / (bytesPerS * (TEN_S / 1000)) - 1;
  assert.ok(Math.abs(off) <= OFF_MAX, `${what} at ${bytesPerS} B/s: ${(off * 100).toFixed(2)} % off`);
}

describe('a limit', function () {
  this.timeout(60_000);

  for (const limit of LIMITS) {
    it(`of ${limit} B/s holds for what is taken in line`, () =>
      simulate(1, async (sim) => {
        const limiter = new RateLimiter(clockOf(sim), limit);
        let moved = 0;
        let isOn = true;
        const taker = async (): Promise<void> => {
          while (isOn) {
            const bytes = Math.min(SPAN_BYTES_MAX, limiter.portionBytes);
            await limiter.take(bytes);
            moved += bytes;
          }
        };
        for (let n = 0; n < 3; n++) void taker();
        await sim.advance(1_000);
        const before = moved;
        await sim.advance(TEN_S);
        isClose(moved - before, limit, 'taking');
        isOn = false;
      }));

    it(`of ${limit} B/s holds for what is sent, of all together and of one file`, () =>
      simulate(2, async (sim) => {
        const clock = clockOf(sim);
        const uploadQueue = new UploadQueue({
          clock,
          uploadLimiter: new RateLimiter(clock, limit),
          buffers: new BufferPool(RAW_HEAD_ROOM_BYTES),
        });
        const moved = { all: 0, slow: 0 };
        const signal = new AbortController().signal;
        let isOn = true;
        const files: readonly UploadFile[] = [
          { uploadLimiter: new RateLimiter(clock), leechersWith: () => 0 },
          { uploadLimiter: new RateLimiter(clock, limit / 4), leechersWith: () => 0 },
        ];
        const asker = async (file: UploadFile): Promise<void> => {
          const peer: UploadPeer = { isWritable: true, writable: () => Promise.resolve() };
          for (let [piece, offset] = [0, 0]; isOn;) {
            const { raw, taken } = await uploadQueue.request({
              peer,
              file,
              piece,
              offset,
              lengthBytes: SPAN_BYTES_MAX - offset,
              signal,
              read: () => Promise.resolve(),
            });
            moved.all += raw.length;
            if (file === files[1]) moved.slow += raw.length;
            offset += raw.length;
            if (offset >= SPAN_BYTES_MAX) [piece, offset] = [piece + 1, 0];
            taken();
          }
        };
        for (const file of files) for (let n = 0; n < 3; n++) void asker(file);
        await sim.advance(1_000);
        const before = { ...moved };
        await sim.advance(TEN_S);
        isClose(moved.all - before.all, limit, 'sending');
        assert.ok(moved.slow - before.slow <= (limit / 4) * 10 * (1 + OFF_MAX), 'one file kept its own limit');
        isOn = false;
      }));
  }

  it('is passed by no request, however large, and by none for ever', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4 * SPAN_BYTES_MAX }), { minLength: 1, maxLength: 20 }),
        (sizes) =>
          simulate(3, async (sim) => {
            const limit = 1_000_000;
            const limiter = new RateLimiter(clockOf(sim), limit);
            await Promise.all(sizes.map(async (bytes) => limiter.take(bytes)));
            // The last may leave a debt, and 50 ms of it are free after a rest.
            const sum = sizes.slice(0, -1).reduce((all, bytes) => all + bytes, 0);
            assert.ok(sim.nowMs >= (sum / limit) * 1000 - 51, `${sum} bytes in ${sim.nowMs} ms`);
          }),
      ),
      { numRuns: 50 },
    ));

  it('is gone at once when it is lifted', () =>
    simulate(4, async (sim) => {
      const limiter = new RateLimiter(clockOf(sim), 1_000);
      const slow = [1, 2].map(async () => limiter.take(1_000_000));
      await sim.advance(10);
      limiter.set(0);
      await Promise.all(slow);
      assert.ok(sim.nowMs < 20);
    }));
});
