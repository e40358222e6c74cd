// What a frontend (a window or a command line verb) and its engine say to each other over the
// home's local socket. A frontend names groups by their names; the engine knows the ids. Every
// engine feature is a row here.
import {
  CONFLICTS_PER_REPLY_MAX,
  GROUPS_PER_ACCOUNT_MAX,
  PAGE_ROWS_MAX,
  PASSWORD_BYTES_MAX,
  READ_BYTES_MAX,
  TRANSFERS_PER_NOTICE_MAX,
} from '../base/limits.ts';
import { accountId, fileName, groupId, name, root, sha256 } from '../base/fields.ts';
import { added, bool, bytes, list, oneOf, optional, struct, text, u16, u32, u53 } from '../base/schema.ts';
import {
  downloader,
  overview,
  path,
  pickerMode,
  SERVED_MAX,
  transfer,
  transferId,
  priority,
  queueMove,
  source,
} from './engineView.ts';
import { swarmView } from './swarmView.ts';
import type { BodyOf, CallsOf } from '../wire/table.ts';
import { nothing, table } from '../wire/table.ts';
import { conflict, fileRow, groupRow, memberRow } from './trackerLink.ts';

export { overview, SERVED_MAX } from './engineView.ts';
export type {
  Downloader,
  Overview,
  PickerMode,
  Priority,
  QueueMove,
  Source,
  TrackerState,
  Transfer,
} from './engineView.ts';

const password = text(PASSWORD_BYTES_MAX);

/** Patterns by which files of a folder are chosen: as many as fit into one message. */
export const CHOSEN_MAX = 512;

/** One file of a folder. */
const folderFile = struct({ path: fileName, sizeBytes: u53 });

const group = struct({ group: name });
const groupUser = struct({ group: name, user: name });
const groupFile = struct({ group: name, name: fileName });
const done = struct({ durability: oneOf('both', 'one') });

export const engineLink = table(
  { frontend: 'engine', engine: 'frontend' },
  {
    /** The state now; from here on this frontend is told of changes and keeps the engine alive. */
    watch: {
      from: 'frontend',
      body: nothing,
      reply: struct({ overview, transfers: list(transfer, TRANSFERS_PER_NOTICE_MAX), more: bool }),
    },
    overviewChanged: { from: 'engine', body: overview },
    transfersChanged: {
      from: 'engine',
      body: struct({
        changed: list(transfer, TRANSFERS_PER_NOTICE_MAX),
        gone: list(transferId, TRANSFERS_PER_NOTICE_MAX),
      }),
    },
    /**
     * In these groups a member came or went, or seeds more or less than before (trackerLink's
     * `presenceChanged`).
     */
    presenceChanged: { from: 'engine', body: struct({ groups: list(groupId, GROUPS_PER_ACCOUNT_MAX) }) },
    /**
     * A sentence for the person, once: a request was answered, a member was removed, a join request
     * came. `id` is the same in all frontends (see `claim`). `renamed` and `conflict`: two things
     * that were done at once do not go together (trackerLink's `conflict`, of which the other
     * fields are).
     */
    event: {
      from: 'engine',
      body: struct({
        what: oneOf(
          'requestReceived',
          'accepted',
          'rejected',
          'removed',
          'signedOut',
          'downloaded',
          'failed',
          'renamed',
          'conflict',
        ),
        group: name,
        user: name,
        name: fileName,
        id: added(u53, 0),
        conflict: added(optional(conflict), undefined),
      }),
    },
    /**
     * Of several windows, only the first to ask for a key gets `mine`: it tells the person, the
     * others stay silent.
     */
    claim: { from: 'frontend', body: struct({ key: text(128) }), reply: struct({ mine: bool }) },
    /** The state once, without being told of changes and without keeping the engine alive. */
    status: {
      from: 'frontend',
      body: nothing,
      reply: struct({ overview, transfers: list(transfer, TRANSFERS_PER_NOTICE_MAX), more: bool }),
    },

    /**
     * Sets the tracker this home uses: a URL, or `host:port` lines. A bare address is trusted on
     * first use; `url` says which realm. With `confirm` it is not: then nothing is set, and the
     * person who has compared it sets that URL. Throws trackerUnreachable, wrongRealm,
     * signedInAlready.
     */
    setTracker: {
      from: 'frontend',
      body: struct({ url: text(1024), confirm: added(bool, false) }),
      reply: struct({ url: text(1024), firstUse: bool }),
    },
    /**
     * Limits in bytes per second, 0 for none; how many downloads fetch at once, 0 for no limit.
     * Where to listen takes effect at the next sign-in.
     */
    configure: {
      from: 'frontend',
      body: struct({
        downLimitBytesPerS: optional(u53),
        upLimitBytesPerS: optional(u53),
        listenHost: optional(text(255)),
        listenPort: optional(u16),
        keepSharing: added(optional(bool), undefined),
        activeDownloads: added(optional(u16), undefined),
      }),
      reply: nothing,
    },

    createUser: { from: 'frontend', body: struct({ user: name, password }), reply: done },
    /**
     * `hold`: stay running without a frontend until sign-out: a person signed in on the command
     * line.
     */
    signIn: {
      from: 'frontend',
      body: struct({ user: name, password, hold: bool }),
      reply: struct({ account: accountId, user: name }),
    },
    signOut: { from: 'frontend', body: nothing, reply: nothing },
    changePassword: { from: 'frontend', body: struct({ oldPassword: password, newPassword: password }), reply: done },

    createGroup: { from: 'frontend', body: group, reply: done },
    joinGroup: { from: 'frontend', body: group, reply: done },
    cancelRequest: { from: 'frontend', body: group, reply: done },
    leaveGroup: { from: 'frontend', body: group, reply: done },
    removeMember: { from: 'frontend', body: groupUser, reply: done },
    /** Gives a group to another member. */
    transferGroup: { from: 'frontend', body: groupUser, reply: done },
    /** Ends a group for all. Throws needBoth while one of two trackers is away. */
    deleteGroup: { from: 'frontend', body: group, reply: done },
    renameGroup: { from: 'frontend', body: struct({ group: name, to: name }), reply: done },
    /**
     * Another name for one's own account, where it got a name that nobody chose. Throws nameKept.
     */
    renameAccount: { from: 'frontend', body: struct({ to: name }), reply: done },
    /** What this account did and did not come to what was meant, the latest last. */
    listConflicts: {
      from: 'frontend',
      body: nothing,
      reply: struct({ conflicts: list(conflict, CONFLICTS_PER_REPLY_MAX) }),
    },
    acceptRequest: { from: 'frontend', body: groupUser, reply: done },
    rejectRequest: { from: 'frontend', body: groupUser, reply: done },
    listGroups: {
      from: 'frontend',
      body: struct({ after: name }),
      reply: struct({ groups: list(groupRow, PAGE_ROWS_MAX), more: bool }),
    },
    listMembers: {
      from: 'frontend',
      body: struct({ group: name, after: name }),
      reply: struct({ members: list(memberRow, PAGE_ROWS_MAX), more: bool }),
    },

    /** The catalog of a group by name. Retired: `filesVersion` is no longer read. */
    listFiles: {
      from: 'frontend',
      body: struct({ group: name, after: fileName }),
      reply: struct({ files: list(fileRow, PAGE_ROWS_MAX), more: bool, filesVersion: u53 }),
    },
    findFile: { from: 'frontend', body: groupFile, reply: fileRow },

    /**
     * Bytes of a shared file, or of the file `path` in a shared folder, without downloading it:
     * from this machine where it is here, otherwise from peers, these before all others. `root`
     * says of which version. Fewer than were asked for, or none, come only at the end; `sizeBytes`
     * is how large the whole is. Who cancels the call stops the fetching. Throws notMember,
     * unknownFile, newerVersion, nobodyServes, tooMuchAtOnce, badFolder.
     */
    read: {
      from: 'frontend',
      body: struct({ group: name, name: fileName, root, path: fileName, fromByte: u53, bytes: u32 }),
      reply: struct({ sizeBytes: u53 }),
      rawBytesMax: READ_BYTES_MAX,
    },
    /**
     * The files of a shared folder in the same way, by pages in the order of their names. Throws
     * the same, and usage for what is no folder.
     */
    listShared: {
      from: 'frontend',
      body: struct({ group: name, name: fileName, root, after: fileName }),
      reply: struct({ files: list(folderFile, PAGE_ROWS_MAX), more: bool }),
    },

    /**
     * Hashes a file, then shares it; answers at once, the transfer tells the rest. `name` is what
     * others see (the file's own name by default).
     */
    share: {
      from: 'frontend',
      body: struct({ group: name, path, name: optional(fileName), replace: bool }),
      reply: struct({ transfer: transferId }),
    },
    /**
     * Downloads into a folder, or to exactly `path` when `asFile`. `only`: of a shared folder just
     * these files or folders; `*`, `**` and `?` stand for any. `rename`: take `name (2)` when the
     * name is taken. Answers at once.
     */
    download: {
      from: 'frontend',
      body: struct({
        group: name,
        name: fileName,
        path,
        asFile: bool,
        rename: bool,
        mode: pickerMode,
        only: added(list(fileName, CHOSEN_MAX), []),
      }),
      reply: struct({ transfer: transferId }),
    },
    /**
     * The same of a folder whose files are yet to be chosen: its list comes, `folderFiles` gives
     * it, `chooseFiles` goes on.
     */
    downloadSome: {
      from: 'frontend',
      body: struct({ group: name, name: fileName, path, rename: bool, mode: pickerMode }),
      reply: struct({ transfer: transferId }),
    },
    /**
     * The files of a folder that is shared, downloaded or being chosen of, by pages in the order of
     * its list. Throws usage while the list is not here.
     */
    folderFiles: {
      from: 'frontend',
      body: struct({ transfer: transferId, after: added(fileName, '') }),
      reply: struct({ files: list(folderFile, PAGE_ROWS_MAX), more: bool }),
    },
    /**
     * Which files of a folder are wanted, of a download that began with `downloadSome`; none named
     * for all.
     */
    chooseFiles: {
      from: 'frontend',
      body: struct({ transfer: transferId, only: list(fileName, CHOSEN_MAX) }),
      reply: nothing,
    },
    /**
     * I no longer share or seed this file. `remove`: also take it out of the catalog (its author
     * or the group's owner).
     */
    stopShare: { from: 'frontend', body: struct({ group: name, name: fileName, remove: bool }), reply: done },
    pause: { from: 'frontend', body: struct({ transfer: transferId }), reply: nothing },
    resume: { from: 'frontend', body: struct({ transfer: transferId }), reply: nothing },
    /**
     * Changes how one of them goes; what is not given stays. Mode, priority and moves are a
     * download's, the limits a share's, too. `moveTo`: to where another download stands.
     */
    adjust: {
      from: 'frontend',
      body: struct({
        transfer: transferId,
        downLimitBytesPerS: optional(u53),
        upLimitBytesPerS: optional(u53),
        mode: optional(pickerMode),
        priority: optional(priority),
        move: optional(queueMove),
        moveTo: added(optional(transferId), undefined),
      }),
      reply: nothing,
    },
    /** Forgets a download; what was not finished is deleted, finished files stay where they are. */
    cancelTransfer: { from: 'frontend', body: struct({ transfer: transferId }), reply: nothing },
    /**
     * Reads the file again and compares, until it is cancelled. Throws integrity, fileMissing; with
     * `repair`, what is wrong in a download is fetched again instead, and watched like it.
     */
    verify: {
      from: 'frontend',
      body: struct({ transfer: transferId, repair: added(bool, false) }),
      reply: struct({ sha256, sizeBytes: u53, repairing: added(bool, false) }),
    },
    /** Who gave us how much of a download. Retired: `bits` is no longer read. */
    sources: {
      from: 'frontend',
      body: struct({ transfer: transferId }),
      reply: struct({ sources: list(source, 256), bits: bytes(131072) }),
    },

    /**
     * Who was still downloading from here when the engine last left because nobody held it. Told
     * once. Throws notSignedIn.
     */
    takeCutOff: { from: 'frontend', body: nothing, reply: struct({ downloaders: list(downloader, SERVED_MAX) }) },
    /** How it stands in the swarm of a transfer now. */
    swarm: { from: 'frontend', body: struct({ transfer: transferId }), reply: swarmView },
    /**
     * From here on this frontend is told of that, at once and then as it changes, at most once a
     * second; or no longer. Nothing of it is worked out for nobody.
     */
    watchSwarm: { from: 'frontend', body: struct({ transfer: transferId, on: bool }), reply: nothing },
    swarmChanged: { from: 'engine', body: swarmView },

    /** Ends the engine; everything continues at its next start. */
    stop: { from: 'frontend', body: nothing, reply: nothing },
  },
);

/** Names of the calls that a frontend makes. */
export type EngineCalls = CallsOf<typeof engineLink, 'frontend'>;
/** A sentence for the person, as every frontend gets it. */
export type EngineEvent = BodyOf<typeof engineLink, 'event'>;
