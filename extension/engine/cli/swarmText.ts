// A swarm in the words of the command line: a map of its pieces, its peers, and why it is not
// faster. Pure.
import { formatAge, formatBytes, formatCount, formatRate } from '../../../protocol/frontend/format.ts';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import { printable } from '../../../protocol/base/errors.ts';
import type { UnavailablePieces, SwarmPeerView, SwarmView } from '../../../protocol/messages/swarmView.ts';
import { rangesText } from '../../../protocol/messages/swarmView.ts';
import type { SlowReason } from '../../../protocol/frontend/slowReasons.ts';
import { fromWire } from '../../../protocol/wire/wireErrors.ts';
import { table } from './table.ts';

/** Characters of the map by how it stands with a cell, the one that says most first. */
const MARKS = { whole: '█', part: '▒', coming: '▸', missing: '·', nowhere: '×', unwanted: ' ' } as const;

/** One character for so many pieces. */
export function pieceMap(
  { pieces, cellPieces, cells: { held, requested, verifying, unwanted, nowhere } }: SwarmView,
  columns: number,
): string {
  const count = held.length;
  const width = Math.max(1, Math.min(count, columns));
  const sum = (of: Uint8Array, from: number, to: number): number =>
    of.subarray(from, to).reduce((all, value) => all + value, 0);
  let map = '';
  for (let x = 0; x < width && count > 0; x++) {
    const from = Math.floor((x * count) / width);
    const to = Math.floor(((x + 1) * count) / width);
    const size = Math.min(pieces, to * cellPieces) - from * cellPieces - sum(unwanted, from, to);
    const here = sum(held, from, to);
    map +=
      size === 0
        ? MARKS.unwanted
        : here === size
          ? MARKS.whole
          : sum(requested, from, to) + sum(verifying, from, to) > 0
            ? MARKS.coming
            : sum(nowhere, from, to) > 0
              ? MARKS.nowhere
              : here > 0
                ? MARKS.part
                : MARKS.missing;
  }
  return map;
}

export const MAP_LEGEND = `${MARKS.whole} held  ${MARKS.part} partly  ${MARKS.coming} coming  ${MARKS.missing} missing  ${MARKS.nowhere} with nobody at hand`;

const STATES: Readonly<Record<SwarmPeerView['state'], string>> = {
  giving: 'sends to you',
  asked: 'you are in its line',
  resting: 'was too busy',
  taking: 'takes from you',
  idle: 'connected',
  joining: 'being dialled',
  unreachable: 'cannot be reached',
  wrong: 'left alone',
  left: 'left',
  other: '',
};

export function peerTable({ peers, pieces }: SwarmView, nowMs: number): readonly string[] {
  const moving = (bytesPerS: number): string => (bytesPerS > 0 ? formatRate(bytesPerS) : '');
  return table(peers, [
    { title: 'PEER', of: ({ user, pin }) => `${user} ${pin.slice(0, 6)}` },
    {
      title: 'HAS',
      align: 'right',
      of: (peer) => (peer.state === 'wrong' ? '' : peer.pieces === pieces ? 'all' : `${peer.pieces}/${pieces}`),
    },
    { title: 'DOWN', align: 'right', of: ({ downBytesPerS }) => moving(downBytesPerS) },
    { title: 'UP', align: 'right', of: ({ upBytesPerS }) => moving(upBytesPerS) },
    { title: 'GAVE', align: 'right', of: ({ gaveBytes }) => (gaveBytes > 0 ? formatBytes(gaveBytes) : '') },
    {
      title: 'STATE',
      of: ({ state, why, leftAtMs }) =>
        [
          STATES[state],
          ...(leftAtMs > 0 ? [`${durationSince(leftAtMs, nowMs)} ago`] : []),
          ...(why === '' ? [] : [`(${why})`]),
        ].join(' '),
    },
  ]);
}

const durationSince = (atMs: number, nowMs: number): string => formatAge((nowMs - atMs) / 1000);

/** A reason as a sentence. */
export function slowReasonText(reason: SlowReason, { error }: Transfer, nowMs: number): string {
  switch (reason.is) {
    case 'paused':
      return 'It is paused.';
    case 'checking':
      return 'What is on the disk is being checked.';
    case 'hashing':
      return 'It is being hashed.';
    case 'choosing':
      return 'It waits for its files to be chosen.';
    case 'trouble':
      return error ? `${capitalized(fromWire(error).message)}.` : 'It has failed.';
    case 'turn':
      return `It waits for its turn; it is number ${reason.place} of all downloads.`;
    case 'nowhere':
      return `${capitalized(piecesText(reason.nowhere))} of ${reason.pieces} ${reason.nowhere.pieces === 1 ? 'is' : 'are'} with none of the ${formatCount(reason.peers, 'peer')} at hand${lastHadText(reason.nowhere, nowMs)}.`;
    case 'nobody':
      return `Nobody who is online has ${reason.nowhere && reason.nowhere.pieces < reason.pieces ? `${piecesText(reason.nowhere)} of ${reason.pieces}` : 'it'}${reason.nowhere ? lastHadText(reason.nowhere, nowMs) : ''}.`;
    case 'unreachable':
      return `${nameList(reason.users)} cannot be reached from here, nor from there.`;
    case 'connecting':
      return `${capitalized(formatCount(reason.peers, 'peer'))} ${reason.peers === 1 ? 'is' : 'are'} being dialled.`;
    case 'hashes':
      return 'The hashes of its pieces are on their way.';
    case 'downLimit':
      return `Your limit ${reason.whose === 'own' ? 'for this download' : 'for all downloads'} holds: ${formatRate(reason.bytesPerS)}.`;
    case 'upLimit':
      return `Your limit ${reason.whose === 'own' ? 'for this file' : 'for all uploads'} holds: ${formatRate(reason.bytesPerS)}.`;
    case 'disk':
      return 'Pieces come faster than the disk takes them.';
    case 'busy':
      return `${reason.peers === 1 ? 'The one peer' : `All ${reason.peers} peers`} that could send something ${reason.peers === 1 ? 'is' : 'are'} busy with others.`;
    case 'senders':
      return reason.users.length === 1
        ? `Only ${nameList(reason.users)} sends, at ${formatRate(reason.bytesPerS)}.`
        : `It comes as fast as ${nameList(reason.users)} send it: ${formatRate(reason.bytesPerS)}.`;
    case 'trackersAway':
      return reason.peers > 0
        ? `No tracker can be reached; ${formatCount(reason.peers, 'peer')} stay${reason.peers === 1 ? 's' : ''} connected.`
        : 'No tracker can be reached, so nobody is found.';
    case 'wrong':
      return `${nameList(reason.users)} sent what was wrong and ${reason.users.length === 1 ? 'is' : 'are'} left alone.`;
    case 'nobodyTakes':
      return 'Nobody is taking it now.';
    case 'takers':
      return `${nameList(reason.users)} ${reason.users.length === 1 ? 'takes' : 'take'} it as fast as it goes: ${formatRate(reason.bytesPerS)}.`;
  }
}

const piecesText = (nowhere: UnavailablePieces): string =>
  `${nowhere.pieces === 1 ? 'piece' : 'pieces'} ${rangesText(nowhere)}`;

function lastHadText({ pieces, lastHad }: UnavailablePieces, nowMs: number): string {
  if (!lastHad) return '';
  return `; ${printable(lastHad.user)} had ${lastHad.pieces >= pieces ? (pieces === 1 ? 'it' : 'them') : `${lastHad.pieces} of them`} ${durationSince(lastHad.atMs, nowMs)} ago`;
}

const nameList = (users: readonly string[]): string => {
  const shown = users.slice(0, 3).map(printable);
  const more = users.length - shown.length;
  return more > 0
    ? `${shown.join(', ')} and ${formatCount(more, 'other')}`
    : [shown.slice(0, -1).join(', '), ...shown.slice(-1)].filter((part) => part !== '').join(' and ');
};
const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
