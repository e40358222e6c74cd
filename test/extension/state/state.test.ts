// What situation a window is in, and what follows from it for menus and welcome texts: as data.
import assert from 'node:assert/strict';
import type { Overview } from '../../../protocol/messages/engineLink.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { GroupId } from '../../../protocol/base/ids.ts';
import { contextKeysOf, doneSteps, INITIAL_STATE, phaseOf } from '../../../extension/state/state.ts';
import type { Phase, WindowState } from '../../../extension/state/state.ts';
import { aFile, aGroup, anOverview, aTransfer } from '../../support/fakes/fakeEngine.ts';

type Link = 'connecting' | 'up' | 'down' | 'refused';
const trackers = (...links: readonly Link[]): Pick<Overview, 'trackers'> => ({
  trackers: links.map((link, i) => ({
    address: { host: 't', port: i },
    link,
    inUse: link === 'up' && links.indexOf('up') === i,
    error: undefined,
    pair: 'whole',
  })),
});
const up = (fields: Partial<Overview> = {}): Partial<WindowState> => ({
  engine: 'up',
  overview: anOverview(fields),
  knowsGroups: true,
});

describe('the phase of a window', () => {
  const rows: readonly (readonly [says: string, state: Partial<WindowState>, phase: Phase])[] = [
    ['nothing at first', {}, 'starting'],
    ['that nobody has used Shoal here', { engine: 'idle' }, 'noTracker'],
    ['that nobody is signed in', { engine: 'idle', knowsTracker: true }, 'signedOut'],
    ['nothing while it connects', { engine: 'connecting', knowsTracker: true }, 'starting'],
    ['that nobody is signed in, asked of the engine', up({ account: undefined }), 'signedOut'],
    ['that no tracker was named, asked of the engine', up({ account: undefined, trackerUrl: '' }), 'noTracker'],
    [
      'nothing while trackers are dialled for the first time',
      { ...up(trackers('connecting', 'down')), knowsGroups: false },
      'starting',
    ],
    ['nothing until a tracker has told of the groups', { ...up(), knowsGroups: false }, 'starting'],
    ['that all is well', up(), 'ready'],
    ['that all is well with one tracker', up(trackers('down', 'up')), 'ready'],
    ['that no tracker can be reached', up(trackers('down', 'down')), 'offline'],
    [
      'that no tracker can be reached, from the start',
      { ...up(trackers('down', 'refused')), knowsGroups: false },
      'offline',
    ],
    ['that no tracker can be reached while one is tried again', up(trackers('connecting', 'down')), 'offline'],
    ['that the engine was stopped', { engine: 'stopped' }, 'stopped'],
    ['that the engine cannot be started', { engine: 'failed', failure: new ShoalError('engineUnreachable') }, 'failed'],
    ['that the engine is newer', { engine: 'outdated' }, 'outdated'],
  ];
  for (const [says, state, phase] of rows) {
    it(`says ${says}`, () => assert.equal(phaseOf({ ...INITIAL_STATE, ...state }), phase));
  }
});

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
