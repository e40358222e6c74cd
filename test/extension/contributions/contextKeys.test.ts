// What follows from a window's state for menus, welcome texts and the walkthrough: as data.
import assert from 'node:assert/strict';
import type { GroupId } from '../../../protocol/base/ids.ts';
import { contextKeysOf, doneSteps } from '../../../extension/contributions/contextKeys.ts';
import { INITIAL_STATE } from '../../../extension/state/state.ts';
import type { WindowState } from '../../../extension/state/state.ts';
import { aFile, aGroup, anOverview, aTransfer } from '../../support/fakes/fakeEngine.ts';
import { trackers, up } from '../../support/fakes/windowStates.ts';

describe('the keys for menus', () => {
  const team = aGroup();
  const keys = (state: Partial<WindowState>): string =>
    Object.entries(contextKeysOf({ ...INITIAL_STATE, ...up(), ...state }))
      .filter(([, value]) => value === true)
      .map(([key]) => key.replace('shoal.', ''))
      .join(' ');
  const files = (rows: number, isLoaded = true): Pick<WindowState, 'files'> => ({
    files: new Map([[team.group, { rows: Array.from({ length: rows }, () => aFile()), isLoaded, error: undefined }]]),
  });
  const rows: readonly (readonly [says: string, state: Partial<WindowState>, keys: string])[] = [
    ['without an account', { overview: undefined, engine: 'idle' }, ''],
    ['without a group', {}, 'signedIn'],
    ['for an owner with a request', { groups: [team] }, 'signedIn canShare ownsGroup hasRequests hasGroups'],
    ['for an owner', { groups: [aGroup({ requests: [] })] }, 'signedIn canShare ownsGroup hasGroups'],
    ['for a member', { groups: [aGroup({ role: 'member', requests: [] })] }, 'signedIn canShare hasGroups'],
    ['for an applicant', { groups: [aGroup({ role: 'applicant' })] }, 'signedIn hasApplied'],
    [
      'while no tracker can be reached',
      { groups: [aGroup({ requests: [] })], overview: anOverview(trackers('down', 'down')) },
      'signedIn ownsGroup hasGroups',
    ],
    [
      'with an empty catalogue',
      { groups: [aGroup({ requests: [] })], ...files(0) },
      'signedIn canShare ownsGroup hasGroups noFiles',
    ],
    [
      'with a catalogue that was not read yet',
      { groups: [aGroup({ requests: [] })], ...files(0, false) },
      'signedIn canShare ownsGroup hasGroups',
    ],
    [
      'with one of two catalogues read',
      { groups: [aGroup({ requests: [] }), aGroup({ requests: [], group: 'ff' as GroupId, name: 'b' })], ...files(0) },
      'signedIn canShare ownsGroup hasGroups',
    ],
    ['with a file', { groups: [aGroup({ requests: [] })], ...files(1) }, 'signedIn canShare ownsGroup hasGroups'],
    ['with a download', { transfers: new Map([[1, aTransfer()]]) }, 'signedIn hasDownloads hasTransfers'],
  ];
  for (const [says, state, expected] of rows) it(says, () => assert.equal(keys(state), expected));
});

describe('the steps of the walkthrough', () => {
  const done = (state: Partial<WindowState>): string =>
    Object.entries(doneSteps({ ...INITIAL_STATE, ...state }))
      .filter(([, isDone]) => isDone)
      .map(([key]) => key.replace('shoal.done.', ''))
      .join(' ');
  const withTransfers = (...all: Parameters<typeof aTransfer>[0][]): Partial<WindowState> => ({
    transfers: new Map(all.map((fields, i) => [i, aTransfer(fields)])),
  });
  const rows: readonly (readonly [says: string, state: Partial<WindowState>, done: string])[] = [
    ['none at first', {}, ''],
    ['signing in', up(), 'signIn'],
    ['not a group that one only asked to join', { ...up(), groups: [aGroup({ role: 'applicant' })] }, 'signIn'],
    ['a group', { ...up(), groups: [aGroup({ role: 'member' })] }, 'signIn group'],
    ['not what is being hashed', withTransfers({ kind: 'share', state: 'hashing' }), ''],
    ['a share', withTransfers({ kind: 'share', state: 'seeding' }), 'share'],
    ['not what is coming', withTransfers({ state: 'downloading' }), ''],
    ['a download', withTransfers({ state: 'seeding' }), 'download'],
    ['going on sharing', up({ keepSharing: true }), 'signIn stay'],
  ];
  for (const [says, state, expected] of rows) it(says, () => assert.equal(done(state), expected));
});
