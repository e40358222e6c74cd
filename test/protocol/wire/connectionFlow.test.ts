// A connection under load and in silence: readers that are slow or never read, hearts that beat,
// lines that are cut.
import assert from 'node:assert/strict';
import { Connection } from '../../../protocol/wire/connection.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import { encodeFrame, FrameLink } from '../../../protocol/wire/frame.ts';
import type { FrameHead } from '../../../protocol/wire/frame.ts';
import { QUEUED_BYTES_MAX } from '../../../protocol/base/limits.ts';
import { encode, u32 } from '../../../protocol/base/schema.ts';
import { simulate } from '../../support/simulation/simulatedWorld.ts';
import { HEARTBEAT_MS, RAW_BYTES_MAX, rightHandlers, streamPair, testLink, watched, withPair } from './linkPair.ts';

describe('a connection with a slow reader', () => {
  it('lets requests wait, keeps its queue bounded, and goes on when he reads', () =>
    withPair(async ({ sim, left, right }) => {
      left.stream.pause();
      const calls = Array.from({ length: 200 }, () =>
        watched(
          left.call('piece', { bytes: RAW_BYTES_MAX }, { into: new Uint8Array(RAW_BYTES_MAX), deadlineMs: 60_000 }),
        ),
      );
      await sim.advance(2 * HEARTBEAT_MS);
      assert.ok(
        right.stream.queuedBytes > QUEUED_BYTES_MAX - RAW_BYTES_MAX &&
          right.stream.queuedBytes < QUEUED_BYTES_MAX + 2 * RAW_BYTES_MAX,
        `${right.stream.queuedBytes}`,
      );
      left.stream.resume();
      await sim.until(() => calls.every(({ isSettled }) => isSettled));
      assert.ok(calls.every(({ value }) => value?.rawBytes === RAW_BYTES_MAX));
    }));

  it('has no more under way than it may queue, when answers take their time', async () => {
    let underWay = 0;
    let most = 0;
    await withPair(
      async ({ sim, left }) => {
        const calls = Array.from({ length: 100 }, () =>
          watched(
            left.call('piece', { bytes: RAW_BYTES_MAX }, { into: new Uint8Array(RAW_BYTES_MAX), deadlineMs: 60_000 }),
          ),
        );
        await sim.until(() => calls.every(({ isSettled }) => isSettled));
        assert.ok(calls.every(({ value }) => value?.rawBytes === RAW_BYTES_MAX));
        assert.ok(most > 4 && most <= QUEUED_BYTES_MAX / RAW_BYTES_MAX + 1, `${most}`);
      },
      {
        right: {
          piece: async ({ bytes }) => {
            most = Math.max(most, ++underWay);
            for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => void setImmediate(resolve));
            underWay--;
            return { tag: 1, raw: new Uint8Array(bytes) };
          },
        },
      },
    );
  });

  it('lets requests go on also when those before them failed', () =>
    withPair(
      async ({ sim, left }) => {
        const calls = Array.from({ length: 100 }, () =>
          watched(left.call('piece', { bytes: 1 }, { into: new Uint8Array(1), deadlineMs: 1_000 })),
        );
        await sim.until(() => calls.every(({ isSettled }) => isSettled));
        assert.deepEqual(new Set(calls.map(({ error }) => error?.code)), new Set(['pieceNotHeld']));
      },
      {
        right: {
          piece: async () => {
            throw new ShoalError('pieceNotHeld', { piece: 1 });
          },
        },
      },
    ));

  it('does not handle what was cancelled while it waited', async () => {
    let handled = 0;
    await withPair(
      async ({ sim, left }) => {
        left.stream.pause();
        const controller = new AbortController();
        for (let n = 0; n < 100; n++) {
          void watched(
            left.call(
              'piece',
              { bytes: RAW_BYTES_MAX },
              { into: new Uint8Array(RAW_BYTES_MAX), signal: controller.signal },
            ),
          );
        }
        await sim.advance(100);
        const before = handled;
        controller.abort();
        await sim.advance(100);
        left.stream.resume();
        await left.call('echo', { text: 'x' });
        assert.ok(before > 0 && before < 50 && handled === before, `${before} and then ${handled}`);
      },
      { right: { piece: ({ bytes }) => (handled++, { tag: 1, raw: new Uint8Array(bytes) }) } },
    );
  });

  it('does not stand still when both serve each other more than the line carries', () =>
    withPair(async ({ sim, alice, bob, left, right }) => {
      // Each side asks for twice as much as the other may queue: sides that stopped reading would
      // wait for each other for ever.
      for (const { site } of [alice, bob]) site.upBytesPerMs = 5_000;
      const options = () => ({ into: new Uint8Array(RAW_BYTES_MAX), deadlineMs: 600_000 });
      const calls = Array.from({ length: 40 }, () => [
        left.call('piece', { bytes: RAW_BYTES_MAX }, options()),
        right.call('part', { bytes: RAW_BYTES_MAX }, options()),
      ]);
      const both = calls.flat().map((call) => watched<{ rawBytes: number }>(call));
      await sim.until(() => both.every(({ isSettled }) => isSettled), 600_000);
      assert.ok(
        both.every(({ value }) => value?.rawBytes === RAW_BYTES_MAX),
        both.find(({ error }) => error)?.error?.message,
      );
    }));

  it('leaves one who asks and asks and never reads', () =>
    withPair(async ({ sim, left, right }) => {
      left.stream.pause();
      const text = 'x'.repeat(100_000);
      for (let turn = 0; turn < 100 && right.isOpen; turn++) {
        for (let n = 0; n < 10; n++) void watched(left.call('echo', { text }, { deadlineMs: 600_000 }));
        await sim.advance(5);
        assert.ok(right.stream.queuedBytes <= QUEUED_BYTES_MAX + 2 * text.length, `${right.stream.queuedBytes}`);
      }
      assert.equal((await right.whenEnded).error?.code, 'busy');
    }));

  it('leaves one who takes nothing for three beats while the queue is full, though he goes on sending', () =>
    simulate(1, async (sim) => {
      const {
        bob,
        streams: [mute, stream],
      } = await streamPair(sim);
      const right = new Connection(new FrameLink(stream), {
        table: testLink,
        side: 'right',
        handlers: rightHandlers(),
        heartbeatMs: HEARTBEAT_MS,
        clock: bob.world.clock,
        log: bob.world.log,
      });
      const send = (head: FrameHead, body: Uint8Array): void => mute.write(encodeFrame(head, body));
      for (let call = 1; call <= 100; call++) {
        send({ type: 'piece', kind: 'request', call }, encode(u32, RAW_BYTES_MAX));
      }
      const talk = (): void =>
        void sim.after(100, () => (send({ type: 'note', kind: 'notice', call: 0 }, encode(u32, 1)), talk()));
      talk();
      const began = sim.nowMs;
      assert.equal((await right.whenEnded).error?.code, 'linkSilent');
      const tookBeats = (sim.nowMs - began) / HEARTBEAT_MS;
      assert.ok(tookBeats > 2.9 && tookBeats <= 5, `${tookBeats} beats`);
    }));

  it('tells a writer when it may go on', () =>
    withPair(async ({ sim, left, right }) => {
      await right.writable();
      left.stream.pause();
      for (let n = 0; n < 100; n++) {
        void watched(
          left.call('piece', { bytes: RAW_BYTES_MAX }, { into: new Uint8Array(RAW_BYTES_MAX), deadlineMs: 60_000 }),
        );
      }
      await sim.advance(100);
      let may = false;
      void right.writable().then(() => (may = true));
      await sim.advance(100);
      assert.equal(may, false);
      left.stream.resume();
      await sim.until(() => may);
      const other = right.writable();
      right.destroy();
      await other;
    }));
});

describe('the heart of a connection', () => {
  it('keeps an idle link open for days, at one small frame per beat', () =>
    withPair(async ({ sim, left, right }) => {
      await sim.advance(1000 * HEARTBEAT_MS);
      assert.ok(left.isOpen && right.isOpen);
      assert.ok(left.counts.framesOut >= 995 && left.counts.framesOut <= 1001, `${left.counts.framesOut} frames`);
    }));

  it('is not heard while there is something to say', () =>
    withPair(async ({ sim, left, right }) => {
      for (let n = 0; n < 50; n++) {
        await left.call('echo', { text: 'x' });
        await sim.advance(HEARTBEAT_MS / 4);
      }
      assert.deepEqual([left.counts.framesOut, right.counts.framesOut], [50, 50]);
    }));

  for (const [what, ms] of [
    ['right after the start', 0],
    ['after a while', 10_400],
  ] as const) {
    it(`ends a link that is silent for three beats, ${what}`, () =>
      withPair(async ({ sim, alice, bob, left, right }) => {
        await sim.advance(ms);
        const call = watched(left.call('wait', {}, { deadlineMs: 60_000 }));
        await sim.advance(20);
        sim.network.cut(alice, bob);
        const began = sim.nowMs;
        await sim.until(() => !left.isOpen && !right.isOpen);
        const tookBeats = (sim.nowMs - began) / HEARTBEAT_MS;
        assert.ok(tookBeats > 2 && tookBeats <= 4, `${tookBeats} beats`);
        assert.deepEqual([call.error?.code, await left.whenEnded], ['linkSilent', { clean: false, error: call.error }]);
      }));
  }

  it('ends it on both sides when only one direction is cut', () =>
    withPair(async ({ sim, alice, bob, left, right }) => {
      sim.network.cutOneWay(alice, bob);
      await sim.until(() => !left.isOpen && !right.isOpen, 5 * HEARTBEAT_MS);
    }));

  it('is patient while it is the answers that are slow', async () => {
    let wait = (_: number): Promise<void> => Promise.resolve();
    await withPair(
      async ({ sim, left, right }) => {
        wait = (ms) => sim.advance(ms);
        const calls = Array.from({ length: 40 }, () =>
          watched(
            left.call('piece', { bytes: RAW_BYTES_MAX }, { into: new Uint8Array(RAW_BYTES_MAX), deadlineMs: 600_000 }),
          ),
        );
        await sim.until(() => calls.every(({ isSettled }) => isSettled));
        assert.ok(calls.every(({ value }) => value) && left.isOpen && right.isOpen);
        assert.ok(sim.nowMs > 20 * HEARTBEAT_MS);
      },
      {
        right: { piece: async ({ bytes }) => (await wait(10 * HEARTBEAT_MS), { tag: 1, raw: new Uint8Array(bytes) }) },
      },
    );
  });

  it('lets a short cut pass', () =>
    withPair(async ({ sim, alice, bob, left, right }) => {
      for (let n = 0; n < 10; n++) {
        sim.network.cut(alice, bob);
        await sim.advance(1.5 * HEARTBEAT_MS);
        sim.network.heal();
        await sim.advance(2 * HEARTBEAT_MS);
      }
      assert.ok(left.isOpen && right.isOpen);
    }));

  it('keeps a slow but moving link open, whoever is slow', () =>
    withPair(async ({ sim, alice, bob, left, right }) => {
      alice.site.upBytesPerMs = bob.site.upBytesPerMs = 100;
      const big = watched(
        left.call('piece', { bytes: RAW_BYTES_MAX }, { into: new Uint8Array(RAW_BYTES_MAX), deadlineMs: 600_000 }),
      );
      const bigger = watched(left.call('echo', { text: 'x'.repeat(1_000_000) }, { deadlineMs: 600_000 }));
      await sim.until(() => big.isSettled && bigger.isSettled);
      assert.ok(sim.nowMs > 15 * HEARTBEAT_MS && left.isOpen && right.isOpen, `${sim.nowMs} ms`);
      assert.equal(big.value?.rawBytes, RAW_BYTES_MAX);
    }));
});
