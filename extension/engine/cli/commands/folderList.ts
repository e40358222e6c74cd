// The files of a folder that a group shares. Where this home has the folder, or a part of it, its
// list is here; otherwise the list alone is fetched, as a download that is forgotten then.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isShoalError, ShoalError } from '../../../../protocol/base/errors.ts';
import { FOLDER_FILES_MAX } from '../../../../protocol/base/limits.ts';
import { readPages } from '../../../../protocol/frontend/pagination.ts';
import type { FileRow } from '../../../../protocol/messages/trackerLink.ts';
import { followList } from './follow.ts';
import type { Session } from '../session.ts';

interface FileInFolder {
  readonly path: string;
  readonly sizeBytes: number;
}

/** @returns the exit code when the person left. @throws ShoalError usage when it is no folder */
export async function folderFiles(
  session: Session,
  group: string,
  { name, root, content }: FileRow,
): Promise<readonly FileInFolder[] | number> {
  if (content !== 'folder') throw new ShoalError('usage', { why: `${name} is a file, not a folder` });
  const { transfers } = await session.watch();
  for (const { id } of [...transfers.values()].filter((transfer) => transfer.root === root)) {
    const here = await listOf(session, id).catch((error: unknown) => {
      if (isShoalError(error, 'usage')) return undefined; // it has not come yet
      throw error;
    });
    if (here) return here;
  }
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'shoal-list-'));
  try {
    const { transfer } = await session.call('downloadSome', {
      group,
      name,
      path: place,
      rename: false,
      mode: 'sequential',
    });
    try {
      return (await followList(session, transfer)) ?? (await listOf(session, transfer));
    } finally {
      await session.call('cancelTransfer', { transfer }).catch(() => undefined); // the engine has ended, or it is gone
    }
  } finally {
    fs.rmSync(place, { recursive: true, force: true });
  }
}

const listOf = (session: Session, transfer: number): Promise<readonly FileInFolder[]> =>
  readPages({
    call: 'folderFiles',
    nameOf: ({ path: file }) => file,
    keyOf: (file) => file,
    rowsMax: FOLDER_FILES_MAX,
    page: async (after) => {
      const { files: rows, more } = await session.call('folderFiles', { transfer, after });
      return { rows, more };
    },
  });
