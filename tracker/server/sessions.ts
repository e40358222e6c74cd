// The engines that are linked to this tracker: who they are, what they were last told, and who must
// be told what after a change.
import type { Connection } from '../../protocol/wire/connection.ts';
import type { AccountId, GroupId, Pin, SwarmKey } from '../../protocol/base/ids.ts';
import { CLOCK_SKEW_MS_MAX, CONFLICTS_PER_NOTICE_MAX, TICKET_GRACE_MS, TICKET_MS } from '../../protocol/base/limits.ts';
import type { Address } from '../../protocol/base/fields.ts';
import { encode } from '../../protocol/base/schema.ts';
import type { BodyOf, NoticesOf } from '../../protocol/wire/table.ts';
import type { TicketSigner } from '../../protocol/messages/ticket.ts';
import { signRevocation } from '../../protocol/messages/ticket.ts';
import { groupView as groupViewSchema } from '../../protocol/messages/trackerLink.ts';
import type { Conflict, trackerLink } from '../../protocol/messages/trackerLink.ts';
import { recentEnds } from '../fold/recentEnds.ts';
import type { Account, Changes, Ended, Group, State } from '../fold/state.ts';
import type { PresentPeer, Swarms } from './swarms.ts';
import { groupView, roleOf } from './views.ts';

/**
 * Waiting requests in the answer to `session`, all groups together: keeps it under 1 MiB. The
 * others follow as changes of their groups.
 */
const REQUESTS_PER_SESSION_MAX = 4096;
/**
 * How long a ticket may count after it was made, in ms: for so long an engine that was away has to
 * hear of a revocation.
 */
const TICKET_MS_MAX = TICKET_MS + TICKET_GRACE_MS + CLOCK_SKEW_MS_MAX;

type PairState = BodyOf<typeof trackerLink, 'pairChanged'>['pair'];
type EngineConnection = Connection<typeof trackerLink, 'tracker'>;

/** One engine's link. */
export class Session {
  readonly pin: Pin;
  /** Where the link comes from. */
  readonly host: string;
  addresses: readonly Address[] = [];
  /** Whether it asked who it is, and from then on is told of changes. */
  isListening = false;
  account: AccountId | undefined;
  /** The account whose password was shown on this link, and until when that counts. */
  shownPassword: { readonly account: AccountId; readonly untilMs: number } | undefined;
  present: PresentPeer | undefined;
  /** What it announced in groups of which it is no member, as far as this tracker knows. */
  readonly early = new Map<string, { readonly key: SwarmKey; readonly leftBytes: number }>();
  /** What it was last told of each group, in bytes: the same is not told twice. */
  readonly sentViews = new Map<GroupId, Buffer>();
  #connection: EngineConnection | undefined;

  constructor(pin: Pin, host: string) {
    this.pin = pin;
    this.host = host;
  }

  /** Set once, right after the connection was made with this session's handlers. */
  connect(connection: EngineConnection): void {
    this.#connection = connection;
  }

  notify<K extends NoticesOf<typeof trackerLink, 'tracker'>>(name: K, body: BodyOf<typeof trackerLink, K>): void {
    this.#connection?.notify(name, body);
  }
}

export class Sessions {
  readonly #all = new Map<Pin, Set<Session>>();
  readonly #byAccount = new Map<AccountId, Set<Session>>();
  readonly #state: () => State;
  readonly #swarms: Swarms;
  readonly #signer: TicketSigner;
  readonly #realm: Pin;
  readonly #presenceChanged: (group: GroupId) => void;

  /** @param presenceChanged  told of each group of an account that comes or goes */
  constructor(
    state: () => State,
    swarms: Swarms,
    signer: TicketSigner,
    realm: Pin,
    presenceChanged: (group: GroupId) => void = () => {},
  ) {
    this.#state = state;
    this.#swarms = swarms;
    this.#signer = signer;
    this.#realm = realm;
    this.#presenceChanged = presenceChanged;
  }

  get count(): number {
    let count = 0;
    for (const some of this.#all.values()) count += some.size;
    return count;
  }

  readonly isOnline = (account: AccountId): boolean => this.#byAccount.has(account);

  add(pin: Pin, host: string): Session {
    const session = new Session(pin, host);
    addTo(this.#all, pin, session);
    return session;
  }

  remove(session: Session): void {
    this.#setAccount(session, undefined);
    removeFrom(this.#all, session.pin, session);
  }

  ofPin(pin: Pin): Session | undefined {
    return [...(this.#all.get(pin) ?? [])].at(-1);
  }

  /** Who the session is now; from here on it is told of changes. */
  identify(session: Session): Account | undefined {
    const state = this.#state();
    session.isListening = true;
    // Its link before this one may not know yet that it is dead: an engine is in a swarm once.
    for (const older of this.#all.get(session.pin) ?? []) {
      if (older !== session && older.present) this.#swarms.removeAll(older.present);
    }
    this.#setAccount(session, state.devices.get(session.pin));
    return session.account === undefined ? undefined : state.accounts.get(session.account);
  }

  /** All groups an account has to do with, as it is told them. */
  viewsFor(session: Session, account: Account): ReturnType<typeof groupView>[] {
    const state = this.#state();
    session.sentViews.clear();
    let requests = 0;
    return [...account.groups, ...account.waitingIn].flatMap((id) => {
      const group = state.groups.get(id);
      if (!group) return [];
      let view = groupView(state, group, account.id);
      requests += view.requests.length;
      if (requests > REQUESTS_PER_SESSION_MAX) {
        view = { ...view, requests: [] };
        queueMicrotask(() => this.#sendGroup(state, session, group));
      }
      session.sentViews.set(id, encode(groupViewSchema, view));
      return [view];
    });
  }

  /**
   * An engine that was away hears of the memberships and sign-ins that ended so lately that a
   * ticket of theirs might still count.
   */
  sendRecentEnds(session: Session, account: Account, nowMs: number): void {
    for (const ended of recentEnds(this.#state(), account, nowMs - TICKET_MS_MAX)) {
      session.notify('revoked', { revocation: this.#revocationOf(ended) });
    }
  }

  /** Tells all concerned what has changed. */
  notify(changes: Changes): void {
    const state = this.#state();
    for (const ended of changes.ended) this.#sendEnd(ended);
    for (const id of changes.accounts) this.#sendAccount(id);
    for (const id of changes.groups) {
      const group = state.groups.get(id);
      if (!group) continue;
      for (const session of this.#concernedBy(group)) this.#sendGroup(state, session, group);
    }
  }

  /** What a person did, or what they are in, has come to something else. */
  sendConflicts(account: AccountId, conflicts: readonly Conflict[]): void {
    for (const session of this.#byAccount.get(account) ?? []) {
      if (!session.isListening) continue;
      for (let n = 0; n < conflicts.length; n += CONFLICTS_PER_NOTICE_MAX) {
        session.notify('conflicted', { conflicts: conflicts.slice(n, n + CONFLICTS_PER_NOTICE_MAX) });
      }
    }
  }

  #pair: PairState | undefined;
  /** Whether both trackers have what one is told. */
  sendPairState(pair: PairState): void {
    if (pair === this.#pair) return;
    this.#pair = pair;
    for (const some of this.#all.values()) {
      for (const session of some) if (session.isListening) session.notify('pairChanged', { pair });
    }
  }

  /**
   * Tells the members of a group that are here to ask again who is online and who has what. Returns
   * how many were told.
   */
  sendPresence(id: GroupId): number {
    let told = 0;
    for (const member of this.#state().groups.get(id)?.members.keys() ?? []) {
      for (const session of this.#byAccount.get(member) ?? []) {
        if (!session.isListening) continue;
        session.notify('presenceChanged', { groups: [id] });
        told++;
      }
    }
    return told;
  }

  #sendGroup(state: State, session: Session, group: Group): void {
    if (!session.isListening || session.account === undefined) return;
    const before = session.sentViews.get(group.id);
    if (roleOf(group, session.account) === 'stranger') {
      if (!before) return;
      session.sentViews.delete(group.id);
      session.notify('groupGone', {
        group: group.id,
        name: group.name,
        why: group.gone.get(session.account) ?? 'removed',
      });
      return;
    }
    this.#enterEarly(session, group);
    const view = groupView(state, group, session.account);
    const bytes = encode(groupViewSchema, view);
    if (before?.equals(bytes)) return;
    session.sentViews.set(group.id, bytes);
    session.notify('groupChanged', view);
  }

  /** Its membership has become known: what it announced before counts now. */
  #enterEarly(session: Session, group: Group): void {
    const { present } = session;
    if (session.early.size === 0 || !present || !group.members.has(present.account)) return;
    for (const [text, { key, leftBytes }] of session.early) {
      if (key.group !== group.id) continue;
      session.early.delete(text);
      this.#swarms.update(present, key, leftBytes);
      const joined = leftBytes > 0 ? this.#swarms.others(present, key) : [];
      if (joined.length > 0) present.notify({ ...key, joined, left: [] });
    }
  }

  /** Sessions of members and applicants, and of those that still believe to be one. */
  #concernedBy(group: Group): Set<Session> {
    const concerned = new Set<Session>();
    const accounts = [
      ...group.members.keys(),
      ...[...group.waiting.values()].map(({ account }) => account),
      ...group.gone.keys(),
    ];
    for (const account of accounts) for (const session of this.#byAccount.get(account) ?? []) concerned.add(session);
    return concerned;
  }

  /** Devices of an account may have been signed in or out. */
  #sendAccount(id: AccountId): void {
    const state = this.#state();
    for (const session of [...(this.#byAccount.get(id) ?? [])]) {
      if (state.devices.get(session.pin) === id) continue;
      this.#setAccount(session, undefined);
      session.sentViews.clear();
      if (session.isListening) session.notify('signedOut', {});
    }
  }

  /**
   * A membership or a sign-in has ended: no swarm lists it any more, and all peers that might serve
   * it hears of it.
   */
  #sendEnd(ended: Ended): void {
    const { account, group, device } = ended;
    const state = this.#state();
    for (const session of this.#byAccount.get(account) ?? []) {
      if (session.present && (device === undefined || session.pin === device)) {
        this.#swarms.removeAll(session.present, group);
      }
    }
    const revocation = this.#revocationOf(ended);
    const groups = group === undefined ? [...(state.accounts.get(account)?.groups ?? [])] : [group];
    const hearers = new Set<Session>();
    for (const id of groups) {
      for (const member of state.groups.get(id)?.members.keys() ?? []) {
        for (const session of this.#byAccount.get(member) ?? []) hearers.add(session);
      }
    }
    for (const session of hearers) session.notify('revoked', { revocation });
  }

  #revocationOf({ account, group, device, at: { ms, counter } }: Omit<Ended, 'since'>): Buffer {
    return signRevocation(
      {
        realm: this.#realm,
        what: group === undefined ? 'signIn' : 'membership',
        account,
        group,
        device,
        at: { ms, counter },
      },
      this.#signer,
    );
  }

  #setAccount(session: Session, account: AccountId | undefined): void {
    if (session.account === account) return;
    if (session.present) this.#swarms.removeAll(session.present);
    session.present = undefined;
    session.early.clear();
    if (session.account !== undefined) {
      removeFrom(this.#byAccount, session.account, session);
      this.#onPresenceChanged(session.account);
    }
    session.account = account;
    if (account === undefined) return;
    addTo(this.#byAccount, account, session);
    this.#onPresenceChanged(account);
    const { pin, host } = session;
    const user = this.#state().accounts.get(account)?.name ?? '';
    session.present = {
      pin,
      account,
      user,
      host,
      get addresses() {
        return session.addresses;
      },
      notify: (change) => session.notify('swarmChanged', change),
    };
  }

  #onPresenceChanged(account: AccountId): void {
    for (const group of this.#state().accounts.get(account)?.groups ?? []) this.#presenceChanged(group);
  }
}

function addTo<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const some = map.get(key);
  if (some) some.add(value);
  else map.set(key, new Set([value]));
}
function removeFrom<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const some = map.get(key);
  some?.delete(value);
  if (some?.size === 0) map.delete(key);
}
