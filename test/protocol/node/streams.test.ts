// Streams as programs see them: TLS between machines (both ends differ: only a dialled socket reads
// in place), local sockets, and simulated ones, which have to behave alike. And connections on real
// TLS.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Connection } from '../../../protocol/wire/connection.ts';
import { FrameLink } from '../../../protocol/wire/frame.ts';
import { greet } from '../../../protocol/wire/greeting.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import { createNodeNetwork } from '../../../protocol/node/nodeNetwork.ts';
import { nodeChance, nodeClock } from '../../../protocol/node/nodeWorld.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import type { ByteStream, Network } from '../../../protocol/base/world.ts';
import { Collector } from '../../support/collector.ts';
import { SeededChance } from '../../support/simulation/seededChance.ts';
import { simulate } from '../../support/simulation/simulatedWorld.ts';
import {
  HEARTBEAT_MS,
  leftHandlers,
  RAW_BYTES_MAX,
  rightHandlers,
  streamPair,
  testLink,
  watched,
} from '../wire/linkPair.ts';

/** One end and the other, and how to wait until something holds. */
interface Place {
  readonly one: ByteStream;
  readonly two: ByteStream;
  readonly until: (holds: () => boolean) => Promise<void>;
  readonly quiet: (stream: ByteStream) => Promise<void>;
}
type Scenario = (place: Place) => Promise<void>;

/**
 * Real time: looks again whenever the process has had something to do. Mocha's time-out bounds it.
 */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Until nothing moves any more: the queue has stayed the same for a while. */
async function quiet(stream: ByteStream): Promise<void> {
  let [last, same] = [-1, 0];
  await until(() => {
    const now = stream.queuedBytes;
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= 50;
  });
}

const real = createNodeNetwork(createIdentity(), silentLog);

async function onReal(
  network: Network,
  at: { host: string; port: number } | { path: string },
  run: (dialled: ByteStream, accepted: ByteStream) => Promise<void>,
): Promise<void> {
  const accepted: ByteStream[] = [];
  const listener = await network.listen(at, (stream) => void accepted.push(stream));
  const dialled = await network.dial('path' in at ? at : { host: at.host, port: listener.port }, { timeoutMs: 5_000 });
  await until(() => accepted.length > 0);
  const other = accepted[0] ?? assert.fail();
  try {
    await run(dialled, other);
  } finally {
    await listener.close();
    dialled.destroy();
    other.destroy();
  }
}

const onTls = (run: (dialled: ByteStream, accepted: ByteStream) => Promise<void>): Promise<void> =>
  onReal(real, { host: '127.0.0.1', port: 0 }, run);

async function onPath(run: (dialled: ByteStream, accepted: ByteStream) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'shoal-streams-'));
  const at = process.platform === 'win32' ? `\\\\.\\pipe\\${path.basename(folder)}` : path.join(folder, 'engine');
  try {
    await onReal(real, { path: at }, run);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const kinds: Readonly<Record<string, (scenario: Scenario) => Promise<void>>> = {
  'a dialled TLS stream': (scenario) => onTls((one, two) => scenario({ one, two, until, quiet })),
  'an accepted TLS stream': (scenario) => onTls((two, one) => scenario({ one, two, until, quiet })),
  'a local stream': (scenario) => onPath((one, two) => scenario({ one, two, until, quiet })),
  'a simulated stream': (scenario) =>
    simulate(3, async (sim) => {
      const {
        streams: [one, two],
      } = await streamPair(sim);
      await scenario({ one, two, until: (holds) => sim.until(holds), quiet: () => sim.idle() });
    }),
};

const chance = new SeededChance('streams');
const large = chance.bytes(3_000_000);

/** `one` is the end under test. */
const scenarios: Readonly<Record<string, Scenario>> = {
  'delivers what is written to it, whole and in order': async ({ one, two, until: wait }) => {
    const got = new Collector(two, 10_000);
    new Collector(one);
    for (let at = 0; at < large.length; at += 70_001) {
      one.write([large.subarray(at, at + 70_000), large.subarray(at + 70_000, at + 70_001)]);
    }
    await wait(() => got.length === large.length);
    assert.ok(got.bytes.equals(large));
  },
  'reads what is written to the other end': async ({ one, two, until: wait }) => {
    const got = new Collector(one, 10_000);
    new Collector(two);
    two.write([large]);
    await wait(() => got.length === large.length);
    assert.ok(got.bytes.equals(large));
  },
  'keeps what came before it was opened': async ({ one, two, until: wait, quiet: still }) => {
    new Collector(two);
    two.write([Buffer.from('early')]);
    await still(two);
    const got = new Collector(one);
    await wait(() => got.bytes.toString() === 'early');
  },
  'does not read on and on before it is opened': async ({ one, two, until: wait, quiet: still }) => {
    new Collector(two);
    for (let n = 0; n < 20; n++) two.write([large]);
    await still(two);
    assert.ok(
      two.queuedBytes > 10 * large.length,
      `${two.queuedBytes} of ${20 * large.length} are left: it read ahead`,
    );
    const got = new Collector(one, 200_000);
    await wait(() => got.length === 20 * large.length);
  },
  'ends cleanly: what was written arrives, both ends close without an error': async ({ one, two, until: wait }) => {
    const [first, second] = [new Collector(one), new Collector(two)];
    one.write([large]);
    one.end();
    one.write([Buffer.from('too late')]);
    await wait(() => first.end !== undefined && second.end !== undefined);
    assert.deepEqual(
      [second.length, first.end, second.end],
      [large.length, { error: undefined }, { error: undefined }],
    );
  },
  'hears what the other end still writes after it has ended': async ({ one, two, until: wait }) => {
    const [first, second] = [new Collector(one), new Collector(two)];
    two.write([large]);
    one.end();
    await wait(() => first.end !== undefined && second.end !== undefined);
    assert.ok(first.length <= large.length && second.end?.error === undefined);
  },
  'learns of the end only when it is opened': async ({ one, two, until: wait }) => {
    new Collector(two);
    two.write([Buffer.from('and out')]);
    two.end();
    await wait(() => two.queuedBytes === 0);
    const got = new Collector(one);
    await wait(() => got.end !== undefined);
    assert.deepEqual([got.bytes.toString(), got.end], ['and out', { error: undefined }]);
  },
  'tells its own receiver that it was destroyed, and the other end': async ({ one, two, until: wait }) => {
    const [first, second] = [new Collector(one), new Collector(two)];
    one.destroy();
    one.destroy();
    one.write([Buffer.from('too late')]);
    one.end();
    await wait(() => first.end !== undefined && second.end !== undefined);
    assert.deepEqual([first.end, one.queuedBytes], [{ error: undefined }, 0]);
  },
  'tells a receiver who comes after the end': async ({ one, two, until: wait }) => {
    const second = new Collector(two);
    one.destroy();
    await wait(() => second.end !== undefined);
    const late = new Collector(one);
    await wait(() => late.end !== undefined);
  },
  "holds back while it is paused, so that the writer's queue grows, and goes on when resumed": async ({
    one,
    two,
    until: wait,
    quiet: still,
  }) => {
    const [first, second] = [new Collector(one, 100_000), new Collector(two)];
    two.write([Buffer.from('x')]);
    await wait(() => first.length === 1);
    one.pause();
    for (let n = 0; n < 20; n++) two.write([large]);
    await still(two);
    assert.ok(two.queuedBytes > 10 * large.length, `${two.queuedBytes} queued`);
    const { drains } = second;
    one.resume();
    await wait(() => first.length === 1 + 20 * large.length && second.drains > drains);
    assert.equal(two.queuedBytes, 0);
  },
  'can be paused and resumed by its own receiver at every chunk': async ({ one, two, until: wait }) => {
    let bytes = 0;
    const memory = Buffer.alloc(30_000);
    one.open({
      target: () => memory,
      received(count) {
        bytes += count;
        one.pause();
        setImmediate(() => one.resume());
      },
      drained() {},
      ended() {},
    });
    new Collector(two);
    two.write([large]);
    await wait(() => bytes === large.length);
  },
  'says when memory may be used again: when written, when destroyed, when too late': async ({
    one,
    two,
    until: wait,
  }) => {
    const said: string[] = [];
    new Collector(one);
    const got = new Collector(two);
    one.write([Buffer.from('a'), large], () => said.push('written'));
    await wait(() => got.length === large.length + 1 && said.length === 1);
    two.pause();
    for (let n = 0; n < 10; n++) one.write([large]);
    one.write([large], () => said.push('destroyed'));
    one.destroy();
    await wait(() => said.length === 2);
    one.write([large], () => said.push('too late'));
    await wait(() => said.length === 3);
    assert.deepEqual(said, ['written', 'destroyed', 'too late']);
  },
};

for (const [kind, run] of Object.entries(kinds)) {
  describe(kind, () => {
    for (const [what, scenario] of Object.entries(scenarios)) it(what, () => run(scenario));
  });
}

describe('a dialled TLS stream', () => {
  it('reads into the memory that its receiver names, without a copy of its own', () =>
    onTls(async (dialled, accepted) => {
      const memory = Buffer.alloc(large.length);
      let at = 0;
      const asked: number[] = [];
      dialled.open({
        target: () => memory.subarray(at),
        received(count) {
          asked.push(count);
          at += count;
        },
        drained() {},
        ended() {},
      });
      new Collector(accepted);
      accepted.write([large.subarray(0, -1)]);
      await until(() => at === large.length - 1);
      assert.ok(memory.subarray(0, -1).equals(large.subarray(0, -1)));
      assert.ok(asked.length < large.length / 5_000, `${asked.length} reads`);
    }));
});

describe('a connection on real TLS', () => {
  it('greets, calls both ways at once, and puts large answers in place', () =>
    onTls(async (dialled, accepted) => {
      const common = { program: 'test', clock: nodeClock, chance: nodeChance };
      const [dialledLink, acceptedLink] = [new FrameLink(dialled), new FrameLink(accepted)];
      await Promise.all([
        greet(dialledLink, { ...common, role: 'engine', accepts: ['tracker'] }),
        greet(acceptedLink, { ...common, role: 'tracker', accepts: ['engine'] }),
      ]);
      const options = { table: testLink, heartbeatMs: HEARTBEAT_MS, clock: nodeClock, log: silentLog };
      const left = new Connection(dialledLink, { ...options, side: 'left', handlers: leftHandlers() });
      const right = new Connection(acceptedLink, {
        ...options,
        side: 'right',
        handlers: rightHandlers({
          piece: ({ bytes }) => ({ tag: bytes, raw: large.subarray(bytes % 1000, (bytes % 1000) + bytes) }),
        }),
      });
      const pieces = Array.from({ length: 40 }, async (_, n) => {
        const bytes = RAW_BYTES_MAX - n * 1001;
        const into = Buffer.alloc(bytes);
        assert.deepEqual(await left.call('piece', { bytes }, { into }), { tag: bytes, rawBytes: bytes });
        assert.ok(into.equals(large.subarray(bytes % 1000, (bytes % 1000) + bytes)));
      });
      const parts = Array.from({ length: 10 }, async () =>
        assert.equal(
          (await right.call('part', { bytes: RAW_BYTES_MAX }, { into: Buffer.alloc(RAW_BYTES_MAX) })).rawBytes,
          RAW_BYTES_MAX,
        ),
      );
      const echoes = Array.from({ length: 40 }, async (_, n) =>
        assert.deepEqual(await left.call('echo', { text: 'é'.repeat(n * 1000) }), { text: 'é'.repeat(n * 1000) }),
      );
      await Promise.all([...pieces, ...parts, ...echoes]);
      left.close();
      assert.deepEqual([await left.whenEnded, await right.whenEnded], [{ clean: true }, { clean: true }]);
    }));

  it('ends for the other side when one is destroyed', () =>
    onTls(async (dialled, accepted) => {
      const options = { table: testLink, heartbeatMs: HEARTBEAT_MS, clock: nodeClock, log: silentLog };
      const left = new Connection(new FrameLink(dialled), { ...options, side: 'left', handlers: leftHandlers() });
      const right = new Connection(new FrameLink(accepted), { ...options, side: 'right', handlers: rightHandlers() });
      const call = watched(left.call('wait', {}));
      await until(() => right.counts.framesIn > 0);
      right.destroy();
      assert.equal((await left.whenEnded).error?.code, 'linkClosed');
      await until(() => call.isSettled);
      assert.equal(call.error?.code, 'linkClosed');
    }));
});
