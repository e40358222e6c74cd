// What an engine shows its frontends: trackers, transfers, downloaders, and the overview of it all.
import { accountId, address, content, fileName, groupId, name, pin, root, sha256, wireError } from '../base/fields.ts';
import { GROUPS_PER_ACCOUNT_MAX } from '../base/limits.ts';
import type { Of } from '../base/schema.ts';
import { added, bool, list, oneOf, optional, struct, text, u16, u32, u53 } from '../base/schema.ts';
import { nowhere } from './swarmView.ts';
import { groupView } from './trackerLink.ts';

/** An absolute path on this machine. */
export const path = text(4096);
export const transferId = u32;

/**
 * One tracker as this engine sees it. `inUse`: it answers our calls; the other one is kept
 * informed. `pair`: whether it and the other one reach each other.
 */
export const trackerState = struct({
  address,
  link: oneOf('connecting', 'up', 'down', 'refused'),
  inUse: bool,
  error: optional(wireError),
  pair: added(oneOf('alone', 'whole', 'apart', 'unknown'), 'unknown'),
});
export type TrackerState = Of<typeof trackerState>;

/**
 * How pieces are chosen: rarest first, at random, in order, or in order while nobody else downloads
 * and rarest first otherwise.
 */
export const pickerMode = oneOf('rarest', 'random', 'sequential', 'auto');
export type PickerMode = Exclude<Of<typeof pickerMode>, 'other'>;

/** Whose turn comes first when more is to be downloaded than may be at once. */
export const priority = oneOf('high', 'normal', 'low');
export type Priority = Exclude<Of<typeof priority>, 'other'>;

/** Where a download goes among those of its priority. */
export const queueMove = oneOf('top', 'up', 'down', 'bottom');
export type QueueMove = Exclude<Of<typeof queueMove>, 'other'>;

/** Where the pieces of a download came from. */
export const source = struct({ pin, user: name, pieces: u32, bytes: u53 });
export type Source = Of<typeof source>;

/**
 * One file this engine shares or downloads. hashing → seeding for a share, as soon as the group
 * knows of it; queued (its turn will come), waiting (nobody has it) or downloading → seeding for a
 * download; checking after a restart; choosing: it has the list of a folder and waits to be told
 * which of its files are wanted; paused by the person; failed with `error`; gone: its file vanished
 * or changed, so it is not served.
 */
export const transfer = struct({
  id: transferId,
  group: groupId,
  groupName: name,
  name: fileName,
  root,
  sizeBytes: u53,
  sha256: optional(sha256),
  kind: oneOf('share', 'download'),
  state: oneOf(
    'hashing',
    'checking',
    'waiting',
    'downloading',
    'seeding',
    'paused',
    'failed',
    'gone',
    'queued',
    'choosing',
  ),
  path,
  pieces: u32,
  heldPieces: u32,
  /** Bytes done: hashed, or verified and on disk. */
  doneBytes: u53,
  downBytesPerS: u53,
  upBytesPerS: u53,
  uploadedBytes: u53,
  peers: u32,
  /** Pieces that were on disk already when this run of the engine began: a resumed download. */
  resumedPieces: u32,
  rejectedPieces: u32,
  error: optional(wireError),
  /** Its own limits, beside those of all together; 0 for none. */
  downLimitBytesPerS: added(u53, 0),
  upLimitBytesPerS: added(u53, 0),
  mode: added(pickerMode, 'rarest'),
  priority: added(priority, 'normal'),
  /** Where it stands among all downloads that are not finished, from 1; 0 for one that is. */
  place: added(u32, 0),
  /**
   * Pieces that were copied from other files of this machine in this run of the engine, and not
   * fetched.
   */
  ownPieces: added(u32, 0),
  content: added(content, 'file'),
  /** Of a download that stands still: what nobody at hand has. */
  nowhere: added(optional(nowhere), undefined),
  /**
   * Which version of the group's file a download is; 0 where that is not known, and for a share.
   */
  version: added(u32, 0),
});
export type Transfer = Of<typeof transfer>;

/** Downloaders that are named at once: more than a person reads. */
export const SERVED_MAX = 32;

/** A peer that is getting a file from this engine. */
export const downloader = struct({ user: name, group: name, name: fileName, bytesPerS: u53 });
export type Downloader = Of<typeof downloader>;

/**
 * Everything small that a frontend shows; the catalog is asked for by pages, transfers come on
 * their own.
 */
export const overview = struct({
  program: text(64),
  processId: u32,
  trackerUrl: text(1024),
  trackers: list(trackerState, 2),
  account: optional(struct({ account: accountId, user: name })),
  /** Empty while signed out. */
  listening: list(address, 16),
  groups: list(groupView, GROUPS_PER_ACCOUNT_MAX),
  downBytesPerS: u53,
  upBytesPerS: u53,
  downLimitBytesPerS: u53,
  upLimitBytesPerS: u53,
  /** Operations that only one tracker has yet. */
  outbox: u32,
  /** Whether the engine stays when nobody holds it, so that others can go on downloading. */
  keepSharing: added(bool, false),
  /** How many downloads fetch at once; 0 for no limit. */
  activeDownloads: added(u16, 0),
  /** Who downloads from here at this moment, the fastest first. */
  served: added(list(downloader, SERVED_MAX), []),
});
export type Overview = Of<typeof overview>;
