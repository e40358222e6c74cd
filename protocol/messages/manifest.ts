// What a shared folder is: one long run of bytes, in one hash tree, that begins with this list of
// its files and goes on with their bytes. So a swarm, its pieces and its checkpoints know nothing
// of folders. Pure: makes, writes, reads and above all refuses lists; whoever shares it wrote the
// list, so nothing of it is believed unchecked.
//
//   length of the list u32 · list · (zeros) · bytes of a file · (zeros) · bytes of the next …
import { createHash } from 'node:crypto';
import { ShoalError } from '../base/errors.ts';
import type { Sha256 } from '../base/ids.ts';
import { FOLDER_FILES_MAX, MANIFEST_BYTES_MAX } from '../base/limits.ts';
import { fileNameKey, validateFileName, isTrustedFolder } from '../base/names.ts';
import { fileName, sha256 } from '../base/fields.ts';
import type { Of } from '../base/schema.ts';
import { decode, encode, list, struct, u53 } from '../base/schema.ts';

/**
 * One file of a folder. `at`: where its bytes begin in the whole. Neither its owner nor whether it
 * can be executed is kept.
 */
const manifestFile = struct({ path: fileName, at: u53, sizeBytes: u53, sha256 });
export type ManifestFile = Of<typeof manifestFile>;

const manifest = struct({ files: list(manifestFile, FOLDER_FILES_MAX) });

/** Bytes of the list's length, before the list. */
export const LENGTH_BYTES = 4;
/**
 * Files from so many pieces on begin with a piece; so do smaller ones now and then, when so many
 * pieces have passed. What is changed in one place then changes no pieces elsewhere.
 */
const ALIGNED_PIECES = 8;

export interface Folder {
  readonly files: readonly ManifestFile[];
  /** Where the list ends. */
  readonly headBytes: number;
  /** Of the whole. */
  readonly sizeBytes: number;
}

/** What is known of a file before it was read. */
type Found = Pick<ManifestFile, 'path' | 'sizeBytes'>;

/**
 * Where everything of a folder lies. The hashes of the files are yet to come; the list has the same
 * length with any.
 */
export function layOut(found: readonly Found[], pieceBytes: number): Folder {
  const sorted = [...found].sort((a, b) => (a.path < b.path ? -1 : 1));
  const headBytes = headOf(sorted.map((file) => ({ ...file, at: 0, sha256: NO_HASH }))).length;
  const total = found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const atPiece = (at: number): number => Math.ceil(at / pieceBytes) * pieceBytes;
  const isLarge = (sizeBytes: number): boolean => sizeBytes >= ALIGNED_PIECES * pieceBytes;
  let at = isLarge(total) ? atPiece(headBytes) : headBytes;
  let alignedAt = at;
  let afterLarge = false;
  const files = sorted.map(({ path, sizeBytes }): ManifestFile => {
    // By its name and not by its number, so that a file more or less moves nothing but its
    // neighbours.
    const isMark =
      at - alignedAt >= ALIGNED_PIECES * pieceBytes && (createHash('sha256').update(path).digest()[0] ?? 0) % 4 === 0;
    if (sizeBytes > 0 && (isLarge(sizeBytes) || afterLarge || isMark)) alignedAt = at = atPiece(at);
    const file = { path, at, sizeBytes, sha256: NO_HASH };
    at += sizeBytes;
    if (sizeBytes > 0) afterLarge = isLarge(sizeBytes);
    return file;
  });
  return { files, headBytes, sizeBytes: at };
}

const NO_HASH = '00'.repeat(32) as Sha256;

/** The bytes that a folder begins with. */
export function headOf(files: readonly ManifestFile[]): Buffer {
  const written = encode(manifest, { files });
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(written.length);
  return Buffer.concat([length, written]);
}

/**
 * How many bytes at the beginning hold the list, out of the first few of them. @throws ShoalError
 * badFolder
 */
export function headBytesOf(start: Uint8Array, sizeBytes: number): number {
  if (start.length < LENGTH_BYTES) return refuse('its list has no length');
  const headBytes = LENGTH_BYTES + Buffer.from(start.buffer, start.byteOffset, LENGTH_BYTES).readUInt32BE();
  return headBytes > Math.min(sizeBytes, MANIFEST_BYTES_MAX) ? refuse('its list is too long') : headBytes;
}

/**
 * A folder out of the bytes it begins with. What passes can be written below any folder without
 * meeting anything outside it, or itself.
 *
 * @throws ShoalError badFolder
 */
export function readFolder(head: Uint8Array, sizeBytes: number, pieceBytes: number): Folder {
  const headBytes = headBytesOf(head, sizeBytes);
  if (head.length < headBytes) return refuse('its list is cut off');
  const { files } = decode(manifest, head.subarray(LENGTH_BYTES, headBytes), 'folder');
  checkPaths(files);
  let end = headBytes;
  for (const { path, at, sizeBytes: bytes } of files) {
    if (at < end || at - end >= pieceBytes) return refuse(`the place of ${path} is wrong`);
    end = at + bytes;
  }
  if (end !== sizeBytes) return refuse('its sizes do not add up');
  return { files, headBytes, sizeBytes };
}

/**
 * @throws ShoalError badFolder when files of a folder cannot all be written side by side on every
 *   system
 */
export function checkPaths(files: readonly { readonly path: string }[]): void {
  if (files.length > FOLDER_FILES_MAX) return refuse(`it has more than ${FOLDER_FILES_MAX} files`);
  const taken = new Set<string>();
  const folders = new Map<string, string>();
  for (const { path } of files) {
    const why = validateFileName(path);
    if (why !== undefined) return refuse(`${path.slice(0, 200).toWellFormed()} in it cannot be used: ${why}`);
    // At every level: a whole tree arrives at once, and a repository may lie anywhere in it.
    const trusted = path.split('/').find(isTrustedFolder);
    if (trusted !== undefined) {
      return refuse(`${path.slice(0, 200)} in it cannot be used: ${trusted} is a folder that other programs trust`);
    }
    const key = fileNameKey(path);
    if (taken.has(key)) return refuse(`two files in it are called ${path}`);
    taken.add(key);
    for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
      const folder = path.slice(0, cut);
      if ((folders.get(fileNameKey(folder)) ?? folder) !== folder) {
        return refuse(`two folders in it are called ${folder}`);
      }
      folders.set(fileNameKey(folder), folder);
    }
  }
  for (const { path } of files) if (folders.has(fileNameKey(path))) refuse(`${path} in it is a file and a folder`);
}

function refuse(why: string): never {
  throw new ShoalError('badFolder', { why });
}
