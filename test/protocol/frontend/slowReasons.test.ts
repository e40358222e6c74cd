// Why a transfer is not faster, case by case: which reasons there are, the first being what a
// person should hear, and its sentence.
// Covers: protocol/frontend/slowReasons.ts, protocol/frontend/slowReasonText.ts
import assert from 'node:assert/strict';
import { ShoalError } from '../../../protocol/base/errors.ts';
import type { Overview, Transfer } from '../../../protocol/messages/engineLink.ts';
import type { SwarmView } from '../../../protocol/messages/swarmView.ts';
import { slowReasons } from '../../../protocol/frontend/slowReasons.ts';
import type { SlowReason } from '../../../protocol/frontend/slowReasons.ts';
import { toWire } from '../../../protocol/wire/wireErrors.ts';
import { slowReasonText } from '../../../protocol/frontend/slowReasonText.ts';
import { anOverview, aPeer, aSwarm, aTransfer } from '../../support/fakes/fakeEngine.ts';

const MIB = 1024 ** 2;
const NOW_MS = 10 * 3600_000;
const nowhere = {
  pieces: 4,
  ranges: [{ first: 6, last: 9 }],
  lastHad: { user: 'alice', atMs: NOW_MS - 2 * 3600_000, pieces: 4 },
};
const still = { requestedPieces: 0, missingPieces: 4, heldPieces: 6, nowhere };
const peer = aPeer;

interface Case {
  readonly transfer?: Partial<Transfer>;
  readonly overview?: Partial<Overview>;
  /** `undefined` while it is not known. */
  readonly swarm?: Partial<SwarmView> | undefined;
}

describe('why a transfer is not faster', () => {
  const rows: readonly (readonly [says: string, given: Case, whys: readonly SlowReason['is'][], first: RegExp])[] = [
    ['a pause', { transfer: { state: 'paused' } }, ['paused'], /^It is paused\.$/],
    ['a turn', { transfer: { state: 'queued', place: 3 } }, ['turn'], /number 3 of all/],
    [
      'a full disk',
      { transfer: { error: toWire(new ShoalError('diskFull', { path: '/x', bytes: 5 })) } },
      ['trouble'],
      /./,
    ],
    [
      'its own limit',
      { transfer: { downBytesPerS: 95_000, downLimitBytesPerS: 100_000 } },
      ['downLimit'],
      /^Your limit for this download holds: 97\.7 KiB\/s\.$/,
    ],
    [
      'the limit of all',
      { overview: { downBytesPerS: 2 * MIB, downLimitBytesPerS: 2 * MIB } },
      ['downLimit'],
      /^Your limit for all downloads holds: 2\.00 MiB\/s\.$/,
    ],
    [
      'no limit that is far away',
      { transfer: { downBytesPerS: 1000, downLimitBytesPerS: 100_000 } },
      ['senders'],
      /^Only bob sends, at 1\.00 MiB\/s\.$/,
    ],
    ['a slow disk', { swarm: { isDiskBusy: true } }, ['disk'], /disk/],
    ['one sender', {}, ['senders'], /^Only bob sends/],
    [
      'two senders, one person with two machines being one',
      { swarm: { peers: [peer(), peer({ user: 'carol' }), peer()] } },
      ['senders'],
      /^It comes as fast as bob and carol send it: 3\.00 MiB\/s\.$/,
    ],
    [
      'busy peers',
      { swarm: { peers: [peer({ state: 'asked', downBytesPerS: 0 }), peer({ state: 'resting', downBytesPerS: 0 })] } },
      ['busy'],
      /^All 2 peers that could send something are busy/,
    ],
    [
      'pieces that are nowhere',
      { swarm: { ...still, peers: [peer({ downBytesPerS: 0, state: 'idle', pieces: 6 })] } },
      ['nowhere'],
      /^Pieces 7-10 of 10 are with nobody who is connected; alice had them 2 h ago\.$/,
    ],
    ['pieces that will be missing, beside what comes', { swarm: { nowhere } }, ['senders', 'nowhere'], /^Only bob/],
    [
      'nobody, with who had it',
      { transfer: { state: 'waiting' }, swarm: { ...still, peers: [peer({ state: 'left', downBytesPerS: 0 })] } },
      ['nobody'],
      /^Nobody who is online has pieces 7-10 of 10; alice had them/,
    ],
    [
      'nobody at all',
      { transfer: { state: 'waiting' }, swarm: { peers: [] } },
      ['nobody'],
      /^Nobody who is online has it\.$/,
    ],
    [
      'peers who have nothing yet',
      { transfer: { state: 'waiting' }, swarm: { peers: [peer({ state: 'idle', pieces: 0, downBytesPerS: 0 })] } },
      ['nobody'],
      /^Nobody/,
    ],
    [
      'who cannot be reached',
      { swarm: { peers: [peer({ state: 'unreachable', downBytesPerS: 0 })] } },
      ['unreachable'],
      /^bob is online but cannot be reached from here/,
    ],
    [
      'who is being dialled',
      { swarm: { peers: [peer({ state: 'joining', downBytesPerS: 0 })] } },
      ['connecting'],
      /^1 peer is being connected to\.$/,
    ],
    ['hashes that have not come', { swarm: { hasHashes: false } }, ['hashes'], /hashes/],
    [
      'trackers that are away',
      { overview: { trackers: anOverview().trackers.map((tracker) => ({ ...tracker, link: 'down' })) } },
      ['senders', 'trackersAway'],
      /^Only bob/,
    ],
    [
      'who sent what was wrong',
      { swarm: { peers: [peer(), peer({ user: 'mallory', state: 'wrong', downBytesPerS: 0 })] } },
      ['senders', 'wrong'],
      /^Only bob/,
    ],
    [
      'a download that stands still, before the swarm is known',
      { transfer: { state: 'downloading', peers: 2, pieces: 10, nowhere }, swarm: undefined },
      ['nowhere'],
      /^Pieces 7-10 of 10 are with nobody who is connected/,
    ],
    [
      'nobody, before the swarm is known',
      { transfer: { state: 'waiting', peers: 0, pieces: 10, nowhere }, swarm: undefined },
      ['nobody'],
      /alice had them/,
    ],
    [
      'a share that nobody takes',
      { transfer: { state: 'seeding', kind: 'share' }, swarm: { peers: [] } },
      ['nobodyTakes'],
      /^Nobody is taking it now\.$/,
    ],
    [
      'a share and its limit',
      {
        transfer: { state: 'seeding', upBytesPerS: MIB, upLimitBytesPerS: MIB },
        swarm: { peers: [peer({ upBytesPerS: MIB })] },
      },
      ['upLimit'],
      /^Your limit for this file/,
    ],
    [
      'a share and who takes it',
      { transfer: { state: 'seeding' }, swarm: { peers: [peer({ upBytesPerS: MIB })] } },
      ['takers'],
      /^bob takes it at 1\.00 MiB\/s\.$/,
    ],
  ];
  for (const [says, given, whys, first] of rows) {
    it(`is ${says}`, () => {
      const transfer = aTransfer({ pieces: 10, ...given.transfer });
      const swarm = 'swarm' in given && given.swarm === undefined ? undefined : aSwarm(given.swarm);
      const found = slowReasons(transfer, anOverview(given.overview), swarm);
      assert.deepEqual(
        found.map(({ is }) => is),
        whys,
      );
      assert.match(found[0] ? slowReasonText(found[0], transfer, NOW_MS) : '', first);
    });
  }

  it('names nobody so that it turns a line or forges one', () => {
    const text = slowReasonText({ is: 'senders', users: ['a\u202Eb\nc'], bytesPerS: 1 }, aTransfer(), 0);
    assert.equal(text, 'Only a\\u{202e}b\\u{a}c sends, at 1 B/s.');
  });
});
