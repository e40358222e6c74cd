// Schemas of fields that several messages share.
import { ENTRY_BYTES_MAX, FILE_NAME_BYTES_MAX, NAME_CHARS_MAX, OPERATION_BYTES_MAX } from './limits.ts';
import type { AccountId, GroupId, OperationId, Origin, Pin, RequestId, Root, Sha256 } from './ids.ts';
import { HASH_BYTES, ID_BYTES, ORIGIN_BYTES, PIN_BYTES } from './ids.ts';
import { bytes, hex, list, oneOf, struct, text, u16, u53 } from './schema.ts';
import type { Of } from './schema.ts';

export const pin = hex<Pin>(PIN_BYTES);
export const accountId = hex<AccountId>(ID_BYTES);
export const groupId = hex<GroupId>(ID_BYTES);
export const requestId = hex<RequestId>(ID_BYTES);
export const operationId = hex<OperationId>(ID_BYTES);
export const root = hex<Root>(HASH_BYTES);
export const sha256 = hex<Sha256>(HASH_BYTES);
export const origin = hex<Origin>(ORIGIN_BYTES);

/** A user's or group's name; the fold's renaming (`name~k3f9`) needs five characters more. */
export const name = text(NAME_CHARS_MAX + 5);
export const fileName = text(FILE_NAME_BYTES_MAX);

/**
 * What is shared under a name: a file, or a folder as one run of bytes (manifest.ts), of which
 * `sha256` is that of its list.
 */
export const content = oneOf('file', 'folder');

/** Where a program listens. `host` is a name or an IP address without brackets. */
export const address = struct({ host: text(255), port: u16 });
export type Address = Of<typeof address>;

/** The DER form of a P-256 SubjectPublicKeyInfo has 91 bytes; other curves later may have more. */
export const spki = bytes(200);

/** An operation as its author signed it: the bytes and the signature over them (operations.ts). */
export const signedOperation = struct({ operation: bytes(OPERATION_BYTES_MAX), signature: bytes(72) });
export type SignedOperation = Of<typeof signedOperation>;

/** The list of a realm's trackers as the realm signed it (realm.ts). */
export const signedDescriptor = struct({ descriptor: bytes(8192), signature: bytes(72) });

/** An operation as it stands in the log (operations.ts, `entry`), in its bytes. */
export const entryBytes = bytes(ENTRY_BYTES_MAX);

/** How much of each origin's operations a program has: those up to `seq`. */
export const originSeq = struct({ origin, seq: u53 });
export const versionVector = (max: number) => list(originSeq, max);

/** An error as it travels: its code and its fields as text. */
export const wireError = struct({
  code: text(64),
  text: text(2048),
  fields: list(struct({ name: text(32), value: text(1100) }), 8),
});
export type WireError = Of<typeof wireError>;
