// What the two trackers of a pair say to each other, and an operator's command to its tracker.
import {
  CONFLICTS_PER_PAGE_MAX,
  OPERATIONS_PER_FRAME_MAX,
  ORIGINS_MAX,
  PASSWORD_BYTES_MAX,
  SNAPSHOT_CHUNK_BYTES,
} from '../base/limits.ts';
import { added, bytes, list, oneOf, optional, struct, text, u16, u32, u53 } from '../base/schema.ts';
import { entryBytes, name, operationId, origin, pin, signedDescriptor, versionVector } from '../base/fields.ts';
import type { Of } from '../base/schema.ts';
import { nothing, table } from '../wire/table.ts';

const vector = versionVector(ORIGINS_MAX);
/** A moment of the hybrid clock: no stamp that is promised not to come is at it or before. */
const moment = struct({ ms: u53, counter: u16 });
const place = struct({ ms: u53, counter: u16, origin, seq: u53 });

const logStatus = {
  /** The latest rules of the fold that the sender knows, and what is on its disk. */
  foldVersion: u32,
  have: vector,
  nowMs: u53,
  /** The rules by which its log is folded now. */
  inEffect: added(u32, 1),
  /** Up to there it has only a snapshot of what they came to. */
  horizon: added(vector, []),
  /** The list of trackers that it knows (realm.ts). The newer one counts. */
  list: added(optional(signedDescriptor), undefined),
};
/** What the sender promises, and what it has heard the other promise; with which clock. */
const promises = {
  nowMs: added(u53, 0),
  promise: added(optional(moment), undefined),
  heard: added(optional(moment), undefined),
};

export const partnerLink = table(
  { tracker: 'tracker' },
  {
    /**
     * What the sender has on its disk; the answer is the same of the other. The first call of a
     * link. Throws wrongRealm, clocksApart, pinMismatch.
     */
    compare: { from: 'tracker', body: struct({ realm: pin, ...logStatus }), reply: struct(logStatus) },
    /**
     * Log entries the receiver lacks, per origin without a gap (operations.ts), or none: then only
     * the promises count. Answered when they are on its disk.
     */
    append: {
      from: 'tracker',
      body: struct({ entries: list(entryBytes, OPERATIONS_PER_FRAME_MAX), ...promises }),
      reply: struct({ have: vector, ...promises }),
    },
    /**
     * The `n`th part of the other's snapshot, for who lacks operations that the other has only in
     * there; empty behind the last. Throws unavailable when there is none.
     */
    snapshot: {
      from: 'tracker',
      body: struct({ n: u32 }),
      reply: struct({
        place,
        heads: list(struct({ origin, seq: u53, hash: bytes(32) }), ORIGINS_MAX),
        bytes: u53,
        sha256: bytes(32),
        chunk: bytes(SNAPSHOT_CHUNK_BYTES),
      }),
    },
  },
);

/**
 * An operation that came to something else than its author meant: `result` is `renamed` or the code
 * of why it was refused.
 */
export const conflict = struct({
  operation: operationId,
  what: text(32),
  user: text(256),
  about: text(1024),
  result: text(64),
  atMs: u53,
});
export type Conflict = Of<typeof conflict>;

/** The command line of an operator speaks to the tracker whose own key it holds. */
export const operatorLink = table(
  { operator: 'tracker', tracker: 'operator' },
  {
    status: {
      from: 'operator',
      body: nothing,
      reply: struct({
        number: u32,
        version: text(32),
        realm: pin,
        origin,
        upMs: u53,
        links: u32,
        accounts: u32,
        groups: u32,
        files: u32,
        presences: u32,
        operations: u53,
        partner: oneOf('none', 'joining', 'catchUp', 'paired', 'solo', 'skew', 'retired', 'draining'),
        partnerLagOperations: u53,
        stateHash: bytes(32),
        /** In the tracker's system; 0 where it does not say. */
        processId: added(u32, 0),
        /**
         * Operations that can still change what they came to, and up to when all others are final.
         */
        unsettledOperations: added(u53, 0),
        frontierMs: added(u53, 0),
        conflicts: added(u32, 0),
        /**
         * By how much the partner's clock is ahead of ours, or behind it, and how far the log's
         * clock is ahead, in ms.
         */
        clockAheadMs: added(u53, 0),
        clockBehindMs: added(u53, 0),
        logAheadMs: added(u53, 0),
        /**
         * What an answer to a new operation would say now, and the version of the list of trackers.
         */
        durability: added(oneOf('both', 'one', 'none'), 'none'),
        listVersion: added(u32, 0),
        memoryBytes: added(u53, 0),
      }),
    },
    /**
     * Conflicts in the order of their operations, from the `from`th on; `count` is how many there
     * are.
     */
    conflicts: {
      from: 'operator',
      body: struct({ from: u32 }),
      reply: struct({ conflicts: list(conflict, CONFLICTS_PER_PAGE_MAX), count: u32 }),
    },
    /**
     * The list of trackers has changed, signed by the realm. Throws badDescriptor, wrongRealm.
     * Retired: `version` of the reply is no longer read.
     */
    setList: { from: 'operator', body: signedDescriptor, reply: struct({ version: u32 }) },
    /**
     * Gives an account another password; all its devices are signed out. Throws unknownUser,
     * passwordTooShort.
     */
    resetPassword: {
      from: 'operator',
      body: struct({ user: name, password: text(PASSWORD_BYTES_MAX) }),
      reply: struct({ durability: oneOf('both', 'one') }),
    },
    /** Makes a member the owner of a group. Throws unknownGroup, unknownUser. */
    setOwner: {
      from: 'operator',
      body: struct({ group: name, user: name }),
      reply: struct({ durability: oneOf('both', 'one') }),
    },
    /** Ends the tracker cleanly. Its process ends soon after the answer. */
    stop: { from: 'operator', body: nothing, reply: nothing },
  },
);
