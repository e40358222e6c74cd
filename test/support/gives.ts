// A pure function as a table: what it gives for what it is given.
import assert from 'node:assert/strict';

/**
 * Checks a function on rows of what it is given and what it gives, or the code of what it throws.
 */
export function gives<A, B>(
  name: string,
  run: (given: A) => B,
  rows: readonly (readonly [given: A, expected: B | RegExp])[],
): void {
  describe(name, () => {
    for (const [given, expected] of rows) {
      it(`${JSON.stringify(given)} → ${expected instanceof RegExp ? String(expected) : JSON.stringify(expected)}`, () => {
        if (expected instanceof RegExp) {
          assert.throws(
            () => run(given),
            (error: Error) => expected.test(error.message),
          );
        } else assert.deepEqual(run(given), expected);
      });
    }
  });
}
