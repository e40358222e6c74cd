// Which downloads fetch now and which wait for their turn: those of high priority first, then in
// the order of the queue. Pure: reads a list, returns a choice, keeps nothing. transfers.ts asks
// and tells the transfers.
import type { Priority, QueueMove } from '../../../protocol/messages/engineLink.ts';

export interface QueuedDownload {
  readonly id: number;
  readonly priority: Priority;
  /**
   * Where it stands among those of its priority: the smallest first. Any number, so that one can go
   * between, before or behind all.
   */
  readonly place: number;
  /**
   * Whether it could not fetch now anyway: nobody serves it, or its disk is full. It goes on
   * looking, and takes nobody's turn.
   */
  readonly isIdle: boolean;
}

type Entry = Omit<QueuedDownload, 'isIdle'>;

const RANKS: Readonly<Record<Priority, number>> = { high: 0, normal: 1, low: 2 };

/** In the order of their turns. */
export const inQueueOrder = <T extends Entry>(queue: readonly T[]): readonly T[] =>
  [...queue].sort((a, b) => RANKS[a.priority] - RANKS[b.priority] || a.place - b.place || a.id - b.id);

/**
 * Whose turn it is.
 *
 * @param activeMax  how many may fetch at once; 0 for no limit
 */
export function chooseActive(queue: readonly QueuedDownload[], activeMax: number): ReadonlySet<number> {
  const chosen = new Set<number>();
  let active = 0;
  for (const { id, isIdle } of inQueueOrder(queue)) {
    if (!isIdle && activeMax !== 0 && active >= activeMax) continue;
    chosen.add(id);
    if (!isIdle) active++;
  }
  return chosen;
}

/**
 * The new places of those that move when one of them goes to the top or the bottom of its priority,
 * or one step up or down.
 */
export function placesAfterMove(queue: readonly Entry[], id: number, move: QueueMove): ReadonlyMap<number, number> {
  const mine = queue.find((one) => one.id === id);
  if (!mine) return new Map();
  const peers = inQueueOrder(queue.filter(({ priority }) => priority === mine.priority));
  const at = peers.indexOf(mine);
  return reassignPlaces(
    peers,
    mine,
    { top: 0, up: Math.max(0, at - 1), down: Math.min(peers.length - 1, at + 1), bottom: peers.length - 1 }[move],
  );
}

/**
 * The same when one of them goes where another stands and takes on its priority: behind that one if
 * it comes from before it, else before it.
 */
export function placesAfterMoveTo(queue: readonly Entry[], id: number, other: number): ReadonlyMap<number, number> {
  const mine = queue.find((one) => one.id === id);
  const target = queue.find((one) => one.id === other);
  if (!mine || !target || mine === target) return new Map();
  const peers = inQueueOrder(queue.filter((one) => one === mine || one.priority === target.priority));
  const others = peers.filter((one) => one !== mine);
  return reassignPlaces(peers, mine, others.indexOf(target) + (inQueueOrder([mine, target])[0] === mine ? 1 : 0));
}

/** Who has another place when one of them is the `to`th of the others. */
function reassignPlaces(peers: readonly Entry[], mine: Entry, to: number): ReadonlyMap<number, number> {
  const after = peers.filter((one) => one !== mine);
  after.splice(to, 0, mine);
  // The places stay, whoever has them now.
  const places = peers.map(({ place }) => place).sort((a, b) => a - b);
  return new Map(after.flatMap((one, n) => (one.place === places[n] ? [] : [[one.id, places[n] ?? 0]])));
}
