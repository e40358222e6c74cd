// Both trackers of the realm as one: which realm it is, which tracker answers our calls, what to do
// when it does not. A call that fails because of the link goes to the other tracker; operations
// carry an id, so they may be sent twice.
import type { TrackerState } from '../../../protocol/messages/engineLink.ts';
import { asShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { Origin, Pin } from '../../../protocol/base/ids.ts';
import { ORIGINS_MAX } from '../../../protocol/base/limits.ts';
import type { Address } from '../../../protocol/base/fields.ts';
import type { Descriptor, RealmUrl, SignedDescriptor } from '../../../protocol/messages/realm.ts';
import { addressText } from '../../../protocol/base/address.ts';
import { checkDescriptor, parseRealmUrl, realmUrlText } from '../../../protocol/messages/realm.ts';
import type { BodyOf, CallsOf, ReplyOf } from '../../../protocol/wire/table.ts';
import type { TicketKeys } from '../../../protocol/messages/ticket.ts';
import type { Receipt, trackerLink } from '../../../protocol/messages/trackerLink.ts';
import type { Disk } from '../../../protocol/base/world.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import { readSmallFile, textField, writeSmallFile } from '../../../protocol/home/homeLayout.ts';
import type { TrackerSessionContext } from './trackerSession.ts';
import { TrackerSession } from './trackerSession.ts';

/** How long a call waits for a tracker that can be reached, in ms. */
const WAIT_MS = 4_000;
/**
 * How long one tracker has for one call before the other is asked, in ms. Hashing a password takes
 * most of a second on a busy machine.
 */
const CALL_MS = 5_000;

export type TrackerClientContext = Omit<TrackerSessionContext, 'expectedPin' | 'checkRealm' | 'onChange'> & {
  /** Something of `url` or `states` has changed. */
  changed(): void;
  /** The realm is known, or has a new descriptor. */
  realm(pin: Pin, keys: TicketKeys): void;
};

type Realm = Descriptor & { readonly realm: Pin };

export class TrackerClient {
  readonly #context: TrackerClientContext;
  readonly #disk: Disk;
  readonly #home: Home;
  #url: RealmUrl | undefined;
  #realm: Realm | undefined;
  /** What the realm was read from. */
  #signed: SignedDescriptor | undefined;
  /** Whether these trackers are only being tried: nothing is written before they were accepted. */
  #isTrial = false;
  #urlBefore = '';
  #sessions: TrackerSession[] = [];
  #inUse: TrackerSession | undefined;
  /** Who answered last, and how much of each origin's operations we have seen the effects of. */
  #lastAsked: TrackerSession | undefined;
  readonly #seen = new Map<Origin, number>();
  readonly #waiting = new Set<() => void>();

  constructor(context: TrackerClientContext, disk: Disk, home: Home) {
    this.#context = context;
    this.#disk = disk;
    this.#home = home;
  }

  /**
   * The URL that was given and accepted, with the realm as soon as it is known; '' when none is
   * set.
   */
  get url(): string {
    return this.#isTrial ? this.#urlBefore : this.#urlNow;
  }
  get #urlNow(): string {
    return this.#url
      ? realmUrlText({ realm: this.#realm?.realm ?? this.#url.realm, addresses: this.#url.addresses })
      : '';
  }
  get realm(): Pin | undefined {
    return this.#realm?.realm ?? this.#url?.realm;
  }
  get states(): readonly TrackerState[] {
    return this.#sessions.map((session) => session.toState(session === this.#inUse));
  }
  /** The tracker whose word we take. */
  get inUse(): TrackerSession | undefined {
    return this.#inUse;
  }
  get sessions(): readonly TrackerSession[] {
    return this.#sessions;
  }

  /** Goes on with the trackers of the last run. */
  async start(): Promise<void> {
    const kept = await readSmallFile(this.#disk, this.#home.trackerFile, (fields) => ({
      url: textField(fields, 'url'),
      descriptor: Buffer.from(textField(fields, 'descriptor'), 'base64'),
      signature: Buffer.from(textField(fields, 'signature'), 'base64'),
    }));
    if (!kept) return;
    this.#url = parseRealmUrl(kept.url);
    const first = this.#url.addresses[0];
    if (kept.descriptor.length > 0 && first) this.#adopt(checkDescriptor(kept, this.#url.realm, first), kept);
    this.#openSessions();
  }

  /**
   * Uses other trackers from now on. Resolves when one of them has shown its realm.
   *
   * @param accepts  asked when the realm is known; where it says no, or nobody answers, everything
   *   stays as it was
   * @returns the whole URL, and whether the realm was taken on trust: the URL named none, and none
   *   was known
   * @throws ShoalError badTrackerUrl, trackerUnreachable, wrongRealm, badDescriptor
   */
  async set(
    text: string,
    accepts: (found: { readonly realm: Pin | undefined; readonly firstUse: boolean }) => boolean = () => true,
  ): Promise<{ readonly url: string; readonly firstUse: boolean }> {
    const url = parseRealmUrl(text);
    const known = this.#realm;
    // A bare address of trackers we know means the same realm: another key there is a hard stop,
    // not a new beginning.
    const sameAddresses =
      known !== undefined &&
      url.addresses.some((address) => known.trackers.some((tracker) => sameAddress(tracker.address, address)));
    const same = known !== undefined && (url.realm === undefined ? sameAddresses : url.realm === known.realm);
    if (same && this.#sessions.some((session) => session.isUp)) return { url: this.url, firstUse: false };
    const before = { url: this.#url, realm: known, signed: this.#signed };
    this.#urlBefore = this.url;
    this.stop();
    this.#isTrial = true;
    this.#url = { realm: url.realm ?? (same ? known.realm : undefined), addresses: url.addresses };
    if (!same) this.#realm = this.#signed = undefined;
    this.#openSessions();
    try {
      await this.#waitForTracker();
    } catch (error) {
      const refused = this.#sessions.find((session) => session.state === 'refused')?.error;
      this.#restore(before); // an address at which nobody answers must not cost us those that work
      throw refused ?? error;
    }
    const found = { url: this.#urlNow, realm: this.realm, firstUse: url.realm === undefined && !same };
    if (accepts(found)) {
      this.#isTrial = false;
      await this.#save();
    } else {
      this.#restore(before);
    }
    return found;
  }

  #restore({
    url,
    realm,
    signed,
  }: {
    readonly url: RealmUrl | undefined;
    readonly realm: Realm | undefined;
    readonly signed: SignedDescriptor | undefined;
  }): void {
    this.stop();
    this.#isTrial = false;
    this.#url = url;
    this.#realm = this.#signed = undefined;
    if (realm && signed) this.#adopt(realm, signed);
    this.#openSessions();
    this.#context.changed();
  }

  /**
   * Runs something with the tracker in use, and with the other one if the link fails.
   *
   * @throws ShoalError trackerUnknown, trackerUnreachable, or what the tracker answered
   */
  async use<T>(run: (session: TrackerSession) => Promise<T>): Promise<T> {
    if (this.#sessions.length === 0) throw new ShoalError('trackerUnknown');
    const tried = new Set<TrackerSession>();
    for (;;) {
      const session = this.#chooseSession(tried) ?? (tried.size === 0 ? await this.#waitForTracker() : undefined);
      if (!session) throw this.#unreachable();
      tried.add(session);
      try {
        await this.#catchUp(session);
        const value = await run(session);
        this.#preferSession(session);
        return value;
      } catch (error) {
        if (asShoalError(error).retry !== 'elsewhere') throw error;
        this.#context.world.log.info('the other tracker is asked', {
          instead: addressText(session.address),
          why: asShoalError(error).code,
        });
      }
    }
  }

  call<K extends CallsOf<typeof trackerLink, 'engine'>>(
    name: K,
    body: BodyOf<typeof trackerLink, K>,
  ): Promise<ReplyOf<typeof trackerLink, K>> {
    return this.use((session) => session.call(name, body, { deadlineMs: CALL_MS }));
  }

  /**
   * What one of our operations came to may be shown to the person from now on, whichever tracker is
   * asked.
   */
  onEffectOf(at: Receipt['at']): void {
    if (!at || at.seq <= (this.#seen.get(at.origin) ?? 0)) return;
    // More than a realm can have are nonsense; the question must stay one that can be sent.
    if (this.#seen.size >= ORIGINS_MAX && !this.#seen.has(at.origin)) this.#seen.clear();
    this.#seen.set(at.origin, at.seq);
  }

  /**
   * Before the other tracker is asked for the first time: it must not answer as of before what we
   * have seen.
   */
  async #catchUp(session: TrackerSession): Promise<void> {
    if (session === this.#lastAsked) return;
    if (this.#lastAsked && this.#seen.size > 0) {
      const { stale, have } = await session.call(
        'catchUp',
        { seen: [...this.#seen].map(([origin, seq]) => ({ origin, seq })) },
        { deadlineMs: CALL_MS },
      );
      if (stale) {
        this.#context.world.log.warn('a tracker has not heard yet of what the other one has told us', {
          tracker: addressText(session.address),
        });
      } else for (const one of have) this.onEffectOf(one);
    }
    this.#lastAsked = session;
  }

  announceSoon(): void {
    for (const session of this.#sessions) session.announceSoon();
  }

  /** After a sleep: do not wait for the next try. */
  retryNow(): void {
    for (const session of this.#sessions) session.retryNow();
  }

  stop(): void {
    for (const session of this.#sessions) session.stop();
    this.#sessions = [];
    this.#inUse = this.#lastAsked = undefined;
    this.#seen.clear(); // the next ones may be of another realm
    for (const go of [...this.#waiting]) go();
  }

  #openSessions(): void {
    const addresses = this.#realm?.trackers.map((tracker) => tracker.address) ?? this.#url?.addresses ?? [];
    for (const address of addresses) {
      if (!this.#sessions.some((session) => sameAddress(session.address, address))) {
        this.#sessions.push(new TrackerSession(address, this.#sessionContext));
      }
    }
  }

  /** Trackers that are not in the list any more; what is under way there still ends. */
  #closeUnlisted(): void {
    const isListed = ({ address }: TrackerSession): boolean =>
      this.#realm?.trackers.some((tracker) => sameAddress(tracker.address, address)) ?? true;
    for (const session of this.#sessions.filter((one) => !isListed(one))) {
      this.#context.world.clock.after(0, () => session.stop());
    }
    this.#sessions = this.#sessions.filter(isListed);
    if (this.#inUse && !this.#sessions.includes(this.#inUse)) this.#preferSession(this.#chooseSession(new Set()));
    this.#context.changed();
  }

  get #sessionContext(): TrackerSessionContext {
    return {
      ...this.#context,
      expectedPin: (address) => this.#realm?.trackers.find((tracker) => sameAddress(tracker.address, address))?.pin,
      checkRealm: (signed, pin, address) => this.#checkRealm(signed, pin, address),
      onChange: (session) => {
        if (!this.#sessions.includes(session)) return; // of trackers that are not used any more
        if (session.isUp && !this.#inUse?.isUp) this.#preferSession(session);
        if (!session.isUp && session === this.#inUse) this.#preferSession(this.#chooseSession(new Set()));
        for (const go of [...this.#waiting]) go();
        this.#context.changed();
      },
    };
  }

  async #checkRealm(signed: SignedDescriptor, pin: Pin | undefined, address: Address): Promise<void> {
    const shown = checkDescriptor(signed, this.realm, address);
    const isListed = shown.trackers.some((tracker) => tracker.pin === pin);
    // One that was retired may still say who is left, if we knew it as a tracker of the realm.
    const wasListed =
      this.#realm?.trackers.some((tracker) => tracker.pin === pin) === true && shown.version > this.#realm.version;
    if (!isListed && !wasListed) throw new ShoalError('pinMismatch', { address: addressText(address) });
    // Of an older descriptor only what the newer one says counts.
    if (this.#realm && shown.version <= this.#realm.version) return;
    this.#adopt(shown, signed);
    if (this.#url && !this.#isTrial) {
      this.#url = { realm: shown.realm, addresses: shown.trackers.map((tracker) => tracker.address) };
    }
    await this.#save();
    this.#openSessions();
    this.#closeUnlisted();
    if (!isListed) throw new ShoalError('retired');
  }

  async #save(): Promise<void> {
    if (this.#isTrial || !this.#signed) return;
    const { descriptor, signature } = this.#signed;
    await writeSmallFile(this.#disk, this.#home.trackerFile, {
      url: this.url,
      descriptor: Buffer.from(descriptor).toString('base64'),
      signature: Buffer.from(signature).toString('base64'),
    });
  }

  #adopt(realm: Realm, signed: SignedDescriptor): void {
    this.#realm = realm;
    this.#signed = signed;
    this.#context.realm(realm.realm, new Map(realm.trackers.map(({ pin, ticketKey }) => [pin, ticketKey])));
  }

  #chooseSession(without: ReadonlySet<TrackerSession>): TrackerSession | undefined {
    if (this.#inUse?.isUp && !without.has(this.#inUse)) return this.#inUse;
    return this.#sessions.find((session) => session.isUp && !without.has(session));
  }

  #preferSession(session: TrackerSession | undefined): void {
    if (session === this.#inUse) return;
    this.#inUse = session;
    if (session) this.#context.changed();
  }

  /** Waits for a tracker that is up. */
  #waitForTracker(): Promise<TrackerSession> {
    return new Promise((resolve, reject) => {
      const finish = (session: TrackerSession | undefined): void => {
        timer.cancel();
        this.#waiting.delete(look);
        if (session) resolve(session);
        else reject(this.#unreachable());
      };
      const look = (): void => {
        const up = this.#sessions.find((session) => session.isUp);
        // Nobody can come up any more: all were refused, or there are none.
        if (up || this.#sessions.every((session) => session.state === 'refused')) finish(up);
      };
      const timer = this.#context.world.clock.after(WAIT_MS, () => finish(undefined));
      this.#waiting.add(look);
      this.retryNow();
      look();
    });
  }

  #unreachable(): ShoalError {
    const refused = this.#sessions.find((session) => session.state === 'refused')?.error;
    return (
      refused ??
      new ShoalError('trackerUnreachable', {
        address: this.#sessions.map((session) => addressText(session.address)).join(', '),
      })
    );
  }
}

const sameAddress = (a: Address, b: Address): boolean => a.host === b.host && a.port === b.port;
