// What the home keeps of a folder that is shared or was downloaded, beside its record: its list,
// and each file as it was. Reads and writes that one file.
import path from 'node:path';
import { systemCode } from '../../../protocol/base/errors.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import { readFolder } from '../../../protocol/messages/manifest.ts';
import type { Disk } from '../../../protocol/base/world.ts';
import type { FileIdentity } from '../hashing/fileIdentity.ts';
import type { FolderOnDisk } from '../storage/folderFile.ts';
import type { Shape } from '../hashing/merkleTree.ts';

export const folderFileOf = (home: Home, id: number): string => path.join(home.transfersFolder, `${id}.folder`);

interface Written {
  readonly format: number;
  /** In base64. */
  readonly head: string;
  readonly identities: readonly (FileIdentity | null)[];
}

const FORMAT = 1;

export function saveFolder(disk: Disk, home: Home, id: number, { head, identities }: FolderOnDisk): Promise<void> {
  const written: Written = { format: FORMAT, head: Buffer.from(head).toString('base64'), identities };
  return disk.replaceFile(folderFileOf(home, id), Buffer.from(JSON.stringify(written)), 0o600);
}

/** Undefined when there is none, or it is damaged: then the folder has to be read anew. */
export async function loadFolder(
  disk: Disk,
  home: Home,
  id: number,
  { sizeBytes, pieceBytes }: Shape,
): Promise<FolderOnDisk | undefined> {
  let bytes: Buffer;
  try {
    bytes = await disk.readFile(folderFileOf(home, id));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { format, head, identities } = JSON.parse(bytes.toString('utf8')) as Written;
    const list = Buffer.from(head, 'base64');
    const folder = readFolder(list, sizeBytes, pieceBytes);
    return format === FORMAT && identities.length === folder.files.length
      ? { head: list, folder, identities }
      : undefined;
  } catch {
    return undefined;
  }
}
