// What happens to a crowd under a seed: everything well, half of them lying, some silent, the only
// seeder leaving, or lines, programs and machines failing all the while. Each ends with everybody
// who can having the file, and nothing left over.
import type { SeededChance } from '../support/simulation/seededChance.ts';
import type { Simulation } from '../support/simulation/simulatedWorld.ts';
import { simulate } from '../support/simulation/simulatedWorld.ts';
import type { PeerPlan, Vice } from './crowd.ts';
import { Crowd, PIECE_BYTES } from './crowd.ts';

export interface Size {
  readonly peers: number;
  readonly pieces: number;
}

const LIES: readonly Vice[] = ['wrongBytes', 'wrongHashes', 'noPieces'];
/**
 * What one seeder may send in the stories about speed: a small office's line, so that it is what
 * limits them.
 */
const SEEDER_BYTES_PER_S = 4 * PIECE_BYTES;
/** How much longer than without them a swarm may take of which 30 % are silent. */
const SILENT_MAX = 1.5;
/** A line moves whole pieces. */
const ONE_PIECE_MS = (1000 * PIECE_BYTES) / SEEDER_BYTES_PER_S;
const WITHIN_MS = 3_600_000;
const LOOK_MS = 20;

type Story = (sim: Simulation, size: Size) => Promise<void>;

const stories: Readonly<Record<string, Story>> = {
  async everythingIsWell(sim, { peers, pieces }) {
    const seeds = 1 + sim.chance.below(Math.max(1, peers / 4));
    const crowd = await gather(
      sim,
      pieces,
      Array.from({ length: peers }, (_, n) => ({ seeds: n < seeds })),
    );
    await done(sim, crowd);
  },

  async halfOfThemLie(sim, { peers, pieces }) {
    const plans = Array.from({ length: peers }, (_, n): PeerPlan =>
      n % 2 === 1 ? { seeds: true, vice: LIES[sim.chance.below(LIES.length)] ?? 'wrongBytes' } : { seeds: n === 0 },
    );
    const crowd = await gather(sim, pieces, sim.chance.shuffled(plans));
    await done(sim, crowd);
  },

  /** Told twice under the same seed: without and with silent ones. */
  async someAreSilent(sim, { peers, pieces }) {
    const cleanMs = await sim.hold(simulate(sim.seed, (other) => timed(other, { peers, pieces }, 0)));
    const silentMs = await timed(sim, { peers, pieces }, Math.round(peers * 0.3));
    if (silentMs > SILENT_MAX * cleanMs + ONE_PIECE_MS) {
      throw new Error(`with silent peers ${silentMs.toFixed(0)} ms, without ${cleanMs.toFixed(0)} ms`);
    }
  },

  async theSeederLeaves(sim, { peers, pieces }) {
    const crowd = await gather(
      sim,
      pieces,
      Array.from({ length: peers }, (_, n) => ({
        seeds: n === 0,
        ...(n === 0 && { upLimitBytesPerS: SEEDER_BYTES_PER_S }),
      })),
    );
    const [seeder, ...others] = crowd.peers;
    const all = Array.from({ length: crowd.subject.shape.pieces }, (_, piece) => piece);
    await until(sim, () => all.every((piece) => others.some(({ swarm }) => swarm.store.states.held.has(piece))));
    if (sim.chance.oneIn(2)) seeder?.kill();
    else await seeder?.stop();
    await done(sim, crowd);
  },

  async everythingFails(sim, { peers, pieces }) {
    const crowd = await gather(
      sim,
      pieces,
      Array.from({ length: peers }, (_, n) => ({ seeds: n < 2 })),
    );
    for (const { machine } of crowd.peers) {
      if (sim.chance.oneIn(3)) machine.site.upBytesPerMs = 4 + sim.chance.below(40);
      for (const other of crowd.peers) {
        if (sim.chance.oneIn(4)) sim.network.setLatency(machine, other.machine, sim.chance.below(300));
      }
    }
    for (let blow = 0; blow < 6 && !crowd.isDone; blow++) {
      await sim.advance(sim.chance.below(1_500));
      await strike(sim, crowd, sim.chance);
    }
    sim.network.heal();
    for (const peer of crowd.peers) if (!peer.isRunning) await revive(peer);
    crowd.tellAll();
    await done(sim, crowd);
  },
};

export const STORIES = Object.keys(stories);

/** One crowd under one seed; which story, the seed says. @throws what went wrong, with the seed */
export async function tell(seed: number, size: Size, name = STORIES[seed % STORIES.length]): Promise<void> {
  const story = stories[name ?? ''];
  if (!story) throw new Error(`there is no story ${name ?? ''}`);
  try {
    await simulate(seed, (sim) => story(sim, size));
  } catch (error) {
    if (error instanceof Error) error.message = `${name}, ${size.peers} peers: ${error.message}`;
    throw error;
  }
}

async function gather(sim: Simulation, pieces: number, plans: readonly PeerPlan[]): Promise<Crowd> {
  const crowd = new Crowd(sim, pieces);
  for (const plan of plans) {
    await crowd.add(plan);
    if (sim.chance.oneIn(3)) await sim.advance(sim.chance.below(200)); // people do not begin at the same moment
  }
  return crowd;
}

/** Looks now and then, not after every event: there are thousands. */
async function until(sim: Simulation, holds: () => boolean, withinMs = WITHIN_MS): Promise<void> {
  for (const endMs = sim.nowMs + withinMs; !holds();) {
    if (sim.nowMs > endMs) throw new Error(`after ${withinMs} ms this still does not hold: ${holds.toString()}`);
    await sim.advance(LOOK_MS);
  }
}

async function done(sim: Simulation, crowd: Crowd): Promise<void> {
  // As trackers do, who takes part is told again every minute.
  for (let minute = 0; minute < 60 && !crowd.isDone; minute++) {
    await until(sim, () => crowd.isDone, 60_000).catch(() => crowd.tellAll());
  }
  await until(sim, () => crowd.isDone, 1_000);
  await crowd.check();
}

/**
 * How long it takes until everybody has the file, in ms of the simulation: one seeder with a narrow
 * line.
 */
async function timed(sim: Simulation, { peers, pieces }: Size, silent: number): Promise<number> {
  const crowd = await gather(
    sim,
    pieces,
    Array.from({ length: peers }, (_, n): PeerPlan => ({
      seeds: n === 0,
      ...(n === 0 && { upLimitBytesPerS: SEEDER_BYTES_PER_S }),
      ...(n > 0 && n <= silent && { vice: 'silent' }),
    })),
  );
  await until(sim, () => crowd.isDone);
  const took = sim.nowMs;
  await crowd.check();
  return took;
}

async function strike(sim: Simulation, crowd: Crowd, chance: SeededChance): Promise<void> {
  const [one, other] = chance.shuffled(crowd.peers);
  if (!one || !other) return;
  const blow = chance.below(5);
  if (blow === 0) sim.network.cut(one.machine, other.machine);
  else if (blow === 1) sim.network.cutOneWay(one.machine, other.machine);
  else if (blow === 2) sim.network.reset(one.machine, other.machine);
  else if (blow === 3) one.kill();
  else if (!one.isRunning) await revive(one);
  else {
    one.kill();
    one.machine.powerCut();
  }
}

async function revive(peer: Crowd['peers'][number]): Promise<void> {
  peer.machine.start();
  await peer.start();
}
