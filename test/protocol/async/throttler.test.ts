import assert from 'node:assert';
import { Throttler } from '../../../protocol/async/throttler.ts';
import type { ThrottlerOptions } from '../../../protocol/async/throttler.ts';
import { ManualClock } from '../../support/simulation/manualClock.ts';

/** When something runs that is requested at these times. */
async function runs(options: ThrottlerOptions, requestsMs: readonly number[], untilMs = 1_000): Promise<number[]> {
  const clock = new ManualClock();
  const ranMs: number[] = [];
  const throttler = new Throttler(clock, options, () => ranMs.push(clock.monotonicMs()));
  for (const atMs of requestsMs) {
    await clock.advance(atMs - clock.monotonicMs());
    throttler.request();
  }
  await clock.advance(untilMs - clock.monotonicMs());
  return ranMs;
}

describe('a throttler', () => {
  it('runs the first request at once and the rest together', async () =>
    assert.deepEqual(await runs({ restMs: 100 }, [0, 10, 20, 99]), [0, 100]));

  it('runs at once again after a rest', async () =>
    assert.deepEqual(await runs({ restMs: 100 }, [0, 150, 160]), [0, 150, 250]));

  it('can wait before the first run, too', async () =>
    assert.deepEqual(await runs({ restMs: 100, delayMs: 30 }, [0, 10, 20, 90]), [30, 130]));

  it('asks anew how long to rest', async () => {
    const rests = [100, 300];
    assert.deepEqual(await runs({ restMs: () => rests.shift() ?? 0 }, [0, 10, 20, 320, 330]), [0, 300, 320, 330]);
  });

  it('forgets what waits when it is cancelled', async () => {
    const clock = new ManualClock();
    let ran = 0;
    const throttler = new Throttler(clock, { restMs: 100 }, () => ran++);
    throttler.request();
    throttler.request();
    throttler.cancel();
    await clock.advance(500);
    assert.equal(ran, 1);
    throttler.request();
    assert.equal(ran, 2);
  });

  it('runs out of turn when told to, and rests then as after any run', async () => {
    const clock = new ManualClock();
    const ranMs: number[] = [];
    const throttler = new Throttler(clock, { restMs: 100 }, () => ranMs.push(clock.monotonicMs()));
    throttler.request();
    await clock.advance(50);
    throttler.runNow();
    throttler.request();
    await clock.advance(200);
    assert.deepEqual(ranMs, [0, 50, 150]);
  });

  it('takes a request while it runs for one that comes after', async () => {
    const clock = new ManualClock();
    let ran = 0;
    const throttler: Throttler = new Throttler(clock, { restMs: 100 }, () => {
      if (ran++ === 0) throttler.request();
    });
    throttler.request();
    assert.equal(ran, 1);
    await clock.advance(100);
    assert.equal(ran, 2);
  });
});
