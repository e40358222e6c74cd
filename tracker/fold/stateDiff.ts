// What differs between two states: who has to be told after operations were taken back and applied
// again. Compares what members can see, not everything.
import type { AccountId, GroupId, Pin } from '../../protocol/base/ids.ts';
import { compareStamps } from '../../protocol/messages/operations.ts';
import type { LogPosition } from '../../protocol/messages/operations.ts';
import type { Moment } from '../../protocol/messages/ticket.ts';
import type { Changes, Member, State } from './state.ts';

/** Who was a member, and which devices were signed in, at one moment. */
export interface MembershipSnapshot {
  readonly groups: ReadonlyMap<GroupId, ReadonlyMap<AccountId, Member>>;
  readonly accounts: ReadonlyMap<AccountId, ReadonlyMap<Pin, LogPosition>>;
}

/** Of these groups and accounts, as far as they exist now. */
export function snapshotOf(state: State, groups: Iterable<GroupId>, accounts: Iterable<AccountId>): MembershipSnapshot {
  const members = [...groups].flatMap((id) => {
    const group = state.groups.get(id);
    return group ? [[id, new Map(group.members)] as const] : [];
  });
  const devices = [...accounts].flatMap((id) => {
    const account = state.accounts.get(id);
    return account ? [[id, new Map(account.devices)] as const] : [];
  });
  return { groups: new Map(members), accounts: new Map(devices) };
}

/**
 * Names every group and account of the snapshot (the sender of a view compares it with the one
 * before), and every end of a membership or sign-in.
 */
export function diffState(before: MembershipSnapshot, after: State, into: Changes): void {
  for (const [id, members] of before.groups) {
    into.groups.add(id);
    const now = after.groups.get(id);
    for (const [account, member] of members) {
      if (now?.members.has(account)) continue;
      into.ended.push({ account, group: id, since: member.since, at: endAfter(member.since, now?.ends.get(account)) });
    }
  }
  for (const [id, devices] of before.accounts) {
    into.accounts.add(id);
    const now = after.accounts.get(id);
    for (const [device, since] of devices) {
      if (now?.devices.has(device)) continue;
      into.ended.push({ account: id, device, since, at: endAfter(since, now?.ends.get(device)) });
    }
  }
}

/**
 * When it ended. What let a person in may now stand behind what put them out, or have no effect any
 * more; it then ended right after it began, so that the revocation beats the tickets that were
 * given meanwhile.
 */
function endAfter(since: LogPosition, ends: readonly { readonly at: LogPosition }[] | undefined): Moment {
  const later = ends?.filter((end) => compareStamps(end.at, since) > 0).at(-1);
  return later?.at ?? { ms: since.ms, counter: since.counter + 1 };
}
