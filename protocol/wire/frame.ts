// The frame, on every link (protocol/README.md, A frame):
//   start u16 · typeSize u8 · type (ASCII) · payloadSize u32 · payload
// and the payload begins with kind u8 · call u32. This file turns a stream of bytes into frames and
// back. It allocates nothing before a length was checked, and lets the reader of a link name the
// memory in which the raw bytes at the end of an answer land.
import { ShoalError } from '../base/errors.ts';
import { FRAME_PAYLOAD_BYTES_MAX, LINGER_MS } from '../base/limits.ts';
import type { ByteStream, Clock, StreamReceiver, Timer } from '../base/world.ts';

/** The first two bytes of every frame: "Sh". */
export const FRAME_START = 0x5368;
/** Bytes of `kind` and `call` at the beginning of every payload. */
export const PAYLOAD_HEAD_BYTES = 5;
/** Bytes of a message's name. */
export const TYPE_BYTES_MAX = 32;

export const KINDS = ['request', 'answer', 'error', 'notice'] as const;
export type Kind = (typeof KINDS)[number];

export interface FrameHead {
  readonly type: string;
  readonly kind: Kind;
  /** Number of the call, chosen by who makes it; 0 for a notice. */
  readonly call: number;
}
export interface Frame extends FrameHead {
  /** The fields. A view into the link's buffer: read it before returning. */
  readonly body: Uint8Array;
  /** Raw bytes that were put into the memory which `rawTarget` had named. */
  readonly rawBytes: number;
}

/** Room in front of raw bytes in which the rest of any frame fits that carries raw bytes. */
export const RAW_HEAD_ROOM_BYTES = 128;

/** Bytes that stand behind the fields of a frame. They are not copied. */
export interface RawBytes {
  readonly raw: Uint8Array;
  /**
   * Whether the RAW_HEAD_ROOM_BYTES in front of them in their memory are free: then the whole frame
   * is one write. (Two cost Node.js's TLS a copy of both.)
   */
  readonly hasHeadRoom?: boolean;
  /** Called when their memory may be used for something else. */
  readonly taken?: () => void;
}

/** A frame in its bytes. */
export function encodeFrame(head: FrameHead, body: Uint8Array, behind?: RawBytes): readonly Uint8Array[] {
  const raw = behind?.raw;
  const type = Buffer.from(head.type, 'latin1');
  const before = 2 + 1 + type.length + 4 + PAYLOAD_HEAD_BYTES;
  const size = before + body.length;
  const isOne = raw !== undefined && behind?.hasHeadRoom === true && size <= RAW_HEAD_ROOM_BYTES;
  const bytes = isOne ? Buffer.from(raw.buffer, raw.byteOffset - size, size + raw.length) : Buffer.allocUnsafe(size);
  bytes.writeUInt16BE(FRAME_START, 0);
  bytes.writeUInt8(type.length, 2);
  type.copy(bytes, 3);
  bytes.writeUInt32BE(PAYLOAD_HEAD_BYTES + body.length + (raw?.length ?? 0), 3 + type.length);
  bytes.writeUInt8(KINDS.indexOf(head.kind), 7 + type.length);
  bytes.writeUInt32BE(head.call, 8 + type.length);
  bytes.set(body, before);
  return isOne || raw === undefined || raw.length === 0 ? [bytes] : [bytes, raw];
}

/**
 * Where the raw bytes of a frame go: `bodyBytes` of fields come first, the rest fills `into`, which
 * must be large enough.
 */
export interface RawTarget {
  readonly bodyBytes: number;
  readonly into: Uint8Array;
}

/** Takes the frames of a link. */
export interface FrameReceiver {
  /**
   * The largest payload allowed for this frame. Asked when its head is known and nothing was
   * allocated yet.
   */
  payloadBytesMax(head: FrameHead): number;
  /** Where the raw bytes of this frame go; undefined if it has none. */
  rawTarget(head: FrameHead): RawTarget | undefined;
  frame(frame: Frame): void;
  drained(): void;
  /**
   * The link is closed; nothing follows. With an error unless the other side ended the stream
   * between two frames.
   */
  ended(error?: Error): void;
}

interface ArrivingRaw {
  readonly head: FrameHead;
  readonly body: Buffer;
  readonly into: Uint8Array;
  filled: number;
}

/**
 * Buffer of a link that was never busy: a tracker has thousands of these, and a ping has 16 bytes.
 */
const IDLE_BUFFER_BYTES = 2 * 1024;
/** Smallest buffer of one that was; it grows to the frame that needs more and shrinks again. */
const BUFFER_BYTES = 16 * 1024;

/**
 * Frames over a stream. Until a receiver is set, what arrives waits: a little here, the rest at the
 * other end.
 */
export class FrameLink implements StreamReceiver {
  readonly stream: ByteStream;
  /** Frames and bytes in each direction since the link was opened, for rates and for `trace`. */
  readonly counts = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0 };
  #receiver: FrameReceiver | undefined;
  #buffer = Buffer.allocUnsafe(IDLE_BUFFER_BYTES);
  #start = 0;
  #end = 0;
  /** A frame whose raw bytes are arriving in the receiver's own memory. */
  #raw: ArrivingRaw | undefined;
  /** Whether the last target was the receiver's own memory. */
  #givenRaw = false;
  /** Whether what came at once filled all the room there was. */
  #isBusy = false;
  /** Bytes from the frame's beginning that the next step of the parser needs. */
  #needBytes = 0;
  #ended: { error: Error | undefined } | undefined;
  #parsing = false;
  #reading = true;
  /** Set once nothing is read any more. */
  #linger: Timer | undefined;

  constructor(stream: ByteStream) {
    this.stream = stream;
    stream.open(this);
  }

  /**
   * Sets who takes the frames from now on. What has arrived already is given to it before this
   * returns.
   */
  receive(receiver: FrameReceiver | undefined): void {
    this.#receiver = receiver;
    this.#parse();
  }

  /**
   * Ends the link from this side: what was written still arrives, what comes is thrown away, and
   * who does not take his in time is cut off.
   */
  finish(clock: Clock): void {
    if (this.#ended || this.#linger) return;
    this.#linger = clock.after(LINGER_MS, () => this.stream.destroy());
    this.#receiver = undefined;
    this.#raw = undefined;
    this.#buffer = Buffer.allocUnsafe(IDLE_BUFFER_BYTES);
    this.#start = this.#end = this.#needBytes = 0;
    this.stream.end();
    this.#flow();
  }

  send(head: FrameHead, body: Uint8Array, raw?: RawBytes): void {
    if (this.#ended || this.#linger) return raw?.taken?.();
    const parts = encodeFrame(head, body, raw);
    this.counts.framesOut++;
    for (const part of parts) this.counts.bytesOut += part.length;
    this.stream.write(parts, raw?.taken);
  }

  target(): Uint8Array {
    const raw = this.#raw && this.#raw.filled < this.#raw.into.length ? this.#raw : undefined;
    this.#givenRaw = raw !== undefined;
    if (raw) return raw.into.subarray(raw.filled);
    this.#makeRoom();
    return this.#buffer.subarray(this.#end);
  }

  received(count: number): void {
    this.counts.bytesIn += count;
    if (this.#linger) return;
    if (this.#givenRaw && this.#raw) {
      this.#raw.filled += count;
      // most of what comes: a part of a piece, in its place already
      if (this.#raw.filled < this.#raw.into.length) return;
    } else this.#end += count;
    this.#isBusy ||= this.#end === this.#buffer.length;
    this.#parse();
  }

  drained(): void {
    this.#receiver?.drained();
  }

  ended(error?: Error): void {
    this.#ended ??= { error };
    this.#linger?.cancel();
    this.#parse();
  }

  #notifyEnded({ error }: { readonly error: Error | undefined }): void {
    const cutShort = this.#raw !== undefined || this.#start < this.#end;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.ended(
      error ?? (cutShort ? new ShoalError('badFrame', { why: 'the stream ends inside a frame' }) : undefined),
    );
  }

  #parse(): void {
    if (this.#parsing) return; // a receiver that swaps receivers inside `frame` comes back here
    this.#parsing = true;
    try {
      while (this.#receiver && !this.#ended?.error) {
        if (!(this.#raw ? this.#fillRaw(this.#raw) : this.#parseOne())) break;
      }
    } finally {
      this.#parsing = false;
    }
    if (this.#ended) this.#notifyEnded(this.#ended);
    else this.#flow();
  }

  /** Lets the stream flow while a receiver takes its frames, or little of it waits here. */
  #flow(): void {
    const reading =
      this.#linger !== undefined || this.#receiver !== undefined || this.#end - this.#start < BUFFER_BYTES;
    if (reading === this.#reading) return;
    this.#reading = reading;
    if (reading) this.stream.resume();
    else this.stream.pause();
  }

  /** Takes one frame off the buffer. Returns whether to try again. */
  #parseOne(): boolean {
    const buffer = this.#buffer;
    const at = this.#start;
    const have = this.#end - at;
    // Garbage is refused at its first byte, not after a wait for a length that never meant
    // anything.
    if ((have > 0 && buffer[at] !== FRAME_START >> 8) || (have > 1 && buffer[at + 1] !== (FRAME_START & 0xff))) {
      return this.#refuse('it does not begin like one');
    }
    if (have < 3) return this.#wait(3);
    const typeBytes = buffer.readUInt8(at + 2);
    if (typeBytes > TYPE_BYTES_MAX) return this.#refuse('its name is too long');
    const before = 3 + typeBytes + 4;
    if (have < before + PAYLOAD_HEAD_BYTES) return this.#wait(before + PAYLOAD_HEAD_BYTES);
    const type = buffer.toString('latin1', at + 3, at + 3 + typeBytes);
    if (!/^[a-zA-Z]+$/.test(type)) return this.#refuse('its name is not made of letters');
    const payloadBytes = buffer.readUInt32BE(at + 3 + typeBytes);
    const kind = KINDS[buffer.readUInt8(at + before)];
    if (kind === undefined) return this.#refuse('its kind is unknown');
    if (payloadBytes < PAYLOAD_HEAD_BYTES) return this.#refuse('its payload is too short');
    const head: FrameHead = { type, kind, call: buffer.readUInt32BE(at + before + 1) };
    const max = this.#receiver?.payloadBytesMax(head) ?? 0;
    if (payloadBytes > max) return this.#failWith(new ShoalError('frameTooLarge', { type, bytes: payloadBytes, max }));
    const bodyAt = before + PAYLOAD_HEAD_BYTES;
    const restBytes = payloadBytes - PAYLOAD_HEAD_BYTES;

    const raw = this.#receiver?.rawTarget(head);
    if (raw) {
      const rawBytes = restBytes - raw.bodyBytes;
      if (rawBytes < 0 || rawBytes > raw.into.length) {
        return this.#refuse('its raw bytes have another length than asked for');
      }
      if (have < bodyAt + raw.bodyBytes) return this.#wait(bodyAt + raw.bodyBytes);
      const body = Buffer.from(buffer.subarray(at + bodyAt, at + bodyAt + raw.bodyBytes));
      this.#start += bodyAt + raw.bodyBytes;
      this.#needBytes = 0;
      this.#raw = { head, body, into: raw.into.subarray(0, rawBytes), filled: 0 };
      return true;
    }
    if (have < bodyAt + restBytes) return this.#wait(bodyAt + restBytes);
    const body = buffer.subarray(at + bodyAt, at + bodyAt + restBytes);
    this.#start += bodyAt + restBytes;
    this.#needBytes = 0;
    this.counts.framesIn++;
    this.#receiver?.frame({ ...head, body, rawBytes: 0 });
    return true;
  }

  /**
   * Moves what already lies in the buffer to where the raw bytes belong; gives the frame away when
   * they are all there.
   */
  #fillRaw(raw: ArrivingRaw): boolean {
    const here = Math.min(raw.into.length - raw.filled, this.#end - this.#start);
    if (here > 0) raw.into.set(this.#buffer.subarray(this.#start, this.#start + here), raw.filled);
    this.#start += here;
    raw.filled += here;
    if (raw.filled < raw.into.length) return false;
    this.#raw = undefined;
    this.counts.framesIn++;
    this.#receiver?.frame({ ...raw.head, body: raw.body, rawBytes: raw.into.length });
    return true;
  }

  /** More bytes are needed before the next step: so many from the frame's beginning. */
  #wait(needBytes: number): false {
    this.#needBytes = needBytes;
    return false;
  }

  /**
   * Only here does the buffer move: between `target` and `received` bytes may land in it at any
   * time.
   */
  #makeRoom(): void {
    const have = this.#end - this.#start;
    const needBytes = Math.max(this.#needBytes, have + 1);
    const oversize = have === 0 && this.#needBytes <= BUFFER_BYTES && this.#buffer.length > 4 * BUFFER_BYTES;
    if (have > 0 && this.#start + needBytes <= this.#buffer.length && this.#end < this.#buffer.length) return;
    const tooSmall = needBytes > this.#buffer.length || (this.#isBusy && this.#buffer.length < BUFFER_BYTES);
    const target =
      oversize || tooSmall
        ? Buffer.allocUnsafe(Math.max(needBytes, Math.min(2 * have, FRAME_PAYLOAD_BYTES_MAX), BUFFER_BYTES))
        : this.#buffer;
    this.#buffer.copy(target, 0, this.#start, this.#end);
    this.#buffer = target;
    this.#start = 0;
    this.#end = have;
  }

  #refuse(why: string): false {
    return this.#failWith(new ShoalError('badFrame', { why }));
  }

  /** Ends the link because of what the other side sent. */
  #failWith(error: ShoalError): false {
    this.#ended ??= { error };
    this.stream.destroy();
    return false;
  }
}
