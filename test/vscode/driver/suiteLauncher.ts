// Runs a mocha suite inside a real extension host, with the packaged extension installed: in VS
// Code's server by default, in the desktop build with SHOAL_VSCODE=desktop (it is downloaded, so
// not on a machine without the internet).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { format } from 'node:util';
import { downloadAndUnzipVSCode, runTests, runVSCodeCommand, TestRunFailedError } from '@vscode/test-electron';
import * as esbuild from 'esbuild';
import { newPerson } from './browser.ts';
import { CodeServer, QUIET_SETTINGS } from './codeServer.ts';
import { CodeWindow } from '../pages/codeWindow.ts';
import { CACHE } from './installOnce.ts';

export interface SuiteRun {
  /**
   * A CommonJS file that exports `run(): Promise<void>`, which rejects if a test fails;
   * `bundleSuite` makes one.
   */
  readonly suite: string;
  readonly vsix: string;
  readonly workspace: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What the extension host sees on top: SHOAL_HOME, say. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly boundMs?: number;
}

export interface SuiteOutcome {
  /** 0 if all tests passed. */
  readonly exitCode: number;
  /** What the extension host has printed, mocha's report in it. */
  readonly output: string;
}

/** What the page itself prints, too, whatever it runs. */
const NOISE =
  /^(Resolv(ing|ed) connection token|Creating a socket|\[[\w -]+(:\w+)?\] |(Updating|Ignoring fetching) additional builtin)/;
const SUITE_MS_MAX = 5 * 60_000;

/** Runs a suite where SHOAL_VSCODE says. */
export async function runSuiteInExtensionHost(run: SuiteRun): Promise<SuiteOutcome> {
  const where = process.env['SHOAL_VSCODE'] ?? 'server';
  if (where !== 'server' && where !== 'desktop') throw new Error(`SHOAL_VSCODE is server or desktop, not ${where}`);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-suite-'));
  try {
    return await (where === 'desktop' ? inDesktop : inServer)(run, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Bundles mocha suites (TypeScript, with `describe` and `it` as globals) into one file that
 * `runSuiteInExtensionHost` takes.
 *
 * @param outfile  inside this repository, `test-results/…`: from there the extension host finds
 *   mocha
 */
export async function bundleSuite(
  suites: readonly string[],
  outfile: string,
  { grep, timeoutMs = 20_000 }: { grep?: string; timeoutMs?: number } = {},
): Promise<string> {
  const options = JSON.stringify({
    ui: 'bdd',
    reporter: 'spec',
    color: false,
    timeout: timeoutMs,
    forbidOnly: true,
    ...(grep === undefined ? {} : { grep }),
  });
  // The suites run when they are imported, which is after mocha has put its globals there.
  const entry = `
    const Mocha = require('mocha');
    exports.run = async () => {
      const mocha = new (Mocha.default ?? Mocha)(${options});
      mocha.suite.emit('pre-require', globalThis, '', mocha);
      ${suites.map((suite) => `require(${JSON.stringify(path.resolve(suite))});`).join('\n      ')}
      const failures = await new Promise((resolve) => mocha.run(resolve));
      if (failures > 0) throw new Error(failures + ' failed');
    };`;
  await esbuild.build({
    stdin: { contents: entry, resolveDir: import.meta.dirname, loader: 'js' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    sourcemap: 'inline',
    logLevel: 'error',
    external: ['vscode', 'mocha'],
  });
  return outfile;
}

async function inServer(run: SuiteRun, folder: string): Promise<SuiteOutcome> {
  const server = await CodeServer.start({
    folder: path.join(folder, 'server'),
    name: 'suite',
    settings: run.settings ?? {},
    environment: run.environment ?? {},
    extensions: [run.vsix],
  });
  try {
    const context = await newPerson();
    try {
      const lines: string[] = [];
      const boundMs = run.boundMs ?? SUITE_MS_MAX;
      let timer: NodeJS.Timeout | undefined;
      const exited = new Promise<number>((resolve, reject) => {
        timer = setTimeout(
          () =>
            reject(
              new Error(`the suite did not end within ${boundMs / 1000} s:\n${lines.join('\n')}\n${server.logs()}`),
            ),
          boundMs,
        );
        const prepare = async (page: CodeWindow['page']): Promise<void> => {
          await page.exposeFunction(
            'codeAutomationLog',
            (_type: string, args: readonly unknown[]) =>
              void (NOISE.test(String(args[0])) || lines.push(format(...args))),
          );
          await page.exposeFunction('codeAutomationExit', (code: number) => resolve(code));
        };
        const payload = [
          ['extensionDevelopmentPath', server.remoteUri(emptyExtension(folder))],
          ['extensionTestsPath', server.remoteUri(run.suite)],
        ] as const;
        CodeWindow.open(context, server, { workspace: run.workspace, payload, prepare }).catch(reject);
      });
      const exitCode = await exited.finally(() => clearTimeout(timer));
      return { exitCode, output: lines.join('\n') };
    } finally {
      await context.close();
    }
  } finally {
    await server.stop();
  }
}

/**
 * VS Code runs a suite only while an extension is under development: an empty one, so that the
 * installed one is what is tested.
 */
function emptyExtension(folder: string): string {
  const empty = path.join(folder, 'empty');
  mkdirSync(empty);
  writeFileSync(
    path.join(empty, 'package.json'),
    JSON.stringify({ name: 'empty', publisher: 'shoal-test', version: '0.0.0', engines: { vscode: '*' } }),
  );
  return empty;
}

async function inDesktop(run: SuiteRun, folder: string): Promise<SuiteOutcome> {
  const build = { version: 'stable', cachePath: CACHE };
  const executable = await downloadAndUnzipVSCode(build);
  const user = path.join(folder, 'user');
  const places = [`--user-data-dir=${user}`, `--extensions-dir=${path.join(folder, 'extensions')}`];
  mkdirSync(path.join(user, 'User'), { recursive: true });
  writeFileSync(path.join(user, 'User', 'settings.json'), JSON.stringify({ ...QUIET_SETTINGS, ...run.settings }));
  await runVSCodeCommand([...places, '--install-extension', path.resolve(run.vsix), '--force'], build);

  let output = '';
  const collect = (): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        output += chunk.toString();
        done();
      },
    });
  try {
    const exitCode = await runTests({
      vscodeExecutablePath: executable,
      reuseMachineInstall: true,
      extensionDevelopmentPath: emptyExtension(folder),
      extensionTestsPath: path.resolve(run.suite),
      extensionTestsEnv: { ...run.environment },
      launchArgs: [
        run.workspace,
        ...places,
        '--disable-workspace-trust',
        '--skip-welcome',
        '--skip-release-notes',
        '--disable-telemetry',
        '--disable-updates',
      ],
      stdout: collect(),
      stderr: collect(),
    });
    return { exitCode, output };
  } catch (error) {
    if (!(error instanceof TestRunFailedError)) throw error;
    return { exitCode: error.code ?? 1, output };
  }
}
