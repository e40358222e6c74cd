// The extension that the driver's own test drives: one of each thing that the driver can see or do.
// It notes in its log what was done to it.
import * as vscode from 'vscode';

const CHILDREN: Record<string, readonly string[]> = { '': ['Apple', 'Banana'], Apple: ['Seed'] };

export function activate({ subscriptions }: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Dummy Log', { log: true });
  const plain = vscode.window.createOutputChannel('Dummy Plain');
  log.info(`activated from ${vscode.extensions.getExtension('shoal-test.dummy')?.extensionPath}`);
  plain.appendLine('a plain line');

  const fruit = vscode.window.createTreeView('dummy.fruit', { treeDataProvider: provider(() => CHILDREN, fruitItem) });
  fruit.badge = { value: 7, tooltip: '7 fruits' };
  vscode.window.createTreeView('dummy.nothing', { treeDataProvider: provider(() => ({}), fruitItem) });
  const numbers = { '': Array.from({ length: 150 }, (_, i) => `Number ${i}`) };
  const lonely = vscode.window.createTreeView('dummy.lonely', {
    treeDataProvider: provider(() => numbers, numberItem),
  });
  lonely.description = 'a hundred and fifty';
  lonely.message = 'Mind the numbers.';
  lonely.onDidChangeCheckboxState(({ items }) =>
    log.info(`checked ${items.map(([label, state]) => `${label} ${state}`).join()}`),
  );

  const bar = vscode.window.createStatusBarItem('dummy.bar', vscode.StatusBarAlignment.Left, 100);
  bar.text = '$(rocket) Dummy ready';
  bar.tooltip = 'a tip';
  bar.command = 'dummy.notify';
  bar.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
  bar.show();

  const commands: Record<string, (...args: never[]) => unknown> = {
    ask: async () => {
      const name = await vscode.window.showInputBox({
        title: 'Your Name',
        prompt: 'As others shall see it',
        placeHolder: 'a name',
        validateInput: (text) => (text === 'bad' ? 'not that one' : undefined),
      });
      const password = name && (await vscode.window.showInputBox({ title: 'A Secret', password: true }));
      log.info(`asked ${name} ${password}`);
    },
    pick: async () => {
      const one = await vscode.window.showQuickPick(
        [
          { label: '$(star) Red', description: 'a colour' },
          { label: 'Green', detail: 'more of it' },
          ...numbers[''].map((label) => ({ label })),
        ],
        { title: 'Colours', placeHolder: 'pick one' },
      );
      const many =
        one &&
        (await vscode.window.showQuickPick(
          ['North', 'East', 'South'].map((label) => ({ label, picked: label === 'East' })),
          { title: 'Directions', canPickMany: true },
        ));
      log.info(`picked ${one?.label} and ${many?.map(({ label }) => label).join(' ')}`);
    },
    steps: () => {
      const input = vscode.window.createInputBox();
      Object.assign(input, {
        title: 'In Steps',
        step: 2,
        totalSteps: 3,
        busy: true,
        buttons: [vscode.QuickInputButtons.Back],
      });
      input.onDidTriggerButton(() => {
        log.info('went back');
        input.hide();
      });
      input.show();
    },
    open: async () => {
      const [uri] = (await vscode.window.showOpenDialog({ title: 'Which File', openLabel: 'Take It' })) ?? [];
      log.info(`opened ${uri?.path.split('/').at(-1)}`);
    },
    notify: async () => {
      const pressed = await vscode.window.showWarningMessage('Something happened.', 'Undo', 'Details');
      log.info(`pressed ${pressed}`);
    },
    progress: () =>
      vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: 'Working', cancellable: true },
        (progress, token) => {
          progress.report({ message: 'on it' });
          return new Promise<void>((resolve) =>
            token.onCancellationRequested(() => {
              log.info('cancelled');
              resolve();
            }),
          );
        },
      ),
    modal: async () => {
      const chosen = await vscode.window.showWarningMessage(
        'Really?',
        { modal: true, detail: 'It cannot be undone.' },
        'Delete',
      );
      log.info(`chose ${chosen}`);
    },
    row: (label: string) => log.info(`row ${label}`),
    file: (_: vscode.Uri, all: vscode.Uri[]) =>
      log.info(
        `files ${all
          .map(({ path }) => path.split('/').at(-1))
          .sort()
          .join(' ')}`,
      ),
  };
  for (const [name, run] of Object.entries(commands)) {
    subscriptions.push(vscode.commands.registerCommand(`dummy.${name}`, run));
  }
}

function provider(
  children: () => Record<string, readonly string[]>,
  getTreeItem: (label: string) => vscode.TreeItem,
): vscode.TreeDataProvider<string> {
  return { getChildren: (label = '') => [...(children()[label] ?? [])], getTreeItem };
}

function fruitItem(label: string): vscode.TreeItem {
  const item = new vscode.TreeItem(
    label,
    CHILDREN[label] ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None,
  );
  return Object.assign(item, {
    description: `${label.length} letters`,
    iconPath: new vscode.ThemeIcon('star'),
    tooltip: new vscode.MarkdownString(`**${label}** is a fruit`),
  });
}

function numberItem(label: string): vscode.TreeItem {
  return Object.assign(new vscode.TreeItem(label), {
    tooltip: `tip of ${label}`,
    checkboxState: vscode.TreeItemCheckboxState.Unchecked,
  });
}
