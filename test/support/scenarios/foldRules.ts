// What holds in every state, whatever happened.
import type { State } from '../../../tracker/fold/state.ts';

/** Each rule that does not hold, in a sentence. */
export function* brokenRules(state: State): Generator<string> {
  const names = [...state.accounts.values()].map(({ name }) => name.toLowerCase());
  if (new Set(names).size !== names.length) yield `two users have one name: ${names.join(' ')}`;
  for (const [key, id] of state.userNames) {
    if (state.accounts.get(id)?.name.toLowerCase() !== key) yield `the name ${key} leads to another account`;
  }
  const groups = [...state.groups.values()].filter((group) => !group.isArchived);
  if (groups.length !== state.groupNames.size) yield 'a living group has no name of its own';
  for (const group of groups) {
    if (!group.members.has(group.owner)) yield `the owner of ${group.name} is no member`;
    for (const member of group.members.keys()) {
      if (!state.accounts.get(member)?.groups.has(group.id)) yield `${group.name} is not in the list of its member`;
    }
    for (const file of group.files.values()) {
      for (const sharer of file.sharers) {
        if (!group.members.has(sharer)) yield `${file.name} is shared by somebody who is not in`;
      }
    }
    for (const [request, { as }] of group.decided) {
      if (
        (as === 'rejected' || as === 'cancelled') &&
        [...group.members.values()].some((member) => member.request === request)
      ) {
        yield `a request that was ${as} has let somebody into ${group.name}`;
      }
    }
    for (const { account } of group.waiting.values()) {
      if (!state.accounts.get(account)?.waitingIn.has(group.id)) {
        yield `${group.name} does not stand with its applicant`;
      }
    }
  }
  for (const account of state.accounts.values()) {
    for (const id of account.groups) {
      if (!state.groups.get(id)?.members.has(account.id)) yield `${account.name} believes to be a member`;
    }
    for (const device of account.devices.keys()) {
      if (state.devices.get(device) !== account.id) yield `a device of ${account.name} is signed in elsewhere`;
    }
  }
}
