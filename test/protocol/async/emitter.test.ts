import assert from 'node:assert';
import { Emitter } from '../../../protocol/async/emitter.ts';

describe('an emitter', () => {
  it('calls all listeners in their order, until they stop', () => {
    const emitter = new Emitter<[number, string]>();
    const heard: string[] = [];
    const stop = emitter.on((n, text) => heard.push(`first ${n} ${text}`));
    emitter.on((n, text) => heard.push(`second ${n} ${text}`));
    emitter.emit(1, 'a');
    stop();
    emitter.emit(2, 'b');
    assert.deepEqual(heard, ['first 1 a', 'second 1 a', 'second 2 b']);
  });

  it('calls those that listened when the event came, although one of them stops or adds others', () => {
    const emitter = new Emitter<[]>();
    const heard: string[] = [];
    const stops = [
      emitter.on(() => {
        heard.push('first');
        stops[0]?.();
        emitter.on(() => heard.push('late'));
      }),
    ];
    emitter.on(() => heard.push('second'));
    emitter.emit();
    assert.deepEqual(heard, ['first', 'second']);
    emitter.emit();
    assert.deepEqual(heard, ['first', 'second', 'second', 'late']);
  });

  it('calls nobody after it was cleared', () => {
    const emitter = new Emitter<[]>();
    emitter.on(() => assert.fail('was called'));
    assert.equal(emitter.size, 1);
    emitter.clear();
    emitter.emit();
    assert.equal(emitter.size, 0);
  });
});
