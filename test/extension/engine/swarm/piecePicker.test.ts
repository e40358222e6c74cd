import assert from 'node:assert';
import fc from 'fast-check';
import { Bitfield } from '../../../../protocol/messages/bitfield.ts';
import type { PickerMode } from '../../../../protocol/messages/engineLink.ts';
import { ENDGAME_PEERS_MAX, pickPiece } from '../../../../extension/engine/swarm/piecePicker.ts';
import { PieceStates } from '../../../../extension/engine/storage/pieceStates.ts';

type Ours = 'missing' | 'held' | 'verifying' | 'asked' | 'asked here' | 'may move' | 'arriving' | 'asked twice';

/** Reads a board: `piece  ours  holders  this peer`. */
function boardOf(text: string): { board: PieceStates; theirs: Bitfield; ours: readonly Ours[] } {
  const rows = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s{2,}/));
  const states = new PieceStates(rows.length);
  const theirs = new Bitfield(rows.length);
  const ours = rows.map(([, state]) => state as Ours);
  for (const [n, [, state, holders, peer]] of rows.entries()) {
    for (let h = 0; h < Number(holders); h++) states.addHolder(n);
    if (peer === 'has') theirs.add(n);
    if (state === 'held') states.move(n, 'find');
    else if (state !== 'missing') states.move(n, 'request');
    if (state === 'verifying') states.move(n, 'verify');
  }
  return { board: states, theirs, ours };
}

/** Every piece that may be picked, over many rolls of the dice. */
function picks(
  text: string,
  mode: PickerMode = 'rarest',
  comingTo: ReadonlyMap<number, number> = new Map(),
  urgent: readonly number[] = [],
  onlyUrgent = false,
): readonly (number | undefined)[] {
  const { board: states, theirs: peerHas, ours } = boardOf(text);
  const seen = new Set<number | undefined>();
  let seed = 1;
  const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const inFlight = (piece: number) => {
    const state = ours[piece];
    return {
      peersAsked: state === 'asked twice' ? ENDGAME_PEERS_MAX : 1,
      isFromThisPeer: state === 'asked here',
      mayMove: state === 'may move',
      isArriving: state === 'arriving',
    };
  };
  for (let n = 0; n < 400; n++) {
    seen.add(
      pickPiece({
        states,
        peerHas,
        mode,
        urgent,
        onlyUrgent,
        random,
        inFlight,
        announcedRequests: (piece) => comingTo.get(piece) ?? 0,
      }),
    );
  }
  return [...seen].sort((a, b) => (a ?? -1) - (b ?? -1));
}

describe('the picker', () => {
  it('asks for the rarest piece the peer holds', () =>
    assert.deepEqual(
      picks(`
    piece  ours     holders  this peer
    0      missing  3        has
    1      missing  1        has
    2      missing  1        lacks
    3      held     2        has`),
      [1],
    ));

  it('rolls dice between pieces that are equally rare', () =>
    assert.deepEqual(
      picks(`
    piece  ours     holders  this peer
    0      missing  2        has
    1      missing  2        has
    2      missing  5        has
    3      held     2        has`),
      [0, 1],
    ));

  it('begins with any piece, so that there is soon something to give', () =>
    assert.deepEqual(
      picks(`
    piece  ours     holders  this peer
    0      missing  9        has
    1      missing  1        has
    2      missing  1        lacks`),
      [0, 1],
    ));

  it('in random mode does not care how rare a piece is', () =>
    assert.deepEqual(
      picks(
        `
    piece  ours     holders  this peer
    0      missing  9        has
    1      missing  1        has
    2      held     1        has`,
        'random',
      ),
      [0, 1],
    ));

  it('in sequential mode asks in order', () =>
    assert.deepEqual(
      picks(
        `
    piece  ours     holders  this peer
    0      held     1        has
    1      missing  1        lacks
    2      missing  9        has
    3      missing  1        has`,
        'sequential',
      ),
      [2],
    ));

  it('asks for nothing that the peer lacks or we have', () =>
    assert.deepEqual(
      picks(`
    piece  ours       holders  this peer
    0      missing    1        lacks
    1      held       1        has
    2      verifying  1        has`),
      [undefined],
    ));

  it('leaves alone what others were asked for while something is missing', () =>
    assert.deepEqual(
      picks(`
    piece  ours     holders  this peer
    0      asked    2        has
    1      missing  1        lacks`),
      [undefined],
    ));

  it('asks again for what may move', () =>
    assert.deepEqual(
      picks(`
    piece  ours      holders  this peer
    0      may move  2        has
    1      missing   1        lacks`),
      [0],
    ));

  it('asks a seeder for what nobody else has asked it for, from the first piece on', () =>
    assert.deepEqual(
      picks(
        `
    piece  ours     holders  this peer
    0      missing  1        has
    1      missing  1        has
    2      missing  1        has`,
        'rarest',
        new Map([
          [0, 1],
          [2, 2],
        ]),
      ),
      [1],
    ));

  it('asks a seeder for what another will have, when there is nothing else', () =>
    assert.deepEqual(
      picks(
        `
    piece  ours     holders  this peer
    0      missing  1        has
    1      held     1        has
    2      missing  1        has`,
        'rarest',
        new Map([
          [0, 1],
          [2, 2],
        ]),
      ),
      [0],
    ));

  it('at the end asks a second peer, but not a third, nor the same one twice', () =>
    assert.deepEqual(
      picks(`
    piece  ours         holders  this peer
    0      asked        2        has
    1      asked here   2        has
    2      asked twice  2        has
    3      arriving     2        has
    4      asked        1        lacks`),
      [0],
    ));

  describe('takes what somebody waits for before all else, in that order', () => {
    const board = `
    piece  ours         holders  this peer
    0      missing      1        has
    1      held         1        has
    2      asked        1        has
    3      missing      1        lacks
    4      missing      9        has
    5      arriving     1        has
    6      asked here   1        has
    7      asked twice  1        has`;
    const rows: [what: string, urgent: readonly number[], picked: number | undefined][] = [
      ['the first that is missing', [4, 0], 4],
      ['one that another peer has not begun to send', [3, 2], 2],
      ['nothing that is held, comes, or was asked for often enough', [1, 5, 6, 7], undefined],
    ];
    for (const [what, urgent, picked] of rows) {
      it(what, () => {
        assert.deepEqual(picks(board, 'rarest', new Map(), urgent, true), [picked]);
        if (picked !== undefined) assert.deepEqual(picks(board, 'rarest', new Map(), urgent), [picked]);
        else assert.deepEqual(picks(board, 'rarest', new Map(), urgent), [0], 'and goes on with the rest');
      });
    }
  });

  it('never idles before a peer that has something missing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ held: fc.boolean(), theirs: fc.boolean(), holders: fc.nat(3) }), {
          minLength: 1,
          maxLength: 200,
        }),
        fc.constantFrom('rarest', 'random', 'sequential'),
        fc.integer(),
        (pieces, mode, seed) => {
          const states = new PieceStates(pieces.length);
          const peerHas = new Bitfield(pieces.length);
          for (const [n, piece] of pieces.entries()) {
            if (piece.held) states.move(n, 'find');
            if (piece.theirs) peerHas.add(n);
            for (let h = 0; h < piece.holders; h++) states.addHolder(n);
          }
          let state = Math.abs(seed % 2147483646) + 1;
          const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
          const wanted = pieces.some((piece) => piece.theirs && !piece.held);
          const picked = pickPiece({
            states,
            peerHas,
            mode,
            urgent: [],
            onlyUrgent: false,
            random,
            announcedRequests: () => 0,
            inFlight: () => ({ peersAsked: 1, isFromThisPeer: false, mayMove: false, isArriving: false }),
          });
          assert.equal(picked !== undefined, wanted);
          if (picked !== undefined) assert.ok(peerHas.has(picked) && states.state(picked) === 'missing');
        },
      ),
    );
  });
});

describe('the board', () => {
  it('allows only the moves of its table', () => {
    const states = new PieceStates(2);
    assert.throws(() => states.move(0, 'hold'), /cannot hold while missing/);
    states.move(0, 'request');
    assert.throws(() => states.move(0, 'request'), /cannot request while requested/);
    states.move(0, 'verify');
    states.move(0, 'hold');
    assert.throws(() => states.move(0, 'release'), /cannot release while held/);
    assert.throws(() => states.move(2, 'request'));
    assert.deepEqual(
      [states.state(0), states.state(1), states.isComplete, states.missingCount],
      ['held', 'missing', false, 1],
    );
  });

  it('counts the same, however pieces move', () => {
    const moves = ['request', 'release', 'verify', 'hold', 'reject', 'find', 'lose'] as const;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.constantFrom(...moves)), { maxLength: 200 }), (steps) => {
        const board = new PieceStates(10);
        for (const [piece, move] of steps) {
          try {
            board.move(piece, move);
          } catch {
            // Not allowed from there; nothing may have changed.
          }
          const states = Array.from({ length: 10 }, (_, n) => board.state(n));
          const count = (state: string): number => states.filter((one) => one === state).length;
          assert.deepEqual(
            [board.missingCount, board.requested.size, board.verifyingCount, board.held.count],
            [count('missing'), count('requested'), count('verifying'), count('held')],
          );
          const missing = Array.from({ length: board.missingCount }, (_, n) => board.missingAt(n)).sort(
            (a, b) => a - b,
          );
          assert.deepEqual(
            missing,
            states.flatMap((state, n) => (state === 'missing' ? [n] : [])),
          );
        }
      }),
    );
  });
});
