// Whose turn it is, by the rules alone.
import assert from 'node:assert';
import fc from 'fast-check';
import type { QueuedDownload } from '../../../../extension/engine/transfers/downloadQueue.ts';
import {
  inQueueOrder,
  placesAfterMove,
  placesAfterMoveTo,
  chooseActive,
} from '../../../../extension/engine/transfers/downloadQueue.ts';

/** `2 low idle` and such, one word for each. */
function queue(text: string): readonly QueuedDownload[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', priority, idle] = line.trim().split(/\s+/);
      return {
        id: Number(id),
        priority: priority as QueuedDownload['priority'],
        place: Number(id),
        isIdle: idle === 'idle',
      };
    });
}

describe('the queue', () => {
  const turns = (text: string, activeMax: number, expected: readonly number[]): void =>
    assert.deepEqual([...chooseActive(queue(text), activeMax)], expected);

  it('gives turns in order', () =>
    turns(
      `
    1 normal
    2 normal
    3 normal`,
      2,
      [1, 2],
    ));
  it('lets a high one that came later go first, and a low one last', () =>
    turns(
      `
    1 low
    2 normal
    3 high`,
      2,
      [3, 2],
    ));
  it('gives no turn away for one that nobody serves, which goes on looking', () =>
    turns(
      `
    1 normal idle
    2 normal
    3 normal idle
    4 normal`,
      1,
      [1, 2, 3],
    ));
  it('knows no limit at 0', () =>
    turns(
      `
    1 normal
    2 low`,
      0,
      [1, 2],
    ));

  const moved = (id: number, move: Parameters<typeof placesAfterMove>[2], text: string): readonly number[] => {
    const before = queue(text);
    const places = placesAfterMove(before, id, move);
    return inQueueOrder(before.map((one) => ({ ...one, place: places.get(one.id) ?? one.place }))).map((one) => one.id);
  };
  const four = `
    1 normal
    2 normal
    3 normal
    4 high`;
  for (const [id, move, expected] of [
    [3, 'top', [4, 3, 1, 2]],
    [3, 'up', [4, 1, 3, 2]],
    [1, 'down', [4, 2, 1, 3]],
    [1, 'bottom', [4, 2, 3, 1]],
    [1, 'up', [4, 1, 2, 3]],
    [4, 'bottom', [4, 1, 2, 3]],
    [9, 'top', [4, 1, 2, 3]],
  ] as const) {
    it(`moves ${id} ${move} among those of its priority`, () => assert.deepEqual(moved(id, move, four), expected));
  }

  const movedTo = (id: number, other: number, text: string): readonly number[] => {
    const before = queue(text);
    const places = placesAfterMoveTo(before, id, other);
    const priority = before.find((one) => one.id === other)?.priority ?? 'low';
    return inQueueOrder(
      before.map((one) => ({
        ...one,
        place: places.get(one.id) ?? one.place,
        priority: one.id === id ? priority : one.priority,
      })),
    ).map((one) => one.id);
  };
  const six = `
    1 normal
    2 normal
    3 normal
    4 high
    5 low
    6 high`; // in turn: 4 6 1 2 3 5
  for (const [id, other, expected] of [
    [3, 1, [4, 6, 3, 1, 2, 5]],
    [1, 3, [4, 6, 2, 3, 1, 5]],
    [2, 3, [4, 6, 1, 3, 2, 5]],
    [3, 2, [4, 6, 1, 3, 2, 5]],
    [4, 2, [6, 1, 2, 4, 3, 5]],
    [5, 6, [4, 5, 6, 1, 2, 3]],
    [3, 4, [3, 4, 6, 1, 2, 5]],
    [1, 5, [4, 6, 2, 3, 5, 1]],
    [2, 2, [4, 6, 1, 2, 3, 5]],
  ] as const) {
    it(`moves ${id} to where ${other} stands, whatever their priorities`, () =>
      assert.deepEqual(movedTo(id, other, six), expected));
  }
  it('moves nobody to or from where nobody stands', () =>
    assert.deepEqual([placesAfterMoveTo(queue(six), 9, 1).size, placesAfterMoveTo(queue(six), 1, 9).size], [0, 0]));

  it('never lets more fetch than may, wastes no turn, and passes over nobody who could', () => {
    const one = fc.record({ priority: fc.constantFrom('high', 'normal', 'low'), isIdle: fc.boolean() });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 30 }), fc.nat(10), (ones, activeMax) => {
        const all = ones.map((fields, n): QueuedDownload => ({ id: n + 1, place: n + 1, ...fields }));
        const allowed = chooseActive(all, activeMax);
        const ready = inQueueOrder(all).filter(({ isIdle }) => !isIdle);
        const expected = activeMax === 0 ? ready.length : Math.min(activeMax, ready.length);
        assert.deepEqual(
          ready.filter(({ id }) => allowed.has(id)),
          ready.slice(0, expected),
        );
        assert.ok(all.every(({ id, isIdle }) => !isIdle || allowed.has(id)));
      }),
    );
  });

  it('only ever exchanges places', () => {
    const move = fc.record({
      id: fc.integer({ min: 1, max: 8 }),
      move: fc.constantFrom('top', 'up', 'down', 'bottom'),
    });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 20 }), (moves) => {
        let all = Array.from({ length: 8 }, (_, n): QueuedDownload => ({
          id: n + 1,
          place: n + 1,
          priority: n % 3 === 0 ? 'high' : 'normal',
          isIdle: false,
        }));
        for (const { id, move: where } of moves) {
          const places = placesAfterMove(all, id, where);
          all = all.map((entry) => ({ ...entry, place: places.get(entry.id) ?? entry.place }));
        }
        assert.deepEqual(
          all.map(({ place }) => place).sort((a, b) => a - b),
          [1, 2, 3, 4, 5, 6, 7, 8],
        );
      }),
    );
  });
});
