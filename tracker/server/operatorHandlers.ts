// What an operator may ask the running tracker whose key they hold: how it is, its conflicts, a
// newer list of trackers, another password or owner, its end.
import { ShoalError } from '../../protocol/base/errors.ts';
import type { AccountId } from '../../protocol/base/ids.ts';
import { nameKey } from '../../protocol/base/names.ts';
import type { Clock } from '../../protocol/base/world.ts';
import type { OperationBody, OperationName } from '../../protocol/messages/operations.ts';
import type { operatorLink } from '../../protocol/messages/partnerLink.ts';
import type { HandlersOf } from '../../protocol/wire/table.ts';
import type { TrackerConfig } from '../admin/config.ts';
import { stateHash } from '../fold/state.ts';
import type { Ledger } from '../log/ledger.ts';
import type { Conflicts } from '../pair/conflicts.ts';
import type { Partner, PartnerState } from '../pair/partner.ts';
import type { TrackerList } from '../pair/trackerList.ts';
import type { Passwords } from './passwords.ts';
import type { Sessions } from './sessions.ts';
import type { Swarms } from './swarms.ts';

export interface OperatorContext {
  readonly clock: Clock;
  readonly config: TrackerConfig;
  readonly version: string;
  /** 0 where it is not told. */
  readonly processId: number;
  /** When the tracker was started, on the monotonic clock. */
  readonly startedMs: number;
  readonly ledger: Ledger;
  readonly partner: Partner;
  readonly trackerList: TrackerList;
  readonly conflicts: Conflicts;
  readonly sessions: Sessions;
  readonly swarms: Swarms;
  readonly passwords: Passwords;
  readonly state: () => TrackerState;
  readonly durability: () => Durability;
  /** Takes in an operation of this tracker itself. @throws ShoalError why its rule refuses it */
  readonly author: <N extends OperationName>(
    name: N,
    body: OperationBody<N>,
    added?: Uint8Array,
  ) => Promise<{ readonly durability: 'both' | 'one' }>;
  readonly stop: () => void;
}

export type TrackerState = PartnerState | 'retired' | 'draining';
/** What an answer to a new operation would say. */
export type Durability = 'both' | 'one' | 'none';
export type TrackerStatus = ReturnType<typeof trackerStatus>;

export function trackerStatus(context: OperatorContext) {
  const { clock, config, version, processId, ledger, partner, sessions, swarms, conflicts, trackerList } = context;
  const { state, log, frontier, unsettled, aheadMs } = ledger;
  const offsetMs = Math.round(partner.clockOffsetMs);
  let files = 0;
  for (const group of state.groups.values()) files += group.files.size;
  return {
    number: config.number,
    version,
    realm: config.realm,
    origin: log.origin,
    upMs: Math.round(clock.monotonicMs() - context.startedMs),
    links: sessions.count,
    accounts: state.accounts.size,
    groups: state.groupNames.size,
    files,
    presences: swarms.presences,
    operations: log.count,
    partner: context.state(),
    partnerLagOperations: partner.lag,
    stateHash: stateHash(state),
    processId,
    unsettledOperations: unsettled,
    frontierMs: frontier?.ms ?? 0,
    conflicts: conflicts.count,
    clockAheadMs: Math.max(0, offsetMs),
    clockBehindMs: Math.max(0, -offsetMs),
    logAheadMs: Math.round(aheadMs),
    durability: context.durability(),
    listVersion: trackerList.version,
    memoryBytes: process.memoryUsage().rss,
  };
}

export function operatorHandlersFor(context: OperatorContext): HandlersOf<typeof operatorLink, 'tracker'> {
  const { clock, ledger, conflicts, trackerList, passwords, author, stop } = context;

  /** @throws ShoalError unknownUser */
  const accountNamed = (user: string): AccountId => {
    const account = ledger.state.userNames.get(nameKey(user));
    if (account === undefined) throw new ShoalError('unknownUser', { user });
    return account;
  };

  return {
    status: () => trackerStatus(context),
    conflicts: ({ from }) => conflicts.page(from),
    setList: async (list) => {
      await trackerList.adopt(list);
      return { version: trackerList.version };
    },
    resetPassword: async ({ user, password }) => {
      const account = accountNamed(user);
      return author('resetPassword', { account }, Buffer.from(await passwords.hash(password)));
    },
    setOwner: ({ group: name, user }) => {
      const group = ledger.state.groupNames.get(nameKey(name));
      if (group === undefined) throw new ShoalError('unknownGroup', { group: name });
      return author('setOwner', { group, account: accountNamed(user) });
    },
    stop: () => {
      clock.after(0, stop); // the answer goes out before the goodbye
      return {};
    },
  };
}
