// A swarm in the words of the command line: a map of its pieces and its peers. Pure.
import { formatAge, formatBytes, formatRate } from '../../../protocol/frontend/format.ts';
import type { SwarmPeerView, SwarmView } from '../../../protocol/messages/swarmView.ts';
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

export const MAP_LEGEND =
  `${MARKS.whole} held  ${MARKS.part} partly  ${MARKS.coming} coming  ${MARKS.missing} missing  ` +
  `${MARKS.nowhere} with nobody at hand`;

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
