// Where VS Code comes from: the npm package code-server carries a whole build of it (workbench,
// server, extension host), which is installed once into `.vscode-test/`. Of code-server itself
// nothing is used.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { installOnce } from './installOnce.ts';

/** Pinned: the driver knows this build's page. code-server 4.139.1 is VS Code 1.139.1. */
export const CODE_SERVER_VERSION = '4.139.1';

export interface CodeBuild {
  readonly folder: string;
  /** The script that is VS Code's server and its command line. */
  readonly serverMain: string;
  /** The Node to run it with: it needs 24, which this project brings along. */
  readonly node: string;
  /**
   * Whether it writes its logs, and those of extensions, to files: it needs an add-on for that,
   * which is built here.
   */
  readonly writesLogs: boolean;
}

/**
 * Add-ons with sources only: without them it works, too, but writes no logs and says "Could not
 * locate the bindings file" again and again.
 */
const ADD_ONS = ['@vscode/spdlog', '@vscode/native-watchdog'] as const;
const QUIET = ['--no-audit', '--no-fund', '--engine-strict=false', '--loglevel=error'];

/** @param cache  where to; given only by a test of this itself */
export async function installCode(cache?: string): Promise<CodeBuild> {
  const announcement =
    "installing VS Code's server from npm into .vscode-test: once, about 600 MB, mostly under a minute …";
  const installed = await installOnce(`server-${CODE_SERVER_VERSION}`, announcement, fill, cache);
  const folder = codeIn(installed);
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 24) {
    throw new Error(
      `VS Code's server needs Node 24, and this is Node ${process.versions.node}: start the tests by an npm script`,
    );
  }
  return {
    folder,
    serverMain: path.join(folder, 'out', 'server-main.js'),
    node: process.execPath,
    writesLogs: existsSync(path.join(folder, 'node_modules', ADD_ONS[0], 'build/Release/spdlog.node')),
  };
}

function codeIn(installed: string): string {
  return path.join(installed, 'node_modules', 'code-server', 'lib', 'vscode');
}

async function fill(draft: string): Promise<void> {
  await npm(draft, ['install', '--ignore-scripts', ...QUIET, `code-server@${CODE_SERVER_VERSION}`]);
  const code = codeIn(draft);
  if (!existsSync(path.join(code, 'out', 'server-main.js'))) {
    throw new Error(`code-server ${CODE_SERVER_VERSION} is not built as expected: no VS Code in ${code}`);
  }
  await npm(code, ['install', '--omit=dev', '--ignore-scripts', ...QUIET]);
  // Without a compiler it is no less of a VS Code to look at; a test that needs its logs says what
  // is missing.
  await npm(code, ['rebuild', '--foreground-scripts', ...QUIET, ...ADD_ONS], headers()).catch((error: Error) =>
    process.stderr.write(`shoal: VS Code will write no logs. ${error.message}\n`),
  );
}

/**
 * Where Node's headers are: they come with the Node of this project, and need not be downloaded.
 */
function headers(): NodeJS.ProcessEnv {
  const folder = path.join(
    import.meta.dirname,
    '../../../node_modules/node/node_modules',
    `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`,
  );
  return existsSync(path.join(folder, 'include', 'node', 'node_api.h')) ? { npm_config_nodedir: folder } : {};
}

/** Runs npm, which is quiet unless it fails. */
async function npm(prefix: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<void> {
  const all = [...args, '--prefix', prefix];
  const own = process.env['npm_execpath'] ?? ''; // what runs this script, if it is npm and not one of its relatives
  const [program, ...words] = own.endsWith('npm-cli.js')
    ? [process.env['npm_node_execpath'] ?? process.execPath, own, ...all]
    : ['npm', ...all];
  // Of the npm above this process only what says where packages come from: its other settings are
  // about this repository.
  const env = {
    ...process.env,
    npm_config_local_prefix: undefined,
    npm_config_prefix: undefined,
    INIT_CWD: undefined,
    ...environment,
  };
  const child = spawn(program, words, {
    cwd: prefix,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: program === 'npm' && process.platform === 'win32',
  });
  const end = (): void => void child.kill();
  process.once('exit', end); // nobody wants it then
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  process.off('exit', end);
  if (code !== 0) throw new Error(`npm ${all.join(' ')} ended with ${String(code)}:\n${output}`);
}
