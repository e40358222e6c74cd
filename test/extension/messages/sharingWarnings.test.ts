// What is asked before something is shared, and what marks it in the explorer afterwards.
// Covers: extension/messages/sharingWarnings.ts, extension/contributions/fileMarks.ts
import assert from 'node:assert/strict';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import { sharingQuestion, reasonsText } from '../../../extension/messages/sharingWarnings.ts';
import type { SharingWarning } from '../../../extension/messages/sharingWarnings.ts';
import { fileMarksOf } from '../../../extension/contributions/fileMarks.ts';
import { aTransfer } from '../../support/fakes/fakeEngine.ts';

describe('the question before sharing', () => {
  const ignored = (name: string): SharingWarning => ({ name, why: 'ignored' });
  it('is another one for what git ignores than for secrets', () => {
    assert.equal(sharingQuestion([ignored('data.bin')], 'team'), 'Git ignores data.bin. Share it in team?');
    assert.equal(sharingQuestion([ignored('a'), ignored('b')], 'team'), 'Git ignores some of this. Share it in team?');
    assert.equal(
      sharingQuestion([ignored('a'), { name: '.env', why: 'environment' }], 'team'),
      'This may hold secrets. Share it in team?',
    );
  });
  it('gives a reason for each, the worst first, and counts what is too much to read', () => {
    assert.deepEqual(
      reasonsText([ignored('a'), { name: 'id_rsa', why: 'privateKey' }])
        .split('\n')
        .slice(0, 3),
      ['id_rsa: a private key', 'a: git ignores it', ''],
    );
    const many = reasonsText(
      Array.from({ length: 30 }, (_, n): SharingWarning => ({ name: `${n}.kdbx`, why: 'passwords' })),
    ).split('\n');
    assert.deepEqual([many.length, many[8]], [11, 'and 22 more']);
  });
  it('shows names as they are, and nothing of what they try', () => {
    assert.equal(
      reasonsText([{ name: '[.env](command:evil)\u202e\n.env', why: 'environment' }])
        .split('\n')[0]
        ?.includes(']('),
      false,
    );
    assert.equal(/[\u202e]/.test(sharingQuestion([ignored('a\u202eb')], 'te\u202eam')), false);
  });
});

describe('marks in the explorer', () => {
  const marks = (...all: readonly Partial<Transfer>[]): readonly string[] =>
    [...fileMarksOf({ transfers: new Map(all.map((one, id) => [id, aTransfer({ path: '/w/a', ...one, id })])) })].map(
      ([file, { badge, tooltip }]) => `${file} ${badge} ${tooltip}`,
    );
  const rows: readonly (readonly [says: string, found: readonly string[], expected: readonly string[]])[] = [
    ['what is shared', marks({ kind: 'share', state: 'seeding' }), ['/w/a ↑ Shared in team']],
    ['what is about to be', marks({ kind: 'share', state: 'hashing' }), ['/w/a ↑ Being shared in team']],
    ['what is coming', marks({ state: 'downloading' }), ['/w/a ↓ Coming from team']],
    ['what has come', marks({ state: 'seeding' }), ['/w/a ↑ Downloaded from team and shared with its members']],
    [
      'what changed under its sharer, before all else',
      marks(
        { kind: 'share', state: 'seeding', groupName: 'b' },
        { kind: 'share', state: 'gone' },
        { state: 'downloading' },
      ),
      ['/w/a ! Changed: not shared in team any more'],
    ],
    ['nothing that failed or has no place', marks({ state: 'failed' }, { path: '', state: 'downloading' }), []],
    [
      'no group by its tricks',
      marks({ kind: 'share', state: 'seeding', groupName: 'a\u202eb' }),
      ['/w/a ↑ Shared in a\\u{202e}b'],
    ],
  ];
  for (const [says, found, expected] of rows) it(`tell ${says}`, () => assert.deepEqual(found, expected));
});
