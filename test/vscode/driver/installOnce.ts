// A folder in the ignored `.vscode-test/` that is filled once and then only read: by whichever
// process comes first, while the others wait. It is filled beside its place and renamed when whole,
// so that what is there is complete, whoever was killed in between.
import { existsSync, linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const CACHE = fileURLToPath(new URL('../../../.vscode-test/', import.meta.url));

/** Written last into a folder; without it the folder is what somebody left half made. */
const MARKER = '.complete';
const POLL_MS = 250;
/**
 * npm on a slow line; after it a waiting process stops trusting the owner and does the work itself.
 */
const OWNER_MS_MAX = 15 * 60_000;

/**
 * Sees to it that a folder of the cache exists, and returns it.
 *
 * @param fill  puts everything into the folder given to it, which is empty
 */
export async function installOnce(
  name: string,
  announcement: string,
  fill: (folder: string) => Promise<void>,
  cache = CACHE,
): Promise<string> {
  const folder = path.join(cache, name);
  const isComplete = (): boolean => existsSync(path.join(folder, MARKER));
  if (isComplete()) return folder;
  mkdirSync(cache, { recursive: true });

  const lock = path.join(cache, `${name}.lock`);
  const deadline = Date.now() + OWNER_MS_MAX;
  while (!takeLock(lock)) {
    if (Date.now() > deadline) rmSync(lock, { force: true });
    await pause(POLL_MS);
  }
  try {
    if (isComplete()) return folder; // somebody did it while this process waited
    sweep(cache, name);
    process.stderr.write(`shoal: ${announcement}\n`);
    const draft = path.join(cache, `${name}.draft-${process.pid}`);
    mkdirSync(draft);
    await fill(draft);
    writeFileSync(path.join(draft, MARKER), `${new Date().toISOString()}\n`);
    if (existsSync(folder)) renameSync(folder, path.join(cache, `${name}.old-${process.pid}`));
    renameSync(draft, folder);
    return folder;
  } finally {
    sweep(cache, name);
    if (ownerOf(lock) === process.pid) rmSync(lock, { force: true });
  }
}

/**
 * A lock is a file with the process id of its owner. It comes into being with its content (a hard
 * link does), so that nobody reads half.
 */
function takeLock(lock: string): boolean {
  const claim = `${lock}-${process.pid}`;
  writeFileSync(claim, String(process.pid));
  try {
    linkSync(claim, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const owner = ownerOf(lock);
    // Two that see a dead owner may both go on in the worst case: they work twice, and the later
    // rename wins.
    if (owner !== undefined && !isAlive(owner)) rmSync(lock, { force: true });
    return false;
  } finally {
    rmSync(claim, { force: true });
  }
}

function ownerOf(lock: string): number | undefined {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Removes what dead processes, and this one, have left beside the folder. */
function sweep(cache: string, name: string): void {
  for (const entry of readdirSync(cache)) {
    if (!entry.startsWith(`${name}.`)) continue;
    const pid = Number(/^(?:draft|old)-(\d+)$/.exec(entry.slice(name.length + 1))?.[1]);
    if (pid && (pid === process.pid || !isAlive(pid))) {
      rmSync(path.join(cache, entry), { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
