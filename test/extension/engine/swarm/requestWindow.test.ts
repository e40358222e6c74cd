import assert from 'node:assert';
import { RequestWindow, WINDOW_MAX, WINDOW_MIN } from '../../../../extension/engine/swarm/requestWindow.ts';

/**
 * Answers come from a line that takes so long there and back and moves one piece in so many ms;
 * whoever has more under way waits for them.
 */
function after(
  answers: number,
  { tripMs, pieceMs, othersMs = 0 }: { readonly tripMs: number; readonly pieceMs: number; readonly othersMs?: number },
): number {
  const window = new RequestWindow();
  for (let n = 0; n < answers; n++) {
    window.onPiece(Math.max(tripMs + pieceMs, window.pieces * pieceMs) + (n > 0 ? othersMs : 0), true);
  }
  return window.pieces;
}

describe('how many pieces are asked of one peer', () => {
  it('is one until he has answered', () => assert.equal(new RequestWindow().pieces, 1));

  it('grows on a long fast line until it is full', () => {
    assert.equal(after(30, { tripMs: 100, pieceMs: 1 }), WINDOW_MAX);
    const pieces = after(30, { tripMs: 40, pieceMs: 20 });
    assert.ok(pieces * 20 >= 40 + 20, 'the line never runs empty');
    assert.ok(pieces < WINDOW_MAX, 'and what is behind is not much');
  });

  it('stays small where more only waits', () => assert.ok(after(100, { tripMs: 1, pieceMs: 26 }) <= WINDOW_MIN + 1));

  it('shrinks when others are served in between', () =>
    assert.equal(after(100, { tripMs: 20, pieceMs: 5, othersMs: 400 }), WINDOW_MIN));

  it('learns nothing from an answer to one that was alone', () => {
    const window = new RequestWindow();
    for (let n = 0; n < 50; n++) window.onPiece(100, false);
    assert.equal(window.pieces, WINDOW_MIN);
  });

  it('believes in a line that has become slower for good', () => {
    const window = new RequestWindow();
    for (let n = 0; n < 20; n++) window.onPiece(10, true);
    for (let n = 0; n < 2_000; n++) window.onPiece(400, true);
    assert.ok(window.pieces > WINDOW_MIN, 'it is not taken for a queue any more');
  });
});
