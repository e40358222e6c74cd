// The line of those who want bytes of us: what one of them does must not cost the others anything.
import assert from 'node:assert';
import { BufferPool } from '../../../../extension/engine/peers/bufferPool.ts';
import { RateLimiter } from '../../../../extension/engine/peers/rateLimiter.ts';
import { UploadQueue } from '../../../../extension/engine/peers/uploadQueue.ts';
import type {
  Upload,
  UploadFile,
  UploadPeer,
  UploadRequest,
} from '../../../../extension/engine/peers/uploadRequest.ts';
import { ShoalError } from '../../../../protocol/base/errors.ts';
import { RAW_HEAD_ROOM_BYTES } from '../../../../protocol/wire/frame.ts';
import { SPAN_BYTES_MAX } from '../../../../protocol/base/limits.ts';
import { simulate } from '../../../support/simulation/simulatedWorld.ts';

const MIB = 1024 * 1024;

describe('uploads', () => {
  const peer = (): UploadPeer => ({ isWritable: true, writable: () => Promise.resolve() });
  const signal = new AbortController().signal;

  function tell(
    title: string,
    story: (made: {
      uploads: UploadQueue;
      buffers: BufferPool;
      up: RateLimiter;
      ask: (wish: Partial<UploadRequest>) => Promise<Upload>;
      advance: (ms: number) => Promise<void>;
    }) => Promise<void>,
  ): void {
    it(title, () =>
      simulate(1, async (sim) => {
        const clock = sim.clock({ isAlive: true, skewMs: 0 });
        const uploadLimiter = new RateLimiter(clock);
        const buffers = new BufferPool(RAW_HEAD_ROOM_BYTES);
        const uploadQueue = new UploadQueue({ clock, uploadLimiter, buffers });
        const file: UploadFile = { uploadLimiter: new RateLimiter(clock), leechersWith: () => 0 };
        const ask = (wish: Partial<UploadRequest>): Promise<Upload> =>
          uploadQueue.request({
            peer: peer(),
            file,
            piece: 0,
            offset: 0,
            lengthBytes: SPAN_BYTES_MAX,
            signal,
            read: () => Promise.resolve(),
            ...wish,
          });
        await story({ uploads: uploadQueue, buffers, up: uploadLimiter, ask, advance: (ms) => sim.advance(ms) });
      }),
    );
  }

  tell(
    'give one who asks for single bytes and reads none of them no more memory than anybody',
    async ({ buffers, ask, advance }) => {
      const greedy = peer();
      for (let n = 0; n < 1_000; n++) void ask({ peer: greedy, piece: n, lengthBytes: 1 });
      await advance(10);
      assert.ok(buffers.usedBytes <= 5 * MIB, `${buffers.usedBytes} bytes are held`);
    },
  );

  tell('serve others beside many who do not read', async ({ buffers, ask, advance }) => {
    for (let n = 0; n < 20; n++) {
      const greedy = peer();
      for (let piece = 0; piece < 16; piece++) void ask({ peer: greedy, piece });
    }
    await advance(10);
    assert.ok(buffers.isFull);
    const { raw, taken } = await ask({ piece: 99 });
    assert.equal(raw.length, SPAN_BYTES_MAX);
    taken();
  });

  tell('spend nothing of the limit for what could not be read', async ({ up, ask, advance }) => {
    up.set(1_000_000);
    const refused = { read: () => Promise.reject(new ShoalError('pieceNotHeld', { piece: 1 })) };
    for (let n = 0; n < 50; n++) await assert.rejects(ask({ piece: n, ...refused }), { code: 'pieceNotHeld' });
    await advance(100);
    assert.equal(up.waitMs(up.portionBytes), 0);
  });

  tell('end when their asker is gone', async ({ uploads: uploadQueue, ask, up }) => {
    up.set(1);
    const gone = new AbortController();
    void ask({});
    const waiting = ask({ signal: gone.signal });
    gone.abort();
    await assert.rejects(waiting, { code: 'cancelled' });
    assert.equal(uploadQueue.waiting, 1);
  });
});
