// Commands about Shoal itself: its engine, its log, and what to send when something is wrong.
import fs from 'node:fs';
import os from 'node:os';
import * as vscode from 'vscode';
import { VERSION } from '../../protocol/node/version.ts';
import { openSetting } from '../common/settings.ts';
import { phaseOf } from '../state/state.ts';
import { uploadsText } from '../messages/uploadsText.ts';
import { t } from '../common/l10n.ts';
import type { Command } from './context.ts';

/** Lines of the engine's log in the diagnostics. */
const LOG_LINES = 60;
const LOG_BYTES = 64 * 1024;

export const startEngine: Command = async ({ store, localTrackers }) => {
  await store.connect();
  // Offline with trackers of one's own: they may have been ended by a restart of the computer.
  const url = store.state.overview?.trackerUrl;
  if (phaseOf(store.state) !== 'offline' || !url) return;
  const own = (await localTrackers.known()).find((pair) => pair.url === url);
  if (own) await localTrackers.start(own.reach);
  await store.call('listGroups', { after: '' }); // asking dials at once; it says so if nobody answers
};

export const stopEngine: Command = async ({ store }) => {
  const stop = t('Stop');
  const served = uploadsText(store.state.overview?.served ?? []);
  const detail = [
    ...(served === undefined ? [] : [served]),
    t('Nothing is shared or downloaded until it is started again. What is unfinished goes on then.'),
  ].join(' ');
  if ((await vscode.window.showWarningMessage(t("Stop Shoal's engine?"), { modal: true, detail }, stop)) === stop) {
    await store.call('stop', {});
  }
};

export const refresh: Command = async ({ store }) => {
  await Promise.all([store.listings.readAll('files'), store.listings.readAll('members')]);
};

export const getStarted: Command = async ({ walkthrough }) => walkthrough.open();

/** For the walkthrough, whose links lead to commands. */
export const openKeepSharing: Command = async () => openSetting('keepSharing');

export const showLog: Command = async ({ log }) => log.show();

export const copyDiagnostics: Command = async ({ store, launcher, log }) => {
  const { state } = store;
  const transfers = [...state.transfers.values()].map(
    ({ id, kind, state: is, sizeBytes, doneBytes, pieces, heldPieces, peers, error }) => ({
      id,
      kind,
      state: is,
      sizeBytes,
      doneBytes,
      pieces,
      heldPieces,
      peers,
      error: error?.code,
    }),
  );
  const report = {
    shoal: VERSION,
    vscode: vscode.version,
    app: vscode.env.appName,
    remote: vscode.env.remoteName ?? '',
    system: `${os.platform()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    phase: phaseOf(state),
    engine: state.engine,
    failure: state.failure?.message ?? '',
    home: launcher.home.folder,
    place: launcher.place,
    overview: state.overview && { ...state.overview, groups: state.overview.groups.length },
    transfers,
    engineLog: readLastLines(launcher.home.logFile),
  };
  await vscode.env.clipboard.writeText(JSON.stringify(report, undefined, 2));
  log.info('diagnostics copied');
  void vscode.window.showInformationMessage(
    t(
      "Copied. It holds versions, states and the last lines of the engine's log, with paths and " +
        'addresses; no passwords, keys or file contents.',
    ),
  );
};

function readLastLines(file: string): readonly string[] {
  try {
    const { size } = fs.statSync(file);
    const bytes = Buffer.alloc(Math.min(size, LOG_BYTES));
    const handle = fs.openSync(file, 'r');
    try {
      fs.readSync(handle, bytes, 0, bytes.length, size - bytes.length);
    } finally {
      fs.closeSync(handle);
    }
    return bytes.toString('utf8').trim().split('\n').slice(-LOG_LINES);
  } catch {
    return []; // there is none yet
  }
}
