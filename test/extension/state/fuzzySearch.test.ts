// What is found for what a person types.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bestOf, searchable } from '../../../extension/state/fuzzySearch.ts';

const NAMES = [
  'data/raw/sales-2026.csv',
  'data/raw/sales-2025.csv',
  'models/checkpoint-final.bin',
  'notes.md',
  'sales.md',
  'recordings/interview.wav',
];
const find = (typed: string, names: readonly string[] = NAMES, most = 10): readonly string[] =>
  bestOf(
    names.map((name) => searchable(name, name)),
    typed,
    most,
  );

describe('a search among names', () => {
  const rows: readonly (readonly [says: string, typed: string, found: readonly string[]])[] = [
    ['all when nothing is typed', ' ', NAMES],
    [
      'what begins so before what has it within, the shortest first',
      'sales',
      ['sales.md', 'data/raw/sales-2026.csv', 'data/raw/sales-2025.csv'],
    ],
    [
      'what has all words, and behind it what nearly has',
      '2026 raw',
      ['data/raw/sales-2026.csv', 'data/raw/sales-2025.csv'],
    ],
    ['folders, too', 'models', ['models/checkpoint-final.bin']],
    ['letters in their order', 'chkfin', ['models/checkpoint-final.bin']],
    ['a letter that is wrong', 'intervuew', ['recordings/interview.wav']],
    ['two letters that are swapped', 'chekcpoint', ['models/checkpoint-final.bin']],
    ['the same in a short word', 'noets', ['notes.md']],
    ['a letter that is missing, or too many', 'nootes', ['notes.md']],
    ['nothing in a short word that is wrong', 'wex', []],
    ['nothing where another word does not fit', 'sales zzz', []],
  ];
  for (const [says, typed, found] of rows) it(`finds ${says}`, () => assert.deepEqual(find(typed), found));

  it('finds every name by itself, and gives no more than are wanted', () => {
    const name = fc.string({
      unit: fc.constantFrom('a', 'b', 'c', '-', '/', 'é', '写', '𝒳'),
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 20 }), fc.nat(), (names, at) => {
        const wanted = names[at % names.length] ?? '';
        assert.ok(find(wanted, names, 100).includes(wanted));
        assert.ok(find(wanted, names, 3).length <= 3);
      }),
    );
  });
  it('finds what differs by one letter', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abcdef'), minLength: 4, maxLength: 30 });
    fc.assert(
      fc.property(word, fc.nat(), (text, seed) => {
        const at = seed % text.length;
        assert.deepEqual(find(`${text.slice(0, at)}z${text.slice(at + 1)}`, [`x/${text}.bin`]), [`x/${text}.bin`]);
      }),
    );
  });
  it('takes a word that is longer than any name', () => assert.deepEqual(find('a'.repeat(10_000)), []));
});
