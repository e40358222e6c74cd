// Whose request is answered next. Fair, not tit-for-tat: a group is not a market, so nobody is
// choked for giving nothing. A piece goes out once before any goes out twice, because what one has
// another can get from him; first to those who pass on what they get; and among equals, who was
// served longest ago is first. Pure: reads the line, returns a place in it.

export interface Waiting {
  /**
   * Whether a part of this piece was sent to this peer already: the sooner it is whole, the sooner
   * it is passed on.
   */
  readonly isContinued: boolean;
  /** How many downloaders have the piece or are getting it, as far as this engine knows. */
  readonly copies: number;
  /** First copies that this peer was given and has kept to itself. */
  readonly kept: number;
  /** A number that grows with every answer: when this peer got its last one. */
  readonly servedAt: number;
  readonly sinceMs: number;
}

/**
 * Who has waited for so long comes before all the rules, in ms: nobody starves because others ask
 * for what is rare.
 */
export const PATIENCE_MS = 30_000;

/** The place of the request to answer next; undefined in an empty line. */
export function nextToServe(line: readonly Waiting[], nowMs: number): number | undefined {
  let best: number | undefined;
  for (let place = 0; place < line.length; place++) {
    const one = line[place];
    const first = best === undefined ? undefined : line[best];
    if (one && (!first || comesBefore(one, first, nowMs))) best = place;
  }
  return best;
}

function comesBefore(a: Waiting, b: Waiting, nowMs: number): boolean {
  const rank = rankOf(a, nowMs) - rankOf(b, nowMs) || a.kept - b.kept;
  return rank !== 0 ? rank < 0 : a.servedAt !== b.servedAt ? a.servedAt < b.servedAt : a.sinceMs < b.sinceMs;
}

/** Lower goes first. */
function rankOf({ isContinued, copies, sinceMs }: Waiting, nowMs: number): number {
  return isContinued || nowMs - sinceMs > PATIENCE_MS ? -1 : copies;
}
