// Election: who alone works in a folder. The lock is an exclusive transaction on a SQLite file that
// stays empty: the operating system drops it when its holder ends in whatever way, so a kill -9
// leaves nothing to clean up or to misjudge.
import { DatabaseSync } from 'node:sqlite';
import { ShoalError } from '../base/errors.ts';

export interface Lock {
  release(): void;
}

/** SQLITE_BUSY, the lower byte of SQLite's error codes. */
const BUSY = 5;

/**
 * Undefined when another process, or another holder in this one, has it already.
 *
 * @param lockFile  opened by nothing else: closing any other descriptor of it would drop the lock
 *   (POSIX)
 * @param waitMs  how long to wait for the other; this thread does nothing else meanwhile
 * @throws ShoalError homeUnusable
 */
export function elect(lockFile: string, waitMs = 0): Lock | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(lockFile);
    database.exec(`PRAGMA busy_timeout = ${waitMs}; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE`);
    const held = database;
    return { release: () => held.close() };
  } catch (error) {
    database?.close();
    const { errcode, message } = error as { errcode?: number; message: string };
    if (errcode !== undefined && (errcode & 0xff) === BUSY) return undefined;
    throw new ShoalError('homeUnusable', { path: lockFile, why: message }, { cause: error });
  }
}
