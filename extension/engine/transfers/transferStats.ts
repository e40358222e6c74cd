// What is counted of one transfer while it runs, and what windows are shown of it. Counts and
// shows; decides nothing.
import type { Transfer as TransferView } from '../../../protocol/messages/engineLink.ts';
import { toWire } from '../../../protocol/wire/wireErrors.ts';
import type { Clock } from '../../../protocol/base/world.ts';
import { EMPTY_ROOT } from '../hashing/merkleTree.ts';
import { unavailablePieces } from '../swarm/availability.ts';
import { RateMeter } from '../peers/rateMeter.ts';
import { shownState } from './transferStatus.ts';
import type { TransferStatus } from './transferStatus.ts';

export class TransferStats {
  readonly #down: RateMeter;
  readonly #up: RateMeter;
  #uploadedBytes = 0;
  /** What was hashed or checked so far, while that goes on. */
  readBytes = 0;
  /** Pieces that an earlier run had left. */
  resumedPieces = 0;
  /** Pieces that lay on this machine already. */
  localPieces = 0;

  constructor(clock: Clock) {
    this.#down = new RateMeter(clock);
    this.#up = new RateMeter(clock);
  }

  get downBytesPerS(): number {
    return this.#down.bytesPerS;
  }
  get upBytesPerS(): number {
    return this.#up.bytesPerS;
  }

  onReceived(bytes: number): void {
    this.#down.count(bytes);
  }

  onSent(bytes: number): void {
    this.#uploadedBytes += bytes;
    this.#up.count(bytes);
  }

  /** @param place  where it stands among the unfinished downloads, from 1; 0 for others */
  view(status: TransferStatus, place: number): TransferView {
    const { record, store, swarm, isComplete, error } = status;
    const state = shownState(status);
    const pieces =
      store?.states.wantedCount ?? (record.pieceBytes > 0 ? Math.ceil(record.sizeBytes / record.pieceBytes) : 0);
    const heldPieces = store?.states.held.count ?? (isComplete ? pieces : 0);
    // Of a folder of which some files were chosen, those count: until they are made, with all of
    // each piece that they touch.
    const isPart = record.only.length > 0;
    const sizeBytes =
      isPart && isComplete
        ? record.chosenBytes
        : isPart && store
          ? Math.min(record.sizeBytes, pieces * record.pieceBytes)
          : record.sizeBytes;
    const partDone = isComplete ? sizeBytes : store ? Math.min(sizeBytes, heldPieces * record.pieceBytes) : 0;
    const isStalled =
      state === 'waiting' ||
      (state === 'downloading' &&
        this.downBytesPerS === 0 &&
        store?.states.requested.size === 0 &&
        store.states.verifyingCount === 0);
    return {
      id: record.id,
      group: record.group,
      groupName: record.groupName,
      name: record.name,
      root: record.root === '' ? EMPTY_ROOT : record.root,
      sizeBytes,
      sha256: record.sha256 === '' ? undefined : record.sha256,
      kind: record.kind,
      state,
      path: record.path,
      pieces,
      heldPieces,
      doneBytes: state === 'hashing' || state === 'checking' ? this.readBytes : partDone,
      downBytesPerS: this.downBytesPerS,
      upBytesPerS: this.upBytesPerS,
      uploadedBytes: this.#uploadedBytes,
      peers: swarm?.peerCount ?? 0,
      resumedPieces: this.resumedPieces,
      ownPieces: this.localPieces,
      rejectedPieces: swarm?.rejectedPieces ?? 0,
      error: error && toWire(error),
      downLimitBytesPerS: record.downLimitBytesPerS,
      upLimitBytesPerS: record.upLimitBytesPerS,
      mode: record.mode,
      priority: record.priority,
      place,
      content: record.content,
      version: record.version,
      nowhere:
        isStalled && store && store.states.unavailableCount === store.states.missingCount
          ? unavailablePieces(store.states, swarm?.departedPeers)
          : undefined,
    };
  }
}
