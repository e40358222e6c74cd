// People with VS Code: each a server of their own with the packaged extension in it, a home, a
// workspace, and windows; and the trackers they share. Everything that was started ends here,
// engines that outlive their windows included.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { homeAt } from '../../protocol/home/homeLayout.ts';
import type { Home } from '../../protocol/home/homeLayout.ts';
import type { RealPair } from '../support/processes/realProcesses.ts';
import { ENGINE_BUNDLE, RealProcesses } from '../support/processes/realProcesses.ts';
import { packageExtension } from '../support/processes/vsix.ts';
import { closeBrowser, newPerson } from './driver/browser.ts';
import { CodeServer } from './driver/codeServer.ts';
import type { ServerOptions } from './driver/codeServer.ts';
import { CodeWindow } from './pages/codeWindow.ts';

export const PASSWORD = 'correct horse battery';

type SettleOptions = Pick<ServerOptions, 'settings' | 'forTests' | 'token' | 'extensions'>;

export class People {
  readonly processes = new RealProcesses();
  readonly #all: Person[] = [];
  readonly #settling = new Set<Promise<Person>>();
  #vsix: Promise<string> | undefined;

  /** The packaged extension, made once. */
  get vsix(): Promise<string> {
    return (this.#vsix ??= packageExtension(this.processes.makeFolder('package')));
  }

  startPair(): Promise<RealPair> {
    return this.processes.startPair();
  }

  /** Somebody with a window on an empty workspace. */
  async come(
    name: string,
    settings: Readonly<Record<string, unknown>> = {},
    extensions: readonly string[] = [],
  ): Promise<Person> {
    const person = await this.settle(name, { settings, extensions });
    await person.openWindow();
    return person;
  }

  /** Somebody whose VS Code runs with the extension in it, and has no window yet. */
  settle(name: string, options: SettleOptions = {}): Promise<Person> {
    const settling = this.#settle(name, options);
    this.#settling.add(settling);
    return settling;
  }

  async #settle(name: string, options: SettleOptions): Promise<Person> {
    const folder = this.processes.makeFolder('people', name);
    const home = homeAt(path.join(folder, 'shoal'));
    const server = await CodeServer.start({
      ...options,
      folder: path.join(folder, 'code'),
      name,
      environment: { SHOAL_HOME: home.folder },
      extensions: [await this.vsix, ...(options.extensions ?? [])],
    });
    const person = new Person(name, home, this.processes.makeFolder('people', name, 'workspace'), server);
    this.#all.push(person);
    return person;
  }

  /** A verb of the command line, on a person's own engine; what it prints. */
  async shoal({ home }: Person, ...words: string[]): Promise<string> {
    return (await this.processes.run(ENGINE_BUNDLE, ['--home', home.folder, ...words])).stdout;
  }

  /**
   * Writes a person's settings, and waits until their engine holds the limit in them: a download
   * that began before would be over at once.
   */
  async limit(person: Person, settings: Readonly<Record<string, unknown>>): Promise<void> {
    person.server.writeSettings(settings);
    const bytesPerS = Number(settings['shoal.downloadLimit'] ?? 0) * 1024;
    await person.window.until('the limit to count', async () =>
      (await this.shoal(person, 'status', '--json')).includes(`"downLimitBytesPerS":${bytesPerS},`),
    );
  }

  async close(): Promise<void> {
    await closeBrowser();
    await Promise.allSettled(this.#settling); // one failed: the others must be there to be ended
    await Promise.all(this.#all.map((person) => person.leave()));
    await this.processes.close();
  }
}

export class Person {
  readonly name: string;
  readonly home: Home;
  readonly workspace: string;
  readonly server: CodeServer;
  #context: BrowserContext | undefined;
  #window: CodeWindow | undefined;

  constructor(name: string, home: Home, workspace: string, server: CodeServer) {
    this.name = name;
    this.home = home;
    this.workspace = workspace;
    this.server = server;
  }

  /** The first window. */
  get window(): CodeWindow {
    assert.ok(this.#window, `${this.name} has no window`);
    return this.#window;
  }

  /** One more window of this person; the first becomes `window`. */
  async openWindow(workspace = this.workspace): Promise<CodeWindow> {
    this.#context ??= await newPerson();
    const window = await CodeWindow.open(this.#context, this.server, { workspace });
    this.#window ??= window;
    return window;
  }

  /** Writes a file into the workspace. */
  write(name: string, content: Uint8Array | string): string {
    const file = path.join(this.workspace, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }
  read(name: string): Buffer {
    return readFileSync(path.join(this.workspace, name));
  }
  has(name: string): boolean {
    return existsSync(path.join(this.workspace, name));
  }

  /** Shares a file or folder of the workspace from the explorer's menu. */
  async share(
    name: string,
    group: string,
    entry: 'Share File in Group…' | 'Share Folder in Group…' = 'Share File in Group…',
  ): Promise<void> {
    await this.window.openView('Explorer');
    await this.window.explorerMenu(name, entry);
    await this.window.quickInputTitled(entry.replace('…', ''));
    await this.window.pick(group);
    await this.window.openView('Shoal');
  }

  /**
   * Answers the questions of Create Account…, the tracker's being the one that is offered first.
   */
  async createAccount(window = this.window): Promise<void> {
    await window.runCommand('Shoal: Create Account…');
    await this.answerAccount(window);
  }
  async answerAccount(window = this.window): Promise<void> {
    await stepOf(window, '1/4');
    await window.acceptQuickInput();
    await stepOf(window, '2/4');
    await window.typeInQuickInput(this.name);
    await window.acceptQuickInput();
    for (const step of ['3/4', '4/4']) {
      await stepOf(window, step);
      await window.typeInQuickInput(PASSWORD);
      await window.acceptQuickInput();
    }
    await window.until('the account in the status bar', () => window.statusBarItem(`Shoal: ${this.name}`));
  }

  async signIn(window = this.window): Promise<void> {
    await window.runCommand('Shoal: Sign In…');
    await stepOf(window, '1/3');
    await window.acceptQuickInput();
    await stepOf(window, '2/3');
    await window.typeInQuickInput(this.name);
    await window.acceptQuickInput();
    await stepOf(window, '3/3');
    await window.typeInQuickInput(PASSWORD);
    await window.acceptQuickInput();
    await window.until('the account in the status bar', () => window.statusBarItem(`Shoal: ${this.name}`));
  }

  /** Errors that the extension, or VS Code about it, has written to a log. */
  troubles(): readonly string[] {
    // A window that is reloaded or closed while it asks for the rows of a view writes that they
    // were not to be had any more.
    const isEnd = (line: string): boolean => /Unable to refresh tree view shoal\.\w+: Canceled$/.test(line);
    return this.server
      .logs()
      .split('\n')
      .filter((line) => /\[error\]/.test(line) && /shoal/i.test(line) && !isEnd(line))
      .concat(
        this.server
          .extensionLog('Shoal')
          .split('\n')
          .filter((line) => / \[error\] /.test(line)),
      );
  }

  /** The process id of this person's engine, if one runs. */
  engineProcess(): number | undefined {
    try {
      return (JSON.parse(readFileSync(this.home.addressFile, 'utf8')) as { processId: number }).processId;
    } catch {
      return undefined;
    }
  }

  async leave(): Promise<void> {
    await this.server.stop();
    const engine = this.engineProcess();
    if (engine === undefined || engine === process.pid) return;
    try {
      process.kill(engine, 'SIGKILL'); // it would stay a minute more
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Makes an account for each, a group of the first, and lets the second one in. */
export async function meetInGroup(owner: Person, other: Person, group: string): Promise<void> {
  for (const person of [owner, other]) {
    await person.createAccount();
    await person.window.openView('Shoal');
  }
  await owner.window.clickWelcome('Groups', 'Create Group');
  await owner.window.answer('Create Group', group);
  await owner.window.row('Groups', group); // a list of groups is read once
  await other.window.clickWelcome('Groups', 'join one');
  await other.window.quickInputTitled('Join Group');
  await other.window.pick(group);
  await owner.window.clickNotification(`${other.name} asks to join ${group}.`, 'Accept');
  await says(other.window, 'Groups', group, /^member/);
}

/** Waits for a step of what is asked. */
export async function stepOf(window: CodeWindow, step: string): Promise<void> {
  await window.until(`step ${step}`, async () => (await window.quickInput())?.step === step);
}

/** Waits until a row says something behind its label. */
export const says = (window: CodeWindow, view: string, label: string, words: RegExp): Promise<unknown> =>
  window.until(`“${label}” in ${view} to say ${String(words)}`, async () => {
    const { description } = await window.row(view, label);
    if (!words.test(description)) throw new Error(`it says ${description}`);
    return true;
  });

export const gone = (window: CodeWindow, view: string, label: string): Promise<unknown> =>
  window.until(
    `“${label}” to go from ${view}`,
    async () => !(await window.rows(view)).some((row) => row.label === label),
  );

/** Waits until a download is under Completed. */
export const whole = (window: CodeWindow, name: string): Promise<unknown> =>
  window.until(
    `${name} under Completed`,
    async () => {
      const rows = await window.rows('Downloads');
      const at = rows.findIndex(({ label }) => label === 'Completed');
      return at >= 0 && rows.slice(at + 1).some(({ label }) => label === name);
    },
    60_000,
  );
