// What an engine and a tracker say to each other. The TLS link itself is the session: the tracker
// knows the device by its pin.
import {
  ADDRESSES_PER_PEER_MAX,
  CONFLICTS_PER_NOTICE_MAX,
  CONFLICTS_PER_REPLY_MAX,
  GROUPS_PER_ACCOUNT_MAX,
  GROUPS_PER_NOTICE_MAX,
  ORIGINS_MAX,
  PAGE_ROWS_MAX,
  PASSWORD_BYTES_MAX,
  PEERS_PER_REPLY_MAX,
  REQUESTS_PER_GROUP_MAX,
  SHARERS_NAMED_MAX,
  SWARMS_PER_ANNOUNCE_MAX,
} from '../base/limits.ts';
import {
  accountId,
  address,
  content,
  entryBytes,
  fileName,
  groupId,
  name,
  operationId,
  originSeq,
  pin,
  requestId,
  root,
  sha256,
  signedOperation,
  versionVector,
} from '../base/fields.ts';
import { receiptProof } from './receipt.ts';
import type { Of } from '../base/schema.ts';
import { added, bool, bytes, list, oneOf, optional, struct, text, u32, u53 } from '../base/schema.ts';
import { nothing, table } from '../wire/table.ts';

/**
 * Which disks hold an operation when it is answered. With `one`, `entry` and its `proof` are what
 * the engine's outbox keeps until it is `both`. `final`: no other operation can change any more
 * what this one came to; retired, no engine reads it. `at`: where it stands in the log.
 */
export const receipt = struct({
  durability: oneOf('both', 'one'),
  entry: optional(entryBytes),
  proof: added(optional(receiptProof), undefined),
  final: added(bool, false),
  at: added(optional(originSeq), undefined),
});
export type Receipt = Of<typeof receipt>;

const password = text(PASSWORD_BYTES_MAX);

/** What an account is in a group. A stranger sees only that the group exists. */
export const role = oneOf('stranger', 'applicant', 'member', 'owner');

export const joinRequest = struct({ request: requestId, account: accountId, user: name, atMs: u53 });
export type JoinRequest = Of<typeof joinRequest>;

/**
 * A group as the account at this link sees it. Its owner sees the waiting requests, an applicant
 * their own. `filesVersion` grows with each change of its catalog.
 */
export const groupView = struct({
  group: groupId,
  name,
  role,
  owner: name,
  members: u32,
  filesVersion: u53,
  requests: list(joinRequest, REQUESTS_PER_GROUP_MAX),
});
export type GroupView = Of<typeof groupView>;

/** A group in the list of all. */
export const groupRow = struct({ group: groupId, name, role, owner: name, members: u32, online: u32, files: u32 });
export type GroupRow = Of<typeof groupRow>;

/** A member in the list of a group. Retired: `sinceMs` is no longer read. */
export const memberRow = struct({ account: accountId, user: name, role, online: bool, sinceMs: u53 });
export type MemberRow = Of<typeof memberRow>;

/**
 * The current version of a shared file. `sharers` are those who promised to share it, `seeders` and
 * `leechers` who is in the swarm now.
 */
export const fileRow = struct({
  name: fileName,
  version: u32,
  root,
  sizeBytes: u53,
  pieceBytes: u32,
  sha256,
  author: name,
  atMs: u53,
  sharers: list(name, SHARERS_NAMED_MAX),
  sharersCount: u32,
  iShare: bool,
  seeders: u32,
  leechers: u32,
  content: added(content, 'file'),
});
export type FileRow = Of<typeof fileRow>;

/** A peer in a swarm. `leftBytes` is 0 for a seeder. Retired: `account` is no longer read. */
export const swarmPeer = struct({
  pin,
  account: accountId,
  user: name,
  addresses: list(address, ADDRESSES_PER_PEER_MAX + 1),
  leftBytes: u53,
});
export type SwarmPeer = Of<typeof swarmPeer>;

/**
 * An operation that was taken in and came to something else, because it met others when two
 * trackers that had been apart met again: `result` is `renamed` or the code of why it had no effect
 * in the end. `wanted` is the name it asked for, `name` the one it got, or that of its file.
 */
export const conflict = struct({
  operation: operationId,
  what: text(32),
  result: text(64),
  group: name,
  wanted: fileName,
  name: fileName,
  user: name,
  atMs: u53,
  isMine: bool,
});
export type Conflict = Of<typeof conflict>;

/**
 * Whether both trackers have what one is told: `alone` there is only one, `apart` they cannot reach
 * each other now.
 */
export const pairState = oneOf('alone', 'whole', 'apart');

export const trackerLink = table(
  { engine: 'tracker', tracker: 'engine' },
  {
    /**
     * Who the trackers of this realm are, signed by the realm (realm.ts). Every program may ask;
     * nothing secret is sent before it was checked. Retired: `nowMs` is no longer read.
     */
    descriptor: {
      from: 'engine',
      body: nothing,
      reply: struct({ descriptor: bytes(8192), signature: bytes(72), nowMs: u53 }),
    },

    /**
     * Makes an account. The operation is `createAccount`; the tracker adds the password's hash to
     * it. Throws nameTaken, passwordTooShort.
     */
    createAccount: { from: 'engine', body: struct({ signed: signedOperation, password }), reply: receipt },
    /**
     * Shows a password. On this link the device may then submit `signIn` for that account, within a
     * minute. Throws wrongPassword.
     */
    authenticate: {
      from: 'engine',
      body: struct({ user: name, password }),
      reply: struct({ account: accountId, user: name }),
    },
    /** The operation is `changePassword`. Throws wrongPassword, passwordTooShort. */
    changePassword: {
      from: 'engine',
      body: struct({ signed: signedOperation, oldPassword: password, newPassword: password }),
      reply: receipt,
    },
    /**
     * Any other operation (operations.ts). Sent again with the same id it gives the same answer.
     * Throws what the operation's rule says.
     */
    submit: { from: 'engine', body: struct({ signed: signedOperation }), reply: receipt },
    /**
     * An operation of this device that a tracker has acknowledged with `one`, in case it was lost
     * since. Throws badTicket when the proof does not count.
     */
    restore: { from: 'engine', body: struct({ entry: entryBytes, proof: receiptProof }), reply: receipt },

    /**
     * Who this device is signed in as, if at all. From here on the tracker pushes changes over
     * this link.
     */
    session: {
      from: 'engine',
      body: nothing,
      reply: struct({
        account: optional(struct({ account: accountId, user: name })),
        groups: list(groupView, GROUPS_PER_ACCOUNT_MAX),
        nowMs: u53,
        pair: added(pairState, 'alone'),
      }),
    },
    /**
     * Where this engine listens (0 addresses: nowhere). The tracker adds the address it sees.
     * Retired: `seen` is no longer read.
     */
    listening: {
      from: 'engine',
      body: struct({ addresses: list(address, ADDRESSES_PER_PEER_MAX) }),
      reply: struct({ seen: address }),
    },
    /**
     * Deltas of what this engine has of each file. For swarms in which something is left the answer
     * lists a random choice of others: when they are joined, and again after a minute. Retired:
     * `seeders` and `leechers` of the reply are no longer read.
     */
    announce: {
      from: 'engine',
      body: struct({
        swarms: list(
          struct({ group: groupId, root, leftBytes: u53, event: oneOf('update', 'stopped') }),
          SWARMS_PER_ANNOUNCE_MAX,
        ),
      }),
      reply: struct({
        swarms: list(
          struct({ group: groupId, root, seeders: u32, leechers: u32, peers: list(swarmPeer, PEERS_PER_REPLY_MAX) }),
          SWARMS_PER_ANNOUNCE_MAX,
        ),
      }),
    },
    /** Asks that a peer which cannot be dialled dials us. Retired: `asked` is no longer read. */
    askDial: { from: 'engine', body: struct({ pin, group: groupId }), reply: struct({ asked: bool }) },
    /** Membership tickets (ticket.ts) for this device, one for each group it may speak for. */
    tickets: {
      from: 'engine',
      body: nothing,
      reply: struct({ tickets: list(bytes(512), GROUPS_PER_ACCOUNT_MAX), nowMs: u53 }),
    },

    /**
     * All groups of the realm by name, `PAGE_ROWS_MAX` at a time; `after` is the last name of the
     * page before, '' for the first.
     */
    listGroups: {
      from: 'engine',
      body: struct({ after: name }),
      reply: struct({ groups: list(groupRow, PAGE_ROWS_MAX), more: bool }),
    },
    /** Looks one group up by its name, in any case. Throws unknownGroup. */
    findGroup: { from: 'engine', body: struct({ name }), reply: groupRow },
    listMembers: {
      from: 'engine',
      body: struct({ group: groupId, after: name }),
      reply: struct({ members: list(memberRow, PAGE_ROWS_MAX), more: bool }),
    },
    /**
     * The catalog of a group by name. Retired: `filesVersion`, which told whether pages belong
     * together, is no longer read. Throws notMember.
     */
    listFiles: {
      from: 'engine',
      body: struct({ group: groupId, after: fileName }),
      reply: struct({ files: list(fileRow, PAGE_ROWS_MAX), more: bool, filesVersion: u53 }),
    },
    /** One file of a catalog. Throws notMember, unknownFile. */
    findFile: { from: 'engine', body: struct({ group: groupId, name: fileName }), reply: fileRow },

    /** What this account has to do with and did not come to what was meant, the latest last. */
    conflicts: { from: 'engine', body: nothing, reply: struct({ conflicts: list(conflict, CONFLICTS_PER_REPLY_MAX) }) },
    /**
     * How much of each origin's operations this engine has seen the effects of, at whichever
     * tracker. Answered when this one has them too, or after a second: then `stale` says that it
     * lacks some.
     */
    catchUp: {
      from: 'engine',
      body: struct({ seen: versionVector(ORIGINS_MAX) }),
      reply: struct({ stale: bool, have: versionVector(ORIGINS_MAX) }),
    },

    /** A group this account is in, or has asked to join, is new or looks different. */
    groupChanged: { from: 'tracker', body: groupView },
    /** A group is gone for this account. */
    groupGone: {
      from: 'tracker',
      body: struct({ group: groupId, name, why: oneOf('left', 'removed', 'rejected', 'cancelled', 'deleted') }),
    },
    /**
     * Members of these groups came or went, or seed more or less than before: lists of members and
     * files are worth asking for again. At most a few a minute in large groups.
     */
    presenceChanged: { from: 'tracker', body: struct({ groups: list(groupId, GROUPS_PER_NOTICE_MAX) }) },
    /** Who entered or left a swarm in which this engine still misses something. */
    swarmChanged: {
      from: 'tracker',
      body: struct({
        group: groupId,
        root,
        joined: list(swarmPeer, PEERS_PER_REPLY_MAX),
        left: list(pin, PEERS_PER_REPLY_MAX),
      }),
    },
    /** A membership or a sign-in has ended (ticket.ts); beats every older ticket. */
    revoked: { from: 'tracker', body: struct({ revocation: bytes(512) }) },
    /** A peer that cannot reach us asks to be dialled. */
    dialRequest: { from: 'tracker', body: struct({ peer: swarmPeer, group: groupId }) },
    /**
     * Conflicts of this account, of the last week when it comes, and new ones. The same may be told
     * again.
     */
    conflicted: { from: 'tracker', body: struct({ conflicts: list(conflict, CONFLICTS_PER_NOTICE_MAX) }) },
    pairChanged: { from: 'tracker', body: struct({ pair: pairState }) },
    /** This device's sign-in has ended. */
    signedOut: { from: 'tracker', body: nothing },
  },
);
