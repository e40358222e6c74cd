// What is in the logs of trackers that have ended: the files themselves, read by nothing of the
// tracker's own.
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { OperationId } from '../../../protocol/base/ids.ts';
import { decodeEntry, readOperation } from '../../../protocol/messages/operations.ts';
import { LOG_FILE } from '../../../tracker/admin/config.ts';

/** The operations in the log of a tracker's folder, each with the bytes of its entry. */
export function readLog(folder: string): ReadonlyMap<OperationId, Uint8Array> {
  const database = new DatabaseSync(path.join(folder, LOG_FILE), { readOnly: true });
  try {
    const rows = database.prepare('SELECT entry FROM operations').all() as { entry: Uint8Array }[];
    return new Map(rows.map(({ entry }) => [readOperation(decodeEntry(entry).operation).id, entry]));
  } finally {
    database.close();
  }
}
