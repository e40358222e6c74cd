// How a transfer stands, in one line.
import assert from 'node:assert/strict';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import { ShoalError } from '../../../protocol/base/errors.ts';
import { toWire } from '../../../protocol/wire/wireErrors.ts';
import { progressText } from '../../../extension/messages/transferText.ts';
import { aTransfer } from '../../support/fakes/fakeEngine.ts';

describe('how a transfer stands', () => {
  const NOW_MS = 3_600_000;
  const hadMinutesAgo = (pieces: number) => ({ user: 'alice', pieces, atMs: NOW_MS - 5 * 60_000 });
  const rows: readonly (readonly [transfer: Partial<Transfer>, says: string])[] = [
    [{ downBytesPerS: 64 * 1024, peers: 5 }, '50 % · 64.0 KiB/s · 5 peers · 8 s left'],
    [{ state: 'hashing', doneBytes: 262_144 }, 'hashing · 25 %'],
    [{ state: 'waiting', peers: 0 }, '50 % · waiting: nobody online has it'],
    [
      {
        state: 'waiting',
        peers: 0,
        pieces: 40,
        nowhere: { pieces: 4, ranges: [{ first: 16, last: 19 }], lastHad: hadMinutesAgo(4) },
      },
      '50 % · waiting: pieces 17-20 of 40 are missing everywhere; alice had them 5 min ago',
    ],
    [
      {
        state: 'waiting',
        peers: 0,
        pieces: 40,
        nowhere: { pieces: 40, ranges: [{ first: 0, last: 39 }], lastHad: hadMinutesAgo(40) },
      },
      '50 % · waiting: nobody online has it; alice had them 5 min ago',
    ],
    [
      { peers: 2, pieces: 40, nowhere: { pieces: 1, ranges: [{ first: 7, last: 7 }], lastHad: undefined } },
      '50 % · 2 peers · piece 8 of 40 is missing everywhere',
    ],
    [
      { peers: 2, pieces: 40, nowhere: { pieces: 3, ranges: [{ first: 7, last: 9 }], lastHad: hadMinutesAgo(2) } },
      '50 % · 2 peers · pieces 8-10 of 40 are missing everywhere; alice had 2 of them 5 min ago',
    ],
    [{ state: 'paused' }, '50 % · paused'],
    [{ state: 'choosing' }, 'choose its files'],
    [{ state: 'queued', place: 7 }, '50 % · waiting for its turn'],
    [
      { state: 'failed', error: toWire(new ShoalError('destinationUnwritable', { path: '/d', why: 'EACCES' })) },
      'failed · /d cannot be written (EACCES)',
    ],
    [
      { error: toWire(new ShoalError('diskFull', { path: '/d' })) },
      '50 % · the disk that holds /d is full; the download goes on when there is room · 1 peer',
    ],
    [{ state: 'seeding', heldPieces: 2, upBytesPerS: 2048, peers: 1 }, '1.00 MiB · ↑ 2.00 KiB/s · 1 peer'],
    [{ kind: 'share', state: 'gone' }, 'changed or gone: not shared any more'],
    [{ doneBytes: 1024 * 1024, heldPieces: 2 }, '99 % · 1 peer'],
    [{ state: 'checking', doneBytes: 1024 * 1024 }, 'checking · 99 %'],
  ];
  for (const [fields, says] of rows) {
    it(`says “${says}”`, () => assert.equal(progressText(aTransfer(fields), NOW_MS), says));
  }
});
