// Reads shared files through the engine, for editors: what there is to know of a version, its
// bytes, the files of a folder. A version never changes, so what is known of it is kept, within
// bounds; bytes are kept by the engine, not here.
import type { engineLink } from '../../protocol/messages/engineLink.ts';
import { asShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { Root } from '../../protocol/base/ids.ts';
import { FOLDER_FILES_MAX } from '../../protocol/base/limits.ts';
import { readPages } from '../../protocol/frontend/pagination.ts';
import { readAhead } from '../../protocol/frontend/readAhead.ts';
import type { BodyOf } from '../../protocol/wire/table.ts';
import type { FileInFolder } from './folderEntries.ts';
import type { SharedFileLocation } from './fileUri.ts';
import type { Store } from '../engineClient/store.ts';

/** Versions of which something is remembered: more than anybody has tabs of. */
const KNOWN_MAX = 64;
/** Lists of folders that are: they are large. */
const LISTS_MAX = 4;

export interface SharedInfo {
  readonly isFolder: boolean;
  /** Of the file itself; of a folder, all of it. */
  readonly sizeBytes: number;
  /** When this version was shared; 0 when the group has a newer one by now. */
  readonly atMs: number;
}

/** The asking side, as a store has it. */
export type ReaderContext = Pick<Store, 'call' | 'read'>;

export class SharedFileReader {
  readonly #context: ReaderContext;
  readonly #infos = new Map<Root, Promise<SharedInfo>>();
  readonly #lists = new Map<Root, Promise<readonly FileInFolder[]>>();

  constructor(context: ReaderContext) {
    this.#context = context;
  }

  /** What is at a place. @throws ShoalError */
  async info(location: SharedFileLocation): Promise<SharedInfo> {
    const shared = await cached(this.#infos, KNOWN_MAX, location.root, () => this.#lookUp(location));
    if (location.path === '') return shared;
    if (!shared.isFolder) throw new ShoalError('unknownFile', { name: location.path, group: location.name });
    const files = await this.files(location);
    const file = files.find(({ path }) => path === location.path);
    if (file) return { ...shared, isFolder: false, sizeBytes: file.sizeBytes };
    const inside = files.filter(({ path }) => path.startsWith(`${location.path}/`));
    if (inside.length === 0) throw new ShoalError('unknownFile', { name: location.path, group: location.name });
    return { ...shared, sizeBytes: inside.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
  }

  /** All files of a shared folder. @throws ShoalError */
  files({ group, name, root }: SharedFileLocation): Promise<readonly FileInFolder[]> {
    return cached(this.#lists, LISTS_MAX, root, () =>
      readPages<FileInFolder>({
        call: 'listShared',
        nameOf: ({ path }) => path,
        keyOf: (path) => path,
        rowsMax: FOLDER_FILES_MAX,
        page: async (after) => {
          const { files: rows, more } = await this.#context.call(
            'listShared',
            { group, name, root, after },
            { isLong: true },
          );
          return { rows, more };
        },
      }),
    );
  }

  /**
   * The first bytes of a file, or all of it.
   *
   * @param came  told how many have come
   * @throws ShoalError
   */
  async bytes(
    location: SharedFileLocation,
    sizeBytes: number,
    { onBytes, signal }: { readonly onBytes?: (bytes: number) => void; readonly signal?: AbortSignal } = {},
  ): Promise<Uint8Array> {
    const all = new Uint8Array(sizeBytes);
    let at = 0;
    const read = (fromByte: number, into: Uint8Array, either: AbortSignal): Promise<number> =>
      this.#context.read(bodyOf(location, fromByte, into.length), into, either);
    for await (const bytes of readAhead(read, 0, sizeBytes, signal)) {
      all.set(bytes, at);
      at += bytes.length;
      onBytes?.(at);
    }
    if (at !== sizeBytes) throw new ShoalError('badMessage', { type: 'read', why: 'the file ended too early' });
    return all;
  }

  async #lookUp({ group, name, root }: SharedFileLocation): Promise<SharedInfo> {
    const row = await this.#context.call('findFile', { group, name }).catch((error: unknown) => asShoalError(error));
    if (!(row instanceof ShoalError) && row.root === root) {
      return { isFolder: row.content === 'folder', sizeBytes: row.sizeBytes, atMs: row.atMs };
    }
    if (row instanceof ShoalError && row.code !== 'unknownFile') throw row;
    // An older version may be on this machine still.
    const { rawBytes: _, sizeBytes } = await this.#context.call('read', bodyOf({ group, name, root, path: '' }, 0, 0));
    return { isFolder: false, sizeBytes, atMs: 0 };
  }
}

const bodyOf = (
  { group, name, root, path }: SharedFileLocation,
  fromByte: number,
  bytes: number,
): BodyOf<typeof engineLink, 'read'> => ({ group, name, root, path, fromByte, bytes });

/**
 * What is remembered, or else found out now; a failure is not remembered, and of too many the
 * oldest go.
 */
function cached<T>(all: Map<Root, Promise<T>>, max: number, root: Root, find: () => Promise<T>): Promise<T> {
  const cached = all.get(root);
  if (cached) return cached;
  const found = find();
  found.catch(() => all.delete(root));
  all.set(root, found);
  for (const oldest of all.keys()) if (all.size > max) all.delete(oldest);
  return found;
}
