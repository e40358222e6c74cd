// Names: which are refused and which are not (a corpus that only grows), and that a file name which
// passes stays in its folder whatever the system's rules for paths.
import assert from 'node:assert/strict';
import path from 'node:path';
import fc from 'fast-check';
import { isShoalError, printable } from '../../../protocol/base/errors.ts';
import {
  checkFileName,
  checkName,
  fileNameKey,
  isName,
  nameKey,
  validateFileName,
} from '../../../protocol/base/names.ts';
import { evil, good } from './fileNames.ts';

describe('a file name', () => {
  it('is tried in a few hundred ways', () => {
    const all = [...Object.values(evil).flat(), ...Object.values(good).flat()];
    assert.ok(all.length > 400, `${all.length}`);
    assert.equal(
      new Set(all).size,
      all.length,
      `twice: ${all
        .filter((name, at) => all.indexOf(name) !== at)
        .map(printable)
        .join(' ')}`,
    );
  });

  for (const [why, names] of Object.entries(evil)) {
    it(`is refused for ${why}`, () =>
      assert.deepEqual(
        names.filter((name) => validateFileName(name) === undefined).map((name) => JSON.stringify(name)),
        [],
      ));
  }
  for (const [what, names] of Object.entries(good)) {
    it(`may have ${what}`, () =>
      assert.deepEqual(
        names.map((name) => [name, validateFileName(name)]).filter(([, refused]) => refused !== undefined),
        [],
      ));
  }

  it('that is refused is told why, cut to what can be shown', () => {
    assert.throws(
      () => checkFileName(`${'x'.repeat(299)}\u{1F41F}..\0${'y'.repeat(5000)}`),
      (error) =>
        isShoalError(error, 'badFileName') &&
        String(error.fields['name']).length <= 301 &&
        String(error.fields['name']).isWellFormed(),
    );
    assert.throws(
      () => checkFileName('a\u202eb\n'),
      /the file name a\\u\{202e\}b\\u\{a\} cannot be shared: it contains control characters/,
    );
    assert.equal(checkFileName('fine.txt'), 'fine.txt');
  });

  /** Names made of what matters to file systems. */
  const dangerous = fc
    .array(
      fc.constantFrom(
        '..',
        '.',
        '/',
        '\\',
        ':',
        'a',
        'con',
        'C',
        '~',
        ' ',
        '\0',
        '\u200d',
        '\ufeff',
        '$',
        '%2e',
        'é',
        '\u{1F41F}',
        '-',
        '｡',
        '／',
        '﹨',
        '．',
        '…',
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(''));
  const names = fc.oneof(
    dangerous,
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.array(dangerous, { maxLength: 4 }).map((parts) => parts.join('/')),
  );

  it('that passes stays below its folder, on every system', () => {
    let passed = 0;
    fc.assert(
      fc.property(names, (name) => {
        if (validateFileName(name) !== undefined) return;
        passed++;
        for (const [rules, root] of [
          [path.posix, '/home/alice/downloads'],
          [path.win32, 'C:\\Users\\alice\\downloads'],
          [path.win32, '\\\\server\\share\\downloads'],
        ] as const) {
          const full = rules.join(root, name);
          const back = rules.relative(root, full);
          assert.ok(
            full.startsWith(root + rules.sep) &&
              !rules.isAbsolute(name) &&
              back.split(rules.sep)[0] !== '..' &&
              !rules.isAbsolute(back),
            full,
          );
          assert.equal(back.replaceAll('\\', '/'), name, 'it names another file there');
        }
      }),
      { numRuns: 3000 },
    );
    assert.ok(passed > 100, `${passed} names passed: the test says little`);
  });

  it('that passes can be printed as it is, on one line', () =>
    fc.assert(
      fc.property(names, (name) => {
        if (validateFileName(name) === undefined) assert.equal(printable(name), name);
      }),
      { numRuns: 2000 },
    ));

  it('has a key that is the same for what one system takes for the same file', () => {
    const same: readonly (readonly [string, string])[] = [
      ['README.md', 'readme.MD'],
      ['É', 'é'],
      ['Straße', 'STRASSE'],
      ['STRAẞE', 'Straße'],
      ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
      ['\u212A', 'k'],
      ['ﬁle', 'FILE'],
      ['a/B', 'A/b'],
      ['é', 'e\u0301'],
    ];
    for (const [one, two] of same) assert.equal(fileNameKey(one), fileNameKey(two), `${one} ${two}`);
    const different: readonly (readonly [string, string])[] = [
      ['a', 'b'],
      ['a/b', 'ab'],
      ['a', 'á'],
      ['1', '１'],
      ['.a', 'a'],
    ];
    for (const [one, two] of different) assert.notEqual(fileNameKey(one), fileNameKey(two), `${one} ${two}`);
  });

  it('has a key that is its own key', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (name) => {
        assert.equal(fileNameKey(fileNameKey(name)), fileNameKey(name));
      }),
      { numRuns: 3000 },
    ));
  it('has a key that is its own key for every character', () => {
    for (let code = 0; code <= 0x10ffff; code++) {
      const name = String.fromCodePoint(code);
      if (fileNameKey(fileNameKey(name)) !== fileNameKey(name)) assert.fail(code.toString(16));
    }
  });
});

describe('the name of a user or group', () => {
  const rows: readonly [is: boolean, ...names: string[]][] = [
    [true, 'a', 'alice', 'Alice.B', 'a_b-c', '0', '-', '_', 'x'.repeat(64), '...a', 'con', 'root', '__proto__'],
    [
      false,
      '',
      '.',
      '..',
      '....',
      'x'.repeat(65),
      'a b',
      ' a',
      'a ',
      'a\n',
      '\n',
      'a\0',
      'á',
      'аlice',
      'a/b',
      '../a',
      'a\\b',
      'a:b',
      'a~k3f9',
      'a@b',
      '\u200b',
      'a\u202eb',
      '\u{1F41F}',
      '٣',
      'ａ',
      'ß',
      'ſ',
      '\u212A',
    ],
  ];
  for (const [is, ...names] of rows) {
    for (const name of names) {
      it(`${is ? 'may be' : 'is not'} ${JSON.stringify(name.length > 20 ? `${name.length} letters` : name)}`, () => {
        assert.equal(isName(name), is);
        if (is) assert.equal(checkName(name), name);
        else {
          assert.throws(
            () => checkName(name),
            (error) => isShoalError(error, 'badName') && error.exitCode === 2,
          );
        }
      });
    }
  }

  it('is unique without case', () => {
    assert.equal(nameKey('Alice.B'), nameKey('aLICE.b'));
    assert.notEqual(nameKey('alice'), nameKey('alice_'));
  });

  it('does not fill the screen when it is refused', () =>
    assert.throws(
      () => checkName('x'.repeat(100_000)),
      (error) => error instanceof Error && error.message.length < 300,
    ));
});

describe('a printable text', () => {
  const rows: readonly [text: string, printed: string][] = [
    ['plain text, é, 魚, 🐟, "quotes"', 'plain text, é, 魚, 🐟, "quotes"'],
    ['a\nb\tc\r', 'a\\u{a}b\\u{9}c\\u{d}'],
    ['\u001b[31mred\u001b[0m', '\\u{1b}[31mred\\u{1b}[0m'],
    ['\u009b31m', '\\u{9b}31m'],
    ['\0\u007f\u0085', '\\u{0}\\u{7f}\\u{85}'],
    ['line\u2028par\u2029', 'line\\u{2028}par\\u{2029}'],
    ['exe.\u202egpj', 'exe.\\u{202e}gpj'],
    ['\u200e\u200f\u061c\u202a\u2066\u2069', '\\u{200e}\\u{200f}\\u{61c}\\u{202a}\\u{2066}\\u{2069}'],
    ['\ud800 \udc00', '\\u{d800} \\u{dc00}'],
    ['\ufeffbom', '\\u{feff}bom'],
    ['👩\u200d💻 می\u200cخواهم', '👩\u200d💻 می\u200cخواهم'],
  ];
  for (const [text, printed] of rows) it(JSON.stringify(text), () => assert.equal(printable(text), printed));

  it('moves no cursor, whatever it was made from', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
        assert.doesNotMatch(printable(text), /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
        assert.equal(printable(printable(text)), printable(text));
      }),
    ));
});
