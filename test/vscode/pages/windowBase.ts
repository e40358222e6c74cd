// What every part of the driver needs of a window: its page, waiting for a condition with a bound,
// and a picture when that fails.
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { Locator, Page } from 'playwright-core';
import { PICTURES } from './pictures.ts';

/** How long anything may take that the driver waits for, in ms. */
export const WAIT_MS = 20_000;
type Ask<T> = () => Promise<T | undefined | false> | T | undefined | false;

const POLL_MS = 60;
const IMAGES = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
const SCREENSHOTS = fileURLToPath(new URL('../../../test-results/screenshots/', import.meta.url));
const CONSOLE_LINES_MAX = 500;

let failures = 0;

export class WindowBase {
  readonly page: Page;
  /** Whose window it is, for messages and names of files. */
  readonly name: string;
  /**
   * What the page has printed, the latest lines; much of it is about hosts that cannot be reached,
   * and harmless.
   */
  readonly consoleLines: string[] = [];

  constructor(page: Page, name: string) {
    this.page = page;
    this.name = name;
    const note = (line: string): void => {
      this.consoleLines.push(line);
      if (this.consoleLines.length > CONSOLE_LINES_MAX) this.consoleLines.shift();
    };
    page.on('console', (message) => note(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => note(`error nobody caught: ${error.message}`));
  }

  /**
   * Asks again and again until the answer is neither false nor undefined, and resolves to it. An
   * answer that is an error counts as "not yet"; the last one is part of the failure.
   *
   * @param what  ends the sentence "waited for …"
   */
  async until<T>(what: string, ask: Ask<T>, boundMs = WAIT_MS): Promise<T> {
    try {
      return await this.poll(ask, boundMs);
    } catch (error) {
      throw await this.failure(`waited ${boundMs / 1000} s for ${what}`, error);
    }
  }

  /**
   * The same without a picture, for a part of what is tried again and again; rejects with the last
   * error.
   */
  async poll<T>(ask: Ask<T>, boundMs: number): Promise<T> {
    const deadline = Date.now() + boundMs;
    for (let last: unknown; ; await this.page.waitForTimeout(POLL_MS)) {
      try {
        const answer = await ask();
        if (answer !== undefined && answer !== false) return answer;
        last = undefined;
      } catch (error) {
        if (this.page.isClosed()) throw error;
        last = error;
      }
      if (Date.now() > deadline) throw last instanceof Error ? last : new Error('not in time');
    }
  }

  /** An error that says what was seen, with a picture of it. */
  async failure(what: string, cause?: unknown): Promise<Error> {
    const picture = await this.screenshot(`failure-${process.pid}-${++failures}-${this.name}`).catch(
      (error: Error) => `no screenshot: ${error.message}`,
    );
    const why = cause instanceof Error ? `\nthe last try: ${inShort(cause.message)}` : '';
    // A modal dialog that nobody expected takes every key and click, whatever is waited for.
    const dialogs = await this.page
      .locator('.monaco-dialog-box:visible')
      .allInnerTexts()
      .catch(() => []);
    const inTheWay = dialogs.map((text) => `\na dialog is open: ${text.replace(/\s+/g, ' ').trim()}`).join('');
    return new Error(`${this.name}'s window: ${what}${why}${inTheWay}\n${picture}`);
  }

  /** Takes a picture into `test-results/screenshots/NAME.png`; resolves to its path. */
  async screenshot(name: string): Promise<string> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    const file = path.join(SCREENSHOTS, `${name.replace(/[^\w.-]+/g, '-')}.png`);
    await this.page.screenshot({ path: file, animations: 'disabled', caret: 'initial' });
    const picture = PICTURES[name];
    if (picture !== undefined && process.env['ADD_PICTURES'] === '1') copyFileSync(file, path.join(IMAGES, picture));
    return file;
  }

  /** Clicks, and says what was not there if it cannot. */
  async click(
    what: string,
    locator: Locator,
    options: { readonly button?: 'left' | 'right'; readonly modifiers?: ('ControlOrMeta' | 'Shift')[] } = {},
  ): Promise<void> {
    try {
      await locator.click({ timeout: WAIT_MS, ...options });
    } catch (error) {
      throw await this.failure(`could not click ${what}`, error);
    }
  }
}

/** Of Playwright's long story of an action: what it was, on what, and what was in the way. */
function inShort(message: string): string {
  const lines = message.split('\n').map((line) => stripVTControlCharacters(line).trim());
  const telling = lines
    .slice(1)
    .filter((line) =>
      /^- (?!attempting|retrying|waiting \d|scrolling|done)|intercepts|not (?:enabled|visible|stable)/.test(line),
    );
  return [lines[0], ...new Set(telling)].slice(0, 6).join('\n  ');
}

/** A whole text, whatever white space surrounds it. */
export function exactly(text: string): RegExp {
  return new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace(/\s+/g, '\\s+')}\\s*$`, 'u');
}

/**
 * What an action is called for screen readers: its title, and the shortcut if it has one, as in
 * `Show (Ctrl+H)`.
 */
export function isTitled(label: string, title: string): boolean {
  return label === title || (label.startsWith(`${title} (`) && label.endsWith(')'));
}

export function fits(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text === wanted : wanted.test(text);
}
