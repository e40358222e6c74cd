// One shared file of which somebody reads without downloading it: a membership in its swarm, and a sparse file below the home that holds
// what was read. It shows up in no list and is not kept: previews.ts says when it ends.
import path from 'node:path';
import type { Home } from '../../protocol/home/home.ts';
import type { SwarmKey } from '../../protocol/ids.ts';
import type { SwarmPeer } from '../../protocol/trackerLink.ts';
import type { Chance } from '../../protocol/world.ts';
import type { CopyHost } from './copy.ts';
import { Copy } from './copy.ts';
import { diskError } from './diskErrors.ts';
import { shapeOf } from './hashTree.ts';
import type { SwarmHost } from './swarm.ts';
import { Swarm } from './swarm.ts';

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

  private constructor(host: PreviewHost, file: SharedFile, copy: Copy, place: string) {
    this.#host = host;
    this.file = file;
    this.copy = copy;
    this.#place = place;
    this.swarm = new Swarm(file.key, copy, 'sequential', host.swarmHost, {
      changed() {}, layerKnown() {}, whole() {}, stuck() {}, gone() {}, received() {},
    });
    this.swarm.pause(); // it fetches what somebody waits for, and nothing else
  }

  /** @throws ShoalError diskFull, destinationUnwritable */
  static async open(host: PreviewHost, file: SharedFile, { layer, peers }: { readonly layer: Uint8Array | undefined; readonly peers: readonly SwarmPeer[] }): Promise<Preview> {
    const { home: { previewsFolder }, disk, chance } = host;
    const place = path.join(previewsFolder, `${file.key.root.slice(0, 16)}-${chance.bytes(8).toString('hex')}`);
    try {
      await disk.makeFolder(previewsFolder, 0o700);
      const open = await disk.open(place, 'create');
      await open.truncate(file.sizeBytes);
      const preview = new Preview(host, file, Copy.ofPreview(host, file.key.root, shapeOf(file.sizeBytes, file.pieceBytes), open, layer), place);
      preview.swarm.addCandidates(peers);
      return preview;
    } catch (error) {
      throw diskError(error, place);
    }
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
    await this.#host.disk.remove(this.#place).catch((error: unknown) => {
      this.#host.swarmHost.log.warn('what was read of a file could not be removed', { place: this.#place, why: String(error) });
    });
  }
}
