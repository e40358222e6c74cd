// A process that appends to a tracker's log for as long as it lives, and says which numbers are on
// the disk. Started, and killed, by sqliteLog.test.ts: node logWriter.ts FILE
import { nodeChance } from '../../../protocol/node/nodeWorld.ts';
import type { Stamp } from '../../../protocol/messages/operations.ts';
import { encodeEntry, entryHash } from '../../../protocol/messages/operations.ts';
import type { LogEntry, OpLog } from '../../../tracker/log/opLog.ts';
import { openSqliteLog } from '../../../tracker/log/sqliteLog.ts';

/** Entries that follow those of a log. What they say does not matter to it. */
export function nextEntries(log: OpLog, count: number, { origin = log.origin, ms = Date.now() } = {}): LogEntry[] {
  const entries: LogEntry[] = [];
  let before = log.head(origin);
  for (let n = 0; n < count; n++) {
    const seq = (before?.seq ?? 0) + 1;
    const stamp: Stamp = {
      ms,
      counter: seq % 2 ** 16,
      origin,
      seq,
      seen: [],
      previous: before?.hash ?? new Uint8Array(32),
    };
    const bytes = encodeEntry({
      operation: Buffer.from(`operation ${stamp.seq}`),
      signature: new Uint8Array(64),
      added: new Uint8Array(0),
      stamp,
    });
    entries.push({ stamp, bytes });
    before = { seq, hash: entryHash(bytes) };
  }
  return entries;
}

async function write(file: string): Promise<void> {
  const log = openSqliteLog(file, nodeChance);
  for (;;) {
    // Two in the same turn: they share a commit.
    await Promise.all(
      [3, 1].map(async (count) => {
        const entries = nextEntries(log, count);
        await log.append(entries);
        process.stdout.write(`${entries.at(-1)?.stamp.seq}\n`);
      }),
    );
  }
}

const [, script, file] = process.argv;
if (script?.endsWith('logWriter.ts') && file !== undefined) await write(file);
