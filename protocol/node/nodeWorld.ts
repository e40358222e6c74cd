// The real world: the machine's clock, chance, network and file system behind the interfaces of
// world.ts.
import { randomBytes, randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Identity } from './identity.ts';
import { createNodeDisk } from './nodeDisk.ts';
import { createNodeNetwork } from './nodeNetwork.ts';
import type { Chance, Clock, Log, World } from '../base/world.ts';

export const nodeClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    // Timers hold more than 24.8 days in no JavaScript engine; what waits so long waits for
    // nothing.
    const timer = setTimeout(run, Math.min(delayMs, 2 ** 31 - 1)).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

export const nodeChance: Chance = {
  random: () => randomInt(2 ** 48 - 1) / (2 ** 48 - 1),
  bytes: (count) => randomBytes(count),
};

export function createNodeWorld({ identity, log }: { readonly identity: Identity; readonly log: Log }): World {
  return {
    clock: nodeClock,
    chance: nodeChance,
    network: createNodeNetwork(identity, log),
    disk: createNodeDisk(),
    log,
  };
}
