// The one writer: nothing is said before it is durable, nothing counts twice, and two that exchange
// what they have come to the same.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isShoalError } from '../../../protocol/base/errors.ts';
import { createIdentity } from '../../../protocol/node/identity.ts';
import type { GroupId, OperationId, Origin, Pin, RequestId } from '../../../protocol/base/ids.ts';
import { createNodeWorld, nodeChance } from '../../../protocol/node/nodeWorld.ts';
import { compareStamps, decodeEntry, encodeEntry } from '../../../protocol/messages/operations.ts';
import type { Entry, OperationBody, OperationName } from '../../../protocol/messages/operations.ts';
import type { Acknowledged } from '../../../tracker/log/ledger.ts';
import { overrides } from '../../../protocol/messages/ticket.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import type { Changes } from '../../../tracker/fold/state.ts';
import { stateHash } from '../../../tracker/fold/state.ts';
import { Ledger } from '../../../tracker/log/ledger.ts';
import { ManualClock } from '../../support/simulation/manualClock.ts';
import type { MemoryDisk } from '../../support/simulation/memoryLog.ts';
import { emptyDisk, MemoryLog } from '../../support/simulation/memoryLog.ts';
import { Client, newId } from '../../support/testRealm.ts';

const REALM = 'ab'.repeat(32) as Pin;
const COMMIT_MS = 2;
const wrong =
  (why: RegExp) =>
  (error: unknown): boolean =>
    isShoalError(error, 'badMessage') && why.test(error.message);

/** A ledger over a disk that can be started again; every commit takes time of the clock. */
class Site {
  readonly disk: MemoryDisk = emptyDisk(nodeChance);
  readonly clock: ManualClock;
  readonly changes: Changes[] = [];
  ledger: Ledger;

  constructor(clock: ManualClock) {
    this.clock = clock;
    this.ledger = this.start();
  }

  /** @param wallMs  what its wall clock says from now on */
  start(wallMs?: number): Ledger {
    const clock = {
      now: () => wallMs ?? this.clock.now(),
      monotonicMs: () => this.clock.monotonicMs(),
      after: (ms: number, run: () => void) => this.clock.after(ms, run),
    };
    this.ledger = new Ledger({
      log: new MemoryLog(this.disk, this.clock, nodeChance),
      realm: REALM,
      clock,
      logger: silentLog,
      whenOnBoth: () => Promise.resolve(true),
      isTracker: () => false,
      onCommitted: () => {},
      onLogFailed: (error) => assert.fail(error),
    });
    this.ledger.onChange((changes) => this.changes.push(changes));
    return this.ledger;
  }

  /** Takes an operation in and lets it become durable. */
  async take(author: Client, name: OperationName, body: OperationBody<OperationName>): Promise<Acknowledged> {
    const signed = author.sign(name, body);
    const receipt = this.ledger.ingest(signed, this.ledger.read(signed), Buffer.from('a hash'));
    receipt.catch(() => {});
    await this.clock.advance(COMMIT_MS);
    return receipt;
  }

  async signUp(author: Client, name: string): Promise<void> {
    await this.take(author, 'createAccount', { account: author.account, name });
    await this.take(author, 'signIn', { account: author.account });
  }

  /** Everything on the disk that comes after so many of each origin, as one frame. */
  entriesAfter(have: ReadonlyMap<Origin, number> = new Map()): Uint8Array[] {
    return this.disk.entries
      .filter(({ stamp }) => stamp.seq > (have.get(stamp.origin) ?? 0))
      .toSorted((a, b) => a.stamp.seq - b.stamp.seq)
      .map(({ bytes }) => bytes);
  }

  async merge(entries: readonly Uint8Array[]): Promise<void> {
    const merged = this.ledger.merge(entries);
    merged.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve)); // signatures are checked before it goes to the disk
    await this.clock.advance(COMMIT_MS);
    await merged;
  }

  async mergeAllOf(other: Site): Promise<void> {
    await this.merge(other.entriesAfter(this.ledger.durable));
  }

  get hash(): string {
    return stateHash(this.ledger.state).toString('hex');
  }
}

describe('the ledger', () => {
  let clock: ManualClock;
  let here: Site;
  let there: Site;
  let alice: Client;
  let bob: Client;

  const person = (): Client => {
    const identity = createIdentity();
    return new Client(REALM, identity, createNodeWorld({ identity, log: silentLog }));
  };
  beforeEach(() => {
    clock = new ManualClock();
    [here, there] = [new Site(clock), new Site(clock)];
    [alice, bob] = [person(), person()];
  });

  it('answers, and tells, after the disk has it, even if it is asked twice', async () => {
    const signed = alice.sign('createAccount', { account: alice.account, name: 'alice' });
    let answers = 0;
    const ingest = async (): Promise<void> => {
      await here.ledger.ingest(signed, here.ledger.read(signed));
      answers++;
    };
    const both = [ingest(), ingest()];
    await clock.advance(COMMIT_MS - 1);
    assert.deepEqual([answers, here.changes.length, here.disk.entries.length], [0, 0, 0]);
    await clock.advance(1);
    await Promise.all(both);
    assert.deepEqual([answers, here.changes.length, here.disk.entries.length], [2, 1, 1]);
  });
  it('checks an operation against those that are still being written', async () => {
    const [one, two] = [
      alice.sign('createAccount', { account: alice.account, name: 'x' }),
      bob.sign('createAccount', { account: bob.account, name: 'X' }),
    ];
    const first = here.ledger.ingest(one, here.ledger.read(one));
    await assert.rejects(here.ledger.ingest(two, here.ledger.read(two)), (error) => isShoalError(error, 'nameTaken'));
    await clock.advance(COMMIT_MS);
    await first;
  });
  it('comes to the same after a restart', async () => {
    await here.signUp(alice, 'alice');
    await here.take(alice, 'createGroup', { group: newId<GroupId>(), name: 'g' });
    const before = here.hash;
    here.start();
    assert.equal(here.hash, before);
  });
  it('stamps later than ever before, whatever the clock says after a restart', async () => {
    await here.signUp(alice, 'alice');
    const { ceilingMs } = here.disk;
    here.start(5);
    await here.take(alice, 'createGroup', { group: newId<GroupId>(), name: 'g' });
    const stamps = here.disk.entries.map(({ stamp }) => stamp);
    for (const [n, stamp] of stamps.entries()) {
      if (n > 0) assert.ok(compareStamps(stamps[n - 1] as typeof stamp, stamp) < 0, `${n}`);
    }
    assert.ok((stamps.at(-1)?.ms ?? 0) >= ceilingMs, 'also than what was promised and never written');
  });
  it('says what has become of an operation that lost in a merge', async () => {
    await Promise.all([here.signUp(alice, 'alice'), there.signUp(bob, 'bob')]);
    await here.mergeAllOf(there);
    await there.mergeAllOf(here);
    const group = newId<GroupId>();
    await here.take(alice, 'createGroup', { group, name: 'g' });
    await there.mergeAllOf(here);
    const request = newId<RequestId>();
    await there.take(bob, 'requestJoin', { group, request });
    await here.mergeAllOf(there);
    // Apart: here she rejects, a little later there she accepts on her other device's behalf.
    await here.take(alice, 'rejectRequest', { group, request });
    const id = newId<OperationId>();
    const signed = alice.sign('acceptRequest', { group, request }, { id });
    const accepted = there.ledger.ingest(signed, there.ledger.read(signed));
    await clock.advance(COMMIT_MS);
    assert.equal((await accepted).durability, 'both');
    assert.ok(there.ledger.state.groups.get(group)?.members.has(bob.account));
    const since = there.ledger.state.groups.get(group)?.members.get(bob.account)?.since;
    await there.mergeAllOf(here);
    assert.ok(!there.ledger.state.groups.get(group)?.members.has(bob.account));
    await assert.rejects(there.ledger.ingest(signed, there.ledger.read(signed)), (error) =>
      isShoalError(error, 'unknownRequest'),
    );
    const ended = there.changes.at(-1)?.ended[0];
    assert.ok(ended && since);
    const revocation = {
      realm: REALM,
      what: 'membership' as const,
      account: bob.account,
      group,
      device: undefined,
      at: ended.at,
    };
    const ticket = {
      realm: REALM,
      group,
      account: bob.account,
      user: 'bob',
      device: bob.identity.pin,
      memberSince: since,
      signedInSince: since,
      issuedAtMs: 0,
      expiresAtMs: 1,
    };
    assert.ok(overrides(revocation, ticket), 'the tickets given meanwhile are worth nothing');
    await here.mergeAllOf(there);
    assert.equal(here.hash, there.hash);
  });

  describe('takes from its partner', () => {
    beforeEach(() => here.signUp(alice, 'alice'));
    /** The entries of `here` with one of them changed, its hash and all after it as they were. */
    const changed = (n: number, change: (entry: Entry) => Entry): Uint8Array[] =>
      here.entriesAfter().map((bytes, at) => (at === n ? encodeEntry(change(decodeEntry(bytes))) : bytes));

    it('what it does not have, once', async () => {
      await there.merge(here.entriesAfter());
      await there.merge(here.entriesAfter());
      assert.deepEqual([there.disk.entries.length, there.hash], [2, here.hash]);
    });
    it('nothing behind a gap', async () => {
      await assert.rejects(there.merge(here.entriesAfter().slice(1)), wrong(/does not follow/));
      assert.equal(there.disk.entries.length, 0);
    });
    it('nothing that does not follow what stood before', async () => {
      await assert.rejects(
        there.merge(changed(0, (entry) => ({ ...entry, added: Buffer.from('another hash') }))),
        wrong(/does not follow/),
      );
    });
    it('nothing that its author did not sign', async () => {
      await assert.rejects(
        there.merge(changed(0, (entry) => ({ ...entry, signature: Buffer.alloc(64) })).slice(0, 1)),
        wrong(/signature/),
      );
    });
    it('nothing that stands otherwise in its own log: a fork', async () => {
      await there.merge(here.entriesAfter());
      await assert.rejects(
        there.merge(changed(1, (entry) => ({ ...entry, added: Buffer.from('x') }))),
        wrong(/forked/),
      );
    });
    it('nothing of another realm', async () => {
      const stranger = person();
      const signed = stranger.sign(
        'createAccount',
        { account: stranger.account, name: 's' },
        { realm: 'cd'.repeat(32) as Pin },
      );
      const stamp = {
        ms: 1,
        counter: 0,
        origin: '0'.repeat(16) as Origin,
        seq: 1,
        seen: [],
        previous: Buffer.alloc(32),
      };
      await assert.rejects(there.merge([encodeEntry({ ...signed, added: Buffer.alloc(0), stamp })]), (error) =>
        isShoalError(error, 'wrongRealm'),
      );
    });
    it('its own lost end, and goes on under a new origin', async () => {
      await there.merge(here.entriesAfter());
      const { origin } = here.ledger.log;
      here.disk.entries = here.disk.entries.slice(0, 1); // restored from yesterday
      here.start();
      await here.merge(there.entriesAfter(here.ledger.durable));
      assert.notEqual(here.ledger.log.origin, origin);
      await here.take(alice, 'createGroup', { group: newId<GroupId>(), name: 'g' });
      await there.mergeAllOf(here);
      assert.equal(there.hash, here.hash);
    });
    it('does not claim to have seen what is still being written', async () => {
      const merging = there.ledger.merge(here.entriesAfter());
      await new Promise((resolve) => setImmediate(resolve));
      const signed = bob.sign('createAccount', { account: bob.account, name: 'bob' });
      const taken = there.ledger.ingest(signed, there.ledger.read(signed));
      await clock.advance(COMMIT_MS);
      await Promise.all([merging, taken]);
      const own = there.disk.entries
        .map(({ bytes }) => decodeEntry(bytes).stamp)
        .filter(({ origin }) => origin === there.ledger.log.origin);
      assert.deepEqual(
        own.map(({ seen }) => seen),
        [[]],
      );
      await there.signUp(person(), 'carol');
      const last = there.disk.entries.map(({ bytes }) => decodeEntry(bytes)).at(-1);
      assert.deepEqual(last?.stamp.seen, [{ origin: here.ledger.log.origin, seq: 2 }]);
    });
  });

  it('comes to the same as the other and as one that reads it all, whenever they exchange what', async function () {
    this.timeout(60_000);
    const step = fc.record({
      at: fc.nat({ max: 1 }),
      who: fc.nat({ max: 2 }),
      what: fc.nat({ max: 8 }),
      share: fc.nat({ max: 100 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        clock = new ManualClock();
        const sites = [new Site(clock), new Site(clock)] as const;
        const people = [person(), person(), person()];
        const groups = [newId<GroupId>(), newId<GroupId>()];
        const requests = [newId<RequestId>(), newId<RequestId>(), newId<RequestId>()];
        for (const [n, one] of people.entries()) await sites[n % 2]?.signUp(one, ['x', 'X', 'y'][n] ?? '');
        for (const { at, who, what, share } of steps) {
          const [site, other] = at === 0 ? sites : [sites[1], sites[0]];
          const [author, group = newId<GroupId>(), request = newId<RequestId>()] = [
            people[who] as Client,
            groups[share % 2],
            requests[share % 3],
          ];
          const account = people[share % 3]?.account ?? author.account;
          const ways: (() => Promise<unknown>)[] = [
            () => site.take(author, 'createGroup', { group, name: 'g' }),
            () => site.take(author, 'requestJoin', { group, request }),
            () => site.take(author, 'acceptRequest', { group, request }),
            () => site.take(author, 'rejectRequest', { group, request }),
            () => site.take(author, 'removeMember', { group, account }),
            () => site.take(author, 'leaveGroup', { group }),
            () => site.take(author, 'signOut', { account: author.account, device: author.identity.pin }),
            () => site.take(author, 'signIn', { account: author.account }),
            async () => {
              const entries = other.entriesAfter(site.ledger.durable);
              await site.merge(entries.slice(0, share));
            },
          ];
          await ways[what]?.().catch((error: unknown) => {
            if (!isShoalError(error)) throw error; // refused: it is not in the log
          });
        }
        await sites[0].mergeAllOf(sites[1]);
        await sites[1].mergeAllOf(sites[0]);
        assert.equal(sites[0].hash, sites[1].hash);
        sites[0].start();
        assert.equal(sites[0].hash, sites[1].hash);
      }),
      { numRuns: 25 },
    );
  });
});
