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
import type { SwarmContext } from '../swarm/swarmContext.ts';
import { NO_EVENTS, Swarm } from '../swarm/swarm.ts';
import type { SwarmClaimant } from '../swarm/swarmRegistry.ts';

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
  readonly swarmContext: SwarmContext;
}

/** Where the bytes of one go. */
export interface PreviewFile {
  readonly path: string;
  readonly file: DiskFile;
}

export class Preview implements SwarmClaimant {
  readonly file: SharedFile;
  readonly store: PieceStore;
  /** When it was last read, by the monotonic clock. */
  lastUsedMs = 0;
  /** How many read it now. */
  readers = 0;
  readonly #context: PreviewContext;
  readonly #path: string;
  readonly #onRelease: () => void;
  #swarm: Swarm | undefined;

  /** @param onRelease  called when a transfer takes the swarm over: then this has to end */
  constructor(
    context: PreviewContext,
    file: SharedFile,
    previewFile: PreviewFile,
    pieceHashes: Uint8Array | undefined,
    onRelease: () => void,
  ) {
    this.#context = context;
    this.file = file;
    this.#path = previewFile.path;
    this.#onRelease = onRelease;
    const shape = shapeOf(file.sizeBytes, file.pieceBytes);
    this.store = PieceStore.forPreview(context, file.key.root, shape, previewFile.file, pieceHashes);
  }

  /** Takes part in the swarm, which has been claimed for it. @param peers  that are known there */
  join(peers: readonly SwarmPeer[]): void {
    const { swarmContext } = this.#context;
    this.#swarm = new Swarm(this.file.key, this.store, 'sequential', swarmContext, NO_EVENTS);
    this.#swarm.pause(); // it fetches what is waited for, and nothing else
    this.#swarm.addCandidates(peers);
  }

  get key(): SwarmKey {
    return this.file.key;
  }
  get swarm(): Swarm | undefined {
    return this.#swarm;
  }
  get isFetching(): boolean {
    return true;
  }
  get wantsSwarm(): boolean {
    return false; // without a swarm it is over
  }
  get lacksSwarm(): boolean {
    return false;
  }
  canReleaseTo(): boolean {
    return true;
  }
  release(): readonly SwarmPeer[] {
    const peers = this.#swarm?.candidates ?? [];
    this.#onRelease();
    return peers;
  }
  takeOver(): void {}

  /** How much room it takes. */
  get heldBytes(): number {
    return this.store.states.held.count * this.store.shape.pieceBytes;
  }

  /** What the trackers are told. It ends soon, so it never counts as one that has the file. */
  get announcedBytes(): number | undefined {
    return this.#swarm && Math.max(1, this.#swarm.leftBytes);
  }

  async close(): Promise<void> {
    this.#swarm?.close();
    this.#swarm = undefined;
    await this.store.close(false).catch(() => undefined); // nothing of it has to last
    await removePreviewFile(this.#context, this.#path);
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

async function removePreviewFile({ disk, swarmContext: { log } }: PreviewContext, place: string): Promise<void> {
  await disk
    .remove(place)
    .catch((error: unknown) => log.warn('what was read of a file could not be removed', { place, why: String(error) }));
}
