// One handler for each message an engine may send. Each asks who is asking, then the state or the
// ledger; none knows how operations become durable or reach the partner.
import { Sequencer } from '../../protocol/async/sequencer.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import type { AccountId, GroupId, Root } from '../../protocol/base/ids.ts';
import { short, swarmKeyText } from '../../protocol/base/ids.ts';
import {
  CONFLICTS_PER_NOTICE_MAX,
  CONFLICTS_PER_REPLY_MAX,
  OPERATION_AGE_MS_MAX,
  PAGE_ROWS_MAX,
  PEERS_PER_REPLY_MAX,
  TICKET_MS,
} from '../../protocol/base/limits.ts';
import { fileNameKey, nameKey } from '../../protocol/base/names.ts';
import type { SignedOperation } from '../../protocol/base/fields.ts';
import type { ReadOperation } from '../../protocol/messages/operations.ts';
import { decodeEntry, TRACKER_OPERATIONS } from '../../protocol/messages/operations.ts';
import type { BodyOf, HandlersOf } from '../../protocol/wire/table.ts';
import type { TicketSigner } from '../../protocol/messages/ticket.ts';
import { receiptCounts, signReceipt } from '../../protocol/messages/receipt.ts';
import { signTicket } from '../../protocol/messages/ticket.ts';
import type { Receipt, trackerLink } from '../../protocol/messages/trackerLink.ts';
import type { Clock } from '../../protocol/base/world.ts';
import type { ReadYourWrites } from '../pair/readYourWrites.ts';
import type { Conflicts } from '../pair/conflicts.ts';
import type { Account, Group } from '../fold/state.ts';
import type { Acknowledged, Ledger } from '../log/ledger.ts';
import type { Passwords } from './passwords.ts';
import type { TrackerList } from '../pair/trackerList.ts';
import type { Session, Sessions } from './sessions.ts';
import { peerFor } from './swarms.ts';
import type { Swarms } from './swarms.ts';
import type { AttemptLimiter } from './attemptLimiter.ts';
import { fileRow, groupRow, memberRow } from './views.ts';

/**
 * Peers in the answer to one announce, all its swarms together: keeps it under 1 MiB with the
 * longest addresses.
 */
const PEERS_PER_ANNOUNCE_MAX = 1024;
/**
 * Characters of an address that is passed on: an IPv6 address with a zone, or a short name. Longer
 * ones are left out.
 */
const ADDRESS_CHARS_MAX = 64;
/** Swarms of one engine: a folder of 100,000 files. */
const SWARMS_PER_ENGINE_MAX = 100_000;
/** How long a password that was shown may be used to sign in on the same link, in ms. */
const SHOWN_PASSWORD_MS = 60_000;

export interface HandlerContext {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly sessions: Sessions;
  readonly swarms: Swarms;
  readonly signer: TicketSigner;
  /** The trackers of the realm: what a newcomer is shown, and whose receipts count. */
  readonly list: Pick<TrackerList, 'signed' | 'keys' | 'isRetired'>;
  /** Whether it takes nothing new in any more. */
  readonly isStopping: () => boolean;
  readonly pair: () => BodyOf<typeof trackerLink, 'pairChanged'>['pair'];
  readonly conflicts: Conflicts;
  readonly readYourWrites: ReadYourWrites;
  readonly passwords: Passwords;
  readonly attempts: {
    readonly perUser: AttemptLimiter;
    readonly perHost: AttemptLimiter;
    readonly accounts: AttemptLimiter;
  };
}

export function requestHandlersFor(
  session: Session,
  context: HandlerContext,
): HandlersOf<typeof trackerLink, 'tracker'> {
  const {
    clock,
    ledger,
    sessions,
    swarms,
    signer,
    list,
    isStopping,
    pair,
    conflicts,
    readYourWrites,
    passwords,
    attempts,
  } = context;

  /** With the proof that we have said so, for the day that this disk is lost. */
  const receipt = async (taken: Promise<Acknowledged>): Promise<Receipt> => {
    const acknowledged = await taken;
    return { ...acknowledged, proof: acknowledged.entry && signReceipt(acknowledged.entry, signer) };
  };
  /** The account of this link. @throws ShoalError notSignedIn */
  const me = (): Account => {
    if (list.isRetired) throw new ShoalError('retired');
    const account = session.account === undefined ? undefined : ledger.state.accounts.get(session.account);
    if (!account) throw new ShoalError('notSignedIn');
    return account;
  };
  const groupOf = (id: GroupId): Group => {
    const group = ledger.state.groups.get(id);
    if (!group || group.isArchived) throw new ShoalError('unknownGroup', { group: group?.name ?? short(id) });
    return group;
  };
  const groupOfMine = (id: GroupId): Group => {
    const group = groupOf(id);
    if (!group.members.has(me().id)) throw new ShoalError('notMember', { group: group.name });
    return group;
  };
  /** Gives operations out in the order in which they were sent. */
  const inOrder = new Sequencer();
  /** Reads an operation of this link's own device. */
  const readOwn = async (signed: SignedOperation): Promise<ReadOperation> => {
    const op = ledger.readUnchecked(signed);
    // By this door nobody is a tracker, whatever key they have: a former one's may be stolen.
    if (TRACKER_OPERATIONS.includes(op.name)) {
      throw new ShoalError('badMessage', {
        type: op.name,
        why: 'only a tracker takes such an operation in, from its operator',
      });
    }
    if (list.isRetired) throw new ShoalError('retired');
    if (isStopping()) throw new ShoalError('unavailable', { why: 'it is stopping' });
    if (op.device !== session.pin) {
      throw new ShoalError('badMessage', { type: 'operation', why: 'another device has signed it' });
    }
    const checked = ledger.checkSignature(op, signed); // several at once: only the results take turns
    checked.catch(() => {}); // its failure is thrown in its turn
    await inOrder.run(() => checked);
    return op;
  };
  const counts = (group: GroupId, root: Root): ReturnType<Swarms['counts']> => swarms.counts({ group, root });
  const refuse = (type: string): never => {
    throw new ShoalError('badMessage', { type, why: 'it carries another operation' });
  };
  const accountNamed = (user: string): Account | undefined => {
    const { userNames, accounts } = ledger.state;
    const id = userNames.get(nameKey(user));
    return id === undefined ? undefined : accounts.get(id);
  };
  /**
   * Whose password it is, of those who may sign in with this name: who has it, or who lost it to an
   * earlier one.
   */
  const accountFor = async (user: string, password: string): Promise<Account> => {
    const lost = (ledger.state.lostNames.get(nameKey(user)) ?? []).map((id) => ledger.state.accounts.get(id));
    for (const account of [accountNamed(user), ...lost]) {
      if (await passwords.fits(password, account?.passwordHash)) return account as Account;
    }
    throw new ShoalError('wrongPassword');
  };
  const attempt = async <T>(user: string, check: () => Promise<T>): Promise<T> => {
    const key = `${nameKey(user)} ${session.host}`;
    attempts.perHost.take(session.host, session.host);
    attempts.perUser.take(key, session.host);
    const value = await check();
    attempts.perHost.giveBack(session.host);
    attempts.perUser.giveBack(key);
    return value;
  };

  return {
    descriptor: () => ({ ...list.signed, nowMs: clock.now() }),

    async createAccount({ signed, password }) {
      const op = await readOwn(signed);
      if (op.name !== 'createAccount') return refuse('createAccount');
      if (ledger.knows(op)) return receipt(ledger.ingest(signed, op));
      ledger.check(op); // before the costly hash; the ledger looks again
      attempts.accounts.take(session.host, session.host);
      return receipt(ledger.ingest(signed, op, Buffer.from(await passwords.hash(password))));
    },
    async authenticate({ user, password }) {
      const account = await attempt(user, () => accountFor(user, password));
      session.shownPassword = { account: account.id, untilMs: clock.monotonicMs() + SHOWN_PASSWORD_MS };
      return { account: account.id, user: account.name };
    },
    async changePassword({ signed, oldPassword, newPassword }) {
      const op = await readOwn(signed);
      if (op.name !== 'changePassword') return refuse('changePassword');
      if (ledger.knows(op)) return receipt(ledger.ingest(signed, op));
      ledger.check(op);
      const account = me();
      await attempt(account.name, async () => {
        if (!(await passwords.fits(oldPassword, account.passwordHash))) throw new ShoalError('wrongPassword');
      });
      return receipt(ledger.ingest(signed, op, Buffer.from(await passwords.hash(newPassword))));
    },
    async submit({ signed }) {
      const op = await readOwn(signed);
      // These carry what only their own calls check. One that is in the log already is answered all
      // the same.
      const isNew = !ledger.knows(op);
      if (isNew && (op.name === 'createAccount' || op.name === 'changePassword')) return refuse('submit');
      if (isNew && op.name === 'signIn') {
        const { shownPassword } = session;
        if (shownPassword?.account !== op.account || clock.monotonicMs() > shownPassword.untilMs) {
          throw new ShoalError('wrongPassword');
        }
        session.shownPassword = undefined;
      }
      // Nobody can take it back, so nobody may be able to contradict it elsewhere.
      if (isNew && op.name === 'deleteGroup' && pair() === 'apart') throw new ShoalError('needBoth');
      return receipt(ledger.ingest(signed, op));
    },
    async restore({ entry: bytes, proof }) {
      const entry = decodeEntry(bytes);
      const op = await readOwn(entry);
      if (!receiptCounts(bytes, proof, list.keys)) {
        throw new ShoalError('badTicket', { why: 'no tracker of this realm has signed this receipt' });
      }
      return receipt(ledger.restore(entry, op));
    },

    session() {
      if (list.isRetired) throw new ShoalError('retired');
      const account = sessions.identify(session);
      const nowMs = clock.now();
      if (!account) return { account, groups: [], nowMs, pair: pair() };
      sessions.sendRecentEnds(session, account, nowMs);
      const recent = conflicts.of(account.id, CONFLICTS_PER_NOTICE_MAX, nowMs - OPERATION_AGE_MS_MAX);
      if (recent.length > 0) session.notify('conflicted', { conflicts: recent });
      return {
        account: { account: account.id, user: account.name },
        groups: sessions.viewsFor(session, account),
        nowMs,
        pair: pair(),
      };
    },
    listening({ addresses }) {
      session.addresses = addresses.filter(({ host }) => host.length <= ADDRESS_CHARS_MAX);
      if (session.present) swarms.moved(session.present);
      return { seen: { host: session.host, port: addresses[0]?.port ?? 0 } };
    },
    announce({ swarms: deltas }) {
      const { present } = session;
      const account = me();
      if (!present) throw new ShoalError('notSignedIn');
      const asking = deltas.filter(({ event, leftBytes }) => event === 'update' && leftBytes > 0).length;
      const peersMax = Math.min(PEERS_PER_REPLY_MAX, Math.max(1, Math.floor(PEERS_PER_ANNOUNCE_MAX / asking)));
      const answers = [];
      for (const { group, root, leftBytes, event } of deltas) {
        const key = { group, root };
        if (event !== 'update') {
          session.early.delete(swarmKeyText(key));
          swarms.remove(present, key);
        } else if (swarms.countOf(present) + session.early.size >= SWARMS_PER_ENGINE_MAX) {
          throw new ShoalError('busy');
        } else if (account.groups.has(group)) {
          if (swarms.update(present, key, leftBytes)) {
            answers.push({ ...key, ...swarms.counts(key), peers: swarms.others(present, key, peersMax) });
          }
        } else {
          // The partner may know of a membership that has not come here yet.
          session.early.set(swarmKeyText(key), { key, leftBytes });
        }
      }
      return { swarms: answers };
    },
    askDial({ pin, group }) {
      groupOfMine(group);
      const other = sessions.ofPin(pin);
      const { present } = session;
      if (!other?.account || !present || !groupOf(group).members.has(other.account)) return { asked: false };
      other.notify('dialRequest', { peer: peerFor(other, present, 0), group });
      return { asked: true };
    },
    tickets() {
      const account = me();
      const nowMs = clock.now();
      const signedInSince = account.devices.get(session.pin);
      const tickets = [...account.groups].flatMap((id) => {
        const member = ledger.state.groups.get(id)?.members.get(account.id);
        if (!member || !signedInSince) return [];
        return [
          signTicket(
            {
              realm: ledger.realm,
              group: id,
              account: account.id,
              user: account.name,
              device: session.pin,
              memberSince: { ms: member.since.ms, counter: member.since.counter },
              signedInSince: { ms: signedInSince.ms, counter: signedInSince.counter },
              issuedAtMs: nowMs,
              expiresAtMs: nowMs + TICKET_MS,
            },
            signer,
          ),
        ];
      });
      return { tickets, nowMs };
    },

    conflicts: () => ({ conflicts: conflicts.of(me().id, CONFLICTS_PER_REPLY_MAX) }),
    async catchUp({ seen }) {
      return { stale: !(await readYourWrites.waitFor(seen)), have: ledger.seen };
    },

    listGroups({ after }) {
      me();
      const { values, more } = ledger.state.groupNames.page(nameKey(after), PAGE_ROWS_MAX);
      return {
        groups: values.map((id) => groupRow(ledger.state, groupOf(id), session.account, sessions.isOnline)),
        more,
      };
    },
    findGroup({ name }) {
      me();
      const id = ledger.state.groupNames.get(nameKey(name));
      if (id === undefined) throw new ShoalError('unknownGroup', { group: name });
      return groupRow(ledger.state, groupOf(id), session.account, sessions.isOnline);
    },
    listMembers({ group: id, after }) {
      const group = groupOfMine(id);
      const userOf = (account: AccountId): string => nameKey(ledger.state.accounts.get(account)?.name ?? '');
      const members = [...group.members.keys()]
        .sort((a, b) => (userOf(a) < userOf(b) ? -1 : 1))
        .filter((account) => userOf(account) > nameKey(after));
      const rows = members
        .slice(0, PAGE_ROWS_MAX)
        .map((account) => memberRow(ledger.state, group, account, sessions.isOnline));
      return { members: rows, more: members.length > rows.length };
    },
    listFiles({ group: id, after }) {
      const group = groupOfMine(id);
      const { values, more } = group.files.page(fileNameKey(after), PAGE_ROWS_MAX);
      const account = me().id;
      return {
        files: values.map((file) => fileRow(ledger.state, id, file, account, counts)),
        more,
        filesVersion: group.filesVersion,
      };
    },
    findFile({ group: id, name }) {
      const group = groupOfMine(id);
      const file = group.files.get(fileNameKey(name));
      if (!file) throw new ShoalError('unknownFile', { name, group: group.name });
      return fileRow(ledger.state, id, file, me().id, counts);
    },
  };
}
