// Which files of a folder a download is about, and which pieces that takes: first those that hold
// the folder's list, then those that touch a chosen file. Pure but for reading the list out of what
// has come.
import picomatch from 'picomatch/posix.js';
import type { PicomatchOptions } from 'picomatch/posix.js';
import { ShoalError } from '../../../protocol/base/errors.ts';
import { PAGE_ROWS_MAX } from '../../../protocol/base/limits.ts';
import type { Folder, ManifestFile } from '../../../protocol/messages/manifest.ts';
import { headBytesOf, LENGTH_BYTES, readFolder } from '../../../protocol/messages/manifest.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import type { TransferRecord } from './transferRecord.ts';

/**
 * What patterns mean: `*` stands for any part of a name and `?` for one character of it, `**`
 * between slashes for any number of folders; `./` in front counts for nothing. Names that begin
 * with a dot are like others. All else means itself: brackets, braces, quotes and exclamation marks
 * stand in names of files.
 */
const PATTERNS: PicomatchOptions = {
  dot: true,
  nobrace: true,
  nobracket: true,
  noextglob: true,
  nonegate: true,
  keepQuotes: true,
  fastpaths: false, // on them `a*` does not mean `a`
  flags: 'su', // one character is not half of one
};
/** What is special in regular expressions, and would go into the one that picomatch makes. */
const SPECIAL = /[\\^$+()[\]{}|]/g;

/** Whether a path is chosen: by its pattern, or by that of a folder above it. Without any, all are. */
export function fileMatcher(only: readonly string[]): (path: string) => boolean {
  if (only.length === 0) return () => true;
  const patterns = only
    .map((pattern) => pattern.replace(/\/+$/, '').replace(SPECIAL, '\\$&'))
    .filter((pattern) => pattern !== '');
  const isChosen = picomatch(
    patterns.flatMap((pattern) => [pattern, `${pattern}/**`]),
    PATTERNS,
  );
  return (path) => isChosen(path);
}

/**
 * The pieces that a download needs, as far as is known by now; when they are held, there may be
 * more.
 *
 * @param choosing  whether only the list is wanted for now
 * @throws ShoalError badFolder, unknownFile when nothing is chosen
 */
export async function neededPieces(
  store: PieceStore,
  { name, only, choosing }: Pick<TransferRecord, 'name' | 'only' | 'choosing'>,
): Promise<ReadonlySet<number>> {
  const needed = new Set(piecesOf(store, 0, (await headBytesIn(store)) ?? LENGTH_BYTES));
  const head = await folderHeadOf(store);
  if (!head || choosing) return needed;
  const chosen = chosenFiles(folderOf(store, head), only);
  if (chosen.length === 0) throw new ShoalError('unknownFile', { name: only.join(', '), group: name });
  for (const file of chosen) for (const piece of piecesOf(store, file.at, file.sizeBytes)) needed.add(piece);
  return needed;
}

/** The list that a folder begins with, when all of it is held. @throws ShoalError badFolder */
export async function folderHeadOf(store: PieceStore): Promise<Uint8Array | undefined> {
  const headBytes = await headBytesIn(store);
  return headBytes === undefined ? undefined : readIfHeld(store, headBytes);
}

/** What a list says. @throws ShoalError badFolder */
export const folderOf = ({ shape: { sizeBytes, pieceBytes } }: PieceStore, head: Uint8Array): Folder =>
  readFolder(head, sizeBytes, pieceBytes);

async function headBytesIn(store: PieceStore): Promise<number | undefined> {
  const { sizeBytes } = store.shape;
  const start = await readIfHeld(store, Math.min(LENGTH_BYTES, sizeBytes));
  return start && headBytesOf(start, sizeBytes);
}

async function readIfHeld(store: PieceStore, bytes: number): Promise<Uint8Array | undefined> {
  if (!piecesOf(store, 0, bytes).every((piece) => store.states.held.has(piece))) return undefined;
  const into = new Uint8Array(bytes);
  await store.readAt(into, 0);
  return into;
}

/** In the order of their paths; whoever made the list may have had another one. */
export const byPath = (files: readonly ManifestFile[]): readonly ManifestFile[] =>
  [...files].sort((a, b) => (a.path < b.path ? -1 : 1));

/** A page of files in that order, from behind a path. */
export function pageAfter(
  files: readonly ManifestFile[],
  after: string,
): { readonly files: Pick<ManifestFile, 'path' | 'sizeBytes'>[]; readonly more: boolean } {
  const found = after === '' ? 0 : files.findIndex((file) => file.path > after);
  const from = found < 0 ? files.length : found;
  return {
    files: files.slice(from, from + PAGE_ROWS_MAX).map(({ path, sizeBytes }) => ({ path, sizeBytes })),
    more: files.length > from + PAGE_ROWS_MAX,
  };
}

/** The pieces in which so many bytes lie. */
function piecesOf({ shape: { pieceBytes, pieces } }: PieceStore, at: number, bytes: number): readonly number[] {
  if (bytes === 0) return [];
  const first = Math.floor(at / pieceBytes);
  const last = Math.min(Math.floor((at + bytes - 1) / pieceBytes), pieces - 1);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n);
}

function chosenFiles({ files }: Folder, only: readonly string[]): readonly ManifestFile[] {
  const isChosen = fileMatcher(only);
  return files.filter((file) => isChosen(file.path));
}

export const chosenBytes = (folder: Folder, only: readonly string[]): number =>
  chosenFiles(folder, only).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
