// Hostile bytes into a link of frames, as many as a few seconds hold.
import assert from 'node:assert/strict';
import { KINDS } from '../../../protocol/wire/frame.ts';
import { FRAME_PAYLOAD_BYTES_MAX } from '../../../protocol/base/limits.ts';
import { SeededChance } from '../../support/simulation/seededChance.ts';
import { bytesOf, open, Reader } from './frameReader.ts';

describe('a link under hostile bytes', () => {
  const FUZZ_MS = 4_000;

  /** Whatever comes: no exception, an end of the link with a ShoalError at most, bounded memory. */
  function survives(bytes: Uint8Array, cuts: readonly number[], raw: Reader['raw']): void {
    const reader = new Reader();
    for (const [call, target] of raw) reader.raw.set(call, target);
    const { stream } = open(reader);
    stream.feed(bytes, cuts);
    stream.finish();
    assert.ok(reader.end, 'it did not end');
    assert.ok(reader.code === undefined || reader.code === 'badFrame' || reader.code === 'frameTooLarge');
    assert.ok(Math.max(0, ...stream.targets) <= 2 * FRAME_PAYLOAD_BYTES_MAX);
    assert.ok(
      reader.frames.every(({ body }) => body.length <= bytes.length),
      'it made bytes up',
    );
  }

  it('reads noise, cut and changed frames, and frames put together wrongly', function () {
    this.timeout(10 * FUZZ_MS);
    const seed = Date.now() % 2 ** 31;
    const chance = new SeededChance(seed);
    const good = (): Buffer =>
      bytesOf(
        { type: 'piece', kind: KINDS[chance.below(4)] ?? 'notice', call: chance.below(3) },
        chance.bytes(chance.below(200)),
      );
    const sources: readonly (() => Buffer)[] = [
      () => chance.bytes(chance.below(100)),
      () => Buffer.concat([Buffer.from('5368', 'hex'), chance.bytes(chance.below(60))]),
      () => Buffer.concat([Buffer.from('5368056265676e', 'hex'), chance.bytes(chance.below(60))]),
      () => good().subarray(0, chance.below(40)),
      () => Buffer.concat([good(), good().subarray(chance.below(20)), good()]),
      () => {
        const bytes = Buffer.concat([good(), good(), good()]);
        for (let flips = 1 + chance.below(4); flips > 0; flips--) {
          const at = chance.below(bytes.length);
          bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.below(8));
        }
        return bytes;
      },
      () => {
        const bytes = good();
        bytes.writeUInt32BE(chance.oneIn(2) ? chance.below(2 ** 32) : chance.below(400), 8);
        return Buffer.concat([bytes, good()]);
      },
    ];
    let runs = 0;
    try {
      for (const until = performance.now() + FUZZ_MS; performance.now() < until; runs++) {
        const bytes = (sources[runs % sources.length] ?? good)();
        survives(
          bytes,
          [1 + chance.below(40), 1 + chance.below(300)],
          new Map([[1, { bodyBytes: chance.below(10), into: new Uint8Array(chance.below(100)) }]]),
        );
      }
    } catch (error) {
      (error as Error).message += `\n[fuzz seed ${seed}, run ${runs}]`;
      throw error;
    }
    assert.ok(runs > 100, `${runs} runs`);
  });
});
