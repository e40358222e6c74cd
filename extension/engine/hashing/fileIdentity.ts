// Whether a file on disk is still the one that was hashed: by device, inode, size and both times
// (extension/engine/README.md, 4). A changed file must not be served: its pieces would fail
// verification everywhere.
import type { DiskStat } from '../../../protocol/base/world.ts';

/** What is remembered of a file, as texts so that it can be kept in JSON. */
export interface FileIdentity {
  readonly sizeBytes: number;
  readonly device: string;
  readonly inode: string;
  readonly modifiedNs: string;
}

export const identityOf = (stat: DiskStat): FileIdentity => ({
  sizeBytes: stat.sizeBytes,
  device: String(stat.device),
  inode: String(stat.inode),
  modifiedNs: String(stat.modifiedNs),
});

/**
 * Why a file is no longer what it was, or undefined. The change time is left out: giving a file a
 * second name moves it without touching the content.
 */
export function identityMismatch(before: DiskStat | FileIdentity, now: DiskStat | FileIdentity): string | undefined {
  if (before.sizeBytes !== now.sizeBytes) return 'its size has changed';
  if (String(before.modifiedNs) !== String(now.modifiedNs)) return 'it was written to';
  if (String(before.inode) !== String(now.inode) || String(before.device) !== String(now.device)) {
    return 'another file is in its place';
  }
  return undefined;
}
