// Files dropped on a group are shared in it: from the explorer, from the system's own, and from the
// desktop of the computer in front of the person when VS Code works on another one; those are
// copied over first. Takes what was dropped apart; commands/share.ts shares.
import fs from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { validateFileName } from '../../protocol/base/names.ts';
import { ShoalError, systemCode } from '../../protocol/base/errors.ts';
import { SCHEME, HEAD_SCHEME } from '../remoteFiles/fileUri.ts';
import type { Node } from './treeProvider.ts';
import { inMessage, plural, t } from '../common/l10n.ts';

/** Files dropped at once: more is a slip of the mouse. */
const FILES_MAX = 1_000;
/** Names tried for a copy when its own is taken: `name (2)` … */
const NAMES_MAX = 100;

/**
 * Shares in a group; in one that is asked for when none is named. What goes wrong there, and here,
 * is `explain`'s to say.
 */
export interface GroupDropContext {
  readonly share: (group: string | undefined, uris: readonly vscode.Uri[]) => Promise<void>;
  readonly explain: (run: () => Promise<void>) => Promise<void>;
}

/** What may be dragged out of a view on which files may be dropped. */
export type Drag = Required<Pick<vscode.TreeDragAndDropController<Node>, 'dragMimeTypes' | 'handleDrag'>>;

export class GroupDrop implements vscode.TreeDragAndDropController<Node> {
  readonly dropMimeTypes = ['text/uri-list', 'files'];
  readonly #context: GroupDropContext;
  readonly #drag: Drag | undefined;

  constructor(context: GroupDropContext, drag?: Drag) {
    this.#context = context;
    this.#drag = drag;
  }

  get dragMimeTypes(): readonly string[] {
    return this.#drag?.dragMimeTypes ?? [];
  }
  handleDrag(
    nodes: readonly Node[],
    data: vscode.DataTransfer,
    token: vscode.CancellationToken,
  ): Thenable<void> | void {
    return this.#drag?.handleDrag(nodes, data, token);
  }

  handleDrop(target: Node | undefined, data: vscode.DataTransfer, token: vscode.CancellationToken): Promise<void> {
    const { share, explain } = this.#context;
    return explain(async () => {
      const uris = await droppedOf(data);
      // Not waited for: while a drop lasts VS Code shows that it is busy, and questions may come.
      if (uris.length > 0 && !token.isCancellationRequested) void explain(() => share(target?.row.subject.group, uris));
    });
  }
}

/**
 * What was dropped, as files of this machine. VS Code gives the bytes of foreign ones only while
 * the drop lasts.
 */
async function droppedOf(data: vscode.DataTransfer): Promise<readonly vscode.Uri[]> {
  const local = urisOf((await data.get('text/uri-list')?.asString()) ?? '');
  const files = local.length > 0 ? [] : [...data].flatMap(([, item]) => item.asFile() ?? []);
  if (local.length + files.length > FILES_MAX) {
    throw new ShoalError('usage', {
      why: t(
        '{0} files were dropped, and at most {1} are shared at once; share the folder they are in',
        local.length + files.length,
        FILES_MAX,
      ),
    });
  }
  // A file that has a place on this machine says where.
  return [
    ...local,
    ...files.flatMap(({ uri }) => uri ?? []),
    ...(await copiedHere(files.filter(({ uri }) => uri === undefined))),
  ];
}

/** The lines of a `text/uri-list` (RFC 2483) that are files of the machine this window works on. */
function urisOf(text: string): readonly vscode.Uri[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      try {
        const uri = vscode.Uri.parse(line, true);
        if (uri.scheme === SCHEME || uri.scheme === HEAD_SCHEME) return []; // a row of our own: it is shared already
        // In a remote window the explorer's own files carry the address of the machine, which is
        // this one.
        return uri.scheme === 'vscode-remote' ? [vscode.Uri.file(uri.path)] : [uri];
      } catch {
        return [];
      }
    });
}

/** Asks, and copies files that are on the computer in front of the person into the workspace. */
async function copiedHere(files: readonly vscode.DataTransferFile[]): Promise<readonly vscode.Uri[]> {
  if (files.length === 0) return [];
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri.fsPath;
  if (folder === undefined) {
    void vscode.window.showErrorMessage(
      t(
        'These files are on another computer than the one that this window works on. Open a folder that they can be copied to.',
      ),
    );
    return [];
  }
  const copy = t('Copy and Share');
  const [first] = files;
  const question = plural(
    files.length,
    '{1} is on another computer than the one that this window works on.',
    '{0} files are on another computer than the one that this window works on.',
    inMessage(first?.name ?? ''),
  );
  if (
    (await vscode.window.showInformationMessage(
      question,
      {
        modal: true,
        detail: t('What is shared has to be where Shoal works: it is copied to {0} first.', inMessage(folder)),
      },
      copy,
    )) !== copy
  ) {
    return [];
  }
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: t('Copying'), cancellable: true },
    async (progress, token) => {
      const copied: vscode.Uri[] = [];
      for (const file of files) {
        if (token.isCancellationRequested) return [];
        progress.report({ message: inMessage(file.name), increment: 100 / files.length });
        const name = path.basename(file.name);
        if (validateFileName(name) === undefined) {
          copied.push(vscode.Uri.file(await writeNew(folder, name, await file.data())));
        }
      }
      return copied;
    },
  );
}

/** Writes it under its name, or the first `name (n)` that is free; overwrites nothing. */
async function writeNew(folder: string, name: string, content: Uint8Array): Promise<string> {
  const { name: stem, ext } = path.parse(name);
  for (let n = 1; ; n++) {
    const place = path.join(folder, n === 1 ? name : `${stem} (${n})${ext}`);
    try {
      await fs.writeFile(place, content, { flag: 'wx' });
      return place;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST' || n === NAMES_MAX) throw error;
    }
  }
}
