// The fold: from operations in their order to the state. Pure: no clock, no chance, no I/O, so that
// both trackers come to the same. This file says what holds for every operation; accounts.ts,
// groups.ts and catalog.ts have the rule of each.
import type { GroupId, OperationId } from '../../protocol/base/ids.ts';
import type { OperationName, ReadOperation, Stamp } from '../../protocol/messages/operations.ts';
import { TRACKER_OPERATIONS } from '../../protocol/messages/operations.ts';
import { accountRules } from './accounts.ts';
import { UndoLog } from './undoLog.ts';
import { catalogRules } from './catalog.ts';
import { groupRules } from './groups.ts';
import type { Rule } from './rule.ts';
import { isSignedIn } from './rule.ts';
import type { Changes, Outcome, Refusal, State } from './state.ts';
import { refusal } from './state.ts';

/**
 * The latest version of these rules. Which one counts is part of the state: new rules take effect
 * by an operation, when both trackers know them, and what stands before it is folded as it always
 * was.
 */
export const FOLD_VERSION = 1;

const rules: { readonly [N in OperationName]: Rule<N> } = {
  ...accountRules,
  ...groupRules,
  ...catalogRules,
  setFoldVersion: {
    check: (state, op) =>
      op.body.version > state.foldVersion
        ? undefined
        : refusal('badMessage', { type: op.name, why: 'these rules count already' }),
    effect: (state, op, { undoLog }) => undoLog.assign(state, 'foldVersion', op.body.version),
  },
};

/**
 * May change what the catalog of their group shows, even where they come to nothing: a page must
 * never look current and not be.
 */
const CATALOG_OPERATIONS: readonly OperationName[] = [
  'shareFile',
  'stopShare',
  'removeFile',
  'leaveGroup',
  'removeMember',
  'rejectRequest',
  'cancelRequest',
  'deleteGroup',
];

/**
 * Why a new operation cannot be taken in, judged by the state as it is now; undefined when it can.
 */
export function check(state: State, op: ReadOperation): Refusal | undefined {
  if (op.name === 'setFoldVersion' && op.body.version > FOLD_VERSION) {
    return refusal('badMessage', { type: op.name, why: 'nobody here knows these rules' });
  }
  return authorRefusal(state, op) ?? (rules[op.name] as Rule).check(state, op);
}

/**
 * Applies an operation of the log. Total: whatever stands in a log comes to something, if only to
 * being refused, because operations that were right on one tracker can meet others in the merged
 * order.
 *
 * @param added  what the tracker put into the entry: for createAccount and changePassword the
 *   password's hash
 * @returns with what it can be taken back
 */
export function apply(state: State, op: ReadOperation, stamp: Stamp, added: Uint8Array, changes: Changes): UndoLog {
  const undoLog = new UndoLog();
  const instance = { origin: stamp.origin, seq: stamp.seq };
  const before = state.operations.get(op.id);
  const outcome: Outcome = before ?? { result: 'ok', instances: [instance] };
  if (before) before.instances.push(instance);
  else state.operations.set(op.id, outcome);
  undoLog.resultBefore = before?.result;
  touch(state, op, changes, undoLog);
  // The same operation came in by both trackers: it takes effect once, at the first place where it
  // can.
  if (before?.result === 'ok' || before?.result === 'renamed') return undoLog;

  const rule = rules[op.name] as Rule;
  const at = { stamp, added, outcome, changes, undoLog };
  const refused =
    authorRefusal(state, op) ?? (rule.checkInOrder ? rule.checkInOrder(state, op, at) : rule.check(state, op));
  outcome.result = refused?.code ?? 'ok';
  if (!refused) rule.effect(state, op, at);
  return undoLog;
}

/**
 * Takes back an operation that was applied. Only while nobody has changed since what it has
 * changed.
 */
export function undo(state: State, id: OperationId, undoLog: UndoLog): void {
  undoLog.undo();
  const outcome = state.operations.get(id);
  outcome?.instances.pop();
  if (outcome && undoLog.resultBefore !== undefined) outcome.result = undoLog.resultBefore;
  else state.operations.delete(id);
}

/**
 * Only a device that is signed in speaks for its account. Making an account and signing in come
 * before that; whose a tracker's are, the ledger has checked.
 */
function authorRefusal(state: State, op: ReadOperation): Refusal | undefined {
  if (op.name === 'createAccount' || op.name === 'signIn' || TRACKER_OPERATIONS.includes(op.name)) return undefined;
  return isSignedIn(state, op) ? undefined : refusal('notSignedIn');
}

function touch(state: State, op: ReadOperation, changes: Changes, undoLog: UndoLog): void {
  const group = state.groups.get((op.body as { readonly group?: GroupId }).group as GroupId);
  if (!group) return;
  changes.groups.add(group.id);
  if (CATALOG_OPERATIONS.includes(op.name)) undoLog.count(group);
}
