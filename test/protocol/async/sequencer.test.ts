import assert from 'node:assert';
import { setImmediate } from 'node:timers/promises';
import { Sequencer } from '../../../protocol/async/sequencer.ts';
import { isShoalError } from '../../../protocol/base/errors.ts';

/** A task that notes when it starts and ends when it is told to. */
function task(name: string, notes: string[]) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const run = (): Promise<string> => {
    notes.push(`${name} starts`);
    return promise.finally(() => notes.push(`${name} ends`));
  };
  return { run, end: () => resolve(name), fail: () => reject(new Error(name)) };
}

describe('a sequencer', () => {
  let notes: string[];
  let sequencer: Sequencer;
  beforeEach(() => {
    notes = [];
    sequencer = new Sequencer();
  });

  it('starts a task when the one before has ended', async () => {
    const [a, b] = [task('a', notes), task('b', notes)];
    const results = [sequencer.run(a.run), sequencer.run(b.run)];
    b.end();
    await setImmediate();
    assert.deepEqual(notes, ['a starts']);
    a.end();
    assert.deepEqual(await Promise.all(results), ['a', 'b']);
    assert.deepEqual(notes, ['a starts', 'a ends', 'b starts', 'b ends']);
  });

  it('goes on after a task that fails, and tells only its caller', async () => {
    const [a, b] = [task('a', notes), task('b', notes)];
    const [first, second] = [sequencer.run(a.run), sequencer.run(b.run)];
    a.fail();
    b.end();
    await assert.rejects(first, /^Error: a$/);
    assert.equal(await second, 'b');
  });

  it('says when all that was queued has ended', async () => {
    const a = task('a', notes);
    void sequencer.run(a.run);
    const idle = sequencer.idle().then(() => notes.push('idle'));
    await setImmediate();
    a.end();
    await idle;
    assert.deepEqual(notes, ['a starts', 'a ends', 'idle']);
  });

  it('gives up a task that waits, at once, and keeps the order of the others', async () => {
    const [a, b, c] = [task('a', notes), task('b', notes), task('c', notes)];
    const abort = new AbortController();
    const first = sequencer.run(a.run);
    const second = sequencer.run(b.run, abort.signal);
    const third = sequencer.run(c.run);
    abort.abort();
    await assert.rejects(second, (error) => isShoalError(error, 'cancelled'));
    assert.deepEqual(notes, ['a starts']);
    c.end();
    a.end();
    await Promise.all([first, third]);
    assert.deepEqual(notes, ['a starts', 'a ends', 'c starts', 'c ends']);
  });

  it('does not interrupt a task that has started', async () => {
    const a = task('a', notes);
    const abort = new AbortController();
    const first = sequencer.run(a.run, abort.signal);
    await setImmediate();
    abort.abort();
    a.end();
    assert.equal(await first, 'a');
  });

  it('starts nothing for a caller that has given up already', async () => {
    await assert.rejects(sequencer.run(task('a', notes).run, AbortSignal.abort()), (error) =>
      isShoalError(error, 'cancelled'),
    );
    await sequencer.idle();
    assert.deepEqual(notes, []);
  });
});
