// One machine of a simulation and the program that runs on it: its World, and what can happen to it
// as a whole. A program that was killed never runs again; `start` gives the next one a new World on
// the same disk under the same key and address.
import { createECDH, createHash, createPrivateKey } from 'node:crypto';
import { readIdentity } from '../../../protocol/node/identity.ts';
import type { Identity } from '../../../protocol/node/identity.ts';
import type { Pin } from '../../../protocol/base/ids.ts';
import type { Chance, World } from '../../../protocol/base/world.ts';
import { SimulatedDisk } from './simulatedDisk.ts';
import type { Survival } from './simulatedDisk.ts';
import type { Simulation } from './simulatedWorld.ts';
import type { Site } from './simulatedNetwork.ts';
import type { SimulatedStream } from './simulatedStream.ts';

export interface MachineOptions {
  /** For programs that sign. Without it the machine has a pin but no key, which is cheaper. */
  readonly identity?: Identity;
  /** A second program on the machine of another: same address, same disk, a key of its own. */
  readonly on?: Machine;
  /** How far its clock is ahead of the others'. */
  readonly skewMs?: number;
}

/** One run of one program, from its start to its end. */
export interface Life {
  isAlive: boolean;
  skewMs: number;
  readonly machine: Machine;
  readonly streams: Set<SimulatedStream>;
  /** Undoes each `listen`. */
  readonly listeners: Set<() => void>;
}

export class Machine {
  readonly name: string;
  readonly pin: Pin;
  readonly identity: Identity | undefined;
  readonly disk: SimulatedDisk;
  readonly site: Site;
  readonly #sim: Simulation;
  #skewMs: number;
  #life: Life;
  #world: World;
  #lives = 0;

  constructor(sim: Simulation, name: string, { identity, on, skewMs = 0 }: MachineOptions) {
    this.#sim = sim;
    this.name = name;
    this.identity = identity;
    this.pin = identity?.pin ?? (createHash('sha256').update(`pin of ${name}`).digest('hex') as Pin);
    this.#skewMs = skewMs;
    this.site = on?.site ?? sim.network.addSite(name);
    this.site.machines.push(this);
    this.disk = on?.disk ?? new SimulatedDisk(sim, sim.chance.fork(`${name} disk`));
    [this.#life, this.#world] = this.#begin();
  }

  /** What the program that runs now is given. */
  get world(): World {
    return this.#world;
  }

  /** Where others find it. */
  get host(): string {
    return this.site.host;
  }

  get isAlive(): boolean {
    return this.#life.isAlive;
  }

  /** Ends the program at once (kill -9): everything it wrote stays, its connections end. */
  kill(): void {
    this.#sim.note(`${this.name} is killed`);
    this.#stop((stream) => stream.abandon(this.#sim.chance.oneIn(2) ? 'end' : 'reset'));
  }

  /** Ends all programs of the machine at once: what was not synced is lost, and nobody is told. */
  powerCut(survival: Survival = 'someOfIt'): void {
    this.#sim.note(`${this.name} loses power`);
    this.site.isOff = true;
    for (const machine of this.site.machines) machine.#stop((stream) => stream.abandon('silence'));
    this.disk.powerCut(survival);
  }

  /** Sets its clock, for the program that runs and all that follow. */
  setClock(skewMs: number): void {
    this.#sim.note(`${this.name} has its clock set ${skewMs} ms ahead`);
    this.#skewMs = this.#life.skewMs = skewMs;
  }

  /** Starts the program anew (after ending it if it still runs). */
  start(): World {
    if (this.#life.isAlive) this.kill();
    this.#sim.note(`${this.name} starts`);
    [this.#life, this.#world] = this.#begin();
    this.site.isOff = false;
    this.#sim.network.retry();
    return this.#world;
  }

  /** The simulation is over. */
  end(): void {
    this.#life.isAlive = false;
  }

  #begin(): [Life, World] {
    const life: Life = { isAlive: true, skewMs: this.#skewMs, machine: this, streams: new Set(), listeners: new Set() };
    const chance = this.#sim.chance.fork(`${this.name} ${this.#lives++}`);
    const world: World = {
      clock: this.#sim.clock(life),
      chance,
      disk: this.disk.of(life),
      log: this.#sim.log(this.name),
      network: this.#sim.network.of(life),
    };
    return [life, world];
  }

  #stop(leave: (stream: SimulatedStream) => void): void {
    this.#life.isAlive = false;
    for (const stopListening of this.#life.listeners) stopListening();
    for (const stream of this.#life.streams) leave(stream);
  }
}

/**
 * A real identity that depends on nothing but the chance given: real keys, equal in equal runs.
 * (Signatures still differ.)
 */
export function seededIdentity(chance: Chance): Identity {
  const curve = createECDH('prime256v1');
  const secret = chance.bytes(32);
  secret[0] = 0; // below the order of the curve
  curve.setPrivateKey(secret);
  const point = curve.getPublicKey();
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    d: secret.toString('base64url'),
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  };
  return readIdentity(createPrivateKey({ key: jwk, format: 'jwk' }).export({ format: 'der', type: 'pkcs8' }));
}
