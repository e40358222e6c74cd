// A bare group commit for comparison: rows as a tracker writes them, into the same tables, with the
// same pragmas, one commit for all that is there in a turn of the event loop. No link, no fold, no
// other checks; with `checks`, each operation's signature and nothing more.
//   node groupCommit.ts FILE COUNT AT_ONCE [checks]        prints { perS, p50, p99 }
import { DatabaseSync } from 'node:sqlite';
import { createIdentity } from '../../../protocol/node/identity.ts';
import type { Origin } from '../../../protocol/base/ids.ts';
import { checkOperation, encodeEntry } from '../../../protocol/messages/operations.ts';
import { median, percentile } from '../measure.ts';
import { sampleOperation } from '../samples.ts';

const [file = '', count = '0', atOnce = '0', how] = process.argv.slice(2);
const COUNT = Number(count);

const database = new DatabaseSync(file);
database.exec(`
  PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE operations (
    origin TEXT NOT NULL, seq INTEGER NOT NULL, ms INTEGER NOT NULL, counter INTEGER NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (origin, seq)
  ) STRICT;
  CREATE INDEX in_order ON operations (ms, counter, origin, seq);
`);
const insert = database.prepare('INSERT INTO operations (origin, seq, ms, counter, entry) VALUES (?, ?, ?, ?, ?)');

const origin = '0123456789abcdef' as Origin;
const identity = createIdentity();
// Some, again and again: what a row says does not matter here, only how long it is.
const ready = Array.from({ length: 256 }, (_, n) => {
  const signed = sampleOperation(identity, n);
  const stamp = { ms: Date.now(), counter: n, origin, seq: n + 1, seen: [], previous: Buffer.alloc(32) };
  return { signed, bytes: encodeEntry({ ...signed, added: new Uint8Array(0), stamp }) };
});

const times: number[] = [];
let begun = 0;
let queue: { readonly bytes: Uint8Array; readonly began: number }[] = [];

function arrive(): void {
  const { signed, bytes } = ready[begun++ % ready.length] as (typeof ready)[number];
  const began = performance.now();
  if (how === 'checks') checkOperation(signed);
  queue.push({ bytes, began });
}

function commit(): void {
  const waiting = queue;
  queue = [];
  database.exec('BEGIN');
  for (const [n, { bytes }] of waiting.entries()) insert.run(origin, times.length + n + 1, Date.now(), n, bytes);
  database.exec('COMMIT');
  const now = performance.now();
  for (const { began } of waiting) times.push(now - began);
  while (queue.length < Number(atOnce) && begun < COUNT) arrive();
  if (queue.length > 0) setImmediate(commit);
  else finish();
}

function finish(): void {
  process.stdout.write(
    JSON.stringify({
      perS: COUNT / ((performance.now() - start) / 1000),
      p50: median(times),
      p99: percentile(times, 0.99),
    }),
  );
  database.close();
}

const start = performance.now();
while (queue.length < Number(atOnce) && begun < COUNT) arrive();
setImmediate(commit);
