// What reading without downloading may take, each with where its value comes from.

/**
 * Room that previews of all files take on the disk: several of the largest that an editor opens by
 * itself (50 MiB), and little beside what a downloader has anyway.
 */
export const PREVIEWS_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Files that are read at one time and a while after: each holds an open file and a place in its
 * swarm, and a very large one 40 MiB of hashes.
 */
export const PREVIEWS_MAX = 32;

/**
 * How long what was read is kept after it was last read, in ms: who opens a tab again, or goes on
 * to download the file, comes within that.
 */
export const PREVIEW_IDLE_MS = 90_000;

/**
 * How long nobody may be named by a tracker, or reached of those who are, before a read fails, in
 * ms. An announce takes well under a second; a dial may take 5 s, and being dialled instead 3 s
 * more.
 */
export const NO_PEER_KNOWN_MS = 3_000;
export const NO_PEER_REACHED_MS = 10_000;

/**
 * How long nothing may come from those who are there, in ms: longer than a silent peer is waited
 * for before others are asked (peerState.ts).
 */
export const SILENT_MS = 20_000;

/** Lists of folders that are kept in memory meanwhile: one is some 30 MB at most. */
export const LISTS_MAX = 4;
