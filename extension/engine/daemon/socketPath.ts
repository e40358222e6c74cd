// Where the engine of a home can be spoken to. The elected engine alone chooses a socket, clears
// what a dead one left there, and writes the choice into the home; frontends read it. So both need
// not agree on environment variables to find each other.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isShoalError, ShoalError, systemCode } from '../../../protocol/base/errors.ts';
import type { Disk } from '../../../protocol/base/world.ts';
import type { EngineAddress, Home } from '../../../protocol/home/homeLayout.ts';
import { writeSmallFile } from '../../../protocol/home/homeLayout.ts';

/**
 * Bytes in the path of a local socket: macOS has room for 104 with the zero at the end, Linux for
 * 108.
 */
const SOCKET_PATH_BYTES_MAX = 103;

export const writeAddress = (home: Home, disk: Disk, address: EngineAddress): Promise<void> =>
  writeSmallFile(disk, home.addressFile, { ...address });

/** Takes back the address of an engine that leaves, and its socket. */
export async function removeAddress(home: Home, disk: Disk, { socket }: EngineAddress): Promise<void> {
  await disk.remove(home.addressFile);
  if (!isPipe(socket)) await disk.remove(socket);
}

const isPipe = (socket: string): boolean => socket.startsWith('\\\\.\\pipe\\');

/** What decides where a socket can be; the real one is `here()`. */
export interface SocketEnvironment {
  readonly platform: string;
  readonly user: number;
  readonly temporary: string;
  /** XDG_RUNTIME_DIR. */
  readonly runtime: string | undefined;
}

export const currentEnvironment = (): SocketEnvironment => ({
  platform: process.platform,
  user: process.getuid?.() ?? 0,
  temporary: os.tmpdir(),
  runtime: process.env['XDG_RUNTIME_DIR'],
});

/**
 * Where the socket of a home may be, best first: in the home when the path is short enough, else in
 * a folder of this person's own.
 */
export function socketPaths(
  folder: string,
  { platform, user, temporary, runtime }: SocketEnvironment,
): readonly string[] {
  const hash = createHash('sha256')
    .update(platform === 'win32' ? folder.toLowerCase() : folder)
    .digest('hex');
  if (platform === 'win32') return [`\\\\.\\pipe\\shoal-${hash.slice(0, 32)}`];
  const elsewhere = (base: string, name: string): string => path.posix.join(base, name, `${hash.slice(0, 16)}.sock`);
  return [
    path.posix.join(folder, 'engine.sock'),
    ...(runtime ? [elsewhere(runtime, 'shoal')] : []),
    elsewhere(temporary, `shoal-${user}`),
    elsewhere('/tmp', `shoal-${user}`),
  ].filter((socket) => Buffer.byteLength(socket) <= SOCKET_PATH_BYTES_MAX);
}

/**
 * Makes a socket's folder safe and its place free. Only for the elected engine: what stands there
 * is nobody's any more.
 *
 * @throws ShoalError homeUnusable
 */
export function clearSocket(socket: string, home: Home, user: number): void {
  if (isPipe(socket)) return; // the system removes a pipe with its server
  const folder = path.dirname(socket);
  const refuse = (at: string, why: string): never => {
    throw new ShoalError('homeUnusable', { path: at, why });
  };
  try {
    // A home may be a link to where there is room, and root may use somebody's. A folder in /tmp
    // may be somebody's trap.
    const isHome = folder === home.folder;
    if (!isHome) fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const at = isHome ? fs.statSync(folder) : fs.lstatSync(folder);
    if (!at.isDirectory()) refuse(folder, 'it is not a folder');
    if (at.uid !== user && !(isHome && user === 0)) refuse(folder, 'it belongs to another user');
    if ((at.mode & 0o077) !== 0) fs.chmodSync(folder, 0o700);
    const there = fs.lstatSync(socket, { throwIfNoEntry: false });
    if (there && !there.isSocket()) refuse(socket, 'something that is not a socket has its name');
    if (there) fs.unlinkSync(socket);
  } catch (error) {
    if (isShoalError(error)) throw error;
    throw new ShoalError('homeUnusable', { path: folder, why: systemCode(error) ?? String(error) }, { cause: error });
  }
}
