// The durable facts: what can happen, in which bytes, by which signer, and how a tracker stamps it
// for its log. These bytes are kept for as long as a realm lives; they follow the evolution rule of
// schema.ts and are frozen by fixtures. The fold decides what an operation comes to
// (tracker/fold).
import { createHash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { ENTRY_BYTES_MAX, OPERATION_BYTES_MAX, ORIGINS_MAX } from '../base/limits.ts';
import type { OperationId, Origin, Pin } from '../base/ids.ts';
import { pinOf } from '../base/ids.ts';
import {
  accountId,
  content,
  fileName,
  groupId,
  name,
  operationId,
  origin,
  pin,
  requestId,
  root,
  sha256,
  spki,
  versionVector,
} from '../base/fields.ts';
import type { SignedOperation } from '../base/fields.ts';
import type { Of, Schema } from '../base/schema.ts';
import { added, bool, bytes, decode, encode, struct, text, u16, u32, u53 } from '../base/schema.ts';
import { isShoalError, ShoalError } from '../base/errors.ts';

/**
 * The operations and what each says. A name is never given twice; a field added later has a
 * default.
 */
export const operations = {
  /** A new account under a name. The tracker adds the password's hash. */
  createAccount: struct({ account: accountId, name }),
  /** The tracker adds the new hash. All other devices are signed out. */
  changePassword: struct({ account: accountId }),
  /** Binds the signing device to the account. */
  signIn: struct({ account: accountId }),
  /** Ends a device's sign-in: its own, or another of the same account. */
  signOut: struct({ account: accountId, device: pin }),

  createGroup: struct({ group: groupId, name }),
  requestJoin: struct({ group: groupId, request: requestId }),
  cancelRequest: struct({ group: groupId, request: requestId }),
  acceptRequest: struct({ group: groupId, request: requestId }),
  rejectRequest: struct({ group: groupId, request: requestId }),
  leaveGroup: struct({ group: groupId }),
  removeMember: struct({ group: groupId, account: accountId }),

  /** The owner gives the group to another member. */
  transferGroup: struct({ group: groupId, account: accountId }),
  /** The owner ends the group for all. */
  deleteGroup: struct({ group: groupId }),
  /** The owner gives the group another name; an account takes another one. */
  renameGroup: struct({ group: groupId, name }),
  renameAccount: struct({ account: accountId, name }),

  /**
   * A file with this content is shared under a name. `replace`: make it the new version even though
   * another member shared other content.
   */
  shareFile: struct({
    group: groupId,
    name: fileName,
    root,
    sizeBytes: u53,
    pieceBytes: u32,
    sha256,
    replace: bool,
    content: added(content, 'file'),
  }),
  /** The author no longer promises to share the file. Its entry stays until it is removed. */
  stopShare: struct({ group: groupId, name: fileName }),
  /** Takes a file out of the catalog. */
  removeFile: struct({ group: groupId, name: fileName }),

  /** These are signed by a tracker: its operator makes a member the owner of a group, */
  setOwner: struct({ group: groupId, account: accountId }),
  /**
   * or gives an account another password, whose hash the tracker adds; all its devices are signed
   * out.
   */
  resetPassword: struct({ account: accountId }),
  /** Both trackers know newer rules of the fold; from here on they count. */
  setFoldVersion: struct({ version: u32 }),
} as const;

/** Operations that only a tracker may sign. */
export const TRACKER_OPERATIONS: readonly OperationName[] = ['setOwner', 'resetPassword', 'setFoldVersion'];
/** On whose behalf they are. */
export const NOBODY = '0'.repeat(32) as Of<typeof accountId>;

export type OperationName = keyof typeof operations;
export type OperationBody<N extends OperationName> = Of<(typeof operations)[N]>;

/** An operation as its author means it. */
export type Operation = {
  readonly [N in OperationName]: {
    readonly realm: Pin;
    readonly id: OperationId;
    /** Account on whose behalf it is; for createAccount and signIn the one it names. */
    readonly account: Of<typeof accountId>;
    /** The author's clock, ms since 1970: for people, never for order. */
    readonly createdAtMs: number;
    readonly name: N;
    readonly body: OperationBody<N>;
  };
}[OperationName];

const header = struct({
  realm: pin,
  id: operationId,
  account: accountId,
  createdAtMs: u53,
  signer: spki,
  name: text(32),
  body: bytes(OPERATION_BYTES_MAX - 512),
});

/** What is signed begins with this, so that the signature can serve no other purpose. */
const CONTEXT = Buffer.from('shoal-op-v1\0', 'latin1');

/** Signs with a device's P-256 key: ECDSA over SHA-256, 64 bytes (IEEE P1363: r and s, no DER). */
export function signOperation(
  operation: Operation,
  device: { readonly privateKey: KeyObject; readonly spki: Uint8Array },
): SignedOperation {
  const body = encode(operations[operation.name] as Schema<unknown>, operation.body);
  const { realm, id, account, createdAtMs } = operation;
  const written = encode(header, { realm, id, account, createdAtMs, signer: device.spki, name: operation.name, body });
  const signature = sign('sha256', Buffer.concat([CONTEXT, written]), {
    key: device.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return { operation: written, signature };
}

/** An operation read back: what it says and which device signed it. */
export type ReadOperation = Operation & { readonly device: Pin };

/**
 * Reads an operation without checking its signature: for a log whose entries were checked when they
 * came in.
 *
 * @throws ShoalError badMessage (also for the name of an operation that a newer version added)
 */
export function readOperation(from: Uint8Array): ReadOperation {
  const { name: operationName, body, signer, ...rest } = decode(header, from, 'operation');
  if (!Object.hasOwn(operations, operationName)) {
    throw new ShoalError('badMessage', { type: 'operation', why: `no operation is called ${operationName}` });
  }
  const known = operationName as OperationName;
  const what = decode(operations[known] as Schema<unknown>, body, known);
  return { ...rest, device: pinOf(signer), name: known, body: what } as ReadOperation;
}

/**
 * Reads an operation and checks that the device it names signed these bytes.
 *
 * @throws ShoalError badMessage
 */
export function checkOperation(signed: SignedOperation): ReadOperation {
  const read = readOperation(signed.operation);
  if (!signatureFits(read.device, signed)) {
    throw new ShoalError('badMessage', { type: 'operation', why: 'its signature does not fit' });
  }
  return read;
}

/**
 * Keys of devices that signed lately: reading one costs as much as checking a signature by it. Some
 * 3 KiB each.
 */
const KEYS_MAX = 1024;
const keys = new Map<Pin, KeyObject>();

/** The key that an operation names. @throws Error when it is none of a device */
function keyOf(device: Pin, operation: Uint8Array): KeyObject {
  const known = keys.get(device);
  if (known) return known;
  const { signer } = decode(header, operation, 'operation');
  const key = createPublicKey({ key: Buffer.from(signer), format: 'der', type: 'spki' });
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error('not a P-256 key');
  }
  // Away with the one that was read first; if it is still in use, it is read once more.
  if (keys.size >= KEYS_MAX) keys.delete(keys.keys().next().value as Pin);
  keys.set(device, key);
  return key;
}

/** Whether a device has signed these bytes. Takes some 100 µs. */
export function signatureFits(device: Pin, { operation, signature }: SignedOperation): boolean {
  try {
    return verify(
      'sha256',
      Buffer.concat([CONTEXT, operation]),
      { key: keyOf(device, operation), dsaEncoding: 'ieee-p1363' },
      signature,
    );
  } catch (error) {
    if (isShoalError(error)) throw error;
    return false; // not a key at all
  }
}

/** The same in another thread (libuv's pool). */
export function signatureFitsElsewhere(device: Pin, { operation, signature }: SignedOperation): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      verify(
        'sha256',
        Buffer.concat([CONTEXT, operation]),
        { key: keyOf(device, operation), dsaEncoding: 'ieee-p1363' },
        signature,
        (error, fits) => resolve(error === null && fits),
      );
    } catch {
      resolve(false); // not a key at all
    }
  });
}

/**
 * A tracker's stamp on an operation when it takes it in (protocol/README.md, Operations). `ms` and
 * `counter` are the hybrid logical clock; `origin` and `seq` say where in which log it stands;
 * `seen` is how much of the other origins this tracker had; `previous` is the hash of the entry
 * before it of the same origin (32 zero bytes for the first).
 */
export const stamp = struct({
  ms: u53,
  counter: u16,
  origin,
  seq: u53,
  seen: versionVector(ORIGINS_MAX),
  previous: bytes(32),
});
export type Stamp = Of<typeof stamp>;

/**
 * One entry of the log. `added` is what the tracker itself put in (a password's hash), empty
 * otherwise.
 */
export const entry = struct({ operation: bytes(OPERATION_BYTES_MAX), signature: bytes(72), added: bytes(512), stamp });
export type Entry = Of<typeof entry>;

export const encodeEntry = (value: Entry): Buffer => encode(entry, value);

/** @throws ShoalError badMessage */
export function decodeEntry(from: Uint8Array): Entry {
  if (from.length > ENTRY_BYTES_MAX) throw new ShoalError('badMessage', { type: 'entry', why: 'it is too large' });
  return decode(entry, from, 'entry');
}

/** What the next entry of the same origin names as `previous`: SHA-256 of an entry's bytes. */
export const entryHash = (encoded: Uint8Array): Buffer => createHash('sha256').update(encoded).digest();

/**
 * The place of an entry in the total order: by clock, then by origin, then by number. Negative: `a`
 * comes first.
 */
export function compareStamps(a: LogPosition, b: LogPosition): number {
  if (a.ms !== b.ms) return a.ms - b.ms;
  if (a.counter !== b.counter) return a.counter - b.counter;
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1;
  return a.seq - b.seq;
}
/** The part of a stamp that orders. */
export interface LogPosition {
  readonly ms: number;
  readonly counter: number;
  readonly origin: Origin;
  readonly seq: number;
}
