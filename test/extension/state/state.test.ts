// What situation a window is in: as data.
import assert from 'node:assert/strict';
import { ShoalError } from '../../../protocol/base/errors.ts';
import { INITIAL_STATE, phaseOf } from '../../../extension/state/state.ts';
import type { Phase, WindowState } from '../../../extension/state/state.ts';
import { trackers, up } from '../../support/fakes/windowStates.ts';

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
