// A pair of trackers, people who use it, and somebody who does to it whatever can happen to
// machines: kills at any moment, both at once, cuts of every kind, a lost disk, clocks that are
// wrong and jump, operations that are sent again. The product's own trackers on simulated machines;
// the seed decides everything. In the end all is well again, and what was ever answered must hold.
import assert from 'node:assert/strict';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { AccountId, GroupId, OperationId, Origin, RequestId, Root, Sha256 } from '../../../protocol/base/ids.ts';
import type { SignedOperation } from '../../../protocol/base/fields.ts';
import { compareStamps, decodeEntry, readOperation } from '../../../protocol/messages/operations.ts';
import type { OperationBody, OperationName, LogPosition } from '../../../protocol/messages/operations.ts';
import type { ReceiptProof } from '../../../protocol/messages/receipt.ts';
import type { Receipt } from '../../../protocol/messages/trackerLink.ts';
import { nodeClock } from '../../../protocol/node/nodeWorld.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import { decodeState } from '../../../tracker/fold/snapshot.ts';
import { stateHash } from '../../../tracker/fold/state.ts';
import type { State } from '../../../tracker/fold/state.ts';
import { Ledger } from '../../../tracker/log/ledger.ts';
import type { LogEntry } from '../../../tracker/log/opLog.ts';
import type { Tracker } from '../../../tracker/server/server.ts';
import { linesOf } from '../../../tracker/log/snapshots.ts';
import type { Machine } from '../simulation/machine.ts';
import { seededIdentity } from '../simulation/machine.ts';
import type { MemoryDisk } from '../simulation/memoryLog.ts';
import { brokenRules } from './foldRules.ts';
import { emptyDisk, MemoryLog } from '../simulation/memoryLog.ts';
import { SeededChance } from '../simulation/seededChance.ts';
import { simulate } from '../simulation/simulatedWorld.ts';
import type { Simulation } from '../simulation/simulatedWorld.ts';
import { Client, TestRealm } from '../testRealm.ts';

/** How long the bad times last, in ms of simulated time. */
const BAD_MS = 12_000;
/** How long everything may take to be well afterwards. */
const WELL_MS = 15 * 60_000;
/** Devices; the first two people have two each, and so may contradict themselves. */
const PEOPLE = ['ann', 'ann', 'bob', 'bob', 'cal'] as const;
/** One append in so many is followed by a kill before it is on the disk, or right after. */
const KILLED_APPENDS = 60;
const KILLED_WITHIN_MS = 5;
/** Little of a log is kept, so that what comes late, or anew, meets snapshots. */
const KEEP = { ms: 1_500, operations: 5, droppedMin: 5, everyMs: 700 };
/** Few, so that they meet. */
const NAMES = ['x', 'X', 'y', 'z'] as const;

type Number = 1 | 2;
const NUMBERS = [1, 2] as const;
const other = (n: Number): Number => (n === 1 ? 2 : 1);

/** What a run amounted to: a nemesis that does nothing proves nothing. */
export interface Tally {
  readonly both: number;
  readonly one: number;
  readonly refused: number;
  readonly kills: number;
  readonly cuts: number;
  readonly wipes: number;
  readonly restored: number;
  readonly conflicts: number;
  /** Disks on which one has taken the place of operations. */
  readonly snapshots: number;
  /** Operations of which it was noted that nothing can change them any more. */
  readonly final: number;
}

/** @throws what did not hold, with the seed */
export function nemesis(seed: number): Promise<Tally> {
  return simulate(seed, (sim) => new Nemesis(sim).run());
}

class Nemesis {
  readonly sim: Simulation;
  readonly chance: SeededChance;
  readonly tally = {
    both: 0,
    one: 0,
    refused: 0,
    kills: 0,
    cuts: 0,
    wipes: 0,
    restored: 0,
    conflicts: 0,
    snapshots: 0,
    final: 0,
  };
  readonly #realm: TestRealm;
  /** Counted up whenever a tracker starts, or loses its disk. */
  readonly lives: Record<Number, number> = { 1: 0, 2: 0 };
  readonly #machines: Readonly<Record<Number, Machine>>;
  readonly #disks: Record<Number, MemoryDisk>;
  readonly #everDisks: MemoryDisk[] = [];
  readonly #running: Partial<Record<Number, Tracker>> = {};
  /** Whose disk is lost and has not come back. */
  readonly #joining = new Set<Number>();
  readonly #people: Person[] = [];
  readonly #acknowledged = new Set<OperationId>();
  readonly #onBoth = new Set<OperationId>();
  readonly #troubles: string[] = [];

  constructor(sim: Simulation) {
    this.sim = sim;
    this.chance = sim.chance.fork('nemesis');
    const keys = sim.chance.fork('keys');
    this.#realm = new TestRealm(
      NUMBERS.map((n) => ({ host: sim.machine(`tracker-${n}`).host, port: 7070 })),
      () => seededIdentity(keys),
    );
    const machine = (n: Number): Machine =>
      sim.machine(`tracker-${n} program`, {
        identity: this.#realm.config(n).identity,
        on: sim.machine(`tracker-${n}`),
        skewMs: this.#someSkew(),
      });
    this.#machines = { 1: machine(1), 2: machine(2) };
    this.#disks = { 1: emptyDisk(sim.chance.fork('disk 1')), 2: emptyDisk(sim.chance.fork('disk 2')) };
    this.#everDisks.push(this.#disks[1], this.#disks[2]);
  }

  async run(): Promise<Tally> {
    await Promise.all(NUMBERS.map((n) => this.#start(n)));
    await this.#whole();
    for (const [n, name] of PEOPLE.entries()) this.#people.push(await this.#person(name, n));
    await this.#whole();
    await Promise.all([this.#badTimes(), ...this.#people.map((person) => person.work())]);
    await this.#whole();
    this.#check();
    return this.tally;
  }

  async #badTimes(): Promise<void> {
    while (this.sim.nowMs < BAD_MS) {
      await this.sim.advance(20 + this.chance.random() * 1_500);
      await this.#strike();
    }
    this.sim.note('from here on all is well');
    this.sim.network.heal();
    for (const n of NUMBERS) if (!this.#running[n]) await this.#start(n);
    for (const person of this.#people) person.isOver = true;
  }

  tracker(n: Number): Tracker | undefined {
    return this.#running[n];
  }

  /**
   * Somebody was answered: what the answer says must have been so when it was given. (A disk may
   * have been lost on its way.)
   */
  answered(id: OperationId, { durability }: Receipt, by: Number, life: number): void {
    assert.ok(!this.#joining.has(by) || this.lives[by] !== life, `tracker ${by} has lost its log, and answers`);
    const on = NUMBERS.filter((n) => this.#has(n, id) || this.#wiped[n].has(id));
    if (durability === 'both') {
      assert.equal(on.length, 2, `${id} is said to be on both disks and is on ${on.join() || 'none'}`);
    } else assert.ok(on.length > 0, `${id} was acknowledged and is on no disk`);
    this.#acknowledged.add(id);
    if (durability === 'both') this.#onBoth.add(id);
  }

  readonly #wiped: Readonly<Record<Number, Set<OperationId>>> = { 1: new Set(), 2: new Set() };
  readonly #read = new WeakMap<
    MemoryDisk,
    {
      readonly places: Map<OperationId, LogPosition>;
      readonly ids: Set<OperationId>;
      count: number;
      snapshot: MemoryDisk['snapshot'];
    }
  >();
  /** What is on a disk, or was before a snapshot took its place. */
  #readDisk(disk: MemoryDisk): {
    readonly places: ReadonlyMap<OperationId, LogPosition>;
    readonly ids: ReadonlySet<OperationId>;
  } {
    const known = this.#read.get(disk) ?? {
      places: new Map<OperationId, LogPosition>(),
      ids: new Set<OperationId>(),
      count: 0,
      snapshot: undefined,
    };
    this.#read.set(disk, known);
    for (; known.count < disk.everything.length; known.count++) {
      const { operation, stamp } = decodeEntry(disk.everything[known.count]?.bytes ?? new Uint8Array());
      const { id } = readOperation(operation);
      known.ids.add(id);
      const before = known.places.get(id);
      if (!before || compareStamps(stamp, before) < 0) known.places.set(id, stamp);
    }
    if (disk.snapshot && disk.snapshot !== known.snapshot) {
      for (const id of decodeState(linesOf(disk.snapshot.chunks)).operations.keys()) known.ids.add(id);
    }
    known.snapshot = disk.snapshot;
    return known;
  }

  #has(n: Number, id: OperationId): boolean {
    return this.#readDisk(this.#disks[n]).ids.has(id);
  }

  #allOn(n: Number): ReadonlySet<OperationId> {
    return this.#readDisk(this.#disks[n]).ids;
  }

  /** What became of operations that are final, as the trackers have it: that must never change. */
  readonly #final = new Map<OperationId, string>();
  #noteFinal(): void {
    for (const n of NUMBERS) {
      const { state, frontier } = this.#running[n]?.ledger ?? {};
      if (!state || !frontier) continue;
      for (const [id, place] of this.#readDisk(this.#disks[n]).places) {
        const result = state.operations.get(id)?.result;
        if (result !== undefined && compareStamps(place, frontier) <= 0 && !this.#final.has(id)) {
          this.#final.set(id, result);
        }
      }
    }
  }

  async #strike(): Promise<void> {
    this.#noteFinal();
    const n = this.chance.oneIn(2) ? 1 : 2;
    const machine = this.#machines[n];
    const dead = NUMBERS.filter((each) => !this.#running[each]);
    const what = this.chance.below(20);
    if (what < 4) this.#kill(n);
    else if (what < 5) for (const each of NUMBERS) this.#kill(each);
    else if (what < 10) for (const each of dead) await this.#start(each);
    else if (what < 12) this.#cut(() => this.sim.network.cut(this.#machines[1], this.#machines[2]));
    else if (what < 13) this.#cut(() => this.sim.network.cutOneWay(machine, this.#machines[other(n)]));
    else if (what < 14) {
      this.#cut(() => this.sim.network.cut(machine, this.chance.shuffled(this.#people)[0]?.machine ?? machine));
    } else if (what < 17) this.sim.network.heal();
    else if (what < 18) machine.setClock(this.#someSkew());
    else if (what < 19) this.#wipe(n);
  }

  #kill(n: Number): void {
    if (!this.#running[n]) return;
    this.tally.kills++;
    this.#machines[n].kill();
    delete this.#running[n];
  }

  #cut(how: () => void): void {
    this.tally.cuts++;
    how();
  }

  /** A disk is lost. The other one's must be there: two lost disks are two lost disks. */
  #wipe(n: Number): void {
    if (this.tally.wipes > 0 || this.#joining.has(other(n))) return;
    this.#kill(n);
    this.tally.wipes++;
    this.sim.note(`tracker ${n} loses its disk`);
    for (const id of this.#allOn(n)) this.#wiped[n].add(id);
    this.lives[n]++;
    this.#disks[n] = emptyDisk(this.sim.chance.fork(`disk ${n} anew`));
    this.#everDisks.push(this.#disks[n]);
    this.#joining.add(n);
  }

  async #start(n: Number): Promise<void> {
    this.lives[n]++;
    if (this.sim.nowMs > 0) this.#machines[n].start();
    const { world } = this.#machines[n];
    const log = {
      ...world.log,
      error: (phrase: string, fields?: Readonly<Record<string, unknown>>) => {
        world.log.error(phrase, fields);
        this.#troubles.push(`${phrase} ${JSON.stringify(fields)}`);
      },
    };
    const opLog = new MemoryLog(this.#disks[n], world.clock, world.chance);
    const append = opLog.append.bind(opLog);
    opLog.append = (entries) => {
      if (this.#people.length === PEOPLE.length && this.sim.nowMs < BAD_MS && this.chance.oneIn(KILLED_APPENDS)) {
        world.clock.after(KILLED_WITHIN_MS * this.chance.random(), () => this.#kill(n));
      }
      return append(entries);
    };
    this.#running[n] = await this.#realm.start(n, {
      world: { ...world, log },
      listen: { port: 7070 },
      opLog,
      lostLog: this.#joining.has(n),
      retention: KEEP,
      onLogRestored: () => {
        this.#joining.delete(n);
        // Whoever calls this would take an exception for a trouble of its own.
        for (const id of this.#onBoth) {
          if (!this.#has(n, id)) this.#troubles.push(`tracker ${n} says that its log is back, and ${id} is not in it`);
        }
      },
    });
  }

  /** Up to two times eight seconds apart, which NTP never is. */
  #someSkew(): number {
    return Math.round((this.chance.random() - 0.5) * 16_000);
  }

  async #whole(): Promise<void> {
    await this.sim.until(() => NUMBERS.every((n) => this.#running[n]?.status().partner === 'paired'), WELL_MS);
  }

  /** One more device of somebody, signed in. */
  async #person(name: string, n: number): Promise<Person> {
    const first = this.#people.find((person) => person.name === name);
    const person = new Person(this, name, `${name}'s device ${n}`, this.#realm, first?.account);
    const { ledger } = this.#running[1] as Tracker;
    for (const signed of [
      ...(first ? [] : [person.sign('createAccount', { account: person.account, name })]),
      person.sign('signIn', { account: person.account }),
    ]) {
      await ledger.ingest(signed, ledger.read(signed), Buffer.from('no password'));
    }
    return person;
  }

  /** All entries that were ever on one of these disks. */
  #everythingOn(disks: readonly MemoryDisk[]): ReadonlyMap<string, LogEntry> {
    const all = new Map<string, LogEntry>();
    for (const disk of disks) {
      for (const entry of disk.everything) {
        assert.equal(
          Buffer.compare(all.get(place(entry.stamp))?.bytes ?? entry.bytes, entry.bytes),
          0,
          `${place(entry.stamp)} is two entries`,
        );
        all.set(place(entry.stamp), entry);
      }
    }
    return all;
  }

  #check(): void {
    const [one, two] = NUMBERS.map((n) => this.#running[n] as Tracker) as [Tracker, Tracker];
    const { state } = one.ledger;
    assert.deepEqual(this.#troubles, []);
    assert.equal(hex(state), hex(two.ledger.state), 'the two trackers differ');
    for (const n of NUMBERS) {
      assert.equal(hex(foldAnew(this.#disks[n], one)), hex(state), `tracker ${n} folded anew comes to something else`);
    }
    this.#everythingOn(this.#everDisks); // each place is one entry
    const everything = this.#everythingOn(Object.values(this.#disks));
    assert.equal(
      hex(foldAnew({ ...emptyDisk(this.chance), entries: [...everything.values()] }, one)),
      hex(state),
      'all that ever was, folded from the beginning, comes to something else',
    );
    for (const [id, result] of this.#final) assert.equal(state.operations.get(id)?.result, result, `${id} was final`);
    for (const id of this.#acknowledged) {
      for (const n of NUMBERS) assert.ok(this.#has(n, id), `${id} was acknowledged, and is not on disk ${n}`);
    }
    for (const wrong of [...brokenRules(state), ...brokenPromises(state, [...everything.values()])]) assert.fail(wrong);
    this.tally.snapshots = NUMBERS.filter((n) => this.#disks[n].snapshot).length;
    this.tally.final = this.#final.size;
    this.tally.conflicts = [...state.operations.values()].filter(({ result }) => result !== 'ok').length;
  }
}

/**
 * Somebody who does things, and does not give up: what was not answered is sent again, to whichever
 * tracker answers.
 */
class Person {
  readonly name: string;
  readonly machine: Machine;
  readonly account: AccountId;
  /** Acknowledged by one disk alone. */
  readonly outbox: { readonly id: OperationId; readonly entry: Uint8Array; readonly proof: ReceiptProof }[] = [];
  isOver = false;
  readonly #nemesis: Nemesis;
  readonly #client: Client;
  readonly #chance: SeededChance;
  #at: Number;
  #linking: Promise<void> | undefined;
  /** Which run of its tracker it is linked to. */
  #life = 0;

  constructor(nemesis: Nemesis, name: string, device: string, realm: TestRealm, account?: AccountId) {
    const { sim } = nemesis;
    const identity = seededIdentity(sim.chance.fork(`key of ${device}`));
    this.name = name;
    this.#nemesis = nemesis;
    this.#chance = sim.chance.fork(device);
    this.machine = sim.machine(device, { identity });
    this.#client = new Client(realm.realm, identity, this.machine.world);
    this.account = this.#client.account = account ?? this.#id<AccountId>();
    this.#at = this.#chance.oneIn(2) ? 1 : 2;
  }

  sign<N extends OperationName>(name: N, body: OperationBody<N>, id = this.#id<OperationId>()): SignedOperation {
    return this.#client.sign(name, body, { id });
  }

  async work(): Promise<void> {
    await Promise.all([this.#keepWishing(), this.#keepFlushing()]);
  }

  async #keepWishing(): Promise<void> {
    while (!this.isOver) {
      await this.#nemesis.sim.advance(30 + this.#chance.random() * 600);
      const wish = this.#wish();
      if (!wish) continue;
      const id = this.#id<OperationId>();
      const signed = this.sign(wish[0], wish[1] as never, id);
      const send = (): Promise<unknown> => this.#send(id, () => this.#client.call('submit', { signed }));
      await (this.#chance.oneIn(8) ? Promise.all([send(), send()]) : send());
      if (this.#chance.oneIn(8)) await this.#elsewhere(id, signed);
    }
  }

  /** The same once more, to the other tracker, as an engine does that has missed the answer. */
  async #elsewhere(id: OperationId, signed: SignedOperation): Promise<void> {
    this.#leave();
    await this.#send(id, () => this.#client.call('submit', { signed }));
  }

  async #keepFlushing(): Promise<void> {
    while (!this.isOver || this.outbox.length > 0) {
      await this.#nemesis.sim.advance(1_000 + this.#chance.random() * 3_000);
      for (const kept of [...this.outbox]) {
        const { id, entry, proof } = kept;
        const receipt = await this.#send(id, () => this.#client.call('restore', { entry, proof }));
        this.#nemesis.tally.restored++;
        assert.ok(receipt, `${id} was acknowledged, and is refused when it is given back`);
        if (receipt.durability === 'both') this.outbox.splice(this.outbox.indexOf(kept), 1);
      }
    }
  }

  /** Until it is answered. Undefined: refused. */
  async #send(id: OperationId, call: () => Promise<Receipt>): Promise<Receipt | undefined> {
    const { tally, sim } = this.#nemesis;
    for (;;) {
      try {
        const at = await this.#link();
        const life = this.#life;
        const receipt = await call();
        this.#nemesis.answered(id, receipt, at, life);
        tally[receipt.durability === 'both' ? 'both' : 'one']++;
        const { entry, proof } = receipt;
        if (receipt.durability !== 'both' && entry && proof && !this.outbox.some((kept) => kept.id === id)) {
          this.outbox.push({ id, entry, proof });
        }
        return receipt;
      } catch (error) {
        if (!isShoalError(error)) throw error;
        if (error.retry !== 'elsewhere') {
          tally.refused++;
          return undefined;
        }
        this.#leave();
        await sim.advance(50 + this.#chance.random() * 400);
      }
    }
  }

  #leave(): void {
    this.#at = other(this.#at);
    this.#linking = undefined;
  }

  async #link(): Promise<Number> {
    const n = this.#at;
    this.#linking ??= this.#client
      .connect({ host: this.#nemesis.sim.machine(`tracker-${n}`).host, port: 7070 })
      .then(() => {
        this.#life = this.#nemesis.lives[n];
      });
    await this.#linking;
    return n;
  }

  /** Something that makes sense now, or did a moment ago, as the tracker of this person sees it. */
  #wish(): readonly [OperationName, unknown] | undefined {
    const state = this.#nemesis.tracker(this.#at)?.ledger.state;
    const groups = this.#chance.shuffled(state?.groups.values() ?? []).filter(({ isArchived }) => !isArchived);
    const mine = groups.find(({ owner }) => owner === this.account);
    const within = groups.find(({ members }) => members.has(this.account));
    const name = this.#chance.shuffled(NAMES)[0] ?? 'x';
    const what = this.#chance.below(21);
    if (groups.length < 2 || what === 0) {
      return ['createGroup', { group: this.#id<GroupId>(), name: `${name}${this.#chance.below(3)}` }];
    }
    const strange = groups.find(({ members }) => !members.has(this.account));
    if (what < 4 && strange) return ['requestJoin', { group: strange.id, request: this.#id<RequestId>() }];
    // The same one at both trackers, where that may be: what contradicts itself shall meet.
    const [request] = mine
      ? this.#chance.oneIn(4)
        ? this.#chance.shuffled(mine.decided.keys())
        : [...mine.waiting.keys()].sort()
      : [];
    // Often, and on both sides at once: there most rules can contradict each other.
    if (mine && request && this.#chance.oneIn(3)) {
      return [this.#chance.oneIn(2) ? 'acceptRequest' : 'rejectRequest', { group: mine.id, request }];
    }
    if (what < 7 && mine && request) return ['acceptRequest', { group: mine.id, request }];
    if (what < 9 && mine && request) return ['rejectRequest', { group: mine.id, request }];
    const asked = groups.find(({ waiting }) => [...waiting.values()].some(({ account }) => account === this.account));
    const own = [...(asked?.waiting ?? [])]
      .filter(([, { account }]) => account === this.account)
      .map(([id]) => id)
      .sort()[0];
    if ((what < 10 || what === 16 || what === 17) && asked && own) {
      return ['cancelRequest', { group: asked.id, request: own }];
    }
    const [member] = mine
      ? this.#chance.shuffled(mine.members.keys()).filter((account) => account !== this.account)
      : [];
    if (what === 18 && mine && member) return ['transferGroup', { group: mine.id, account: member }];
    if (what === 19 && mine) return ['renameGroup', { group: mine.id, name: `${name}${this.#chance.below(3)}` }];
    if (what === 20 && mine && this.#chance.oneIn(4)) return ['deleteGroup', { group: mine.id }];
    if (what < 11 && mine && member) return ['removeMember', { group: mine.id, account: member }];
    if (what < 12 && within) return ['leaveGroup', { group: within.id }];
    const root = String(this.#chance.below(3) + 1).repeat(64);
    if (what < 14 && within) {
      return [
        'shareFile',
        {
          group: within.id,
          name,
          root: root as Root,
          sizeBytes: 1000,
          pieceBytes: 16_384,
          sha256: root as Sha256,
          replace: this.#chance.oneIn(2),
          content: 'file',
        },
      ];
    }
    if (what < 15 && within) return ['stopShare', { group: within.id, name }];
    return within && ['removeFile', { group: within.id, name }];
  }

  #id<T extends string>(): T {
    return this.#chance.bytes(16).toString('hex') as T;
  }
}

const hex = (state: State): string => stateHash(state).toString('hex');
const place = ({ origin, seq }: { readonly origin: Origin; readonly seq: number }): string => `${origin} ${seq}`;

/**
 * What the log must not say: a denial that did not win, or an operation that stands before one that
 * its tracker had seen.
 */
function* brokenPromises(state: State, all: readonly LogEntry[]): Generator<string> {
  const entries = all.map(({ bytes }) => decodeEntry(bytes));
  const stamps = new Map(entries.map(({ stamp }) => [place(stamp), stamp]));
  for (const { operation, stamp } of entries) {
    for (const seen of [...stamp.seen, ...(stamp.seq > 1 ? [{ origin: stamp.origin, seq: stamp.seq - 1 }] : [])]) {
      const before = stamps.get(place(seen));
      if (before && compareStamps(before, stamp) >= 0) {
        yield `${place(stamp)} stands before ${place(seen)}, which its tracker had`;
      }
    }
    const op = readOperation(operation);
    const result = state.operations.get(op.id)?.result;
    if (op.name === 'createGroup' && state.groups.has(op.body.group) && result !== 'ok' && result !== 'renamed') {
      yield `the group of ${place(stamp)} is there, and its operation is said to be ${result}`;
    }
    if (op.name !== 'rejectRequest' && op.name !== 'cancelRequest') continue;
    const group = state.groups.get(op.body.group);
    const request = group?.decided.get(op.body.request) ?? group?.waiting.get(op.body.request);
    if (result === 'notOwner') continue; // it was not theirs to deny, where it stands
    const mayDeny =
      op.name === 'cancelRequest'
        ? request?.account === op.account
        : group?.owner === op.account || group?.pastOwners.has(op.account) === true;
    if (
      group &&
      mayDeny &&
      !group.isArchived &&
      [...group.members.values()].some((member) => member.request === op.body.request)
    ) {
      yield `a ${op.name} did not win in ${group.name}`;
    }
  }
}

/** What a disk comes to for a tracker that has just been started. */
function foldAnew(disk: MemoryDisk, { ledger: { realm } }: Tracker): State {
  const ignore = (): void => {};
  const log = new MemoryLog(disk, nodeClock, new SeededChance(0));
  return new Ledger({
    log,
    realm,
    clock: nodeClock,
    logger: silentLog,
    whenOnBoth: () => Promise.resolve(false),
    isTracker: () => true,
    onCommitted: ignore,
    onLogFailed: ignore,
  }).state;
}
