// The question before something leaves the disk that was perhaps never meant to: keys, passwords,
// what git ignores. Says of each why it is asked about. Decides nothing else; commands/share.ts
// shares.
import path from 'node:path';
import * as vscode from 'vscode';
import { createNodeDisk } from '../../protocol/node/nodeDisk.ts';
import { findSecrets } from '../../protocol/frontend/secretDetection.ts';
import { sharingQuestion, reasonsText } from '../messages/sharingWarnings.ts';
import type { SharingWarning } from '../messages/sharingWarnings.ts';
import { isQuick } from '../common/progressDelay.ts';
import { setting, updateSetting } from '../common/settings.ts';
import { inMessage, t } from '../common/l10n.ts';

/** What of the git extension is used (extensions/git/src/api/git.d.ts in VS Code). */
interface Git {
  getRepository(uri: vscode.Uri): { checkIgnore(paths: string[]): Promise<Set<string>> } | null;
}

/**
 * Whether these may be shared in a group: at once when nothing speaks against it, else as the
 * person says.
 */
export async function confirmSharing(uris: readonly vscode.Uri[], group: string): Promise<boolean> {
  const policy = setting('askBeforeSharing');
  if (policy === 'never') return true;
  const warnings = await withQuietProgress(t('Looking for secrets'), async (signal) => {
    const secrets = await Promise.all(
      uris.map(async ({ fsPath }) => {
        const { found, isWhole } = await findSecrets(createNodeDisk(), fsPath, signal);
        if (!isWhole && found.length === 0 && !signal.aborted) {
          void vscode.window.showInformationMessage(
            t('{0} has too many files for all of them to be looked at for secrets.', inMessage(path.basename(fsPath))),
          );
        }
        return found.map((secret): SharingWarning => ({ name: nameIn(fsPath, secret.path), why: secret.kind }));
      }),
    );
    return [...secrets.flat(), ...(policy === 'secrets' ? [] : await ignored(uris))];
  });
  if (warnings === undefined) return false; // given up meanwhile
  if (warnings.length === 0) return true;
  const share = t('Share Anyway');
  const shareAndStopAsking = t('Share, and Do Not Ask About Ignored Files');
  const onlyIgnored = warnings.every(({ why }) => why === 'ignored');
  const answer = await vscode.window.showWarningMessage(
    sharingQuestion(warnings, group),
    { modal: true, detail: reasonsText(warnings) },
    share,
    ...(onlyIgnored ? [shareAndStopAsking] : []),
  );
  if (answer === shareAndStopAsking) await updateSetting('askBeforeSharing', 'secrets');
  return answer !== undefined;
}

const nameIn = (place: string, within: string): string =>
  path.basename(place) === within ? within : `${path.basename(place)}/${within}`;

/**
 * Those that git ignores, as VS Code's git extension knows it; none without it, or in no
 * repository.
 */
async function ignored(uris: readonly vscode.Uri[]): Promise<readonly SharingWarning[]> {
  const git = vscode.extensions.getExtension<{ getAPI(version: 1): Git }>('vscode.git');
  if (!git?.isActive) return [];
  try {
    const api = git.exports.getAPI(1);
    const found = await Promise.all(
      uris.map(async (uri) =>
        [...((await api.getRepository(uri)?.checkIgnore([uri.fsPath])) ?? [])].map((name): SharingWarning => ({
          name: path.basename(name),
          why: 'ignored',
        })),
      ),
    );
    return found.flat();
  } catch {
    return []; // switched off (git.enabled), or at odds with itself: no reason to keep anybody from sharing
  }
}

/**
 * Does something that is shown, and can be given up, only when it takes long. Undefined when it was
 * given up.
 */
async function withQuietProgress<T>(title: string, run: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const stop = new AbortController();
  const done = run(stop.signal);
  if (await isQuick(done)) return done;
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, cancellable: true, title },
    async (_, token) => {
      token.onCancellationRequested(() => stop.abort());
      const result = await done;
      return stop.signal.aborted ? undefined : result;
    },
  );
}
