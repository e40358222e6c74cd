// The end of a link in tests: remembers the frames it is given.
import assert from 'node:assert/strict';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { encodeFrame, FrameLink } from '../../../protocol/wire/frame.ts';
import type { Frame, FrameHead, FrameReceiver, RawTarget } from '../../../protocol/wire/frame.ts';
import { FRAME_PAYLOAD_BYTES_MAX } from '../../../protocol/base/limits.ts';
import { ManualStream } from './manualStream.ts';

/** Remembers what it is given. Raw bytes are taken for the calls that `raw` names. */
export class Reader implements FrameReceiver {
  readonly frames: { readonly head: FrameHead; readonly body: Buffer; readonly rawBytes: number }[] = [];
  readonly raw = new Map<number, RawTarget>();
  end: { readonly error: Error | undefined } | undefined;
  drains = 0;
  maxBytes = FRAME_PAYLOAD_BYTES_MAX;
  onFrame: ((frame: Frame) => void) | undefined;

  payloadBytesMax(): number {
    return this.maxBytes;
  }

  rawTarget(head: FrameHead): RawTarget | undefined {
    return this.raw.get(head.call);
  }

  frame(frame: Frame): void {
    const { type, kind, call, body, rawBytes } = frame;
    this.frames.push({ head: { type, kind, call }, body: Buffer.from(body), rawBytes });
    this.onFrame?.(frame);
  }

  drained(): void {
    this.drains++;
  }

  ended(error?: Error): void {
    assert.equal(this.end, undefined, 'ended twice');
    this.end = { error };
  }

  get code(): ErrorCode | undefined {
    const error = this.end?.error;
    assert.ok(error === undefined || isShoalError(error), String(error));
    return error?.code;
  }
}

export function open(reader: FrameReceiver | undefined = new Reader()): { stream: ManualStream; link: FrameLink } {
  const stream = new ManualStream();
  const link = new FrameLink(stream);
  link.receive(reader);
  return { stream, link };
}

export const NOTICE: FrameHead = { type: 'note', kind: 'notice', call: 0 };
export const bytesOf = (head: FrameHead, body: Uint8Array = Buffer.alloc(0), raw?: Uint8Array): Buffer =>
  Buffer.concat(encodeFrame(head, body, raw && { raw }));
