// What the swarm inspector shows, in words: a function of the transfer, the engine's overview and
// the view of the swarm. Pure; the page only draws it.
import { formatAge, formatBytes, formatPercent, formatRate } from '../../protocol/frontend/format.ts';
import type { Overview, Transfer } from '../../protocol/messages/engineLink.ts';
import type { SwarmPeerView, SwarmView } from '../../protocol/messages/swarmView.ts';
import { slowReasons } from '../../protocol/frontend/slowReasons.ts';
import { isComplete } from '../../protocol/frontend/transferState.ts';
import { slowReasonTexts } from '../messages/swarmText.ts';
import { progressText } from '../messages/transferText.ts';
import type { Action, CellColumns, Shown, ShownMap, ShownPeer, PageText } from '../webview/messages.ts';
import { plural, printableName, t } from '../common/l10n.ts';
import type { RateHistory } from './rateHistory.ts';

/** Hex digits of a device's pin that tell two devices of one person apart. */
const PIN_CHARS = 6;

export interface ViewModelInput {
  readonly transfer: Transfer;
  readonly overview: Overview;
  /** Undefined until the engine has told of it. */
  readonly swarm: SwarmView | undefined;
  readonly history: Pick<RateHistory, 'peakDown' | 'peakUp'>;
  readonly nowMs: number;
}

export function viewModelOf({ transfer, overview, swarm, history, nowMs }: ViewModelInput): Shown {
  const { name, groupName, sizeBytes, doneBytes, downBytesPerS, upBytesPerS } = transfer;
  return {
    title: printableName(name),
    about: [t('Group {0}', printableName(groupName)), formatBytes(sizeBytes), ...piecesText(swarm)].join(' · '),
    progress: progressText({ ...transfer, nowhere: undefined }, nowMs), // the reasons below say it
    share: sizeBytes === 0 ? 1 : Math.min(1, doneBytes / sizeBytes),
    reasons: slowReasonTexts(slowReasons(transfer, overview, swarm), transfer, nowMs),
    actions: actionsOf(transfer),
    map: swarm && mapOf(swarm),
    peers: swarm?.peers.map((peer) => peerOf(peer, swarm, nowMs)) ?? [],
    rates: [
      t('Down {0}, at most {1}', formatRate(downBytesPerS), formatRate(Math.max(downBytesPerS, history.peakDown))),
      t('Up {0}, at most {1}', formatRate(upBytesPerS), formatRate(Math.max(upBytesPerS, history.peakUp))),
    ],
  };
}

/** What the page says by itself. */
export function pageText(language: string): PageText {
  return {
    language,
    pieces: t('Pieces'),
    peers: t('Peers'),
    speed: t('Speed in the last minutes'),
    noPeers: t('There are no peers now.'),
    noPieces: t('Its pieces are not known yet.'),
    kinds: {
      held: t('held'),
      requested: t('asked for'),
      verifying: t('being verified'),
      missing: t('missing'),
      nowhere: t('missing, and with nobody'),
      unwanted: t('not wanted'),
    },
    columns: {
      name: t('Name'),
      has: t('Has'),
      down: t('Down'),
      up: t('Up'),
      gave: t('Gave'),
      took: t('Took'),
      state: t('State'),
    },
    // The page puts the values in.
    onePiece: t('Piece {0}: {1}; {2}', '{0}', '{1}', '{2}'),
    somePieces: t('Pieces {0} to {1}: {2}; {3}', '{0}', '{1}', '{2}', '{3}'),
    nobodyHas: t('no peer has it'),
    oneHas: t('{0} peer has it', 1),
    someHave: t('{0} peers have it', '{0}'),
    fewestHave: t('peers that have the rarest of them: {0}', '{0}'),
    mapHelp: t('Arrow keys walk over the pieces'),
    down: t('Down'),
    up: t('Up'),
  };
}

function piecesText(swarm: SwarmView | undefined): readonly string[] {
  return swarm && swarm.pieces > 0
    ? [plural(swarm.pieces, '{0} piece of {1}', '{0} pieces of {1}', formatBytes(swarm.pieceBytes))]
    : [];
}

function actionsOf(transfer: Transfer): Shown['actions'] {
  const { kind, state } = transfer;
  const isUnfinished = kind === 'download' && !isComplete(transfer);
  const button = (action: Action, label: string, isThere: boolean): Shown['actions'] =>
    isThere ? [{ action, label }] : [];
  return [
    ...button(
      'pauseDownload',
      t('Pause'),
      isUnfinished && ['downloading', 'waiting', 'checking', 'queued'].includes(state),
    ),
    ...button('resumeDownload', t('Resume'), isUnfinished && (state === 'paused' || state === 'failed')),
    ...button('limitSpeed', t('Limit Speed…'), state !== 'gone' && state !== 'failed'),
    ...button('verifyFile', t('Verify'), state === 'seeding'),
  ];
}

function mapOf({
  pieces,
  cellPieces,
  cells,
  heldPieces,
  requestedPieces,
  verifyingPieces,
  missingPieces,
  unwantedPieces,
  nowhere,
}: SwarmView): ShownMap | undefined {
  if (pieces === 0) return undefined;
  const columns: CellColumns = {
    held: copy(cells.held),
    requested: copy(cells.requested),
    verifying: copy(cells.verifying),
    unwanted: copy(cells.unwanted),
    nowhere: copy(cells.nowhere),
    peers: copy(cells.peers),
  };
  const nowherePieces = nowhere?.pieces ?? 0;
  return {
    pieces,
    cellPieces,
    cells: columns,
    counts: {
      held: heldPieces,
      requested: requestedPieces,
      verifying: verifyingPieces,
      missing: missingPieces - nowherePieces,
      nowhere: nowherePieces,
      unwanted: unwantedPieces,
    },
  };
}

/** Bytes of the wire lie in a larger memory, all of which would travel to the page. */
const copy = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);

function peerOf(peer: SwarmPeerView, { pieces }: SwarmView, nowMs: number): ShownPeer {
  const { pin, user, state, place, downBytesPerS, upBytesPerS, gaveBytes, tookBytes, why } = peer;
  const name = printableName(user);
  const moving = (bytesPerS: number): string => (bytesPerS > 0 ? formatRate(bytesPerS) : '');
  const total = (bytes: number): string => (bytes > 0 ? formatBytes(bytes) : '');
  const stateText = peerStateText(peer, nowMs);
  const has =
    state === 'wrong' ? '' : peer.pieces === pieces ? t('all') : t('{0} %', formatPercent(peer.pieces, pieces));
  return {
    pin,
    about: [
      t('{0} on device {1}', name, pin.slice(0, PIN_CHARS)),
      ...networkText(place),
      ...(why === '' ? [] : [printableName(why)]),
    ].join(' · '),
    cells: {
      name,
      has,
      down: moving(downBytesPerS),
      up: moving(upBytesPerS),
      gave: total(gaveBytes),
      took: total(tookBytes),
      state: stateText,
    },
    values: {
      name,
      has: peer.pieces,
      down: downBytesPerS,
      up: upBytesPerS,
      gave: gaveBytes,
      took: tookBytes,
      state: stateText,
    },
    tone:
      state === 'wrong' ? 'bad' : ['giving', 'asked', 'taking', 'idle', 'resting'].includes(state) ? 'active' : 'quiet',
  };
}

function networkText(place: SwarmPeerView['place']): readonly string[] {
  switch (place) {
    case 'machine':
      return [t('on this machine')];
    case 'private':
      return [t('in a private network')];
    case 'public':
      return [t('over the internet')];
    default:
      return [];
  }
}

function peerStateText({ state, askedPieces, leftAtMs, pieces }: SwarmPeerView, nowMs: number): string {
  switch (state) {
    case 'giving':
      return plural(askedPieces, 'sends {0} piece', 'sends {0} pieces');
    case 'asked':
      return plural(askedPieces, 'asked for {0} piece', 'asked for {0} pieces');
    case 'resting':
      return t('was busy');
    case 'taking':
      return t('takes from you');
    case 'idle':
      return pieces === 0 ? t('has nothing yet') : t('connected');
    case 'joining':
      return t('connecting');
    case 'unreachable':
      return t('cannot be reached');
    case 'wrong':
      return t('left alone: it sent what was wrong');
    case 'left':
      return t('left {0} ago', formatAge((nowMs - leftAtMs) / 1000));
    case 'other':
      return '';
  }
}
