// What nobody at hand has, and who last had it: the board's running count against a plain one, and
// the few words that are kept of who left.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Bitfield } from '../../../../protocol/messages/bitfield.ts';
import type { Pin } from '../../../../protocol/base/ids.ts';
import { rangesText } from '../../../../protocol/messages/swarmView.ts';
import { DepartedPeers } from '../../../../extension/engine/swarm/departedPeers.ts';
import { unavailablePieces } from '../../../../extension/engine/swarm/availability.ts';
import { PieceStates } from '../../../../extension/engine/storage/pieceStates.ts';

const SIZE = 24;
const field = (...pieces: readonly number[]): Bitfield => {
  const made = new Bitfield(SIZE);
  for (const piece of pieces) made.add(piece);
  return made;
};
const pin = (n: number): Pin => n.toString(16).padStart(64, '0') as Pin;

describe('what nobody at hand has', () => {
  it('is counted as peers come and go and pieces move', () => {
    const pieces = fc.uniqueArray(fc.nat(SIZE - 1)).map((all) => field(...all));
    const step = fc.oneof(
      pieces.map((theirs) => ({ does: 'comes', theirs }) as const),
      fc.nat().map((n) => ({ does: 'goes', n }) as const),
      fc
        .tuple(
          fc.nat(SIZE - 1),
          fc.constantFrom('request', 'release', 'verify', 'hold', 'reject', 'lose', 'skip', 'want', 'find'),
        )
        .map(([piece, move]) => ({ does: 'move', piece, move }) as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const states = new PieceStates(SIZE);
        const peers: Bitfield[] = [];
        for (const one of steps) {
          if (one.does === 'comes') {
            peers.push(one.theirs);
            states.countHolder(one.theirs, 1);
          } else if (one.does === 'goes') {
            const [gone] = peers.splice(peers.length === 0 ? 0 : one.n % peers.length, 1);
            if (gone) states.countHolder(gone, -1);
          } else {
            const allowed: Partial<Record<string, readonly string[]>> = {
              missing: ['request', 'skip', 'find'],
              requested: ['release', 'verify'],
              verifying: ['hold', 'reject'],
              held: ['lose'],
              unwanted: ['want'],
            };
            if (allowed[states.state(one.piece)]?.includes(one.move)) states.move(one.piece, one.move);
          }
          const plain = Array.from({ length: SIZE }, (_, piece) => piece).filter(
            (piece) => states.state(piece) === 'missing' && !peers.some((theirs) => theirs.has(piece)),
          );
          assert.equal(states.unavailableCount, plain.length);
          const said = unavailablePieces(states, undefined);
          assert.equal(said?.pieces ?? 0, plain.length);
          assert.equal(said?.ranges[0]?.first, plain[0]);
        }
      }),
    );
  });

  const board = (theirs: Bitfield): PieceStates => {
    const made = new PieceStates(SIZE);
    made.countHolder(theirs, 1);
    return made;
  };
  const all = Array.from({ length: SIZE }, (_, piece) => piece);
  const rows: readonly (readonly [
    says: string,
    missing: readonly number[],
    left: readonly (readonly [user: string, pieces: readonly number[]])[],
    text: string,
    lastHad: string | undefined,
  ])[] = [
    ['names ranges as people count', [16, 17, 18, 19, 22], [], '17-20, 23', undefined],
    ['says who had them', [16, 17], [['alice', all]], '17-18', 'alice 2'],
    [
      'says who had the most of them',
      [1, 2, 3],
      [
        ['alice', [1, 2]],
        ['bob', [3]],
      ],
      '2-4',
      'alice 2',
    ],
    [
      'says who left last among equals',
      [1, 2, 3],
      [
        ['alice', all],
        ['bob', all],
      ],
      '2-4',
      'bob 3',
    ],
    ['names nobody who had none of them', [1], [['alice', [5, 6]]], '2', undefined],
    ['names a few ranges of many', [0, 2, 4, 6, 8, 10], [], '1, 3, 5, 7 …', undefined],
  ];
  for (const [says, missing, left, text, lastHad] of rows) {
    it(says, () => {
      const departedPeers = new DepartedPeers();
      for (const [n, [user, pieces]] of left.entries()) {
        departedPeers.add(pin(n), { user, had: field(...pieces), atMs: n });
      }
      const said =
        unavailablePieces(board(field(...all.filter((piece) => !missing.includes(piece)))), departedPeers) ??
        assert.fail('nothing');
      assert.deepEqual(
        [rangesText(said), said.lastHad && `${said.lastHad.user} ${said.lastHad.pieces}`],
        [text, lastHad],
      );
    });
  }

  it('says nothing where somebody has everything', () =>
    assert.equal(unavailablePieces(board(field(...all)), new DepartedPeers()), undefined));
});

describe('who has left', () => {
  const peer = (atMs: number) => ({ user: 'somebody', had: field(1), atMs });
  it('is remembered once, as it was last', () => {
    const departedPeers = new DepartedPeers();
    departedPeers.add(pin(1), peer(1));
    departedPeers.add(pin(2), peer(2));
    departedPeers.add(pin(1), peer(3));
    assert.deepEqual(
      [...departedPeers.peers.values()].map(({ atMs }) => atMs),
      [2, 3],
    );
  });
  it('is forgotten when it comes back', () => {
    const departedPeers = new DepartedPeers();
    departedPeers.add(pin(1), peer(1));
    departedPeers.remove(pin(1));
    assert.equal(departedPeers.peers.size, 0);
  });
  it('are few: those who left last', () => {
    const departedPeers = new DepartedPeers();
    for (let n = 0; n < 100; n++) departedPeers.add(pin(n), peer(n));
    assert.deepEqual(
      [...departedPeers.peers.values()].map(({ atMs }) => atMs),
      [92, 93, 94, 95, 96, 97, 98, 99],
    );
  });
  it('is nobody who had nothing', () => {
    const departedPeers = new DepartedPeers();
    departedPeers.add(pin(1), { ...peer(1), had: field() });
    assert.equal(departedPeers.peers.size, 0);
  });
});
