// What of the state shows outside the trees' rows: `when` keys, the status bar item, the badge, the
// views' messages and their progress.
import * as vscode from 'vscode';
import { nodeClock } from '../../protocol/node/nodeWorld.ts';
import { Throttler } from '../../protocol/async/throttler.ts';
import type { WindowState } from '../state/state.ts';
import { phaseOf, waitingRequests } from '../state/state.ts';
import { contextKeysOf } from './contextKeys.ts';
import type { Store } from '../engineClient/store.ts';
import type { TreeProvider } from '../views/treeProvider.ts';
import { tooltipOf } from '../views/treeProvider.ts';
import { statusOf } from './statusBar.ts';
import { plural, t } from '../common/l10n.ts';

/**
 * Least time between two changes of the status bar, in ms: speeds that tick faster are only
 * restless.
 */
const STATUS_MS = 1000;
/** How often a row that says how long ago something was says it anew, in ms. */
const AGE_MS = 30_000;

export function showStatusIndicators(
  store: Store,
  views: { readonly groups: TreeProvider; readonly files: TreeProvider; readonly downloads: TreeProvider },
): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('shoal.status', vscode.StatusBarAlignment.Right, 90);
  item.name = 'Shoal';
  item.command = 'shoal.showDownloads';
  const keys = new Map<string, unknown>();
  const status = new Throttler(nodeClock, { restMs: STATUS_MS }, () => showStatus(item, store.state));
  const show = (state: WindowState, before?: WindowState): void => {
    for (const [key, value] of Object.entries(contextKeysOf(state))) {
      if (keys.get(key) === value) continue;
      keys.set(key, value);
      void vscode.commands.executeCommand('setContext', key, value);
    }
    const isOther = before === undefined || phaseOf(state) !== phaseOf(before);
    if (isOther) {
      showStatus(item, state);
    } // what the situation is, at once; how fast it goes, once a second
    else status.request();
    const waiting = waitingRequests(state).length;
    const badge =
      waiting === 0
        ? undefined
        : {
            value: waiting,
            tooltip: plural(waiting, '{0} request to join waits for you', '{0} requests to join wait for you'),
          };
    if (views.groups.view.badge?.value !== badge?.value) views.groups.view.badge = badge;
    const message =
      phaseOf(state) === 'offline' && state.groups.length > 0
        ? t('No tracker can be reached. This is what was known last; running downloads go on.')
        : undefined;
    if (views.groups.view.message !== message) views.groups.view.message = message;
    for (const view of Object.values(views)) view.refresh();
    if (isOther) startProgress(store, state);
  };
  const stop = store.onChange(show);
  show(store.state);
  const aging = setInterval(() => {
    if ([...store.state.transfers.values()].some(({ nowhere }) => nowhere?.lastHad)) views.downloads.refresh();
  }, AGE_MS);
  return vscode.Disposable.from(
    item,
    { dispose: () => status.cancel() },
    { dispose: stop },
    { dispose: () => clearInterval(aging) },
  );
}

function showStatus(item: vscode.StatusBarItem, state: WindowState): void {
  const status = statusOf(state);
  if (!status) return item.hide();
  item.text = status.text;
  item.tooltip = tooltipOf(status.tooltip);
  item.accessibilityInformation = { label: status.spoken };
  item.backgroundColor = status.isWarning ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
  item.show();
}

/**
 * While the engine is coming up and trackers are dialled, the views show that something is under
 * way, and no text that may be wrong.
 */
function startProgress(store: Store, state: WindowState): void {
  if (phaseOf(state) !== 'starting' || state.engine === 'unknown') return;
  const whenStarted = store.until((now) => (phaseOf(now) === 'starting' ? undefined : true)).catch(() => undefined);
  for (const viewId of ['shoal.groups', 'shoal.files']) {
    void vscode.window.withProgress({ location: { viewId } }, () => whenStarted);
  }
}
