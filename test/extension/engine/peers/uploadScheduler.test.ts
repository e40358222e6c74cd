import assert from 'node:assert';
import { nextUpload, STARVATION_MS } from '../../../../extension/engine/peers/uploadScheduler.ts';
import type { UploadCandidate } from '../../../../extension/engine/peers/uploadScheduler.ts';
import { SuperSeeding } from '../../../../extension/engine/peers/superSeeding.ts';
import type { UploadFile, UploadPeer } from '../../../../extension/engine/peers/uploadRequest.ts';
import { RateLimiter } from '../../../../extension/engine/peers/rateLimiter.ts';
import { ManualClock } from '../../../support/simulation/manualClock.ts';

const NOW_MS = 100_000;

/** Reads a line of requests: `continued  copies  kept  served  waits (ms)`. Who is next? */
function next(text: string): number | undefined {
  const line = text
    .trim()
    .split('\n')
    .slice(1)
    .map((row): UploadCandidate => {
      const [continued, copies, kept, served, waits] = row.trim().split(/\s+/);
      return {
        isContinued: continued === 'yes',
        copies: Number(copies),
        unsharedCopies: Number(kept),
        lastServedAt: Number(served),
        sinceMs: NOW_MS - Number(waits),
      };
    });
  return nextUpload(line, NOW_MS);
}

describe('the choker', () => {
  it('sends each piece once before it sends any twice', () =>
    assert.equal(
      next(`
    continued  copies  kept  served  waits
    no         1       0     1       900
    no         0       0     9       100
    no         2       0     2       800`),
      1,
    ));

  it('finishes a piece that it has begun', () =>
    assert.equal(
      next(`
    continued  copies  kept  served  waits
    no         0       0     1       900
    yes        3       0     9       100`),
      1,
    ));

  it('gives first copies to those who pass them on', () =>
    assert.equal(
      next(`
    continued  copies  kept  served  waits
    no         0       2     1       900
    no         0       0     9       100`),
      1,
    ));

  it('is fair among equals: who was served longest ago is next, then who waits longest', () => {
    assert.equal(
      next(`
    continued  copies  kept  served  waits
    no         1       0     7       900
    no         1       0     3       100`),
      1,
    );
    assert.equal(
      next(`
    continued  copies  kept  served  waits
    no         1       0     0       100
    no         1       0     0       900`),
      1,
    );
  });

  it('lets nobody starve', () =>
    assert.equal(
      next(`
    continued  copies  kept  served  waits
    no         0       0     1       900
    no         9       3     8       ${STARVATION_MS + 1}`),
      1,
    ));

  it('has nobody to choose in an empty line', () => assert.equal(nextUpload([], NOW_MS), undefined));
});

describe('first copies', () => {
  const peer: UploadPeer = { isWritable: true, writable: () => Promise.resolve() };
  const holders = new Map<number, number>();
  const file: UploadFile = {
    uploadLimiter: new RateLimiter(new ManualClock()),
    leechersWith: (piece) => holders.get(piece) ?? 0,
  };

  it('count as kept when they had time to be passed on and were not', () => {
    const copies = new SuperSeeding();
    for (const piece of [1, 2, 3]) copies.onSent(peer, file, piece, 0);
    for (const piece of [1, 2, 3]) holders.set(piece, 1);
    assert.equal(copies.unsharedBy(peer, 1_000), 0, 'not yet');
    assert.equal(copies.unsharedBy(peer, 3_000), 3);
    holders.set(2, 2);
    assert.equal(copies.unsharedBy(peer, 3_000), 2, 'one was passed on');
    assert.equal(copies.unsharedBy(peer, 100_000), 0, 'and all is forgiven in the end');
  });
});
