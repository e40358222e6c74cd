// An operation of the usual kind and size, for loads that do not care what it says.
import type { Identity } from '../../protocol/node/identity.ts';
import type { AccountId, GroupId, OperationId, Pin, Root, Sha256 } from '../../protocol/base/ids.ts';
import type { SignedOperation } from '../../protocol/base/fields.ts';
import type { OperationBody } from '../../protocol/messages/operations.ts';
import { signOperation } from '../../protocol/messages/operations.ts';

const hex = <T extends string>(n: number, bytes: number): T => n.toString(16).padStart(2 * bytes, '0') as T;

/** The `n`th file somebody shares in a group. */
export const sampleFile = (
  group: GroupId,
  n: number,
  name = `a file that somebody shares, number ${n}.bin`,
): OperationBody<'shareFile'> => ({
  group,
  name,
  root: hex<Root>(n + 1, 32),
  sizeBytes: 1_000_000 + (n % 1_000_000),
  pieceBytes: 524_288,
  sha256: hex<Sha256>(n + 1, 32),
  replace: true,
  content: 'file',
});

export const sampleOperation = (identity: Identity, n: number): SignedOperation =>
  signOperation(
    {
      realm: hex<Pin>(1, 32),
      id: hex<OperationId>(n, 16),
      account: hex<AccountId>(1, 16),
      createdAtMs: Date.now(),
      name: 'shareFile',
      body: sampleFile(hex<GroupId>(1, 16), n),
    },
    identity,
  );
