// VS Code's server for one person: settings, extensions, logs and a home folder of their own, so
// that neither the machine nor another person's window leaks in. Two windows of one person are two
// pages of one server.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installCode } from './codeBuild.ts';
import type { CodeBuild } from './codeBuild.ts';

export interface ServerOptions {
  /** Where the person's folders go; the caller removes it. */
  readonly folder: string;
  /** For messages. */
  readonly name: string;
  /** On top of QUIET_SETTINGS, by their full names. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /**
   * What the server and its extension hosts see on top of PATH, HOME and the like: SHOAL_HOME, say.
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Packaged extensions (.vsix), installed before the server starts: one that is installed while it
   * runs, it may not notice for as long as it lives if it was reading the list of them just then.
   */
  readonly extensions?: readonly string[];
  /**
   * VS Code's mode for automation, on by default. Only in it the page reads `payload`, and a suite
   * runs in the extension host; no notification pops up in it. Switch it off to see toasts as
   * people do.
   */
  readonly forTests?: boolean;
  /**
   * What a browser must know to get in, as `tkn` in the address; without one everybody on this
   * machine gets in, who then is this user. For a server that stays. VS Code keeps it in a cookie,
   * and cookies do not tell ports apart: servers opened in one browser need the same.
   */
  readonly token?: string;
}

/** Pairs for the page's `payload`, which VS Code reads as a map. */
export type Payload = readonly (readonly [string, string])[];

/**
 * A new profile starts in Restricted Mode, with a welcome page, a chat panel, and things that reach
 * out into the internet.
 */
export const QUIET_SETTINGS: Readonly<Record<string, unknown>> = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.enableExperiments': false,
  'workbench.tree.enableStickyScroll': false,
  'workbench.reduceMotion': 'on',
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'security.workspace.trust.enabled': false,
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'git.enabled': false,
  'npm.autoDetect': 'off',
  'typescript.disableAutomaticTypeAcquisition': true,
  'window.confirmBeforeClose': 'never',
};

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 10_000;
/**
 * Short: what is there still after kill -9 is dead, in a container whose first process does not
 * collect the dead.
 */
const KILL_MS_MAX = 1_000;
/**
 * A local socket's path has 107 bytes at most, on a Mac 103; VS Code appends
 * `/vscode-ipc-UUID.sock`.
 */
const SOCKET_FOLDER_BYTES_MAX = (process.platform === 'linux' ? 107 : 103) - 53;
const GUARD = fileURLToPath(new URL('./guard.mjs', import.meta.url));
const KEPT = [
  'PATH',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'TEMP',
  'TMP',
  'SystemRoot',
  'windir',
  'ComSpec',
  'PATHEXT',
  'LD_LIBRARY_PATH',
];

export class CodeServer {
  readonly name: string;
  readonly folder: string;
  /** The person's home folder; also the place where file dialogs begin. */
  readonly home: string;
  readonly #build: CodeBuild;
  readonly #environment: Record<string, string>;
  readonly #token: string | undefined;
  readonly #arguments: readonly string[];
  #child: ChildProcess | undefined;
  #url = '';
  #output = '';

  private constructor(build: CodeBuild, options: ServerOptions) {
    this.#build = build;
    this.name = options.name;
    this.#token = options.token;
    this.folder = path.resolve(options.folder);
    this.home = path.join(this.folder, 'home');
    for (const folder of [this.home, path.join(this.folder, 'data'), this.#extensions]) {
      mkdirSync(folder, { recursive: true });
    }
    this.writeSettings(options.settings ?? {});
    const kept = KEPT.map((name) => [name, process.env[name]]).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    // No extension gallery: it would be asked for updates, over the internet.
    this.#environment = {
      LANG: 'C.UTF-8',
      EXTENSIONS_GALLERY: '{"serviceUrl":""}',
      ...Object.fromEntries(kept),
      ...this.#temporaryFolder(),
      HOME: this.home,
      USERPROFILE: this.home,
      ...options.environment,
    };
    this.#arguments = [
      '--host',
      '127.0.0.1',
      '--port',
      '0',
      ...this.#tokenArguments(options.token),
      '--disable-telemetry',
      ...(options.forTests === false ? [] : ['--enable-smoke-test-driver']),
    ];
  }

  /** Starts a server; resolves when it answers. */
  static async start(options: ServerOptions): Promise<CodeServer> {
    const server = new CodeServer(await installCode(), options);
    for (const vsix of options.extensions ?? []) await server.#install(vsix);
    try {
      await server.#start();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return this.#url;
  }
  /** Dies with the server, and so do the extension hosts: they are its group. */
  get processId(): number {
    return this.#child?.pid ?? 0;
  }
  /** What the server itself has printed. */
  get output(): string {
    return this.#output;
  }
  get #user(): string {
    return path.join(this.folder, 'data', 'user');
  }
  get #extensions(): string {
    return path.join(this.folder, 'extensions');
  }
  get #folderArguments(): string[] {
    return [
      '--accept-server-license-terms',
      '--server-data-dir',
      path.join(this.folder, 'data'),
      '--user-data-dir',
      this.#user,
      '--extensions-dir',
      this.#extensions,
    ];
  }

  /** The person's settings, as if they had edited the file: a window that is open takes them up. */
  writeSettings(settings: Readonly<Record<string, unknown>>): void {
    for (const kind of ['User', 'Machine']) {
      mkdirSync(path.join(this.#user, kind), { recursive: true });
      // Whole or not at all: a window that reads half a file takes all settings for unset, and asks
      // to be reloaded.
      const file = path.join(this.#user, kind, 'settings.json');
      writeFileSync(`${file}.new`, JSON.stringify({ ...QUIET_SETTINGS, ...settings }, undefined, 2));
      renameSync(`${file}.new`, file);
    }
  }

  async #install(vsix: string): Promise<void> {
    const args = [
      this.#build.serverMain,
      '--install-extension',
      path.resolve(vsix),
      '--force',
      ...this.#folderArguments,
    ];
    const child = spawn(this.#build.node, args, {
      cwd: this.home,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0 || !output.includes('successfully installed')) {
      throw new Error(`could not install ${vsix} for ${this.name}: exit code ${String(code)}\n${output}`);
    }
  }

  /**
   * The page of a window on a folder or a `.code-workspace` file; without one, a window with
   * nothing open.
   */
  windowUrl(workspace?: string, payload: Payload = []): string {
    const url = new URL('/', this.#url);
    if (workspace === undefined) url.searchParams.set('ew', 'true');
    else url.searchParams.set(workspace.endsWith('.code-workspace') ? 'workspace' : 'folder', pagePath(workspace));
    if (payload.length > 0) url.searchParams.set('payload', JSON.stringify(payload));
    if (this.#token !== undefined) url.searchParams.set('tkn', this.#token);
    return url.href;
  }

  /** How the page names a file of this machine. */
  remoteUri(file: string): string {
    return `vscode-remote://${new URL(this.#url).host}${encodeURI(pagePath(file))}`;
  }

  /**
   * All log files of this server and its extension hosts, oldest session first, each under its
   * name.
   */
  logs(): string {
    return this.#logFiles('**/*.log')
      .map((file) => `──── ${path.relative(this.#user, file)}\n${readFileSync(file, 'utf8')}`)
      .join('\n');
  }

  /**
   * What an extension has written to its output channel of this name, in all windows and sessions;
   * empty if nothing.
   */
  extensionLog(channel: string): string {
    const name = channel.replace(/[\\/:*?"<>|]/g, '');
    // A log channel has a file in a folder of its extension; of a plain one the files are numbered.
    const files = this.#logFiles('*/exthost*/*/*.log').filter(
      (file) => path.basename(file, '.log').replace(/^\d+-/, '') === name,
    );
    return files.map((file) => readFileSync(file, 'utf8')).join('');
  }

  /** Ends the server and all it has started in its group; resolves when nothing of it is left. */
  async stop(): Promise<void> {
    const child = this.#child;
    const pid = child?.pid;
    if (child === undefined || pid === undefined) return;
    if (process.platform === 'win32') {
      if (child.exitCode === null) spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' });
    } else {
      for (const [signal, boundMs] of [
        ['SIGTERM', STOP_MS_MAX],
        ['SIGKILL', KILL_MS_MAX],
      ] as const) {
        const deadline = Date.now() + boundMs;
        for (let alive = signalGroup(pid, signal); alive && Date.now() < deadline; alive = signalGroup(pid, 0)) {
          await pause(20);
        }
      }
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  }

  /**
   * One of its own, since VS Code leaves its sockets behind; where their paths would be too long
   * for the system, the usual one.
   */
  #temporaryFolder(): Record<string, string> {
    const folder = path.join(this.folder, 't');
    if (process.platform !== 'win32' && Buffer.byteLength(folder) > SOCKET_FOLDER_BYTES_MAX) return {};
    mkdirSync(folder, { recursive: true });
    return { TMPDIR: folder, TEMP: folder, TMP: folder };
  }

  /** In a file: what stands on a command line, every user of the machine can read. */
  #tokenArguments(token: string | undefined): string[] {
    if (token === undefined) return ['--without-connection-token'];
    const file = path.join(this.folder, 'token');
    writeFileSync(file, token, { mode: 0o600 });
    return ['--connection-token-file', file];
  }

  #logFiles(pattern: string): string[] {
    if (!this.#build.writesLogs) {
      throw new Error(
        'VS Code writes no logs here, because an add-on of it could not be built: install a C++ compiler, make and python3, remove .vscode-test, and try again',
      );
    }
    const files = globSync(path.join(this.#user, 'logs', pattern)).filter((file) => statSync(file).isFile());
    return files.sort(new Intl.Collator('en', { numeric: true }).compare); // exthost10 is after exthost9
  }

  async #start(): Promise<void> {
    // A group of its own (detached), so that all of it can be ended; and a guard as its leader,
    // which does that when this process dies.
    const child = (this.#child = spawn(
      this.#build.node,
      [GUARD, this.#build.serverMain, ...this.#arguments, ...this.#folderArguments],
      {
        cwd: this.home,
        env: this.#environment,
        detached: process.platform !== 'win32',
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    ));
    child.stdin.on('error', () => {});
    let timer: NodeJS.Timeout | undefined;
    try {
      this.#url = await new Promise<string>((resolve, reject) => {
        const fail = (why: string): void =>
          reject(new Error(`VS Code's server of ${this.name} ${why}:\n${this.#output}`));
        timer = setTimeout(() => fail(`does not listen after ${START_MS_MAX / 1000} s`), START_MS_MAX);
        child.on('error', (error) => fail(error.message));
        child.on('exit', (code, signal) => fail(`ended with ${String(code ?? signal)}`));
        for (const stream of [child.stdout, child.stderr]) {
          stream.on('data', (data: Buffer) => {
            this.#output += data.toString();
            const port = /Extension host agent listening on (\d+)/.exec(this.#output)?.[1];
            if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
          });
        }
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** `/home/alice/x`, and `/c:/Users/alice/x` on Windows. */
function pagePath(file: string): string {
  if (!existsSync(file)) throw new Error(`${file} does not exist`);
  return decodeURIComponent(pathToFileURL(path.resolve(file)).pathname);
}

/** Whether anybody of the group was there to get it; signal 0 only asks. */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}
