// Rules of accounts: their names, passwords and the devices that are signed in. A sign-in that
// ended stays ended for those who did not know of the end.
import { DEVICES_PER_ACCOUNT_MAX, NAME_CHARS_MAX } from '../../protocol/base/limits.ts';
import type { AccountId, Pin } from '../../protocol/base/ids.ts';
import { isName, nameKey } from '../../protocol/base/names.ts';
import { devicePart, userNamePart } from './footprint.ts';
import type { ApplyContext, Op, Rule } from './rule.ts';
import { freeName, idTaken, userOf } from './rule.ts';
import type { Account, Refusal, State } from './state.ts';
import { hasSeen, placeOf, refusal } from './state.ts';

type AccountOperation = 'createAccount' | 'changePassword' | 'resetPassword' | 'renameAccount' | 'signIn' | 'signOut';

export const accountRules: { readonly [N in AccountOperation]: Rule<N> } = {
  createAccount: {
    check(state, op) {
      const { name } = op.body;
      return (
        cannotCreate(state, op) ?? (state.userNames.has(nameKey(name)) ? refusal('nameTaken', { name }) : undefined)
      );
    },
    checkInOrder: cannotCreate,
    effect(state, op, at) {
      const { account: id, name: wanted } = op.body;
      const name = freeName(wanted, id, (key) => state.userNames.has(key));
      if (name !== wanted) {
        at.outcome.result = 'renamed';
        at.undoLog.set(state.lostNames, nameKey(wanted), [...(state.lostNames.get(nameKey(wanted)) ?? []), id]);
      }
      at.undoLog.set(state.userNames, nameKey(name), id);
      const account: Account = {
        id,
        name,
        passwordHash: textOf(at.added),
        devices: new Map(),
        ends: new Map(),
        passwordChanges: [],
        groups: new Set(),
        waitingIn: new Set(),
      };
      at.undoLog.set(state.accounts, id, account);
      at.changes.accounts.add(id);
    },
  },

  changePassword: {
    check: namesItself,
    effect(state, op, at) {
      const account = state.accounts.get(op.account) as Account;
      at.undoLog.assign(account, 'passwordHash', textOf(at.added));
      at.undoLog.push(account.passwordChanges, { outcome: at.outcome, by: op.device });
      for (const device of [...account.devices.keys()]) if (device !== op.device) endSignIn(state, account, device, at);
    },
  },

  resetPassword: {
    check: (state, op) =>
      state.accounts.has(op.body.account)
        ? undefined
        : refusal('unknownUser', { user: userOf(state, op.body.account) }),
    effect(state, op, at) {
      const account = state.accounts.get(op.body.account) as Account;
      at.undoLog.assign(account, 'passwordHash', textOf(at.added));
      at.undoLog.push(account.passwordChanges, { outcome: at.outcome, by: op.device });
      for (const device of [...account.devices.keys()]) endSignIn(state, account, device, at);
    },
  },

  renameAccount: {
    check(state, op) {
      const { name } = op.body;
      const has = state.userNames.get(nameKey(name));
      const account = state.accounts.get(op.account);
      if (!isName(name)) return refusal('badName', { name, max: NAME_CHARS_MAX });
      // people know each other by it
      if (account && isName(account.name)) return refusal('nameKept', { name: account.name });
      return namesItself(state, op) ?? (account && has === undefined ? undefined : refusal('nameTaken', { name }));
    },
    effect(state, op, { undoLog, changes }) {
      const account = state.accounts.get(op.account) as Account;
      undoLog.note(userNamePart(account.name));
      undoLog.drop(state.userNames, nameKey(account.name));
      undoLog.set(state.userNames, nameKey(op.body.name), account.id);
      undoLog.assign(account, 'name', op.body.name);
      changes.accounts.add(account.id);
      for (const group of account.groups) changes.groups.add(group);
    },
  },

  signIn: {
    check: cannotSignIn,
    checkInOrder(state, op, { stamp }) {
      const account = state.accounts.get(op.account);
      const ends = account?.ends.get(op.device) ?? [];
      if (ends.some((end) => !hasSeen(stamp, end.outcome))) return refusal('notSignedIn');
      const changes = account?.passwordChanges ?? [];
      if (changes.some((change) => change.by !== op.device && !hasSeen(stamp, change.outcome))) {
        return refusal('wrongPassword');
      }
      return cannotSignIn(state, op);
    },
    effect(state, op, at) {
      const account = state.accounts.get(op.account) as Account;
      if (account.devices.has(op.device)) return; // signed in already: tickets go on counting from then
      at.undoLog.set(account.devices, op.device, placeOf(at.stamp));
      at.undoLog.set(state.devices, op.device, account.id);
      at.changes.accounts.add(account.id);
    },
  },

  signOut: {
    check(state, op) {
      return (
        namesItself(state, op) ??
        (state.devices.get(op.body.device) === op.account ? undefined : refusal('notSignedIn'))
      );
    },
    checkInOrder: namesItself,
    effect(state, op, at) {
      endSignIn(state, state.accounts.get(op.account) as Account, op.body.device, at);
    },
  },
};

function cannotCreate(state: State, op: Op<'createAccount'>): Refusal | undefined {
  const { account, name } = op.body;
  if (!isName(name)) return refusal('badName', { name, max: NAME_CHARS_MAX });
  return namesItself(state, op) ?? (state.accounts.has(account) ? idTaken('createAccount') : undefined);
}

function cannotSignIn(state: State, op: Op<'signIn'>): Refusal | undefined {
  const account = state.accounts.get(op.account);
  if (!account) return refusal('wrongPassword');
  const wrong = namesItself(state, op);
  if (wrong) return wrong;
  const other = state.devices.get(op.device);
  if (other !== undefined && other !== op.account) return refusal('signedInAlready', { user: userOf(state, other) });
  if (!account.devices.has(op.device) && account.devices.size >= DEVICES_PER_ACCOUNT_MAX) {
    return refusal('tooManyDevices', { max: DEVICES_PER_ACCOUNT_MAX });
  }
  return undefined;
}

/** These operations name an account in their body as well: it must be their author's. */
function namesItself(
  _state: State,
  op: { readonly account: AccountId; readonly name: AccountOperation; readonly body: { readonly account: AccountId } },
): Refusal | undefined {
  return op.body.account === op.account
    ? undefined
    : refusal('badMessage', { type: op.name, why: 'it names another account' });
}

/**
 * Ends a sign-in, and remembers the end even where there is none: one that comes from the other
 * tracker may not have known of it.
 */
function endSignIn(
  state: State,
  account: Account,
  device: Pin,
  { stamp, outcome, changes, undoLog }: ApplyContext,
): void {
  undoLog.set(account.ends, device, [...(account.ends.get(device) ?? []), { outcome, at: placeOf(stamp) }]);
  const since = account.devices.get(device);
  if (!since) return;
  undoLog.note(devicePart(device));
  undoLog.delete(account.devices, device);
  undoLog.drop(state.devices, device);
  changes.accounts.add(account.id);
  changes.ended.push({ account: account.id, device, since, at: stamp });
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
