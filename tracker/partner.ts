// The link of the pair: each side tells what it has of every origin and sends what the other lacks, in order, in batches, then whatever
// comes new. The tracker with the higher number dials. Knows how far the partner's disk has come, which is what an answer waits for.
import { Connection } from '../protocol/connection.ts';
import { asShoalError, isShoalError, ShoalError } from '../protocol/errors.ts';
import { FrameLink } from '../protocol/frame.ts';
import { greet } from '../protocol/greeting.ts';
import type { Origin, Pin } from '../protocol/ids.ts';
import { HEARTBEAT_MS, OPERATIONS_PER_FRAME_BYTES_MAX, OPERATIONS_PER_FRAME_MAX, PARTNER_ACK_MS_MAX } from '../protocol/limits.ts';
import type { Address } from '../protocol/nouns.ts';
import { partnerLink } from '../protocol/partnerLink.ts';
import { addressText, checkDescriptor } from '../protocol/realm.ts';
import { trackerLink } from '../protocol/trackerLink.ts';
import type { Timer, World } from '../protocol/world.ts';
import { FOLD_VERSION } from './fold/fold.ts';
import type { Ledger } from './ledger.ts';

/** How long a dial may take, and the longest pause between two, in ms. */
const DIAL_MS = 3_000;
const RETRY_MS_MAX = 2_000;
/** How long the partner may take to write a batch, in ms: a disk that is busy is not dead. */
const APPEND_MS = 30_000;
/** How far the clocks of a pair may be apart, in ms: one would refuse the tickets of the other, and the log would run ahead (`trust.md` 4.6). */
const CLOCKS_APART_MS_MAX = 5 * 60_000;

export interface PartnerOptions {
  readonly world: World;
  readonly realm: Pin;
  readonly program: string;
  /** The other tracker; undefined for one that stands alone. */
  readonly partner: { readonly pin: Pin; readonly address: Address; readonly dial: boolean } | undefined;
  /** Whether our log is empty although it was not once. */
  readonly lostLog: boolean;
  /** It is whole again. */
  readonly logIsBack: () => void;
  readonly ledger: () => Ledger;
}

/** joining: our log is lost, and not all of it has come back. */
export type PartnerState = 'none' | 'joining' | 'catchUp' | 'paired' | 'solo';

interface Waiting {
  readonly origin: Origin;
  readonly seq: number;
  readonly settle: (both: boolean) => void;
}

export class Partner {
  readonly #options: PartnerOptions;
  #connection: Connection<typeof partnerLink, 'tracker'> | undefined;
  /** What the partner has on its disk. */
  #theirs = new Map<Origin, number>();
  /** Whether the vectors were exchanged on this link. */
  #compared = false;
  #sending = false;
  #failures = 0;
  #timer: Timer | undefined;
  #closed = false;
  #joining: boolean;
  /** Why the partner was not reached when that was logged last: a partner that stays away is one line, not one a second. */
  #whyNot: string | undefined;
  readonly #waiting = new Set<Waiting>();

  constructor(options: PartnerOptions) {
    this.#options = options;
    this.#joining = options.lostLog && options.partner !== undefined;
  }

  get pin(): Pin | undefined {
    return this.#options.partner?.pin;
  }
  get state(): PartnerState {
    if (!this.#options.partner) return 'none';
    if (this.#joining) return 'joining';
    if (!this.#connection || !this.#compared) return 'solo';
    return this.lag === 0 ? 'paired' : 'catchUp';
  }
  /** Operations here that the partner has not confirmed. */
  get lag(): number {
    let lag = 0;
    for (const [origin, seq] of this.#options.ledger().durable) lag += Math.max(0, seq - (this.#theirs.get(origin) ?? 0));
    return lag;
  }

  start(): void {
    if (this.#options.partner?.dial) void this.#dial();
  }

  /** The other tracker has dialled us. Resolves when the link has ended. */
  async accept(link: FrameLink): Promise<void> {
    await this.#adopt(link).whenEnded;
  }

  /** Whether both disks have an entry; false when the partner is away or takes too long. A tracker that stands alone is all the disks there are. */
  onBoth(origin: Origin, seq: number): Promise<boolean> {
    if (!this.#options.partner || (this.#theirs.get(origin) ?? 0) >= seq) return Promise.resolve(true);
    if (!this.#connection || !this.#compared) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiting: Waiting = {
        origin, seq,
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

  /** Something new is on our disk. */
  committed(): void {
    void this.#send();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#connection?.close();
  }

  async #dial(): Promise<void> {
    const { partner, world, program } = this.#options;
    if (!partner || this.#closed) return;
    try {
      const stream = await world.network.dial(partner.address, { expect: partner.pin, timeoutMs: DIAL_MS });
      const link = new FrameLink(stream);
      await greet(link, { role: 'tracker', accepts: ['tracker'], program, clock: world.clock, chance: world.chance });
      if (this.#closed) return stream.destroy();
      this.#adopt(link);
    } catch (error) {
      const why = isShoalError(error, 'pinMismatch') ? await this.#whoElse(partner.address) : asShoalError(error).message;
      this.#warn('the partner is not reached', why);
      this.#retry();
    }
  }

  #warn(phrase: string, why: string): void {
    const { world, partner } = this.#options;
    if (why !== this.#whyNot) world.log.warn(phrase, { partner: partner && addressText(partner.address), why });
    this.#whyNot = why;
  }

  #retry(): void {
    const { clock, chance } = this.#options.world;
    if (this.#closed || !this.#options.partner?.dial) return;
    this.#timer?.cancel();
    this.#timer = clock.after(Math.min(RETRY_MS_MAX, 100 * 2 ** Math.min(this.#failures++, 8)) * (0.5 + 0.5 * chance.random()), () => void this.#dial());
  }

  /** Another key answers at the partner's address: what its realm is, in a sentence. */
  async #whoElse(address: Address): Promise<string> {
    const { world, realm, program } = this.#options;
    try {
      const link = new FrameLink(await world.network.dial(address, { timeoutMs: DIAL_MS }));
      await greet(link, { role: 'engine', accepts: ['tracker'], program, clock: world.clock, chance: world.chance });
      const ignore = (): void => {};
      const connection = new Connection(link, {
        table: trackerLink, side: 'engine', heartbeatMs: HEARTBEAT_MS.tracker, clock: world.clock, log: world.log,
        handlers: { presenceChanged: ignore, groupChanged: ignore, groupGone: ignore, swarmChanged: ignore, revoked: ignore, dialRequest: ignore, signedOut: ignore },
      });
      checkDescriptor(await connection.call('descriptor', {}).finally(() => connection.close()), realm, address);
      return new ShoalError('pinMismatch', { address: addressText(address) }).message; // our realm, but not the tracker it should be
    } catch (error) {
      return asShoalError(error).message;
    }
  }

  #adopt(link: FrameLink): Connection<typeof partnerLink, 'tracker'> {
    const { world, realm, ledger } = this.#options;
    this.#connection?.destroy();
    this.#compared = false;
    const connection = new Connection(link, {
      table: partnerLink, side: 'tracker', heartbeatMs: HEARTBEAT_MS.partner, clock: world.clock, log: world.log,
      handlers: {
        compare: (theirs) => {
          if (theirs.realm !== realm) throw new ShoalError('wrongRealm', { address: 'the partner', ours: theirs.realm.slice(0, 8), theirs: realm.slice(0, 8) });
          this.#checkFits(theirs);
          return { foldVersion: FOLD_VERSION, have: this.#vector(), nowMs: world.clock.now() };
        },
        append: async ({ entries }) => {
          await ledger().merge(entries);
          this.#checkJoined();
          return { have: this.#vector() };
        },
      },
    });
    this.#connection = connection;
    void connection.whenEnded.then(({ error }) => {
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      this.#compared = false;
      for (const waiting of [...this.#waiting]) waiting.settle(false);
      world.log.warn('the partner is gone', { why: error?.message });
      this.#retry();
    });
    void this.#compare(connection);
    return connection;
  }

  async #compare(connection: Connection<typeof partnerLink, 'tracker'>): Promise<void> {
    const { world, realm, ledger } = this.#options;
    try {
      const theirs = await connection.call('compare', { realm, foldVersion: FOLD_VERSION, have: this.#vector(), nowMs: world.clock.now() });
      this.#checkFits(theirs);
      this.#theirs = new Map(theirs.have.map(({ origin, seq }) => [origin, seq]));
      const { log, durable } = ledger();
      // Our own last entries are known there and not here: this log was restored from an older copy and must not give their numbers again.
      if ((this.#theirs.get(log.origin) ?? 0) > (durable.get(log.origin) ?? 0)) {
        log.renewOrigin();
        world.log.warn('this log had lost its end; it goes on under a new origin', { origin: log.origin });
      }
      this.#compared = true;
      this.#failures = 0;
      this.#whyNot = undefined;
      this.#checkJoined();
      world.log.info('the partner is reached', { lagOperations: this.lag });
      await this.#send();
    } catch (error) {
      this.#warn('the partner cannot be compared with', asShoalError(error).message);
      connection.destroy(asShoalError(error));
    }
  }

  /** Sends batch after batch until the partner has everything. */
  async #send(): Promise<void> {
    const connection = this.#connection;
    if (this.#sending || !connection || !this.#compared) return;
    this.#sending = true;
    try {
      for (let batch = this.#nextBatch(); batch.length > 0 && this.#connection === connection; batch = this.#nextBatch()) {
        const { have } = await connection.call('append', { entries: batch }, { deadlineMs: APPEND_MS });
        for (const { origin, seq } of have) this.#theirs.set(origin, seq);
        for (const waiting of [...this.#waiting]) if ((this.#theirs.get(waiting.origin) ?? 0) >= waiting.seq) waiting.settle(true);
      }
    } catch (error) {
      this.#options.world.log.warn('the partner did not take operations', { why: asShoalError(error).message });
      if (this.#connection === connection) connection.destroy(asShoalError(error));
    } finally {
      this.#sending = false;
    }
    if (this.#connection && this.#connection !== connection) void this.#send();
  }

  /** Two that fold by other rules would not come to the same, and two whose clocks disagree would refuse each other's tickets. */
  #checkFits({ foldVersion, nowMs }: { readonly foldVersion: number; readonly nowMs: number }): void {
    if (foldVersion !== FOLD_VERSION) throw new ShoalError('unavailable', { why: `the two trackers have different rules (${FOLD_VERSION} here, ${foldVersion} there); update the older one` });
    const apartMs = Math.abs(nowMs - this.#options.world.clock.now());
    if (apartMs > CLOCKS_APART_MS_MAX) throw new ShoalError('unavailable', { why: `the clocks of the two trackers are ${Math.round(apartMs / 1000)} s apart; set them right` });
  }

  /** Whether everything that the partner has is here again. */
  #checkJoined(): void {
    const { durable } = this.#options.ledger();
    if (!this.#joining || !this.#compared || [...this.#theirs].some(([origin, seq]) => (durable.get(origin) ?? 0) < seq)) return;
    this.#joining = false;
    this.#options.logIsBack();
    this.#options.world.log.info('the log is back', { operations: this.#options.ledger().log.count });
  }

  #nextBatch(): readonly Uint8Array[] {
    const { log, durable } = this.#options.ledger();
    for (const [origin, seq] of durable) {
      const from = (this.#theirs.get(origin) ?? 0) + 1;
      if (from > seq) continue;
      const batch: Uint8Array[] = [];
      let bytes = 0;
      for (const entry of log.entries(origin, from, Math.min(OPERATIONS_PER_FRAME_MAX, seq - from + 1))) {
        bytes += entry.bytes.length;
        if (bytes > OPERATIONS_PER_FRAME_BYTES_MAX && batch.length > 0) break;
        batch.push(entry.bytes);
      }
      return batch;
    }
    return [];
  }

  #vector(): { origin: Origin; seq: number }[] {
    return [...this.#options.ledger().durable].map(([origin, seq]) => ({ origin, seq }));
  }
}
