// How a transfer stands, in one line of a row or a notice. Pure.
import { formatBytes, formatDuration, formatPercent, formatRate } from '../../protocol/frontend/format.ts';
import { isComplete } from '../../protocol/frontend/transferState.ts';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { fromWire } from '../../protocol/wire/wireErrors.ts';
import { plural, t } from '../common/l10n.ts';
import { errorPhrase } from './errorMessages.ts';
import { unavailableText } from './swarmText.ts';

/** `63 % · 8.1 MiB/s · 5 peers · 12 s left`, or whatever says best how it stands. */
export const progressText = (transfer: Transfer, nowMs = Date.now()): string =>
  progressTextWith(transfer, unavailableText(transfer, nowMs));

/** @param unavailable  what of it nobody at hand has, in words */
export function progressTextWith(transfer: Transfer, unavailable: string | undefined): string {
  const { state, kind, doneBytes, sizeBytes, downBytesPerS, upBytesPerS, peers, error } = transfer;
  // verified and under its name, or not yet done
  const done = t('{0} %', isComplete(transfer) ? 100 : Math.min(99, formatPercent(doneBytes, sizeBytes)));
  const missing = error ? undefined : unavailable;
  const up = upBytesPerS > 0 ? `↑ ${formatRate(upBytesPerS)}` : '';
  const join = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' · ');
  switch (state) {
    case 'hashing':
      return join(t('hashing'), done);
    case 'checking':
      return join(t('checking'), done);
    case 'waiting':
      return join(done, t('waiting: {0}', missing ?? t('nobody online has it')));
    case 'downloading':
      return missing !== undefined
        ? join(done, plural(peers, '{0} peer', '{0} peers'), missing, up)
        : join(
            done,
            ...(error ? [errorPhrase(fromWire(error))] : []),
            downBytesPerS > 0 ? formatRate(downBytesPerS) : '',
            plural(peers, '{0} peer', '{0} peers'),
            downBytesPerS > 0 ? t('{0} left', formatDuration((sizeBytes - doneBytes) / downBytesPerS)) : '',
            up,
          );
    case 'seeding':
      return join(formatBytes(sizeBytes), up, peers > 0 && up !== '' ? plural(peers, '{0} peer', '{0} peers') : '');
    case 'queued':
      return join(done, t('waiting for its turn'));
    case 'choosing':
      return t('choose its files');
    case 'paused':
      return join(isComplete(transfer) ? formatBytes(sizeBytes) : done, t('paused'));
    case 'failed':
      return join(t('failed'), error ? errorPhrase(fromWire(error)) : '');
    case 'gone':
      return kind === 'share' ? t('changed or gone: not shared any more') : t('changed or gone');
    case 'other':
      return done;
  }
}
