// Whether a home lies on a network drive: there an engine's lock and socket mean nothing to other machines, and all would share one key.
import fs from 'node:fs';
import path from 'node:path';

/** File systems of other machines, by the number Linux gives them (statfs(2)): NFS, SMB, CIFS, SMB2, AFS, Coda, NCP, Ceph, Lustre. */
const NETWORK_TYPES = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f, 0x73757245, 0x564c, 0x00c36400, 0x0bd00bd0]);

export function isOnNetwork(folder: string): boolean {
  if (process.platform === 'win32') return folder.startsWith('\\\\');
  if (process.platform !== 'linux') return false;
  for (let at = folder; ; at = path.dirname(at)) {
    try {
      return NETWORK_TYPES.has(fs.statfsSync(at).type >>> 0);
    } catch {
      if (at === path.dirname(at)) return false; // the folder above it says where it will be
    }
  }
}
