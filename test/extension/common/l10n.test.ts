// Every sentence of the window in one file for translators: nothing missing, nothing left over. With
// ADD_WORDS=1 the file is brought up to date. (The manifest's own are in manifest.test.ts.) And
// names that others chose, among those sentences.
// Covers: extension/common/l10n.ts, extension/l10n/bundle.l10n.json
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { inMessage, printableName, withoutIcons } from '../../../extension/common/l10n.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const BUNDLE = path.join(ROOT, 'extension', 'l10n', 'bundle.l10n.json');

interface Said {
  readonly at: string;
  readonly message: string;
  /** Values behind it; a plural has its number. */
  readonly values: number;
}

/** Every call of `t` and `plural` in a source; what is no plain text there is a mistake. */
function saidIn(file: string, text: string, mistakes: string[]): readonly Said[] {
  const found: Said[] = [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (
      ts.isCallExpression(node) &&
      ts.isIdentifier(node.expression) &&
      ['t', 'plural'].includes(node.expression.text)
    ) {
      const isPlural = node.expression.text === 'plural';
      const at = `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
      const messages = isPlural ? node.arguments.slice(1, 3) : node.arguments.slice(0, 1);
      for (const message of messages) {
        const plain = plainTextOf(message);
        if (plain !== undefined) {
          found.push({ at, message: plain, values: node.arguments.length - (isPlural ? 2 : 1) });
        } else mistakes.push(`${at}: ${message.getText()} is no plain text`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** A text in quotes, or several joined by `+`: a long one stands on several lines. */
function plainTextOf(node: ts.Expression): string | undefined {
  if (ts.isStringLiteral(node)) return node.text;
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined;
  const [left, right] = [plainTextOf(node.left), plainTextOf(node.right)];
  return left === undefined || right === undefined ? undefined : left + right;
}

describe('the words of the window', () => {
  const mistakes: string[] = [];
  // What both front ends say stands in protocol/frontend; l10n.ts itself calls `t` with no text.
  const files = globSync(['extension/**/*.ts', 'protocol/frontend/**/*.ts'], { cwd: ROOT }).filter(
    (file) => !file.startsWith(path.join('extension', 'engine') + path.sep) && path.basename(file) !== 'l10n.ts',
  );
  const said = files
    .toSorted()
    .flatMap((file) => saidIn(file.split(path.sep).join('/'), readFileSync(path.join(ROOT, file), 'utf8'), mistakes));

  it('are plain texts where they are said, as a translator must find them', () => {
    assert.deepEqual(mistakes, []);
    assert.ok(said.length > 100, `${said.length} found: the pattern no longer fits the sources`);
  });

  it('name no value that is not given', () => {
    const wrong = said.filter(({ message, values }) =>
      [...message.matchAll(/\{(\d+)\}/g)].some(([, n]) => Number(n) >= values),
    );
    assert.deepEqual(wrong, []);
  });

  it('are all in the file for translators, and nothing else is', () => {
    const messages = [...new Set(said.map(({ message }) => message))].sort((a, b) => (a < b ? -1 : 1));
    const wanted = `${JSON.stringify(Object.fromEntries(messages.map((message) => [message, message])), undefined, 2)}\n`;
    if (process.env['ADD_WORDS'] === '1') writeFileSync(BUNDLE, wanted);
    assert.equal(readFileSync(BUNDLE, 'utf8'), wanted, 'bring it up to date: ADD_WORDS=1 npm test -- extension');
  });

  it('are found by this test, and what is none of them is not', () => {
    const found: string[] = [];
    const rows = saidIn(
      'a.ts',
      `t('one {0}', 1); plural(n, '{0} cat', '{0} cats'); t('a ' + 'long ' + 'one'); other('no'); t(word);
       t('a ' + word); a.t('no');`,
      found,
    );
    assert.deepEqual(
      rows.map(({ message, values }) => [message, values]),
      [
        ['one {0}', 1],
        ['{0} cat', 1],
        ['{0} cats', 1],
        ['a long one', 0],
      ],
    );
    assert.deepEqual(found, ['a.ts:1: word is no plain text', "a.ts:2: 'a ' + word is no plain text"]);
  });
});

describe('names of others', () => {
  it('turn no text, hide none and forge no line', () =>
    assert.equal(printableName('a\u202Egnp.exe\nb'), 'a\\u{202e}gnp.exe\\u{a}b'));
  it('make no link in a message', () => assert.equal(inMessage('[x](command:y)'), '[x] (command:y)'));
  it('make no icon', () => assert.equal(withoutIcons('$(trash) x'), '\\$(trash) x'));
});
