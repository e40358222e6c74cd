// The lives of a program that is ended from outside, in the simulation of downloads (powerCut.ts):
// who draws chance in a life, and where it ends.
import type { SeededChance } from './seededChance.ts';

const AT_PART = /\.part$/;
/** Where an end hurts most: at the slots, at the part file, at the final name, at the record. */
const AIMS = [/\.ck\d$/, AT_PART, /^\/downloads\/data\/file/, /\.json/];
const AIMED_CALLS_MAX = 14;
/** Calls in which a part file gets its size back. */
const MENDING_CALLS_MAX = 6;

/**
 * Who draws in one life, each apart from the others: a change of the product shifts as little as
 * possible of what a seed stands for.
 */
export interface Chances {
  /** When the life ends, and how. */
  readonly ends: SeededChance;
  /** How long each call of the disk takes. */
  readonly calls: SeededChance;
  readonly program: SeededChance;
  readonly peers: SeededChance;
  readonly people: SeededChance;
}

export function chancesOf(seed: SeededChance, life: string): Chances {
  const of = (who: string): SeededChance => seed.fork(`${life} ${who}`);
  return { ends: of('ends'), calls: of('calls'), program: of('program'), peers: of('peers'), people: of('people') };
}

/** A run of the program, until it is done, gives up, or is ended from outside. */
export interface Life {
  isAlive: boolean;
  /** Calls of the disk until its end: of all, or of those that are aimed at. */
  callsLeft: number;
  readonly aim: RegExp | undefined;
  readonly ended: Promise<void>;
  end: () => void;
}

/**
 * A life that ends.
 *
 * @param isPartCut  whether somebody has cut the part file: then it often ends while that is mended
 */
export function mortal(chance: SeededChance, isPartCut: boolean): Life {
  if (isPartCut && chance.oneIn(2)) return newLife(chance.below(MENDING_CALLS_MAX), AT_PART);
  const aim = chance.oneIn(2) ? AIMS[chance.below(AIMS.length)] : undefined;
  return aim ? newLife(chance.below(AIMED_CALLS_MAX), aim) : newLife(1 + chance.below(chance.oneIn(2) ? 20 : 120));
}

/** A life of so many calls; with an aim, of so many calls on such files. */
export function newLife(calls: number, aim?: RegExp): Life {
  const { promise, resolve } = Promise.withResolvers<void>();
  const life: Life = {
    isAlive: true,
    callsLeft: calls,
    aim,
    ended: promise,
    end: () => {
      life.isAlive = false;
      resolve();
    },
  };
  return life;
}
