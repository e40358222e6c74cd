// One Chromium for all windows of a test process: an installed one, else the Linux build that the
// npm package @sparticuz/chromium carries.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext } from 'playwright-core';
import { installOnce } from './installOnce.ts';

/**
 * It opens our own server only, and it may run as root or in a container, where its sandbox cannot.
 */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
  '--force-color-profile=srgb',
];
/** Wide enough that VS Code hides nothing behind an overflow menu. */
const VIEWPORT = { width: 1280, height: 860 };

interface Candidate {
  readonly program: string;
  readonly env?: Record<string, string>;
}

let browser: Promise<Browser> | undefined;

/**
 * A person at a browser of their own: nothing of it is seen by other contexts. Close it when they
 * leave; `closeBrowser` closes all.
 */
export async function newPerson(): Promise<BrowserContext> {
  const context = await (
    await launchBrowser()
  ).newContext({
    viewport: VIEWPORT,
    locale: 'en-US',
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(20_000);
  context.setDefaultNavigationTimeout(60_000);
  return context;
}

/** The browser of this process, started when first asked for. */
export function launchBrowser(): Promise<Browser> {
  return (browser ??= launch());
}

/** Call it in `after`: mocha does not end while the browser runs. */
export async function closeBrowser(): Promise<void> {
  const closing = browser;
  browser = undefined;
  await (await closing?.catch(() => undefined))?.close();
}

async function launch(): Promise<Browser> {
  const failures: string[] = [];
  for (const find of [named, installed, packaged]) {
    for (const { program, env } of await find()) {
      try {
        return await chromium.launch({
          executablePath: program,
          args: FLAGS,
          headless: true,
          // Signals are the test runner's business. When this process ends, the browser ends with
          // it.
          handleSIGINT: false,
          handleSIGTERM: false,
          handleSIGHUP: false,
          env: { ...plain(process.env), ...env },
        });
      } catch (error) {
        failures.push(`${program}: ${(error as Error).message}${lacking(program)}`);
      }
    }
    if (find === named && failures.length > 0) break; // who names one wants that one
  }
  throw new Error(
    `found no Chromium that starts; set CHROME_PATH, or install Chrome, Edge or the package chromium\n${failures.join('\n')}`,
  );
}

function named(): Candidate[] {
  const program = process.env['CHROME_PATH'];
  return program ? [{ program }] : [];
}

function installed(): Candidate[] {
  return places()
    .filter((program) => existsSync(program))
    .map((program) => ({ program }));
}

function places(): string[] {
  if (process.platform === 'darwin') {
    return ['Google Chrome', 'Microsoft Edge', 'Chromium'].map(
      (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
    );
  }
  if (process.platform === 'win32') {
    const roots = [process.env['ProgramFiles'], process.env['ProgramFiles(x86)'], process.env['LOCALAPPDATA']].filter(
      (root) => root !== undefined,
    );
    return roots.flatMap((root) => [
      path.join(root, 'Google/Chrome/Application/chrome.exe'),
      path.join(root, 'Microsoft/Edge/Application/msedge.exe'),
    ]);
  }
  const names = [
    'google-chrome',
    'google-chrome-stable',
    'microsoft-edge',
    'microsoft-edge-stable',
    'chromium',
    'chromium-browser',
  ];
  // Not /snap/bin: a snap does not see the profile folder that playwright makes in /tmp.
  return names.flatMap((name) => ['/usr/local/bin', '/usr/bin'].map((folder) => path.join(folder, name)));
}

async function packaged(): Promise<Candidate[]> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return [];
  const { version } = JSON.parse(readFileSync(path.join(packageFolder(), 'package.json'), 'utf8')) as {
    version: string;
  };
  const folder = await installOnce(
    `chromium-${version}`,
    'unpacking Chromium from its npm package into .vscode-test: once, some seconds …',
    unpack,
  );
  const program = path.join(folder, 'chromium');
  const env: Record<string, string> = {};
  if (!existsSync('/etc/fonts/fonts.conf')) {
    // no fonts here: the package has some, with a list of folders that is about another place
    env['FONTCONFIG_FILE'] = path.join(folder, 'fonts.conf');
    writeFileSync(
      env['FONTCONFIG_FILE'],
      `<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>\n`,
    );
  }
  if (lacking(program)) env['LD_LIBRARY_PATH'] = path.join(folder, 'al2023', 'lib'); // NSS, where the machine has none
  return [{ program, env }];
}

/**
 * The package unpacks into the folder for temporary files, and not safely if two do it at once: so
 * a process of its own, with a folder of its own.
 */
async function unpack(draft: string): Promise<void> {
  const script = `
    const { default: chromium, inflate } = await import('@sparticuz/chromium');
    await chromium.executablePath();
    await inflate(process.argv[1]);`;
  const archive = path.join(packageFolder(), 'bin', 'al2023.tar.br');
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, archive], {
    env: { ...process.env, TMPDIR: draft },
    cwd: import.meta.dirname,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let trouble = '';
  child.stderr.on('data', (data: Buffer) => (trouble += data.toString()));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`could not unpack @sparticuz/chromium: ${trouble}`);
}

function packageFolder(): string {
  // it exports its main file alone: build/index.js
  return path.join(createRequire(import.meta.url).resolve('@sparticuz/chromium'), '../..');
}

/**
 * Which shared libraries of the system a program misses, as a part of a sentence; empty if none.
 */
function lacking(program: string): string {
  if (process.platform !== 'linux') return '';
  try {
    // The system's loader says what it loads for a program instead of starting it; this is all that
    // ldd does.
    const loaded = execFileSync(program, {
      encoding: 'utf8',
      env: { LD_TRACE_LOADED_OBJECTS: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const missing = loaded.split('\n').filter((line) => line.includes('not found'));
    return missing.length > 0 ? `\n  it lacks ${missing.map((line) => line.trim().split(' ')[0]).join(', ')}` : '';
  } catch {
    return ''; // not a program of this system
  }
}

function plain(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
