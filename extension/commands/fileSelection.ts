// Downloading some files of a folder: its list comes first, then the person chooses, then the rest
// of the download goes on. Whoever leaves the question has no download; a window that goes
// meanwhile leaves it in the list, where it can be answered later.
import * as vscode from 'vscode';
import { formatBytes } from '../../protocol/frontend/format.ts';
import type { Transfer } from '../../protocol/messages/engineLink.ts';
import { ShoalError } from '../../protocol/base/errors.ts';
import { FOLDER_FILES_MAX } from '../../protocol/base/limits.ts';
import { readPages } from '../../protocol/frontend/pagination.ts';
import { fromWire } from '../../protocol/wire/wireErrors.ts';
import type { Entry, FileInFolder } from '../remoteFiles/folderEntries.ts';
import { bytesOf, ENTRIES_MAX, entriesOf, namesOf } from '../remoteFiles/folderEntries.ts';
import { progressText } from '../messages/transferText.ts';
import type { Choice } from '../prompts/quickInput.ts';
import { inMessage, plural, withoutIcons, t } from '../common/l10n.ts';
import type { Command, CommandContext } from './context.ts';
import { subjectsOf } from './context.ts';

/**
 * Whether all of a folder is wanted, or some of its files; undefined when the person changed their
 * mind.
 */
export function askAllOrSome(
  { pickers }: CommandContext,
  name: string,
  sizeBytes: number,
): Promise<'all' | 'some' | undefined> {
  return pickers.choice<'all' | 'some'>(t('Download Folder'), {
    placeholder: t('How much of {0}?', inMessage(name)),
    items: [
      { label: t('All Files'), description: formatBytes(sizeBytes), value: 'all' },
      { label: t('Choose Files…'), description: t('fetches the list of its files first'), value: 'some' },
    ],
  });
}

/** For a download that waits for it: a window was closed before the question was answered. */
export const chooseFiles: Command = async (context, argument) => {
  const id =
    subjectsOf(argument)[0]?.transfer ??
    (await context.pickers.transfer(t('Choose Files'), t('Of which folder?'), ({ state }) => state === 'choosing'))?.id;
  if (id !== undefined) await chooseFilesOf(context, id);
};

/**
 * Waits for the list of a folder, and asks. False when the person changed their mind; the download
 * is gone then.
 */
export async function chooseFilesOf(context: CommandContext, id: number): Promise<boolean> {
  const { store } = context;
  const chosen = await pickFiles(context, id, await whenListed(context, id));
  if (chosen) await store.call('chooseFiles', { transfer: id, only: [...chosen] });
  else await store.call('cancelTransfer', { transfer: id });
  return chosen !== undefined;
}

/** The download when its list is here; undefined when the person did not wait for it. */
function whenListed({ store }: CommandContext, id: number): Promise<Transfer | undefined> {
  const name = inMessage(store.state.transfers.get(id)?.name ?? '');
  const options = {
    location: vscode.ProgressLocation.Notification,
    cancellable: true,
    title: t('Fetching the list of files of {0}', name),
  };
  return Promise.resolve(
    vscode.window.withProgress(options, async (progress, token) => {
      const stop = new AbortController();
      token.onCancellationRequested(() => stop.abort());
      let wasThere = false;
      return store
        .until(({ transfers, engine }) => {
          const transfer = transfers.get(id);
          if (transfer?.state === 'failed') {
            throw transfer.error ? fromWire(transfer.error) : new ShoalError('internal', { why: 'failed' });
          }
          if (!transfer && wasThere && engine === 'up') throw new ShoalError('cancelled');
          wasThere ||= transfer !== undefined;
          if (transfer) progress.report({ message: progressText(transfer) });
          return transfer?.state === 'choosing' ? transfer : undefined;
        }, stop.signal)
        .catch((error: unknown) => {
          if (stop.signal.aborted) return undefined;
          throw error;
        });
    }),
  );
}

async function pickFiles(
  { pickers: asks, store }: CommandContext,
  id: number,
  transfer: Transfer | undefined,
): Promise<readonly string[] | undefined> {
  if (!transfer) return undefined;
  const files = await readPages<FileInFolder>({
    call: 'folderFiles',
    nameOf: ({ path }) => path,
    keyOf: (path) => path,
    rowsMax: FOLDER_FILES_MAX,
    page: async (after) => {
      const { files: rows, more } = await store.call('folderFiles', { transfer: id, after });
      return { rows, more };
    },
  });
  const entries = entriesOf(files);
  const isCut = entries.length === ENTRIES_MAX;
  for (;;) {
    const chosen = await asks.several(t('Download Files of {0}', inMessage(transfer.name)), {
      placeholder: isCut
        ? t('It has {0} files; of those that are not listed, choose the folder', files.length.toLocaleString())
        : plural(
            files.length,
            '{0} file: choose, or type a part of its name',
            '{0} files: choose, or type a part of a name',
          ),
      items: entries.map(choiceOf),
      sum: (values) => (values.length === 0 ? '' : formatBytes(bytesOf(values))),
    });
    if (chosen === undefined) return undefined;
    if (chosen.length > 0) return namesOf(chosen);
  }
}

function choiceOf(entry: Entry): Choice<Entry> {
  const { path, sizeBytes, files } = entry;
  const size = formatBytes(sizeBytes);
  return {
    label: withoutIcons(path),
    value: entry,
    iconPath: files > 0 ? vscode.ThemeIcon.Folder : vscode.ThemeIcon.File,
    description: files > 0 ? [plural(files, '{0} file', '{0} files'), size].join(' · ') : size,
  };
}
