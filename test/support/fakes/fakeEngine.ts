// An engine without trackers, peers or disk: says what a test lets it say and remembers what it was
// asked. For tests of those who speak with an engine.
import type { Overview, Transfer } from '../../../protocol/messages/engineLink.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { AccountId, GroupId, OperationId, Pin, RequestId, Root, Sha256 } from '../../../protocol/base/ids.ts';
import type { SwarmPeerView, SwarmView } from '../../../protocol/messages/swarmView.ts';
import type { Conflict, FileRow, GroupRow, GroupView } from '../../../protocol/messages/trackerLink.ts';
import type { Change, EngineApi, EngineEvent, RequestHandlers } from '../../../extension/engine/engineApi.ts';

const id = (bytes: number, text: string): string =>
  Buffer.from(text)
    .toString('hex')
    .padEnd(bytes * 2, '0')
    .slice(0, bytes * 2);

export const anOverview = (fields: Partial<Overview> = {}): Overview => ({
  program: 'shoal 0.1.0',
  processId: 4711,
  trackerUrl: 'shoal://pin@a.example:7070,b.example:7070',
  trackers: [
    { address: { host: 'a.example', port: 7070 }, link: 'up', inUse: true, error: undefined, pair: 'whole' },
    { address: { host: 'b.example', port: 7070 }, link: 'down', inUse: false, error: undefined, pair: 'whole' },
  ],
  account: { account: id(16, 'alice') as AccountId, user: 'alice' },
  listening: [{ host: '192.168.1.5', port: 40123 }],
  groups: [],
  downBytesPerS: 0,
  upBytesPerS: 0,
  downLimitBytesPerS: 0,
  upLimitBytesPerS: 0,
  outbox: 0,
  keepSharing: false,
  activeDownloads: 0,
  served: [],
  ...fields,
});

export const aTransfer = (fields: Partial<Transfer> = {}): Transfer => ({
  id: 1,
  group: id(16, 'team') as GroupId,
  groupName: 'team',
  name: 'dump.sql',
  root: id(32, 'root') as Root,
  sizeBytes: 1024 * 1024,
  sha256: id(32, 'sha') as Sha256,
  kind: 'download',
  state: 'downloading',
  path: '/work/downloads/dump.sql',
  pieces: 2,
  heldPieces: 1,
  doneBytes: 512 * 1024,
  downBytesPerS: 0,
  upBytesPerS: 0,
  uploadedBytes: 0,
  peers: 1,
  resumedPieces: 0,
  rejectedPieces: 0,
  error: undefined,
  downLimitBytesPerS: 0,
  upLimitBytesPerS: 0,
  mode: 'rarest',
  priority: 'normal',
  place: 0,
  ownPieces: 0,
  content: 'file',
  nowhere: undefined,
  version: 1,
  ...fields,
});

export const aGroup = (fields: Partial<GroupView> = {}): GroupView => ({
  group: id(16, 'team') as GroupId,
  name: 'team',
  role: 'owner',
  owner: 'alice',
  members: 3,
  filesVersion: 1,
  requests: [
    { request: id(16, 'r') as RequestId, account: id(16, 'bob') as AccountId, user: 'bob', atMs: 1_767_225_600_000 },
  ],
  ...fields,
});

export const aGroupRow = (fields: Partial<GroupRow> = {}): GroupRow => ({
  group: id(16, 'team') as GroupId,
  name: 'team',
  role: 'owner',
  owner: 'alice',
  members: 3,
  online: 2,
  files: 1,
  ...fields,
});

export const aFile = (fields: Partial<FileRow> = {}): FileRow => ({
  name: 'dump.sql',
  version: 1,
  root: id(32, 'root') as Root,
  sizeBytes: 1024 * 1024,
  pieceBytes: 512 * 1024,
  sha256: id(32, 'sha') as Sha256,
  author: 'bob',
  atMs: 1_767_225_600_000,
  sharers: ['bob'],
  sharersCount: 1,
  iShare: false,
  seeders: 1,
  leechers: 0,
  content: 'file',
  ...fields,
});

/** Of ten pieces four are here; bob has all. */
export const aSwarm = (fields: Partial<SwarmView> = {}): SwarmView => ({
  transfer: 1,
  pieces: 10,
  pieceBytes: 512 * 1024,
  heldPieces: 4,
  requestedPieces: 2,
  verifyingPieces: 0,
  missingPieces: 4,
  unwantedPieces: 0,
  cellPieces: 1,
  cells: {
    held: Uint8Array.of(1, 1, 1, 1, 0, 0, 0, 0, 0, 0),
    requested: Uint8Array.of(0, 0, 0, 0, 1, 1, 0, 0, 0, 0),
    verifying: new Uint8Array(10),
    unwanted: new Uint8Array(10),
    nowhere: new Uint8Array(10),
    peers: new Uint8Array(10).fill(1),
  },
  nowhere: undefined,
  peers: [aPeer()],
  peersCount: 1,
  hasHashes: true,
  isDiskBusy: false,
  ...fields,
});

export const aPeer = (fields: Partial<SwarmPeerView> = {}): SwarmPeerView => ({
  pin: id(32, 'bob') as Pin,
  user: 'bob',
  state: 'giving',
  place: 'private',
  pieces: 10,
  askedPieces: 2,
  downBytesPerS: 1024 * 1024,
  upBytesPerS: 0,
  gaveBytes: 2 * 1024 * 1024,
  tookBytes: 0,
  leftAtMs: 0,
  why: '',
  ...fields,
});

export class FakeEngine implements EngineApi {
  /** What it was asked, in order. */
  readonly asked: { readonly verb: string; readonly body: unknown }[] = [];
  readonly list = new Map<number, Transfer>();
  state = anOverview();
  isBusy = false;
  isHeld = false;
  keepsSharing = false;
  closed = false;
  /** Whether it was closed because nobody held it. */
  closedUnheld = false;
  readonly handlers: RequestHandlers;
  readonly #changes = new Set<(change: Change) => void>();
  readonly #events = new Set<(event: EngineEvent) => void>();

  /** @param answers  what verbs answer; one that is not named answers with what is usual */
  constructor(answers: Partial<RequestHandlers> = {}) {
    const done = { durability: 'both' } as const;
    const all: RequestHandlers = {
      setTracker: () => ({ url: 'shoal://pin@a.example:7070', firstUse: true }),
      configure: () => ({}),
      createUser: () => done,
      signIn: ({ user }) => ({ account: id(16, user) as AccountId, user }),
      signOut: () => ({}),
      changePassword: () => done,
      createGroup: () => done,
      joinGroup: () => done,
      cancelRequest: () => done,
      leaveGroup: () => done,
      removeMember: () => done,
      acceptRequest: () => done,
      rejectRequest: () => done,
      transferGroup: () => done,
      deleteGroup: () => done,
      renameGroup: () => done,
      renameAccount: () => done,
      listConflicts: () => ({ conflicts: [aConflict()] }),
      listGroups: () => ({ groups: [aGroupRow()], more: false }),
      listMembers: () => ({ members: [], more: false }),
      listFiles: () => ({ files: [aFile()], more: false, filesVersion: 1 }),
      findFile: () => aFile(),
      read: ({ fromByte, bytes }) => ({
        sizeBytes: aFile().sizeBytes,
        raw: Buffer.alloc(Math.max(0, Math.min(bytes, aFile().sizeBytes - fromByte)), 'x'),
      }),
      listShared: () => ({ files: [], more: false }),
      share: () => ({ transfer: 1 }),
      download: () => ({ transfer: 1 }),
      downloadSome: () => ({ transfer: 1 }),
      folderFiles: () => ({ files: [], more: false }),
      chooseFiles: () => ({}),
      stopShare: () => done,
      pause: () => ({}),
      resume: () => ({}),
      adjust: () => ({}),
      cancelTransfer: () => ({}),
      verify: () => ({ sha256: id(32, 'sha') as Sha256, sizeBytes: 1024 * 1024, repairing: false }),
      sources: () => ({
        sources: [{ pin: id(32, 'bob') as Pin, user: 'bob', pieces: 2, bytes: 1024 * 1024 }],
        bits: new Uint8Array(0),
      }),
      takeCutOff: () => ({ downloaders: [] }),
      swarm: ({ transfer }) => this.swarm(transfer) ?? aSwarm({ transfer }),
      ...answers,
    };
    const noted = Object.entries(all).map(([verb, run]) => [
      verb,
      (body: never, call: never) => {
        this.asked.push({ verb, body });
        return (run as (body: never, call: never) => unknown)(body, call);
      },
    ]);
    this.handlers = Object.fromEntries(noted) as RequestHandlers;
  }

  overview(): Overview {
    return this.state;
  }
  transfers(): readonly Transfer[] {
    return [...this.list.values()];
  }
  transfer(id: number): Transfer | undefined {
    return this.list.get(id);
  }
  /** How often it was asked for. */
  swarmLooks = 0;
  swarms = new Map<number, SwarmView>();
  swarm(id: number): SwarmView | undefined {
    this.swarmLooks++;
    return this.swarms.get(id);
  }
  onChange(listener: (change: Change) => void): () => void {
    this.#changes.add(listener);
    return () => this.#changes.delete(listener);
  }
  onEvent(listener: (event: EngineEvent) => void): () => void {
    this.#events.add(listener);
    return () => this.#events.delete(listener);
  }
  close({ isUnheld = false } = {}): Promise<void> {
    this.closed = true;
    this.closedUnheld = isUnheld;
    return Promise.resolve();
  }

  /** Changes the overview and tells. */
  setOverview(fields: Partial<Overview>): void {
    this.state = { ...this.state, ...fields };
    this.#tell({ overview: true, transfers: new Set(), gone: [], presence: [] });
  }
  /** Changes or adds a transfer and tells. */
  setTransfer(fields: Partial<Transfer>): void {
    const transfer = aTransfer({ ...this.list.get(fields.id ?? 1), ...fields });
    this.list.set(transfer.id, transfer);
    this.#tell({ overview: false, transfers: new Set([transfer.id]), gone: [], presence: [] });
  }
  removeTransfer(id: number): void {
    this.list.delete(id);
    this.#tell({ overview: false, transfers: new Set(), gone: [id], presence: [] });
  }
  setBusy(isBusy: boolean): void {
    this.isBusy = isBusy;
    this.#tell({ overview: true, transfers: new Set(), gone: [], presence: [] });
  }
  presence(groups: Change['presence']): void {
    this.#tell({ overview: false, transfers: new Set(), gone: [], presence: groups });
  }
  event(event: Omit<EngineEvent, 'conflict'> & Partial<EngineEvent>): void {
    for (const take of this.#events) take({ conflict: undefined, ...event });
  }

  #tell(change: Change): void {
    for (const take of this.#changes) take(change);
  }
}

export const aConflict = (fields: Partial<Conflict> = {}): Conflict => ({
  operation: id(16, 'operation') as OperationId,
  what: 'createGroup',
  result: 'renamed',
  group: 'team~k3f9',
  wanted: 'team',
  name: 'team~k3f9',
  user: 'alice',
  atMs: Date.UTC(2026, 0, 2, 3, 4),
  isMine: true,
  ...fields,
});

/** A verb that fails. */
export const fails =
  (...error: ConstructorParameters<typeof ShoalError>) =>
  (): never => {
    throw new ShoalError(...error);
  };
