// What VS Code starts: puts the parts of a window together and takes them apart. Quick: whatever
// takes time happens after `activate` has returned, and without somebody signed in nothing happens
// at all.
import * as vscode from 'vscode';
import { nodeClock } from '../protocol/node/nodeWorld.ts';
import type { Log } from '../protocol/base/world.ts';
import { Ask } from './prompts/pickers.ts';
import { Authentication } from './contributions/authenticationProvider.ts';
import { explained, registerCommands } from './commands/registry.ts';
import type { Tools } from './commands/context.ts';
import { moveToPlace } from './commands/transfers.ts';
import { shareDropped } from './commands/share.ts';
import { tellCutOff } from './prompts/interruptedUploadsNotice.ts';
import { Decorations } from './contributions/decorationProvider.ts';
import { DropToShare } from './views/groupDrop.ts';
import type { DropHost } from './views/groupDrop.ts';
import { openPath } from './commands/download.ts';
import { EngineLauncher } from './engineClient/engineLauncher.ts';
import { FilesView } from './views/filesViewState.ts';
import { HomeWatch } from './engineClient/signInWatcher.ts';
import { Inspectors } from './inspector/inspectorPanels.ts';
import { LocalPairs } from './engineClient/localTrackers.ts';
import { Memory } from './common/savedState.ts';
import { Notices } from './prompts/notifications.ts';
import { OpenWhenDone } from './state/openWhenDone.ts';
import { ENGINE_SETTINGS, engineSettings, listenTrouble, setting } from './common/settings.ts';
import { Store } from './engineClient/store.ts';
import { groupsKnown } from './engineClient/whenReady.ts';
import { registerSharedFiles } from './remoteFiles/fileSystemProvider.ts';
import { SharedReader } from './remoteFiles/fileReader.ts';
import { showState } from './contributions/statusIndicators.ts';
import { offerInTerminals } from './contributions/terminalCommand.ts';
import { downloadRows } from './views/downloads.ts';
import { fileDrag } from './views/fileDrag.ts';
import { fileRows, filesHead } from './views/files.ts';
import { groupRows } from './views/groups.ts';
import { queueDrag } from './views/queueDrag.ts';
import { RowTree } from './views/treeProvider.ts';
import { Walkthrough } from './contributions/walkthrough.ts';
import { speak, t } from './common/l10n.ts';

let close: (() => Promise<void>) | undefined;

export function activate(extension: vscode.ExtensionContext): void {
  speak((message, ...values) => vscode.l10n.t(message, ...values));
  const channel = vscode.window.createOutputChannel('Shoal', { log: true });
  const log = logTo(channel);
  const launcher = new EngineLauncher({
    extensionFolder: extension.extensionPath,
    home: setting('home'),
    place: setting('engine'),
    log,
  });
  const store = new Store({
    launcher,
    clock: nodeClock,
    log,
    introduce: async (connection) => {
      const settings = engineSettings();
      if (Object.values(settings).some((value) => value !== undefined)) await connection.call('configure', settings);
    },
  });
  const stateNow = () => store.state;
  const drops: DropHost = {
    share: (group, uris) => shareDropped(tools, group, uris),
    explain: (run) => explained(tools, 'drop', run),
  };
  const memory = new Memory(extension);
  const files = new FilesView(memory, setting('filesOrder'), stateNow, () => {
    void vscode.commands.executeCommand('setContext', 'shoal.isFiltered', files.look.filter !== '');
    views.files.refresh();
  });
  const opening = new OpenWhenDone(memory, openPath, () => views.downloads.refresh(), log);
  store.onChange((state, before) => {
    files.follow();
    opening.follow(state, before);
  });
  const views = {
    groups: new RowTree({
      id: 'shoal.groups',
      rowsOf: groupRows,
      stateNow,
      onVisible: (isVisible) => store.listings.watch('members', isVisible),
      dragAndDrop: new DropToShare(drops),
    }),
    files: new RowTree({
      id: 'shoal.files',
      rowsOf: (state) => fileRows(state, files.look),
      headOf: (rows) => filesHead(files.look, rows),
      stateNow,
      onVisible: (isVisible) => {
        store.listings.watch('files', isVisible);
        if (!isVisible) files.seen();
      },
      dragAndDrop: new DropToShare(drops, fileDrag),
    }),
    downloads: new RowTree({
      id: 'shoal.downloads',
      rowsOf: (state) => downloadRows(state, opening.ids),
      stateNow,
      dragAndDrop: queueDrag((ids, target) => explained(tools, 'move', () => moveToPlace(tools, ids, target))),
    }),
  };
  const reader = new SharedReader(store);
  const notices = new Notices(store);
  const inspectors = new Inspectors({ store, clock: nodeClock, extension: extension.extensionUri });
  const walkthrough = new Walkthrough(store);
  const pairs = new LocalPairs(extension.extensionPath, launcher.home.folder, log);
  const tools: Tools = {
    store,
    reader,
    ask: new Ask(store),
    launcher,
    pairs,
    memory,
    notices,
    walkthrough,
    inspectors,
    log: channel,
    views,
    files,
    opening,
    extension,
  };
  const decorations = new Decorations(stateNow);
  store.onChange(() => decorations.refresh());
  extension.subscriptions.push(
    channel,
    ...Object.values(views),
    notices,
    walkthrough,
    inspectors,
    showState(store, views),
    decorations,
    registerCommands(tools),
    new Authentication(store),
    tellCutOff(store, memory, log),
    offerInTerminals(extension, log),
    registerSharedFiles({ reader, ready: () => groupsKnown(store) }),
    vscode.window.registerUriHandler({
      handleUri: (uri) => void vscode.commands.executeCommand('shoal.openLink', uri),
    }),
    vscode.workspace.onDidChangeConfiguration((change) => void settingsChanged(change, store)),
    vscode.workspace.onDidChangeConfiguration(
      (change) => change.affectsConfiguration('shoal.filesOrder') && files.sort(setting('filesOrder')),
    ),
    followSignIn(store, launcher),
    // Where nobody tells of changed files.
    vscode.window.onDidChangeWindowState(
      ({ focused }) => focused && store.state.engine === 'idle' && void store.begin(),
    ),
  );
  close = () => store.close();
  void store.begin();
}

export function deactivate(): Promise<void> | undefined {
  return close?.();
}

/** Somebody may sign in elsewhere while this window has no engine. */
function followSignIn(store: Store, launcher: EngineLauncher): vscode.Disposable {
  const watch = new HomeWatch(launcher.home, () => void store.begin());
  const stop = store.onChange(({ engine }) => (watch.isOn = engine === 'idle'));
  return vscode.Disposable.from({ dispose: stop }, watch);
}

async function settingsChanged(change: vscode.ConfigurationChangeEvent, store: Store): Promise<void> {
  const told = ENGINE_SETTINGS.filter((name) => change.affectsConfiguration(`shoal.${name}`));
  const trouble = change.affectsConfiguration('shoal.listen') ? listenTrouble(setting('listen')) : undefined;
  if (trouble !== undefined) void vscode.window.showErrorMessage(trouble);
  if (told.length > 0 && store.state.engine === 'up') {
    await store.call('configure', engineSettings(told)).catch(() => undefined);
  } // it is told when it is met again
  if (change.affectsConfiguration('shoal.home') || change.affectsConfiguration('shoal.engine')) {
    const reload = t('Reload Window');
    const answer = await vscode.window.showInformationMessage(
      t('This setting takes effect when the window is reloaded.'),
      reload,
    );
    if (answer === reload) await vscode.commands.executeCommand('workbench.action.reloadWindow');
  }
}

/**
 * Fixed phrases and fields, as everywhere; the level is the person's choice, in the output
 * channel's menu.
 */
function logTo(channel: vscode.LogOutputChannel): Log {
  return {
    debug: (phrase, fields = {}) => channel.debug(phrase, fields),
    info: (phrase, fields = {}) => channel.info(phrase, fields),
    warn: (phrase, fields = {}) => channel.warn(phrase, fields),
    error: (phrase, fields = {}) => channel.error(phrase, fields),
  };
}
