// What the two trackers of a pair say to each other, and an operator's command to its tracker.
import { CONFLICTS_PER_PAGE_MAX, OPERATIONS_PER_FRAME_MAX, ORIGINS_MAX } from './limits.ts';
import { added, bytes, list, oneOf, struct, text, u32, u53 } from './schema.ts';
import { entryBytes, operationId, origin, pin, versionVector } from './nouns.ts';
import type { Of } from './schema.ts';
import { nothing, table } from './table.ts';

const vector = versionVector(ORIGINS_MAX);

export const partnerLink = table({ tracker: 'tracker' }, {
  /** What the sender has on its disk; the answer is the same of the other. The first call of a link. Throws wrongRealm. */
  compare: { from: 'tracker', body: struct({ realm: pin, foldVersion: u32, have: vector, nowMs: u53 }), reply: struct({ foldVersion: u32, have: vector, nowMs: u53 }) },
  /** Log entries the receiver lacks, per origin without a gap (operations.ts). Answered when they are on its disk. */
  append: { from: 'tracker', body: struct({ entries: list(entryBytes, OPERATIONS_PER_FRAME_MAX) }), reply: struct({ have: vector }) },
});

/** An operation that came to something else than its author meant: `result` is `renamed` or the code of why it was refused. */
export const conflict = struct({ operation: operationId, what: text(32), user: text(256), about: text(1024), result: text(64), atMs: u53 });
export type Conflict = Of<typeof conflict>;

/** The command line of an operator speaks to the tracker whose own key it holds. */
export const operatorLink = table({ operator: 'tracker', tracker: 'operator' }, {
  status: {
    from: 'operator', body: nothing,
    reply: struct({
      number: u32, version: text(32), realm: pin, origin, upMs: u53, links: u32, accounts: u32, groups: u32, files: u32, presences: u32, operations: u53,
      partner: oneOf('none', 'joining', 'catchUp', 'paired', 'solo'), partnerLagOperations: u53, stateHash: bytes(32),
      /** In the tracker's system; 0 where it does not say. */
      processId: added(u32, 0),
    }),
  },
  /** Conflicts in the order of their operations, from the `from`th on; `count` is how many there are. */
  conflicts: { from: 'operator', body: struct({ from: u32 }), reply: struct({ conflicts: list(conflict, CONFLICTS_PER_PAGE_MAX), count: u32 }) },
  /** Ends the tracker cleanly. Its process ends soon after the answer. */
  stop: { from: 'operator', body: nothing, reply: nothing },
});

