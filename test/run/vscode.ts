// `npm run vscode`: Shoal in a VS Code, to try it. Into the desktop VS Code where there is one;
// elsewhere, or with --browser, two people with a VS Code server each and a tracker pair, all on
// this machine and in a temporary folder, for as long as this runs: open them in any browser.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { binary } from '../support/binary.ts';
import type { RealPair } from '../support/processes/realProcesses.ts';
import { ENGINE_BUNDLE, RealEngine } from '../support/processes/realProcesses.ts';
import { packageExtension } from '../support/processes/vsix.ts';
import { installCode } from '../vscode/driver/codeBuild.ts';
import type { Person } from '../vscode/people.ts';
import { People } from '../vscode/people.ts';

const USAGE = `usage: npm run vscode [-- --browser]

Packages Shoal and installs it in the VS Code of this machine (the command \`code\`). Where there is none, or with --browser (or
SHOAL_VSCODE=browser), starts two VS Codes to open in a browser, one for alice and one for bob, who are in one group already, and a
tracker pair. Ctrl-C ends them and removes what they have written.
`;

const MIB = 1024 ** 2;
const GROUP = 'harbour';
const FILE = 'dataset.bin';
const FILE_BYTES = 24 * MIB;
/** Bob's download takes six seconds: without a limit it is there before anybody has looked. */
const LIMIT_KIB_PER_S = 4 * 1024;

const say = (text = ''): void => void process.stdout.write(`${text}\n`);
const step = (text: string): void => say(styleText('dim', text));

const wantsBrowser = readArguments() || process.env['SHOAL_VSCODE'] === 'browser';
const interrupted = new AbortController();
try {
  step('building and packaging Shoal …');
  execFileSync(process.execPath, [path.join(import.meta.dirname, '../../esbuild.mjs'), '--if-stale'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: path.join(import.meta.dirname, '../..'),
  });
  const desktop = wantsBrowser ? undefined : onPath('code');
  await (desktop === undefined ? inBrowser() : inDesktop(desktop));
} catch (error) {
  if (!interrupted.signal.aborted) {
    process.stderr.write(
      `\nShoal could not be started in VS Code: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}

/** Whether a browser was asked for by name. */
function readArguments(): boolean {
  try {
    const { values } = parseArgs({
      options: { browser: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    });
    if (!values.help) return values.browser;
    process.stdout.write(USAGE);
    return process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return process.exit(2);
  }
}

async function inDesktop(code: string): Promise<void> {
  const vsix = await packageExtension();
  step(`installing ${path.basename(vsix)} by ${code} …`);
  const isScript = process.platform === 'win32'; // code.cmd, which only a shell runs; it takes the words as one line
  const args = ['--install-extension', vsix, '--force'];
  const { status, error, stdout, stderr } = spawnSync(
    isScript ? `"${code}"` : code,
    isScript ? args.map((word) => `"${word}"`) : args,
    { encoding: 'utf8', shell: isScript },
  );
  if (status !== 0) {
    throw new Error(
      `${code} --install-extension ended with ${status ?? error?.message}:\n${stderr}${stdout}\n\`npm run vscode -- --browser\` needs no installed VS Code.`,
    );
  }
  say(`
Shoal is installed in your VS Code (${code}).
  1. Open VS Code; if it is open, run “Developer: Reload Window” from its command palette.
  2. Click the Shoal icon in the bar at the side, then “Create an account”.
  3. As tracker take “Start a tracker pair on this computer…”, or paste the shoal:// URL that your team gave you.
  4. Create a group, right-click a file in the explorer, “Share File in Group…”.
To take it out again: code --uninstall-extension shoal.shoal
To see two people at once: npm run vscode -- --browser`);
}

async function inBrowser(): Promise<void> {
  const { signal } = interrupted;
  const people = new People();
  let isInstalling = true;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (signal.aborted || isInstalling) {
        // a second time, or nothing runs yet that would have to be ended in order
        people.processes.killAll();
        process.exit(130);
      }
      say('\nstopping …');
      interrupted.abort();
    });
  }
  try {
    await installCode(); // the one step that can take minutes, and says so itself
    isInstalling = false;
    const { pair, homes } = await start(people, signal);
    explain(pair, homes);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  } finally {
    await people.close();
    if (signal.aborted) say('Stopped. Nothing is left behind.');
  }
}

/** Alice and Bob, each with a window to open, an account and the group. */
async function start(people: People, signal: AbortSignal): Promise<{ pair: RealPair; homes: readonly Person[] }> {
  step('starting a tracker pair …');
  const pair = await people.startPair();
  signal.throwIfAborted();
  step('starting two VS Code servers with Shoal installed …');
  const token = randomBytes(16).toString('hex');
  const settings = { 'shoal.tracker': pair.url };
  const [alice, bob] = await Promise.all([
    people.settle('alice', {
      token,
      forTests: false,
      settings: { ...settings, 'window.title': 'Alice${separator}${activeEditorShort}' },
    }),
    people.settle('bob', {
      token,
      forTests: false,
      settings: {
        ...settings,
        'window.title': 'Bob${separator}${activeEditorShort}',
        'shoal.downloadLimit': LIMIT_KIB_PER_S,
      },
    }),
  ]);
  signal.throwIfAborted();
  alice.write(FILE, binary(FILE, FILE_BYTES));
  alice.write(
    'report.md',
    '# Measurements of the harbour\n\nThe numbers are in `dataset.bin`, which is too large for git.\n',
  );
  alice.write(
    'pictures/quay.svg',
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><path fill="#9cf" d="M0 0h4v3H0z"/><path fill="#345" d="M0 2h4v1H0z"/></svg>\n',
  );
  bob.write('notes.md', '# Questions to Alice\n\n- May I have the dataset?\n');
  bob.write('tides.csv', 'hour,metres\n0,1.2\n6,3.9\n12,1.1\n18,4.0\n');

  step(`signing alice and bob in, and both into the group ${GROUP} …`);
  // By their command lines; the engines that these start are the ones that the windows find.
  const [aliceHere, bobHere] = [alice, bob].map(
    ({ name, home }) => new RealEngine(people.processes, name, home, pair.url),
  ) as [RealEngine, RealEngine];
  for (const one of [aliceHere, bobHere]) {
    await one.signUp();
    signal.throwIfAborted();
  }
  await aliceHere.does('create_group', GROUP);
  await bobHere.does('join_group', GROUP);
  await aliceHere.does('accept_request', GROUP, 'bob');
  signal.throwIfAborted();
  return { pair, homes: [alice, bob] };
}

function explain(pair: RealPair, homes: readonly Person[]): void {
  const strong = (text: string): string => styleText('bold', text);
  say(`\n${strong('Two people with VS Code')}; open both in a browser, side by side:\n`);
  for (const { name, server, workspace } of homes) say(`  ${name.padEnd(6)} ${server.windowUrl(workspace)}`);
  say(`
Their passwords are “password of alice” and “password of bob”. Then try:
  1. Alice: right-click ${FILE} in the explorer, “Share File in Group…”, ${GROUP}.
  2. Bob: click the Shoal icon in the bar at the side; under Files click the arrow in the row of ${FILE}, and watch Downloads.
     (His speed is limited to ${LIMIT_KIB_PER_S / 1024} MiB/s so that there is something to see.) Pause it, reload the page, resume it.
  3. Bob: in Groups, create a group of his own. Alice: “Shoal: Join Group…” from the command palette. Bob: accept.
  4. Kill a tracker (kill ${pair.processId(1)}): nobody notices. The other one (kill ${pair.processId(2)}): both are told, and what runs goes on.
  5. In a terminal of either VS Code, the same person's command line: node ${ENGINE_BUNDLE} status

Ctrl-C ends all of it and removes ${homes[0] ? path.resolve(homes[0].workspace, '../../..') : ''}.`);
}

/** Where a command is, if it is on the PATH. */
function onPath(command: string): string | undefined {
  const names = process.platform === 'win32' ? [`${command}.cmd`, `${command}.exe`] : [command];
  const candidates = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .flatMap((folder) => names.map((name) => path.join(folder, name)));
  return candidates.find((file) => existsSync(file) && statSync(file).isFile());
}
