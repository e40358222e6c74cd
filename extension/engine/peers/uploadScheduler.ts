// Whose request is answered next. Fair, not tit-for-tat: a group is not a market, so nobody is
// choked for giving nothing. A piece goes out once before any goes out twice, because what one has
// another can get from him; first to those who pass on what they get; and among equals, who was
// served longest ago is first. Pure: reads the line, returns a place in it.

export interface UploadCandidate {
  /**
   * Whether a part of this piece was sent to this peer already: the sooner it is whole, the sooner
   * it is passed on.
   */
  readonly isContinued: boolean;
  /** How many downloaders have the piece or are getting it, as far as this engine knows. */
  readonly copies: number;
  /** First copies that this peer was given and has kept to itself. */
  readonly unsharedCopies: number;
  /** A number that grows with every answer: when this peer got its last one. */
  readonly lastServedAt: number;
  readonly sinceMs: number;
}

/**
 * Who has waited for so long comes before all the rules, in ms: nobody starves because others ask
 * for what is rare.
 */
export const STARVATION_MS = 30_000;

/** The place of the request to answer next; undefined in an empty line. */
export function nextUpload(queue: readonly UploadCandidate[], nowMs: number): number | undefined {
  let best: number | undefined;
  for (let place = 0; place < queue.length; place++) {
    const one = queue[place];
    const first = best === undefined ? undefined : queue[best];
    if (one && (!first || comesBefore(one, first, nowMs))) best = place;
  }
  return best;
}

function comesBefore(a: UploadCandidate, b: UploadCandidate, nowMs: number): boolean {
  const rank = rankOf(a, nowMs) - rankOf(b, nowMs) || a.unsharedCopies - b.unsharedCopies;
  return rank !== 0
    ? rank < 0
    : a.lastServedAt !== b.lastServedAt
      ? a.lastServedAt < b.lastServedAt
      : a.sinceMs < b.sinceMs;
}

/** Lower goes first. */
function rankOf({ isContinued, copies, sinceMs }: UploadCandidate, nowMs: number): number {
  return isContinued || nowMs - sinceMs > STARVATION_MS ? -1 : copies;
}
