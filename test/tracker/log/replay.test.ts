// Operations that come late: whatever comes in whatever sequence, the state is that of the log
// folded from its beginning; and what has nothing to do with a late one is left alone.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isShoalError } from '../../../protocol/base/errors.ts';
import type { Origin } from '../../../protocol/base/ids.ts';
import { compareStamps } from '../../../protocol/messages/operations.ts';
import { decodeState, encodeState } from '../../../tracker/fold/snapshot.ts';
import { emptyState, noChanges, placeOf, stateHash } from '../../../tracker/fold/state.ts';
import type { Changes, State } from '../../../tracker/fold/state.ts';
import type { Source } from '../../../tracker/log/replay.ts';
import { Replay } from '../../../tracker/log/replay.ts';
import { anyStory } from '../../support/scenarios/anyStory.ts';
import type { Told } from '../../support/scenarios/story.ts';
import { folded, told } from '../../support/scenarios/story.ts';

const sourceOf = ({ op, stamp, added, line }: Told): Source => ({
  op,
  entry: { operation: Buffer.from(`${op.id} ${line}`), signature: new Uint8Array(), added, stamp },
});
const hashOf = (state: State): string => stateHash(state).toString('hex');

/** A history of nothing yet, over a log that has all of a story. */
function historyOf(all: readonly Told[]): Replay {
  const byPlace = new Map(all.map((one) => [`${one.stamp.origin} ${one.stamp.seq}`, sourceOf(one)]));
  return new Replay({ state: emptyState(), read: ({ origin, seq }) => byPlace.get(`${origin} ${seq}`) });
}

/** Lets operations come in batches that do not care for the order of the other tracker's. */
function come(
  replay: Replay,
  batches: readonly (readonly Told[])[],
  check: (done: readonly Told[], changes: Changes) => void = () => {},
): void {
  const done: Told[] = [];
  for (const batch of batches) {
    const changes = noChanges();
    replay.place(batch.toSorted((a, b) => compareStamps(a.stamp, b.stamp)).map(sourceOf), changes);
    done.push(...batch);
    check(done, changes);
  }
}

const TEAM = 'A alice signUp\nA bob signUp\nA alice createGroup team\nA bob createGroup other';

describe('what comes late', () => {
  it('comes to what it would have come to in its place, in whatever batches it comes', () =>
    fc.assert(
      fc.property(
        anyStory,
        fc.array(fc.boolean(), { minLength: 200, maxLength: 200 }),
        fc.nat({ max: 8 }),
        (text, coins, size) => {
          const all = told(text);
          // Each tracker's own in their order; which of the two is heard next is chance.
          const queues = ['0', '1'].map((n) =>
            all.filter(({ stamp }) => (stamp.origin === all[0]?.stamp.origin ? '0' : '1') === n),
          );
          const batches: Told[][] = [];
          for (let n = 0; queues.some((queue) => queue.length > 0); n++) {
            const queue = queues[coins[n % 200] ? 0 : 1] as Told[];
            batches.push(queue.splice(0, 1 + size));
          }
          const replay = historyOf(all);
          come(replay, batches, (done) => {
            const inOrder = done.toSorted((a, b) => compareStamps(a.stamp, b.stamp));
            const state = emptyState();
            const other = new Replay({ state, read: () => undefined });
            for (const one of inOrder) other.append(sourceOf(one), noChanges());
            assert.equal(hashOf(replay.state), hashOf(state));
          });
          assert.equal(hashOf(replay.state), hashOf(folded(all)));
        },
      ),
      { numRuns: 300 },
    ));

  it('leaves alone what has nothing to do with it', () => {
    const files = Array.from(
      { length: 20 },
      (_, n) => `A alice shareFile team f${n} 1\nA bob shareFile other f${n} 1`,
    ).join('\n');
    const all = told(`${TEAM}\nsync\nB alice/2 signIn\nB alice shareFile team f3 2 replace\n${files}`);
    const late = all.filter(({ line }) => line.startsWith('alice shareFile team f3 2'));
    const replay = historyOf(all);
    come(replay, [all.filter((one) => !late.includes(one))]);
    // Who is taken back and applied again gets another outcome.
    const before = new Map(replay.state.operations);
    come(replay, [late]);
    const again = all
      .filter(({ op }) => before.has(op.id) && replay.state.operations.get(op.id) !== before.get(op.id))
      .map(({ line }) => line);
    assert.deepEqual(again, ['alice shareFile team f3 1']);
    assert.equal(hashOf(replay.state), hashOf(folded(all)));
  });

  it('takes along those that it turns out to concern: a password is changed, and the other device was signed in', () => {
    const all = told(
      `${TEAM}\nA alice/2 signIn\nsync\nB alice changePassword\nA alice/2 createGroup late\nA bob createGroup more`,
    );
    const late = all.filter(({ line }) => line === 'alice changePassword');
    const replay = historyOf(all);
    const seen: string[] = [];
    come(replay, [all.filter((one) => !late.includes(one)), late], (_, { outcomes }) =>
      seen.push(...all.filter(({ op }) => outcomes.has(op.id)).map(({ line }) => line)),
    );
    assert.equal(hashOf(replay.state), hashOf(folded(all)));
    assert.deepEqual(seen, ['alice/2 createGroup late'], 'what came to something else is named');
  });

  it('is another one under the same id: only the first counts, and neither is lost', () => {
    const all = told(`${TEAM}\nsync\nB alice createGroup one\nA alice createGroup two`);
    const [one, two] = all.slice(-2) as [Told, Told];
    const forged = { ...two, op: { ...two.op, id: one.op.id } };
    const both = [...all.slice(0, -1), forged];
    const replay = historyOf(both);
    come(replay, [both.filter((each) => each !== one), [one]]);
    assert.equal(hashOf(replay.state), hashOf(folded(both)));
    assert.deepEqual(
      [...replay.state.groupNames].map(([name]) => name),
      ['one', 'other', 'team'],
    );
  });

  it('cannot be put before what is final', () => {
    const all = told(`${TEAM}\nsync\nA alice shareFile team f 1\nA alice shareFile team g 1`);
    const replay = historyOf(all);
    come(replay, [all]);
    assert.equal(replay.size, all.length);
    const [first, last] = [all[0] as Told, all.at(-1) as Told];
    replay.forget(placeOf(first.stamp));
    assert.deepEqual(
      [replay.size, replay.reaches(placeOf(first.stamp)), replay.reaches(placeOf(last.stamp))],
      [all.length - 1, false, true],
    );
    replay.forget({ ...last.stamp, origin: 'f'.repeat(16) as Origin });
    assert.deepEqual([replay.size, replay.reaches(placeOf(last.stamp))], [0, false]);
  });

  it('changes how all behind it is folded when it brings newer rules', () => {
    const all = told(`${TEAM}\nsync\nB operator setFoldVersion 2\nA alice shareFile team f 1`);
    const late = all.filter(({ op }) => op.name === 'setFoldVersion');
    const replay = historyOf(all);
    come(replay, [all.filter((one) => !late.includes(one)), late]);
    assert.deepEqual([replay.state.foldVersion, hashOf(replay.state)], [2, hashOf(folded(all))]);
  });
});

describe('a snapshot', () => {
  it('gives the same state back, to which the same can be added', () =>
    fc.assert(
      fc.property(anyStory, fc.double({ min: 0, max: 1, noNaN: true }), (text, part) => {
        const all = told(text);
        const at = Math.floor(all.length * part);
        const state = decodeState([...encodeState(folded(all.slice(0, at)))]);
        assert.equal(hashOf(state), hashOf(folded(all.slice(0, at))));
        const replay = new Replay({ state, read: () => undefined });
        for (const one of all.slice(at)) replay.append(sourceOf(one), noChanges());
        assert.equal(hashOf(replay.state), hashOf(folded(all)));
      }),
      { numRuns: 200 },
    ));

  const lines = [...encodeState(folded(told(`${TEAM}\nA alice/2 signIn\nA alice signOut 2`)))];
  const refused =
    (why: RegExp) =>
    (error: unknown): boolean =>
      isShoalError(error, 'badMessage') && why.test(error.message);
  it('that ends too early is refused', () => {
    for (let n = 0; n < lines.length; n++) {
      assert.throws(() => decodeState(lines.slice(0, n)), refused(/./), `${n} of ${lines.length} lines`);
    }
  });
  it('of another form is refused', () => {
    assert.throws(
      () => decodeState([lines[0]?.replace('"format":1', '"format":2') ?? '', ...lines.slice(1)]),
      refused(/format is 2/),
    );
    assert.throws(() => decodeState([...lines, '["elsewhere",[]]']), refused(/it has elsewhere/));
    assert.throws(() => decodeState([...lines, '{']), refused(/JSON/));
  });
});
