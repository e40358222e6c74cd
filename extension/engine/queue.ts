// Which downloads fetch now and which wait for their turn: those of high priority first, then in the order of the queue. Pure: reads a
// list, returns a choice, keeps nothing. transfers.ts asks and tells the transfers.
import type { Priority, QueueMove } from '../../protocol/engineLink.ts';

export interface Queued {
  readonly id: number;
  readonly priority: Priority;
  /** Where it stands among those of its priority: the smallest first. Any number, so that one can go between, before or behind all. */
  readonly place: number;
  /** Whether it could not fetch now anyway: nobody serves it, or its disk is full. It goes on looking, and takes nobody's turn. */
  readonly isIdle: boolean;
}

const RANKS: Readonly<Record<Priority, number>> = { high: 0, normal: 1, low: 2 };

/** In the order of their turns. */
export const inTurn = <T extends Omit<Queued, 'isIdle'>>(queue: readonly T[]): readonly T[] =>
  [...queue].sort((a, b) => RANKS[a.priority] - RANKS[b.priority] || a.place - b.place || a.id - b.id);

/**
 * Whose turn it is.
 *
 * @param activeMax  how many may fetch at once; 0 for no limit
 */
export function turnsOf(queue: readonly Queued[], activeMax: number): ReadonlySet<number> {
  const turns = new Set<number>();
  let active = 0;
  for (const { id, isIdle } of inTurn(queue)) {
    if (!isIdle && activeMax !== 0 && active >= activeMax) continue;
    turns.add(id);
    if (!isIdle) active++;
  }
  return turns;
}

/** The new places of those that move when one of them goes to the top or the bottom of its priority, or one step up or down. */
export function placesAfter(queue: readonly Omit<Queued, 'isIdle'>[], id: number, move: QueueMove): ReadonlyMap<number, number> {
  const mine = queue.find((one) => one.id === id);
  const peers = inTurn(queue.filter(({ priority }) => priority === mine?.priority));
  const at = peers.findIndex((one) => one.id === id);
  const to = { top: 0, up: Math.max(0, at - 1), down: Math.min(peers.length - 1, at + 1), bottom: peers.length - 1 }[move];
  if (!mine || to === at) return new Map();
  const after = peers.filter((one) => one.id !== id);
  after.splice(to, 0, mine);
  // The places stay, whoever has them now.
  const places = peers.map(({ place }) => place).sort((a, b) => a - b);
  return new Map(after.flatMap((one, n) => (one.place === places[n] ? [] : [[one.id, places[n] ?? 0]])));
}
