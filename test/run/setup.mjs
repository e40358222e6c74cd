// What stands behind `npm start`, `npm test` and the other npm scripts: makes this checkout ready,
// then runs a script in it.
//
//   node test/run/setup.mjs [--build] SCRIPT ARGS…
//
// Ready means: node_modules is what package-lock.json says (else `npm ci`), and, with --build,
// dist/ is newer than the sources. The script is run by the Node that the project brings along
// (devDependency `node`), whatever Node started this file: on a fresh clone that is the machine's,
// so this is plain JavaScript, kept old enough to be parsed by a Node that is too old and to say
// so.
import childProcess from 'child_process';
import crypto from 'crypto';
import fs from 'fs';
import os from 'os';
import path from 'path';
import url from 'url';

const ROOT = path.resolve(path.dirname(url.fileURLToPath(import.meta.url)), '..', '..');
const MODULES = path.join(ROOT, 'node_modules');
const OWN_NODE = path.join(MODULES, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const STAMP = path.join(MODULES, '.shoal-installed'); // holds the hash of the lock file that was installed

if (!isAtLeast(20, 0)) {
  fail(
    `shoal needs Node 20 or newer to set itself up, and this is Node ${process.versions.node} (${process.execPath}): see https://nodejs.org.`,
  );
}
main(process.argv.slice(2));

async function main(args) {
  const build = args[0] === '--build';
  const [script, ...rest] = build ? args.slice(1) : args;
  if (!script) fail('usage: node test/run/setup.mjs [--build] SCRIPT ARGS…', 2);

  if (!isInstalled()) await install();
  const node = nodeToRun();
  // Whatever the script starts by the name `node` (a bundle by its shebang, say) gets the same one.
  process.env.PATH = [path.dirname(node), process.env.PATH].join(path.delimiter);

  if (build) {
    const code = await run(node, [path.join(ROOT, 'esbuild.mjs'), '--if-stale']);
    if (code) process.exit(code);
  }
  process.exit(await run(node, [path.resolve(ROOT, script), ...rest]));
}

/**
 * By the stamp, or else (somebody ran npm by hand) by comparing what npm noted down in
 * node_modules.
 */
function isInstalled() {
  const lock = fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8');
  const hash = crypto.createHash('sha256').update(lock).digest('hex');
  try {
    // npm writes its note last and removes it first: without it an install was interrupted.
    const noted = JSON.parse(fs.readFileSync(path.join(MODULES, '.package-lock.json'), 'utf8')).packages;
    if (fs.existsSync(STAMP) && fs.readFileSync(STAMP, 'utf8') === hash) return true;
    const wanted = Object.entries(JSON.parse(lock).packages).filter(([at]) => at !== '');
    const same = wanted.every(([at, { version, integrity, optional }]) =>
      noted[at] ? noted[at].version === version && noted[at].integrity === integrity : optional,
    ); // made for another system
    if (same) fs.writeFileSync(STAMP, hash);
    return same;
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return false;
    throw error;
  }
}

async function install() {
  const started = Date.now();
  say('installing the tools of this project into node_modules: once, about 300 MB, mostly under a minute …');
  // Not by OWN_NODE, which is removed meanwhile: by the Node that runs npm. Windows cannot remove a
  // program that runs (this one), so there npm changes only what differs.
  const node = process.env.npm_node_execpath || process.execPath;
  const verb = process.platform === 'win32' && fs.existsSync(MODULES) ? ['install', '--no-save'] : ['ci'];
  const args = [...verb, '--include=dev', '--no-audit', '--no-fund', '--engine-strict=false'];
  const npm = process.env.npm_execpath || ''; // what runs this script, if it is npm and not one of its relatives
  const { code, output } = npm.endsWith('npm-cli.js')
    ? await capture(node, [npm, ...args])
    : await capture('npm', args, { shell: process.platform === 'win32' });
  if (code !== 0) {
    process.stderr.write(output);
    fail(
      `\`npm ${args.join(' ')}\` failed, see above. It needs the npm registry; fix that and run this command again.`,
    );
  }
  if (!isInstalled()) {
    fail(
      'npm reports success, but node_modules is not what package-lock.json says: remove it and run this command again.',
    );
  }
  say(`installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

function nodeToRun() {
  if (fs.existsSync(OWN_NODE)) return OWN_NODE;
  // Not made for this system, or install scripts are forbidden here. From 22.18 on Node runs
  // TypeScript without being asked.
  if (isAtLeast(22, 18)) return process.execPath;
  return fail(
    'the Node of this project is missing (node_modules/node/bin): install scripts may be switched off in your npm configuration.' +
      ' Run `npm rebuild node --ignore-scripts=false`, or use Node 22.18 or newer.',
  );
}

/** Runs a program to its end; resolves to its exit code, or to 128 + the signal that ended it. */
function run(program, args) {
  const child = childProcess.spawn(program, args, { cwd: ROOT, stdio: 'inherit' });
  // Ctrl-C reaches the child from the terminal, as it reached this process: it shall clean up, and
  // this process waits for it. The others are sent to this process alone.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ? 128 + os.constants.signals[signal] : code));
  });
}

/** Runs a program whose output matters only if it fails. */
function capture(program, args, options) {
  const child = childProcess.spawn(
    program,
    args,
    Object.assign({ cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] }, options),
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data;
    });
  }
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 1, output: `${error.message}\n` }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

function isAtLeast(major, minor) {
  const has = process.versions.node.split('.').map(Number);
  return has[0] > major || (has[0] === major && has[1] >= minor);
}

function say(text) {
  console.error(`shoal: ${text}`);
}

function fail(text, code = 1) {
  say(text);
  process.exit(code);
}
