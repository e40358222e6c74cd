// Makes the three bundles in dist/, each of which runs alone, copied anywhere, without
// node_modules; and in dist/webview the one page of the extension.
//
//   node esbuild.mjs [--sourcemap] [--if-stale]     --if-stale: nothing to do while dist/ is newer than every source
//
// Runs on any Node from 18 on, so it can be started before this project's own Node is known to
// work.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const DIST = join(ROOT, 'dist');
const NODE_MIN = [22, 13]; // the first Node with node:sqlite unflagged; VS Code 1.105 has 22.19

/**
 * What each bundle is made of. A command is a program of its own: it has a shebang, a run bit and a
 * check of the Node that runs it.
 */
const BUNDLES = [
  { from: 'tracker/main.ts', to: 'tracker.js', command: 'shoal-tracker' },
  { from: 'extension/engine/main.ts', to: 'engine.js', command: 'shoal' },
  // By its name, since VS Code goes by the package.json above: a module it imports, which takes
  // several times as long as to require it.
  { from: 'extension/main.ts', to: 'extension.cjs', command: undefined },
].filter(({ from }) => existsSync(join(ROOT, from)));

/**
 * What the engine's threads run that hash: a text inside the engine's bundle, which has to be one
 * file.
 */
const HASH_WORKER = 'extension/engine/hashing/hashWorker.ts';

/** The page: a script and a style sheet for the browser that VS Code is. */
const PAGES = [
  { from: 'extension/webview/inspector.ts', to: 'webview/inspector.js' },
  { from: 'extension/webview/inspector.css', to: 'webview/inspector.css' },
];
/** The browser of the oldest VS Code that is served: 1.105 has Electron 37. */
const BROWSER_MIN = 'chrome138';

/**
 * Syntax that Node 12 does not parse is written in an older way, so that it gets as far as the
 * check above: it is what `apt install nodejs` gives on Ubuntu 22.04. Costs nothing that can be
 * measured. Private fields, which would, are parsed by Node 12, and stay as long as their class has
 * none of the other things: no private methods (sourcesAsBundled), no static block. In a class that
 * has, esbuild makes a WeakMap of every field, and a tracker takes twice the time for everything.
 */
const PARSED_BY_NODE_12 = Object.fromEntries(
  [
    'class-private-accessor',
    'class-private-brand-check',
    'class-private-method',
    'class-private-static-accessor',
    'class-private-static-method',
    'class-static-blocks',
    'logical-assignment',
    'nullish-coalescing',
    'optional-chain',
    'regexp-match-indices',
    'regexp-set-notation',
  ].map((feature) => [feature, false]),
);

/**
 * An import of VS Code is a plain `require`: esbuild would copy all its hundreds of names for each
 * file that imports it, which took 9 of the 24 ms that the window's code takes to be loaded.
 */
const VSCODE_IMPORT = /^import \* as vscode from 'vscode';$/m;
const VSCODE_REQUIRE = "const vscode = require('vscode');";

if (process.argv.includes('--if-stale') && isFresh()) process.exit(0);
await build();

async function build() {
  const started = new Date();
  const { build: esbuild } = await import('esbuild');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const ofNode = {
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    supported: PARSED_BY_NODE_12,
    external: ['vscode'],
    // Names stay as they are: they are part of a stack that someone will send us. (keepNames would
    // put a static block into every class.)
    minifySyntax: true,
    minifyWhitespace: true,
    plugins: [sourcesAsBundled()],
    // Strings stay as they are: a path or a word that is grepped for in the bundle is found.
    charset: 'utf8',
    logLevel: 'error',
  };
  const {
    outputFiles: [worker],
  } = await esbuild({ ...ofNode, entryPoints: [HASH_WORKER] }).catch(() => process.exit(1));
  const results = await Promise.all(
    BUNDLES.map(({ from, to, command }) =>
      esbuild({
        ...ofNode,
        entryPoints: [from],
        outfile: join(DIST, to),
        sourcemap: process.argv.includes('--sourcemap') && 'inline',
        banner: { js: banner(command) },
        legalComments: 'none', // see withLicences
        metafile: true,
        define: {
          __SHOAL_VERSION__: JSON.stringify(version),
          __SHOAL_HASH_WORKER__: JSON.stringify(worker.text),
          'import.meta.url': '__shoalUrl',
        },
      }),
    ).concat(
      PAGES.map(({ from, to }) =>
        esbuild({
          absWorkingDir: ROOT,
          entryPoints: [from],
          outfile: join(DIST, to),
          bundle: true,
          write: false,
          platform: 'browser',
          format: 'iife',
          target: BROWSER_MIN,
          minify: true,
          charset: 'utf8',
          logLevel: 'error',
          legalComments: 'none', // see withLicences
          metafile: true,
        }),
      ),
    ),
  ).catch(() => process.exit(1)); // esbuild has said what is wrong

  mkdirSync(join(DIST, 'webview'), { recursive: true });
  publish('package.json', '{"type":"commonjs"}\n', started); // the one above says "module"
  for (const { outputFiles, metafile } of results) {
    for (const { path, text } of outputFiles) {
      const name = relative(DIST, path).replaceAll('\\', '/');
      const contents = Buffer.from(withLicences(text, metafile));
      publish(name, contents, started);
      console.log(`dist/${name.padEnd(21)} ${String(Math.ceil(contents.length / 1024)).padStart(5)} KiB`);
    }
  }
}

/**
 * The packages that are in a bundle, with their licences, which want to be where the code is. A map
 * of the sources stays last.
 */
function withLicences(text, { inputs }) {
  const folders = Object.keys(inputs).flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  const byLicence = new Map();
  for (const folder of [...new Set(folders)].sort()) {
    const { name, version } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(ROOT, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} has no licence that could be shipped with it`);
    const licence = readFileSync(join(ROOT, folder, file), 'utf8')
      .replaceAll('\r\n', '\n')
      .trim();
    byLicence.set(licence, [...(byLicence.get(licence) ?? []), `${name} ${version}`]);
  }
  const comments = [...byLicence].map(([licence, names]) => `/*!\n${names.join(', ')}\n${licence}\n*/\n`).join('');
  const map = text.lastIndexOf('\n//# sourceMappingURL=') + 1 || text.length;
  return `${text.slice(0, map)}${comments}${text.slice(map)}`;
}

/**
 * Private methods and accessors become ordinary ones, `#go` a `$go`: the compiler and the linter
 * have seen to it that nobody else calls them. And see above.
 */
function sourcesAsBundled() {
  return {
    name: 'sources as they are bundled',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const { default: ts } = await import('typescript');
        const text = readFileSync(path, 'utf8');
        const places = [];
        const visit = (node, open) => {
          if (ts.isClassLike(node)) {
            const methods = node.members.filter((member) => ts.isMethodDeclaration(member) || ts.isAccessor(member));
            open = new Set([
              ...open,
              ...methods.filter(({ name }) => ts.isPrivateIdentifier(name)).map(({ name }) => name.text),
            ]);
          }
          if (ts.isPrivateIdentifier(node) && open.has(node.text)) places.push(node.getStart());
          ts.forEachChild(node, (child) => visit(child, open));
        };
        visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true), new Set());
        const contents = places
          .reduceRight((written, at) => `${written.slice(0, at)}$${written.slice(at + 1)}`, text)
          .replace(VSCODE_IMPORT, VSCODE_REQUIRE);
        return { contents, loader: 'ts' };
      });
    },
  };
}

/**
 * Whoever runs the old bundle at this moment keeps it: a file appears whole under its name or not
 * at all.
 */
function publish(name, contents, started) {
  const part = join(DIST, dirname(name), `.${basename(name)}.${process.pid}`);
  writeFileSync(part, contents);
  utimesSync(part, started, started); // older than a source that changed meanwhile
  if (BUNDLES.some((bundle) => bundle.to === name && bundle.command)) chmodSync(part, 0o755);
  renameSync(part, join(DIST, name));
}

/**
 * What stands before everything else in a bundle.
 *
 * The check is the first thing that runs and is written in ES5. It can only speak if the rest of
 * the file parses too, hence PARSED_BY_NODE_12.
 */
function banner(command) {
  return [
    command && '#!/usr/bin/env node',
    "'use strict';", // counts only as the first statement of a file, and esbuild's own comes after this
    command && `(${refuseOldNode})(${JSON.stringify(command)}, ${NODE_MIN.join(', ')});`,
    command && `(${hushSqliteWarning})();`,
    "var __shoalUrl = require('url').pathToFileURL(__filename).href;", // import.meta.url, which a CommonJS file has not
  ]
    .filter(Boolean)
    .join('\n');
}

function refuseOldNode(command, major, minor) {
  var has = process.versions.node.split('.').map(Number);
  if (has[0] > major || (has[0] === major && has[1] >= minor)) return;
  console.error(
    command +
      ' needs Node ' +
      major +
      '.' +
      minor +
      ' or newer, and this is Node ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '): install a newer one from https://nodejs.org, or start ' +
      __filename +
      ' with one that you have.',
  );
  process.exit(1);
}

/**
 * Node 22 and 23 call SQLite experimental at every start (24 does no longer). That one warning
 * helps nobody; the others stay.
 */
function hushSqliteWarning() {
  var emitWarning = process.emitWarning;
  process.emitWarning = function (warning, type) {
    if (type === 'ExperimentalWarning' && /^SQLite is an experimental feature/.test(warning)) return;
    emitWarning.apply(process, arguments);
  };
}

/** Nothing that goes into the bundles is younger than the oldest of them. */
function isFresh() {
  const outputs = ['package.json', ...[...BUNDLES, ...PAGES].map(({ to }) => to)].map((name) => join(DIST, name));
  if (!outputs.every(existsSync)) return false;
  const oldest = Math.min(...outputs.map(modified));
  return ['esbuild.mjs', 'package.json', 'package-lock.json', 'protocol', 'tracker', 'extension'].every(
    (name) => newestIn(join(ROOT, name)) < oldest,
  );
}

function newestIn(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return modified(path);
  // Folders count, too: a file that goes away touches the one it was in.
  return Math.max(modified(path), ...readdirSync(path, { recursive: true }).map((name) => modified(join(path, name))));
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
