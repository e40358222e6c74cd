// Links to other engines: one per pair, dialled by the side that misses more (only a dialled TLS
// socket receives in place), accepted from anybody who proves a key. Owns the listener and the
// links; what is said on them is peerConnection.ts's business.
import { Connection } from '../../../protocol/wire/connection.ts';
import { asShoalError } from '../../../protocol/base/errors.ts';
import { FrameLink } from '../../../protocol/wire/frame.ts';
import { greet } from '../../../protocol/wire/greeting.ts';
import type { GroupId, Pin } from '../../../protocol/base/ids.ts';
import { isLoopback } from '../../../protocol/messages/realm.ts';
import { ADDRESSES_PER_PEER_MAX, HEARTBEAT_MS } from '../../../protocol/base/limits.ts';
import type { Address } from '../../../protocol/base/fields.ts';
import { peerLink } from '../../../protocol/messages/peerLink.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { ByteStream, Listener, World } from '../../../protocol/base/world.ts';
import { dialAny } from './happyEyeballs.ts';
import type { PeerHost } from './peerConnection.ts';
import { PeerLink } from './peerConnection.ts';
import type { Swarm } from '../swarm/swarm.ts';

/** Links at one time (`trust.md` 3.10). */
const LINKS_MAX = 200;
/** Links that one address may have dialled; this machine itself is exempt. */
const LINKS_PER_HOST_MAX = 16;
/** How long the side that misses less waits to be dialled before it dials itself, in ms. */
const BE_DIALLED_MS = 3_000;
/** How long a link that no swarm uses is kept, in ms. */
const IDLE_MS = 30_000;
/** How long after it was last allowed a peer that nobody dialled is remembered, in ms. */
const FORGET_MS = 10 * 60_000;

interface Attempt {
  firstSeenMs: number;
  failures: number;
  notBeforeMs: number;
  dialling: boolean;
}

export interface PeersHost extends PeerHost {
  readonly world: World;
  readonly device: Pin;
  readonly program: string;
  /** Asks the trackers to have a peer dial us. */
  askDial(pin: Pin, group: GroupId): void;
  linkUp(link: PeerLink): void;
}

/**
 * How long to wait before dialling a peer again, in ms: 1 s, 2 s, 4 s, up to 5 min, each ±20 %.
 * Without the spread, all peers of an engine that restarts would return in the same second.
 *
 * @param failures  in a row, from 1
 */
export function redialDelayMs(failures: number, random: () => number): number {
  return Math.min(5 * 60_000, 1000 * 2 ** (failures - 1)) * (0.8 + 0.4 * random());
}

export class Peers {
  readonly #host: PeersHost;
  readonly #links = new Map<Pin, PeerLink>();
  readonly #attempts = new Map<Pin, Attempt>();
  readonly #idleSince = new Map<PeerLink, number>();
  #listener: Listener | undefined;
  #open = false;

  constructor(host: PeersHost) {
    this.#host = host;
  }

  get links(): readonly PeerLink[] {
    return [...this.#links.values()];
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
        ? [...this.#host.world.network.hosts().slice(0, ADDRESSES_PER_PEER_MAX - 1), '127.0.0.1']
        : [listenHost];
    return hosts.map((host) => ({ host, port }));
  }

  isLinked(pin: Pin): boolean {
    return this.#links.has(pin);
  }

  /** Whether the last try to dial a peer has failed, and it has not dialled us since. */
  isUnreachable(pin: Pin): boolean {
    return !this.isLinked(pin) && (this.#attempts.get(pin)?.failures ?? 0) > 0;
  }

  /**
   * Begins to listen, on a port of choice if it is free and on any otherwise. @throws ShoalError
   * listenFailed
   */
  async start(at: { readonly host?: string; readonly port: number; readonly portIsFirm: boolean }): Promise<void> {
    this.#open = true;
    const where = { port: at.port, ...(at.host !== undefined && { host: at.host }) };
    const accept = (stream: ByteStream): void => void this.#accept(stream);
    const { network } = this.#host.world;
    const listener = await network.listen(where, accept).catch((error: unknown) => {
      if (at.portIsFirm || at.port === 0) throw error;
      return network.listen({ ...where, port: 0 }, accept);
    });
    if (this.#open) this.#listener = listener;
    else await listener.close();
  }

  /** Stops listening and ends every link. */
  async stop(): Promise<void> {
    this.#open = false;
    const listener = this.#listener;
    this.#listener = undefined;
    for (const link of this.#links.values()) link.connection.close();
    this.#links.clear();
    this.#attempts.clear();
    await listener?.close();
  }

  /**
   * The link to a peer; if there is none it may be dialled now, and the swarm's next look finds it.
   */
  reach(peer: SwarmPeer, swarm: Swarm): PeerLink | undefined {
    const link = this.#links.get(peer.pin);
    if (link || !this.#open || peer.pin === this.#host.device) return link;
    const now = this.#host.world.clock.monotonicMs();
    const attempt = this.#attempts.get(peer.pin) ?? { firstSeenMs: now, failures: 0, notBeforeMs: 0, dialling: false };
    this.#attempts.set(peer.pin, attempt);
    const left = swarm.leftBytes;
    const mine = left > peer.leftBytes || (left === peer.leftBytes && this.#host.device < peer.pin);
    if (attempt.dialling || attempt.notBeforeMs > now || this.#links.size >= LINKS_MAX) return undefined;
    if (mine || now - attempt.firstSeenMs > BE_DIALLED_MS) void this.#dial(peer, swarm.key.group, attempt);
    return undefined;
  }

  /** A peer that cannot reach us asks us to dial. */
  dialRequest(peer: SwarmPeer, group: GroupId): void {
    if (!this.#open || this.#links.has(peer.pin) || peer.pin === this.#host.device) return;
    const attempt = this.#attempts.get(peer.pin) ?? {
      firstSeenMs: this.#host.world.clock.monotonicMs(),
      failures: 0,
      notBeforeMs: 0,
      dialling: false,
    };
    this.#attempts.set(peer.pin, attempt);
    if (!attempt.dialling) void this.#dial(peer, group, attempt, true);
  }

  /** Ends links that no swarm uses any more. Called now and then. */
  sweep(): void {
    const now = this.#host.world.clock.monotonicMs();
    for (const [pin, attempt] of this.#attempts) {
      if (!attempt.dialling && attempt.notBeforeMs < now - FORGET_MS) this.#attempts.delete(pin);
    }
    for (const link of this.#links.values()) {
      if (link.swarms.size > 0) {
        this.#idleSince.delete(link);
        continue;
      }
      const since = this.#idleSince.get(link) ?? now;
      this.#idleSince.set(link, since);
      if (now - since > IDLE_MS) link.connection.close();
    }
  }

  async #dial(peer: SwarmPeer, group: GroupId, attempt: Attempt, asked = false): Promise<void> {
    const { clock, chance, log } = this.#host.world;
    attempt.dialling = true;
    try {
      await this.#adopt(await dialAny(this.#host.world, peer.addresses, peer.pin));
      attempt.failures = 0;
    } catch (error) {
      attempt.failures++;
      attempt.notBeforeMs = clock.monotonicMs() + redialDelayMs(attempt.failures, () => chance.random());
      log.debug('a peer could not be dialled', { peer: peer.pin, why: asShoalError(error).message });
      if (!asked) this.#host.askDial(peer.pin, group);
    } finally {
      attempt.dialling = false;
    }
  }

  async #accept(stream: ByteStream): Promise<void> {
    if (this.#isCrowded(stream)) return stream.destroy();
    try {
      await this.#adopt(stream);
    } catch (error) {
      this.#host.world.log.debug('a link was refused', { from: stream.remote.host, why: asShoalError(error).message });
    }
  }

  /** Whether there are as many links as there may be, in all or that were dialled from there. */
  #isCrowded({ dialled, remote: { host } }: ByteStream): boolean {
    if (this.#links.size >= LINKS_MAX) return true;
    return (
      !dialled &&
      !isLoopback(host) &&
      this.links.filter((link) => link.host === host && !link.dialled).length >= LINKS_PER_HOST_MAX
    );
  }

  async #adopt(stream: ByteStream): Promise<void> {
    const { clock, chance, log } = this.#host.world;
    const { pin } = stream;
    if (pin === undefined || pin === this.#host.device || this.#isCrowded(stream)) return stream.destroy();
    const frames = new FrameLink(stream);
    await greet(frames, { role: 'peer', accepts: ['peer'], program: this.#host.program, clock, chance });
    const old = this.#links.get(pin);
    // Many may have greeted at the same moment.
    if (!this.#open || (old ? !this.#replaces(old, stream, pin) : this.#isCrowded(stream))) return stream.destroy();
    const link = new PeerLink(pin, stream, this.#host);
    this.#links.set(pin, link);
    old?.connection.close();
    const connection = new Connection(frames, {
      table: peerLink,
      side: 'peer',
      handlers: link.handlers,
      heartbeatMs: HEARTBEAT_MS.peer,
      clock,
      log,
      opened: (opened) => (link.connection = opened),
    });
    void connection.whenEnded.then(() => {
      if (this.#links.get(pin) === link) this.#links.delete(pin);
      this.#idleSince.delete(link);
      for (const swarm of link.swarms) swarm.left(link);
      link.swarms.clear();
    });
    this.#host.linkUp(link);
  }

  /**
   * Whether a second link to the same engine takes the place of the first. Dialled by the same side
   * again, the first must be dead; when both sides dialled at once, both keep the one that the
   * smaller pin dialled.
   */
  #replaces(old: PeerLink, stream: ByteStream, pin: Pin): boolean {
    if (old.dialled === stream.dialled) return true;
    return stream.dialled === this.#host.device < pin;
  }
}
