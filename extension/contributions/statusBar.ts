// The one item in the status bar. Pure.
import { formatRate } from '../../protocol/frontend/format.ts';
import type { TrackerState } from '../../protocol/messages/engineLink.ts';
import { addressText } from '../../protocol/base/address.ts';
import { isRunning } from '../../protocol/frontend/transferState.ts';
import type { WindowState } from '../state/state.ts';
import { phaseOf } from '../state/state.ts';
import { uploadsText } from '../messages/uploadsText.ts';
import { plural, printableName, withoutIcons, t } from '../common/l10n.ts';

export interface Status {
  readonly text: string;
  readonly tooltip: readonly string[];
  readonly spoken: string;
  /** Whether something needs the person. */
  readonly isWarning: boolean;
}

/** Undefined when there is nothing to say: nobody has used Shoal here. */
export function statusOf(state: WindowState): Status | undefined {
  const { overview, transfers, failure, isEngineHere } = state;
  const status = (icon: string, label: string, tooltip: readonly string[], isWarning = false): Status => ({
    text: label === '' ? `$(${icon}) Shoal` : `$(${icon}) Shoal: ${label}`,
    tooltip,
    spoken: label === '' ? 'Shoal' : `Shoal, ${label}`,
    isWarning,
  });
  switch (phaseOf(state)) {
    case 'noTracker':
      return undefined;
    case 'starting':
      return state.engine === 'unknown' ? undefined : status('sync~spin', '', [t('Shoal is starting')]);
    case 'signedOut':
      return status('arrow-swap', t('signed out'), [t('Shoal: nobody is signed in, nothing is shared')]);
    case 'stopped':
      return status('debug-pause', t('stopped'), [t("Shoal's engine was stopped; nothing is shared")]);
    case 'outdated':
      return status('warning', t('reload window'), [t('A newer Shoal is running; reload this window')], true);
    case 'failed':
      return status(
        'error',
        t('not running'),
        [t("Shoal's engine cannot be started"), ...(failure ? [printableName(failure.message)] : [])],
        true,
      );
    case 'offline':
    case 'ready':
  }
  const all = [...transfers.values()];
  const downloading = all.filter((one) => one.kind === 'download' && isRunning(one)).length;
  const hashing = all.filter(({ state: is }) => is === 'hashing').length;
  const { account, trackers = [], downBytesPerS = 0, upBytesPerS = 0, outbox = 0, served = [] } = overview ?? {};
  const tooltip = [
    t('Signed in as {0}', printableName(account?.user ?? '')),
    ...trackers.map(({ address, link, inUse }) =>
      t(
        'Tracker {0}: {1}',
        printableName(addressText(address)),
        link === 'up'
          ? inUse
            ? t('connected, in use')
            : t('connected')
          : link === 'connecting'
            ? t('connecting')
            : t('not reachable'),
      ),
    ),
    ...trackersText(trackers),
    t('Down {0}, up {1}', formatRate(downBytesPerS), formatRate(upBytesPerS)),
    ...[uploadsText(served, printableName) ?? []].flat(),
    ...(outbox > 0 ? [plural(outbox, '{0} change is on one tracker only', '{0} changes are on one tracker only')] : []),
    ...(isEngineHere ? [t('The engine works in this window and ends with it')] : []),
  ];
  const offline = phaseOf(state) === 'offline';
  const moving = [
    ...(downloading > 0 ? [`${downloading}↓${downBytesPerS > 0 ? ` ${formatRate(downBytesPerS)}` : ''}`] : []),
    ...(upBytesPerS > 0 ? [`↑ ${formatRate(upBytesPerS)}`] : []),
    ...(hashing > 0 ? [plural(hashing, 'hashing {0} file', 'hashing {0} files')] : []),
  ].join(' ');
  if (offline) {
    return status(
      'debug-disconnect',
      [t('offline'), moving].filter((text) => text !== '').join(' · '),
      [t('No tracker can be reached'), ...tooltip],
      moving === '',
    );
  }
  return { ...status('arrow-swap', moving === '' ? withoutIcons(account?.user ?? '') : moving, tooltip) };
}

/** Whether what one does is on both trackers, as the one in use says. */
function trackersText(trackers: readonly TrackerState[]): readonly string[] {
  const pair = trackers.find(({ inUse, link }) => inUse && link === 'up')?.pair;
  if (pair === 'whole') return [t('The two trackers are in touch')];
  return pair === 'apart'
    ? [t('The two trackers cannot reach each other; what you do now is on one of them only')]
    : [];
}
