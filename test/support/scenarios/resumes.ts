// A real engine that downloads and is killed again and again, as kill -9 does, at moments that a
// seed decides; each time it goes on, and in the end every byte is right and little was fetched
// twice.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import type { RealEngine } from '../processes/realProcesses.ts';
import { RealProcesses } from '../processes/realProcesses.ts';
import type { SeededChance } from '../simulation/seededChance.ts';

const PIECE_BYTES = 512 * 1024;
const PIECES = 240;
const NAME = 'large.bin';
const PIECES_BETWEEN_MAX = 8;
/**
 * Slow enough that all kills hit a download under way, also where news of it come late because
 * others use the machine.
 */
const LIMIT_BYTES_PER_S = 6 * 1024 * 1024;
/**
 * Fetched twice at most per kill: pieces that were on their way to the disk, and what each peer was
 * asked for. A checkpoint's worth would be 128.
 */
const AGAIN_PIECES_MAX = 24;

/** @throws what was wrong */
export async function killAndResume(kills: number, chance: SeededChance): Promise<string> {
  const processes = new RealProcesses();
  try {
    const [alice, bob] = await processes.startTeam();
    const source = path.join(processes.makeFolder('source'), NAME);
    const content = randomBytes(PIECES * PIECE_BYTES - 77);
    writeFileSync(source, content);
    await alice.does('upload_file', source, 'team');
    const folder = processes.makeFolder('downloads');
    await bob.configure({ downLimitBytesPerS: LIMIT_BYTES_PER_S });
    await bob.connection.call('download', {
      group: 'team',
      name: NAME,
      path: folder,
      asFile: false,
      rename: false,
      mode: 'rarest',
      only: [],
    });

    let killed = 0;
    let held = 0;
    for (; killed < kills; killed++) {
      const wanted = held + 1 + chance.below(PIECES_BETWEEN_MAX);
      const now = await bob.until(() =>
        [...bob.transfers.values()].find((one) => one.name === NAME && (isWhole(one) || one.heldPieces >= wanted)),
      );
      if (isWhole(now)) break;
      held = now.heldPieces;
      await bob.kill();
      await bob.start();
      const resumed = await bob.until(() =>
        [...bob.transfers.values()].find(
          (one) => one.name === NAME && (one.state === 'downloading' || one.state === 'waiting' || isWhole(one)),
        ),
      );
      assert.ok(
        resumed.resumedPieces >= held,
        `${held} pieces were here before kill ${killed + 1}, ${resumed.resumedPieces} are found after it`,
      );
    }
    assert.equal(killed, kills, 'it was done before all kills');
    await bob.configure({ downLimitBytesPerS: 0 });
    const { path: copy } = await bob.whole(NAME);
    assert.ok(readFileSync(copy).equals(content), 'what was downloaded differs');
    const again = Math.ceil(((await uploadedBytes(alice)) - content.length) / PIECE_BYTES);
    assert.ok(again >= 0 && again <= kills * AGAIN_PIECES_MAX, `${again} pieces were fetched twice`);
    return `${kills} kills of an engine that downloads ${PIECES} pieces: all held pieces found again, ${again} that were under way fetched twice`;
  } finally {
    await processes.close();
  }
}

const isWhole = ({ state }: Transfer): boolean => state === 'seeding';

async function uploadedBytes(engine: RealEngine): Promise<number> {
  const { transfers } = await engine.connection.call('watch', {});
  return transfers.reduce((sum, one) => sum + one.uploadedBytes, 0);
}
