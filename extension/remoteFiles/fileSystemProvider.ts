// Shared files as VS Code opens them before they are downloaded: two read-only file systems, one of
// whole files up to a size, one of the beginnings of larger texts. Says why when it cannot; changes
// nothing, watches nothing (what a URI names never changes), and is never a workspace folder.
import * as vscode from 'vscode';
import { formatBytes } from '../../protocol/frontend/format.ts';
import { asShoalError, ShoalError } from '../../protocol/base/errors.ts';
import type { ErrorAction } from '../messages/errorMessages.ts';
import { describeError } from '../messages/errorMessages.ts';
import { HEAD_BYTES, truncatedText, isTextLike } from '../messages/truncatedText.ts';
import type { Ready } from '../engineClient/whenReady.ts';
import { setting } from '../common/settings.ts';
import type { SharedFileReader } from './fileReader.ts';
import type { SharedFileLocation } from './fileUri.ts';
import { parseSharedUri, SCHEME, HEAD_SCHEME } from './fileUri.ts';
import { inMessage, printableName, t } from '../common/l10n.ts';

/**
 * How long a file may take to come before there is a sign that it does, in ms: less is over before
 * it was read.
 */
const QUIET_MS = 700;

/** Largest file that is opened without being downloaded, in bytes. */
export const openLimitBytes = (): number => Math.max(0, setting('openLimit')) * 1024 * 1024;

export interface FileSystemContext {
  readonly reader: SharedFileReader;
  /** Waits until the engine can be asked. @throws ShoalError notSignedIn */
  readonly ready: Ready;
}

export function registerFileSystem(context: FileSystemContext): vscode.Disposable {
  const isReadonly = (why: string): vscode.MarkdownString => {
    const markdown = new vscode.MarkdownString(why);
    markdown.isTrusted = { enabledCommands: ['shoal.downloadShown'] };
    return markdown;
  };
  return vscode.Disposable.from(
    vscode.workspace.registerFileSystemProvider(SCHEME, new SharedFileSystem(context, wholeFile), {
      isCaseSensitive: true,
      isReadonly: isReadonly(
        t(
          'This is a version that a group shares, opened without being downloaded. ' +
            '[Download it](command:shoal.downloadShown) to have a copy that you can change.',
        ),
      ),
    }),
    vscode.workspace.registerFileSystemProvider(HEAD_SCHEME, new SharedFileSystem(context, beginning), {
      isCaseSensitive: true,
      isReadonly: isReadonly(
        t(
          'This is only the beginning of a file that a group shares. [Download it](command:shoal.downloadShown) to have all of it.',
        ),
      ),
    }),
  );
}

/** What of a file is opened. @throws ShoalError */
type Content = (
  reader: SharedFileReader,
  location: SharedFileLocation,
  sizeBytes: number,
) => { readonly size: () => Promise<number>; readonly bytes: () => Promise<Uint8Array> };

const wholeFile: Content = (reader, location, sizeBytes) => ({
  size: () => Promise.resolve(sizeBytes),
  bytes: () => {
    const limit = openLimitBytes();
    if (sizeBytes > limit) {
      throw new ShoalError('usage', {
        why: t(
          '{0} has {1}, and only files up to {2} are opened without being downloaded (shoal.openLimit)',
          printableName(lastOf(location)),
          formatBytes(sizeBytes),
          formatBytes(limit),
        ),
      });
    }
    return withProgress(location, sizeBytes, (onBytes, signal) =>
      reader.bytes(location, sizeBytes, { onBytes, signal }),
    );
  },
});

const beginning: Content = (reader, location, sizeBytes) => {
  const text = async (): Promise<Uint8Array> => {
    const bytes = Math.min(HEAD_BYTES, sizeBytes);
    const head = await withProgress(location, bytes, (onBytes, signal) =>
      reader.bytes(location, bytes, { onBytes, signal }),
    );
    if (!isTextLike(head)) {
      throw new ShoalError('usage', {
        why: t(
          '{0} has {1} and is no text; download it to open it',
          printableName(lastOf(location)),
          formatBytes(sizeBytes),
        ),
      });
    }
    return truncatedText(head, { name: lastOf(location), group: location.group, sizeBytes });
  };
  return { size: async () => (await text()).length, bytes: text };
};

const lastOf = ({ name, path }: SharedFileLocation): string => (path === '' ? name : path).split('/').at(-1) ?? name;

/**
 * Shows that something comes, and how much of it has, once it takes a while; the person can stop
 * it. @throws ShoalError cancelled
 */
async function withProgress<T>(
  location: SharedFileLocation,
  sizeBytes: number,
  run: (onBytes: (bytes: number) => void, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  let report = (_bytes: number): void => {};
  const running = run((bytes) => report(bytes), stop.signal);
  const timer = setTimeout(() => {
    const options = {
      location: vscode.ProgressLocation.Notification,
      cancellable: true,
      title: t('Opening {0} of {1}', inMessage(lastOf(location)), inMessage(location.group)),
    };
    void vscode.window.withProgress(options, async (progress, token) => {
      token.onCancellationRequested(() => stop.abort());
      let reportedBytes = 0;
      report = (bytes) => {
        progress.report({
          message: t('{0} of {1}', formatBytes(bytes), formatBytes(sizeBytes)),
          increment: ((bytes - reportedBytes) * 100) / Math.max(1, sizeBytes),
        });
        reportedBytes = bytes;
      };
      await running.catch(() => undefined); // whoever reads hears of it
    });
  }, QUIET_MS);
  try {
    return await running;
  } finally {
    clearTimeout(timer);
  }
}

class SharedFileSystem implements vscode.FileSystemProvider {
  readonly onDidChangeFile = new vscode.EventEmitter<vscode.FileChangeEvent[]>().event;
  readonly #context: FileSystemContext;
  readonly #content: Content;
  /** What is to be seen of what it has said. */
  readonly #shownProblems = new Set<string>();

  constructor(context: FileSystemContext, content: Content) {
    this.#context = context;
    this.#content = content;
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => {});
  }

  stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    return this.#at(uri, async (location) => {
      const { isFolder, sizeBytes, atMs } = await this.#context.reader.info(location);
      const times = { ctime: atMs, mtime: atMs, permissions: vscode.FilePermission.Readonly };
      if (isFolder) return { ...times, type: vscode.FileType.Directory, size: 0 };
      return {
        ...times,
        type: vscode.FileType.File,
        size: await this.#content(this.#context.reader, location, sizeBytes).size(),
      };
    });
  }

  readDirectory(uri: vscode.Uri): Promise<[string, vscode.FileType][]> {
    return this.#at(uri, async (location) => {
      const { isFolder } = await this.#context.reader.info(location);
      if (!isFolder) throw vscode.FileSystemError.FileNotADirectory(uri);
      const before = location.path === '' ? '' : `${location.path}/`;
      const found = new Map<string, vscode.FileType>();
      for (const { path } of await this.#context.reader.files(location)) {
        if (!path.startsWith(before)) continue;
        const [name = '', ...deeper] = path.slice(before.length).split('/');
        found.set(name, deeper.length > 0 ? vscode.FileType.Directory : vscode.FileType.File);
      }
      return [...found];
    });
  }

  readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return this.#at(uri, async (location) => {
      const { isFolder, sizeBytes } = await this.#context.reader.info(location);
      if (isFolder) throw vscode.FileSystemError.FileIsADirectory(uri);
      return this.#content(this.#context.reader, location, sizeBytes).bytes();
    });
  }

  // VS Code offers none of these for what is read-only.
  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }
  readonly writeFile = (uri: vscode.Uri): never => this.createDirectory(uri);
  readonly delete = (uri: vscode.Uri): never => this.createDirectory(uri);
  readonly rename = (uri: vscode.Uri): never => this.createDirectory(uri);

  /** @throws vscode.FileSystemError with a sentence */
  async #at<T>(uri: vscode.Uri, run: (location: SharedFileLocation) => Promise<T>): Promise<T> {
    const location = parseSharedUri(uri);
    if (!location) throw vscode.FileSystemError.FileNotFound(t('This names no shared file.'));
    try {
      await this.#context.ready();
      return await run(location);
    } catch (error) {
      if (error instanceof vscode.FileSystemError) throw error;
      throw this.#withErrors(asShoalError(error));
    }
  }

  #withErrors(error: ShoalError): vscode.FileSystemError {
    const { sentence, actions } = describeError(error);
    if (error.code !== 'cancelled') this.#showProblem(sentence, actions);
    if (['unknownFile', 'unknownGroup', 'newerVersion'].includes(error.code)) {
      return vscode.FileSystemError.FileNotFound(sentence);
    }
    return ['notMember', 'notSignedIn'].includes(error.code)
      ? vscode.FileSystemError.NoPermissions(sentence)
      : vscode.FileSystemError.Unavailable(sentence);
  }
  /**
   * An editor that cannot be opened says only that something was unexpected, so it is said here;
   * once, of the many tabs that may be restored.
   */
  #showProblem(sentence: string, actions: readonly ErrorAction[]): void {
    if (this.#shownProblems.has(sentence)) return;
    this.#shownProblems.add(sentence);
    void vscode.window.showErrorMessage(sentence, ...actions.map(({ label }) => label)).then((answer) => {
      this.#shownProblems.delete(sentence);
      const action = actions.find(({ label }) => label === answer);
      if (action) void vscode.commands.executeCommand(action.command);
    });
  }
}
