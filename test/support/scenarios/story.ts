// Histories of a realm, told in lines, for tests of the fold: who did what at which of two
// trackers, and when these met.
//
//   A alice   signUp                   an account and the sign-in of her first device
//   A alice/2 signIn                   her second device
//   A alice   createGroup team         an id may follow where two have the same name: `createGroup team=t2`
//   B bob     requestJoin team r1
//   sync                               from here on both trackers know what was said before
//   A alice   shareFile team a.txt 1 [replace]      content 1
//   again 3                            the third operation of the story is sent once more, to the other tracker
//
// Lines are in the order of their stamps.
import { createHash } from 'node:crypto';
import type {
  AccountId,
  GroupId,
  OperationId,
  Origin,
  Pin,
  RequestId,
  Root,
  Sha256,
} from '../../../protocol/base/ids.ts';
import type { ReadOperation, Stamp } from '../../../protocol/messages/operations.ts';
import { apply, check } from '../../../tracker/fold/fold.ts';
import type { State } from '../../../tracker/fold/state.ts';
import { emptyState, noChanges } from '../../../tracker/fold/state.ts';

export interface Told {
  readonly op: ReadOperation;
  readonly stamp: Stamp;
  readonly added: Uint8Array;
  /** The words that told it, without the tracker. */
  readonly line: string;
}

const idOf = <T extends string>(kind: string, name: string, bytes = 16): T =>
  createHash('sha256')
    .update(`${kind} ${name}`)
    .digest('hex')
    .slice(0, 2 * bytes) as T;
export const accountOf = (name: string): AccountId => idOf('account', name);
export const groupOf = (name: string): GroupId => idOf('group', name);

/** The operations of a story in their order. */
export function told(story: string): Told[] {
  const origins = { A: 'aaaaaaaaaaaaaaaa' as Origin, B: 'bbbbbbbbbbbbbbbb' as Origin };
  const have = { A: 0, B: 0 };
  const seen = { A: 0, B: 0 }; // of the other one
  const all: Told[] = [];
  const say = (tracker: 'A' | 'B', op: ReadOperation, line: string): void => {
    const other = tracker === 'A' ? 'B' : 'A';
    const stamp: Stamp = {
      ms: 1000 + all.length,
      counter: 0,
      origin: origins[tracker],
      seq: ++have[tracker],
      previous: new Uint8Array(32),
      seen: seen[tracker] > 0 ? [{ origin: origins[other], seq: seen[tracker] }] : [],
    };
    all.push({
      op,
      stamp,
      added: Buffer.from(['createAccount', 'changePassword', 'resetPassword'].includes(op.name) ? line : ''),
      line,
    });
  };
  for (const line of story
    .split('\n')
    .map((text) => text.trim())
    .filter((text) => text !== '')) {
    const [first, who = '', what = '', ...words] = line.split(/\s+/);
    if (first === 'sync') {
      Object.assign(seen, { A: have.B, B: have.A });
    } else if (first === 'again') {
      const before = all[Number(who) - 1];
      if (!before) throw new Error(`nothing to say again: ${line}`);
      say(before.stamp.origin === origins.A ? 'B' : 'A', before.op, before.line);
    } else if (first === 'A' || first === 'B') {
      const rest = [who, what, ...words].join(' ');
      const ids = `${rest} ${all.length}`;
      if (what === 'signUp') {
        say(first, operation(who, 'createAccount', words, ids), `${who} createAccount`);
        say(first, operation(who, 'signIn', words, `${ids}'`), `${who} signIn`);
      } else {
        say(first, operation(who, what, words, ids), rest);
      }
    } else {
      throw new Error(`not a line of a story: ${line}`);
    }
  }
  return all;
}

/**
 * @param who  `alice`, `alice/2` for her second device, `alice=a2` for another account that wants
 *   the same name
 */
function operation(who: string, name: string, words: readonly string[], id: string): ReadOperation {
  const [person = '', device = '1'] = who.split('/');
  const [user = '', key = user] = person.split('=');
  const account = accountOf(key);
  const [first = '', second = '', third = '', fourth = ''] = words;
  const [groupName = '', groupKey = groupName] = first.split('=');
  const group = groupOf(groupKey);
  const request = idOf<RequestId>('request', second);
  const bodies: Record<string, object> = {
    createAccount: { account, name: user },
    changePassword: { account },
    signIn: { account },
    signOut: { account, device: idOf<Pin>('device', `${key}/${first || device}`, 32) },
    createGroup: { group, name: groupName },
    requestJoin: { group, request },
    cancelRequest: { group, request },
    acceptRequest: { group, request },
    rejectRequest: { group, request },
    leaveGroup: { group },
    removeMember: { group, account: accountOf(second) },
    shareFile: {
      group,
      name: second,
      root: idOf<Root>('root', third, 32),
      sizeBytes: 1000 + Number(third),
      pieceBytes: 16_384,
      sha256: idOf<Sha256>('sha256', third, 32),
      replace: fourth === 'replace',
      content: 'file',
    },
    stopShare: { group, name: second },
    removeFile: { group, name: second },
    transferGroup: { group, account: accountOf(second) },
    setOwner: { group, account: accountOf(second) },
    deleteGroup: { group },
    renameGroup: { group, name: second },
    renameAccount: { account, name: first },
    resetPassword: { account: accountOf(first) },
    setFoldVersion: { version: Number(first) },
  };
  const body = bodies[name];
  if (!body) throw new Error(`no operation is called ${name}`);
  return {
    realm: idOf<Pin>('realm', '', 32),
    id: idOf<OperationId>('operation', id),
    account,
    createdAtMs: 0,
    device: idOf<Pin>('device', `${key}/${device}`, 32),
    name,
    body,
  } as ReadOperation;
}

/** What a story comes to. */
export function folded(story: readonly Told[]): State {
  const state = emptyState();
  for (const { op, stamp, added } of story) apply(state, op, stamp, added, noChanges());
  return state;
}

/** Why the last operation of a story would be refused if it came in now. */
export function refusalOfLast(story: string): string | undefined {
  const all = told(story);
  const last = all.pop();
  if (!last) throw new Error('an empty story');
  return check(folded(all), last.op)?.code;
}

/**
 * A state in words: its groups with their members (* the owner, ? who has asked) and files, and who
 * is signed in.
 */
export function inWords(state: State): Record<string, string> {
  const words: Record<string, string> = {};
  const nameOf = (id: AccountId): string => state.accounts.get(id)?.name ?? '?';
  for (const [, id] of state.groupNames) {
    const group = state.groups.get(id);
    if (!group) continue;
    const members = [...group.members.keys()].map((member) => nameOf(member) + (member === group.owner ? '*' : ''));
    const waiting = [...group.waiting.values()].map(({ account }) => `${nameOf(account)}?`);
    const files = [...group.files].map(
      ([, { name, version, author, sizeBytes, sharers }]) =>
        `${name} v${version} content ${sizeBytes - 1000} by ${nameOf(author)} from ${[...sharers].map(nameOf).join(',') || 'nobody'}`,
    );
    words[group.name] = [[...members, ...waiting].join(' '), ...files].join('; ');
  }
  return words;
}

/** Operations that did not come to what they meant, each with what became of it. */
export function conflicts(story: readonly Told[]): string[] {
  const state = folded(story);
  return story.flatMap(({ op, line }) => {
    const result = state.operations.get(op.id)?.result;
    return result === 'ok' ? [] : [`${line}: ${result}`];
  });
}
