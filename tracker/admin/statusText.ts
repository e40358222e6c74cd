// How a tracker is, in words. Pure.
import { formatBytes, formatCount, formatDuration } from '../../protocol/frontend/format.ts';
import { CLOCKS_APART_MS_ALARM, CLOCKS_APART_MS_WARN } from '../../protocol/base/limits.ts';
import type { Status } from './operatorClient.ts';

const STATES: Readonly<Record<Status['partner'], string>> = {
  none: 'alone: there is no partner',
  joining: 'joining: its log was lost; it serves nobody before its partner has given everything back',
  catchUp: 'catching up with its partner',
  paired: 'paired: each has what the other has',
  solo: 'solo: its partner is not there',
  skew: 'skew: the clocks of the two are too far apart to pair; set them right',
  retired: 'retired: it is no longer in the list of its realm',
  draining: 'stopping',
  other: '?',
};
const DURABILITY: Readonly<Record<Status['durability'], string>> = {
  both: 'on every disk there is',
  one: 'on this disk alone, until its partner is back',
  none: 'not taken in',
  other: '?',
};

/** Lines of `shoal-tracker status`. */
export function statusLines(status: Status, url: string): readonly string[] {
  const {
    number,
    version,
    processId,
    upMs,
    partner,
    durability,
    partnerLagOperations,
    unsettledOperations,
    frontierMs,
    conflicts,
    operations,
    listVersion,
  } = status;
  const apartMs = Math.max(status.clockAheadMs, status.clockBehindMs);
  const clock =
    apartMs === 0
      ? "as its partner's, as far as is known"
      : `its partner's is ${seconds(apartMs)} ${status.clockAheadMs > 0 ? 'ahead' : 'behind'}`;
  const isFar =
    apartMs > CLOCKS_APART_MS_ALARM
      ? ' (far too much; set them right)'
      : apartMs > CLOCKS_APART_MS_WARN
        ? ' (too much)'
        : '';
  const isAhead =
    status.logAheadMs > CLOCKS_APART_MS_WARN
      ? `; its log is ${seconds(status.logAheadMs)} ahead of its clock: some clock was wrong`
      : '';
  const settled =
    unsettledOperations === 0 ? 'all operations' : `all but ${formatCount(unsettledOperations, 'operation')}`;
  const rows: readonly (readonly [string, string])[] = [
    ['tracker', `${number} of ${url}`],
    [
      'program',
      `shoal-tracker ${version}, process ${processId}, for ${formatDuration(upMs / 1000)}, ${formatBytes(status.memoryBytes)} of memory`,
    ],
    ['state', STATES[partner]],
    ['answers', `an operation is ${DURABILITY[durability]}`],
    ['lag', `${formatCount(partnerLagOperations, 'operation')} that its partner has not confirmed`],
    ['final', `${settled}${frontierMs > 0 ? `, up to ${new Date(frontierMs).toISOString()}` : ''}`],
    ['clock', `${clock}${isFar}${isAhead}`],
    [
      'log',
      `${formatCount(operations, 'operation')}, of origin ${status.origin}; list of trackers version ${listVersion}`,
    ],
    ['accounts', String(status.accounts)],
    ['groups', String(status.groups)],
    ['files', String(status.files)],
    ['presences', String(status.presences)],
    ['links', String(status.links)],
    ['conflicts', conflicts === 0 ? 'none' : `${conflicts}; shoal-tracker conflicts lists them`],
    ['state hash', Buffer.from(status.stateHash).toString('hex')],
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)}${value}`);
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
