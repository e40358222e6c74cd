// What the swarm inspector shows, as a function of what the engine tells; and the door between a
// window and its page, where everything is checked.
// Covers: extension/inspector/viewModel.ts, extension/inspector/rateHistory.ts
// Covers: extension/engineClient/swarmSubscriptions.ts, extension/webview/cellCounts.ts
// Covers: extension/webview/messages.ts
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Transfer } from '../../../protocol/messages/engineLink.ts';
import type { SwarmPeerView, SwarmView } from '../../../protocol/messages/swarmView.ts';
import { pageText, viewModelOf } from '../../../extension/inspector/viewModel.ts';
import { RateHistory } from '../../../extension/inspector/rateHistory.ts';
import { SwarmSubscriptions } from '../../../extension/engineClient/swarmSubscriptions.ts';
import { slowReasonText } from '../../../protocol/frontend/slowReasonText.ts';
import { countsOf } from '../../../extension/webview/cellCounts.ts';
import type { Shown } from '../../../extension/webview/messages.ts';
import { ACTIONS, fill, fromPage, parseSavedState, KINDS, toPage } from '../../../extension/webview/messages.ts';
import { anOverview, aPeer, aSwarm, aTransfer } from '../../support/fakes/fakeEngine.ts';

const MIB = 1024 ** 2;
const NOW_MS = 5 * 3600_000;
const show = (transfer: Partial<Transfer> = {}, swarm?: Partial<SwarmView>): Shown =>
  viewModelOf({
    transfer: aTransfer(transfer),
    overview: anOverview(),
    swarm: swarm && aSwarm(swarm),
    history: { peakDown: 3 * MIB, peakUp: 0 },
    nowMs: NOW_MS,
  });

describe('the swarm inspector', () => {
  it('says what it is about, how far it is and what holds it up', () => {
    const { title, about, progress, share, reasons, rates } = show({ downBytesPerS: MIB, pieces: 10 }, {});
    assert.deepEqual(
      { title, about, progress, share, reasons, rates },
      {
        title: 'dump.sql',
        about: 'Group team · 1.00 MiB · 10 pieces of 512 KiB',
        progress: '50 % · 1.00 MiB/s · 1 peer · 1 s left',
        share: 0.5,
        reasons: ['Only bob sends, at 1.00 MiB/s.'],
        rates: ['Down 1.00 MiB/s, at most 3.00 MiB/s', 'Up 0 B/s, at most 0 B/s'],
      },
    );
  });

  it('says once what is missing everywhere', () => {
    const nowhere = {
      pieces: 4,
      ranges: [{ first: 6, last: 9 }],
      lastHad: { user: 'alice', atMs: NOW_MS - 7_200_000, pieces: 4 },
    };
    const { progress, reasons, map } = show(
      { state: 'waiting', pieces: 10, nowhere },
      { nowhere, requestedPieces: 0, peers: [] },
    );
    assert.equal(progress, '50 % · waiting: nobody online has it');
    assert.deepEqual(reasons, ['Nobody who is online has pieces 7-10 of 10; alice had them 2 h ago.']);
    assert.deepEqual(map?.counts, { held: 4, requested: 0, verifying: 0, missing: 0, nowhere: 4, unwanted: 0 });
  });

  const buttons: readonly (readonly [of: Partial<Transfer>, actions: string])[] = [
    [{ state: 'downloading' }, 'pauseDownload limitSpeed'],
    [{ state: 'paused' }, 'resumeDownload limitSpeed'],
    [{ state: 'failed' }, 'resumeDownload'],
    [{ state: 'seeding' }, 'limitSpeed verifyFile'],
    [{ kind: 'share', state: 'seeding' }, 'limitSpeed verifyFile'],
    [{ state: 'gone' }, ''],
  ];
  for (const [of, actions] of buttons) {
    it(`has the buttons of a transfer that is ${JSON.stringify(of)}`, () =>
      assert.equal(
        show(of, {})
          .actions.map(({ action }) => action)
          .join(' '),
        actions,
      ));
  }

  const peers: readonly (readonly [peer: Partial<SwarmPeerView>, cells: string, tone: string])[] = [
    [{}, 'bob | all | 1.00 MiB/s |  | 2.00 MiB |  | sends 2 pieces', 'active'],
    [
      { state: 'taking', downBytesPerS: 0, upBytesPerS: 2048, gaveBytes: 0, tookBytes: 4096, pieces: 5 },
      'bob | 50 % |  | 2.00 KiB/s |  | 4.00 KiB | takes from you',
      'active',
    ],
    [
      { state: 'left', downBytesPerS: 0, gaveBytes: 0, leftAtMs: NOW_MS - 60_000 },
      'bob | all |  |  |  |  | left 1 min ago',
      'quiet',
    ],
    [
      { state: 'wrong', downBytesPerS: 0, gaveBytes: 0, pieces: 0, why: 'piece 4 was wrong' },
      'bob |  |  |  |  |  | left alone: it sent what was wrong',
      'bad',
    ],
    [{ user: 'a\u202Eb', state: 'other', downBytesPerS: 0, gaveBytes: 0 }, 'a\\u{202e}b | all |  |  |  |  | ', 'quiet'],
  ];
  for (const [peer, cells, tone] of peers) {
    it(`shows the peer ${JSON.stringify(peer)}`, () => {
      const [row] = show({}, { peers: [aPeer(peer)] }).peers;
      assert.deepEqual([Object.values(row?.cells ?? {}).join(' | '), row?.tone], [cells, tone]);
    });
  }

  it('gives the page bytes of their own, not the memory that they came in', () => {
    const { cells } = aSwarm();
    const wire = Buffer.concat([Buffer.alloc(4096), cells.held]).subarray(4096);
    const { map } = show({}, { cells: { ...cells, held: wire } });
    assert.deepEqual([...(map?.cells.held ?? [])], [...cells.held]);
    assert.equal(map?.cells.held.buffer.byteLength, 10);
  });

  it('has a sentence for every reason, whole and with nothing left to fill in', () => {
    const reasons = ['paused', 'checking', 'hashing', 'choosing', 'trouble', 'hashes', 'disk', 'nobodyTakes'] as const;
    for (const is of reasons) assert.match(slowReasonText({ is }, aTransfer(), 0), /^[A-Z][^{}]*\.$/);
    assert.equal(
      slowReasonText({ is: 'senders', users: ['a', 'b', 'c', 'd', 'e'], bytesPerS: MIB }, aTransfer(), 0),
      'It comes as fast as a, b, c and 2 more send it: 1.00 MiB/s.',
    );
    assert.equal(
      slowReasonText({ is: 'unreachable', users: ['a', 'b'] }, aTransfer(), 0),
      'a and b are online but cannot be reached from here, nor from there.',
    );
  });

  it('remembers five minutes of rates', () => {
    const history = new RateHistory();
    for (let s = 0; s < 1000; s++) history.add(s * 1000, s, 0);
    const { ageS, down } = history.rates(1000_000);
    assert.deepEqual([ageS.length, ageS[0], ageS.at(-1), down.at(-1), history.peakDown], [301, -301, -1, 999, 999]);
  });
});

describe('the door between a window and its page', () => {
  const words = { is: 'words', transfer: 3, words: pageText('en') };
  const shown = { is: 'show', shown: show({}, { peers: [aPeer()] }) };
  const rates = { is: 'rates', rates: { ageS: [-1, 0], down: [1, 2], up: [0, 0] } };

  it('lets in what the window says', () => {
    for (const message of [words, shown, rates, { is: 'nothing', text: 'x' }]) assert.equal(toPage(message), message);
  });
  it('lets in what the page says', () => {
    assert.deepEqual(fromPage({ is: 'ready', more: 1 }), { is: 'ready' });
    for (const action of ACTIONS) assert.deepEqual(fromPage({ is: 'act', action }), { is: 'act', action });
  });
  it('lets nothing else out of the page: no other command, nothing inherited', () => {
    for (const message of [
      undefined,
      null,
      'ready',
      [],
      {},
      { is: 'act' },
      { is: 'act', action: 'signOut' },
      { is: 'act', action: 'toString' },
      { is: 'act', action: ['pauseDownload'] },
    ]) {
      assert.equal(fromPage(message), undefined);
    }
    fc.assert(
      fc.property(fc.anything(), (message) => {
        const said = fromPage(message);
        assert.ok(said === undefined || said.is === 'ready' || ACTIONS.includes(said.action));
      }),
    );
  });
  it('lets no message in that lacks something or has something else there', () => {
    const broken: readonly unknown[] = [
      { ...words, words: { ...words.words, pieces: 5 } },
      { ...words, words: { ...words.words, kinds: {} } },
      { ...words, transfer: -1 },
      { is: 'show', shown: { ...shown.shown, title: 5 } },
      { is: 'show', shown: { ...shown.shown, reasons: 'x' } },
      { is: 'show', shown: { ...shown.shown, peers: [{}] } },
      { is: 'show', shown: { ...shown.shown, actions: [{ action: 'signOut', label: 'x' }] } },
      { is: 'show', shown: { ...shown.shown, map: { ...shown.shown.map, cellPieces: 0 } } },
      { is: 'show', shown: { ...shown.shown, map: { ...shown.shown.map, pieces: 2 ** 40 } } },
      { is: 'rates', rates: { ageS: [1], down: [], up: [] } },
      { is: 'rates', rates: { ageS: [NaN], down: [1], up: [1] } },
    ];
    for (const message of broken) assert.equal(toPage(message), undefined, JSON.stringify(message)?.slice(0, 80));
    fc.assert(
      fc.property(fc.anything(), (message) => {
        toPage(message);
        parseSavedState(message);
      }),
    );
  });
  it('takes of a kept state what it knows', () => {
    assert.deepEqual(parseSavedState({ transfer: 4, sortBy: 'down', isDescending: true }), {
      transfer: 4,
      sortBy: 'down',
      isDescending: true,
    });
    assert.deepEqual(parseSavedState({ transfer: 4, sortBy: 'constructor' }), {
      transfer: 4,
      sortBy: undefined,
      isDescending: false,
    });
    for (const state of [undefined, null, {}, { transfer: '4' }, { transfer: -1 }, { transfer: 1.5 }]) {
      assert.equal(parseSavedState(state), undefined);
    }
  });
  it('fills words once, whatever the values look like', () => assert.equal(fill('{0}: {1}', '{1}', '$&'), '{1}: $&'));
});

describe('a cell of the piece map', () => {
  it('stands for each of its pieces once', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 128 }),
        fc.nat(9),
        (pieces, cellPieces, peers) => {
          const count = Math.ceil(pieces / cellPieces);
          const column = (value: number): Uint8Array => new Uint8Array(count).fill(value);
          const quarter = Math.floor(Math.min(cellPieces, pieces - (count - 1) * cellPieces) / 4);
          const map = {
            pieces,
            cellPieces,
            cells: {
              held: column(quarter),
              requested: column(quarter),
              verifying: column(0),
              unwanted: column(quarter),
              nowhere: column(peers === 0 ? quarter : 0),
              peers: column(peers),
            },
            counts: { held: 0, requested: 0, verifying: 0, missing: 0, nowhere: 0, unwanted: 0 },
          };
          let sum = 0;
          for (let cell = 0; cell < count; cell++) {
            const counts = countsOf(map, cell);
            assert.equal(
              KINDS.reduce((all, kind) => all + counts[kind], 0),
              counts.size,
            );
            assert.ok(counts.missing >= 0 && (counts.nowhere === 0 || peers === 0));
            sum += counts.size;
          }
          assert.equal(sum, pieces);
        },
      ),
    ));
});

describe('the swarms that a window looks at', () => {
  const told: string[] = [];
  const looks = (): SwarmSubscriptions => {
    told.length = 0;
    return new SwarmSubscriptions(({ transfer, on }) => {
      told.push(`${transfer} ${on ? 'on' : 'off'}`);
      return Promise.reject(new Error('the engine has just gone'));
    });
  };
  it('are told to the engine, and to the next one', () => {
    const all = looks();
    const seen: number[] = [];
    const stop = all.subscribe(3, ({ heldPieces }) => seen.push(heldPieces));
    all.onView(aSwarm({ transfer: 3, heldPieces: 7 }));
    all.onView(aSwarm({ transfer: 4, heldPieces: 8 }));
    all.renew();
    stop();
    stop();
    all.onView(aSwarm({ transfer: 3, heldPieces: 9 }));
    all.renew();
    assert.deepEqual([told, seen], [['3 on', '3 on', '3 off'], [7]]);
  });
  it('stay until the last one looks away', () => {
    const all = looks();
    const [one, other] = [all.subscribe(3, () => {}), all.subscribe(3, () => {})];
    one();
    assert.deepEqual(told, ['3 on', '3 on']);
    other();
    assert.deepEqual(told, ['3 on', '3 on', '3 off']);
  });
});
