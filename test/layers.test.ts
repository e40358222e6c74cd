// What the repository as a whole promises: imports go one way, the top level is fixed, nothing
// comes from a registry of somebody's own, and a file stays a size that one reads. The rules stand
// first; at the end the checker is shown sources that break them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { PICTURES } from './vscode/pages/pictures.ts';

/**
 * A layer, and the layers it may import. The window and the engine meet only in the messages of
 * `protocol`; a page in the window only takes what it is shown.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  protocol: ['protocol'],
  tracker: ['tracker', 'protocol'],
  'extension/engine': ['extension/engine', 'protocol'],
  extension: ['extension', 'extension/webview', 'protocol'],
  'extension/webview': ['extension/webview', 'protocol'],
  test: ['test', 'protocol', 'tracker', 'extension/engine', 'extension', 'extension/webview'],
};
const MAY_IMPORT_VSCODE = ['extension', 'test'];

const TOP_LEVEL = [
  'extension',
  'tracker',
  'protocol',
  'test',
  'docs',
  '.ci',
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'package.json',
  'package.nls.json',
  'package-lock.json',
  'esbuild.mjs',
  'tsconfig.json',
  'eslint.config.mjs',
  'knip.json',
  '.mocharc.json',
  '.editorconfig',
  '.git-blame-ignore-revs',
  '.prettierignore',
  '.prettierrc.json',
  '.gitattributes',
  '.gitignore',
  '.npmrc',
  '.vscodeignore',
];

/** A file that is longer tells more than one story. */
const SOURCE_LINES_MAX = 750;

const ROOT = join(import.meta.dirname, '..');
const { dependencies = {}, devDependencies = {} } = JSON.parse(read('package.json'));
const PACKAGES = Object.keys({ ...dependencies, ...devDependencies });

describe('the repository', () => {
  const files = filesOfRepository();
  const sources = files.filter((path) => /\.(ts|mjs)$/.test(path));

  it('imports only along the layers, and only packages it names', () => {
    const checked = sources.filter((path) => path.endsWith('.ts') && layerOf(path) !== undefined);
    assert(checked.length > 0, 'found no source: the check itself is broken');
    none(checked.flatMap((path) => brokenImports(path, read(path), PACKAGES)));
  });

  it('has nothing unexpected at the top level', () => none(unexpectedAtTop(files)));

  it('names no registry', () => none(files.filter(isText).flatMap((path) => namedRegistries(path, read(path)))));

  it('links its pages only to files that are there', () =>
    none(files.filter((path) => path.endsWith('.md')).flatMap((path) => deadLinks(path, read(path), files))));

  it('shows in README the pictures that the window tests take, and has no others', () => {
    const shown = [...read('README.md').matchAll(/\]\(docs\/images\/([^)]+)\)/g)].map(([, name]) => name ?? '').sort();
    assert.deepEqual(shown, Object.values(PICTURES).sort());
    assert.deepEqual(
      files
        .filter((path) => path.startsWith('docs/images/'))
        .map((path) => path.slice('docs/images/'.length))
        .sort(),
      shown,
    );
  });

  it(`has no source over ${SOURCE_LINES_MAX} lines`, () => none(sources.flatMap((path) => tooLong(path, read(path)))));
});

/**
 * One complaint for each import in `text` that the layer of `path` may not have: `path:line: what
 * is wrong`.
 */
function brokenImports(path: string, text: string, packages: readonly string[]): string[] {
  const layer = layerOf(path);
  assert(layer, `${path} is in no layer`);
  return importsOf(path, text).flatMap(({ line, target }) => {
    const wrong =
      target === undefined
        ? 'imports something computed, which no one can check'
        : wrongImport(layer, path, target, packages);
    return wrong ? [`${path}:${line}: ${wrong}`] : [];
  });
}

function wrongImport(layer: string, path: string, target: string, packages: readonly string[]): string | undefined {
  if (target.startsWith('node:')) return isBuiltin(target) ? undefined : `${target} is not part of Node`;
  if (isBuiltin(target)) return `${target} is part of Node: write node:${target}`;
  if (target === 'vscode') return MAY_IMPORT_VSCODE.includes(layer) ? undefined : `${layer} never imports vscode`;

  if (!target.startsWith('.')) {
    const name = target
      .split('/')
      .slice(0, target.startsWith('@') ? 2 : 1)
      .join('/');
    return packages.includes(name) ? undefined : `${name} is not in package.json`;
  }
  if (layer === 'test') return undefined; // a test may look at anything here
  const reached = posix.join(posix.dirname(path), target);
  const other = layerOf(reached);
  return other && MAY_IMPORT[layer]?.includes(other)
    ? undefined
    : `${layer} never imports ${other ?? 'from outside the layers'} (${reached})`;
}

/** The innermost folder that is a layer. */
function layerOf(path: string): string | undefined {
  const folders = path.split('/').slice(0, -1);
  const outermostLast = folders.map((_, i) => folders.slice(0, i + 1).join('/')).reverse();
  return outermostLast.find((folder) => folder in MAY_IMPORT);
}

/**
 * All that makes one file need another: static, dynamic and type imports, re-exports, require, and
 * files named by their URL (workers).
 */
function importsOf(path: string, text: string): { line: number; target: string | undefined }[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: { line: number; target: string | undefined }[] = [];
  const note = (node: ts.Node, target: ts.Node | undefined) => {
    const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    found.push({ line, target: target && ts.isStringLiteralLike(target) ? target.text : undefined });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) note(node, node.moduleSpecifier);
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier) note(node, node.moduleSpecifier);
    else if (ts.isExternalModuleReference(node)) note(node, node.expression);
    else if (ts.isImportTypeNode(node)) {
      note(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
    } else if (ts.isCallExpression(node) && ['import', 'require'].includes(node.expression.getText())) {
      note(node, node.arguments[0]);
    } else if (ts.isNewExpression(node) && node.arguments?.[1]?.getText() === 'import.meta.url') {
      note(node, node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function unexpectedAtTop(files: readonly string[]): string[] {
  const entries = new Set(files.map((path) => path.split('/')[0] ?? ''));
  return [...entries]
    .filter((entry) => !TOP_LEVEL.includes(entry))
    .map((entry) => `${entry}: the top level is fixed (see TOP_LEVEL in test/layers.test.ts)`);
}

/**
 * Whoever clones this gets everything from the registry their npm is set up with; a mirror's
 * address here would break it for all others. (The brackets in the patterns keep them from finding
 * themselves.)
 */
function namedRegistries(path: string, text: string): string[] {
  const patterns =
    path === 'package-lock.json'
      ? [/"resolved": "(?!https:\/\/registry\.npmjs\.org\/)/]
      : [
          /:\/\/[^\s/"'`]*(?:registry|artifactory|nexus|verdaccio|jfrog|npm\.pkg)/,
          /\bregistry\.[\w-]+\.(?:org|com|net|io|dev|cn)\b/,
          /^\s*(?:@[\w-]+:)?registry\s*=|--registr[y]\b|_auth[T]oken/,
        ];
  return text
    .split('\n')
    .flatMap((line, i) =>
      patterns.some((pattern) => pattern.test(line)) ? [`${path}:${i + 1}: names a registry`] : [],
    );
}

/** Links of a page to files of the repository that it has not. */
function deadLinks(path: string, text: string, files: readonly string[]): string[] {
  return text.split('\n').flatMap((line, i) =>
    [...line.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target.replace(/#.*/, ''))
      .filter(
        (target) => target !== '' && !/^\w+:/.test(target) && !files.includes(posix.join(posix.dirname(path), target)),
      )
      .map((target) => `${path}:${i + 1}: ${target} is not there`),
  );
}

function tooLong(path: string, text: string): string[] {
  const lines = text.split('\n').length - 1;
  return lines > SOURCE_LINES_MAX ? [`${path}: ${lines} lines; ${SOURCE_LINES_MAX} is the most`] : [];
}

/**
 * What git has or would take; without git (an unpacked archive), all that is not made by a tool.
 */
function filesOfRepository(): string[] {
  if (!existsSync(join(ROOT, '.git'))) {
    const made = ['node_modules', 'dist', 'test-results', '.vscode-test'];
    return globSync('**/*', { cwd: ROOT, exclude: (path) => made.includes(path) })
      .map((path) => path.replaceAll('\\', '/'))
      .filter(isFile);
  }
  // The checkout may be another user's (a CI's): all we do is list it.
  const git = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const list = execFileSync('git', git, { cwd: ROOT, encoding: 'utf8' });
  return [...new Set(list.split('\0'))].filter((path) => path !== '').filter(isFile);
}

function isFile(path: string): boolean {
  return statSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile() ?? false;
}

function isText(path: string): boolean {
  return !read(path).includes('\0');
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function none(complaints: readonly string[]): void {
  assert.equal(complaints.length, 0, `\n${complaints.join('\n')}\n`);
}

describe('the check of the repository', () => {
  /** What is wrong with one made-up source, without its `path:line: `. */
  const wrongWith = (path: string, text: string) =>
    brokenImports(path, text, ['pino', '@scope/one']).map((complaint) => complaint.replace(/^\S+:\d+: /, ''));
  const engineFromWindow = ['extension never imports extension/engine (extension/engine/swarm.ts)'];

  const sources: [does: string, path: string, text: string, wrong: string[]][] = [
    [
      'lets a layer import itself and the protocol',
      'extension/engine/a.ts',
      `import './b.ts'; import { x } from '../../protocol/frame.ts'; import { join } from 'node:path';`,
      [],
    ],
    [
      'lets a view import vscode and the protocol',
      'extension/views/a.ts',
      `import * as vscode from 'vscode'; import '../../protocol/frame.ts'; import '../store.ts';`,
      [],
    ],
    [
      'lets a test import anything here',
      'test/engine/a.test.ts',
      `import '../../extension/engine/swarm.ts'; import '../../esbuild.mjs';`,
      [],
    ],
    [
      'lets packages of package.json in',
      'tracker/a.ts',
      `import { pino } from 'pino'; import two from '@scope/one/sub';`,
      [],
    ],
    [
      'is not fooled by text',
      'protocol/a.ts',
      `// import '../tracker/a.ts'\nconst text = "import '../tracker/a.ts'";`,
      [],
    ],

    [
      'finds the protocol importing a part',
      'protocol/a.ts',
      `import { x } from '../tracker/server.ts';`,
      ['protocol never imports tracker (tracker/server.ts)'],
    ],
    [
      'finds the tracker importing the engine',
      'tracker/fold/a.ts',
      `import '../../extension/engine/swarm.ts';`,
      ['tracker never imports extension/engine (extension/engine/swarm.ts)'],
    ],
    [
      'finds the engine importing the window',
      'extension/engine/a.ts',
      `import '../store.ts';`,
      ['extension/engine never imports extension (extension/store.ts)'],
    ],
    [
      'finds the engine importing vscode',
      'extension/engine/a.ts',
      `import type { Uri } from 'vscode';`,
      ['extension/engine never imports vscode'],
    ],
    [
      'finds a page reaching into its window',
      'extension/webview/a.ts',
      `import '../store.ts'; import 'vscode'; import './b.ts';`,
      ['extension/webview never imports extension (extension/store.ts)', 'extension/webview never imports vscode'],
    ],
    [
      'finds the product importing a test',
      'tracker/a.ts',
      `import '../test/support/world.ts';`,
      ['tracker never imports test (test/support/world.ts)'],
    ],
    [
      'finds what leaves the layers',
      'protocol/a.ts',
      `import '../package.json';`,
      ['protocol never imports from outside the layers (package.json)'],
    ],
    [
      'finds a package nobody asked for',
      'tracker/a.ts',
      `import '@scope/two/sub'; import 'left-pad/x';`,
      ['@scope/two is not in package.json', 'left-pad is not in package.json'],
    ],
    [
      'finds a part of Node without its prefix',
      'tracker/a.ts',
      `import fs from 'fs';`,
      ['fs is part of Node: write node:fs'],
    ],

    ['sees a type import', 'extension/a.ts', `import type { Swarm } from './engine/swarm.ts';`, engineFromWindow],
    ['sees an inline type import', 'extension/a.ts', `let a: import('./engine/swarm.ts').Swarm;`, engineFromWindow],
    [
      'sees a dynamic import',
      'extension/a.ts',
      'async function f() { await import(`./engine/swarm.ts`); }',
      engineFromWindow,
    ],
    ['sees a re-export', 'extension/a.ts', `export { a } from './engine/swarm.ts';`, engineFromWindow],
    ['sees a re-export of everything', 'extension/a.ts', `export * from './engine/swarm.ts';`, engineFromWindow],
    ['sees a require', 'extension/a.ts', `const a = require('./engine/swarm.ts');`, engineFromWindow],
    ['sees an import assignment', 'extension/a.ts', `import a = require('./engine/swarm.ts');`, engineFromWindow],
    [
      'sees a worker by its URL',
      'extension/a.ts',
      `new Worker(new URL('./engine/swarm.ts', import.meta.url));`,
      engineFromWindow,
    ],
    ['sees a detour', 'extension/views/a.ts', `import '../../extension/./views/../engine/swarm.ts';`, engineFromWindow],
    [
      'refuses what it cannot see',
      'tracker/a.ts',
      `const a = './b.ts'; import(a);`,
      ['imports something computed, which no one can check'],
    ],
  ];
  for (const [does, path, text, wrong] of sources) it(does, () => assert.deepEqual(wrongWith(path, text), wrong));

  it('tells file and line', () =>
    assert.deepEqual(brokenImports('protocol/a.ts', `\n\nimport 'vscode';\n`, []), [
      'protocol/a.ts:3: protocol never imports vscode',
    ]));

  it('finds a new entry at the top level', () =>
    assert.equal(unexpectedAtTop(['README.md', 'protocol/frame.ts', 'utils/a.ts']).length, 1));

  it('finds a registry', () => {
    const host = ['registry', 'example', 'com'].join('.');
    const lock = (url: string) =>
      namedRegistries('package-lock.json', `      "resolved": "${url}/a/-/a-1.0.0.tgz",`).length;
    assert.equal(namedRegistries('.npmrc', `registry = https://somewhere/`).length, 1);
    assert.equal(namedRegistries('README.md', `see https://${host}/a`).length, 1);
    assert.equal(namedRegistries('README.md', `from ${host}`).length, 1);
    assert.equal(namedRegistries('README.md', 'from the npm registry. Then').length, 0);
    assert.equal(lock(`https://${host}`), 1);
    assert.equal(lock(`https://${['registry', 'npmjs', 'org'].join('.')}`), 0);
  });

  it('finds a dead link', () =>
    assert.deepEqual(
      deadLinks(
        'docs/a.md',
        'see [b](b.md), ![c](images/c.png)\nand [d](https://example.com/d), [e](../e.md#part), [f](#here)',
        ['docs/b.md', 'e.md'],
      ),
      ['docs/a.md:1: images/c.png is not there'],
    ));

  it('finds a file that is too long', () => {
    assert.deepEqual(tooLong('a.ts', '\n'.repeat(SOURCE_LINES_MAX)), []);
    assert.equal(tooLong('a.ts', '\n'.repeat(SOURCE_LINES_MAX + 1)).length, 1);
  });
});
