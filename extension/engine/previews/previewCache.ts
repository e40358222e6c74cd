// All files that are read without being downloaded: opens a preview when one is needed, keeps all
// of them within a bound, and ends each a while after it was last read. Nothing of them outlives
// the sign-in, let alone the engine. Who reads, and from where else, is sharedFileReader.ts's
// business.
import type { GroupId, Root, SwarmKey } from '../../../protocol/base/ids.ts';
import { swarmKeyText } from '../../../protocol/base/ids.ts';
import type { Timer } from '../../../protocol/base/world.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import type { SwarmRegistry } from '../swarm/swarmRegistry.ts';
import type { PreviewContext, SharedFile } from './preview.ts';
import { createPreviewFile, Preview } from './preview.ts';
import { PREVIEW_IDLE_MS, PREVIEWS_BYTES_MAX, PREVIEWS_MAX } from './previewLimits.ts';

export interface PreviewCacheContext extends PreviewContext {
  readonly registry: SwarmRegistry;
  /** The trackers should hear of it. */
  onPresenceChanged(): void;
}

export class PreviewCache {
  readonly #context: PreviewCacheContext;
  readonly #all = new Map<string, Preview>();
  readonly #opening = new Map<string, Promise<Preview | undefined>>();
  /** Previews that have ended and whose files are being removed. */
  readonly #closing = new Set<Promise<void>>();
  #timer: Timer | undefined;
  /**
   * Grows when some are to end for good: what is being opened at that moment may be one of them,
   * and has to ask again.
   */
  #generation = 0;

  constructor(context: PreviewCacheContext) {
    this.#context = context;
  }

  get all(): readonly Preview[] {
    return [...this.#all.values()];
  }
  get(key: SwarmKey): Preview | undefined {
    return this.#all.get(swarmKeyText(key));
  }
  /** Copies of just these bytes, of which some may be held. */
  storesOf(root: Root): readonly PieceStore[] {
    return this.all.filter(({ store }) => store.root === root).map(({ store }) => store);
  }

  /**
   * Removes what an earlier run has left. What cannot be removed now, because another program looks
   * at it, is removed another time.
   */
  async clear(): Promise<void> {
    const {
      disk,
      home: { previewsFolder },
      swarmContext: { log },
    } = this.#context;
    await disk
      .removeFolder(previewsFolder)
      .catch((error: unknown) =>
        log.warn('what was read of files before could not be removed', { place: previewsFolder, why: String(error) }),
      );
  }

  /**
   * The preview of a file, with room for so many bytes more; undefined when a transfer needs the
   * swarm for itself.
   *
   * @throws ShoalError diskFull, destinationUnwritable
   */
  async open(file: SharedFile, moreBytes: number): Promise<Preview | undefined> {
    const text = swarmKeyText(file.key);
    for (let opening = this.#opening.get(text); opening; opening = this.#opening.get(text)) {
      await opening.catch(() => undefined);
    }
    const found = this.#all.get(text);
    if (found) {
      found.lastUsedMs = this.#context.clock.monotonicMs(); // what is read now is the last to go
      if (this.#makeRoom(found, moreBytes)) return found;
    } else this.#makeRoom(undefined, moreBytes);
    const opening = this.#openNew(file, found);
    this.#opening.set(text, opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(text);
    }
  }

  /** Somebody reads from it until `run` is done. */
  async use<T>(preview: Preview, run: () => Promise<T>): Promise<T> {
    preview.readers++;
    try {
      return await run();
    } finally {
      preview.readers--;
      preview.lastUsedMs = this.#context.clock.monotonicMs();
      this.#scheduleSweep();
    }
  }

  /** This account is no longer in a group. */
  leaveGroup(group: GroupId): void {
    this.#generation++;
    for (const preview of this.all) if (preview.file.key.group === group) this.#end(preview);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#generation++;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const preview of this.all) this.#end(preview);
    await Promise.allSettled(this.#opening.values());
    await Promise.all(this.#closing);
  }

  async #openNew(file: SharedFile, before: Preview | undefined): Promise<Preview | undefined> {
    const age = this.#generation;
    const { registry } = this.#context;
    const previewFile = await createPreviewFile(this.#context, file.key.root);
    // From here on nothing is waited for: a transfer must not take the swarm meanwhile, nor be
    // without one for nothing.
    const knownPeers = before?.swarm?.candidates ?? [];
    if (before) this.#end(before);
    const pieceHashes = before?.store.pieceHashes ?? registry.pieceHashesOf(file.key.root);
    const preview: Preview = new Preview(this.#context, file, previewFile, pieceHashes, () => this.#end(preview));
    const peers = age === this.#generation ? registry.claim(preview) : undefined;
    if (!peers) {
      await preview.close();
      return undefined;
    }
    preview.join([...knownPeers, ...peers]);
    registry.add(preview);
    preview.lastUsedMs = this.#context.clock.monotonicMs();
    this.#all.set(swarmKeyText(file.key), preview);
    this.#context.onPresenceChanged();
    this.#scheduleSweep();
    return preview;
  }

  /**
   * Ends those that were not read for the longest, as far as it takes. Returns whether that was
   * enough, or this one should begin anew.
   */
  #makeRoom(not: Preview | undefined, moreBytes: number): boolean {
    const isFull = (): boolean =>
      (!not && this.#all.size >= PREVIEWS_MAX) ||
      moreBytes + this.all.reduce((sum, { heldBytes }) => sum + heldBytes, 0) > PREVIEWS_BYTES_MAX;
    for (const oldest of [...this.all].sort((a, b) => a.lastUsedMs - b.lastUsedMs)) {
      if (!isFull()) break;
      if (oldest !== not && oldest.readers === 0) this.#end(oldest);
    }
    return !isFull() || not?.heldBytes === 0;
  }

  #end(preview: Preview): void {
    const text = swarmKeyText(preview.file.key);
    if (this.#all.get(text) !== preview) return;
    this.#all.delete(text);
    const closing = preview.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    this.#context.registry.remove(preview);
    this.#context.registry.giveBack(preview);
    this.#context.onPresenceChanged();
  }

  #scheduleSweep(): void {
    this.#timer ??= this.#context.clock.after(PREVIEW_IDLE_MS, () => {
      this.#timer = undefined;
      const longAgoMs = this.#context.clock.monotonicMs() - PREVIEW_IDLE_MS;
      for (const preview of this.all) if (preview.readers === 0 && preview.lastUsedMs <= longAgoMs) this.#end(preview);
      if (this.#all.size > 0) this.#scheduleSweep();
    });
  }
}
