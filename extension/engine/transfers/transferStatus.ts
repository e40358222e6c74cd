// What follows from how a transfer stands: whether it wants to fetch, whether a turn or the swarm
// is of use to it, what of it is told. Pure questions of those who deal out turns and swarms
// (transfers.ts) or tell of them; only a transfer changes how it stands.
import type { Transfer as TransferView } from '../../../protocol/messages/engineLink.ts';
import type { Transfer } from './transfer.ts';

/**
 * What a transfer is doing. That nobody is there to download from is not its doing: see
 * `shownState`.
 */
export type Phase = Exclude<TransferView['state'], 'other' | 'waiting'>;

type Standing = Pick<Transfer, 'phase' | 'hasTurn' | 'isClosed' | 'isWhole' | 'record' | 'copy' | 'swarm' | 'error'>;

/** Phases in which it can give to others what it holds. */
const SERVES: readonly Phase[] = ['seeding', 'downloading', 'paused', 'queued', 'choosing'];
/** Phases in which it fetches nothing. */
const RESTS: readonly Phase[] = ['seeding', 'paused', 'queued', 'choosing'];

/** As it is shown: waiting is downloading with nobody to download from. */
export const shownState = ({ phase, swarm }: Standing): Phase | 'waiting' =>
  phase === 'downloading' && !swarm?.hasProspects ? 'waiting' : phase;

/** Whether something of it is under way. */
export const isActive = ({ phase }: Standing): boolean =>
  phase === 'hashing' || phase === 'checking' || phase === 'downloading';

/** Whether it is a download that wants to fetch, now or when its turn comes. */
export const isQueued = (one: Standing): boolean =>
  one.record.kind === 'download' && !one.isWhole && (isActive(one) || one.phase === 'queued');

/** Whether it could not fetch now anyway: nobody serves it, or its disk is full. */
export const isIdle = (one: Standing): boolean =>
  one.phase === 'downloading' && (one.error !== undefined || shownState(one) === 'waiting');

/** Whether it has pieces to fetch, and may. */
export const isFetching = ({ isWhole, hasTurn, record }: Standing): boolean => !isWhole && hasTurn && !record.paused;

/** Whether it should have a swarm and has none: another transfer of the same bytes had it first. */
export const wantsSwarm = (one: Standing): boolean =>
  (one.phase === 'seeding' || one.phase === 'downloading') && lacksSwarm(one);

/**
 * Whether it could take part in the swarm, if only to serve what it has, and something that was not
 * a transfer had it first.
 */
export const lacksSwarm = ({ phase, copy, swarm, isClosed }: Standing): boolean =>
  copy !== undefined && swarm === undefined && !isClosed && SERVES.includes(phase);

/**
 * Whether the swarm is of no more use to it than to serve the part of a folder that it has, or of
 * none now.
 */
export const canYield = ({ phase, copy, swarm }: Standing): boolean =>
  swarm !== undefined && !copy?.pieces.held.isFull && RESTS.includes(phase);

/** What the trackers shall hear of it, in bytes; undefined when it takes no part in a swarm. */
export const announcedBytes = ({ phase, swarm }: Standing): number | undefined =>
  phase === 'seeding' || phase === 'downloading' ? swarm?.leftBytes : undefined;
