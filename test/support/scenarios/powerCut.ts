// One download under everything that can happen to a disk, decided by a seed: the product's own
// code from the record to the final name, and a person who deletes things meanwhile. Pieces come,
// some of them wrong; the program is killed or the power goes at any call; the next run goes on
// from what is left, until the file is published and a last power cut has come.
//
// What must hold: nothing published is ever wrong; what a checkpoint was taken of is never lost,
// nor read again without need; what belongs to others stays as it is. Runs on microtasks alone,
// without the turns of the event loop, so that thousands of runs take seconds.
import assert from 'node:assert/strict';
import type { PieceStore } from '../../../extension/engine/storage/pieceStore.ts';
import type { StorageContext } from '../../../extension/engine/transferFiles/storageContext.ts';
import type { RecordStore } from '../../../extension/engine/transferFiles/transferRecord.ts';
import { openDownload, finalizeDownload, cleanUp } from '../../../extension/engine/transferFiles/downloadFiles.ts';
import { identityOf } from '../../../extension/engine/hashing/fileIdentity.ts';
import type { Hasher } from '../../../extension/engine/hashing/hasher.ts';
import { inlineHasher } from '../../../extension/engine/hashing/hasher.ts';
import { FilePool } from '../../../extension/engine/storage/filePool.ts';
import type { Shape } from '../../../extension/engine/hashing/merkleTree.ts';
import { leavesPerPiece, lengthOf, pieceHash, rootOf, shapeOf } from '../../../extension/engine/hashing/merkleTree.ts';
import type { TransferRecord } from '../../../extension/engine/transferFiles/transferRecord.ts';
import { loadRecords, savePieceHashes, saveRecord } from '../../../extension/engine/transferFiles/transferRecord.ts';
import { isShoalError } from '../../../protocol/base/errors.ts';
import { homeAt } from '../../../protocol/home/homeLayout.ts';
import type { AccountId, GroupId, Root, Sha256 } from '../../../protocol/base/ids.ts';
import { silentLog } from '../../../protocol/base/world.ts';
import type { Clock, Disk } from '../../../protocol/base/world.ts';
import { EventQueue } from '../simulation/eventQueue.ts';
import type { Chances, Life } from '../simulation/mortality.ts';
import { chancesOf, mortal, newLife } from '../simulation/mortality.ts';
import { SeededChance } from '../simulation/seededChance.ts';
import { SimulatedDisk } from '../simulation/simulatedDisk.ts';

/** What happened in a run; a nemesis that does nothing proves nothing. */
export interface Tally {
  kills: number;
  cuts: number;
  wrong: number;
  checkpoints: number;
  believed: number;
  found: number;
  failedSyncs: number;
  deleted: number;
  inTheWay: number;
  withoutLinks: number;
  repairs: number;
}

/** Small on purpose: what matters is the order of things, not their number. */
const PIECE_BYTES = 16 * 1024;
const LIVES_MAX = 60;
const HOME = homeAt('/home');
const DESTINATION = '/downloads/data/file.bin';

interface Truth {
  readonly content: Buffer;
  readonly shape: Shape;
  readonly layer: Buffer;
  readonly root: Root;
}

const truths = [1, 3, 6, 9].map((pieces): Truth => {
  const content = new SeededChance(`content ${pieces}`).bytes(pieces * PIECE_BYTES - 1000);
  const shape = shapeOf(content.length, PIECE_BYTES);
  const pieceOf = (piece: number): Buffer =>
    content.subarray(piece * PIECE_BYTES, piece * PIECE_BYTES + lengthOf(shape, piece));
  const pieceHashes = Buffer.concat(
    Array.from({ length: shape.pieces }, (_, piece) => pieceHash(pieceOf(piece), leavesPerPiece(shape))),
  );
  return { content, shape, layer: pieceHashes, root: rootOf(pieceHashes, shape) };
});

/** @throws AssertionError what did not hold */
export async function powerCut(seed: number): Promise<Tally> {
  const run = new Run(seed);
  try {
    return await run.toTheEnd();
  } catch (error) {
    if (error instanceof Error) error.message += `\n[seed ${seed}]\n${run.story.join('\n')}`;
    throw error;
  }
}

class Run {
  readonly story: string[] = [];
  readonly #tally: Tally = {
    kills: 0,
    cuts: 0,
    wrong: 0,
    checkpoints: 0,
    believed: 0,
    found: 0,
    failedSyncs: 0,
    deleted: 0,
    inTheWay: 0,
    withoutLinks: 0,
    repairs: 0,
  };
  readonly #seed: SeededChance;
  #chances: Chances;
  readonly #truth: Truth;
  readonly #timers = new EventQueue();
  readonly #disk: SimulatedDisk;
  readonly #hasLinks: boolean;
  #nowMs = 0;
  #life: Life;
  /** Pieces that a checkpoint was taken of. */
  #safe = new Set<number>();
  /** Whether somebody deleted the part file under a running program. */
  #partIsGone = false;
  /** Whether all slots of this part file are as they were written. */
  #slotsAreGood = true;
  /** Whether somebody cut the part file since the last life. */
  #partIsCut = false;
  /** A file of somebody else's under the name. */
  #others: Buffer | undefined;
  #syncsUntilFailure = Infinity;

  constructor(seed: number) {
    this.#seed = new SeededChance(seed);
    this.#chances = chancesOf(this.#seed, 'before');
    const chance = this.#seed.fork('setting');
    const truth = truths[chance.below(truths.length)];
    assert.ok(truth);
    this.#truth = truth;
    const life = newLife(Infinity);
    this.#life = life;
    const time = { nowMs: 0, after: (_delayMs: number, call: () => void) => this.#later(call) };
    this.#disk = new SimulatedDisk(time, this.#seed.fork('disk'));
    this.#hasLinks = !chance.oneIn(4);
    if (!this.#hasLinks) this.#tally.withoutLinks++;
    this.#disk.fault = (call, name) => {
      // Right behind this call.
      if (this.#life.isAlive && this.#life.aim?.test(name) && --this.#life.callsLeft < 0) this.#life.end();
      if (call === 'link' && !this.#hasLinks) return 'EPERM';
      // Only that of the download: a home that cannot be written is another story.
      if (call !== 'sync' || !name.startsWith('/downloads') || --this.#syncsUntilFailure > 0) return undefined;
      this.#syncsUntilFailure = Infinity;
      this.#slotsAreGood = false;
      this.#tally.failedSyncs++;
      this.#tell(`sync of ${name} fails`);
      return 'EIO';
    };
  }

  async toTheEnd(): Promise<Tally> {
    await this.#prepare();
    const crashes = this.#seed.fork('crashes').below(5);
    for (let lives = 0; lives < LIVES_MAX; lives++) {
      this.#chances = chancesOf(this.#seed, `life ${lives}`);
      const chance = this.#chances.ends;
      const isLast = lives >= crashes;
      this.#life = isLast ? newLife(Infinity) : mortal(chance, this.#partIsCut);
      this.#partIsCut = false;
      this.#syncsUntilFailure = !isLast && chance.oneIn(5) ? 1 + chance.below(5) : Infinity;
      const life = this.#life;
      const outcome = await Promise.race([this.#program(life), life.ended.then(() => 'crashed' as const)]);
      this.#tell(`life ${lives}: ${outcome}`);
      if (outcome === 'crashed' || chance.oneIn(4)) this.#crash();
      life.isAlive = false;
      if (outcome === 'published' && (await this.#isOver())) return this.#tally;
      this.#between();
    }
    return assert.fail('it does not come to an end');
  }

  /** What was asked for before anything could go wrong. */
  async #prepare(): Promise<void> {
    const { chance, disk } = { chance: this.#seed.fork('wish'), disk: this.#disk.of(this.#life) };
    const { content, shape, root, layer: pieceHashes } = this.#truth;
    for (const folder of ['/home/transfers', '/downloads']) this.#disk.put(`${folder}/.keep`, '');
    const isRepair = chance.oneIn(6);
    if (isRepair) {
      const damaged = Buffer.from(content);
      damaged[chance.below(damaged.length)] = (damaged[0] ?? 0) ^ 0x55;
      this.#disk.put(DESTINATION, damaged);
      this.#tally.repairs++;
    }
    const stat = await disk.stat(DESTINATION);
    await saveRecord(disk, HOME, {
      id: 1,
      account: '11'.repeat(16) as AccountId,
      group: '22'.repeat(16) as GroupId,
      groupName: 'team',
      name: 'data/file.bin',
      kind: 'download',
      path: DESTINATION,
      sizeBytes: shape.sizeBytes,
      pieceBytes: shape.pieceBytes,
      root,
      sha256: 'cd'.repeat(32) as Sha256,
      mode: 'rarest',
      rename: chance.oneIn(2),
      replace: false,
      paused: false,
      told: true,
      part: '',
      claimed: '',
      identity: undefined,
      replaces: stat && identityOf(stat),
      content: 'file',
      version: 1,
      only: [],
      choosing: false,
      chosenBytes: 0,
      downLimitBytesPerS: 0,
      upLimitBytesPerS: 0,
      priority: 'normal',
      place: 1,
    });
    if (isRepair || chance.oneIn(2)) await savePieceHashes(disk, HOME, 1, pieceHashes);
  }

  /** What an engine does with a download, without the network. */
  async #program(life: Life): Promise<'published' | 'gave up'> {
    const disk = this.#disk.of(life);
    const recordStore = await keeperOf(disk);
    if (recordStore.record.identity) {
      await cleanUp(disk, recordStore);
      return 'published';
    }
    const clock = this.#clock(life);
    const context: StorageContext = {
      disk,
      clock,
      chance: this.#chances.program,
      hasher: this.#watched(inlineHasher(disk)),
      home: HOME,
      filePool: new FilePool(disk, clock),
      log: silentLog,
    };
    let store: PieceStore | undefined;
    try {
      const before = recordStore.record.part;
      const opened = await openDownload(context, recordStore, {
        onChecking() {},
        onDiskError: () => (life.callsLeft = Math.min(life.callsLeft, 5)),
      });
      if (opened.is === 'published') return 'published';
      store = opened.store;
      if (recordStore.record.part === before) this.#nothingIsLost(store);
      else this.#forgetPart(); // a new one
      await this.#fetchAll(store, disk, life);
      await finalizeDownload(context, recordStore, store);
      return 'published';
    } catch (error) {
      if (!isShoalError(error) || !['destinationExists', 'destinationUnwritable', 'syncFailed'].includes(error.code)) {
        throw error;
      }
      this.#tell(error.message);
      if (error.code === 'destinationExists') this.#removeOthers();
      await store?.close();
      return 'gave up';
    } finally {
      if (life.isAlive) await store?.close();
    }
  }

  /** Pieces come in any order, two at a time, some of them wrong. */
  async #fetchAll(store: PieceStore, disk: Disk, life: Life): Promise<void> {
    const chance = this.#chances.peers;
    const { shape, content, layer: pieceHashes } = this.#truth;
    if (!store.pieceHashes) {
      assert.ok(store.setPieceHashes(pieceHashes));
      await savePieceHashes(disk, HOME, 1, pieceHashes);
    }
    const fetchOne = async (piece: number): Promise<void> => {
      const bytes = Buffer.from(content.subarray(piece * PIECE_BYTES, piece * PIECE_BYTES + lengthOf(shape, piece)));
      const isWrong = chance.oneIn(10);
      if (isWrong) bytes[chance.below(bytes.length)]! ^= 1 + chance.below(255);
      store.states.move(piece, 'request');
      store.states.move(piece, 'verify');
      const right = await store.store(piece, bytes);
      if (isWrong) this.#tally.wrong++;
      assert.equal(right, !isWrong, 'a wrong piece counted as right');
    };
    while (!store.states.isComplete) {
      const missing = Array.from({ length: shape.pieces }, (_, piece) => piece).filter(
        (piece) => store.states.state(piece) === 'missing',
      );
      const work: Promise<unknown>[] = chance
        .shuffled(missing)
        .slice(0, 1 + chance.below(2))
        .map(fetchOne);
      if (chance.oneIn(3)) work.push(this.#save(store, life));
      const done = await Promise.allSettled(work);
      for (const one of done) if (one.status === 'rejected') throw one.reason;
      this.#advance(chance.below(3_000));
      if (life.isAlive && chance.oneIn(60)) this.#remove(`/downloads/data/.shoal-part/${(await partName(disk)) ?? ''}`);
    }
    if (chance.oneIn(3)) await this.#save(store, life);
  }

  /**
   * A checkpoint, as when a person pauses. What was held when it was begun is safe once it is done.
   */
  async #save(store: PieceStore, life: Life): Promise<void> {
    const held = Array.from({ length: store.shape.pieces }, (_, piece) => piece).filter((piece) =>
      store.states.held.has(piece),
    );
    await store.saveCheckpoint();
    if (!life.isAlive || this.#partIsGone) return;
    this.#safe = new Set([...this.#safe, ...held]);
    this.#tally.checkpoints++;
  }

  #nothingIsLost(store: PieceStore): void {
    // Without a slot and without the piece hashes, what is there cannot be recognised.
    if (!store.pieceHashes && !this.#slotsAreGood) return;
    for (const piece of this.#safe) assert.ok(store.states.held.has(piece), `piece ${piece} was safe and is lost`);
    this.#tally.found += store.states.held.count;
  }

  /** Sees to it that what is vouched for is not read again. */
  #watched(hasher: Hasher): Hasher {
    return {
      ...hasher,
      check: (file, shape, pieceHashes, skip, options) => {
        this.#tally.believed += skip.count;
        if (this.#slotsAreGood) {
          for (const piece of this.#safe) {
            assert.ok(skip.has(piece), `piece ${piece} is in a checkpoint, and is read again`);
          }
        }
        return hasher.check(file, shape, pieceHashes, skip, options);
      },
    };
  }

  /** The program is killed, or the power goes. */
  #crash(): void {
    this.#life.isAlive = false;
    const chance = this.#chances.ends;
    if (chance.oneIn(3)) {
      this.#tally.kills++;
      return this.#tell('killed');
    }
    const survival = (['nothing', 'tornSectors', 'tornSectors', 'someOfIt'] as const)[chance.below(4)] ?? 'nothing';
    this.#tally.cuts++;
    this.#disk.powerCut(survival);
    // Without a slot, what is right has been read and written again, and such a write may be torn
    // too.
    if (survival === 'tornSectors' && !this.#slotsAreGood) this.#safe.clear();
    this.#tell(`power cut, ${survival}`);
  }

  /** What a person may do while no engine runs. */
  #between(): void {
    const chance = this.#chances.people;
    const part = this.#disk.names('/downloads/data').find((name) => name.endsWith('.part'));
    if (part !== undefined && chance.oneIn(12)) this.#remove(part);
    else if (part !== undefined && !this.#disk.peek(DESTINATION) && chance.oneIn(8)) {
      this.#tell('a person cuts the part file');
      const bytes = this.#disk.peek(part) ?? Buffer.alloc(0);
      this.#disk.put(part, bytes.subarray(0, chance.below(bytes.length + 1)));
      this.#forgetPart();
      this.#partIsCut = true;
    }
    const slot = this.#disk.names('/downloads/data').find((name) => name.includes('.ck'));
    if (slot !== undefined && chance.oneIn(12)) {
      this.#tell(`a bit of ${slot} is another`);
      const bytes = this.#disk.peek(slot) ?? Buffer.alloc(0);
      // Often where it is hardest to notice: among the bits of the pieces, right before the
      // checksum.
      const at = chance.oneIn(2) ? Math.max(0, bytes.length - 5) : chance.below(bytes.length);
      if (bytes.length > 0) bytes[at]! ^= 1 << chance.below(8);
      this.#disk.put(slot, bytes);
      this.#safe.clear(); // what it vouched for has to be read, and may be fetched again
      this.#slotsAreGood = false;
    }
    if (!this.#disk.peek(DESTINATION) && chance.oneIn(12)) {
      this.#tell('somebody has a file of that name');
      // An empty one can be taken for a reservation of ours, where a crash came before that was
      // made: nothing is lost with it.
      this.#others = this.#hasLinks && chance.oneIn(4) ? Buffer.alloc(0) : chance.bytes(100);
      this.#disk.put(DESTINATION, this.#others);
      this.#tally.inTheWay++;
    }
  }

  /** A person deletes a part file; the disk knows nothing of programs here. */
  #remove(name: string): void {
    if (!this.#disk.peek(name)) return;
    this.#tell(`a person deletes ${name}`);
    this.#disk.drop(name);
    this.#forgetPart();
    this.#partIsGone = true;
    this.#tally.deleted++;
  }

  #removeOthers(): void {
    this.#othersAreUntouched();
    this.#disk.drop(DESTINATION);
    this.#others = undefined;
  }

  #othersAreUntouched(): void {
    const found = this.#disk.peek(DESTINATION);
    assert.ok(found && this.#others?.equals(found), `a file of somebody else is ${found ? 'another one' : 'gone'}`);
  }

  #forgetPart(): void {
    this.#safe.clear();
    this.#partIsGone = false;
    this.#slotsAreGood = true;
  }

  /**
   * Whether the record says that it is published; then, after one more power cut, all must be well.
   */
  async #isOver(): Promise<boolean> {
    const { record } = await keeperOf(this.#disk.of(newLife(Infinity)));
    if (!record.identity) return false;
    this.#disk.powerCut('nothing');
    const { record: after } = await keeperOf(this.#disk.of(newLife(Infinity)));
    // the run that wrote it was killed before that was on the disk; the next one has to find the
    // file
    if (!after.identity) return false;
    const found = this.#disk.peek(after.path);
    assert.ok(found?.equals(this.#truth.content), `published and ${found ? 'wrong' : 'gone'}: ${after.path}`);
    if (this.#others) this.#othersAreUntouched();
    const copies = this.#disk.names('/downloads').filter((name) => this.#disk.peek(name)?.equals(this.#truth.content));
    if (this.#tally.deleted === 0) {
      assert.deepEqual(
        copies.filter((name) => !name.endsWith('.part')),
        [after.path],
        'it was published twice',
      );
    }
    return true;
  }

  #clock(life: Life): Clock {
    return {
      now: () => this.#nowMs,
      monotonicMs: () => this.#nowMs,
      after: (delayMs, run) => this.#timers.add(this.#nowMs + delayMs, () => life.isAlive && run()),
    };
  }

  #advance(ms: number): void {
    const end = this.#timers.add(this.#nowMs + ms, () => {});
    for (let next = this.#timers.next(); next; next = this.#timers.next()) {
      this.#nowMs = next.atMs;
      next.run();
      if (end.run === undefined) break;
    }
  }

  /**
   * A call of the disk is done a little later, by chance; at the last one of its life the program
   * ends.
   */
  #later(call: () => void): void {
    const life = this.#life;
    let steps = this.#chances.calls.below(6);
    const step = (): void => {
      if (steps-- > 0) return queueMicrotask(step);
      if (life.isAlive && !life.aim && --life.callsLeft < 0) life.end();
      call();
    };
    queueMicrotask(step);
  }

  #tell(line: string): void {
    this.story.push(line);
  }
}

async function keeperOf(disk: Disk): Promise<RecordStore> {
  let [record] = await loadRecords(disk, HOME, silentLog);
  assert.ok(record, 'the record is gone');
  return {
    get record(): TransferRecord {
      assert.ok(record);
      return record;
    },
    async save(changes) {
      assert.ok(record);
      record = { ...record, ...changes };
      await saveRecord(disk, HOME, record);
    },
  };
}

async function partName(disk: Disk): Promise<string | undefined> {
  return (await disk.listFolder('/downloads/data/.shoal-part')).find((name) => name.endsWith('.part'));
}
