// The item in the status bar, by the state of the window.
import assert from 'node:assert/strict';
import type { AccountId } from '../../../protocol/base/ids.ts';
import { statusOf } from '../../../extension/contributions/statusBar.ts';
import type { WindowState } from '../../../extension/state/state.ts';
import { anOverview, aTransfer } from '../../support/fakes/fakeEngine.ts';
import { state, transfers } from '../../support/fakes/windowStates.ts';

describe('the status bar', () => {
  const text = (fields: Partial<WindowState>): string | undefined => {
    const status = statusOf(state(fields));
    return status && `${status.text}${status.isWarning ? ' !' : ''}`;
  };
  const offline = anOverview({
    trackers: [{ address: { host: 't', port: 1 }, link: 'down', inUse: false, error: undefined, pair: 'whole' }],
  });
  const rows: readonly (readonly [says: string, state: Partial<WindowState>, text: string | undefined])[] = [
    ['has nothing to say where nobody has used Shoal', { engine: 'idle', overview: undefined }, undefined],
    ['says who is signed in', {}, '$(arrow-swap) Shoal: alice'],
    [
      'says what moves',
      { ...transfers(aTransfer()), overview: anOverview({ downBytesPerS: 1024 * 1024, upBytesPerS: 2048 }) },
      '$(arrow-swap) Shoal: 1↓ 1.00 MiB/s ↑ 2.00 KiB/s',
    ],
    ['warns when no tracker can be reached', { overview: offline }, '$(debug-disconnect) Shoal: offline !'],
    [
      'does not warn while downloads go on',
      { overview: offline, ...transfers(aTransfer()) },
      '$(debug-disconnect) Shoal: offline · 1↓',
    ],
    [
      'says that nobody is signed in',
      { engine: 'idle', overview: undefined, knowsTracker: true },
      '$(arrow-swap) Shoal: signed out',
    ],
    [
      'makes no icon of a name',
      { overview: anOverview({ account: { account: '00' as AccountId, user: '$(trash)' } }) },
      '$(arrow-swap) Shoal: \\$(trash)',
    ],
  ];
  for (const [says, fields, expected] of rows) it(says, () => assert.equal(text(fields), expected));
});
