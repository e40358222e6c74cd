// Everything a tracker or an engine takes from outside: clock, chance, network, disk, log. Real
// ones are made by nodeWorld.ts, simulated ones by test/support; code that uses nothing else runs
// the same in both, whole swarms under one seed.
import type { Pin } from './ids.ts';
import type { Address } from './fields.ts';

export interface World {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly network: Network;
  readonly disk: Disk;
  readonly log: Log;
}

export interface Clock {
  /** Wall clock, ms since 1970. May jump; never use it for a time-out. */
  now(): number;
  /** Ms since some start; never goes back. */
  monotonicMs(): number;
  /** Runs something once after a delay. A real timer does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer;
}
export interface Timer {
  cancel(): void;
}

export interface Chance {
  /** At least 0, below 1. */
  random(): number;
  /** Unpredictable outside of simulations. */
  bytes(count: number): Buffer;
}

export interface Network {
  /**
   * Accepts streams. Between machines the stream is TLS 1.3 and its `pin` is proven; on a local
   * path it is a socket or named pipe.
   *
   * @throws ShoalError listenFailed
   */
  listen(at: ListenAt, accept: (stream: ByteStream) => void): Promise<Listener>;
  /**
   * Opens a stream. With `expect`, a machine that proves another pin is refused before a byte is
   * sent or parsed.
   *
   * @throws ShoalError unreachable, pinMismatch, deadline
   */
  dial(to: Address | { readonly path: string }, options: DialOptions): Promise<ByteStream>;
  /** This machine's own addresses that others may be able to reach, without loopback. */
  hosts(): readonly string[];
}
/** Where to listen: a port (0: any) on a host (undefined: all addresses), or a local path. */
export type ListenAt = { readonly host?: string; readonly port: number } | { readonly path: string };
export interface DialOptions {
  readonly expect?: Pin;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called when something answers there; it has proven nothing yet. */
  readonly answered?: () => void;
}
export interface Listener {
  /** 0 for a local path. */
  readonly port: number;
  /** Stops accepting; streams that are open stay. */
  close(): Promise<void>;
}

/** A two-way stream of bytes with flow control. Bytes are delivered once `open` was called. */
export interface ByteStream {
  /** Proven key of the other end; undefined on local paths. */
  readonly pin: Pin | undefined;
  /** Address of the other end as seen from here; host '' on local paths. */
  readonly remote: Address;
  /** Whether this end dialled. */
  readonly dialled: boolean;
  open(receiver: StreamReceiver): void;
  /**
   * Queues bytes. They must not be changed before `taken` is called: the system has them then, or
   * the stream is closed.
   */
  write(parts: readonly Uint8Array[], taken?: () => void): void;
  /** Bytes written but not yet taken by the system. */
  readonly queuedBytes: number;
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once. `ended` follows. */
  destroy(): void;
}

/** Takes the bytes of a stream, into memory of its own choice. */
export interface StreamReceiver {
  /**
   * Where the next bytes go; not empty. They land there without a copy where the system
   * allows it.
   */
  target(): Uint8Array;
  /** So many bytes are in the last target. */
  received(count: number): void;
  /** The queue is empty again after it was long (a short one may become empty without a word). */
  drained(): void;
  /**
   * The stream is closed; nothing follows. With an error if it was not by a clean end of the other
   * side.
   */
  ended(error?: Error): void;
}

/**
 * The file system, as far as Shoal needs it. Errors are Node's (`code`: ENOENT, ENOSPC …), in
 * simulations too.
 */
export interface Disk {
  /**
   * `create`: new and empty, EEXIST if the name is taken. Links are never followed at the last
   * component.
   */
  open(path: string, how: 'read' | 'write' | 'create'): Promise<DiskFile>;
  /**
   * Undefined when there is nothing. `follow`: what a link points to instead of the link itself.
   */
  stat(path: string, follow?: 'follow'): Promise<DiskStat | undefined>;
  readFile(path: string): Promise<Buffer>;
  /**
   * Writes beside it, fsyncs, renames over it, fsyncs the folder: afterwards either the old or the
   * new content is there, whole.
   */
  replaceFile(path: string, content: Uint8Array, mode?: number): Promise<void>;
  /** A second name for a file; EEXIST if taken. */
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Removes a folder with all that is in it. */
  removeFolder(path: string): Promise<void>;
  makeFolder(path: string, mode?: number): Promise<void>;
  listFolder(path: string): Promise<readonly string[]>;
  /** Makes names in a folder durable; does nothing where a system has no such call. */
  syncFolder(path: string): Promise<void>;
  freeBytes(path: string): Promise<number>;
}
export interface DiskFile {
  /**
   * The system's number for it, which worker threads of this process can use too; undefined in
   * simulations.
   */
  readonly descriptor: number | undefined;
  /** Reads into the whole of `into`, less at the end of the file; returns how much. */
  read(into: Uint8Array, at: number): Promise<number>;
  write(from: Uint8Array, at: number): Promise<void>;
  truncate(bytes: number): Promise<void>;
  /** Until here everything is on the disk (fdatasync). */
  sync(): Promise<void>;
  stat(): Promise<DiskStat>;
  close(): Promise<void>;
}
export interface DiskStat {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly sizeBytes: number;
  /** Together they tell whether a file was changed or replaced. */
  readonly device: bigint;
  readonly inode: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
}

/** A fixed phrase and fields: `log.info('peer connected', { peer, file })`. */
export interface Log {
  debug(phrase: string, fields?: LogFields): void;
  info(phrase: string, fields?: LogFields): void;
  warn(phrase: string, fields?: LogFields): void;
  error(phrase: string, fields?: LogFields): void;
}
export type LogFields = Readonly<Record<string, unknown>>;

/** A log that nobody reads. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
