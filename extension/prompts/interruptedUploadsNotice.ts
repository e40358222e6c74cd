// What VS Code gives nobody a chance to say when its last window closes: that somebody was still
// downloading from here. The next window says it, once.
import * as vscode from 'vscode';
import { asShoalError } from '../../protocol/base/errors.ts';
import type { Log } from '../../protocol/base/world.ts';
import type { Memory } from '../common/savedState.ts';
import type { Store } from '../engineClient/store.ts';
import { t } from '../common/l10n.ts';
import { cutOffWords } from '../messages/uploadsText.ts';

/** What in Memory stands for "don't show again". */
const SAID = 'cut off';

export function tellCutOff(store: Store, memory: Memory, log: Log): vscode.Disposable {
  const stop = store.onChange(({ overview }, before) => {
    if (overview?.account === undefined || before.overview?.account !== undefined) return;
    tell(store, memory).catch((error: unknown) =>
      log.warn('who was cut off cannot be told', { why: asShoalError(error).code }),
    );
  });
  return { dispose: stop };
}

async function tell(store: Store, memory: Memory): Promise<void> {
  // Taken in any case: what is not said now is old news later.
  const { downloaders } = await store.call('takeCutOff', {});
  const words = cutOffWords(downloaders);
  if (words === undefined || store.state.overview?.keepSharing === true || memory.isSaid(SAID)) return;
  const keep = t('Keep Sharing When Closed');
  const never = t("Don't Show Again");
  const answer = await vscode.window.showInformationMessage(t('{0} It can go on now.', words), keep, never);
  if (answer === keep) {
    await vscode.workspace.getConfiguration('shoal').update('keepSharing', true, vscode.ConfigurationTarget.Global);
  }
  if (answer === never) await memory.saidBefore(SAID, 'everywhere');
}
