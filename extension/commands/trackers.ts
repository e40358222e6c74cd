// Commands of trackers: a pair of one's own, and telling others where it is.
import * as vscode from 'vscode';
import { ShoalError } from '../../protocol/base/errors.ts';
import { networkHosts } from '../engineClient/localTrackers.ts';
import type { Reach } from '../engineClient/localTrackers.ts';
import { inMessage, t } from '../common/l10n.ts';
import type { Command, CommandContext } from './context.ts';

export const startLocalPair: Command = async (context) => {
  const { pickers, localTrackers, store, savedState } = context;
  const title = t('Start Local Tracker Pair');
  const reach = await pickers.choice<Reach>(title, {
    placeholder: t('Who shall reach these trackers? They go on running when VS Code is closed.'),
    items: [
      {
        label: `$(device-desktop) ${t('This computer')}`,
        detail: t('To try Shoal, or for several people on one machine'),
        value: 'computer',
      },
      {
        label: `$(globe) ${t('This network')}`,
        detail: t('Colleagues in the same network can sign in. A firewall may ask you to allow it.'),
        value: 'network',
      },
    ],
  });
  if (reach === undefined) return;
  const isNew = reach === 'network' && !localTrackers.isMade(reach);
  const host = isNew ? await chooseHost(context, title) : undefined;
  if (isNew && host === undefined) return;
  const pair = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: t('Starting two trackers') },
    () => localTrackers.start(reach, host),
  );
  await savedState.rememberTracker(pair.url);
  if (store.state.overview?.account) return notifyRunning(pair.url, reach, []);
  await store.call('setTracker', { url: pair.url, confirm: false });
  await notifyRunning(pair.url, reach, [
    { label: t('Create Account'), command: 'shoal.createAccount' },
    { label: t('Sign In'), command: 'shoal.signIn' },
  ]);
};

async function notifyRunning(
  url: string,
  reach: Reach,
  actions: readonly { readonly label: string; readonly command: string }[],
): Promise<void> {
  const copy = t('Copy Tracker URL');
  const message =
    reach === 'computer'
      ? t('The tracker pair runs on this computer. Other people on it sign in with its URL.')
      : t(
          'The tracker pair runs on this computer. A colleague in this network installs Shoal, ' +
            'runs "Sign In" or "Create Account", and pastes its URL.',
        );
  void vscode.window
    .showInformationMessage(message, ...actions.map((action) => action.label), copy)
    .then(async (answer) => {
      if (answer === copy) await vscode.env.clipboard.writeText(url);
      const action = actions.find((one) => one.label === answer);
      if (action) await vscode.commands.executeCommand(action.command);
    });
}

async function chooseHost({ pickers }: CommandContext, title: string): Promise<string | undefined> {
  const hosts = networkHosts();
  if (hosts.length === 0) throw new ShoalError('usage', { why: t('this computer has no address in a network now') });
  if (hosts.length === 1) return hosts[0];
  return pickers.choice(title, {
    placeholder: t('By which address do colleagues reach this computer?'),
    items: hosts.map((host) => ({ label: host, value: host })),
  });
}

export const stopLocalPair: Command = async ({ pickers, localTrackers, store }) => {
  const title = t('Stop Local Tracker Pair');
  const pairs = await localTrackers.known();
  const chosen =
    pairs.length < 2
      ? pairs[0]
      : await pickers.choice(title, {
          placeholder: t('Which pair?'),
          items: pairs.map((pair) => ({
            label: pair.reach === 'computer' ? t('This computer') : t('This network'),
            detail: inMessage(pair.url),
            value: pair,
          })),
        });
  if (!chosen) {
    return void (
      pairs.length === 0 && vscode.window.showInformationMessage(t('There is no tracker pair on this computer.'))
    );
  }
  if (store.state.overview?.account && store.state.overview.trackerUrl === chosen.url) {
    const stop = t('Stop');
    const detail = t(
      'Running downloads go on; signing in, joining and sharing wait until it runs again. Nothing is lost.',
    );
    if (
      (await vscode.window.showWarningMessage(
        t('You are using this tracker pair. Stop it?'),
        { modal: true, detail },
        stop,
      )) !== stop
    ) {
      return;
    }
  }
  const ran = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: t('Stopping two trackers') },
    () => localTrackers.stop(chosen),
  );
  void vscode.window.showInformationMessage(
    ran ? t('The tracker pair is stopped. Its accounts and groups are kept.') : t('The tracker pair was not running.'),
  );
};

export const copyTrackerUrl: Command = async ({ store, localTrackers }) => {
  const url = store.state.overview?.trackerUrl || (await localTrackers.known())[0]?.url;
  if (!url) throw new ShoalError('trackerUnknown');
  await vscode.env.clipboard.writeText(url);
  void vscode.window.setStatusBarMessage(`$(clippy) ${t('Tracker URL copied')}`, 5000);
};
