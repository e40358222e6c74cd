// Two programs of a simulation joined by a small table of messages that has one row of every sort.
import assert from 'node:assert/strict';
import { Connection } from '../../../protocol/wire/connection.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import { FrameLink } from '../../../protocol/wire/frame.ts';
import { struct, text, u32 } from '../../../protocol/base/schema.ts';
import type { HandlersOf } from '../../../protocol/wire/table.ts';
import { nothing, table } from '../../../protocol/wire/table.ts';
import type { ByteStream } from '../../../protocol/base/world.ts';
import type { Machine } from '../../support/simulation/machine.ts';
import { simulate } from '../../support/simulation/simulatedWorld.ts';
import type { Simulation } from '../../support/simulation/simulatedWorld.ts';

export const RAW_BYTES_MAX = 512 * 1024;
export const HEARTBEAT_MS = 1_000;

/** What the left side may ask, and one thing that the right side may. */
export const testLink = table(
  { left: 'right', right: 'left' },
  {
    echo: { from: 'left', body: struct({ text: text(2_000_000) }), reply: struct({ text: text(2_000_000) }) },
    wait: { from: 'left', body: nothing, reply: struct({ text: text(100) }) },
    piece: { from: 'left', body: struct({ bytes: u32 }), reply: struct({ tag: u32 }), rawBytesMax: RAW_BYTES_MAX },
    note: { from: 'left', body: struct({ n: u32 }) },
    question: { from: 'right', body: struct({ n: u32 }), reply: struct({ n: u32 }) },
    part: { from: 'right', body: struct({ bytes: u32 }), reply: nothing, rawBytesMax: RAW_BYTES_MAX },
    hint: { from: 'right', body: struct({ n: u32 }) },
  },
);
export type TestLink = typeof testLink;
export type Left = Connection<TestLink, 'left'>;
export type Right = Connection<TestLink, 'right'>;

export const rightHandlers = (changed: Partial<HandlersOf<TestLink, 'right'>> = {}): HandlersOf<TestLink, 'right'> => ({
  echo: (body) => body,
  wait: () => new Promise(() => {}),
  piece: ({ bytes }) => ({ tag: bytes, raw: new Uint8Array(bytes).fill(bytes) }),
  note: () => {},
  ...changed,
});
export const leftHandlers = (changed: Partial<HandlersOf<TestLink, 'left'>> = {}): HandlersOf<TestLink, 'left'> => ({
  question: ({ n }) => ({ n: n + 1 }),
  part: ({ bytes }) => ({ raw: new Uint8Array(bytes) }),
  hint: () => {},
  ...changed,
});

/** Two machines, each with one end of the link. */
export interface Pair {
  readonly sim: Simulation;
  readonly alice: Machine;
  readonly bob: Machine;
  readonly left: Left;
  readonly right: Right;
}

export interface PairOptions {
  readonly seed?: number;
  readonly left?: Partial<HandlersOf<TestLink, 'left'>>;
  readonly right?: Partial<HandlersOf<TestLink, 'right'>>;
}

export function withPair(body: (pair: Pair) => Promise<void>, options: PairOptions = {}): Promise<void> {
  return simulate(options.seed ?? 1, async (sim) => {
    const {
      alice,
      bob,
      streams: [leftStream, rightStream],
    } = await streamPair(sim);
    const common = { table: testLink, heartbeatMs: HEARTBEAT_MS };
    const left = new Connection(new FrameLink(leftStream), {
      ...common,
      side: 'left',
      handlers: leftHandlers(options.left),
      clock: alice.world.clock,
      log: alice.world.log,
    });
    const right = new Connection(new FrameLink(rightStream), {
      ...common,
      side: 'right',
      handlers: rightHandlers(options.right),
      clock: bob.world.clock,
      log: bob.world.log,
    });
    await body({ sim, alice, bob, left, right });
  });
}

/** A stream from alice to bob. */
export async function streamPair(
  sim: Simulation,
): Promise<{ alice: Machine; bob: Machine; streams: [ByteStream, ByteStream] }> {
  const [alice, bob] = [sim.machine('alice'), sim.machine('bob')];
  const accepted: ByteStream[] = [];
  const listener = await bob.world.network.listen({ port: 0 }, (stream) => void accepted.push(stream));
  const dialled = await alice.world.network.dial({ host: 'bob', port: listener.port }, { timeoutMs: 1_000 });
  await sim.until(() => accepted.length > 0);
  return { alice, bob, streams: [dialled, accepted[0] ?? assert.fail()] };
}

/** How a promise is doing, without waiting for it. */
export function watched<T>(promise: Promise<T>): { value?: T; error?: ShoalError; isSettled: boolean } {
  const state: { value?: T; error?: ShoalError; isSettled: boolean } = { isSettled: false };
  promise.then(
    (value) => Object.assign(state, { value, isSettled: true }),
    (error: unknown) => {
      assert.ok(error instanceof ShoalError, String(error));
      Object.assign(state, { error, isSettled: true });
    },
  );
  return state;
}
