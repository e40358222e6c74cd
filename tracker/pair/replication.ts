// One link to the partner, from its greeting to its end: each side tells what it has of every
// origin and sends what the other lacks, in order, in batches, then whatever comes new; with it
// what it promises not to stamp any more. Knows how far the partner's disk has come, which is what
// an answer waits for.
import { Throttler } from '../../protocol/async/throttler.ts';
import type { Connection } from '../../protocol/wire/connection.ts';
import { asShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { GreetedLink } from '../../protocol/wire/openConnection.ts';
import type { Origin, Pin } from '../../protocol/base/ids.ts';
import {
  CLOCKS_APART_MS_ALARM,
  CLOCKS_APART_MS_MAX,
  CLOCKS_APART_MS_WARN,
  HEARTBEAT_MS,
  OPERATIONS_PER_FRAME_BYTES_MAX,
  OPERATIONS_PER_FRAME_MAX,
  PARTNER_ACK_MS_MAX,
} from '../../protocol/base/limits.ts';
import { partnerLink } from '../../protocol/messages/partnerLink.ts';
import type { SignedDescriptor } from '../../protocol/messages/realm.ts';
import type { BodyOf, ReplyOf } from '../../protocol/wire/table.ts';
import type { Timer, World } from '../../protocol/base/world.ts';
import { FOLD_VERSION } from '../fold/fold.ts';
import type { Moment } from '../log/hybridClock.ts';
import { isLater } from '../log/hybridClock.ts';
import type { Ledger } from '../log/ledger.ts';
import type { Snapshot } from '../log/opLog.ts';

/** How long the partner may take to write a batch, in ms: a disk that is busy is not dead. */
const APPEND_MS = 30_000;
/**
 * How long promises wait for operations to travel with, and how often clocks are compared when
 * nothing else is said, in ms.
 */
const PROMISE_MS = 100;
const ANNOUNCE_MS = 10_000;

type PairStatus = ReplyOf<typeof partnerLink, 'compare'>;

export interface ReplicationOptions {
  readonly world: World;
  readonly realm: Pin;
  readonly link: GreetedLink;
  readonly ledger: Ledger;
  /** The list of trackers that we know. */
  readonly list: () => SignedDescriptor;
  /** Checks the other side, which knows this list. @throws ShoalError when it is not our partner */
  readonly checkListed: (theirs: SignedDescriptor | undefined) => Promise<void>;
  /** The two have compared what they have, or more has come. */
  readonly onProgress: () => void;
  /** The partner's operations that we lack are only in its snapshot. */
  readonly onSnapshotNeeded: (replication: Replication) => void;
}

interface Waiting {
  readonly origin: Origin;
  readonly seq: number;
  readonly settle: (both: boolean) => void;
}

export class Replication {
  readonly connection: Connection<typeof partnerLink, 'tracker'>;
  /** By how much the partner's clock is ahead of ours, in ms. */
  clockOffsetMs = 0;
  isSkewed = false;
  /** The latest rules of the fold that the partner knows. */
  theirFoldVersion = 0;
  readonly #options: ReplicationOptions;
  /** What the partner has on its disk, and up to where only its snapshot has it. */
  readonly #theirs = new Map<Origin, number>();
  #compared = false;
  /** Whether it has shown that it is our partner. */
  #isListed = false;
  #sending = false;
  /** The snapshot that the partner knows of. */
  #sentSnapshot: Snapshot | undefined;
  /**
   * Of ours, what the partner has heard, and what it was last told that we have heard of its own.
   */
  #heardByThem: Moment | undefined;
  #sentHeard: Moment | undefined;
  #sentPromise: Moment | undefined;
  #theirPromise: Moment | undefined;
  readonly #promiseThrottler: Throttler;
  #announceTimer: Timer | undefined;
  #loggedPhrase = '';
  readonly #waiting = new Set<Waiting>();

  constructor(options: ReplicationOptions) {
    this.#options = options;
    const { link, ledger, world } = options;
    this.#promiseThrottler = new Throttler(world.clock, { restMs: 0, delayMs: PROMISE_MS }, () => this.#sendPromise());
    this.connection = link.connect({
      table: partnerLink,
      side: 'tracker',
      heartbeatMs: HEARTBEAT_MS.partner,
      handlers: {
        compare: async (theirs) => {
          if (theirs.realm !== options.realm) {
            throw new ShoalError('wrongRealm', {
              address: 'the partner',
              ours: theirs.realm.slice(0, 8),
              theirs: options.realm.slice(0, 8),
            });
          }
          await options.checkListed(theirs.list);
          this.#isListed = true;
          this.#checkFits(theirs);
          this.#learnHave(theirs.have);
          return this.#status();
        },
        append: async ({ entries, ...theirs }) => {
          this.#checkListed('append');
          this.#learnHave(await ledger.merge(entries));
          options.onProgress();
          this.#onPromises(theirs);
          const promises = this.#promises(this.lag === 0);
          this.#promiseSoon();
          return { have: this.#vector(), ...promises };
        },
        snapshot: ({ n }) => {
          this.#checkListed('snapshot');
          const { snapshot } = ledger.log;
          if (!snapshot) throw new ShoalError('unavailable', { why: 'it has no snapshot' });
          const heads = [...snapshot.heads].map(([origin, head]) => ({ origin, ...head }));
          return { ...snapshot, heads, chunk: ledger.log.snapshotChunk(n) };
        },
      },
    });
    void this.connection.whenEnded.then(() => {
      this.#promiseThrottler.cancel();
      this.#announceTimer?.cancel();
      for (const waiting of [...this.#waiting]) waiting.settle(false);
    });
  }

  /** Whether each knows what the other has. */
  get isCompared(): boolean {
    return this.#compared;
  }
  /** Operations here that the partner has not confirmed. */
  get lag(): number {
    let lag = 0;
    for (const [origin, seq] of this.#options.ledger.durable) lag += Math.max(0, seq - (this.#theirs.get(origin) ?? 0));
    return lag;
  }
  /** Whether everything that the partner said it has is here. */
  get hasTheirs(): boolean {
    const { durable } = this.#options.ledger;
    return this.#compared && ![...this.#theirs].some(([origin, seq]) => (durable.get(origin) ?? 0) < seq);
  }

  has(origin: Origin, seq: number): boolean {
    return (this.#theirs.get(origin) ?? 0) >= seq;
  }

  /** Whether the partner has an entry; false when the link ends or it takes too long. */
  whenOnBoth(origin: Origin, seq: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        origin,
        seq,
        settle: (both) => {
          timer.cancel();
          this.#waiting.delete(waiting);
          resolve(both);
        },
      };
      const timer = this.#options.world.clock.after(PARTNER_ACK_MS_MAX, () => waiting.settle(false));
      this.#waiting.add(waiting);
    });
  }

  /**
   * Exchanges what each has, and begins to send. @throws ShoalError why the two do not fit; then
   * the link must end
   */
  async compare(): Promise<PairStatus> {
    const { realm, ledger, world, checkListed } = this.#options;
    const theirs = await this.connection.call('compare', { realm, ...this.#status() });
    await checkListed(theirs.list);
    this.#isListed = true;
    this.#checkFits(theirs);
    this.#learnHave(theirs.have);
    const { log, durable } = ledger;
    // Our own last entries are known there and not here: this log was restored from an older copy
    // and must not give their numbers again.
    if ((this.#theirs.get(log.origin) ?? 0) > (durable.get(log.origin) ?? 0)) {
      log.renewOrigin();
      world.log.warn('log has lost its end, continues under a new origin', { origin: log.origin });
    }
    this.#compared = true;
    this.#options.onProgress();
    if (theirs.horizon.some(({ origin, seq }) => (durable.get(origin) ?? 0) < seq)) {
      this.#options.onSnapshotNeeded(this);
    }
    void this.send();
    this.#announce();
    return theirs;
  }

  /**
   * Sends batch after batch until the partner has everything. Never rejects: what goes wrong ends
   * the link.
   */
  async send(): Promise<void> {
    if (this.#sending || !this.#compared || !this.connection.isOpen) return;
    if (this.#lacksSnapshot) {
      // It asks for that, and links anew; unless we have made it since the two compared, and it
      // does not know.
      if (this.#options.ledger.log.snapshot !== this.#sentSnapshot) this.connection.close();
      return;
    }
    this.#sending = true;
    try {
      for (let batch = this.#nextBatch(); batch.entries.length > 0 || this.#owesPromise; batch = this.#nextBatch()) {
        const promises = this.#promises(batch.isLast);
        const { have, ...theirs } = await this.connection.call(
          'append',
          { entries: batch.entries, ...promises },
          { deadlineMs: APPEND_MS },
        );
        this.#learnHave(have);
        this.#onPromises(theirs);
        this.#promiseSoon();
        for (const waiting of [...this.#waiting]) if (this.has(waiting.origin, waiting.seq)) waiting.settle(true);
        this.#options.onProgress();
      }
    } catch (error) {
      this.#options.world.log.warn('sending operations to the partner failed', { why: asShoalError(error).message });
      this.connection.destroy(asShoalError(error));
    } finally {
      this.#sending = false;
    }
  }

  /** Whether what the partner lacks is only in our snapshot. */
  get #lacksSnapshot(): boolean {
    return [...(this.#options.ledger.log.snapshot?.heads ?? [])].some(
      ([origin, { seq }]) => (this.#theirs.get(origin) ?? 0) < seq,
    );
  }

  /**
   * Two that fold by other rules would not come to the same, and two whose clocks disagree would
   * refuse each other's tickets.
   */
  #checkFits({ foldVersion, inEffect, nowMs }: PairStatus): void {
    this.theirFoldVersion = foldVersion;
    if (inEffect > FOLD_VERSION) {
      throw new ShoalError('unavailable', {
        why: `the other tracker has newer rules (${inEffect}, here ${FOLD_VERSION}); update this one`,
      });
    }
    this.#compareClocks(nowMs);
  }

  /** @throws ShoalError clocksApart */
  #compareClocks(nowMs: number): void {
    const { clock, log } = this.#options.world;
    this.clockOffsetMs = nowMs - clock.now();
    const apartMs = Math.abs(this.clockOffsetMs);
    this.isSkewed = apartMs > CLOCKS_APART_MS_MAX;
    if (this.isSkewed) throw new ShoalError('clocksApart', { seconds: Math.round(apartMs / 1000) });
    const phrase =
      apartMs > CLOCKS_APART_MS_ALARM
        ? 'clocks of the pair are far apart'
        : apartMs > CLOCKS_APART_MS_WARN
          ? 'clocks of the pair are apart'
          : '';
    if (phrase !== '' && phrase !== this.#loggedPhrase) log.warn(phrase, { ms: Math.round(apartMs) });
    this.#loggedPhrase = phrase;
  }

  /**
   * @param all  whether the partner has, with this message, everything that is on our disk: only
   *   then a promise is true
   */
  #promises(all: boolean): { nowMs: number; promise: Moment | undefined; heard: Moment | undefined } {
    const promise = all ? this.#options.ledger.promise : undefined;
    this.#owesPromise = false;
    this.#sentHeard = this.#theirPromise;
    this.#sentPromise = promise ?? this.#sentPromise;
    return { nowMs: this.#options.world.clock.now(), promise, heard: this.#theirPromise };
  }

  #onPromises({ nowMs, promise, heard }: Omit<BodyOf<typeof partnerLink, 'append'>, 'entries'>): void {
    if (nowMs > 0) this.#compareClocks(nowMs);
    if (promise) this.#theirPromise = promise;
    if (heard) this.#heardByThem = heard;
    const [one, two] = [this.#heardByThem, this.#theirPromise];
    if (one && two) this.#options.ledger.advance(isLater(two, one) ? one : two);
  }

  /**
   * It has promised, and does not know that we know; or we could promise more than we have.
   * Operations may take that along.
   */
  #promiseSoon(): void {
    const owes = !same(this.#theirPromise, this.#sentHeard) || !same(this.#options.ledger.promise, this.#sentPromise);
    if (owes) this.#promiseThrottler.request();
  }

  #owesPromise = false;
  #sendPromise(): void {
    this.#owesPromise = true;
    void this.send();
  }

  #announce(): void {
    this.#announceTimer = this.#options.world.clock.after(ANNOUNCE_MS, () => {
      if (!this.connection.isOpen) return;
      this.#sendPromise();
      this.#announce();
    });
  }

  /** Entries that the partner lacks, and whether it has everything with them. */
  #nextBatch(): { readonly entries: readonly Uint8Array[]; readonly isLast: boolean } {
    const { log, durable } = this.#options.ledger;
    const entries: Uint8Array[] = [];
    let bytes = 0;
    for (const [origin, seq] of durable) {
      const from = (this.#theirs.get(origin) ?? 0) + 1;
      if (from > seq) continue;
      const room = OPERATIONS_PER_FRAME_MAX - entries.length;
      if (room === 0) return { entries, isLast: false };
      const some = log.entries(origin, from, Math.min(room, seq - from + 1));
      for (const entry of some) {
        bytes += entry.bytes.length;
        if (bytes > OPERATIONS_PER_FRAME_BYTES_MAX && entries.length > 0) return { entries, isLast: false };
        entries.push(entry.bytes);
      }
      if (from + some.length <= seq) return { entries, isLast: false };
    }
    return { entries, isLast: true };
  }

  #learnHave(have: Iterable<{ readonly origin: Origin; readonly seq: number }>): void {
    for (const { origin, seq } of have) if (!this.has(origin, seq)) this.#theirs.set(origin, seq);
  }

  #checkListed(type: string): void {
    if (!this.#isListed) throw new ShoalError('badMessage', { type, why: 'it has not shown that it is the partner' });
  }

  #status(): PairStatus {
    const { ledger, world, list } = this.#options;
    this.#sentSnapshot = ledger.log.snapshot;
    const horizon = [...(ledger.log.snapshot?.heads ?? [])].map(([origin, { seq }]) => ({ origin, seq }));
    return {
      foldVersion: FOLD_VERSION,
      inEffect: ledger.state.foldVersion,
      have: this.#vector(),
      horizon,
      nowMs: world.clock.now(),
      list: list(),
    };
  }

  #vector(): { origin: Origin; seq: number }[] {
    return [...this.#options.ledger.durable].map(([origin, seq]) => ({ origin, seq }));
  }
}

const same = (a: Moment | undefined, b: Moment | undefined): boolean => a?.ms === b?.ms && a?.counter === b?.counter;
