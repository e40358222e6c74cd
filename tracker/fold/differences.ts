// What differs between two states: who has to be told after the log was folded anew. Compares what anybody can see, not everything.
import { compareStamps } from '../../protocol/operations.ts';
import type { Place } from '../../protocol/operations.ts';
import type { When } from '../../protocol/ticket.ts';
import type { Changes, State } from './state.ts';

/** Names all groups and accounts of both states (whoever pushes a view compares it with the one before) and every end of a membership or sign-in. */
export function differences(before: State, after: State, into: Changes): void {
  for (const [id, group] of before.groups) {
    into.groups.add(id);
    const now = after.groups.get(id);
    for (const [account, member] of group.members) {
      if (now?.members.has(account)) continue;
      into.ended.push({ account, group: id, since: member.since, at: endAfter(member.since, now?.ends.get(account)) });
    }
  }
  for (const id of after.groups.keys()) into.groups.add(id);
  for (const [id, account] of before.accounts) {
    into.accounts.add(id);
    const now = after.accounts.get(id);
    for (const [device, since] of account.devices) {
      if (now?.devices.has(device)) continue;
      into.ended.push({ account: id, device, since, at: endAfter(since, now?.ends.get(device)) });
    }
  }
  for (const id of after.accounts.keys()) into.accounts.add(id);
}

/**
 * When it ended. What let somebody in may now stand behind what put them out, or have no effect any more; it then ended right
 * after it began, so that the revocation beats the tickets that were given meanwhile.
 */
function endAfter(since: Place, ends: readonly { readonly at: Place }[] | undefined): When {
  const later = ends?.filter((end) => compareStamps(end.at, since) > 0).at(-1);
  return later?.at ?? { ms: since.ms, counter: since.counter + 1 };
}
