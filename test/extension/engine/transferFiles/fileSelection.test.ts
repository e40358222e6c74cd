// Which files of a folder a pattern means.
import assert from 'node:assert';
import { fileMatcher } from '../../../../extension/engine/transferFiles/fileSelection.ts';

describe('the choice of files', () => {
  const all = ['README.md', 'a+b (1).txt', 'img/a.png', 'img/b.jpg', 'img/deep/c.png', 'imgs/d.png', '写真/é.png'];
  const rows: readonly (readonly [only: readonly string[], chosen: readonly string[]])[] = [
    [[], all],
    [['README.md'], ['README.md']],
    [['img'], ['img/a.png', 'img/b.jpg', 'img/deep/c.png']],
    [['img/'], ['img/a.png', 'img/b.jpg', 'img/deep/c.png']],
    [['img/*.png'], ['img/a.png']],
    [['img/**/*.png'], ['img/a.png', 'img/deep/c.png']],
    [['**/*.png'], ['img/a.png', 'img/deep/c.png', 'imgs/d.png', '写真/é.png']],
    [
      ['*.md', 'img/?.jpg'],
      ['README.md', 'img/b.jpg'],
    ],
    [['a+b (1).txt'], ['a+b (1).txt']],
    [['写真/?.png'], ['写真/é.png']],
    [['readme.md', '.*', '[a-z]*', 'img/../README.md'], []],
    [
      ['img/**', '/', ''],
      ['img/a.png', 'img/b.jpg', 'img/deep/c.png'],
    ],
    [['**/deep'], ['img/deep/c.png']],
    [['{README,b}.md', '!img', '+(img)/*.png', '"README.md"', '^README.md$'], []],
  ];
  for (const [only, chosen] of rows) {
    it(only.join(' ') || 'nothing said', () => assert.deepEqual(all.filter(fileMatcher(only)), chosen));
  }

  const names = ['.env', '.git/x', "it's [1] {a,b} (2)!.txt", '@scope/+x', '$HOME/~a#b', '!not', '😀.png', '^'];
  for (const name of names) {
    it(`means ${name} by its name`, () => {
      const others = [...all, ...names].filter((other) => other !== name);
      assert.deepEqual([...others, name].filter(fileMatcher([name])), [name]);
    });
  }
  it('takes names that begin with a dot for names, and one character for one', () =>
    assert.deepEqual(names.filter(fileMatcher(['*/x', '?.png', '.env*'])), ['.env', '.git/x', '😀.png']));
});
