// Reads shared files without downloading them: from a copy of this machine that has the bytes, out
// of turn from a download that is under way, or else through a preview. Knows folders by their
// lists. Changes no transfer and keeps no bytes itself.
import type { ErrorCode } from '../../../protocol/base/errors.ts';
import { isShoalError, ShoalError } from '../../../protocol/base/errors.ts';
import type { Root, SwarmKey } from '../../../protocol/base/ids.ts';
import { READ_BYTES_MAX } from '../../../protocol/base/limits.ts';
import type { Folder } from '../../../protocol/messages/manifest.ts';
import { headBytesOf, LENGTH_BYTES, readFolder } from '../../../protocol/messages/manifest.ts';
import type { Clock, Timer } from '../../../protocol/base/world.ts';
import type { Home } from '../../../protocol/home/homeLayout.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import { diskError } from '../storage/diskErrors.ts';
import { FolderLists } from './folderLists.ts';
import type { SharedFile } from './preview.ts';
import { NO_PEER_KNOWN_MS, NO_PEER_REACHED_MS, SILENT_MS } from './previewLimits.ts';
import type { PreviewCache } from './previewCache.ts';
import { isFetching } from '../transfers/transferStatus.ts';
import type { Swarm } from '../swarm/swarm.ts';
import type { Transfers } from '../transfers/transfers.ts';

/** How often a read looks for another source when the one it has ends, before it fails. */
const SOURCES_MAX = 16;
/** After these there may be another source. */
const OTHER_SOURCE_MAY_HELP: readonly ErrorCode[] = ['linkClosed', 'fileChanged', 'fileMissing', 'pieceNotHeld'];
/** After these what was read from is of no use to anybody. */
const SOURCE_LOST: readonly ErrorCode[] = ['fileChanged', 'fileMissing'];
/** How often it is looked whether anything comes, in ms. */
const CHECK_MS = 500;

export interface ReaderContext {
  readonly clock: Clock;
  readonly home: Home;
  readonly transfers: Transfers;
  readonly previews: PreviewCache;
  /**
   * Whether this account may read in a group, asked again after every wait. @throws ShoalError
   * notSignedIn, notMember
   */
  checkMember(file: SharedFile): void;
}

export interface ReadRange {
  /** A file within a folder; '' for a shared file itself. */
  readonly path: string;
  readonly fromByte: number;
  readonly bytes: number;
}

export class SharedFileReader {
  readonly #context: ReaderContext;
  readonly #folderLists: FolderLists;

  constructor(context: ReaderContext) {
    this.#context = context;
    this.#folderLists = new FolderLists(context.clock);
  }

  /** What is known here of a version, whatever the catalogue says by now. */
  known(key: SwarmKey): Pick<SharedFile, 'sizeBytes' | 'pieceBytes' | 'content'> | undefined {
    return (
      this.#context.previews.get(key)?.file ??
      this.#context.transfers.all.find(({ record }) => record.group === key.group && record.root === key.root)?.record
    );
  }

  /**
   * Some bytes; fewer only at the end.
   *
   * @throws ShoalError nobodyServes, tooMuchAtOnce, unknownFile, badFolder, cancelled; what the
   *   disk says
   */
  async read(
    file: SharedFile,
    { path, fromByte, bytes }: ReadRange,
    signal: AbortSignal,
  ): Promise<{ readonly sizeBytes: number; readonly raw: Uint8Array }> {
    if (bytes > READ_BYTES_MAX) throw new ShoalError('tooMuchAtOnce', { name: file.name, bytes, max: READ_BYTES_MAX });
    const { at, sizeBytes } = await this.#locate(file, path, signal);
    const raw = await this.#readBytes(file, at + fromByte, Math.max(0, Math.min(bytes, sizeBytes - fromByte)), signal);
    return { sizeBytes, raw };
  }

  /**
   * What is in a shared folder, in the order of the names. @throws ShoalError as `read`; usage when
   * it is none
   */
  async folder(file: SharedFile, signal: AbortSignal): Promise<Folder> {
    if (file.content !== 'folder') throw new ShoalError('usage', { why: `${file.name} is a file, not a folder` });
    return this.#folderLists.get(
      file.key.root,
      () => this.#context.checkMember(file),
      () => this.#readList(file, signal),
    );
  }

  async #readList(file: SharedFile, signal: AbortSignal): Promise<Folder> {
    const { sizeBytes, pieceBytes } = file;
    const start = await this.#readBytes(file, 0, Math.min(LENGTH_BYTES, sizeBytes), signal);
    const head = await this.#readBytes(file, 0, headBytesOf(start, sizeBytes), signal);
    return readFolder(head, sizeBytes, pieceBytes);
  }

  /** Ends all previews, and keeps nothing in memory. */
  async close(): Promise<void> {
    this.#folderLists.clear();
    await this.#context.previews.close();
  }

  async #locate(
    file: SharedFile,
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly at: number; readonly sizeBytes: number }> {
    if (file.content !== 'folder' && path === '') return { at: 0, sizeBytes: file.sizeBytes };
    if (path === '') throw new ShoalError('usage', { why: `${file.name} is a folder; name a file in it` });
    const { files } = await this.folder(file, signal);
    const found = files.find((inside) => inside.path === path);
    if (!found) throw new ShoalError('unknownFile', { name: path, group: file.name });
    return found;
  }

  async #readBytes(file: SharedFile, at: number, bytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const into = new Uint8Array(bytes);
    const first = Math.floor(at / file.pieceBytes);
    const pieces = Array.from(
      { length: bytes === 0 ? 0 : Math.floor((at + bytes - 1) / file.pieceBytes) - first + 1 },
      (_, n) => first + n,
    );
    const useless = new Set<PieceStore>();
    for (let source = 1; ; source++) {
      if (signal.aborted) throw new ShoalError('cancelled');
      this.#context.checkMember(file);
      if (bytes === 0) return into;
      const stores = this.#storesOf(file.key.root).filter((store) => !useless.has(store));
      const missing = pieces.filter((piece) => !stores.some((store) => store.states.held.has(piece)));
      let reading: PieceStore | undefined;
      try {
        if (missing.length > 0) await this.#fetch(file, missing, signal);
        else {
          for (const piece of pieces) {
            reading = stores.find((store) => store.states.held.has(piece));
            const [from, to] = [
              Math.max(at, piece * file.pieceBytes),
              Math.min(at + bytes, (piece + 1) * file.pieceBytes),
            ];
            await reading?.readAt(into.subarray(from - at, to - at), from);
          }
          return into;
        }
      } catch (error) {
        // A file that is no longer what it was, a piece that was lost, a swarm that was left: there
        // may be another source.
        const mayGoOn = isShoalError(error) && OTHER_SOURCE_MAY_HELP.includes(error.code);
        if (!mayGoOn || source >= SOURCES_MAX) throw error;
        if (reading) useless.add(reading);
        if (reading && SOURCE_LOST.includes(error.code)) await this.#context.transfers.onSourceLost(reading, error);
      }
    }
  }

  /** What this machine holds of these bytes, whatever it is for. */
  #storesOf(root: Root): readonly PieceStore[] {
    const { all } = this.#context.transfers;
    return [
      ...all.flatMap(({ record, store }) => (record.root === root && store ? [store] : [])),
      ...this.#context.previews.storesOf(root),
    ];
  }

  /** Has pieces fetched by whoever takes part in the swarm. */
  async #fetch(file: SharedFile, pieces: readonly number[], signal: AbortSignal): Promise<void> {
    const transfer = this.#context.transfers.ofSwarm(file.key.group, file.key.root);
    if (transfer?.swarm && isFetching(transfer)) return this.#waitForPieces(transfer.swarm, file, pieces, signal);
    const preview = await this.#context.previews.open(file, pieces.length * file.pieceBytes);
    // A transfer has the swarm: it may have begun to fetch just now, or have it all and no longer
    // be able to read it.
    if (!preview) {
      throw transfer?.isComplete ? new ShoalError('nobodyServes', { name: file.name }) : new ShoalError('linkClosed');
    }
    const { swarm } = preview;
    if (!swarm) throw new ShoalError('linkClosed');
    await this.#context.previews.use(preview, () => this.#waitForPieces(swarm, file, pieces, signal));
  }

  async #waitForPieces(
    swarm: Swarm,
    { name }: SharedFile,
    pieces: readonly number[],
    signal: AbortSignal,
  ): Promise<void> {
    const inVain = new AbortController();
    const stop = this.#watchForStall(swarm, pieces, () => inVain.abort());
    try {
      await swarm.fetchUrgently(pieces, AbortSignal.any([signal, inVain.signal]));
    } catch (error) {
      if (inVain.signal.aborted && !signal.aborted) throw new ShoalError('nobodyServes', { name });
      throw isShoalError(error, 'internal')
        ? diskError(error.cause ?? error, this.#context.home.previewsFolder)
        : error;
    } finally {
      stop();
    }
  }

  /** Says when it is of no use to wait on. Returns how to stop looking. */
  #watchForStall(swarm: Swarm, pieces: readonly number[], inVain: () => void): () => void {
    const { clock } = this.#context;
    const states = swarm.store.states;
    let timer: Timer;
    let thereMs = clock.monotonicMs();
    let cameMs = thereMs;
    let cameBytes = swarm.receivedBytes;
    const check = (): void => {
      const nowMs = clock.monotonicMs();
      // That others of a download come is no sign that these will.
      if (pieces.every((piece) => states.held.has(piece) || states.holders(piece) > 0)) thereMs = nowMs;
      if (swarm.receivedBytes !== cameBytes) cameMs = nowMs;
      cameBytes = swarm.receivedBytes;
      if (
        nowMs - thereMs >= (swarm.candidates.length === 0 ? NO_PEER_KNOWN_MS : NO_PEER_REACHED_MS) ||
        nowMs - cameMs >= SILENT_MS
      ) {
        return inVain();
      }
      timer = clock.after(CHECK_MS, check);
    };
    timer = clock.after(CHECK_MS, check);
    return () => timer.cancel();
  }
}
