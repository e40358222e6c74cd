// What is dragged out of the view Files: into the editor area it opens there. A file that is on
// this machine is dragged as itself, others as what can be opened of them before they are
// downloaded.
import { existsSync, statSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Drag } from './groupDrop.ts';
import { openLimitBytes } from '../remoteFiles/fileSystemProvider.ts';
import { SCHEME, HEAD_SCHEME, sharedUri } from '../remoteFiles/fileUri.ts';
import type { Row } from './row.ts';

export const fileDrag: Drag = {
  dragMimeTypes: ['text/uri-list'],
  handleDrag(nodes, data) {
    const uris = nodes.flatMap(({ row }) => draggedOf(row) ?? []);
    if (uris.length > 0) data.set('text/uri-list', new vscode.DataTransferItem(uris.map(String).join('\r\n')));
  },
};

function draggedOf({ subject: { path }, shared }: Row): vscode.Uri | undefined {
  if (path !== undefined && existsSync(path)) return statSync(path).isFile() ? vscode.Uri.file(path) : undefined;
  return shared && vscode.Uri.from(sharedUri(shared.place, shared.sizeBytes > openLimitBytes() ? HEAD_SCHEME : SCHEME));
}
