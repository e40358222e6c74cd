// Which files of a folder a download is about, and which pieces that takes: first those that hold the folder's list, then those that touch
// a chosen file. Pure but for reading the list out of what has come.
import { ShoalError } from '../../protocol/errors.ts';
import type { Folder, ManifestFile } from '../../protocol/manifest.ts';
import { headBytesOf, LENGTH_BYTES, readFolder } from '../../protocol/manifest.ts';
import type { Copy } from './copy.ts';

/** Whether a path is chosen: by its name, by that of a folder above it, or by a pattern (`*` within a name, `**` over folders, `?`). Without any, all are. */
export function chooser(only: readonly string[]): (path: string) => boolean {
  if (only.length === 0) return () => true;
  const patterns = only.map((pattern) => new RegExp(`^(?:${pattern.replace(/\/+$/, '').split(/(\*\*\/?|\*|\?)/).map((part) => WILD[part] ?? part.replace(/[.+^${}()|[\]\\]/g, '\\$&')).join('')})(?:/.*)?$`, 'su'));
  return (path) => patterns.some((pattern) => pattern.test(path));
}

const WILD: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };

/**
 * The pieces that a download needs, as far as is known by now; when they are held, there may be more.
 *
 * @throws ShoalError badFolder, unknownFile when nothing is chosen
 */
export async function neededPieces(copy: Copy, name: string, only: readonly string[]): Promise<ReadonlySet<number>> {
  const { sizeBytes, pieceBytes, pieces } = copy.shape;
  const needed = new Set<number>();
  const need = (at: number, bytes: number): boolean => {
    const last = bytes === 0 ? -1 : Math.floor((at + bytes - 1) / pieceBytes);
    for (let piece = Math.floor(at / pieceBytes); piece <= Math.min(last, pieces - 1); piece++) needed.add(piece);
    return [...needed].every((piece) => copy.pieces.held.has(piece));
  };
  if (!need(0, LENGTH_BYTES)) return needed;
  const start = new Uint8Array(Math.min(LENGTH_BYTES, sizeBytes));
  await copy.readAt(start, 0);
  const head = new Uint8Array(headBytesOf(start, sizeBytes));
  if (!need(0, head.length)) return needed;
  await copy.readAt(head, 0);
  const chosen = chosenOf(readFolder(head, sizeBytes, pieceBytes), only);
  if (chosen.length === 0) throw new ShoalError('unknownFile', { name: only.join(', '), group: name });
  for (const file of chosen) need(file.at, file.sizeBytes);
  return needed;
}

export const chosenOf = ({ files }: Folder, only: readonly string[]): readonly ManifestFile[] => {
  const isChosen = chooser(only);
  return files.filter((file) => isChosen(file.path));
};
