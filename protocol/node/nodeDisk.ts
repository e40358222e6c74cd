// The real file system behind `Disk`. Never follows a link at the last component; never retries a
// failed fsync, because the kernel may have dropped the pages already.
import { constants, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../base/errors.ts';
import type { Disk, DiskFile, DiskStat } from '../base/world.ts';

const NO_FOLLOW = constants.O_NOFOLLOW ?? 0; // Windows has none; there, stat is checked first

const FLAGS = {
  read: constants.O_RDONLY | NO_FOLLOW,
  write: constants.O_RDWR | NO_FOLLOW,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW,
} as const;

export function createNodeDisk(): Disk {
  const disk: Disk = {
    async open(name, how) {
      return diskFile(await fs.open(name, FLAGS[how], 0o600));
    },
    async stat(name, follow) {
      try {
        return toStat(await (follow ? fs.stat : fs.lstat)(name, { bigint: true }));
      } catch (error) {
        const code = systemCode(error);
        if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
        throw error;
      }
    },
    readFile: (name) => fs.readFile(name),
    async replaceFile(name, content, mode = 0o600) {
      const beside = `${name}.${process.pid}.${Math.random().toString(36).slice(2, 8)}.new`;
      try {
        const file = await fs.open(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW, mode);
        try {
          await file.writeFile(content);
          await file.sync();
        } finally {
          await file.close();
        }
        await fs.rename(beside, name);
      } catch (error) {
        await fs.rm(beside, { force: true });
        throw error;
      }
      await disk.syncFolder(path.dirname(name));
    },
    link: (from, to) => fs.link(from, to),
    rename: (from, to) => fs.rename(from, to),
    remove: (name) => fs.rm(name, { force: true }),
    removeFolder: (name) => fs.rm(name, { recursive: true, force: true }),
    async makeFolder(name, mode = 0o777) {
      await fs.mkdir(name, { recursive: true, mode });
    },
    listFolder: (name) => fs.readdir(name),
    async syncFolder(name) {
      if (process.platform === 'win32') return; // no such call there; NTFS journals names
      const folder = await fs.open(name, constants.O_RDONLY);
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    },
    async freeBytes(name) {
      const { bavail, bsize } = await fs.statfs(name);
      return bavail * bsize;
    },
  };
  return disk;
}

/**
 * A read of the system's own cache takes a fifth of the time that handing it to another thread and
 * back does, so reads are done at once as long as that goes fast. One that takes longer, in ms,
 * came from the disk itself, and so do the next ones, so many of them.
 */
const FAST_READ_MS_MAX = 2;
const SLOW_READS = 32;

function diskFile(handle: fs.FileHandle): DiskFile {
  let readsOutside = 0;
  return {
    descriptor: handle.fd,
    async read(into, at) {
      let done = 0;
      if (readsOutside > 0) readsOutside--;
      else {
        const began = performance.now();
        done = readSync(handle.fd, into, 0, into.length, at);
        if (performance.now() - began > FAST_READ_MS_MAX) readsOutside = SLOW_READS;
        if (done === 0) return 0;
      }
      while (done < into.length) {
        const { bytesRead } = await handle.read(into, done, into.length - done, at + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    },
    async write(from, at) {
      let done = 0;
      while (done < from.length) done += (await handle.write(from, done, from.length - done, at + done)).bytesWritten;
    },
    truncate: (bytes) => handle.truncate(bytes),
    sync: () => handle.datasync(),
    stat: async () => toStat(await handle.stat({ bigint: true })),
    close: () => handle.close(),
  };
}

/** What Node.js says of a file, as `Disk` says it. */
export const toStat = (stat: BigIntStats): DiskStat => ({
  kind: stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'other',
  sizeBytes: Number(stat.size),
  device: stat.dev,
  inode: stat.ino,
  modifiedNs: stat.mtimeNs,
  changedNs: stat.ctimeNs,
});
