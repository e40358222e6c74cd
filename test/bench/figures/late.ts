// What an operation costs that comes late: a ledger on a log in SQLite that holds many operations
// of one tracker already, and takes in one of the other tracker whose place is so many operations
// back. In this process, by what the ledger shows to everybody: its constructor and `merge`.
import path from 'node:path';
import { createIdentity } from '../../../protocol/node/identity.ts';
import type { Identity } from '../../../protocol/node/identity.ts';
import type { AccountId, GroupId, OperationId, Origin, Pin, RequestId } from '../../../protocol/base/ids.ts';
import { ORIGIN_BYTES } from '../../../protocol/base/ids.ts';
import { nodeChance, nodeClock } from '../../../protocol/node/nodeWorld.ts';
import type { SignedOperation } from '../../../protocol/base/fields.ts';
import type { Operation, OperationBody, OperationName, Stamp } from '../../../protocol/messages/operations.ts';
import { encodeEntry, entryHash, signOperation } from '../../../protocol/messages/operations.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import { Ledger } from '../../../tracker/log/ledger.ts';
import type { LogEntry } from '../../../tracker/log/opLog.ts';
import { openSqliteLog } from '../../../tracker/log/sqliteLog.ts';
import { RealProcesses } from '../../support/processes/realProcesses.ts';
import { newId } from '../benchRealm.ts';
import type { Figure } from '../measure.ts';
import { median } from '../measure.ts';
import { sampleFile } from '../samples.ts';

const ACCOUNTS = 50;
const GROUPS = 200;
/** Members of each group besides its owner. */
const MEMBERS = 5;
/** Names of files in each group, each shared again and again. */
const NAMES = 200;
const AGES = [100_000, 10_000, 1_000, 100, 0];
/**
 * Operations of each age, and how long one age may take altogether, in s: after that, fewer have to
 * do.
 */
const TIMES = 9;
const AGE_S_MAX = 4;
/** Operations written at once. */
const BATCH = 10_000;

/** @param oldest  how many operations stand behind the latest of the late ones */
export async function late(oldest: number): Promise<readonly Figure[]> {
  const processes = new RealProcesses();
  try {
    const log = openSqliteLog(path.join(processes.folder, 'log.sqlite'), nodeChance);
    const story = new Story();
    const first = new Chain(log.origin);
    const count = story.opening.length + oldest + 1;
    const beganMs = Date.now() - count;
    const began = performance.now();
    for (let at = 0; at < count;) {
      const batch: LogEntry[] = [];
      for (; batch.length < BATCH && at < count; at++) {
        batch.push(first.next(story.opening[at] ?? story.share(), { ms: beganMs + at, counter: 0, seen: [] }));
      }
      await log.append(batch);
    }
    const writtenS = (performance.now() - began) / 1000;
    const opened = performance.now();
    const ledger = new Ledger({
      log,
      realm: story.realm,
      clock: nodeClock,
      logger: silentLog,
      isTracker: () => false,
      whenOnBoth: () => Promise.resolve(true),
      onCommitted: () => {},
      onLogFailed: (error) => {
        throw error;
      },
    });
    const openedS = (performance.now() - opened) / 1000;

    const second = new Chain(newId<Origin>(ORIGIN_BYTES));
    const figures: Figure[] = [];
    // The oldest first: the stamps of an origin only grow.
    for (const age of [oldest, ...AGES.filter((one) => one < oldest)]) {
      let counter = 0;
      const place = count - 1 - age;
      const measure = async (make: () => SignedOperation): Promise<readonly number[]> => {
        const times: number[] = [];
        for (
          const until = performance.now() + AGE_S_MAX * 1000;
          times.length < TIMES && (times.length === 0 || performance.now() < until);
        ) {
          const { bytes } = second.next(make(), {
            ms: beganMs + place,
            counter: ++counter,
            seen: [{ origin: log.origin, seq: place + 1 }],
          });
          const before = performance.now();
          await ledger.merge([bytes]);
          times.push(performance.now() - before);
        }
        return times;
      };
      const shares = await measure(() => story.signedShare());
      const removals = await measure(() => story.signedRemoval());
      figures.unshift({
        name: `late by ${age.toLocaleString('en')} operations: a file is shared`,
        value: median(shares),
        unit: 'ms',
        note: `most ${Math.max(...shares).toFixed(2)} ms; a member is removed: ${median(removals).toFixed(2)} ms, most ${Math.max(...removals).toFixed(2)} ms (${shares.length} and ${removals.length} times)`,
      });
    }
    log.close();
    return [
      ...figures,
      {
        name: `a ledger of ${count.toLocaleString('en')} operations is opened`,
        value: openedS,
        unit: 's',
        note: `after they were written in ${writtenS.toFixed(1)} s`,
      },
    ];
  } finally {
    await processes.close();
  }
}

/** Entries of one origin, each naming the one before. */
class Chain {
  readonly #origin: Origin;
  #seq = 0;
  #previous: Uint8Array = new Uint8Array(32);

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  next(signed: SignedOperation, { ms, counter, seen }: Pick<Stamp, 'ms' | 'counter' | 'seen'>): LogEntry {
    const stamp: Stamp = { ms, counter, origin: this.#origin, seq: ++this.#seq, seen, previous: this.#previous };
    const bytes = encodeEntry({ ...signed, added: new Uint8Array(0), stamp });
    this.#previous = entryHash(bytes);
    return { stamp, bytes };
  }
}

interface Person {
  readonly identity: Identity;
  readonly account: AccountId;
}

interface Circle {
  readonly group: GroupId;
  /** The first is its owner. */
  readonly members: readonly Person[];
  /** Sharing a file, by member: what `share` writes an id, a name and a content into. */
  readonly forms: readonly Form[];
}
interface Form {
  readonly signed: SignedOperation;
  readonly nameAt: number;
  readonly rootAt: number;
}

/**
 * What happens in this realm: people make groups, join each other's, and then share files for ever.
 */
class Story {
  readonly realm = newId<Pin>(32);
  readonly opening: SignedOperation[] = [];
  readonly #circles: Circle[] = [];
  #shares = 0;
  #lateShares = 0;
  #removals = 0;

  constructor() {
    const people = Array.from({ length: ACCOUNTS }, (): Person => ({ identity: createIdentity(), account: newId() }));
    for (const [n, person] of people.entries()) {
      this.opening.push(
        this.#sign(person, 'createAccount', { account: person.account, name: `person-${n}` }),
        this.#sign(person, 'signIn', { account: person.account }),
      );
    }
    for (let n = 0; n < GROUPS; n++) {
      const group = newId<GroupId>();
      const members = Array.from({ length: 1 + MEMBERS }, (_, m) => people[(n + 7 * m) % ACCOUNTS] as Person);
      const [owner, ...others] = members as [Person, ...Person[]];
      this.opening.push(this.#sign(owner, 'createGroup', { group, name: `group-${n}` }));
      for (const one of others) {
        const request = newId<RequestId>();
        this.opening.push(
          this.#sign(one, 'requestJoin', { group, request }),
          this.#sign(owner, 'acceptRequest', { group, request }),
        );
      }
      this.#circles.push({ group, members, forms: members.map((one) => this.#form(one, group)) });
    }
  }

  /**
   * Somebody shares a file. Its signature fits nothing: a log that is read again is not checked,
   * and 48 µs each would be most of the time.
   */
  share(): SignedOperation {
    const n = this.#shares++;
    const { forms } = this.#circles[n % GROUPS] as Circle;
    const turn = Math.floor(n / GROUPS);
    const { signed, nameAt, rootAt } = forms[turn % forms.length] as Form;
    const operation = Buffer.from(signed.operation);
    operation.writeUInt32BE(n, ID_AT);
    operation.write(nameOf(turn), nameAt, 'latin1');
    operation.writeUInt32BE(n, rootAt);
    return { operation, signature: signed.signature };
  }

  /**
   * The owner of a group shares one of its files anew; properly signed, since it is checked when it
   * is merged.
   */
  signedShare(): SignedOperation {
    const n = this.#lateShares++;
    const {
      group,
      members: [owner],
    } = this.#circles[n % GROUPS] as Circle;
    return this.#sign(owner as Person, 'shareFile', sampleFile(group, 2 ** 40 + n, nameOf(n)));
  }

  /**
   * The owner of a group removes a member who goes on sharing in it: what they do from there on
   * counts no more.
   */
  signedRemoval(): SignedOperation {
    const n = this.#removals++;
    const {
      group,
      members: [owner, ...others],
    } = this.#circles[n % GROUPS] as Circle;
    return this.#sign(owner as Person, 'removeMember', {
      group,
      account: (others[Math.floor(n / GROUPS)] as Person).account,
    });
  }

  #form(person: Person, group: GroupId): Form {
    const file = sampleFile(group, 1, nameOf(0));
    const signed = this.#sign(person, 'shareFile', file);
    const operation = Buffer.from(signed.operation);
    return {
      signed,
      nameAt: operation.indexOf(file.name, 0, 'latin1'),
      rootAt: operation.indexOf(file.root, 0, 'hex'),
    };
  }

  #sign<N extends OperationName>({ identity, account }: Person, name: N, body: OperationBody<N>): SignedOperation {
    return signOperation(
      { realm: this.realm, id: newId<OperationId>(), account, createdAtMs: Date.now(), name, body } as Operation,
      identity,
    );
  }
}

/** Where the id stands in an operation's bytes: behind the realm. */
const ID_AT = 32;

const nameOf = (n: number): string => `file ${String(n % NAMES).padStart(4, '0')}.bin`;
