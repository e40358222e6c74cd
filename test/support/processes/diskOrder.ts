// Whether trackers waited for their disks, told from their system calls: each operation's bytes are
// in a page that is written to the log, and only after a later fsync of it was over may anything go
// out that says so. What goes out is encrypted; which answer it is, its place and its size tell,
// because each link asks one thing at a time, and so does a tracker on the link to its partner.
import assert from 'node:assert/strict';
import type { OperationId } from '../../../protocol/base/ids.ts';
import type { SystemCall } from './strace.ts';

/**
 * A record of TLS 1.3 begins with its kind, a version and its length; all that is encrypted is of
 * this kind.
 */
const TLS_DATA = 0x17;
const TLS_HEAD_BYTES = 5;
/** Bytes of a heartbeat's record; whatever says something is longer. */
const PING_BYTES = 38;
/**
 * Bytes around the entries of a batch for the partner (TLS 22, frame 18, their count), and before
 * each (its length).
 */
const BATCH_HEAD_BYTES = 44;
const ENTRY_HEAD_BYTES = 4;

export interface Traced {
  readonly calls: readonly SystemCall[];
  /**
   * The log to which the operations were sent, and the one of the partner, if there is one: the
   * paths of their WALs.
   */
  readonly wal: string;
  readonly partnerWal: string | undefined;
  /**
   * The tracker's sockets, by text: those to the operator, whose last answer marks the beginning,
   * and the one to the partner.
   */
  readonly operator: RegExp;
  readonly toPartner: RegExp;
  /**
   * What was answered on each link, in the order of the answers, and the tracker's socket of that
   * link.
   */
  readonly links: readonly { readonly socket: RegExp; readonly answered: readonly Answered[] }[];
  /** Bytes of the entries of these operations, on average; they are alike. */
  readonly entryBytes: number;
}

export interface Answered {
  readonly id: OperationId;
  /** Whether the answer says that both disks have it. */
  readonly isOnBoth: boolean;
}

interface Sent {
  readonly bytes: number;
  readonly began: number;
}

interface OnDisk {
  readonly written: number;
  /** When the first fsync that began after the write was over. */
  durable: number;
}

type OnDisks = ReadonlyMap<OperationId, OnDisk>;

/**
 * What went out too early, in words. What does not fit together at all is thrown: then the trace
 * proves nothing.
 */
export function tooEarly(traced: Traced): { readonly early: readonly string[]; readonly commits: number } {
  const { wal, partnerWal, links, operator } = traced;
  const ids = new Set(links.flatMap(({ answered }) => answered.map(({ id }) => id)));
  const own = onDisk(traced.calls, wal, ids);
  const partners = partnerWal === undefined ? undefined : onDisk(traced.calls, partnerWal, ids);
  for (const id of ids) {
    assert.ok(own.has(id) && (!partners || partners.has(id)), `${id} was answered and is in no write to a log`);
  }
  const first = Math.min(...[...own.values()].map(({ written }) => written));
  const begin = traced.calls.findLast(({ target, began }) => operator.test(target) && began < first)?.ended;
  assert.ok(begin !== undefined, 'nothing marks where the operations begin');
  const sent = (socket: RegExp): readonly Sent[] =>
    traced.calls
      .filter(({ target, result, began }) => began > begin && result > 0 && socket.test(target))
      .flatMap(recordsOf);

  const early: string[] = [];
  for (const { socket, answered } of links) {
    const answers = sent(socket);
    assert.equal(answers.length, answered.length, `${String(socket)}: not one record for each answer`);
    for (const [n, { id, isOnBoth }] of answered.entries()) {
      const at = answers[n]?.began ?? 0;
      if ((own.get(id)?.durable ?? Infinity) > at) early.push(`${id} was answered before it was on the disk`);
      if (isOnBoth && partners && (partners.get(id)?.durable ?? Infinity) > at) {
        early.push(`${id} was answered with “both” before it was on the partner's disk`);
      }
    }
  }
  if (partners) {
    early.push(
      ...earlyBetween(
        sent(traced.toPartner).filter(({ bytes }) => bytes >= traced.entryBytes / 2),
        traced.entryBytes,
        own,
        partners,
      ),
    );
  }
  return { early, commits: new Set([...own.values()].map(({ durable }) => durable)).size };
}

/**
 * Of the link of the pair only sizes are known, and that a batch is sent when the one before it was
 * confirmed: there are never more entries sent than are on this disk, and never more confirmed than
 * are on the partner's.
 */
function earlyBetween(batches: readonly Sent[], entryBytes: number, own: OnDisks, partners: OnDisks): string[] {
  const early: string[] = [];
  const durableBefore = (disk: OnDisks, at: number): number =>
    [...disk.values()].filter(({ durable }) => durable < at).length;
  let carried = 0;
  for (const { bytes, began } of batches) {
    if (durableBefore(partners, began) < carried) {
      early.push(`entry ${carried} was confirmed by the partner before it was on its disk`);
    }
    carried += Math.round((bytes - BATCH_HEAD_BYTES) / (entryBytes + ENTRY_HEAD_BYTES));
    if (durableBefore(own, began) < carried) {
      early.push(`entry ${carried} went to the partner before it was on the disk`);
    }
  }
  assert.equal(carried, own.size, 'the sizes of the batches do not tell how many entries they carry');
  return early;
}

/** What is said in one write: its records of TLS, but for heartbeats. */
function recordsOf({ target, data, began }: SystemCall): readonly Sent[] {
  const records: Sent[] = [];
  for (let at = 0; at < data.length;) {
    assert.ok(
      at + TLS_HEAD_BYTES <= data.length && data[at] === TLS_DATA,
      `what was written to ${target} does not begin with a record`,
    );
    const bytes = TLS_HEAD_BYTES + data.readUInt16BE(at + 3);
    if (bytes > PING_BYTES) records.push({ bytes, began });
    at += bytes;
  }
  return records;
}

function onDisk(calls: readonly SystemCall[], wal: string, ids: ReadonlySet<OperationId>): OnDisks {
  const found = new Map<OperationId, OnDisk>();
  const missing = new Map([...ids].map((id) => [id, Buffer.from(id, 'hex')]));
  for (const { name, target, data, result, began, ended } of calls) {
    if (target !== wal || result < 0) continue;
    if (name === 'fsync' || name === 'fdatasync') {
      for (const one of found.values()) if (one.written < began && one.durable === Infinity) one.durable = ended;
    } else {
      for (const [id, bytes] of missing) {
        if (data.includes(bytes) && missing.delete(id)) found.set(id, { written: ended, durable: Infinity });
      }
    }
  }
  return found;
}
