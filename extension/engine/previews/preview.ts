// One shared file of which somebody reads without downloading it: a membership in its swarm, and a
// sparse file below the home that holds what was read. It shows up in no list and is not kept:
// previewCache.ts says when it ends.
import path from 'node:path';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import type { Root, SwarmKey } from '../../../protocol/base/ids.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { Chance, DiskFile } from '../../../protocol/base/world.ts';
import type { CopyHost } from '../storage/pieceStore.ts';
import { Copy } from '../storage/pieceStore.ts';
import { diskError } from '../storage/diskErrors.ts';
import { shapeOf } from '../hashing/merkleTree.ts';
import type { SwarmHost } from '../swarm/swarm.ts';
import { Swarm } from '../swarm/swarm.ts';

/** A version of a file in a group, as far as it takes to read it. */
export interface SharedFile {
  readonly key: SwarmKey;
  readonly name: string;
  readonly groupName: string;
  readonly sizeBytes: number;
  readonly pieceBytes: number;
  readonly content: 'file' | 'folder';
}

export interface PreviewHost extends CopyHost {
  readonly chance: Chance;
  readonly home: Home;
  readonly swarmHost: SwarmHost;
}

/** Where the bytes of one go. */
export interface PreviewPlace {
  readonly path: string;
  readonly open: DiskFile;
}

export class Preview {
  readonly file: SharedFile;
  readonly copy: Copy;
  readonly swarm: Swarm;
  /** When it was last read, by the monotonic clock. */
  usedMs = 0;
  /** How many read it now. */
  readers = 0;
  readonly #host: PreviewHost;
  readonly #place: string;

  /** @param peers  that a tracker has named already */
  constructor(
    host: PreviewHost,
    file: SharedFile,
    { path: place, open }: PreviewPlace,
    { layer, peers }: { readonly layer: Uint8Array | undefined; readonly peers: readonly SwarmPeer[] },
  ) {
    this.#host = host;
    this.file = file;
    this.copy = Copy.ofPreview(host, file.key.root, shapeOf(file.sizeBytes, file.pieceBytes), open, layer);
    this.#place = place;
    this.swarm = new Swarm(file.key, this.copy, 'sequential', host.swarmHost, {
      changed() {},
      layerKnown() {},
      whole() {},
      stuck() {},
      gone() {},
      received() {},
    });
    this.swarm.pause(); // it fetches what somebody waits for, and nothing else
    this.swarm.addCandidates(peers);
  }

  /** How much room it takes. */
  get heldBytes(): number {
    return this.copy.pieces.held.count * this.copy.shape.pieceBytes;
  }

  /** What the trackers hear of it. It goes soon, so it never counts as one who has the file. */
  get leftBytes(): number {
    return Math.max(1, this.swarm.leftBytes);
  }

  async close(): Promise<void> {
    this.swarm.close();
    await this.copy.close(false).catch(() => undefined); // nothing of it has to last
    await removePlace(this.#host, this.#place);
  }
}

/**
 * An empty file for what will be read. It grows by what is written: not every system knows files
 * with holes. @throws ShoalError diskFull, destinationUnwritable
 */
export async function makePlace(
  { home: { previewsFolder }, disk, chance }: PreviewHost,
  root: Root,
): Promise<PreviewPlace> {
  const place = path.join(previewsFolder, `${root.slice(0, 16)}-${chance.bytes(8).toString('hex')}`);
  try {
    await disk.makeFolder(previewsFolder, 0o700);
    return { path: place, open: await disk.open(place, 'create') };
  } catch (error) {
    throw diskError(error, place);
  }
}

/** It was not needed after all. */
export async function dropPlace(host: PreviewHost, { path: place, open }: PreviewPlace): Promise<void> {
  await open.close().catch(() => undefined);
  await removePlace(host, place);
}

async function removePlace({ disk, swarmHost: { log } }: PreviewHost, place: string): Promise<void> {
  await disk
    .remove(place)
    .catch((error: unknown) => log.warn('what was read of a file could not be removed', { place, why: String(error) }));
}
