// What an engine is made of, wired together: each part gets what it needs of the others, and the
// engine's own decisions come in as callbacks. Decides nothing, keeps nothing.
import { asShoalError, isShoalError } from '../../protocol/base/errors.ts';
import type { Address } from '../../protocol/base/fields.ts';
import type { GroupId } from '../../protocol/base/ids.ts';
import type { World } from '../../protocol/base/world.ts';
import type { Home } from '../../protocol/home/homeLayout.ts';
import type { OperationBody, OperationName } from '../../protocol/messages/operations.ts';
import type { Conflict, GroupView } from '../../protocol/messages/trackerLink.ts';
import type { Identity } from '../../protocol/node/identity.ts';
import { RAW_HEAD_ROOM_BYTES } from '../../protocol/wire/frame.ts';
import type { Account } from './account.ts';
import type { ChangeEmitter } from './changeEmitter.ts';
import type { Hasher } from './hashing/hasher.ts';
import { ActiveUploads } from './peers/activeUploads.ts';
import { BufferPool } from './peers/bufferPool.ts';
import { PeerConnections } from './peers/peerConnections.ts';
import { RateLimiter } from './peers/rateLimiter.ts';
import { UploadQueue } from './peers/uploadQueue.ts';
import { PreviewCache } from './previews/previewCache.ts';
import { SharedFileReader } from './previews/sharedFileReader.ts';
import type { Settings } from './settings.ts';
import { FilePool } from './storage/filePool.ts';
import type { SwarmContext } from './swarm/swarmContext.ts';
import { SwarmRegistry } from './swarm/swarmRegistry.ts';
import { OperationSender } from './trackers/operationSender.ts';
import { TicketRenewal } from './trackers/ticketRenewal.ts';
import { Tickets } from './trackers/tickets.ts';
import { TrackerClient } from './trackers/trackerClient.ts';
import type { GroupGone, TrackerSession } from './trackers/trackerSession.ts';
import { Transfers } from './transfers/transfers.ts';

export interface EngineOptions {
  readonly home: Home;
  readonly world: World;
  readonly identity: Identity;
  readonly version: string;
  readonly hasher: Hasher;
}

/** What the parts ask the engine, and tell it. */
export interface EngineCallbacks {
  /** Through which frontends learn what changes. */
  readonly notify: ChangeEmitter;
  settings(): Settings;
  /** Where others may reach us. */
  listening(): readonly Address[];
  /** Signs and sends an operation. @throws ShoalError notSignedIn, what the tracker says */
  submit<N extends OperationName>(name: N, body: OperationBody<N>): Promise<unknown>;
  /** @throws ShoalError notSignedIn, notMember */
  checkMember(group: GroupId, name: string): void;
  /** A tracker has said who we are. */
  onSession(session: TrackerSession, account: Account | undefined): void;
  onGroupChanged(session: TrackerSession, group: GroupView, before: GroupView | undefined): void;
  /** Told by the tracker in use: this account is no longer in a group, nor waits for it. */
  onGroupGone(gone: GroupGone): void;
  /** A revocation that was new to us. @param from  the connection it came over, if it was a peer's */
  onRevoked(bytes: Uint8Array, from?: object): void;
  onConflicts(conflicts: readonly Conflict[]): Promise<void>;
  onSignedOutElsewhere(): void;
}

export type EngineParts = ReturnType<typeof createParts>;

export function createParts({ home, world, identity, version, hasher }: EngineOptions, engine: EngineCallbacks) {
  const { clock, chance, log, disk } = world;
  const program = `shoal ${version}`;
  const downloadLimiter = new RateLimiter(clock);
  const uploadLimiter = new RateLimiter(clock);
  const tickets = new Tickets(clock);
  const registry = new SwarmRegistry();
  const activeUploads = new ActiveUploads(clock);
  const onPresenceChanged = (): void => trackers.announceSoon();

  const peerConnections: PeerConnections = new PeerConnections({
    world,
    device: identity.pin,
    program,
    tickets,
    uploadQueue: new UploadQueue({ clock, uploadLimiter, buffers: new BufferPool(RAW_HEAD_ROOM_BYTES) }),
    swarm: (group, root) => registry.get(group, root),
    onRevoked: (bytes, from) => engine.onRevoked(bytes, from),
    onSent(swarm, bytes, to) {
      const transfer = transfers.ofSwarm(swarm.key.group, swarm.key.root);
      if (!transfer) return; // a preview is in no list
      transfer.stats.onSent(bytes);
      activeUploads.onSent(to, swarm, { group: transfer.record.groupName, name: transfer.record.name }, bytes);
    },
    askDial: (pin, group) => void trackers.call('askDial', { pin, group }).catch(() => undefined),
    onConnected() {
      for (const swarm of registry.swarms) swarm.connect();
    },
  });
  const swarmContext: SwarmContext = {
    clock,
    chance,
    log,
    buffers: new BufferPool(),
    downloadLimiter,
    connectTo: (peer, swarm) => peerConnections.connectTo(peer, swarm),
    isUnreachable: (pin) => peerConnections.isUnreachable(pin),
    isConnected: (pin) => peerConnections.isConnected(pin),
    connectionsIn: (group) => peerConnections.connections.filter((connection) => connection.trusts(group)),
  };

  const storage = { hasher, filePool: new FilePool(disk, clock), home };
  const previews = new PreviewCache({ ...world, ...storage, swarmContext, registry, onPresenceChanged });
  const transfers: Transfers = new Transfers({
    ...storage,
    world,
    swarmContext,
    registry,
    previewStores: (root) => previews.storesOf(root),
    activeDownloads: () => engine.settings().activeDownloads,
    async announceShare({ group, name, root, sizeBytes, pieceBytes, sha256, replace, content }) {
      if (root === '' || sha256 === '') throw new Error('not hashed yet');
      await engine.submit('shareFile', { group, name, root, sizeBytes, pieceBytes, sha256, replace, content });
    },
    onPresenceChanged,
    onChange: (id) => engine.notify.transfers([id]),
    onFinished: ({ record }) => engine.notify.event('downloaded', record.groupName, record.name),
    // A failed share shows in its own row, and leaving a group is told by itself; a file that is
    // here already has not failed.
    onFailed({ record, error, isComplete }) {
      if (record.kind === 'download' && !isComplete && !isShoalError(error, 'notMember')) {
        engine.notify.event('failed', record.groupName, record.name);
      }
    },
  });
  const reader = new SharedFileReader({
    clock,
    home,
    transfers,
    previews,
    checkMember: ({ key, groupName }) => engine.checkMember(key.group, groupName),
  });

  const trackers: TrackerClient = new TrackerClient(
    {
      world,
      program,
      listening: () => engine.listening(),
      presence: () => registry.presence(),
      realm: (pin, keys) => tickets.setRealm(pin, keys),
      changed: () => engine.notify.overview(),
      onSession(session, { account, nowMs }) {
        tickets.setTime(nowMs);
        engine.onSession(session, account);
      },
      onSwarms(swarms) {
        for (const { group, root, peers } of swarms) registry.get(group, root)?.addCandidates(peers);
      },
      onSwarmChanged({ group, root, joined, left }) {
        const swarm = registry.get(group, root);
        swarm?.removeCandidates(left);
        swarm?.addCandidates(joined);
      },
      onGroupChanged: (session, group, before) => engine.onGroupChanged(session, group, before),
      onPresenceChanged(session, groups) {
        if (session === trackers.inUse) engine.notify.presence(groups);
      },
      onGroupGone(session, gone) {
        if (session === trackers.inUse) engine.onGroupGone(gone);
      },
      onRevoked(bytes) {
        if (tickets.revoke(bytes)) engine.onRevoked(bytes);
      },
      onDialRequest: ({ peer, group }) => peerConnections.onDialRequest(peer, group),
      onConflicts: (conflicts) => {
        engine
          .onConflicts(conflicts)
          .catch((error: unknown) => log.error('conflict not shown', { why: asShoalError(error).message }));
      },
      onSignedOut(session) {
        if (session === trackers.inUse) engine.onSignedOutElsewhere();
      },
    },
    disk,
    home,
  );
  const renewal = new TicketRenewal(world, identity.pin, tickets, trackers, () => {
    for (const connection of peerConnections.connections) connection.showRenewedTickets();
  });
  const operations = new OperationSender({
    world,
    home,
    identity,
    trackers,
    now: () => tickets.now(),
    onOutboxChanged: () => engine.notify.overview(),
  });

  return {
    downloadLimiter,
    uploadLimiter,
    tickets,
    registry,
    activeUploads,
    peerConnections,
    previews,
    transfers,
    reader,
    trackers,
    renewal,
    operations,
  };
}
