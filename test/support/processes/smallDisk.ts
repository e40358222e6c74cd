// A disk in memory (Linux's tmpfs) that is so small that somebody else's file fills it. Making one
// needs root.
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, rmdirSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemCode } from '../../../protocol/base/errors.ts';

/** A test that is ended from outside leaves no disk behind. */
const ENDS = ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const CHUNK = Buffer.alloc(1024 * 1024, 0x5a);

export class SmallDisk {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-disk-'));
  readonly #filler = path.join(this.folder, 'filler');
  readonly #isEnded = (signal?: unknown): void => {
    this.unmount('inUse');
    if (signal === 'SIGTERM' || signal === 'SIGHUP') process.kill(process.pid, signal); // SIGINT is mocha's own
  };
  #isMounted = false;

  /** @throws what mount says */
  constructor(sizeBytes: number) {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', this.folder], { stdio: 'pipe' });
      this.#isMounted = true;
      for (const end of ENDS) process.once(end, this.#isEnded);
    } catch (error) {
      rmdirSync(this.folder);
      throw error;
    }
  }

  /** Takes all room but so much. */
  fill(leftBytes: number): void {
    const file = openSync(this.#filler, 'w');
    try {
      let bytes = 0;
      try {
        for (;;) bytes += writeSync(file, CHUNK);
      } catch (error) {
        if (systemCode(error) !== 'ENOSPC') throw error;
      }
      ftruncateSync(file, Math.max(0, bytes - leftBytes));
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(this.#filler);
  }

  /**
   * Takes the disk away with all that is in it. Unless it may be in use, who has files open there
   * must be gone.
   */
  unmount(inUse?: 'inUse'): void {
    if (!this.#isMounted) return;
    execFileSync('umount', [...(inUse ? ['-l'] : []), this.folder], { stdio: 'pipe' });
    this.#isMounted = false;
    for (const end of ENDS) process.off(end, this.#isEnded);
    rmdirSync(this.folder);
  }
}

/** Why there can be none here; undefined when there can. */
export function whyNoSmallDisk(): string | undefined {
  if (process.platform !== 'linux') return 'disks in memory are looked for on Linux only';
  try {
    new SmallDisk(CHUNK.length).unmount();
    return undefined;
  } catch {
    return 'here no disk may be mounted; root may';
  }
}
