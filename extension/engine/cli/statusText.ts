// What the engine is doing, in the words of the command line: trackers, account, groups, rates and
// transfers. Pure.
import { printable } from '../../../protocol/base/errors.ts';
import { addressText } from '../../../protocol/base/address.ts';
import { formatCount, formatRate } from '../../../protocol/frontend/format.ts';
import type { Downloader, Overview, TrackerState, Transfer } from '../../../protocol/messages/engineLink.ts';
import { fromWire } from '../../../protocol/wire/wireErrors.ts';
import { transferTable } from './transferTable.ts';

/** What `status` shows. */
export function statusLines(home: string, overview: Overview, transfers: readonly Transfer[]): readonly string[] {
  const {
    program,
    processId,
    trackerUrl,
    trackers,
    account,
    listening,
    groups,
    downBytesPerS,
    upBytesPerS,
    downLimitBytesPerS,
    upLimitBytesPerS,
    outbox,
    keepSharing,
    activeDownloads,
    served,
  } = overview;
  const limit = (bytesPerS: number): string => (bytesPerS > 0 ? ` (limit ${formatRate(bytesPerS)})` : '');
  const rows = (title: string, values: readonly string[]): readonly string[] =>
    values.map((value, i) => `${(i === 0 ? title : '').padEnd(11)}${value}`);
  return [
    ...rows('home', [home]),
    ...rows('engine', [`${printable(program)}, process ${processId}`]),
    ...rows('realm', [trackerUrl === '' ? 'none; name a tracker with --tracker' : printable(trackerUrl)]),
    ...rows('trackers', trackers.map(trackerText)),
    ...rows('account', [account ? printable(account.user) : 'not signed in; use login']),
    ...rows('listening', listening.length > 0 ? listening.map((address) => printable(addressText(address))) : ['no']),
    ...rows(
      'groups',
      groups.length === 0
        ? ['none']
        : groups.map(({ name, role, owner, members, requests }) => {
            const waiting = requests.length > 0 ? `, ${formatCount(requests.length, 'request')} waiting` : '';
            return (
              `${printable(name)}  ${role === 'applicant' ? 'asked to join' : role}, ` +
              `${formatCount(members, 'member')}${role === 'owner' ? waiting : `, owner ${printable(owner)}`}`
            );
          }),
    ),
    ...rows('rates', [
      `down ${formatRate(downBytesPerS)}${limit(downLimitBytesPerS)}, up ${formatRate(upBytesPerS)}${limit(upLimitBytesPerS)}`,
    ]),
    ...rows('uploads', served.map(uploadText)),
    ...(activeDownloads > 0 ? rows('at once', [formatCount(activeDownloads, 'download')]) : []),
    ...(keepSharing ? rows('stays', ['yes, to serve others when no window is open (--keep-sharing)']) : []),
    ...(outbox > 0 ? rows('outbox', [`${formatCount(outbox, 'change')} that only one tracker has yet`]) : []),
    ...(transfers.length > 0 ? ['', ...transferTable(transfers), ...problemLines(transfers)] : []),
  ];
}

/** A tracker and how this engine stands to it. */
export function trackerText({ address, link, inUse, error, pair }: TrackerState): string {
  const state = {
    connecting: 'connecting',
    up: inUse ? 'up, in use' : 'up',
    down: 'down',
    refused: 'refused',
    other: '?',
  }[link];
  const whole = {
    whole: ', has the other one',
    apart: ', does not reach the other one',
    alone: '',
    unknown: '',
    other: '',
  }[pair];
  return `${printable(addressText(address))}  ${state}${error ? `: ${fromWire(error).message}` : whole}`;
}

const uploadText = ({ user, group, name, bytesPerS }: Downloader): string =>
  `${printable(name)} in ${printable(group)} to ${printable(user)}${bytesPerS > 0 ? `, ${formatRate(bytesPerS)}` : ''}`;

const problemLines = (transfers: readonly Transfer[]): readonly string[] =>
  transfers.flatMap(({ id, error }) => (error ? [`${id}: ${fromWire(error).message}`] : []));
