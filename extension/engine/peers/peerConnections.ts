// Links to other engines: one per pair, dialled by the side that misses more (only a dialled TLS
// socket receives in place), accepted from anybody who proves a key. Owns the listener and the
// links; what is said on them is peerConnection.ts's business.
import type { Backoff } from '../../../protocol/async/backoff.ts';
import { backoffMs } from '../../../protocol/async/backoff.ts';
import { asShoalError } from '../../../protocol/base/errors.ts';
import { openLink } from '../../../protocol/wire/openConnection.ts';
import type { GroupId, Pin } from '../../../protocol/base/ids.ts';
import { isLoopback } from '../../../protocol/base/address.ts';
import { ADDRESSES_PER_PEER_MAX, HEARTBEAT_MS } from '../../../protocol/base/limits.ts';
import type { Address } from '../../../protocol/base/fields.ts';
import { peerLink } from '../../../protocol/messages/peerLink.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { ByteStream, Listener, World } from '../../../protocol/base/world.ts';
import { dialFastest } from './happyEyeballs.ts';
import type { PeerContext, PeerSwarm } from './peerConnection.ts';
import { PeerConnection } from './peerConnection.ts';

/** Links at one time. */
const CONNECTIONS_MAX = 200;
/** Links that one address may have dialled; this machine itself is exempt. */
const CONNECTIONS_PER_HOST_MAX = 16;
/** How long the side that misses less waits to be dialled before it dials itself, in ms. */
const BE_DIALLED_MS = 3_000;
/** How long a link that no swarm uses is kept, in ms. */
const IDLE_MS = 30_000;
/** How long after it was last allowed a peer that nobody dialled is remembered, in ms. */
const FORGET_ATTEMPT_MS = 10 * 60_000;

/**
 * Delay before a peer is dialled again: 1 s, 2 s, 4 s, up to 5 min, each ±20 %. Without jitter, all
 * peers of an engine that restarts would return in the same second.
 */
const REDIAL: Backoff = { firstMs: 1_000, maxMs: 5 * 60_000, factor: 2, jitterMin: 0.8, jitterMax: 1.2 };

interface Attempt {
  firstSeenMs: number;
  failures: number;
  notBeforeMs: number;
  dialling: boolean;
}

export interface PeerConnectionsContext extends PeerContext {
  readonly world: World;
  readonly device: Pin;
  readonly program: string;
  /** Asks the trackers to have a peer dial us. */
  askDial(pin: Pin, group: GroupId): void;
  /** A link to a peer was opened. */
  onConnected(): void;
}

export class PeerConnections {
  readonly #context: PeerConnectionsContext;
  readonly #connections = new Map<Pin, PeerConnection>();
  readonly #attempts = new Map<Pin, Attempt>();
  readonly #idleSinceMs = new Map<PeerConnection, number>();
  #listener: Listener | undefined;
  #isOpen = false;

  constructor(context: PeerConnectionsContext) {
    this.#context = context;
  }

  get connections(): readonly PeerConnection[] {
    return [...this.#connections.values()];
  }
  /** The port we listen on; 0 while we do not. */
  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /**
   * Where others may reach us: this machine's addresses, or the one to listen on, with our port.
   * Loopback last: trackers give it only to their own machine.
   */
  addresses(listenHost: string | undefined): readonly Address[] {
    const { port } = this;
    if (port === 0) return [];
    const hosts =
      listenHost === undefined
        ? [...this.#context.world.network.hosts().slice(0, ADDRESSES_PER_PEER_MAX - 1), '127.0.0.1']
        : [listenHost];
    return hosts.map((host) => ({ host, port }));
  }

  isConnected(pin: Pin): boolean {
    return this.#connections.has(pin);
  }

  /** Whether the last try to dial a peer has failed, and it has not dialled us since. */
  isUnreachable(pin: Pin): boolean {
    return !this.isConnected(pin) && (this.#attempts.get(pin)?.failures ?? 0) > 0;
  }

  /**
   * Begins to listen, on a port of choice if it is free and on any otherwise. @throws ShoalError
   * listenFailed
   */
  async start(at: { readonly host?: string; readonly port: number; readonly portIsFirm: boolean }): Promise<void> {
    this.#isOpen = true;
    const where = { port: at.port, ...(at.host !== undefined && { host: at.host }) };
    const accept = (stream: ByteStream): void => void this.#accept(stream);
    const { network } = this.#context.world;
    const listener = await network.listen(where, accept).catch((error: unknown) => {
      if (at.portIsFirm || at.port === 0) throw error;
      return network.listen({ ...where, port: 0 }, accept);
    });
    if (this.#isOpen) this.#listener = listener;
    else await listener.close();
  }

  /** Stops listening and ends every link. */
  async stop(): Promise<void> {
    this.#isOpen = false;
    const listener = this.#listener;
    this.#listener = undefined;
    for (const connection of this.#connections.values()) connection.rpc.close();
    this.#connections.clear();
    this.#attempts.clear();
    await listener?.close();
  }

  /**
   * The link to a peer; if there is none it may be dialled now, and the swarm's next look finds it.
   */
  connectTo(peer: SwarmPeer, swarm: PeerSwarm): PeerConnection | undefined {
    const connection = this.#connections.get(peer.pin);
    if (connection || !this.#isOpen || peer.pin === this.#context.device) return connection;
    const now = this.#context.world.clock.monotonicMs();
    const attempt = this.#attempts.get(peer.pin) ?? { firstSeenMs: now, failures: 0, notBeforeMs: 0, dialling: false };
    this.#attempts.set(peer.pin, attempt);
    const left = swarm.leftBytes;
    const mine = left > peer.leftBytes || (left === peer.leftBytes && this.#context.device < peer.pin);
    if (attempt.dialling || attempt.notBeforeMs > now || this.#connections.size >= CONNECTIONS_MAX) return undefined;
    if (mine || now - attempt.firstSeenMs > BE_DIALLED_MS) void this.#dial(peer, swarm.key.group, attempt);
    return undefined;
  }

  /** A peer that cannot reach us asks us to dial. */
  onDialRequest(peer: SwarmPeer, group: GroupId): void {
    if (!this.#isOpen || this.#connections.has(peer.pin) || peer.pin === this.#context.device) return;
    const attempt = this.#attempts.get(peer.pin) ?? {
      firstSeenMs: this.#context.world.clock.monotonicMs(),
      failures: 0,
      notBeforeMs: 0,
      dialling: false,
    };
    this.#attempts.set(peer.pin, attempt);
    if (!attempt.dialling) void this.#dial(peer, group, attempt, true);
  }

  /** Ends links that no swarm uses any more. Called now and then. */
  sweep(): void {
    const now = this.#context.world.clock.monotonicMs();
    for (const [pin, attempt] of this.#attempts) {
      if (!attempt.dialling && attempt.notBeforeMs < now - FORGET_ATTEMPT_MS) this.#attempts.delete(pin);
    }
    for (const connection of this.#connections.values()) {
      if (connection.swarms.size > 0) {
        this.#idleSinceMs.delete(connection);
        continue;
      }
      const since = this.#idleSinceMs.get(connection) ?? now;
      this.#idleSinceMs.set(connection, since);
      if (now - since > IDLE_MS) connection.rpc.close();
    }
  }

  async #dial(peer: SwarmPeer, group: GroupId, attempt: Attempt, asked = false): Promise<void> {
    const { clock, chance, log } = this.#context.world;
    attempt.dialling = true;
    try {
      await this.#adopt(await dialFastest(this.#context.world, peer.addresses, peer.pin));
      attempt.failures = 0;
    } catch (error) {
      attempt.failures++;
      attempt.notBeforeMs = clock.monotonicMs() + backoffMs(REDIAL, attempt.failures, () => chance.random());
      log.debug('a peer could not be dialled', { peer: peer.pin, why: asShoalError(error).message });
      if (!asked) this.#context.askDial(peer.pin, group);
    } finally {
      attempt.dialling = false;
    }
  }

  async #accept(stream: ByteStream): Promise<void> {
    if (this.#isFull(stream)) return stream.destroy();
    try {
      await this.#adopt(stream);
    } catch (error) {
      this.#context.world.log.debug('a link was refused', {
        from: stream.remote.host,
        why: asShoalError(error).message,
      });
    }
  }

  /** Whether there are as many links as there may be, in all or that were dialled from there. */
  #isFull({ dialled, remote: { host } }: ByteStream): boolean {
    if (this.#connections.size >= CONNECTIONS_MAX) return true;
    return (
      !dialled &&
      !isLoopback(host) &&
      this.connections.filter((connection) => connection.host === host && !connection.dialled).length >=
        CONNECTIONS_PER_HOST_MAX
    );
  }

  async #adopt(stream: ByteStream): Promise<void> {
    const { world, program } = this.#context;
    const { pin } = stream;
    if (pin === undefined || pin === this.#context.device || this.#isFull(stream)) return stream.destroy();
    const link = await openLink(stream, { world, role: 'peer', accepts: ['peer'], program });
    const old = this.#connections.get(pin);
    // Many may have greeted at the same moment.
    if (!this.#isOpen || (old ? !this.#shouldReplace(old, stream, pin) : this.#isFull(stream))) return stream.destroy();
    const peer = new PeerConnection(pin, stream, this.#context);
    this.#connections.set(pin, peer);
    old?.rpc.close();
    const connection = link.connect({
      table: peerLink,
      side: 'peer',
      handlers: peer.handlers,
      heartbeatMs: HEARTBEAT_MS.peer,
      onOpen: (opened) => (peer.rpc = opened),
    });
    void connection.whenEnded.then(() => {
      if (this.#connections.get(pin) === peer) this.#connections.delete(pin);
      this.#idleSinceMs.delete(peer);
      for (const swarm of peer.swarms) swarm.onLeft(peer);
      peer.swarms.clear();
    });
    this.#context.onConnected();
  }

  /**
   * Whether a second link to the same engine takes the place of the first. Dialled by the same side
   * again, the first must be dead; when both sides dialled at once, both keep the one that the
   * smaller pin dialled.
   */
  #shouldReplace(old: PeerConnection, stream: ByteStream, pin: Pin): boolean {
    if (old.dialled === stream.dialled) return true;
    return stream.dialled === this.#context.device < pin;
  }
}
