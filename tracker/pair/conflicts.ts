// Operations that were taken in and came to something else than their authors meant, because they
// met others in the merged order: both trackers derive the same list. Kept by their ids, so that
// finding them does not take a look at all operations.
import type { AccountId, GroupId, OperationId } from '../../protocol/base/ids.ts';
import { short } from '../../protocol/base/ids.ts';
import { CONFLICTS_PER_PAGE_MAX } from '../../protocol/base/limits.ts';
import type { Entry, ReadOperation } from '../../protocol/messages/operations.ts';
import { compareStamps, decodeEntry, readOperation } from '../../protocol/messages/operations.ts';
import type { Conflict as OperatorsConflict } from '../../protocol/messages/partnerLink.ts';
import type { Conflict } from '../../protocol/messages/trackerLink.ts';
import { userOf } from '../fold/rule.ts';
import type { Changes, State } from '../fold/state.ts';
import { entryAt } from '../log/opLog.ts';
import type { Ledger } from '../log/ledger.ts';

interface Found {
  readonly entry: Entry;
  readonly op: ReadOperation;
  readonly result: string;
}

export class Conflicts {
  readonly #ledger: Pick<Ledger, 'state' | 'log'>;
  readonly #ids = new Set<OperationId>();

  constructor(ledger: Pick<Ledger, 'state' | 'log'>) {
    this.#ledger = ledger;
    this.#learn(ledger.state.operations.keys());
  }

  /** Those that can still be told of. */
  get count(): number {
    return this.#ids.size;
  }

  /** Takes note of what has changed. Everything may have when it is not named. */
  onChange({ outcomes }: Pick<Changes, 'outcomes'>): void {
    this.#learn(outcomes);
  }

  /** At most a page of them in their order, from the `from`th on, and how many there are. */
  page(from: number): { readonly conflicts: readonly OperatorsConflict[]; readonly count: number } {
    const all = this.#inOrder(this.#ids);
    const conflicts = all.slice(from, from + CONFLICTS_PER_PAGE_MAX).map(({ entry, op, result }): OperatorsConflict => {
      const { group, name } = namesIn(this.#ledger.state, op);
      return {
        operation: op.id,
        what: op.name,
        user: userOf(this.#ledger.state, op.account),
        result,
        atMs: entry.stamp.ms,
        about: [group, name].filter((word) => word !== '').join(' '),
      };
    });
    return { conflicts, count: all.length };
  }

  /** The accounts that each of these operations concerns, and what they are told. */
  concerning(ids: Iterable<OperationId>): ReadonlyMap<AccountId, readonly Conflict[]> {
    const told = new Map<AccountId, Conflict[]>();
    for (const found of this.#inOrder(ids)) {
      for (const account of concernedBy(this.#ledger.state, found)) {
        const conflict = this.#toMessage(found, account);
        told.set(account, [...(told.get(account) ?? []), conflict]);
      }
    }
    return told;
  }

  /** The last ones that an account has to do with, if they are not older than that. */
  of(account: AccountId, max: number, sinceMs = 0): readonly Conflict[] {
    return this.#inOrder(this.#ids)
      .filter((found) => found.entry.stamp.ms >= sinceMs && concernedBy(this.#ledger.state, found).has(account))
      .slice(-max)
      .map((found) => this.#toMessage(found, account));
  }

  #toMessage({ entry, op, result }: Found, to: AccountId): Conflict {
    const { state } = this.#ledger;
    const { group, name } = namesIn(state, op);
    const now =
      op.name === 'createAccount'
        ? userOf(state, op.account)
        : op.name === 'createGroup' || op.name === 'renameGroup'
          ? group
          : name;
    return {
      operation: op.id,
      what: op.name,
      result,
      group,
      wanted: name,
      name: now,
      user: userOf(state, op.account),
      atMs: entry.stamp.ms,
      isMine: op.account === to,
    };
  }

  #learn(ids: Iterable<OperationId>): void {
    for (const id of ids) {
      const result = this.#ledger.state.operations.get(id)?.result;
      if (result === undefined || result === 'ok') this.#ids.delete(id);
      else this.#ids.add(id);
    }
  }

  #inOrder(ids: Iterable<OperationId>): readonly Found[] {
    const { state, log } = this.#ledger;
    const found: Found[] = [];
    for (const id of ids) {
      const {
        result,
        instances: [first],
      } = state.operations.get(id) ?? { result: 'ok', instances: [] };
      const line = first && result !== 'ok' ? entryAt(log, first) : undefined;
      if (!line) continue; // one that is still being written, or is long settled, is not told of
      const entry = decodeEntry(line.bytes);
      found.push({ entry, op: readOperation(entry.operation), result });
    }
    return found.sort((a, b) => compareStamps(a.entry.stamp, b.entry.stamp));
  }
}

/** Its author; and all members of a group that got another name. */
function concernedBy(state: State, { op, result }: Found): ReadonlySet<AccountId> {
  const group = result === 'renamed' && 'group' in op.body ? state.groups.get(op.body.group) : undefined;
  return new Set([op.account, ...(group?.members.keys() ?? [])]);
}

function namesIn(state: State, { body }: ReadOperation): { readonly group: string; readonly name: string } {
  const { group, name = '' } = body as { readonly group?: GroupId; readonly name?: string };
  return { group: group === undefined ? '' : (state.groups.get(group)?.name ?? short(group)), name };
}
