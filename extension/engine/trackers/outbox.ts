// Operations that only one tracker has on its disk: kept in the home and sent again, with the same
// id, until both have them (extension/engine/README.md, 17). Owns its file; knows nothing of what
// the operations mean.
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { asShoalError } from '../../../protocol/base/errors.ts';
import { OPERATION_AGE_MS_MAX } from '../../../protocol/base/limits.ts';
import type { SignedOperation } from '../../../protocol/base/fields.ts';
import type { Pin } from '../../../protocol/base/ids.ts';
import type { ReceiptProof } from '../../../protocol/messages/receipt.ts';
import type { Receipt } from '../../../protocol/messages/trackerLink.ts';
import type { Disk, Log } from '../../../protocol/base/world.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import { readSmallFile, writeSmallFile } from '../../../protocol/home/homeLayout.ts';

/**
 * Errors of a link or of a tracker that is not the right one: they say nothing about the operation.
 * What they concern is kept for its week.
 */
export const NOT_A_RULING: readonly ErrorCode[] = [
  'wrongRealm',
  'pinMismatch',
  'versionMismatch',
  'badDescriptor',
  'badTicket',
  'trackerUnknown',
  'unknownMessage',
  'cancelled',
  'wrongRole',
  'badFrame',
  'frameTooLarge',
];

interface OutboxEntry {
  readonly operation: string;
  readonly signature: string;
  /**
   * The stamped entry as the one tracker gave it, for the day that tracker's disk is lost, and its
   * signature.
   */
  readonly entry: string;
  readonly proof?: { readonly tracker: Pin; readonly signature: string };
  readonly sinceMs: number;
}

/** What is sent again: as a tracker has acknowledged it, where one has. */
export interface Sendable {
  readonly signed: SignedOperation;
  readonly acknowledged: { readonly entry: Uint8Array; readonly proof: ReceiptProof } | undefined;
}

export class Outbox {
  readonly #disk: Disk;
  readonly #home: Home;
  readonly #log: Log;
  #entries: OutboxEntry[] = [];
  #sending = false;

  constructor(disk: Disk, home: Home, log: Log) {
    this.#disk = disk;
    this.#home = home;
    this.#log = log;
  }

  get size(): number {
    return this.#entries.length;
  }

  async load(): Promise<void> {
    this.#entries =
      (await readSmallFile(this.#disk, this.#home.outboxFile, (fields) => {
        if (!Array.isArray(fields['operations'])) throw new Error('no list of operations');
        return fields['operations'] as OutboxEntry[];
      })) ?? [];
  }

  /** Keeps an operation that is not on both disks yet, or was never sent at all. */
  async add(signed: SignedOperation, { entry, proof }: Partial<Receipt>, nowMs: number): Promise<void> {
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
    this.#entries.push({
      operation: text(signed.operation),
      signature: text(signed.signature),
      entry: text(entry ?? new Uint8Array(0)),
      sinceMs: nowMs,
      ...(proof && { proof: { tracker: proof.tracker, signature: text(proof.signature) } }),
    });
    await this.#save();
  }

  /** Sends all again. What is on both disks now, is refused, or is too old is forgotten. */
  async flush(send: (kept: Sendable) => Promise<Receipt>, nowMs: number): Promise<void> {
    if (this.#sending || this.#entries.length === 0) return;
    this.#sending = true;
    try {
      for (const kept of [...this.#entries]) {
        let done = nowMs - kept.sinceMs > OPERATION_AGE_MS_MAX; // no tracker takes it any more
        try {
          const receipt = await send(sendable(kept));
          done ||= receipt.durability === 'both';
        } catch (error) {
          const { code, retry } = asShoalError(error);
          // no tracker now, or not the right one; another time
          if (retry !== 'never' || NOT_A_RULING.includes(code)) return;
          this.#log.warn('an operation was refused when it was sent again', { why: code });
          done = true;
        }
        if (done) this.#entries.splice(this.#entries.indexOf(kept), 1);
      }
    } finally {
      this.#sending = false;
      await this.#save();
    }
  }

  #save(): Promise<void> {
    return writeSmallFile(this.#disk, this.#home.outboxFile, { operations: this.#entries });
  }
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64');

function sendable({ operation, signature, entry, proof }: OutboxEntry): Sendable {
  return {
    signed: { operation: bytes(operation), signature: bytes(signature) },
    acknowledged:
      entry !== '' && proof
        ? { entry: bytes(entry), proof: { tracker: proof.tracker, signature: bytes(proof.signature) } }
        : undefined,
  };
}
