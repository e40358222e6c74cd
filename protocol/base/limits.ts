// Every bound that more than one program must agree on, each with where its value comes from.

/** Bytes in one leaf of the hash tree. BEP 52: 16 KiB, always; the tree's shape depends on it. */
export const LEAF_BYTES = 16 * 1024;

/**
 * Bytes in one piece of an ordinary file: the unit of request, verification and blame. A power of
 * two of leaves (BEP 52).
 */
export const PIECE_BYTES_DEFAULT = 512 * 1024;

/**
 * Bytes in the largest piece a file may have: larger than one frame, so it is asked for in spans
 * (SPAN_BYTES_MAX).
 */
export const PIECE_BYTES_MAX = 16 * 1024 * 1024;

/** Pieces in one file: bounds a bitfield to 128 KiB and a piece layer to 32 MiB. */
export const PIECES_MAX = 2 ** 20;

/**
 * Bytes in one request: a whole ordinary piece. Larger pieces are asked for in spans of this size,
 * each one frame.
 */
export const SPAN_BYTES_MAX = 512 * 1024;

/**
 * Bytes of a shared file that a frontend reads at once: an ordinary piece. Who reads more asks
 * again, several times at once if it wants to.
 */
export const READ_BYTES_MAX = 512 * 1024;

/** Bytes in one file: PIECES_MAX pieces of PIECE_BYTES_MAX (16 TiB). */
export const FILE_BYTES_MAX = PIECES_MAX * PIECE_BYTES_MAX;

/**
 * Files in one shared folder, and bytes of the list of them: a list of so many with paths of 200
 * bytes each. It is kept in memory while it is served.
 */
export const FOLDER_FILES_MAX = 100_000;
export const MANIFEST_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Payload bytes of any frame before the greeting is done: a stranger can make us hold no more than
 * this.
 */
export const GREETING_PAYLOAD_BYTES_MAX = 4 * 1024;

/**
 * Payload bytes of any frame after the greeting; each message has a tighter bound of its own, taken
 * from its table.
 */
export const FRAME_PAYLOAD_BYTES_MAX = 1024 * 1024 + 64;

/**
 * Bytes that fields of a newer version may add to a message before an older reader calls it too
 * large.
 */
export const ADDED_FIELDS_BYTES_MAX = 1024;

/** Calls of the other side that may be under way on one link. */
export const CALLS_UNDER_WAY_MAX = 256;

/** Bytes queued for a slow reader before its requests wait. */
export const QUEUED_BYTES_MAX = 8 * 1024 * 1024;

/**
 * How long the other side has for its greeting, in ms. A TLS handshake on a slow line fits; a
 * slowloris does not.
 */
export const GREETING_MS_MAX = 5_000;

/**
 * How long the other side has to take what was written when a link ends, in ms; then it is cut off.
 */
export const LINGER_MS = 2_000;

/**
 * How often an idle link says that it lives, in ms, by the kind of link. Three missed and it is
 * dead.
 */
export const HEARTBEAT_MS = { tracker: 3_000, peer: 10_000, engine: 10_000, partner: 500 } as const;

/** Heartbeats a link may miss before it is dead. */
export const HEARTBEATS_MISSED_MAX = 3;

/** How long a call waits for its answer when the caller does not say, in ms. */
export const CALL_MS_DEFAULT = 10_000;

/** Characters of a user's or group's name. */
export const NAME_CHARS_MAX = 64;

/**
 * Bytes of one component of a file's name, and of the whole of it: what common file systems take.
 */
export const FILE_NAME_COMPONENT_BYTES_MAX = 255;
export const FILE_NAME_BYTES_MAX = 1024;
export const FILE_NAME_COMPONENTS_MAX = 16;

/** Bytes of a password. Long enough for any phrase; bounded because hashing reads all of it. */
export const PASSWORD_BYTES_MAX = 256;
/** Characters of a new password. */
export const PASSWORD_CHARS_MIN = 8;

/** Groups an account may be in, members of a group, waiting requests of a group. */
export const GROUPS_PER_ACCOUNT_MAX = 256;
export const MEMBERS_PER_GROUP_MAX = 1024;
export const REQUESTS_PER_GROUP_MAX = 256;
/** Devices signed in to one account. */
export const DEVICES_PER_ACCOUNT_MAX = 10;

/**
 * Groups that one notice of presence names: it stays under 1 KiB, which a reader that does not know
 * it skips.
 */
export const GROUPS_PER_NOTICE_MAX = 32;
/** Peers in one answer about a swarm: more than one downloader ever dials. */
export const PEERS_PER_REPLY_MAX = 50;
/** Swarms in one announce: deltas of many shares travel in one frame. */
export const SWARMS_PER_ANNOUNCE_MAX = 512;
/** Addresses one engine may report: several interfaces, IPv4 and IPv6. */
export const ADDRESSES_PER_PEER_MAX = 8;
/** Rows in one page of a catalog, a list of groups or a list of members. */
export const PAGE_ROWS_MAX = 256;
/** Sharers of a version that an answer names; the rest is only counted. */
export const SHARERS_NAMED_MAX = 8;

/**
 * Piece hashes in one answer: 32 KiB of a piece layer. A power of two, so that a range is one
 * subtree.
 */
export const HASHES_PER_REPLY_MAX = 1024;
/** Pieces that one `have` names. */
export const PIECES_PER_HAVE_MAX = 4096;

/**
 * Pieces that one peer says it has asked of seeders: more than it ever has under way with one of
 * them.
 */
export const REQUESTED_PIECES_MAX = 64;

/**
 * How long a membership ticket counts, in ms: bounds how long a removed member is served if every
 * push is lost.
 */
export const TICKET_MS = 10 * 60_000;
/** How long tickets go on counting while no tracker can be reached, in ms. */
export const TICKET_GRACE_MS = 60 * 60_000;
/** Difference between two honest clocks that is forgiven, in ms. */
export const CLOCK_SKEW_MS_MAX = 60_000;

/**
 * How long a tracker waits for its partner before it answers that one disk holds the operation, in
 * ms.
 */
export const PARTNER_ACK_MS_MAX = 1_500;

/**
 * How far the clocks of a pair may be apart, and how far ahead of its clock a tracker lets the
 * other's operations be, in ms: one would refuse the tickets of the other, and the log would run
 * ahead. Above the other two it warns.
 */
export const CLOCKS_APART_MS_MAX = 5 * 60_000;
export const CLOCKS_APART_MS_ALARM = 10_000;
export const CLOCKS_APART_MS_WARN = 2_000;

/**
 * How old an operation may be when it is taken in, and how long an outbox sends one again, in ms.
 */
export const OPERATION_AGE_MS_MAX = 7 * 24 * 3600_000;

/** Conflicts in one answer to an operator: 256 of the largest stay under 1 MiB. */
export const CONFLICTS_PER_PAGE_MAX = 256;

/** Conflicts in one answer to an engine, and in one notice: one line each of at most 2.5 KiB. */
export const CONFLICTS_PER_REPLY_MAX = 256;
export const CONFLICTS_PER_NOTICE_MAX = 16;

/** Operations, and their bytes, in one frame between partners. */
export const OPERATIONS_PER_FRAME_MAX = 500;
export const OPERATIONS_PER_FRAME_BYTES_MAX = 512 * 1024;
/** Bytes of a snapshot that are written, or travel, at once. */
export const SNAPSHOT_CHUNK_BYTES = 512 * 1024;
/** Bytes of one signed operation: the longest file name and some room. */
export const OPERATION_BYTES_MAX = 4 * 1024;
/** Bytes of one log entry: the operation, its signature, the tracker's part and the stamp. */
export const ENTRY_BYTES_MAX = 8 * 1024;
/** Origins in one version vector: incarnations of both trackers over the realm's life. */
export const ORIGINS_MAX = 64;

/** Transfers in one message to a frontend: bounds it to 1 MiB with the longest names and paths. */
export const TRANSFERS_PER_NOTICE_MAX = 128;
