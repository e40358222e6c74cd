// A pair of trackers on two simulated machines, whose logs outlive their programs, and people who
// are linked to one of them.
import assert from 'node:assert/strict';
import { createIdentity } from '../../../protocol/node/identity.ts';
import type { Tracker, TrackerOptions } from '../../../tracker/server/server.ts';
import type { Machine } from './machine.ts';
import type { MemoryDisk } from './memoryLog.ts';
import { emptyDisk, MemoryLog } from './memoryLog.ts';
import type { Simulation } from './simulatedWorld.ts';
import { Client, TestRealm } from '../testRealm.ts';

export type Number = 1 | 2;

export class Pair {
  readonly sim: Simulation;
  readonly realm: TestRealm;
  readonly machines: Readonly<Record<Number, Machine>>;
  readonly disks: Record<Number, MemoryDisk>;
  readonly running: Partial<Record<Number, Tracker>> = {};

  constructor(sim: Simulation, { skewMs = 0, name = 'tracker' } = {}) {
    this.sim = sim;
    const hosts = [1, 2].map((n) => sim.machine(`${name}-${n}`).host);
    this.realm = new TestRealm(hosts.map((host) => ({ host, port: 7070 })));
    const machine = (n: Number): Machine =>
      sim.machine(`${name}-${n} program`, {
        identity: this.realm.config(n).identity,
        on: sim.machine(`${name}-${n}`),
        skewMs: n === 2 ? skewMs : 0,
      });
    this.machines = { 1: machine(1), 2: machine(2) };
    this.disks = { 1: emptyDisk(this.machines[1].world.chance), 2: emptyDisk(this.machines[2].world.chance) };
  }

  static async started(sim: Simulation): Promise<Pair> {
    const pair = new Pair(sim);
    await pair.start(1);
    await pair.start(2);
    await pair.inState('paired');
    return pair;
  }

  async start(n: Number, options: Partial<TrackerOptions> = {}): Promise<Tracker> {
    const { world } = this.machines[n];
    const tracker = await this.realm.start(n, {
      world,
      listen: { port: 7070 },
      opLog: new MemoryLog(this.disks[n], world.clock, world.chance),
      ...options,
    });
    this.running[n] = tracker;
    return tracker;
  }

  kill(n: Number): void {
    this.machines[n].kill();
    delete this.running[n];
  }

  async restart(n: Number, options: Partial<TrackerOptions> = {}): Promise<Tracker> {
    this.machines[n].start();
    return this.start(n, options);
  }

  tracker(n: Number): Tracker {
    const tracker = this.running[n];
    assert.ok(tracker, `tracker ${n} does not run`);
    return tracker;
  }

  async inState(state: string): Promise<void> {
    await this.sim.until(() => ([1, 2] as const).every((n) => this.tracker(n).status().partner === state), 60_000);
  }

  /** Somebody who is signed in at the realm and linked to one of its trackers. */
  async person(name: string, n: Number): Promise<Client> {
    const identity = createIdentity();
    const client = new Client(this.realm.realm, identity, this.sim.machine(name, { identity }).world);
    client.user = name;
    for (const signed of [
      client.sign('createAccount', { account: client.account, name }),
      client.sign('signIn', { account: client.account }),
    ]) {
      const { ledger } = this.tracker(n);
      await ledger.ingest(signed, ledger.read(signed), Buffer.from('no password'));
    }
    await this.link(client, n);
    return client;
  }

  async link(client: Client, n: Number): Promise<void> {
    await client.connect(this.tracker(n).address);
    await client.call('session', {});
  }

  hashes(): string[] {
    return ([1, 2] as const).map((n) => Buffer.from(this.tracker(n).status().stateHash).toString('hex'));
  }

  assertEqual(): void {
    const [one, two] = this.hashes();
    assert.equal(one, two);
  }
}
