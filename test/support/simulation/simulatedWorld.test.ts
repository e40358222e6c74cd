// The simulated clock, chance and life of programs: what every simulation relies on.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { ByteStream } from '../../../protocol/base/world.ts';
import { Collector } from '../collector.ts';
import { EventQueue } from './eventQueue.ts';
import { seededIdentity } from './machine.ts';
import { SeededChance } from './seededChance.ts';
import { simulate } from './simulatedWorld.ts';
import type { Simulation } from './simulatedWorld.ts';

describe('the event queue', () => {
  it('gives what was asked for in the order of time, then of asking, without what was cancelled', () => {
    const chance = new SeededChance(1);
    const queue = new EventQueue();
    const done: string[] = [];
    const wanted: { at: number; name: string }[] = [];
    for (let n = 0; n < 1000; n++) {
      const at = chance.below(50);
      const event = queue.add(at, () => done.push(`${at}/${n}`));
      if (chance.oneIn(3)) event.cancel();
      else wanted.push({ at, name: `${at}/${n}` });
    }
    assert.equal(queue.size, wanted.length);
    for (let next = queue.next(); next; next = queue.next()) next.run();
    assert.deepEqual(
      done,
      wanted.sort((a, b) => a.at - b.at).map(({ name }) => name),
    );
    assert.equal(queue.size, 0);
  });
});

describe('seeded chance', () => {
  it('repeats itself for the same seed and differs for another', () => {
    const draw = (seed: number): unknown => {
      const chance = new SeededChance(seed);
      return [chance.random(), chance.bytes(7), chance.below(1000)];
    };
    assert.deepEqual(draw(5), draw(5));
    assert.notDeepEqual(draw(5), draw(6));
  });

  it('gives a fork that does not depend on what was drawn before', () => {
    const drawn = new SeededChance(5);
    drawn.bytes(100);
    assert.equal(drawn.fork('a').random(), new SeededChance(5).fork('a').random());
    assert.notEqual(drawn.fork('a').random(), drawn.fork('b').random());
  });

  it('spreads evenly', () => {
    const chance = new SeededChance(7);
    const counts = Array.from({ length: 10 }, () => 0);
    for (let n = 0; n < 10_000; n++) {
      const place = chance.below(10);
      counts[place] = (counts[place] ?? 0) + 1;
    }
    for (const count of counts) assert.ok(count > 880 && count < 1120, counts.join(' '));
    const bits = [...chance.bytes(10_000)].reduce((sum, byte) => sum + byte, 0);
    assert.ok(Math.abs(bits / 10_000 - 127.5) < 3);
  });

  it('makes real identities that are equal in equal runs', () => {
    const pin = (seed: number): string => seededIdentity(new SeededChance(seed)).pin;
    assert.equal(pin(1), pin(1));
    assert.notEqual(pin(1), pin(2));
  });
});

describe('a simulation', () => {
  it('lets time pass only while its body waits, and code between events settle', () =>
    simulate(1, async (sim) => {
      const { clock } = sim.machine('alice').world;
      const began = clock.now();
      const seen: string[] = [];
      clock.after(
        20,
        () =>
          void (async () => {
            for (let step = 0; step < 50; step++) await Promise.resolve();
            seen.push(`settled at ${clock.monotonicMs()}`);
          })(),
      );
      clock.after(20, () => seen.push('second'));
      clock.after(10, () => seen.push('first'));
      clock.after(15, () => seen.push('never')).cancel();
      await sim.advance(30);
      assert.deepEqual(seen, ['first', 'settled at 20', 'second']);
      assert.equal(clock.now() - began, 30);
    }));

  it('runs a year of heartbeats in no time', () =>
    simulate(
      1,
      async (sim) => {
        const { clock } = sim.machine('alice').world;
        let beats = 0;
        const beat = (): void => void clock.after(3_600_000, () => (beats++, beat()));
        beat();
        await sim.advance(365 * 24 * 3_600_000 + 1);
        assert.equal(beats, 365 * 24);
      },
      { boundMs: Infinity },
    ));

  it('waits until something holds, or says that it never did', () =>
    simulate(1, async (sim) => {
      let done = false;
      sim.after(500, () => (done = true));
      await sim.until(() => done);
      assert.equal(sim.nowMs, 500);
      await assert.rejects(
        sim.until(() => !done, 100),
        /after 100 ms this still does not hold: \(\) => !done/,
      );
      assert.equal(sim.nowMs, 600);
    }));

  it('waits until nothing is left to happen', () =>
    simulate(1, async (sim) => {
      let left = 10;
      const step = (): void => void (--left > 0 && sim.after(7, step));
      step();
      await sim.idle();
      assert.deepEqual([left, sim.nowMs], [0, 63]);
    }));

  it('stands still while the real world works', () =>
    simulate(1, async (sim) => {
      let passed = false;
      sim.after(1, () => (passed = true));
      const turns = (async () => {
        for (let n = 0; n < 20; n++) await new Promise((resolve) => void setImmediate(resolve));
      })();
      await sim.hold(turns);
      assert.deepEqual([passed, sim.nowMs], [false, 0]);
    }));

  it('names its seed and time when the body fails, waits for nothing, or never ends', async () => {
    const endless = (sim: Simulation): void => void sim.after(1, () => endless(sim));
    await assert.rejects(
      simulate(77, async (sim) => {
        await sim.advance(5);
        throw new Error('oh');
      }),
      /^Error: oh\n\[seed 77, at 5\.000 ms\]/,
    );
    await assert.rejects(
      simulate(78, () => new Promise(() => {})),
      /stuck(.|\n)*seed 78/,
    );
    await assert.rejects(
      simulate(
        79,
        (sim) => {
          endless(sim);
          return new Promise(() => {});
        },
        { eventsMax: 100 },
      ),
      /does not end(.|\n)*seed 79/,
    );
    await assert.rejects(
      simulate(
        80,
        (sim) => {
          endless(sim);
          return new Promise(() => {});
        },
        { boundMs: 100 },
      ),
      /does not end/,
    );
    await assert.rejects(
      simulate(81, async (sim) => {
        sim.after(3, () => {
          throw new Error('in an event');
        });
        await sim.advance(10);
      }),
      /in an event(.|\n)*seed 81, at 3/,
    );
  });

  it('tells in its last lines what the machines logged', () =>
    simulate(1, async (sim) => {
      sim.machine('alice').world.log.info('piece verified', { piece: 3, error: new Error('no'), big: 5n });
      assert.match(sim.lastLines().at(-1) ?? '', /alice info: piece verified {"piece":3,"error":"no","big":"5"}/);
    }));

  it('keeps the clocks of machines apart', () =>
    simulate(1, async (sim) => {
      const ahead = sim.machine('alice', { skewMs: 5000 }).world.clock;
      assert.equal(ahead.now() - sim.machine('bob').world.clock.now(), 5000);
    }));
});

/** A small busy world: streams both ways, a cut, a kill, a disk. */
async function busy(sim: Simulation): Promise<void> {
  const [alice, bob] = [sim.machine('alice'), sim.machine('bob')];
  await bob.world.network.listen({ port: 7000 }, (stream) => {
    const got = new Collector(stream, 999);
    stream.write([bob.world.chance.bytes(5000)]);
    bob.world.clock.after(40, () => sim.note(`bob has ${got.bytes.length} in ${got.chunkCount}`));
  });
  const stream = await alice.world.network.dial({ host: 'bob', port: 7000 }, { timeoutMs: 1000 });
  const got = new Collector(stream);
  stream.write([alice.world.chance.bytes(200_000)]);
  sim.network.cut(alice, bob);
  await alice.world.disk.makeFolder('/a');
  await Promise.all(
    ['x', 'y', 'z'].map((name) => alice.world.disk.replaceFile(`/a/${name}`, alice.world.chance.bytes(10))),
  );
  sim.note((await alice.world.disk.listFolder('/a')).join());
  sim.network.heal();
  await sim.advance(50);
  sim.note(`alice has ${got.bytes.toString('hex')} in ${got.chunkCount}`);
  bob.kill();
  await sim.until(() => got.end !== undefined);
  sim.note(`alice sees ${got.end?.error?.message}`);
}

describe('one seed', () => {
  it('gives the same trace every time, another seed another', async () => {
    const trace = (seed: number): Promise<string> => simulate(seed, async (sim) => (await busy(sim), sim.traceHash()));
    const traces = await Promise.all([1, 2, 3, 1, 2, 3].map(trace));
    assert.deepEqual(traces.slice(0, 3), traces.slice(3));
    assert.equal(new Set(traces).size, 3);
  });
});

describe('a program that ends', () => {
  const connect = async (sim: Simulation): Promise<{ alices: Collector; bobs: Collector }> => {
    const accepted: ByteStream[] = [];
    await sim.machine('bob').world.network.listen({ port: 7000 }, (stream) => accepted.push(stream));
    const dialled = await sim.machine('alice').world.network.dial({ host: 'bob', port: 7000 }, { timeoutMs: 1000 });
    await sim.until(() => accepted.length > 0);
    return { alices: new Collector(dialled), bobs: new Collector(accepted[0] ?? assert.fail()) };
  };

  it('does nothing any more: no timer, no call, no byte', () =>
    simulate(1, async (sim) => {
      const bob = sim.machine('bob');
      const { bobs } = await connect(sim);
      const { clock, disk, network } = bob.world;
      const done: string[] = [];
      clock.after(10, () => done.push('timer'));
      void disk.replaceFile('/a', Buffer.from('a')).then(
        () => done.push('disk'),
        () => done.push('disk'),
      );
      void network.dial({ host: 'alice', port: 1 }, { timeoutMs: 5 }).then(
        () => done.push('dial'),
        () => done.push('dial'),
      );
      bob.kill();
      await sim.advance(1000);
      assert.deepEqual([done, bobs.end, bob.isAlive], [[], undefined, false]);
    }));

  it('closes its connections when it is killed; the next one has the same address, key and disk', () =>
    simulate(1, async (sim) => {
      const bob = sim.machine('bob');
      const { alices } = await connect(sim);
      await bob.world.disk.replaceFile('/a', Buffer.from('kept'));
      const file = await bob.world.disk.open('/b', 'create');
      await file.write(Buffer.from('not synced'), 0);
      bob.kill();
      await sim.until(() => alices.end !== undefined);
      await assert.rejects(
        sim.machine('alice').world.network.dial({ host: 'bob', port: 7000 }, { timeoutMs: 1000 }),
        /nothing listens there/,
      );
      bob.start();
      const again = await connect(sim);
      assert.equal(again.alices.stream.pin, alices.stream.pin);
      assert.deepEqual([bob.disk.peek('/a')?.toString(), bob.disk.peek('/b')?.toString()], ['kept', 'not synced']);
    }));

  it('tells nobody when the power goes, until it is back and is written to', () =>
    simulate(1, async (sim) => {
      const [alice, bob] = [sim.machine('alice'), sim.machine('bob')];
      const { alices } = await connect(sim);
      bob.powerCut();
      alices.stream.write([Buffer.from('hello')]);
      await sim.advance(3_600_000);
      assert.equal(alices.end, undefined);
      await assert.rejects(
        alice.world.network.dial({ host: 'bob', port: 7000 }, { timeoutMs: 1000 }),
        /no answer within 1000 ms/,
      );
      bob.start();
      await sim.until(() => alices.end !== undefined, 100);
      assert.match(inspect(alices.end), /ECONNRESET/);
    }));

  it('takes the other programs of its machine along only when the power goes', () =>
    simulate(1, async (sim) => {
      const bob = sim.machine('bob');
      const second = sim.machine('bob2', { on: bob });
      assert.equal(second.host, bob.host);
      assert.notEqual(second.pin, bob.pin);
      bob.kill();
      assert.deepEqual([bob.isAlive, second.isAlive], [false, true]);
      bob.start();
      second.powerCut();
      assert.deepEqual([bob.isAlive, second.isAlive], [false, false]);
    }));
});
