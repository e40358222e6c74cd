// The sign that files are being shared: one for all of a wish, which says what is hashed and how
// far it is, and by which all of it is given up. Shown only when it takes a while. Shares nothing;
// commands/share.ts does.
import path from 'node:path';
import * as vscode from 'vscode';
import { formatPercent } from '../../protocol/frontend/format.ts';
import { isQuick } from '../common/progressDelay.ts';
import type { WindowState } from '../state/state.ts';
import type { Store } from '../engineClient/store.ts';
import { inMessage, plural, t } from '../common/l10n.ts';

export interface SharingProgress {
  /** The person gave it up: nothing more is to be shared. */
  readonly signal: AbortSignal;
  /** This one is being shared from now on. */
  readonly onStart: (file: string, transfer: number) => void;
}

/** @param files  which are shared, one after the other */
export async function withSharingProgress<T>(
  store: Store,
  files: readonly string[],
  run: (progress: SharingProgress) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  let [file, transfer, started] = ['', 0, 0];
  const running = run({
    signal: stop.signal,
    onStart: (name, id) => {
      started += name === file ? 0 : 1; // it may begin anew, as a new version
      [file, transfer] = [name, id];
    },
  });
  if (await isQuick(running)) return running;
  const [first = ''] = files;
  const title = plural(files.length, 'Sharing {1}', 'Sharing {0} files', inMessage(path.basename(first)));
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, cancellable: true, title },
    (progress, token) => {
      token.onCancellationRequested(() => stop.abort());
      let shownPercent = 0;
      const stopListening = store.onChange((state) => {
        const { text, done } = progressOf(state, transfer);
        const allPercent = (100 * (started - 1 + done)) / files.length;
        progress.report({
          message: files.length === 1 ? text : t('{0}: {1}', inMessage(path.basename(file)), text),
          increment: Math.max(0, allPercent - shownPercent),
        });
        shownPercent = Math.max(shownPercent, allPercent);
      });
      return running.finally(stopListening);
    },
  );
}

/** How far one is, from 0 to 1. */
function progressOf({ transfers }: WindowState, id: number): { readonly text: string; readonly done: number } {
  const transfer = transfers.get(id);
  const hashed = transfer ? formatPercent(transfer.doneBytes, transfer.sizeBytes) : 0;
  return {
    text: transfer?.state === 'hashing' ? t('hashing, {0} %', hashed) : t('telling the group'),
    done: hashed / 100,
  };
}
