// Which of a machine's addresses are dialled, and when: in the simulated network, whose time is
// counted, not waited for.
import assert from 'node:assert/strict';
import { dialFastest } from '../../../../extension/engine/peers/happyEyeballs.ts';
import { isShoalError } from '../../../../protocol/base/errors.ts';
import type { ByteStream } from '../../../../protocol/base/world.ts';
import type { Machine } from '../../../support/simulation/machine.ts';
import { simulate } from '../../../support/simulation/simulatedWorld.ts';
import type { Simulation } from '../../../support/simulation/simulatedWorld.ts';

const PORT = 7000;
/** One way, in ms: bob answers after twice that, and has proven his key after four times. */
const LATENCY_MS = 100;

interface Scene {
  readonly sim: Simulation;
  readonly alice: Machine;
  readonly bob: Machine;
  /** What was dialled, and after how many ms. */
  readonly dialled: { readonly host: string; readonly atMs: number }[];
  /** Alice dials bob at these addresses. */
  readonly dial: (...hosts: readonly string[]) => Promise<ByteStream>;
}

const scene = (body: (scene: Scene) => Promise<void>): Promise<void> =>
  simulate(1, async (sim) => {
    const [alice, bob, mallory] = [sim.machine('alice'), sim.machine('bob'), sim.machine('mallory')];
    for (const one of [bob, mallory]) {
      sim.network.setLatency(alice, one, LATENCY_MS);
      await one.world.network.listen({ port: PORT }, () => {});
    }
    const { clock, network } = alice.world;
    const beganMs = clock.monotonicMs();
    const dialled: { host: string; atMs: number }[] = [];
    const watched: typeof network = {
      ...network,
      dial: (to, options) => {
        if ('host' in to) dialled.push({ host: to.host, atMs: clock.monotonicMs() - beganMs });
        return network.dial(to, options);
      },
    };
    const dial = (...hosts: readonly string[]): Promise<ByteStream> =>
      dialFastest(
        { clock, network: watched },
        hosts.map((host) => ({ host, port: PORT })),
        bob.pin,
      );
    await body({ sim, alice, bob, dialled, dial });
  });
const hosts = (dialled: Scene['dialled']): readonly string[] => dialled.map(({ host }) => host);
const fails =
  (code: string) =>
  (error: unknown): boolean =>
    isShoalError(error) && error.code === code;

describe('dialling whichever address of a machine answers', () => {
  it('dials no other one while the first proves its key, and none afterwards', () =>
    scene(async ({ sim, bob, dialled, dial }) => {
      assert.equal((await dial('bob', '10.9.9.9', 'bob')).pin, bob.pin);
      await sim.advance(10_000);
      assert.deepEqual(hosts(dialled), ['bob']);
    }));

  it('dials the next after 250 ms beside one that does not answer', () =>
    scene(async ({ sim, alice, bob, dialled, dial }) => {
      sim.network.cut(alice, bob);
      const dialling = dial('bob', '10.0.0.2', 'bob');
      await sim.advance(600);
      assert.deepEqual(
        dialled.map(({ atMs }) => atMs),
        [0, 250, 500],
      );
      sim.network.heal();
      assert.equal((await dialling).pin, bob.pin);
    }));

  it('dials the next at once when one fails: nothing listens there, or it is somebody else', () =>
    scene(async ({ bob, dialled, dial }) => {
      assert.equal((await dial('alice', 'mallory', 'bob')).pin, bob.pin);
      assert.deepEqual(hosts(dialled), ['alice', 'mallory', 'bob']);
      assert.ok((dialled[1]?.atMs ?? Infinity) < 10 && (dialled[2]?.atMs ?? Infinity) < 250, JSON.stringify(dialled));
    }));

  it('dials the next 2 s after one has answered that then says nothing', () =>
    scene(async ({ sim, alice, bob, dialled, dial }) => {
      const dialling = dial('bob', 'bob');
      await sim.advance(LATENCY_MS * 2.5);
      sim.network.cut(alice, bob);
      await sim.advance(LATENCY_MS * 10); // what was on its way is lost
      sim.network.heal();
      assert.equal((await dialling).pin, bob.pin);
      const second = dialled[1]?.atMs ?? 0;
      assert.ok(second > 2_000 + LATENCY_MS && second < 2_000 + 3 * LATENCY_MS, JSON.stringify(dialled));
    }));

  it('says what the last one came to when none is left, and that there is none', () =>
    scene(async ({ dial }) => {
      await assert.rejects(dial('alice', 'mallory'), fails('pinMismatch'));
      await assert.rejects(dial('mallory', 'alice'), fails('unreachable'));
      await assert.rejects(dial(), fails('unreachable'));
    }));
});
