// The bytes of a message's fields, checked against its row and against what a frame carries.
import { ShoalError } from '../base/errors.ts';
import { FRAME_PAYLOAD_BYTES_MAX } from '../base/limits.ts';
import type { AnySchema } from '../base/schema.ts';
import { SchemaError } from '../base/binary.ts';
import { encode } from '../base/schema.ts';
import { PAYLOAD_HEAD_BYTES } from './frame.ts';

/**
 * Writes the fields of a message. A row's bounds may allow more than a frame carries: then its
 * sender has to make pages.
 *
 * @throws ShoalError badMessage
 */
export function encodeBody(type: string, schema: AnySchema, body: unknown): Buffer {
  let encoded: Buffer;
  try {
    encoded = encode(schema, body);
  } catch (error) {
    throw error instanceof SchemaError
      ? new ShoalError('badMessage', { type, why: error.message }, { cause: error })
      : error;
  }
  const bytes = PAYLOAD_HEAD_BYTES + encoded.length;
  if (bytes > FRAME_PAYLOAD_BYTES_MAX) {
    throw new ShoalError('badMessage', {
      type,
      why: `${bytes} bytes, at most ${FRAME_PAYLOAD_BYTES_MAX} fit into a frame`,
    });
  }
  return encoded;
}
