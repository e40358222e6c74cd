// What a person sees of a folder's files to choose among, and what the engine is told of the
// choice.
// Covers: extension/remoteFiles/folderEntries.ts, extension/engine/transferFiles/fileSelection.ts
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CHOSEN_MAX } from '../../../protocol/messages/engineLink.ts';
import { bytesOf, entriesOf, namesOf } from '../../../extension/remoteFiles/folderEntries.ts';
import { fileMatcher } from '../../../extension/engine/transferFiles/fileSelection.ts';

const files = (...names: readonly string[]): readonly { readonly path: string; readonly sizeBytes: number }[] =>
  names.map((path, n) => ({ path, sizeBytes: 10 ** n }));
const lines = (of: ReturnType<typeof entriesOf>): readonly string[] =>
  of.map(({ path, sizeBytes, files: count }) => `${path} ${sizeBytes}${count > 0 ? ` in ${count}` : ''}`);

describe('the files of a folder, to choose among', () => {
  it('stand below the folders that hold them', () =>
    assert.deepEqual(lines(entriesOf(files('b.txt', 'a/x', 'a/deep/y', 'a.txt'))), [
      'a.txt 1000',
      'a/ 110 in 2',
      'a/deep/ 100 in 1',
      'a/deep/y 100',
      'a/x 10',
      'b.txt 1',
    ]));
  it('are left out before their folders when they are too many', () =>
    assert.deepEqual(lines(entriesOf(files('a/x', 'b/y', 'z'), 2)), ['a/ 1 in 1', 'b/ 10 in 1']));
  it('count once that are in a folder that is chosen, too', () => {
    const chosen = entriesOf(files('a/x', 'a/deep/y', 'b'));
    assert.deepEqual([namesOf(chosen), bytesOf(chosen)], [['a/', 'b'], 111]);
  });
  it('are refused when they are more than one message holds', () => {
    const many = Array.from({ length: CHOSEN_MAX + 1 }, (_, n) => `a/${n}`);
    assert.throws(() => namesOf(entriesOf(files(...many)).filter((entry) => entry.files === 0)), { code: 'usage' });
    assert.deepEqual(namesOf(entriesOf(files(...many))), ['a/']);
  });
  it('are just those that the engine then takes', () => {
    const name = fc
      .array(fc.constantFrom('a', 'b', 'c+', '(d)'), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join('/') + '.f');
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.boolean()),
        (names, picks) => {
          const chosen = entriesOf(files(...names)).filter(() => picks.next().value);
          fc.pre(chosen.length > 0);
          const isTaken = fileMatcher(namesOf(chosen));
          for (const one of names) {
            assert.equal(
              isTaken(one),
              chosen.some(({ path }) => path === one || (path.endsWith('/') && one.startsWith(path))),
              one,
            );
          }
        },
      ),
    );
  });
});
