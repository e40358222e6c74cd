// A real engine that downloads onto small disks, each of which somebody else fills at moments that
// a seed decides; each time it says so, its other downloads go on, and once there is room it goes
// on by itself, until every byte is here and right.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import type { RealEngine } from '../processes/realProcesses.ts';
import { RealProcesses } from '../processes/realProcesses.ts';
import type { SeededChance } from '../simulation/seededChance.ts';
import { SmallDisk } from '../processes/smallDisk.ts';

const PIECE_BYTES = 512 * 1024;
const PIECES = 64;
const DISK_BYTES = (PIECES + 8) * PIECE_BYTES;
/**
 * For all together: while all others wait for room, one gets no further than this before it is
 * known how far it is, and it must not be done.
 */
const LIMIT_BYTES_PER_S = 3 * 1024 * 1024;
/**
 * Pieces that come before the disk is full again: all of it shall be over while there is some way
 * to go.
 */
const PIECES_BETWEEN_MAX = 6;
const PIECES_FULL_MAX = PIECES / 2;
const NOTE_BYTES = 100_000;
/** One disk in so many is full before the first byte comes. */
const FULL_BEFORE_ONE_IN = 3;

/**
 * @param points  how often each of the disks becomes full
 * @throws what was wrong
 */
export async function fillAgainAndAgain(disks: number, points: number, chance: SeededChance): Promise<string> {
  const processes = new RealProcesses();
  const mounted: SmallDisk[] = [];
  try {
    const [alice, bob] = await processes.startTeam();
    await bob.configure({ downLimitBytesPerS: LIMIT_BYTES_PER_S, activeDownloads: 0 });
    const group = new Group(alice, bob, processes);
    for (let n = 0; n < disks; n++) mounted.push(new SmallDisk(DISK_BYTES));
    const filled = await Promise.all(
      mounted.map((disk, n) => fillOne(group, disk, `large ${n + 1}`, points, chance.fork(`disk ${n}`))),
    );
    await bob.configure({ downLimitBytesPerS: 0 });
    for (const { name, content } of filled) {
      assert.ok(readFileSync((await bob.whole(name)).path).equals(content), 'what was downloaded differs');
    }
    const moments = filled.flatMap(({ fullAfter }) => fullAfter).sort((a, b) => a - b);
    return `${disks} small disks were full ${moments.length} times, after ${moments.join(', ')} of ${PIECES} pieces: all downloads went on by themselves and are right`;
  } finally {
    await processes.close();
    for (const disk of mounted) disk.unmount();
  }
}

interface Filled {
  readonly name: string;
  readonly content: Buffer;
  /** How many pieces were here each time the disk was full. */
  readonly fullAfter: readonly number[];
}

async function fillOne(
  group: Group,
  disk: SmallDisk,
  name: string,
  points: number,
  chance: SeededChance,
): Promise<Filled> {
  const { bob } = group;
  const content = await group.share(name, PIECES * PIECE_BYTES - 77);
  // what is left may take a piece, or part of one
  const fill = (): void => disk.fill(chance.oneIn(2) ? 0 : chance.below(2 * PIECE_BYTES));
  const isFullBefore = chance.oneIn(FULL_BEFORE_ONE_IN);
  if (isFullBefore) disk.fill(0);
  const transfer = await group.download(name, disk.folder);
  const now = (): Transfer => {
    const one = bob.transfers.get(transfer) ?? assert.fail('it is gone');
    assert.notEqual(one.state, 'seeding', 'it was done before the disk was full');
    return one;
  };

  const betweenMax = Math.min(PIECES_BETWEEN_MAX, Math.floor(PIECES_FULL_MAX / points));
  const fullAfter: number[] = [];
  while (fullAfter.length < points) {
    const wanted = now().heldPieces + 1 + chance.below(betweenMax);
    if (!isFullBefore || fullAfter.length > 0) {
      await bob.until(() => now().heldPieces >= wanted);
      fill();
    }
    await bob.until(() => now().error?.code === 'diskFull');
    fullAfter.push(now().heldPieces);
    const note = `note ${fullAfter.length} of ${name}`;
    const noteContent = await group.share(note, NOTE_BYTES);
    await group.download(note, group.folder);
    assert.ok(readFileSync((await bob.whole(note)).path).equals(noteContent), 'what came meanwhile differs');
    assert.equal(now().error?.code, 'diskFull', 'it goes on without room');
    disk.makeRoom();
    await bob.until(() => now().error === undefined && now().state !== 'failed');
  }
  return { name, content, fullAfter };
}

/** Alice shares, Bob downloads. */
class Group {
  readonly bob: RealEngine;
  /** On a disk with room. */
  readonly folder: string;
  readonly #alice: RealEngine;
  readonly #source: string;

  constructor(alice: RealEngine, bob: RealEngine, processes: RealProcesses) {
    this.#alice = alice;
    this.bob = bob;
    this.#source = processes.makeFolder('source');
    this.folder = processes.makeFolder('downloads');
  }

  async share(name: string, sizeBytes: number): Promise<Buffer> {
    const content = randomBytes(sizeBytes);
    const file = path.join(this.#source, name);
    writeFileSync(file, content);
    await this.#alice.connection.call('share', { group: 'team', path: file, name: undefined, replace: false });
    await this.#alice.whole(name);
    return content;
  }

  /** Resolves when the engine has begun. */
  async download(name: string, folder: string): Promise<number> {
    const { transfer } = await this.bob.connection.call('download', {
      group: 'team',
      name,
      path: folder,
      asFile: false,
      rename: false,
      mode: 'rarest',
      only: [],
    });
    await this.bob.until(() => this.bob.transfers.has(transfer));
    return transfer;
  }
}
