// What VS Code starts: puts the parts of a window together and takes them apart. Quick: whatever
// takes time happens after `activate` has returned, and without somebody signed in nothing happens
// at all.
import * as vscode from 'vscode';
import { nodeClock } from '../protocol/node/nodeWorld.ts';
import type { Log } from '../protocol/base/world.ts';
import { Pickers } from './prompts/pickers.ts';
import { AuthenticationProvider } from './contributions/authenticationProvider.ts';
import { runWithErrors, registerCommands } from './commands/registry.ts';
import type { CommandContext } from './commands/context.ts';
import { moveToPlace } from './commands/transfers.ts';
import { shareDropped } from './commands/share.ts';
import { showInterruptedUploads } from './prompts/interruptedUploadsNotice.ts';
import { DecorationProvider } from './contributions/decorationProvider.ts';
import { GroupDrop } from './views/groupDrop.ts';
import type { GroupDropContext } from './views/groupDrop.ts';
import { openPath } from './commands/localFiles.ts';
import { EngineLauncher } from './engineClient/engineLauncher.ts';
import { FilesViewState } from './views/filesViewState.ts';
import { SignInWatcher } from './engineClient/signInWatcher.ts';
import { InspectorPanels } from './inspector/inspectorPanels.ts';
import { LocalTrackers } from './engineClient/localTrackers.ts';
import { SavedState } from './common/savedState.ts';
import { Notifications } from './prompts/notifications.ts';
import { OpenWhenDone } from './state/openWhenDone.ts';
import { ENGINE_SETTINGS, engineSettings, listenProblem, setting } from './common/settings.ts';
import { Store } from './engineClient/store.ts';
import { groupsKnown } from './engineClient/whenReady.ts';
import { registerFileSystem } from './remoteFiles/fileSystemProvider.ts';
import { SharedFileReader } from './remoteFiles/fileReader.ts';
import { showStatusIndicators } from './contributions/statusIndicators.ts';
import { offerInTerminals } from './contributions/terminalCommand.ts';
import { downloadRows } from './views/downloads.ts';
import { fileDrag } from './views/fileDrag.ts';
import { fileRows, filesHeader } from './views/files.ts';
import { groupRows } from './views/groups.ts';
import { queueDrag } from './views/queueDrag.ts';
import { TreeProvider } from './views/treeProvider.ts';
import { Walkthrough } from './contributions/walkthrough.ts';
import { setTranslator, t } from './common/l10n.ts';

let close: (() => Promise<void>) | undefined;

export function activate(extension: vscode.ExtensionContext): void {
  setTranslator((message, ...values) => vscode.l10n.t(message, ...values));
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
  const drops: GroupDropContext = {
    share: (group, uris) => shareDropped(context, group, uris),
    explain: (run) => runWithErrors(context, 'drop', run),
  };
  const savedState = new SavedState(extension);
  const filesViewState = new FilesViewState(savedState, setting('filesOrder'), stateNow, () => {
    void vscode.commands.executeCommand('setContext', 'shoal.isFiltered', filesViewState.options.filter !== '');
    views.files.refresh();
  });
  const openWhenDone = new OpenWhenDone(savedState, openPath, () => views.downloads.refresh(), log);
  store.onChange((state, before) => {
    filesViewState.update();
    openWhenDone.update(state, before);
  });
  const views = {
    groups: new TreeProvider({
      id: 'shoal.groups',
      rowsOf: groupRows,
      state: stateNow,
      onVisible: (isVisible) => store.listings.watch('members', isVisible),
      dragAndDrop: new GroupDrop(drops),
    }),
    files: new TreeProvider({
      id: 'shoal.files',
      rowsOf: (state) => fileRows(state, filesViewState.options),
      headerOf: (rows) => filesHeader(filesViewState.options, rows),
      state: stateNow,
      onVisible: (isVisible) => {
        store.listings.watch('files', isVisible);
        if (!isVisible) filesViewState.markSeen();
      },
      dragAndDrop: new GroupDrop(drops, fileDrag),
    }),
    downloads: new TreeProvider({
      id: 'shoal.downloads',
      rowsOf: (state) => downloadRows(state, openWhenDone.ids),
      state: stateNow,
      dragAndDrop: queueDrag((ids, target) => runWithErrors(context, 'move', () => moveToPlace(context, ids, target))),
    }),
  };
  const reader = new SharedFileReader(store);
  const notifications = new Notifications(store);
  const inspectorPanels = new InspectorPanels({ store, clock: nodeClock, extension: extension.extensionUri });
  const walkthrough = new Walkthrough(store);
  const localTrackers = new LocalTrackers(extension.extensionPath, launcher.home.folder, log);
  const context: CommandContext = {
    store,
    reader,
    pickers: new Pickers(store),
    launcher,
    localTrackers,
    savedState,
    notifications,
    walkthrough,
    inspectorPanels,
    log: channel,
    views,
    filesViewState,
    openWhenDone,
    extension,
  };
  const decorations = new DecorationProvider(stateNow);
  store.onChange(() => decorations.refresh());
  extension.subscriptions.push(
    channel,
    ...Object.values(views),
    notifications,
    walkthrough,
    inspectorPanels,
    showStatusIndicators(store, views),
    decorations,
    registerCommands(context),
    new AuthenticationProvider(store),
    showInterruptedUploads(store, savedState, log),
    offerInTerminals(extension, log),
    registerFileSystem({ reader, ready: () => groupsKnown(store) }),
    vscode.window.registerUriHandler({
      handleUri: (uri) => void vscode.commands.executeCommand('shoal.openLink', uri),
    }),
    vscode.workspace.onDidChangeConfiguration((change) => void settingsChanged(change, store)),
    vscode.workspace.onDidChangeConfiguration(
      (change) => change.affectsConfiguration('shoal.filesOrder') && filesViewState.sort(setting('filesOrder')),
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
  const watch = new SignInWatcher(launcher.home, () => void store.begin());
  const stop = store.onChange(({ engine }) => (watch.isOn = engine === 'idle'));
  return vscode.Disposable.from({ dispose: stop }, watch);
}

async function settingsChanged(change: vscode.ConfigurationChangeEvent, store: Store): Promise<void> {
  const changed = ENGINE_SETTINGS.filter((name) => change.affectsConfiguration(`shoal.${name}`));
  const problem = change.affectsConfiguration('shoal.listen') ? listenProblem(setting('listen')) : undefined;
  if (problem !== undefined) void vscode.window.showErrorMessage(problem);
  if (changed.length > 0 && store.state.engine === 'up') {
    await store.call('configure', engineSettings(changed)).catch(() => undefined);
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
