// What is told of a swarm, in the words of the window: why it is not faster, and what is missing
// everywhere. Pure.
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { rangesText } from '../../protocol/messages/swarmView.ts';
import type { SlowReason } from '../../protocol/frontend/slowReasons.ts';
import { lastHadText, slowReasonText } from '../../protocol/frontend/slowReasonText.ts';
import { plural, t } from '../common/l10n.ts';
import { errorPhrase } from './errorMessages.ts';

/** Reasons as sentences, with errors in the window's own words. */
export const slowReasonTexts = (
  reasons: readonly SlowReason[],
  transfer: Pick<Transfer, 'error'>,
  nowMs: number,
): readonly string[] => reasons.map((reason) => slowReasonText(reason, transfer, nowMs, errorPhrase));

/**
 * What is missing of a download that stands still, for a row: `pieces 17-20 of 40 are missing
 * everywhere; alice had them 2 h ago`.
 */
export function unavailableText(
  { nowhere, pieces }: Pick<Transfer, 'nowhere' | 'pieces'>,
  nowMs: number,
): string | undefined {
  if (!nowhere) return undefined;
  const what =
    nowhere.pieces === pieces
      ? t('nobody online has it')
      : plural(
          nowhere.pieces,
          'piece {1} of {2} is missing everywhere',
          'pieces {1} of {2} are missing everywhere',
          rangesText(nowhere),
          pieces,
        );
  return [what, lastHadText(nowhere, nowMs)].filter((part) => part !== '').join('; ');
}
