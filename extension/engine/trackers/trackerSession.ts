// The link to one tracker, kept up as long as the engine wants it: dials, checks whose realm it is,
// says who we are and what we have, and comes back after every failure. trackerClient.ts holds one
// for each tracker of the pair.
import type { Backoff } from '../../../protocol/async/backoff.ts';
import { backoffMs } from '../../../protocol/async/backoff.ts';
import type { Connection } from '../../../protocol/wire/connection.ts';
import type { CallOptions } from '../../../protocol/wire/outgoingCalls.ts';
import type { TrackerState } from '../../../protocol/messages/engineLink.ts';
import { Throttler } from '../../../protocol/async/throttler.ts';
import { asShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import { openLink } from '../../../protocol/wire/openConnection.ts';
import type { GroupId, Pin, SwarmKey } from '../../../protocol/base/ids.ts';
import { swarmKeyText } from '../../../protocol/base/ids.ts';
import { GROUPS_PER_ACCOUNT_MAX, HEARTBEAT_MS, SWARMS_PER_ANNOUNCE_MAX } from '../../../protocol/base/limits.ts';
import type { Address } from '../../../protocol/base/fields.ts';
import type { SignedDescriptor } from '../../../protocol/messages/realm.ts';
import { addressText } from '../../../protocol/base/address.ts';
import type { BodyOf, CallsOf, HandlersOf, ReplyOf } from '../../../protocol/wire/table.ts';
import { trackerLink } from '../../../protocol/messages/trackerLink.ts';
import type { GroupView } from '../../../protocol/messages/trackerLink.ts';
import { toWire } from '../../../protocol/wire/wireErrors.ts';
import type { Timer, World } from '../../../protocol/base/world.ts';

/** How long a dial may take, in ms. */
const DIAL_MS = 5_000;
/**
 * Changes of what we have that come sooner after the last announce are announced together, in ms;
 * one after a rest waits just for what changes with it.
 */
const ANNOUNCE_MS = 50;
const ANNOUNCE_MS_MIN = 2;
const RETRY: Backoff = { firstMs: 250, maxMs: 5_000, factor: 2, jitterMin: 0.1, jitterMax: 1 };
/** After so many failures in a row, tries become rare. */
const RARE_AFTER = 60;
const RARE_RETRY: Backoff = { ...RETRY, firstMs: 60_000, maxMs: 60_000 };

export type SessionReply = ReplyOf<typeof trackerLink, 'session'>;
export type AnnouncedSwarms = ReplyOf<typeof trackerLink, 'announce'>['swarms'];
type Body<K extends string> = BodyOf<typeof trackerLink, K>;

export type GroupGone = Body<'groupGone'>;

export interface TrackerSessionContext {
  readonly world: World;
  readonly program: string;
  /** The pin this tracker must prove; undefined at first contact, when the descriptor tells. */
  expectedPin(address: Address): Pin | undefined;
  /**
   * Checks a descriptor the tracker showed, and that the tracker is one of those it lists. @throws
   * ShoalError wrongRealm, badDescriptor, pinMismatch
   */
  checkRealm(signed: SignedDescriptor, pin: Pin | undefined, address: Address): Promise<void>;
  /** Where we listen, or nothing. */
  listening(): readonly Address[];
  /** Everything we have, by swarm: bytes left. */
  presence(): ReadonlyMap<string, { readonly key: SwarmKey; readonly leftBytes: number }>;
  onChange(session: TrackerSession): void;
  onSession(session: TrackerSession, reply: SessionReply): void;
  onSwarms(swarms: AnnouncedSwarms): void;
  onSwarmChanged(change: Body<'swarmChanged'>): void;
  onGroupChanged(session: TrackerSession, group: GroupView, before: GroupView | undefined): void;
  onPresenceChanged(session: TrackerSession, groups: Body<'presenceChanged'>['groups']): void;
  onGroupGone(session: TrackerSession, gone: GroupGone): void;
  onRevoked(revocation: Uint8Array): void;
  onDialRequest(request: Body<'dialRequest'>): void;
  onConflicts(conflicts: Body<'conflicted'>['conflicts']): void;
  onSignedOut(session: TrackerSession): void;
}

/**
 * Delay before the next try, in ms: up to 250 ms, 500 ms, 1 s … 5 s, after many failures up to a
 * minute; each at random between a tenth of that and all of it.
 *
 * @param failures  in a row before the latest one, from 0
 */
const retryDelayMs = (failures: number, random: () => number): number =>
  backoffMs(failures > RARE_AFTER ? RARE_RETRY : RETRY, failures + 1, random);

export class TrackerSession {
  readonly address: Address;
  /** Groups as this tracker last told them. */
  readonly groups = new Map<GroupId, GroupView>();
  account: SessionReply['account'];
  /** What this tracker says of the pair. */
  pair: SessionReply['pair'] = 'alone';
  state: TrackerState['link'] = 'connecting';
  error: ShoalError | undefined;
  readonly #context: TrackerSessionContext;
  #connection: Connection<typeof trackerLink, 'engine'> | undefined;
  readonly #announced = new Map<string, { readonly key: SwarmKey; readonly leftBytes: number }>();
  readonly #announceThrottler: Throttler;
  #retryTimer: Timer | undefined;
  #failures = 0;
  #stopped = false;
  #hasWarnedTooManyGroups = false;

  constructor(address: Address, context: TrackerSessionContext) {
    this.address = address;
    this.#context = context;
    const pace = { restMs: ANNOUNCE_MS, delayMs: ANNOUNCE_MS_MIN };
    this.#announceThrottler = new Throttler(context.world.clock, pace, () => void this.#announce());
    void this.#connect();
  }

  get isUp(): boolean {
    return this.state === 'up';
  }

  toState(inUse: boolean): TrackerState {
    return {
      address: this.address,
      link: this.state,
      inUse,
      error: this.error && toWire(this.error),
      pair: this.isUp ? this.pair : 'unknown',
    };
  }

  /** @throws ShoalError what the tracker answers, or linkClosed while there is no link */
  call<K extends CallsOf<typeof trackerLink, 'engine'>>(
    name: K,
    body: BodyOf<typeof trackerLink, K>,
    options?: CallOptions,
  ): Promise<ReplyOf<typeof trackerLink, K>> {
    if (!this.#connection) return Promise.reject(this.error ?? new ShoalError('linkClosed'));
    return this.#connection.call(name, body, options);
  }

  /** Asks anew who we are here: after signing in or out. */
  async refresh(): Promise<void> {
    const reply = await this.call('session', {});
    this.account = reply.account;
    this.pair = reply.pair;
    this.groups.clear();
    for (const group of reply.groups) this.groups.set(group.group, group);
    this.#announced.clear();
    if (reply.account) {
      await this.call('listening', { addresses: this.#context.listening() });
      this.announceSoon();
    }
    this.#context.onSession(this, reply);
  }

  /** What we have has changed: the difference is announced shortly. */
  announceSoon(): void {
    if (!this.account || (!this.isUp && this.state !== 'connecting')) return;
    this.#announceThrottler.request();
  }

  /** Tries again now if it was waiting. */
  retryNow(): void {
    if (!this.#retryTimer) return;
    this.#retryTimer.cancel();
    this.#retryTimer = undefined;
    void this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#retryTimer?.cancel();
    this.#announceThrottler.cancel();
    this.#connection?.close();
    this.#connection = undefined;
    this.state = 'down';
  }

  async #connect(): Promise<void> {
    const { world, program } = this.#context;
    try {
      const expect = this.#context.expectedPin(this.address);
      const stream = await world.network.dial(this.address, { timeoutMs: DIAL_MS, ...(expect && { expect }) });
      if (this.#stopped) return stream.destroy();
      const link = await openLink(stream, { world, role: 'engine', accepts: ['tracker'], program });
      if (this.#stopped) return stream.destroy();
      const connection = link.connect({
        table: trackerLink,
        side: 'engine',
        handlers: this.#handlers,
        heartbeatMs: HEARTBEAT_MS.tracker,
      });
      this.#connection = connection;
      void connection.whenEnded.then(({ error }) => this.#onDown(connection, error));
      // Before anything of ours is said: is this who we were told it is?
      const { descriptor, signature } = await connection.call('descriptor', {});
      if (this.#stopped) return; // other trackers are used by now: what this one says is nobody's business
      await this.#context.checkRealm({ descriptor, signature }, stream.pin, this.address);
      await this.refresh();
      if (this.#stopped || !connection.isOpen) return;
      this.state = 'up';
      this.error = undefined;
      this.#failures = 0;
      this.announceSoon();
      world.log.info('a tracker is reached', { tracker: addressText(this.address) });
      this.#context.onChange(this);
    } catch (error) {
      const why = asShoalError(error);
      if (this.#connection) this.#connection.destroy(why);
      else this.#onDown(undefined, why);
    }
  }

  #onDown(connection: Connection<typeof trackerLink, 'engine'> | undefined, error: ShoalError | undefined): void {
    if (this.#stopped || connection !== this.#connection) return;
    this.#connection = undefined;
    this.#announced.clear();
    this.#announceThrottler.cancel();
    const refused =
      error?.code === 'wrongRealm' ||
      error?.code === 'badDescriptor' ||
      error?.code === 'pinMismatch' ||
      error?.code === 'versionMismatch';
    this.state = refused ? 'refused' : 'down';
    this.error = error;
    const { clock, chance, log } = this.#context.world;
    log.info('a tracker is not reached', { tracker: addressText(this.address), why: error?.message });
    const delayMs = retryDelayMs(refused ? RARE_AFTER + 1 : this.#failures++, () => chance.random());
    this.#retryTimer = clock.after(delayMs, () => {
      this.#retryTimer = undefined;
      void this.#connect();
    });
    this.#context.onChange(this);
  }

  async #announce(): Promise<void> {
    const presence = this.#context.presence();
    const deltas: { group: GroupId; root: SwarmKey['root']; leftBytes: number; event: 'update' | 'stopped' }[] = [];
    for (const [text, { key, leftBytes }] of presence) {
      if (this.#announced.get(text)?.leftBytes !== leftBytes) deltas.push({ ...key, leftBytes, event: 'update' });
    }
    for (const [text, { key }] of this.#announced) {
      if (!presence.has(text)) deltas.push({ ...key, leftBytes: 0, event: 'stopped' });
    }
    for (let n = 0; n < deltas.length; n += SWARMS_PER_ANNOUNCE_MAX) {
      const swarms = deltas.slice(n, n + SWARMS_PER_ANNOUNCE_MAX);
      try {
        const reply = await this.call('announce', { swarms });
        for (const { group, root, leftBytes, event } of swarms) {
          const text = swarmKeyText({ group, root });
          if (event === 'stopped') this.#announced.delete(text);
          else this.#announced.set(text, { key: { group, root }, leftBytes });
        }
        this.#context.onSwarms(reply.swarms);
      } catch (error) {
        // The link is gone, or we are not a member yet: announced again when either changes.
        this.#context.world.log.debug('an announce failed', { why: asShoalError(error).message });
        return;
      }
    }
  }

  /**
   * No account is in so many; and with one more, no frontend could be told of any (engineLink's
   * `overview`).
   */
  #warnTooManyGroups(): void {
    if (this.#hasWarnedTooManyGroups) return;
    this.#hasWarnedTooManyGroups = true;
    this.#context.world.log.warn('a tracker tells of too many groups', {
      tracker: addressText(this.address),
      max: GROUPS_PER_ACCOUNT_MAX,
    });
  }

  readonly #handlers: HandlersOf<typeof trackerLink, 'engine'> = {
    groupChanged: (group) => {
      const before = this.groups.get(group.group);
      if (!before && this.groups.size >= GROUPS_PER_ACCOUNT_MAX) return this.#warnTooManyGroups();
      this.groups.set(group.group, group);
      this.#context.onGroupChanged(this, group, before);
    },
    presenceChanged: ({ groups }) => this.#context.onPresenceChanged(this, groups),
    groupGone: (gone) => {
      this.groups.delete(gone.group);
      this.#context.onGroupGone(this, gone);
    },
    swarmChanged: (change) => this.#context.onSwarmChanged(change),
    revoked: ({ revocation }) => this.#context.onRevoked(revocation),
    dialRequest: (request) => this.#context.onDialRequest(request),
    conflicted: ({ conflicts }) => this.#context.onConflicts(conflicts),
    pairChanged: ({ pair }) => {
      this.pair = pair;
      this.#context.onChange(this);
    },
    signedOut: () => {
      this.account = undefined;
      this.groups.clear();
      this.#context.onSignedOut(this);
    },
  };
}
