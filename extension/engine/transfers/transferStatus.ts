// What follows from how a transfer stands: whether it wants to fetch, whether a turn or the swarm
// is of use to it, what of it is told. Pure questions of those who deal out turns and swarms
// (transfers.ts) or tell of them; only a transfer changes how it stands.
import type { Transfer as TransferView } from '../../../protocol/messages/engineLink.ts';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { ShoalError } from '../../../protocol/base/errors.ts';
import type { SwarmKey } from '../../../protocol/base/ids.ts';
import type { PieceStore } from '../storage/pieceStore.ts';
import type { Swarm } from '../swarm/swarm.ts';
import type { TransferRecord } from '../transferFiles/transferRecord.ts';

/**
 * What a transfer is doing. That nobody is there to download from is not its doing: see
 * `shownState`.
 */
export type Phase = Exclude<TransferView['state'], 'other' | 'waiting'>;

/** How a transfer stands. */
export interface TransferStatus {
  readonly phase: Phase;
  /** Whether it may fetch now. */
  readonly isScheduled: boolean;
  readonly isClosed: boolean;
  /** Whether everything is here, verified and under its final name. */
  readonly isComplete: boolean;
  readonly record: TransferRecord;
  /** Its pieces, while its file is open. */
  readonly store: PieceStore | undefined;
  /** While it takes part in it. */
  readonly swarm: Swarm | undefined;
  readonly error: ShoalError | undefined;
}

/** Phases in which it can give to others what it holds. */
const SERVING_PHASES: readonly Phase[] = ['seeding', 'downloading', 'paused', 'queued', 'choosing'];
/** Phases in which it fetches nothing. */
const RESTING_PHASES: readonly Phase[] = ['seeding', 'paused', 'queued', 'choosing'];

/** The swarm of its bytes; undefined while they are not known. */
export const keyOf = ({ record: { group, root } }: TransferStatus): SwarmKey | undefined =>
  root === '' ? undefined : { group, root };

/** As it is shown: waiting is downloading with nobody to download from. */
export const shownState = ({ phase, swarm }: TransferStatus): Phase | 'waiting' =>
  phase === 'downloading' && !swarm?.hasProspects ? 'waiting' : phase;

/** Whether something of it is under way. */
export const isRunning = ({ phase }: TransferStatus): boolean =>
  phase === 'hashing' || phase === 'checking' || phase === 'downloading';

/** Whether it is a download that wants to fetch, now or when its turn comes. */
export const isQueued = (one: TransferStatus): boolean =>
  one.record.kind === 'download' && !one.isComplete && (isRunning(one) || one.phase === 'queued');

/** Whether it could not fetch now anyway: nobody serves it, or its disk is full. */
export const isIdle = (one: TransferStatus): boolean =>
  one.phase === 'downloading' && (one.error !== undefined || shownState(one) === 'waiting');

/** Whether it has pieces to fetch, and may. */
export const isFetching = ({ isComplete, isScheduled, record }: TransferStatus): boolean =>
  !isComplete && isScheduled && !record.paused;

/** Whether it should have a swarm and has none: another transfer of the same bytes had it first. */
export const wantsSwarm = (one: TransferStatus): boolean =>
  (one.phase === 'seeding' || one.phase === 'downloading') && lacksSwarm(one);

/**
 * Whether it could take part in the swarm, if only to serve what it has, and something that was not
 * a transfer had it first.
 */
export const lacksSwarm = ({ phase, store, swarm, isClosed }: TransferStatus): boolean =>
  store !== undefined && swarm === undefined && !isClosed && SERVING_PHASES.includes(phase);

/**
 * Whether the swarm is of no more use to it than to serve the part of a folder that it has, or of
 * none now.
 */
export const canRelease = ({ phase, store, swarm }: TransferStatus): boolean =>
  swarm !== undefined && !store?.states.held.isFull && RESTING_PHASES.includes(phase);

/**
 * What the trackers are told, in bytes; undefined: nothing. A share is announced when the group
 * knows of it: what it is announced for must be in the catalog.
 */
export const announcedBytes = ({ phase, swarm, record }: TransferStatus): number | undefined =>
  record.told && (phase === 'seeding' || phase === 'downloading') ? swarm?.leftBytes : undefined;

/** Whether what was found wrong in it can be downloaded again. A changed share is another file. */
export const canRepair = ({ record: { kind, content } }: TransferStatus, error: unknown): boolean =>
  kind === 'download' && content === 'file' && (isShoalError(error, 'integrity') || isShoalError(error, 'fileMissing'));
