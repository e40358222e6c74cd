// A whole world under one seed: a clock that jumps from event to event, machines with their chance,
// network, disk and log, and what can go wrong between them. Code that takes everything from
// `World` runs here as it does outside, thousands of times faster, and the same seed gives the same
// run.
//
//   await simulate(7, async (sim) => {
//     const [alice, bob] = [sim.machine('alice'), sim.machine('bob')];
//     await bob.world.network.listen({ port: 7000 }, (stream) => …);
//     const stream = await alice.world.network.dial({ host: 'bob', port: 7000 }, { timeoutMs: 1000 });
//     sim.network.cut(alice, bob);
//     await sim.advance(30_000);
//   });
//
// Time passes only while the body waits for something; code between two events settles first. What
// waits for the real world (worker threads, scrypt) is given to `sim.hold`, which stops the clock
// until it is done.
import { createHash } from 'node:crypto';
import { silentLog } from '../../../protocol/base/world.ts';
import type { Clock, Log, LogFields, Timer } from '../../../protocol/base/world.ts';
import { EventQueue } from './eventQueue.ts';
import { Machine } from './machine.ts';
import type { MachineOptions } from './machine.ts';
import { SeededChance } from './seededChance.ts';
import { SimulatedNetwork } from './simulatedNetwork.ts';

export interface SimulationOptions {
  /** The body has to end within so much simulated time. Default: ten days. */
  readonly boundMs?: number;
  /** Default: five million. */
  readonly eventsMax?: number;
}

/** Runs a body in a world of its own. An error that it throws names the seed and the time. */
export async function simulate<T>(
  seed: number,
  body: (sim: Simulation) => Promise<T>,
  options: SimulationOptions = {},
): Promise<T> {
  const sim = new Simulation(seed);
  try {
    return await sim.drive(body(sim), options);
  } catch (error) {
    const where = `seed ${seed}, at ${sim.nowMs.toFixed(3)} ms`;
    if (error instanceof Error) error.message += `\n[${where}]\n${sim.lastLines().join('\n')}`;
    throw error;
  } finally {
    sim.stop();
  }
}

/** 2026-01-01T00:00:00Z: when every simulation begins. */
const EPOCH_MS = 1_767_225_600_000;
const DAY_MS = 86_400_000;
const LINES_KEPT = 60;

interface Watcher {
  readonly holds: () => boolean;
  readonly resolve: () => void;
}

export class Simulation {
  readonly seed: number;
  readonly chance: SeededChance;
  readonly network: SimulatedNetwork;
  nowMs = 0;
  readonly #events = new EventQueue();
  readonly #machines = new Map<string, Machine>();
  readonly #watchers = new Set<Watcher>();
  readonly #trace = createHash('sha256');
  readonly #lines: string[] = [];
  #idle: (() => void)[] = [];
  #held = 0;
  #stopped = false;

  constructor(seed: number) {
    this.seed = seed;
    this.chance = new SeededChance(seed);
    this.network = new SimulatedNetwork(this, this.chance.fork('network'));
  }

  /** The machine of that name; made when it is first named. */
  machine(name: string, options: MachineOptions = {}): Machine {
    let machine = this.#machines.get(name);
    if (!machine) this.#machines.set(name, (machine = new Machine(this, name, options)));
    return machine;
  }

  /** Lets so much time pass. */
  advance(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /** Lets time pass until something holds. */
  async until(holds: () => boolean, withinMs = DAY_MS): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const late = this.after(withinMs, () => {
        this.#watchers.delete(watcher);
        reject(new Error(`after ${withinMs} ms this still does not hold: ${holds.toString()}`));
      });
      const watcher: Watcher = { holds, resolve: () => (late.cancel(), resolve()) };
      this.#watchers.add(watcher);
    });
  }

  /**
   * Lets time pass until nothing is left to happen. (Never reached while something beats at
   * intervals.)
   */
  idle(): Promise<void> {
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** For what the real world does: simulated time stands still until it is done. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#held++;
    try {
      return await work;
    } finally {
      this.#held--;
    }
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#events.add(this.nowMs + Math.max(0, delayMs), run);
  }

  /** A clock of this world; `life` says whether the program that uses it still runs. */
  clock(life: { readonly isAlive: boolean; readonly skewMs: number }): Clock {
    return {
      now: () => EPOCH_MS + Math.floor(this.nowMs) + life.skewMs,
      monotonicMs: () => this.nowMs,
      after: (delayMs, run) => this.after(delayMs, () => life.isAlive && run()),
    };
  }

  log(machine: string): Log {
    const level =
      (name: string) =>
      (phrase: string, fields?: LogFields): void => {
        const shown =
          fields === undefined
            ? ''
            : JSON.stringify(fields, (_, value: unknown) =>
                value instanceof Error ? value.message : typeof value === 'bigint' ? String(value) : value,
              );
        this.note(`${machine} ${name}: ${phrase} ${shown}`);
      };
    return { ...silentLog, debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') };
  }

  /** Adds to the record of what happened. */
  note(line: string): void {
    if (this.#stopped) return;
    const full = `${this.nowMs.toFixed(3)} ${line}`;
    this.#trace.update(full).update('\n');
    this.#lines.push(full);
    if (this.#lines.length > 2 * LINES_KEPT) this.#lines.splice(0, LINES_KEPT);
  }

  /** One hash of all that happened so far: equal for equal runs. */
  traceHash(): string {
    return this.#trace.copy().digest('hex');
  }

  lastLines(): readonly string[] {
    return this.#lines.slice(-LINES_KEPT);
  }

  /** Makes time pass until a promise is settled. Only `simulate` calls it. */
  async drive<T>(body: Promise<T>, { boundMs = 10 * DAY_MS, eventsMax = 5_000_000 }: SimulationOptions): Promise<T> {
    let isDone = false;
    const finish = (): void => void (isDone = true);
    body.then(finish, finish);
    for (let events = 0; ; events++) {
      await settled();
      if (isDone) return body;
      if (this.#held > 0 || this.#wake()) continue;
      const event = this.#events.next();
      if (!event) throw new Error('the simulation is stuck: its body waits, and nothing is left to happen');
      this.nowMs = event.atMs;
      if (this.nowMs > boundMs || events > eventsMax) throw new Error(`the simulation does not end: ${events} events`);
      event.run();
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const machine of this.#machines.values()) machine.end();
  }

  /** Lets those go on who waited for something that is now so. Returns whether there were any. */
  #wake(): boolean {
    let any = false;
    for (const watcher of this.#watchers) {
      if (!watcher.holds()) continue;
      any = true;
      this.#watchers.delete(watcher);
      watcher.resolve();
    }
    if (this.#events.size > 0) return any;
    for (const resolve of this.#idle.splice(0)) {
      any = true;
      resolve();
    }
    return any;
  }
}

/** Everything that is ready to run has run: all microtasks, ticks and immediates of this turn. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
