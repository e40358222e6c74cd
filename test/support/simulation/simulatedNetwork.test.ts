// What the simulated network promises: order, flow control, and each kind of trouble as the real
// one would show it.
import assert from 'node:assert/strict';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { Pin } from '../../../protocol/base/ids.ts';
import type { ByteStream, DialOptions, ListenAt, Listener } from '../../../protocol/base/world.ts';
import { Collector } from '../collector.ts';
import type { Machine } from './machine.ts';
import { simulate } from './simulatedWorld.ts';
import type { Simulation } from './simulatedWorld.ts';

const PORT = 7000;
const NOTHING = new Uint8Array(0);

/** What can go on between alice and bob. */
class Scene {
  readonly sim: Simulation;
  readonly alice: Machine;
  readonly bob: Machine;
  readonly accepted: ByteStream[] = [];

  constructor(sim: Simulation) {
    this.sim = sim;
    [this.alice, this.bob] = [sim.machine('alice'), sim.machine('bob')];
  }

  bobListens(at: ListenAt = { port: PORT }): Promise<Listener> {
    return this.bob.world.network.listen(at, (stream) => void this.accepted.push(stream));
  }

  aliceDials(host = 'bob', options: Partial<DialOptions> = {}): Promise<ByteStream> {
    return this.alice.world.network.dial({ host, port: PORT }, { timeoutMs: 1000, ...options });
  }

  /** Both ends of a stream from alice to bob, not yet opened. */
  async pair(): Promise<[alices: ByteStream, bobs: ByteStream]> {
    await this.bobListens();
    const dialled = await this.aliceDials();
    await this.sim.until(() => this.accepted.length > 0);
    return [dialled, this.accepted[0] ?? assert.fail()];
  }
}

const scene = (seed: number, body: (scene: Scene) => Promise<void>): Promise<void> =>
  simulate(seed, (sim) => body(new Scene(sim)));
const unreachable =
  (why: RegExp) =>
  (error: unknown): boolean =>
    isShoalError(error, 'unreachable') && why.test(error.message);

describe('the simulated network', () => {
  it('delivers all bytes both ways in their order, cut anywhere, whatever the seed', async () => {
    const chunkCounts = new Set<number>();
    for (let seed = 0; seed < 30; seed++) {
      await scene(seed, async (at) => {
        const [alices, bobs] = await at.pair();
        const chance = at.sim.chance.fork('test');
        const sent = [chance.bytes(chance.below(300_000)), chance.bytes(chance.below(100_000))] as const;
        const writers = [alices, bobs].map(async (stream, side) => {
          const bytes = sent[side] ?? assert.fail();
          for (let from = 0; from < bytes.length;) {
            const to = from + 1 + chance.below(40_000);
            stream.write([bytes.subarray(from, to), bytes.subarray(to, to + 1)]);
            from = to + 1;
            if (chance.oneIn(3)) await at.sim.advance(chance.below(10));
          }
        });
        const [alice, bob] = [
          new Collector(alices, 1 + chance.below(5000)),
          new Collector(bobs, 1 + chance.below(5000)),
        ];
        await Promise.all(writers);
        await at.sim.idle();
        assert.ok(bob.bytes.equals(sent[0]) && alice.bytes.equals(sent[1]));
        chunkCounts.add(bob.chunkCount);
      });
    }
    assert.ok(chunkCounts.size > 10, 'the same cuts every time');
  });

  it('gives each end the pin and the address of the other', () =>
    scene(1, async (at) => {
      const [alices, bobs] = await at.pair();
      assert.deepEqual([alices.pin, alices.dialled, alices.remote], [at.bob.pin, true, { host: 'bob', port: PORT }]);
      assert.deepEqual([bobs.pin, bobs.dialled, bobs.remote.host], [at.alice.pin, false, at.alice.host]);
      assert.deepEqual(at.alice.world.network.hosts(), [at.alice.host]);
    }));

  it('refuses a machine that proves another pin than expected', () =>
    scene(1, async (at) => {
      await at.bobListens();
      await assert.rejects(at.aliceDials('bob', { expect: 'ab'.repeat(32) as Pin }), (error) =>
        isShoalError(error, 'pinMismatch'),
      );
      assert.equal((await at.aliceDials('bob', { expect: at.bob.pin })).pin, at.bob.pin);
    }));

  it('says why nobody answers', () =>
    scene(1, async (at) => {
      await assert.rejects(at.aliceDials(), unreachable(/no connection to bob:7000 \(nothing listens there\)/));
      await assert.rejects(at.aliceDials('nowhere'), unreachable(/there is no such host/));
      at.sim.network.cut(at.alice, at.bob);
      await at.bobListens();
      const began = at.sim.nowMs;
      await assert.rejects(at.aliceDials('bob', { timeoutMs: 300 }), unreachable(/no answer within 300 ms/));
      assert.equal(at.sim.nowMs - began, 300);
      const controller = new AbortController();
      const dialling = at.aliceDials('bob', { signal: controller.signal });
      controller.abort();
      await assert.rejects(dialling, (error) => isShoalError(error, 'cancelled'));
    }));

  it('keeps to where somebody listens, and frees it', () =>
    scene(1, async (at) => {
      const listener = await at.bobListens({ port: PORT, host: '127.0.0.1' });
      await assert.rejects(at.aliceDials(), unreachable(/nothing listens there/));
      await assert.rejects(
        at.bobListens(),
        (error) => isShoalError(error, 'listenFailed') && /another program uses it/.test(error.message),
      );
      await assert.rejects(at.bobListens({ port: 1, host: 'alice' }), (error) => isShoalError(error, 'listenFailed'));
      const inside = await at.bob.world.network.dial({ host: 'localhost', port: PORT }, { timeoutMs: 1000 });
      await at.sim.idle();
      assert.deepEqual([inside.pin, at.accepted[0]?.remote.host], [at.bob.pin, '127.0.0.1']);
      await listener.close();
      await at.bobListens();
      const [one, two] = [await at.bobListens({ port: 0 }), await at.bobListens({ port: 0 })];
      assert.ok(one.port > 0 && two.port > 0 && one.port !== two.port);
    }));

  it('has local paths, without pins, that no other machine sees', () =>
    scene(1, async (at) => {
      await at.bobListens({ path: '/run/engine' });
      const local = await at.bob.world.network.dial({ path: '/run/engine' }, { timeoutMs: 10 });
      assert.deepEqual([local.pin, local.remote], [undefined, { host: '', port: 0 }]);
      await assert.rejects(
        at.alice.world.network.dial({ path: '/run/engine' }, { timeoutMs: 10 }),
        unreachable(/nothing listens there/),
      );
    }));

  it('holds back what is written into a cut, and delivers it in order when it is healed', async () => {
    for (let seed = 0; seed < 10; seed++) {
      await scene(seed, async (at) => {
        const [alices, bobs] = await at.pair();
        const bob = new Collector(bobs);
        const bytes = at.sim.chance.bytes(100_000);
        alices.write([bytes.subarray(0, 50_000)]);
        await at.sim.advance(0.5 + at.sim.chance.random());
        at.sim.network.cut(at.alice, at.bob);
        alices.write([bytes.subarray(50_000)]);
        await at.sim.advance(60_000);
        assert.ok(bob.length <= 50_000 && bob.end === undefined);
        at.sim.network.heal();
        alices.end();
        await at.sim.idle();
        assert.ok(bob.bytes.equals(bytes));
        assert.deepEqual(bob.end, { error: undefined });
      });
    }
  });

  it('cuts one direction only: bytes pass the other way until the window is full', () =>
    scene(1, async (at) => {
      const [alices, bobs] = await at.pair();
      const [alice, bob] = [new Collector(alices), new Collector(bobs)];
      at.sim.network.cutOneWay(at.alice, at.bob);
      alices.write([Buffer.alloc(10)]);
      bobs.write([Buffer.alloc(1_000_000)]);
      await at.sim.idle();
      assert.deepEqual([bob.length, alice.length], [0, 256 * 1024]);
      at.sim.network.heal(at.alice, at.bob);
      await at.sim.idle();
      assert.deepEqual([bob.length, alice.length], [10, 1_000_000]);
    }));

  it('tells both ends of a reset', () =>
    scene(1, async (at) => {
      const [alices, bobs] = await at.pair();
      const both = [new Collector(alices), new Collector(bobs)];
      at.sim.network.reset(at.bob, at.alice);
      alices.write([Buffer.from('into nothing')]);
      await at.sim.idle();
      for (const end of both) assert.match(String(end.end?.error), /ECONNRESET/);
      assert.deepEqual([both[1]?.length, at.sim.network.openStreams], [0, 0]);
    }));

  it('closes both ends after a clean end, once everything was read', () =>
    scene(1, async (at) => {
      const [alices, bobs] = await at.pair();
      const [alice, bob] = [new Collector(alices), new Collector(bobs)];
      bobs.pause();
      alices.write([Buffer.alloc(5000)]);
      alices.end();
      alices.write([Buffer.from('too late')]);
      bobs.write([Buffer.from('still heard')]);
      await at.sim.idle();
      assert.deepEqual([alice.end, bob.end, alice.bytes.toString()], [undefined, undefined, 'still heard']);
      bobs.resume();
      await at.sim.idle();
      assert.deepEqual([alice.end, bob.end, bob.length], [{ error: undefined }, { error: undefined }, 5000]);
      assert.equal(at.sim.network.openStreams, 0);
    }));

  it('ends at once when destroyed: what was queued is lost, the other end learns it', () =>
    scene(1, async (at) => {
      const [alices, bobs] = await at.pair();
      const [alice, bob] = [new Collector(alices), new Collector(bobs)];
      alices.write([Buffer.alloc(5_000_000)]);
      await at.sim.advance(3);
      alices.destroy();
      await at.sim.idle();
      assert.ok(bob.length < 5_000_000);
      assert.deepEqual([alice.end, bob.end], [{ error: undefined }, { error: undefined }]);
    }));

  it('queues for a reader that does not read, and says when the queue is empty', () =>
    scene(1, async (at) => {
      const [alices, bobs] = await at.pair();
      const [alice, bob] = [new Collector(alices), new Collector(bobs)];
      bobs.pause();
      for (let n = 0; n < 10; n++) alices.write([Buffer.alloc(100_000)]);
      await at.sim.idle();
      const queued = alices.queuedBytes;
      assert.deepEqual([queued, alice.drains, bob.length], [1_000_000 - 256 * 1024, 0, 0]);
      bobs.resume();
      await at.sim.idle();
      assert.deepEqual([alices.queuedBytes, alice.drains, bob.length], [0, 1, 1_000_000]);
      alices.write([Buffer.alloc(100)]);
      await at.sim.idle();
      assert.equal(alice.drains, 1, 'a short queue becomes empty without a word');
    }));

  it('says when the memory of what was written may be used again, and not before', () =>
    scene(1, async (at) => {
      const [alices, bobs] = await at.pair();
      const bob = new Collector(bobs);
      const said: string[] = [];
      bobs.pause();
      const memory = Buffer.alloc(1_000_000, 1);
      alices.write([Buffer.alloc(10, 1), memory], () => {
        said.push('large');
        memory.fill(2);
      });
      alices.write([NOTHING], () => said.push('nothing'));
      alices.write([], () => said.push('no part'));
      await at.sim.idle();
      assert.equal(said.length, 0);
      bobs.resume();
      await at.sim.idle();
      assert.deepEqual(said, ['large', 'nothing', 'no part']);
      assert.ok(bob.bytes.equals(Buffer.alloc(1_000_010, 1)));
      alices.write([memory], () => said.push('lost'));
      alices.destroy();
      alices.write([memory], () => said.push('too late'));
      await at.sim.idle();
      assert.deepEqual(said.slice(3), ['too late', 'lost']);
    }));

  it('keeps bytes for whoever opens later, and the end too', () =>
    scene(1, async (at) => {
      const [alices, bobs] = await at.pair();
      alices.write([Buffer.from('early')]);
      alices.end();
      await at.sim.idle();
      const bob = new Collector(bobs);
      await at.sim.idle();
      assert.deepEqual([bob.bytes.toString(), bob.end], ['early', { error: undefined }]);
      alices.destroy();
      const alice = new Collector(alices);
      await at.sim.idle();
      assert.deepEqual(alice.end, { error: undefined });
    }));

  it('takes its time: latency and the width of the line', () =>
    scene(1, async (at) => {
      at.sim.network.setLatency(at.alice, at.bob, 50);
      at.alice.site.upBytesPerMs = 100;
      const [alices, bobs] = await at.pair();
      const bob = new Collector(bobs);
      const began = at.sim.nowMs;
      alices.write([Buffer.alloc(100_000)]);
      await at.sim.until(() => bob.length === 100_000);
      const tookMs = at.sim.nowMs - began;
      assert.ok(tookMs >= 1050 && tookMs < 1100, `${tookMs} ms`);
    }));

  it('has firewalls that refuse and that drop, but never for the machine itself', () =>
    scene(1, async (at) => {
      await at.bobListens();
      at.bob.site.firewall = 'refuses';
      await assert.rejects(at.aliceDials(), unreachable(/nothing listens there/));
      at.bob.site.firewall = 'drops';
      await assert.rejects(at.aliceDials(), unreachable(/no answer within/));
      await at.bob.world.network.dial({ host: '127.0.0.1', port: PORT }, { timeoutMs: 10 });
    }));

  it('does not bring a stream to one who closed the listener meanwhile', () =>
    scene(1, async (at) => {
      const listener = await at.bobListens();
      const alice = new Collector(await at.aliceDials());
      await listener.close();
      await at.sim.idle();
      assert.deepEqual(at.accepted, []);
      assert.match(String(alice.end?.error), /ECONNRESET/);
    }));
});
