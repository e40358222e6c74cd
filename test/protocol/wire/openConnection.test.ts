// From a stream to a connection: who is known when, what waits meanwhile, and how a link is refused.
import assert from 'node:assert/strict';
import { isShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import type { ByteStream } from '../../../protocol/base/world.ts';
import { GREETING_PAYLOAD_BYTES_MAX, LINGER_MS } from '../../../protocol/base/limits.ts';
import type { Connection } from '../../../protocol/wire/connection.ts';
import { encodeFrame } from '../../../protocol/wire/frame.ts';
import { VERSIONS } from '../../../protocol/wire/greeting.ts';
import { openConnection, openLink } from '../../../protocol/wire/openConnection.ts';
import type { GreetedLink, LinkOptions, MessageOptions } from '../../../protocol/wire/openConnection.ts';
import type { Machine } from '../../support/simulation/machine.ts';
import { simulate } from '../../support/simulation/simulatedWorld.ts';
import type { Simulation } from '../../support/simulation/simulatedWorld.ts';
import type { TestLink } from './linkPair.ts';
import { HEARTBEAT_MS, leftHandlers, rightHandlers, streamPair, testLink } from './linkPair.ts';
import { ManualStream } from './manualStream.ts';

const SECRET = Buffer.alloc(32, 7);
const dialler = ({ world, name }: Machine): LinkOptions => ({
  world,
  role: 'engine',
  accepts: ['tracker'],
  program: `shoal of ${name}`,
});
const listener = ({ world, name }: Machine): LinkOptions => ({
  world,
  role: 'tracker',
  accepts: ['engine'],
  program: `shoal of ${name}`,
});
const left = (): MessageOptions<TestLink, 'left'> => ({
  table: testLink,
  side: 'left',
  handlers: leftHandlers(),
  heartbeatMs: HEARTBEAT_MS,
});
const right = (handlers = rightHandlers()): MessageOptions<TestLink, 'right'> => ({
  table: testLink,
  side: 'right',
  handlers,
  heartbeatMs: HEARTBEAT_MS,
});

interface Scene {
  readonly sim: Simulation;
  readonly alice: Machine;
  readonly bob: Machine;
  readonly dialled: ByteStream;
  readonly accepted: ByteStream;
}
const scene = (body: (scene: Scene) => Promise<void>): Promise<void> =>
  simulate(1, async (sim) => {
    const { alice, bob, streams } = await streamPair(sim);
    const [dialled, accepted] = streams;
    await body({ sim, alice, bob, dialled, accepted });
  });

/** Alice is connected; Bob has greeted and decides what to do. */
const greeted = (
  body: (scene: Scene & { connection: Connection<TestLink, 'left'>; link: GreetedLink }) => Promise<void>,
): Promise<void> =>
  scene(async (it) => {
    const [connection, link] = await Promise.all([
      openConnection(it.dialled, dialler(it.alice), left()),
      openLink(it.accepted, listener(it.bob)),
    ]);
    await body({ ...it, connection, link });
  });

const codeOf = (promise: Promise<unknown>): Promise<ErrorCode | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => (isShoalError(error) ? error.code : assert.fail(String(error))),
  );

describe('a stream becomes a connection', () => {
  it('that carries messages, whichever side dialled', () =>
    scene(async ({ alice, bob, dialled, accepted }) => {
      const [one, two] = await Promise.all([
        openConnection(dialled, dialler(alice), left()),
        openConnection(accepted, listener(bob), right()),
      ]);
      assert.deepEqual(await one.call('echo', { text: 'there' }), { text: 'there' });
      assert.deepEqual(await two.call('question', { n: 1 }), { n: 2 });
      assert.equal(one.stream, dialled);
    }));

  it('after the other side has said who it is', () =>
    greeted(async ({ link: { role, program, version, stream }, accepted }) => {
      assert.deepEqual([role, program, version], ['engine', 'shoal of alice', VERSIONS.max]);
      assert.equal(stream, accepted);
    }));

  it('that has proven the secret of a home', () =>
    scene(async ({ alice, bob, dialled, accepted }) => {
      const [one] = await Promise.all([
        openConnection(dialled, { ...dialler(alice), secret: SECRET }, left()),
        openConnection(accepted, { ...listener(bob), secret: SECRET }, right()),
      ]);
      assert.deepEqual(await one.call('echo', { text: 'secret' }), { text: 'secret' });
    }));

  it('and handles what arrived before it, after `opened` and before `connect` returns', () =>
    greeted(async ({ sim, connection, link }) => {
      const order: string[] = [];
      connection.notify('note', { n: 1 });
      connection.notify('note', { n: 2 });
      await sim.advance(100);
      const handlers = rightHandlers({ note: ({ n }) => void order.push(`note ${n}`) });
      link.connect({ ...right(handlers), onOpen: () => order.push('opened') });
      assert.deepEqual(order, ['opened', 'note 1', 'note 2']);
    }));

  it('that knows its end, if the stream has ended meanwhile', () =>
    greeted(async ({ sim, dialled, link }) => {
      dialled.destroy();
      await sim.advance(100);
      const { clean, error } = await link.connect(right()).whenEnded;
      assert.deepEqual([clean, error?.code], [false, 'linkClosed']);
    }));
});

describe('a stream becomes no connection', () => {
  it('when the caller refuses, which the other side learns with the reason', () =>
    greeted(async ({ sim, connection, link }) => {
      link.refuse(new ShoalError('retired'));
      const { clean, error } = await connection.whenEnded;
      assert.deepEqual([clean, error?.code], [true, 'retired']);
      await sim.advance(LINGER_MS + 100);
      assert.equal(sim.network.openStreams, 0);
    }));

  it('when the other side has a role that is not wanted, which it learns', () =>
    scene(async ({ sim, alice, bob, dialled, accepted }) => {
      const [connection, code] = await Promise.all([
        openConnection(dialled, { ...dialler(alice), role: 'frontend' }, left()),
        codeOf(openLink(accepted, listener(bob))),
      ]);
      assert.equal(code, 'wrongRole');
      assert.equal((await connection.whenEnded).error?.code, 'wrongRole');
      await sim.advance(LINGER_MS + 100);
      assert.equal(sim.network.openStreams, 0);
    }));

  it('when the greeting takes too long', () =>
    scene(async ({ sim, alice, dialled }) => {
      assert.equal(await codeOf(openLink(dialled, dialler(alice))), 'deadline');
      await sim.advance(LINGER_MS + 100);
      assert.equal(sim.network.openStreams, 0);
    }));

  it('when more comes before the greeting than a greeting may have', () =>
    scene(async ({ alice }) => {
      const stream = new ManualStream();
      const opening = codeOf(openLink(stream, listener(alice)));
      const [frame] = encodeFrame(
        { type: 'greeting', kind: 'notice', call: 0 },
        Buffer.alloc(GREETING_PAYLOAD_BYTES_MAX),
      );
      stream.feed((frame ?? assert.fail()).subarray(0, 100));
      assert.equal(await opening, 'frameTooLarge');
      assert.ok(stream.isDestroyed);
    }));
});
