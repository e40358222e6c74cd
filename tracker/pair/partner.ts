// The other tracker of the pair: who it is, the link to it, and what state the pair is in. Both
// dial; the one with the lower number only when it has not been dialled for a while. replication.ts
// decides what travels over the link.
import type { Backoff } from '../../protocol/async/backoff.ts';
import { backoffMs } from '../../protocol/async/backoff.ts';
import { asShoalError, isShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { GreetedLink } from '../../protocol/wire/openConnection.ts';
import { openConnection, openLink } from '../../protocol/wire/openConnection.ts';
import type { Origin, Pin } from '../../protocol/base/ids.ts';
import { HEARTBEAT_MS, SNAPSHOT_CHUNK_BYTES } from '../../protocol/base/limits.ts';
import type { Address } from '../../protocol/base/fields.ts';
import type { SignedDescriptor } from '../../protocol/messages/realm.ts';
import { addressText } from '../../protocol/base/address.ts';
import { checkDescriptor } from '../../protocol/messages/realm.ts';
import { partnerLink } from '../../protocol/messages/partnerLink.ts';
import { trackerLink } from '../../protocol/messages/trackerLink.ts';
import type { Timer, World } from '../../protocol/base/world.ts';
import { FOLD_VERSION } from '../fold/fold.ts';
import type { Ledger } from '../log/ledger.ts';
import { Replication } from './replication.ts';

/** How long a dial may take, in ms, and the pause between two. */
const DIAL_MS = 3_000;
const RETRY: Backoff = { firstMs: 100, maxMs: 2_000, factor: 2, jitterMin: 0.5, jitterMax: 1 };
/**
 * How long the lower number waits to be dialled, in ms: so that two do not dial each other at once.
 */
const LOWER_WAITS_MS = 3_000;

export interface PartnerAddress {
  readonly number: number;
  readonly pin: Pin;
  readonly address: Address;
}

export interface PartnerOptions {
  readonly world: World;
  readonly realm: Pin;
  readonly number: number;
  readonly program: string;
  /**
   * The other tracker; undefined for one that stands alone. It changes with the list of trackers.
   */
  readonly partner: () => PartnerAddress | undefined;
  readonly list: () => SignedDescriptor;
  /**
   * Takes a list over if it is newer than ours. Resolves when it counts. @throws ShoalError
   * badDescriptor, wrongRealm
   */
  readonly adoptList: (list: SignedDescriptor) => Promise<void>;
  /** Whether our log is empty although it was not once. */
  readonly lostLog: boolean;
  /** The partner has given back the log. */
  readonly onLogRestored: () => void;
  readonly ledger: () => Ledger;
  /** `state` may be another one now. */
  readonly onChange: () => void;
}

/**
 * joining: our log is lost, and not all of it has come back. skew: the clocks are too far apart to
 * pair.
 */
export type PartnerState = 'none' | 'joining' | 'catchUp' | 'paired' | 'solo' | 'skew';

export class Partner {
  readonly #options: PartnerOptions;
  #replication: Replication | undefined;
  #failures = 0;
  #timer: Timer | undefined;
  #closed = false;
  #joining: boolean;
  #isSkewed = false;
  /**
   * Why the partner was not reached when that was logged last: a partner that stays away is one
   * line, not one a second.
   */
  #loggedReason: string | undefined;
  /** What has come of the partner's snapshot, over however many links. */
  #snapshot: { readonly sha256: Buffer; readonly chunks: Uint8Array[] } | undefined;

  constructor(options: PartnerOptions) {
    this.#options = options;
    this.#joining = options.lostLog && options.partner() !== undefined;
  }

  get state(): PartnerState {
    if (this.#joining) return 'joining';
    if (!this.#options.partner()) return 'none';
    const replication = this.#live;
    if (!replication) return this.#isSkewed ? 'skew' : 'solo';
    return replication.lag === 0 && replication.hasTheirs ? 'paired' : 'catchUp';
  }
  /** Operations here that the partner has not confirmed; all, while it is not there. */
  get lag(): number {
    return this.#replication?.lag ?? this.#lastLag;
  }
  #lastLag = 0;
  /** By how much the partner's clock is ahead, in ms. */
  get clockOffsetMs(): number {
    return this.#replication?.clockOffsetMs ?? 0;
  }

  /**
   * The latest rules of the fold that all trackers of the realm know, as far as they have said so.
   */
  get foldVersion(): number {
    if (!this.#options.partner()) return FOLD_VERSION;
    return Math.min(FOLD_VERSION, this.#live?.theirFoldVersion ?? 0);
  }

  get #live(): Replication | undefined {
    return this.#replication?.isCompared && this.#replication.connection.isOpen ? this.#replication : undefined;
  }

  start(): void {
    this.#retry(0);
  }

  /**
   * A program that says to be the other tracker has dialled us. Resolves when the link has ended.
   * @throws ShoalError busy while a link is up
   */
  async accept(link: GreetedLink): Promise<void> {
    const { number, partner } = this.#options;
    if (link.stream.pin !== partner()?.pin) return this.#acceptStranger(link);
    // Of two links at once, both sides keep that of the higher number.
    if (this.#live && number > (partner()?.number ?? 0)) throw new ShoalError('busy');
    await this.#adopt(link).connection.whenEnded;
  }

  /**
   * Whether both disks have an entry; false when the partner is away or takes too long. A tracker
   * that stands alone is all the disks there are.
   */
  whenOnBoth(origin: Origin, seq: number): Promise<boolean> {
    if (!this.#options.partner()) return Promise.resolve(true);
    const replication = this.#live;
    if (!replication) return Promise.resolve(false);
    return replication.has(origin, seq) ? Promise.resolve(true) : replication.whenOnBoth(origin, seq);
  }

  /** Something new is on our disk. */
  onCommitted(): void {
    void this.#replication?.send();
    const ledger = this.#options.ledger();
    if (!this.#options.partner()) ledger.advance(ledger.promise); // nobody else stamps anything
  }

  /** The list of trackers has changed. */
  onListChanged(): void {
    this.#replication?.connection.close();
    if (this.#options.partner()) this.#retry(0);
    else this.onCommitted();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#replication?.connection.close();
  }

  async #dial(): Promise<void> {
    const { world, program } = this.#options;
    const partner = this.#options.partner();
    if (!partner || this.#closed || this.#replication) return;
    try {
      const stream = await world.network.dial(partner.address, { expect: partner.pin, timeoutMs: DIAL_MS });
      const link = await openLink(stream, { world, role: 'tracker', accepts: ['tracker'], program });
      if (this.#closed || this.#live) return stream.destroy();
      this.#adopt(link);
    } catch (error) {
      this.#warn(
        'partner unreachable',
        isShoalError(error, 'pinMismatch')
          ? await this.#describeStranger(partner.address)
          : asShoalError(error).message,
      );
      this.#retry();
    }
  }

  #warn(phrase: string, why: string): void {
    const partner = this.#options.partner();
    if (why !== this.#loggedReason) {
      this.#options.world.log.warn(phrase, { partner: partner && addressText(partner.address), why });
    }
    this.#loggedReason = why;
  }

  #retry(delayMs = this.#nextDelayMs()): void {
    const {
      world: { clock },
      number,
      partner,
    } = this.#options;
    const isLower = number < (partner()?.number ?? 0);
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = clock.after(isLower ? delayMs + LOWER_WAITS_MS : delayMs, () => void this.#dial());
  }

  #nextDelayMs(): number {
    return backoffMs(RETRY, ++this.#failures, () => this.#options.world.chance.random());
  }

  /** Another key answers at the partner's address: what its realm is, in a sentence. */
  async #describeStranger(address: Address): Promise<string> {
    const { world, realm, program, adoptList } = this.#options;
    try {
      const ignore = (): void => {};
      const stream = await world.network.dial(address, { timeoutMs: DIAL_MS });
      const who = { world, role: 'engine', accepts: ['tracker'], program } as const;
      const connection = await openConnection(stream, who, {
        table: trackerLink,
        side: 'engine',
        heartbeatMs: HEARTBEAT_MS.tracker,
        handlers: {
          presenceChanged: ignore,
          groupChanged: ignore,
          groupGone: ignore,
          swarmChanged: ignore,
          revoked: ignore,
          dialRequest: ignore,
          signedOut: ignore,
          conflicted: ignore,
          pairChanged: ignore,
        },
      });
      const list = await connection.call('descriptor', {}).finally(() => connection.close());
      checkDescriptor(list, realm, address);
      await adoptList(list); // our realm: it may have another list by now
      return new ShoalError('pinMismatch', { address: addressText(address) }).message;
    } catch (error) {
      return asShoalError(error).message;
    }
  }

  #adopt(link: GreetedLink): Replication {
    const { world, realm, list } = this.#options;
    this.#timer?.cancel();
    const replication: Replication = new Replication({
      world,
      realm,
      link,
      list,
      ledger: this.#options.ledger(),
      checkListed: (theirs) => this.#checkListed(link.stream.pin, theirs),
      onProgress: () => this.#onProgress(replication),
      onSnapshotNeeded: () => void this.#fetchSnapshot(replication),
    });
    const before = this.#replication;
    this.#replication = replication;
    before?.connection.destroy();
    void replication.connection.whenEnded.then(({ error }) => {
      if (this.#replication !== replication) return;
      this.#lastLag = replication.lag;
      this.#replication = undefined;
      this.#isSkewed = replication.isSkewed || isShoalError(error, 'clocksApart');
      if (replication.isCompared) world.log.warn('partner disconnected', { why: error?.message });
      this.#options.onChange();
      this.#retry();
    });
    void this.#compare(replication);
    return replication;
  }

  /**
   * Only the other tracker that the newest list names may be at the other end. @throws ShoalError
   * pinMismatch …
   */
  async #checkListed(pin: Pin | undefined, theirs: SignedDescriptor | undefined): Promise<void> {
    const { adoptList, partner } = this.#options;
    if (theirs) await adoptList(theirs);
    if (pin === undefined || pin !== partner()?.pin) {
      throw new ShoalError('pinMismatch', { address: 'the other tracker' });
    }
  }

  /**
   * It is not in our list. With a newer one, in which it is, it will be our partner when it dials
   * again; it learns nothing of us before.
   */
  async #acceptStranger(link: GreetedLink): Promise<void> {
    const {
      world: { clock },
      adoptList,
      partner,
    } = this.#options;
    const refused = new ShoalError('pinMismatch', { address: link.stream.remote.host });
    const refuse = (): never => {
      throw refused;
    };
    const connection = link.connect({
      table: partnerLink,
      side: 'tracker',
      heartbeatMs: HEARTBEAT_MS.partner,
      handlers: {
        compare: async ({ list }) => {
          if (list) await adoptList(list);
          throw link.stream.pin === partner()?.pin ? new ShoalError('busy') : refused;
        },
        append: refuse,
        snapshot: refuse,
      },
    });
    const timer = clock.after(DIAL_MS, () => connection.destroy(refused));
    await connection.whenEnded;
    timer.cancel();
  }

  async #compare(replication: Replication): Promise<void> {
    try {
      await replication.compare();
      this.#loggedReason = undefined;
      this.#isSkewed = false;
      this.#options.world.log.info('partner connected', { lagOperations: replication.lag });
      this.#onProgress(replication);
    } catch (error) {
      const partner = this.#options.partner();
      const why =
        isShoalError(error, 'pinMismatch') && partner
          ? await this.#describeStranger(partner.address)
          : asShoalError(error).message;
      this.#warn('partner comparison failed', why);
      replication.connection.destroy(asShoalError(error));
    }
  }

  #onProgress(replication: Replication): void {
    if (this.#joining && this.#replication === replication && replication.hasTheirs) {
      this.#joining = false;
      this.#options.onLogRestored();
      this.#options.world.log.info('log restored', { operations: this.#options.ledger().log.count });
    }
    // not before: two that cannot continue must not begin again and again
    if (this.#replication === replication && this.state === 'paired') this.#failures = 0;
    this.#options.onChange();
  }

  /**
   * Takes the partner's snapshot over, part by part; what has come already is not asked for again
   * after a link has ended.
   */
  async #fetchSnapshot({ connection }: Replication): Promise<void> {
    const { ledger, world } = this.#options;
    try {
      for (;;) {
        const { chunks } = this.#snapshot ?? { chunks: [] };
        const { chunk, heads, ...rest } = await connection.call('snapshot', { n: chunks.length });
        const sha256 = Buffer.from(rest.sha256);
        if (this.#snapshot && !this.#snapshot.sha256.equals(sha256)) {
          this.#snapshot = undefined; // it has made another one meanwhile
          continue;
        }
        this.#snapshot ??= { sha256, chunks: [] };
        if (chunk.length > 0) {
          this.#snapshot.chunks.push(chunk);
          if (this.#snapshot.chunks.length > Math.ceil(rest.bytes / SNAPSHOT_CHUNK_BYTES)) {
            throw new ShoalError('badMessage', { type: 'snapshot', why: 'it is longer than its tracker said' });
          }
          continue;
        }
        const all = this.#snapshot.chunks;
        this.#snapshot = undefined;
        const snapshot = {
          ...rest,
          sha256,
          heads: new Map(heads.map(({ origin, seq, hash }) => [origin, { seq, hash: Buffer.from(hash) }])),
        };
        await ledger().adopt(snapshot, all);
        world.log.info('partner snapshot adopted', { bytes: snapshot.bytes });
        return connection.close(); // what we have now is told by a new link
      }
    } catch (error) {
      if (isShoalError(error, 'badMessage')) this.#snapshot = undefined;
      world.log.warn('partner snapshot not adopted', { why: asShoalError(error).message });
      connection.destroy(asShoalError(error));
    }
  }
}
