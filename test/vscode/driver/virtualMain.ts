// An extension that adds a virtual folder, `virtual:/`, to a workspace, with one small file in it:
// what a repository opened without a clone looks like.
import * as vscode from 'vscode';

const CONTENT = Buffer.from('only in memory\n');
const FOLDER = { type: vscode.FileType.Directory, ctime: 0, mtime: 0, size: 0 };
const FILE = { type: vscode.FileType.File, ctime: 0, mtime: 0, size: CONTENT.length };

export function activate({ subscriptions }: vscode.ExtensionContext): void {
  const refuse = (uri: vscode.Uri): never => {
    throw vscode.FileSystemError.NoPermissions(uri);
  };
  subscriptions.push(
    vscode.workspace.registerFileSystemProvider(
      'virtual',
      {
        onDidChangeFile: new vscode.EventEmitter<vscode.FileChangeEvent[]>().event,
        watch: () => ({ dispose() {} }),
        stat(uri) {
          if (uri.path === '/') return FOLDER;
          if (uri.path === '/virtual.txt') return FILE;
          throw vscode.FileSystemError.FileNotFound(uri);
        },
        readDirectory: () => [['virtual.txt', vscode.FileType.File]],
        readFile: () => CONTENT,
        createDirectory: refuse,
        writeFile: refuse,
        delete: refuse,
        rename: refuse,
      },
      { isReadonly: true },
    ),
    vscode.commands.registerCommand('virtual.add', () => {
      vscode.workspace.updateWorkspaceFolders(vscode.workspace.workspaceFolders?.length ?? 0, 0, {
        uri: vscode.Uri.parse('virtual:/'),
        name: 'virtual',
      });
    }),
  );
}
