// Rules of a download's disk side, broken on purpose (breakages.ts). The simulation is powerCut.ts.
import { fileURLToPath } from 'node:url';
import type { Simulated } from './breakages.ts';
import { breakage } from './breakages.ts';

export const DOWNLOADS: Simulated = {
  module: fileURLToPath(new URL('./powerCut.ts', import.meta.url)),
  run: 'powerCut',
  folder: fileURLToPath(new URL('../../../extension/engine/', import.meta.url)),
};

export const DOWNLOAD_BREAKAGES = [
  // What counts.
  breakage(
    'writes what it has not verified',
    'hashing/hasher.ts',
    'if (!pieceHash(bytes, leavesPerPiece(shape)).equals(expected)) return false;\n      await file.write',
    'await file.write',
    1,
  ),
  breakage(
    'believes a checkpoint without a checksum',
    'storage/checkpointFormat.ts',
    'if (crc32(found.subarray(0, -CRC_BYTES)) !== found.readUInt32BE(found.length - CRC_BYTES)) return undefined;',
    '',
    514,
  ),
  breakage(
    'believes a checkpoint of a part file that lost its size',
    'storage/partFile.ts',
    'for (const slot of slotsOf(part)) await disk.remove(slot);',
    '',
    162,
  ),
  breakage(
    'gives a part file its size back before its checkpoints are gone for certain',
    'storage/partFile.ts',
    '        await disk.syncFolder(path.dirname(part));\n        await file.truncate(shape.sizeBytes);',
    '        await file.truncate(shape.sizeBytes);',
    7808,
  ),
  breakage(
    'takes the older of two checkpoints',
    'storage/checkpoints.ts',
    'checkpoint.generation <= (this.#newest?.generation ?? 0)',
    'checkpoint.generation >= (this.#newest?.generation ?? Infinity)',
    94,
  ),

  // In which order it reaches the disk.
  breakage(
    'takes a checkpoint before the pieces are synced',
    'storage/checkpoints.ts',
    '      await this.#sync(this.#part.file);\n      await this.#writeOlderSlot(bits);',
    '      await this.#writeOlderSlot(bits);\n      await this.#sync(this.#part.file);',
    94,
  ),
  breakage(
    'vouches for what came during the sync',
    'storage/checkpoints.ts',
    'await this.#writeOlderSlot(bits);',
    'await this.#writeOlderSlot(this.#held.bytes());',
    184,
  ),
  breakage(
    'does not sync the slot',
    'storage/checkpoints.ts',
    '      await this.#sync(file);\n    } catch',
    '    } catch',
    10,
  ),
  breakage(
    'does not sync the names of the slots',
    'storage/checkpoints.ts',
    'if (!this.#isNameDurable[slot]) await this.#sync({',
    'if (!this.#isNameDurable[slot]) void ({',
    12,
  ),
  breakage(
    'has one slot only',
    'storage/checkpoints.ts',
    'const slot = this.#newest?.slot === 0 ? 1 : 0;',
    'const slot = 0;',
    3487,
  ),
  breakage(
    'overwrites the last slot that is on the disk for certain',
    'storage/checkpoints.ts',
    'if (this.#newest && !this.#isNameDurable[this.#newest.slot]) await',
    'if (this.#broken) await',
    26_238,
  ),
  breakage(
    'syncs again after a sync that failed',
    'storage/checkpoints.ts',
    'await what.sync();',
    'await what.sync().catch(() => what.sync());',
    50,
  ),
  breakage(
    'believes what a failed sync left in memory',
    'hashing/hasher.ts',
    '          await file.write(bytes, piece * shape.pieceBytes);\n          right.push(piece);',
    '          right.push(piece);',
    50,
  ),

  // How it gets its name.
  breakage('publishes without a sync', 'storage/pieceStore.ts', 'await part.checkpoints.sync();', '', 1),
  breakage(
    'does not sync the folder of the final name',
    'storage/finalize.ts',
    '        await disk.syncFolder(path.dirname(name));\n',
    '',
    1,
  ),
  breakage(
    'publishes over what is there',
    'storage/finalize.ts',
    '    await disk.link(from, to);\n    return true;',
    '    await disk.rename(from, to);\n    return true;',
    12,
  ),
  breakage(
    'does not write down which name it is about to take',
    'storage/finalize.ts',
    '  if (there) return claimed === to && isReservation(there) && moveTo(disk, from, to);\n  await claim(to);',
    '  if (there) return claimed === to && isReservation(there) && moveTo(disk, from, to);',
    1806,
  ),
  breakage(
    'takes any empty file for its own reservation',
    'storage/finalize.ts',
    '(claimed === to && isReservation(there)',
    '(isReservation(there)',
    12,
  ),
  breakage(
    'removes the part file before the record says where the file is',
    'transferFiles/downloadFiles.ts',
    "  await recordStore.save({ ...found, claimed: '', replaces: undefined });\n",
    "  await removePart(context.disk, part);\n  await recordStore.save({ ...found, claimed: '', replaces: undefined });\n",
    2098,
  ),
  breakage(
    'believes that folders last because they are there',
    'storage/durableFolder.ts',
    '    await disk.syncFolder(path.dirname(here)).catch',
    '    if (!folder) await disk.syncFolder(path.dirname(here)).catch',
    2,
  ),
  breakage(
    'does not look for a file that was published and forgotten',
    'transferFiles/downloadFiles.ts',
    "if (record.part !== '' && (await wasFinalized(context, recordStore, onChecking, options))) return { is: 'published' };",
    '',
    10,
  ),
];
