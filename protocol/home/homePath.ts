// Which home is meant: the one that was named or the usual one. On a network drive each machine has
// a folder of its own in it: an engine's lock and socket mean nothing to other machines, and all
// would share one key.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import envPaths from 'env-paths';
import { homeAt } from './homeLayout.ts';
import type { Home } from './homeLayout.ts';

/** Where the home is when nobody names one. */
export const defaultHome = (): string => envPaths('shoal', { suffix: '' }).data;

/**
 * @param named  what SHOAL_HOME, an option or a setting says; '' or undefined for the usual place
 */
export function homeOf(named: string | undefined, workFolder = os.homedir()): Home {
  const folder = path.resolve(workFolder, named === undefined || named === '' ? defaultHome() : named);
  return homeAt(isOnNetwork(folder) ? path.join(folder, 'machines', os.hostname()) : folder);
}

/**
 * File systems of other machines, by the number Linux gives them (statfs(2)): NFS, SMB, CIFS, SMB2,
 * AFS, Coda, NCP, Ceph, Lustre.
 */
const NETWORK_TYPES = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f, 0x73757245, 0x564c, 0x00c36400, 0x0bd00bd0,
]);

function isOnNetwork(folder: string): boolean {
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
