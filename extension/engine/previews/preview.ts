// One shared file of which somebody reads without downloading it: a membership in its swarm, and a
// sparse file below the home that holds what was read. It shows up in no list and is not kept:
// previewCache.ts says when it ends.
import path from 'node:path';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import type { Root, SwarmKey } from '../../../protocol/base/ids.ts';
import type { SwarmPeer } from '../../../protocol/messages/trackerLink.ts';
import type { Chance, DiskFile } from '../../../protocol/base/world.ts';
import type { PieceStoreContext } from '../storage/pieceStore.ts';
import { PieceStore } from '../storage/pieceStore.ts';
import { diskError } from '../storage/diskErrors.ts';
import { shapeOf } from '../hashing/merkleTree.ts';
import type { SwarmContext } from '../swarm/swarm.ts';
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

export interface PreviewContext extends PieceStoreContext {
  readonly chance: Chance;
  readonly home: Home;
  readonly swarmHost: SwarmContext;
}

/** Where the bytes of one go. */
export interface PreviewFile {
  readonly path: string;
  readonly file: DiskFile;
}

export class Preview {
  readonly file: SharedFile;
  readonly pieceStore: PieceStore;
  readonly swarm: Swarm;
  /** When it was last read, by the monotonic clock. */
  lastUsedMs = 0;
  /** How many read it now. */
  readers = 0;
  readonly #context: PreviewContext;
  readonly #previewFile: string;

  /** @param peers  that a tracker has named already */
  constructor(
    context: PreviewContext,
    file: SharedFile,
    { path: place, file: open }: PreviewFile,
    { layer: pieceHashes, peers }: { readonly layer: Uint8Array | undefined; readonly peers: readonly SwarmPeer[] },
  ) {
    this.#context = context;
    this.file = file;
    this.pieceStore = PieceStore.forPreview(
      context,
      file.key.root,
      shapeOf(file.sizeBytes, file.pieceBytes),
      open,
      pieceHashes,
    );
    this.#previewFile = place;
    this.swarm = new Swarm(file.key, this.pieceStore, 'sequential', context.swarmHost, {
      onChange() {},
      onPieceHashes() {},
      onComplete() {},
      onDiskError() {},
      onSourceLost() {},
      onReceived() {},
    });
    this.swarm.pause(); // it fetches what somebody waits for, and nothing else
    this.swarm.addCandidates(peers);
  }

  /** How much room it takes. */
  get heldBytes(): number {
    return this.pieceStore.states.held.count * this.pieceStore.shape.pieceBytes;
  }

  /** What the trackers hear of it. It goes soon, so it never counts as one who has the file. */
  get leftBytes(): number {
    return Math.max(1, this.swarm.leftBytes);
  }

  async close(): Promise<void> {
    this.swarm.close();
    await this.pieceStore.close(false).catch(() => undefined); // nothing of it has to last
    await removePreviewFile(this.#context, this.#previewFile);
  }
}

/**
 * An empty file for what will be read. It grows by what is written: not every system knows files
 * with holes. @throws ShoalError diskFull, destinationUnwritable
 */
export async function createPreviewFile(
  { home: { previewsFolder }, disk, chance }: PreviewContext,
  root: Root,
): Promise<PreviewFile> {
  const place = path.join(previewsFolder, `${root.slice(0, 16)}-${chance.bytes(8).toString('hex')}`);
  try {
    await disk.makeFolder(previewsFolder, 0o700);
    return { path: place, file: await disk.open(place, 'create') };
  } catch (error) {
    throw diskError(error, place);
  }
}

/** It was not needed after all. */
export async function discardPreviewFile(context: PreviewContext, { path: place, file }: PreviewFile): Promise<void> {
  await file.close().catch(() => undefined);
  await removePreviewFile(context, place);
}

async function removePreviewFile({ disk, swarmHost: { log } }: PreviewContext, place: string): Promise<void> {
  await disk
    .remove(place)
    .catch((error: unknown) => log.warn('what was read of a file could not be removed', { place, why: String(error) }));
}
