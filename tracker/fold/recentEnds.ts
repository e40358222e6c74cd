// Which memberships and sign-ins ended lately, as far as an account has to do with them: whoever
// shares a group with them may hold a ticket of theirs.
import type { AccountId } from '../../protocol/base/ids.ts';
import type { Account, End, Ended, State } from './state.ts';

/**
 * The last end of each membership in the account's groups, and of each sign-in of their members, if
 * it was after `sinceMs`.
 */
export function recentEnds(state: State, account: Account, sinceMs: number): Omit<Ended, 'since'>[] {
  const recent: Omit<Ended, 'since'>[] = [];
  const seen = new Set<AccountId>();
  for (const id of account.groups) {
    const group = state.groups.get(id);
    for (const [who, all] of group?.ends ?? []) {
      for (const at of lastAfter(all, sinceMs)) recent.push({ account: who, group: id, at });
    }
    for (const who of group?.members.keys() ?? []) {
      if (seen.has(who)) continue;
      seen.add(who);
      for (const [device, all] of state.accounts.get(who)?.ends ?? []) {
        for (const at of lastAfter(all, sinceMs)) recent.push({ account: who, device, at });
      }
    }
  }
  return recent;
}

const lastAfter = (ends: readonly End[], sinceMs: number): End['at'][] =>
  ends.slice(-1).flatMap(({ at }) => (at.ms > sinceMs ? [at] : []));
