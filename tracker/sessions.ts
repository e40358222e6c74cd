// The engines that are linked to this tracker: who they are, what they were last told, and who must be told what after a change.
import type { Connection } from '../protocol/connection.ts';
import type { AccountId, GroupId, Pin } from '../protocol/ids.ts';
import type { Address } from '../protocol/nouns.ts';
import { encode } from '../protocol/schema.ts';
import type { BodyOf, NoticesOf } from '../protocol/table.ts';
import type { TicketSigner } from '../protocol/ticket.ts';
import { signRevocation } from '../protocol/ticket.ts';
import { groupView as groupViewSchema } from '../protocol/trackerLink.ts';
import type { trackerLink } from '../protocol/trackerLink.ts';
import type { Account, Changes, Ended, Group, State } from './fold/state.ts';
import type { Present, Swarms } from './swarms.ts';
import { groupView, roleOf } from './views.ts';

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
  shown: { readonly account: AccountId; readonly untilMs: number } | undefined;
  present: Present | undefined;
  /** What it was last told of each group, in bytes: the same is not told twice. */
  readonly told = new Map<GroupId, Buffer>();
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

  constructor(state: () => State, swarms: Swarms, signer: TicketSigner, realm: Pin) {
    this.#state = state;
    this.#swarms = swarms;
    this.#signer = signer;
    this.#realm = realm;
  }

  get count(): number {
    let count = 0;
    for (const some of this.#all.values()) count += some.size;
    return count;
  }

  readonly isOnline = (account: AccountId): boolean => this.#byAccount.has(account);

  add(pin: Pin, host: string): Session {
    const session = new Session(pin, host);
    put(this.#all, pin, session);
    return session;
  }

  remove(session: Session): void {
    this.#setAccount(session, undefined);
    take(this.#all, session.pin, session);
  }

  ofPin(pin: Pin): Session | undefined {
    return [...(this.#all.get(pin) ?? [])].at(-1);
  }

  /** Who the session is now; begins or ends its presence. */
  identify(session: Session): Account | undefined {
    const state = this.#state();
    this.#setAccount(session, state.devices.get(session.pin));
    return session.account === undefined ? undefined : state.accounts.get(session.account);
  }

  /** All groups an account has to do with, as it is told them. */
  viewsFor(session: Session, account: Account): ReturnType<typeof groupView>[] {
    const state = this.#state();
    const views = [...account.groups, ...account.waitingIn].flatMap((id) => {
      const group = state.groups.get(id);
      return group ? [groupView(state, group, account.id)] : [];
    });
    session.told.clear();
    for (const view of views) session.told.set(view.group, encode(groupViewSchema, view));
    return views;
  }

  /** Tells everybody concerned what has changed. */
  tell(changes: Changes): void {
    const state = this.#state();
    for (const ended of changes.ended) this.#tellEnd(ended);
    for (const id of changes.accounts) this.#tellAccount(id);
    for (const id of changes.groups) {
      const group = state.groups.get(id);
      if (!group) continue;
      for (const session of this.#concernedBy(group)) this.#tellGroup(state, session, group);
    }
  }

  #tellGroup(state: State, session: Session, group: Group): void {
    if (!session.isListening || session.account === undefined) return;
    const before = session.told.get(group.id);
    if (roleOf(group, session.account) === 'stranger') {
      if (!before) return;
      session.told.delete(group.id);
      session.notify('groupGone', { group: group.id, name: group.name, why: group.gone.get(session.account) ?? 'removed' });
      return;
    }
    const view = groupView(state, group, session.account);
    const bytes = encode(groupViewSchema, view);
    if (before?.equals(bytes)) return;
    session.told.set(group.id, bytes);
    session.notify('groupChanged', view);
  }

  /** Sessions of members and applicants, and of whoever still believes to be one. */
  #concernedBy(group: Group): Set<Session> {
    const concerned = new Set<Session>();
    const accounts = [...group.members.keys(), ...[...group.waiting.values()].map(({ account }) => account), ...group.gone.keys()];
    for (const account of accounts) for (const session of this.#byAccount.get(account) ?? []) concerned.add(session);
    return concerned;
  }

  /** Devices of an account may have been signed in or out. */
  #tellAccount(id: AccountId): void {
    const state = this.#state();
    for (const session of [...(this.#byAccount.get(id) ?? [])]) {
      if (state.devices.get(session.pin) === id) continue;
      this.#setAccount(session, undefined);
      session.told.clear();
      if (session.isListening) session.notify('signedOut', {});
    }
  }

  /** A membership or a sign-in has ended: no swarm lists it any more, and everybody who might serve it hears of it. */
  #tellEnd({ account, group, device, at }: Ended): void {
    const state = this.#state();
    for (const session of this.#byAccount.get(account) ?? []) {
      if (session.present && (device === undefined || session.pin === device)) this.#swarms.removeAll(session.present, group);
    }
    const revocation = signRevocation({ realm: this.#realm, what: group === undefined ? 'signIn' : 'membership', account, group, device, at: { ms: at.ms, counter: at.counter } }, this.#signer);
    const groups = group === undefined ? [...(state.accounts.get(account)?.groups ?? [])] : [group];
    const hearers = new Set<Session>();
    for (const id of groups) for (const member of state.groups.get(id)?.members.keys() ?? []) for (const session of this.#byAccount.get(member) ?? []) hearers.add(session);
    for (const session of hearers) session.notify('revoked', { revocation });
  }

  #setAccount(session: Session, account: AccountId | undefined): void {
    if (session.account === account) return;
    if (session.present) this.#swarms.removeAll(session.present);
    session.present = undefined;
    if (session.account !== undefined) take(this.#byAccount, session.account, session);
    session.account = account;
    if (account === undefined) return;
    put(this.#byAccount, account, session);
    const { pin, host } = session;
    const user = this.#state().accounts.get(account)?.name ?? '';
    session.present = { pin, account, user, host, get addresses() { return session.addresses; }, tell: (change) => session.notify('swarmChanged', change) };
  }
}

function put<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const some = map.get(key);
  if (some) some.add(value);
  else map.set(key, new Set([value]));
}
function take<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const some = map.get(key);
  some?.delete(value);
  if (some?.size === 0) map.delete(key);
}
