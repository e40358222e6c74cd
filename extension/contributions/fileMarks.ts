// Which files of this machine carry a mark in the explorer: shared, coming, or changed and served
// no more. Pure; decorationProvider.ts shows them.
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { isComplete } from '../../protocol/frontend/transferState.ts';
import type { WindowState } from '../state/state.ts';
import { printableName, t } from '../common/l10n.ts';

/** At most two characters (vscode#125658); no colour: that is git's. */
export interface FileMark {
  readonly badge: '↑' | '↓' | '!';
  readonly tooltip: string;
}

/**
 * The marks by path, of everything this machine shares or downloads. Of several, what needs the
 * person comes first. Pure.
 */
export function fileMarksOf({ transfers }: Pick<WindowState, 'transfers'>): ReadonlyMap<string, FileMark> {
  const marks = new Map<string, FileMark>();
  for (const transfer of transfers.values()) {
    const mark = cachedMarkOf(transfer);
    const other = marks.get(transfer.path);
    if (mark && transfer.path !== '' && (!other || RANK[mark.badge] < RANK[other.badge])) {
      marks.set(transfer.path, mark);
    }
  }
  return marks;
}

const markCache = new WeakMap<Transfer, { readonly mark: FileMark | undefined }>();

/** Made once for each: of thousands of shares one moves. */
function cachedMarkOf(transfer: Transfer): FileMark | undefined {
  const cached = markCache.get(transfer) ?? { mark: fileMarkOf(transfer) };
  markCache.set(transfer, cached);
  return cached.mark;
}

const RANK = { '!': 0, '↓': 1, '↑': 2 } as const;

function fileMarkOf(transfer: Transfer): FileMark | undefined {
  const { state, kind, groupName } = transfer;
  const group = printableName(groupName);
  if (state === 'gone') {
    return {
      badge: '!',
      tooltip:
        kind === 'share'
          ? t('Changed: not shared in {0} any more', group)
          : t('Changed since it was downloaded from {0}', group),
    };
  }
  if (kind === 'share') {
    return state === 'seeding'
      ? { badge: '↑', tooltip: t('Shared in {0}', group) }
      : state === 'hashing'
        ? { badge: '↑', tooltip: t('Being shared in {0}', group) }
        : undefined;
  }
  if (isComplete(transfer)) {
    return state === 'seeding'
      ? { badge: '↑', tooltip: t('Downloaded from {0} and shared with its members', group) }
      : undefined;
  }
  return state === 'failed' ? undefined : { badge: '↓', tooltip: t('Coming from {0}', group) };
}
