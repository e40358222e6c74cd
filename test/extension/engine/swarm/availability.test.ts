// What nobody at hand has, and who last had it: the board's running count against a plain one, and
// the few words that are kept of who left.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Bitfield } from '../../../../protocol/messages/bitfield.ts';
import type { Pin } from '../../../../protocol/base/ids.ts';
import { rangesText } from '../../../../protocol/messages/swarmView.ts';
import { Departed } from '../../../../extension/engine/swarm/departedPeers.ts';
import { nowhereOf } from '../../../../extension/engine/swarm/availability.ts';
import { Pieces } from '../../../../extension/engine/storage/pieceStates.ts';

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
        const board = new Pieces(SIZE);
        const peers: Bitfield[] = [];
        for (const one of steps) {
          if (one.does === 'comes') {
            peers.push(one.theirs);
            board.countHolder(one.theirs, 1);
          } else if (one.does === 'goes') {
            const [gone] = peers.splice(peers.length === 0 ? 0 : one.n % peers.length, 1);
            if (gone) board.countHolder(gone, -1);
          } else {
            const allowed: Partial<Record<string, readonly string[]>> = {
              missing: ['request', 'skip', 'find'],
              requested: ['release', 'verify'],
              verifying: ['hold', 'reject'],
              held: ['lose'],
              unwanted: ['want'],
            };
            if (allowed[board.state(one.piece)]?.includes(one.move)) board.move(one.piece, one.move);
          }
          const plain = Array.from({ length: SIZE }, (_, piece) => piece).filter(
            (piece) => board.state(piece) === 'missing' && !peers.some((theirs) => theirs.has(piece)),
          );
          assert.equal(board.nowhereCount, plain.length);
          const said = nowhereOf(board, undefined);
          assert.equal(said?.pieces ?? 0, plain.length);
          assert.equal(said?.ranges[0]?.first, plain[0]);
        }
      }),
    );
  });

  const board = (theirs: Bitfield): Pieces => {
    const made = new Pieces(SIZE);
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
      const departed = new Departed();
      for (const [n, [user, pieces]] of left.entries()) {
        departed.left(pin(n), { user, theirs: field(...pieces), atMs: n });
      }
      const said =
        nowhereOf(board(field(...all.filter((piece) => !missing.includes(piece)))), departed) ?? assert.fail('nothing');
      assert.deepEqual(
        [rangesText(said), said.lastHad && `${said.lastHad.user} ${said.lastHad.pieces}`],
        [text, lastHad],
      );
    });
  }

  it('says nothing where somebody has everything', () =>
    assert.equal(nowhereOf(board(field(...all)), new Departed()), undefined));
});

describe('who has left', () => {
  const peer = (atMs: number) => ({ user: 'somebody', theirs: field(1), atMs });
  it('is remembered once, as it was last', () => {
    const departed = new Departed();
    departed.left(pin(1), peer(1));
    departed.left(pin(2), peer(2));
    departed.left(pin(1), peer(3));
    assert.deepEqual(
      [...departed.peers.values()].map(({ atMs }) => atMs),
      [2, 3],
    );
  });
  it('is forgotten when it comes back', () => {
    const departed = new Departed();
    departed.left(pin(1), peer(1));
    departed.cameBack(pin(1));
    assert.equal(departed.peers.size, 0);
  });
  it('are few: those who left last', () => {
    const departed = new Departed();
    for (let n = 0; n < 100; n++) departed.left(pin(n), peer(n));
    assert.deepEqual(
      [...departed.peers.values()].map(({ atMs }) => atMs),
      [92, 93, 94, 95, 96, 97, 98, 99],
    );
  });
  it('is nobody who had nothing', () => {
    const departed = new Departed();
    departed.left(pin(1), { ...peer(1), theirs: field() });
    assert.equal(departed.peers.size, 0);
  });
});
