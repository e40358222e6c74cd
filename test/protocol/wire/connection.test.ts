// Calls, notices, deadlines and ends of a connection between two simulated machines.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { isShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { CALL_MS_DEFAULT, CALLS_UNDER_WAY_MAX, LINGER_MS } from '../../../protocol/base/limits.ts';
import type { CallContext } from '../../../protocol/wire/table.ts';
import { HEARTBEAT_MS, RAW_BYTES_MAX, watched, withPair } from './linkPair.ts';
import type { Left } from './linkPair.ts';

let onTaken = (): unknown => undefined;
const is =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    isShoalError(error, code);

describe('a connection', () => {
  it('carries calls both ways at once, and answers in any order', async () => {
    for (let seed = 0; seed < 10; seed++) {
      await withPair(
        async ({ sim, left, right }) => {
          const chance = sim.chance.fork('test');
          const echoes = Array.from({ length: 50 }, async (_, n) => {
            await sim.advance(chance.below(5));
            const text = `${n} `.repeat(chance.below(2000));
            assert.deepEqual(await left.call('echo', { text }), { text });
          });
          const questions = Array.from({ length: 50 }, async (_, n) =>
            assert.deepEqual(await right.call('question', { n }), { n: n + 1 }),
          );
          await Promise.all([...echoes, ...questions]);
        },
        { seed, right: { echo: async (body) => (await new Promise((resolve) => void setImmediate(resolve)), body) } },
      );
    }
  });

  it('carries notices in their order, before and after calls', async () => {
    const seen: string[] = [];
    await withPair(
      async ({ left, right, sim }) => {
        left.notify('note', { n: 1 });
        const echo = left.call('echo', { text: 'x' });
        left.notify('note', { n: 2 });
        right.notify('hint', { n: 3 });
        await echo;
        await sim.advance(10);
        assert.deepEqual(seen.sort(), ['echo', 'hint 3', 'note 1', 'note 2']);
        assert.ok(seen.indexOf('note 1') < seen.indexOf('note 2'));
      },
      {
        right: { note: ({ n }) => void seen.push(`note ${n}`), echo: (body) => (seen.push('echo'), body) },
        left: { hint: ({ n }) => void seen.push(`hint ${n}`) },
      },
    );
  });

  it('puts raw bytes where the caller wants them', () =>
    withPair(async ({ left }) => {
      const into = new Uint8Array(1000);
      assert.deepEqual(await left.call('piece', { bytes: 700 }, { into }), { tag: 700, rawBytes: 700 });
      assert.deepEqual(
        into,
        Uint8Array.from({ length: 1000 }, (_, at) => (at < 700 ? 700 & 255 : 0)),
      );
      assert.deepEqual(await left.call('piece', { bytes: 0 }, { into }), { tag: 0, rawBytes: 0 });
      assert.deepEqual(await left.call('piece', { bytes: RAW_BYTES_MAX }, { into: new Uint8Array(RAW_BYTES_MAX) }), {
        tag: RAW_BYTES_MAX,
        rawBytes: RAW_BYTES_MAX,
      });
    }));

  it('says when the memory of raw bytes may be used again, also when nobody wants them any more', async () => {
    let answered = 0;
    let taken = 0;
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => (go = resolve));
    await withPair(
      async ({ left, right, sim }) => {
        await left.call('piece', { bytes: 10 }, { into: new Uint8Array(10) });
        assert.deepEqual([answered, taken], [1, 1]);
        const late = watched(left.call('piece', { bytes: 99 }, { into: new Uint8Array(99) }));
        await sim.advance(50);
        right.destroy();
        go();
        await sim.advance(50);
        assert.deepEqual([answered, taken, late.error?.code], [2, 2, 'linkClosed']);
      },
      {
        right: {
          piece: async ({ bytes }) => {
            if (bytes === 99) await gate;
            answered++;
            return { tag: 1, raw: new Uint8Array(bytes), taken: () => taken++ };
          },
        },
      },
    );
  });

  it('gives up at the deadline, by the clock and not before', () =>
    withPair(async ({ left, sim }) => {
      const began = sim.nowMs;
      const [own, usual] = [watched(left.call('wait', {}, { deadlineMs: 250 })), watched(left.call('wait', {}))];
      await sim.until(() => own.isSettled);
      assert.deepEqual([own.error?.code, own.error?.fields, sim.nowMs - began], ['deadline', { ms: 250 }, 250]);
      await sim.until(() => usual.isSettled);
      assert.deepEqual([usual.error?.code, sim.nowMs - began], ['deadline', CALL_MS_DEFAULT]);
      assert.ok(left.isOpen);
    }));

  for (const [how, stop] of [
    ['a caller that cancels', (_: Left, abort: () => void) => abort()],
    ['a caller that closes the link', (left: Left) => left.close()],
    ['a caller whose link breaks', (left: Left) => left.destroy()],
  ] as const) {
    it(`tells the handler of ${how}`, async () => {
      const contexts: CallContext[] = [];
      await withPair(
        async ({ left, sim }) => {
          const controller = new AbortController();
          const call = watched(left.call('wait', {}, { signal: controller.signal, deadlineMs: 10_000 }));
          await sim.until(() => contexts.length > 0);
          assert.equal(contexts[0]?.signal.aborted, false);
          stop(left, () => controller.abort());
          await sim.until(() => contexts[0]?.signal.aborted === true, 100);
          assert.ok(call.error && ['cancelled', 'linkClosed'].includes(call.error.code));
        },
        { right: { wait: (_, call) => (contexts.push(call), new Promise(() => {})) } },
      );
    });
  }

  it('tells the handler of a deadline that passed, also when it looks only then', async () => {
    const contexts: CallContext[] = [];
    await withPair(
      async ({ left, sim }) => {
        void watched(left.call('wait', {}, { deadlineMs: 100 }));
        await sim.advance(200);
        assert.equal(contexts[0]?.signal.aborted, true);
      },
      { right: { wait: (_, call) => (contexts.push(call), new Promise(() => {})) } },
    );
  });

  it('drops the answer to a call that was cancelled, and makes the next call as if nothing had been', async () => {
    let answer = (_: { text: string }): void => {};
    await withPair(
      async ({ left, sim }) => {
        const controller = new AbortController();
        const call = left.call('wait', {}, { signal: controller.signal });
        await sim.advance(20);
        controller.abort();
        answer({ text: 'too late' });
        await assert.rejects(call, is('cancelled'));
        await sim.advance(20);
        assert.deepEqual([await left.call('echo', { text: 'next' }), left.isOpen], [{ text: 'next' }, true]);
        await assert.rejects(left.call('wait', {}, { signal: controller.signal }), is('cancelled'));
      },
      { right: { wait: () => new Promise((resolve) => (answer = resolve)) } },
    );
  });

  it('drops raw bytes that come after their call was cancelled', () =>
    withPair(async ({ left, sim }) => {
      for (const afterMs of [0, 1, 1.5, 2, 2.5, 3, 4]) {
        const controller = new AbortController();
        const call = watched(
          left.call(
            'piece',
            { bytes: RAW_BYTES_MAX },
            { into: new Uint8Array(RAW_BYTES_MAX), signal: controller.signal },
          ),
        );
        await sim.advance(afterMs);
        controller.abort();
        assert.deepEqual(await left.call('echo', { text: 'next' }), { text: 'next' });
        assert.ok(call.isSettled);
      }
    }));

  it('forgets the signal of a call that is done', () =>
    withPair(async ({ left, sim }) => {
      const { signal } = new AbortController();
      await left.call('echo', { text: 'x' }, { signal });
      const late = watched(left.call('wait', {}, { signal, deadlineMs: 10 }));
      assert.equal(getEventListeners(signal, 'abort').length, 1);
      await sim.advance(20);
      assert.deepEqual([late.error?.code, getEventListeners(signal, 'abort').length], ['deadline', 0]);
    }));

  it('carries what a handler throws, at once or later: its code, its fields, its words', () =>
    withPair(
      async ({ left, sim }) => {
        for (const text of ['now', 'later']) {
          const { error } = await settled(left.call('echo', { text }));
          assert.deepEqual(
            [error?.code, error?.fields, error?.message, error?.exitCode],
            [
              'notMember',
              { group: `${text}\u202e` },
              `you are not a member of ${text}\\u{202e}; ask to join it first`,
              3,
            ],
          );
        }
        const { error } = await settled(left.call('wait', {}));
        assert.deepEqual([error?.code, error?.fields['why']], ['internal', 'a bug']);
        assert.match(sim.lastLines().join('\n'), /bob error: call failed {"type":"wait","error":"a bug"}/);
        assert.ok(left.isOpen);
      },
      {
        right: {
          echo: ({ text }) => {
            const error = new ShoalError('notMember', { group: `${text}\u202e` });
            if (text === 'later') return Promise.reject(error);
            throw error;
          },
          wait: () => {
            throw new TypeError('a bug');
          },
        },
      },
    ));

  it('refuses to send what passes a bound, or what no frame could carry', () =>
    withPair(async ({ left, right }) => {
      await assert.rejects(left.call('echo', { text: 'x'.repeat(2_000_001) }), is('badMessage'));
      await assert.rejects(
        left.call('echo', { text: 'x'.repeat(1_500_000) }),
        (error) => is('badMessage')(error) && /1048640 fit into a frame/.test(String(error)),
      );
      assert.throws(() => left.notify('note', { n: -1 }), is('badMessage'));
      assert.throws(() => right.notify('hint', { n: 0.5 }), is('badMessage'));
      assert.deepEqual(await left.call('echo', { text: 'fine' }), { text: 'fine' });
    }));

  it('answers with an error when a handler answers with what cannot be sent', () =>
    withPair(
      async ({ left }) => {
        let taken = 0;
        onTaken = () => taken++;
        await assert.rejects(
          left.call('echo', { text: 'x' }),
          (error) => is('badMessage')(error) && /fit into a frame/.test(String(error)),
        );
        await assert.rejects(left.call('wait', {}), is('badMessage'));
        await assert.rejects(left.call('piece', { bytes: 1 }, { into: new Uint8Array(1) }), is('badMessage'));
        assert.deepEqual([taken, left.isOpen], [1, true]);
      },
      {
        right: {
          echo: () => ({ text: 'x'.repeat(1_500_000) }),
          wait: async () => ({ text: 'x'.repeat(101) }),
          piece: () => ({ tag: -1, raw: new Uint8Array(1), taken: () => onTaken() }),
        },
      },
    ));

  it(`says it is busy above ${CALLS_UNDER_WAY_MAX} calls`, () =>
    withPair(async ({ left, sim }) => {
      const calls = Array.from({ length: CALLS_UNDER_WAY_MAX + 3 }, () =>
        watched(left.call('wait', {}, { deadlineMs: 5_000 })),
      );
      await sim.advance(100);
      assert.deepEqual(
        calls.map(({ error }) => error?.code),
        [...Array<undefined>(CALLS_UNDER_WAY_MAX).fill(undefined), 'busy', 'busy', 'busy'],
      );
      await sim.advance(5_000);
      // what was given up here still runs there, for its handler does not look
      await assert.rejects(left.call('wait', {}, { deadlineMs: 10 }), is('busy'));
    }));
});

/** Waits for a call that fails. */
async function settled(call: Promise<unknown>): Promise<{ error?: ShoalError }> {
  const state = watched(call);
  await call.catch(() => {});
  return state;
}

describe('the end of a connection', () => {
  it('is clean with a reason when it was closed: what was written before still arrives', async () => {
    const notes: number[] = [];
    await withPair(
      async ({ left, right }) => {
        for (let n = 0; n < 100; n++) left.notify('note', { n });
        left.close(new ShoalError('rateLimited', { seconds: 7 }));
        const [here, there] = [await left.whenEnded, await right.whenEnded];
        assert.deepEqual(
          [here.clean, there.clean, there.error?.code, there.error?.fields, notes.length],
          [true, true, 'rateLimited', { seconds: '7' }, 100],
        );
        left.close();
        left.notify('note', { n: 1 });
      },
      { right: { note: ({ n }) => void notes.push(n) } },
    );
  });

  it('is clean without a reason, and both streams are closed', () =>
    withPair(async ({ sim, left, right }) => {
      right.close();
      assert.deepEqual([await right.whenEnded, await left.whenEnded], [{ clean: true }, { clean: true }]);
      await sim.advance(LINGER_MS / 2);
      assert.equal(sim.network.openStreams, 0);
    }));

  it('comes to one who never reads, too', () =>
    withPair(async ({ sim, left, right }) => {
      left.stream.pause();
      for (let n = 0; n < 4; n++) {
        void watched(left.call('piece', { bytes: RAW_BYTES_MAX }, { into: new Uint8Array(RAW_BYTES_MAX) }));
      }
      await sim.advance(100);
      right.close();
      await sim.advance(LINGER_MS / 2);
      assert.equal(sim.network.openStreams, 1);
      await sim.advance(LINGER_MS / 2 + 10);
      left.stream.resume();
      await sim.until(() => sim.network.openStreams === 0, 100);
      assert.equal((await left.whenEnded).clean, false);
    }));

  it('rejects what is under way, and every call after it, with its reason', () =>
    withPair(async ({ left, right, sim }) => {
      const calls = Array.from({ length: 3 }, () => watched(left.call('wait', {})));
      await sim.advance(20);
      right.close(new ShoalError('unavailable', { why: 'it stops' }));
      await left.whenEnded;
      await sim.advance(1);
      assert.deepEqual(
        calls.map(({ error }) => error?.code),
        ['unavailable', 'unavailable', 'unavailable'],
      );
      await assert.rejects(left.call('echo', { text: 'x' }), is('unavailable'));
      await assert.rejects(right.call('question', { n: 1 }), is('unavailable'));
      await left.writable();
    }));

  for (const [how, cut] of [
    ['the other program is killed', ({ bob }) => bob.kill()],
    ['the connection is reset', ({ sim, alice, bob }) => sim.network.reset(alice, bob)],
    ['the other side destroys it', ({ right }) => right.destroy()],
  ] as [string, (pair: Parameters<Parameters<typeof withPair>[0]>[0]) => void][]) {
    it(`is not clean when ${how}`, () =>
      withPair(async (pair) => {
        const call = watched(pair.left.call('wait', {}));
        await pair.sim.advance(20);
        cut(pair);
        const ending = await pair.left.whenEnded;
        await pair.sim.advance(1);
        assert.deepEqual([ending.clean, ending.error?.code, call.error?.code], [false, 'linkClosed', 'linkClosed']);
      }));
  }

  it('leaves no timer behind', () =>
    withPair(async ({ sim, left, right }) => {
      await left.call('echo', { text: 'x' });
      left.close();
      await Promise.all([left.whenEnded, right.whenEnded]);
      await sim.idle();
      assert.ok(sim.nowMs < Math.min(LINGER_MS, HEARTBEAT_MS), `${sim.nowMs} ms`);
    }));
});
