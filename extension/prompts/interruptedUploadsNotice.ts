// What VS Code gives nobody a chance to say when its last window closes: that somebody was still
// downloading from here. The next window says it, once.
import * as vscode from 'vscode';
import { asShoalError } from '../../protocol/base/errors.ts';
import type { Log } from '../../protocol/base/world.ts';
import type { SavedState } from '../common/savedState.ts';
import type { Store } from '../engineClient/store.ts';
import { t } from '../common/l10n.ts';
import { updateSetting } from '../common/settings.ts';
import { interruptedUploadsText } from '../messages/uploadsText.ts';

/** What in Memory stands for "don't show again". */
const SHOWN = 'cut off';

export function showInterruptedUploads(store: Store, savedState: SavedState, log: Log): vscode.Disposable {
  const stop = store.onChange(({ overview }, before) => {
    if (overview?.account === undefined || before.overview?.account !== undefined) return;
    showNotice(store, savedState).catch((error: unknown) =>
      log.warn('cannot show interrupted uploads', { why: asShoalError(error).code }),
    );
  });
  return { dispose: stop };
}

async function showNotice(store: Store, savedState: SavedState): Promise<void> {
  // Taken in any case: what is not said now is old news later.
  const { downloaders } = await store.call('takeCutOff', {});
  const message = interruptedUploadsText(downloaders);
  if (message === undefined || store.state.overview?.keepSharing === true || savedState.wasShown(SHOWN)) return;
  const keep = t('Keep Sharing When Closed');
  const never = t("Don't Show Again");
  const answer = await vscode.window.showInformationMessage(t('{0} It can go on now.', message), keep, never);
  if (answer === keep) {
    await updateSetting('keepSharing', true);
  }
  if (answer === never) await savedState.markShown(SHOWN, 'everywhere');
}
