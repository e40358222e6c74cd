import assert from 'node:assert';
import fc from 'fast-check';
import { backoffMs } from '../../../protocol/async/backoff.ts';

const policy = { firstMs: 100, maxMs: 1_000, factor: 2, jitterMin: 1, jitterMax: 1 };

describe('back-off', () => {
  it('doubles up to its maximum', () =>
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 10_000].map((failures) => backoffMs(policy, failures, () => 0.5)),
      [100, 200, 400, 800, 1_000, 1_000, 1_000],
    ));

  it('spreads the delay over its bounds', () =>
    assert.deepEqual(
      [0, 0.5, 1].map((chance) => backoffMs({ ...policy, jitterMin: 0.8, jitterMax: 1.2 }, 1, () => chance)),
      [80, 100, 120],
    ));

  it('never leaves its bounds', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, chance) => {
          const delayMs = backoffMs({ ...policy, jitterMin: 0.5, jitterMax: 1.5 }, failures, () => chance);
          assert.ok(delayMs >= 50 && delayMs <= 1_500, `${delayMs}`);
        },
      ),
    ));
});
